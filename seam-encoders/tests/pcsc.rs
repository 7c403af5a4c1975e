//! PC/SC for real: the service `pcscd` with a virtual reader (`vsmartcard-vpcd`) in namespaces of its own, and our simulated cards in its slots.
//! Only the card is ours; what lies between it and our reader is what lies there with a real one.
#![cfg(feature = "pcsc")]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
#[path = "pcsc/scenes.rs"]
mod scenes;
#[path = "pcsc/stand.rs"]
mod stand;
mod support;

use std::path::Path;
use std::process::Command;

/// What the test needs of the system, and the package that has it.
const PARTS: [(&str, &str); 4] =
    [("/usr/sbin/pcscd", "pcscd"), (stand::DRIVER, "vsmartcard-vpcd"), ("/usr/bin/unshare", "util-linux"), ("/sbin/ip", "iproute2")];

/// Runs the scenes below in namespaces for network and mounts, so that nothing of it reaches the machine's own service: the driver listens on all
/// addresses, and the place of the service's socket is fixed.
#[test]
fn cards_are_written_through_the_systems_own_service() {
    let missing: Vec<&str> = PARTS.iter().filter(|(file, _)| !Path::new(file).exists()).map(|(_, package)| *package).collect();
    if !missing.is_empty() {
        let line = format!("PC/SC for real needs {0}; get it with: apt-get install {0}", missing.join(" "));
        assert!(std::env::var_os("CI").is_none(), "{line}");
        println!("skipped: {line}");
        return;
    }
    let set_up = "ip link set lo up && mount -t tmpfs tmpfs /run && mkdir /run/pcscd && exec \"$@\"";
    let mut inside = Command::new("unshare");
    // Without root the namespaces come with one for users, in which we are root.
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|me| std::os::unix::fs::MetadataExt::uid(&me) == 0);
    inside.args(if is_root { &["-n", "-m"][..] } else { &["-r", "-n", "-m"] });
    inside.args(["sh", "-c", set_up, "sh"]).arg(std::env::current_exe().unwrap());
    inside.args(["--ignored", "--exact", "scenes_at_a_virtual_reader", "--nocapture"]);
    let output = inside.output().unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

#[test]
#[ignore = "runs in its own namespaces, started by the test above"]
fn scenes_at_a_virtual_reader() {
    assert!(Path::new("/run/pcscd").exists() && !Path::new("/run/lock").exists(), "only in namespaces of its own");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(scenes::all());
}
