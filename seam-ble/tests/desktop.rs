//! The operating system's Bluetooth: where there is none, and a service of another language on a D-Bus of the test's own.
//!
//! `tests/radio/bluez.py` shows what BlueZ shows on D-Bus; behind it is a PKOC reader in Python. It is no BlueZ: nothing is on air. Needs `dbus-daemon` and
//! what `tests/radio/requirements.txt` names; `cargo xtask test` gets both.
#![cfg(all(feature = "btleplug", feature = "rustcrypto", target_os = "linux"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{Secret, SigningKey as _};
use seam_ble::pkoc::{Anchor, Device, ReadersOfSite, Response, Site, SiteId, Wire};
use seam_ble::transport::desktop::connect;
use seam_ble::transport::{LinkError, SessionError, pkoc, within};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

const NOW: u32 = 1_800_000_000;
/// For each step of connecting. Steps that are answered take some milliseconds.
const STEP: Duration = Duration::from_secs(3);
/// For the transaction: far longer than anything that is answered takes.
const TRANSACTION: Duration = Duration::from_secs(60);

/// A bus for anybody who knows its name, which stands for `NAME`. It leaves no file behind.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:abstract=NAME</listen>
  <auth>EXTERNAL</auth>
  <policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy>
</busconfig>
"#;

/// A program that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Running {
    fn start(command: &mut Command) -> (Self, BufReader<ChildStdout>) {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        (Self(child), lines)
    }
}

fn line(of: &mut BufReader<ChildStdout>) -> String {
    let mut line = String::new();
    of.read_line(&mut line).unwrap();
    line.trim().to_owned()
}

/// What came of looking for a reader on this bus, and of presenting a key to it. In a process of its own: which bus is asked is a matter of its
/// environment, and no test may touch the machine's own.
fn outcome(bus: &str) -> String {
    let mut probe = Command::new(std::env::current_exe().unwrap());
    probe.args(["--exact", "probe", "--ignored", "--nocapture"]).env("DBUS_SYSTEM_BUS_ADDRESS", bus).env("SEAM_BLE_PROBE", "1");
    let output = probe.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let found = said.lines().find_map(|line| line.split_once("outcome: ").map(|(_, outcome)| outcome.to_owned()));
    found.unwrap_or_else(|| panic!("{said}\n{}", String::from_utf8_lossy(&output.stderr)))
}

#[test]
#[ignore = "run by the tests below, each on a bus of its own"]
fn probe() {
    if std::env::var_os("SEAM_BLE_PROBE").is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("outcome: {:?}", runtime.block_on(visit()));
}

async fn visit() -> Result<Response, SessionError<seam_ble::pkoc::PkocError>> {
    let key = |byte| SoftwareKey::from_bytes(&Secret::new([byte; 32])).unwrap();
    // As `radio.py` has it: the site's issuer, and the phone.
    let readers = ReadersOfSite::All;
    let sites = [Site { id: SiteId([0x10; 16]), anchor: Anchor::Issuer(key(0x44).public_key()), readers, revoked: None }];
    let device = Device { key: key(0x66), sites: &sites, last_update: NOW, wire: Wire::V2 };
    let mut link = connect(STEP).await?;
    let random = Secret::new([9; 32]);
    let presented = within(TRANSACTION, pkoc::present(&RustCrypto, &device, &random, Some(NOW), b"a grant", &mut link)).await;
    link.close().await;
    presented
}

fn failed(step: &'static str) -> String {
    format!("{:?}", Err::<Response, SessionError<seam_ble::pkoc::PkocError>>(SessionError::Link(LinkError::Radio(step))))
}

/// What came of it with the service in this case, and what the service has seen; nothing where the parts are missing.
fn with_service(case: &str) -> Option<(String, Vec<String>)> {
    let python: PathBuf = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../radio/bin/python3");
    let there = |program: &mut Command| program.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success());
    let bus_is_there = there(Command::new("dbus-daemon").arg("--version"));
    if !bus_is_there || !there(Command::new(&python).args(["-c", "import dbus_fast, bumble"])) {
        assert!(std::env::var_os("CI").is_none(), "dbus-daemon or dbus-fast is missing, and CI is set: nothing may be skipped");
        println!(
            "skipped: the tests of a desktop's Bluetooth need dbus-daemon and dbus-fast; get them with: cargo xtask test --only setup"
        );
        return None;
    }
    let name = format!("seam-ble-{}-{case}", std::process::id());
    let config = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.conf"));
    std::fs::write(&config, BUS.replace("NAME", &name)).unwrap();
    let mut daemon = Command::new("dbus-daemon");
    daemon.arg("--nofork").arg("--print-address").arg(format!("--config-file={}", config.display()));
    let (_daemon, mut address) = Running::start(&mut daemon);
    let bus = line(&mut address);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/radio/bluez.py");
    let mut bluez = Command::new(python);
    bluez.arg(script).arg(case).env("DBUS_SYSTEM_BUS_ADDRESS", &bus);
    let (mut service, mut seen) = Running::start(&mut bluez);
    assert_eq!(line(&mut seen), r#"{"ready": true}"#);
    let outcome = outcome(&bus);
    drop(service.0.stdin.take());
    std::fs::remove_file(&config).unwrap();
    Some((outcome, seen.lines().map(Result::unwrap).collect()))
}

fn says(case: &str, expected: &str) {
    if let Some((outcome, _)) = with_service(case) {
        assert_eq!(outcome, expected, "{case}");
    }
}

#[test]
fn a_machine_without_a_bluetooth_service_says_so() {
    assert_eq!(outcome("unix:path=/nonexistent/bus"), failed("reaching the Bluetooth service"));
}

#[test]
fn a_machine_without_an_adapter_says_so() {
    says("absent", &failed("finding an adapter"));
}

#[test]
fn an_adapter_without_power_does_not_scan() {
    says("off", &failed("scanning"));
}

#[test]
fn nothing_in_reach_ends_in_time_and_ends_the_scan() {
    for case in ["deaf", "strange"] {
        let Some((outcome, seen)) = with_service(case) else { return };
        assert_eq!(outcome, failed("finding a reader in reach"), "{case}");
        assert_eq!(seen, [r#"{"stopped": true}"#], "{case}");
    }
}

#[test]
fn a_reader_that_lets_nobody_connect_says_so_or_ends_in_time() {
    says("refusing", &failed("connecting"));
    says("stalling", &failed("connecting"));
}

#[test]
fn a_reader_that_is_none_is_left_again() {
    for (case, step) in [("other", "finding the reader's service"), ("unsubscribable", "subscribing")] {
        let Some((outcome, seen)) = with_service(case) else { return };
        assert_eq!(outcome, failed(step), "{case}");
        assert_eq!(seen, [r#"{"stopped": true}"#, r#"{"disconnected": true}"#], "{case}");
    }
}

#[test]
fn a_reader_that_leaves_is_noticed_before_the_deadline() {
    says("leaving", "Err(Link(Closed))");
}

#[test]
fn a_desktop_presents_a_key_to_a_reader() {
    let Some((outcome, seen)) = with_service("reader") else { return };
    assert_eq!(outcome, format!("{:?}", Ok::<_, ()>(Response::GRANTED)));
    let key = SoftwareKey::from_bytes(&Secret::new([0x66; 32])).unwrap().public_key();
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let proven = format!(r#"{{"proven": "{}", "extension": "{}"}}"#, hex(key.as_bytes()), hex(b"a grant"));
    assert_eq!(seen, [r#"{"stopped": true}"#, &proven, r#"{"disconnected": true}"#]);
}
