//! The proof that a page can be the phone: the core of PKOC and of instant keys as WebAssembly, against a reader in JavaScript.
use crate::clients::target;
use crate::commands::{cargo, root, run, succeeds};
use std::path::PathBuf;
use std::process::{Command, Stdio};

const TARGET: &str = "wasm32-unknown-unknown";

/// Whether the compiler here has a standard library for the target.
fn is_there() -> bool {
    let asked = Command::new("rustc").args(["--print", "target-libdir", "--target", TARGET]).stdin(Stdio::null()).output();
    asked.is_ok_and(|told| told.status.success() && PathBuf::from(String::from_utf8_lossy(&told.stdout).trim()).is_dir())
}

/// Gets the target where `rustup` manages the compiler. Elsewhere the proof without std has to do: it is the same code.
pub(crate) fn set_up() {
    if is_there() {
        return;
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]);
    if !succeeds(rustup) {
        println!("not there: the standard library of {TARGET}; get it with: rustup target add {TARGET}");
    }
}

/// Builds the phone's side and lets it open a door in JavaScript.
pub(crate) fn prove() -> Result<(), String> {
    if !is_there() {
        println!("left out: a page's phone needs the target {TARGET}; the build without std stands for it");
        return Ok(());
    }
    let to = target().join("page");
    let to = to.to_string_lossy();
    run(cargo([
        "build",
        "--release",
        "--locked",
        "--target",
        TARGET,
        "--manifest-path",
        "seam-ble/browser-proof/Cargo.toml",
        "--target-dir",
        to.as_ref(),
    ]))?;
    let mut node = Command::new("node");
    node.arg("seam-ble/browser-proof/reader.mjs").arg(format!("{to}/{TARGET}/release/browser_proof.wasm"));
    node.current_dir(root()).stdin(Stdio::null());
    run(node)
}
