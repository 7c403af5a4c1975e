//! The program as it is run: its one line, its files, its limits, its end. What the routes answer is judged by the clients' suite.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};
use support::{Server, program};

const KEY: &str = "seam_canary_key_of_main";
const OTHER: &str = "seam_canary_key_of_annex";

fn command(database: &Path, more: &[&str]) -> Command {
    let mut command = program(KEY);
    command.arg("--database").arg(database).args(more).env("RUST_LOG", "trace");
    command
}

/// A server, and how it is asked.
struct Asked(Server);

impl Asked {
    fn start(database: &Path, more: &[&str]) -> Self {
        Self(Server::start(command(database, more)))
    }

    /// Asks over a connection of its own: the status, the headers in small letters, the body.
    fn ask(&self, key: &str, method: &str, path: &str, body: Option<Value>) -> (u16, String, Value) {
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let mut stream = TcpStream::connect(self.0.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n");
        let kind =
            if body.is_empty() { String::new() } else { format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()) };
        stream.write_all(format!("{head}{kind}\r\n{body}").as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, head.to_ascii_lowercase(), serde_json::from_str(body).unwrap_or_default())
    }

    fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.ask(KEY, "GET", path, None);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    fn post(&self, path: &str, body: Value) -> Value {
        let (status, _, answer) = self.ask(KEY, "POST", path, Some(body));
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    fn door(&self, name: &str) -> String {
        let doors = self.get("/acs/entrances/list");
        let found = doors["acs_entrances"].as_array().unwrap().iter().find(|d| d["display_name"] == name).unwrap();
        found["acs_entrance_id"].as_str().unwrap().to_owned()
    }
}

fn until<T>(what: &str, mut probe: impl FnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        match probe() {
            Some(found) => return found,
            None => assert!(began.elapsed() < Duration::from_secs(30), "still not so: {what}"),
        }
        thread::sleep(Duration::from_millis(30));
    }
}

fn issued_pin(server: &Asked, door: &str) -> (String, String, String) {
    let grant = server.post(
        "/access_grants/create",
        json!({
            "user_identity": {"full_name": "Canary Person", "email_address": "canary@example.com"},
            "acs_entrance_ids": [door],
            "requested_access_methods": [{"mode": "code"}],
        }),
    );
    let id = grant["access_grant"]["access_grant_id"].as_str().unwrap().to_owned();
    let method = until("the PIN is issued", || {
        let methods = server.get(&format!("/access_methods/list?access_grant_id={id}"));
        let method = methods["access_methods"][0].clone();
        (method["is_issued"] == true).then_some(method)
    });
    (id, method["access_method_id"].as_str().unwrap().to_owned(), method["code"].as_str().unwrap().to_owned())
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart_and_nothing_secret_is_in_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("connect.db");
    let server = Asked::start(&database, &["--log", "json"]);
    let gym = server.door("gym");
    let (grant, method, pin) = issued_pin(&server, &gym);
    let session = server.post("/client_sessions/create", json!({"user_identifier_key": "canary"}));
    let token = session["client_session"]["token"].as_str().unwrap().to_owned();
    let webhook = server.post("/webhooks/create", json!({"url": "https://hooks.example.com/canary-path"}));
    let secret = webhook["webhook"]["secret"].as_str().unwrap().to_owned();
    let (status, log) = server.0.end();
    assert!(status.success(), "{status}");
    assert!(log.contains("/access_grants/create"), "the log tells the routes");
    for canary in [KEY, pin.as_str(), token.as_str(), secret.as_str(), "Canary Person", "canary@example.com"] {
        assert!(!log.contains(canary), "the log holds {canary}");
    }
    let mut bytes = std::fs::read(&database).unwrap();
    for end in ["-wal", "-shm"] {
        bytes.extend(std::fs::read(folder.path().join(format!("connect.db{end}"))).unwrap_or_default());
    }
    for canary in [KEY, pin.as_str(), token.as_str(), secret.as_str()] {
        assert!(!bytes.windows(canary.len()).any(|w| w == canary.as_bytes()), "the database holds a secret as it is");
    }

    let server = Asked::start(&database, &[]);
    let there = server.get(&format!("/access_grants/get?access_grant_id={grant}"));
    assert_eq!(there["access_grant"]["access_method_ids"], json!([method]));
    let tried = server.post("/acs/entrances/simulate/use_credential", json!({"acs_entrance_id": gym, "access_method_id": method}));
    assert_eq!(tried["use"]["opened"], true);
    assert_eq!(server.get("/acs/systems/list")["acs_systems"].as_array().unwrap().len(), 2, "the sandbox is set up once");
}

#[test]
fn one_process_has_the_database_and_only_with_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("connect.db");
    let server = Asked::start(&database, &[]);
    let second = command(&database, &[]).output().unwrap();
    assert!(!second.status.success(), "a second process is refused");
    assert!(second.stdout.is_empty(), "and never says that it listens");
    assert!(server.0.end().0.success());

    let key = folder.path().join("connect.db.key");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600, "the key is its owner's");
    }
    std::fs::remove_file(&key).unwrap();
    let without = command(&database, &[]).output().unwrap();
    assert!(!without.status.success(), "a database without its key is not opened with a new one");
    assert!(!key.exists());
}

#[test]
fn a_key_sees_only_its_own_workspace() {
    let server = Asked::start(Path::new(":memory:"), &["--workspace", &format!("annex={OTHER}")]);
    let gym = server.door("gym");
    let (grant, method, _) = issued_pin(&server, &gym);
    for (path, code) in [
        (format!("/access_grants/get?access_grant_id={grant}"), "access_grant_not_found"),
        (format!("/access_methods/get?access_method_id={method}"), "access_method_not_found"),
        (format!("/acs/entrances/get?acs_entrance_id={gym}"), "acs_entrance_not_found"),
    ] {
        let (status, _, body) = server.ask(OTHER, "GET", &path, None);
        assert_eq!((status, body["error"]["type"].as_str()), (404, Some(code)));
    }
    let (status, _, body) = server.ask(OTHER, "DELETE", &format!("/access_grants/delete?access_grant_id={grant}"), None);
    assert_eq!(status, 404, "{body}");
    let (status, _, body) = server.ask(OTHER, "GET", "/access_grants/list", None);
    assert_eq!((status, body["access_grants"].as_array().map(Vec::len)), (200, Some(0)));
    assert_eq!(server.get("/access_grants/list")["access_grants"].as_array().map(Vec::len), Some(1));
}

#[test]
fn too_many_requests_are_told_when_to_come_again() {
    let server = Asked::start(Path::new(":memory:"), &["--requests-per-second", "5", "--workspace", &format!("annex={OTHER}")]);
    let answers: Vec<_> = (0..30).map(|_| server.ask(KEY, "GET", "/workspaces/get", None)).collect();
    let (_, head, body) = answers.iter().find(|(status, ..)| *status == 429).expect("one of thirty at once is too many");
    assert_eq!(body["error"]["type"], "rate_limited");
    let after: u64 = head.lines().find_map(|line| line.strip_prefix("retry-after: ")).unwrap().trim().parse().unwrap();
    assert!((1..=6).contains(&after), "{after}");
    assert_eq!(server.ask(OTHER, "GET", "/workspaces/get", None).0, 200, "another workspace has its own rate");
    let open = server.ask("", "GET", "/metrics", None);
    assert!(open.1.contains("200 ok"), "the counters are open to those who run it");
    assert_eq!(server.ask("", "GET", "/ready", None).0, 200);
    assert_eq!(server.ask("", "GET", "/openapi.json", None).2["openapi"], "3.1.0");
}
