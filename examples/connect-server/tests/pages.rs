//! The pages in a real browser, against the real server: the scenarios stand in `tests/pages`, this starts what they need and judges how it ends.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use support::{Server, program};

const KEY: &str = "seam_pages_key_1";
const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/pages");

/// Whether a program answers.
fn answers(program: &Path) -> bool {
    let mut command = Command::new(program);
    command.arg("--version").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

/// The browser, if it and Node are here. In CI nothing may be missing.
fn browser() -> Option<PathBuf> {
    let browser = std::env::var_os("CHROMIUM").map_or_else(|| PathBuf::from("/usr/bin/chromium"), PathBuf::from);
    let missing: Vec<&str> = [(browser.as_path(), "chromium"), (Path::new("node"), "nodejs"), (Path::new("npm"), "npm")]
        .into_iter()
        .filter(|(p, _)| !answers(p))
        .map(|(_, name)| name)
        .collect();
    if missing.is_empty() {
        return Some(browser);
    }
    let line = format!("skipped: the pages need {}; get it with: apt-get install {}", missing.join(" and "), missing.join(" "));
    assert!(std::env::var_os("CI").is_none(), "CI is set, and nothing may be skipped. {line}");
    println!("{line}");
    None
}

/// The scenarios with what they import, in a folder of the build.
fn scenarios() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&folder).unwrap();
    for entry in std::fs::read_dir(SCRIPTS).unwrap() {
        let from = entry.unwrap().path();
        std::fs::copy(&from, folder.join(from.file_name().unwrap())).unwrap();
    }
    let (lock, kept) = (std::fs::read(folder.join("package-lock.json")).unwrap(), folder.join("installed"));
    if std::fs::read(&kept).ok().as_ref() != Some(&lock) {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        assert!(npm.status().unwrap().success(), "npm ci failed");
        std::fs::write(kept, lock).unwrap();
    }
    folder
}

/// A server with a sandbox that logs what it does.
fn serve() -> Server {
    let mut command = program(KEY);
    command.args(["--database", ":memory:"]).env("RUST_LOG", "info,hyper=debug,axum=trace");
    Server::start(command)
}

/// Ends it as an operator does, and gives what it has logged.
fn end(server: Server) -> String {
    let (status, log) = server.end();
    assert!(status.success(), "{status}");
    log
}

#[test]
fn the_pages_work_in_a_browser() {
    let Some(browser) = browser() else { return };
    let folder = scenarios();
    let pictures = std::env::var_os("SEAM_PAGES").map_or_else(|| folder.join("../../pages"), PathBuf::from);
    let secrets = folder.join("secrets.txt");
    std::fs::write(&secrets, "").unwrap();
    let server = serve();
    let mut node = Command::new("node");
    // One file after the other: they look at one workspace.
    node.args(["--test", "--test-concurrency=1"]).args(["operations", "docs", "key", "connect"].map(|name| format!("{name}.test.mjs")));
    node.current_dir(&folder).env("BASE", &server.url).env("API_KEY", KEY).env("CHROMIUM", browser);
    node.env("SCREENSHOTS", pictures).env("SECRETS", &secrets).stdin(Stdio::null());
    let passed = node.status().unwrap().success();
    let log = end(server);
    assert!(passed, "scenarios failed, see above");
    let secrets = std::fs::read_to_string(secrets).unwrap();
    assert!(secrets.lines().count() > 5 && log.contains("/i/{code}/redeem"), "the log is of these scenarios");
    for secret in secrets.lines().chain([KEY]) {
        assert!(!log.contains(secret), "the log holds a code or a token");
    }
}

#[test]
fn a_stream_ends_with_the_server() {
    let server = serve();
    let mut stream = TcpStream::connect(server.address()).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    write!(stream, "GET /events/stream HTTP/1.1\r\nhost: here\r\nauthorization: Bearer {KEY}\r\n\r\n").unwrap();
    let mut begun = [0; 12];
    stream.read_exact(&mut begun).unwrap();
    assert_eq!(&begun, b"HTTP/1.1 200");
    end(server);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).unwrap();
    // It was ended, not cut off when the patience with requests that hang was over.
    assert!(String::from_utf8_lossy(&rest).ends_with("0\r\n\r\n"), "the answer is whole");
}
