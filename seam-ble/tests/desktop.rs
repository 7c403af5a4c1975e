//! The operating system's Bluetooth, where there is none. A connection to a reader cannot be tested without one.
#![cfg(all(feature = "btleplug", target_os = "linux"))]

use seam_ble::transport::LinkError;
use seam_ble::transport::desktop::connect;
use std::process::Command;
use std::time::Duration;

#[test]
fn a_machine_without_a_bluetooth_service_says_so() {
    // In a process of its own: which bus is asked is a matter of its environment, and no test may touch the machine's own.
    let mut probe = Command::new(std::env::current_exe().unwrap());
    probe.args(["--exact", "probe", "--ignored", "--nocapture"]).env("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus");
    let output = probe.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
#[ignore = "run by the test above, on a bus that does not exist"]
fn probe() {
    assert_eq!(std::env::var("DBUS_SYSTEM_BUS_ADDRESS").unwrap(), "unix:path=/nonexistent/bus");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let refused = runtime.block_on(connect(Duration::from_secs(5))).map(|_| ()).unwrap_err();
    assert_eq!(refused, LinkError::Radio("reaching the Bluetooth service"));
}
