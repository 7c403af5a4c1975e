//! The virtual radio of the tests of mobile keys: Python with bumble, installed into the build folder.
use crate::clients::{Packages, install, is_installed, target};
use crate::commands::root;

/// The folder below `target` is where `seam-ble/tests/radio/room.rs` and `phone-to-door` look.
const RADIO: Packages = Packages {
    folder: "radio",
    pins: &["requirements.txt"],
    install: &[
        &["python3", "-m", "venv", "."],
        &["bin/python3", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet", "-r", "requirements.txt"],
    ],
};

/// Installs what is missing or of another version than the pins say.
pub(crate) fn set_up() -> Result<(), String> {
    let (from, to) = (root().join("seam-ble/tests").join(RADIO.folder), target().join(RADIO.folder));
    if is_installed(&RADIO, &from, &to) {
        return Ok(());
    }
    install(&RADIO, &from, &to).map_err(|e| format!("the virtual radio: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pin_names_an_exact_version() {
        let pins = std::fs::read_to_string(root().join("seam-ble/tests/radio/requirements.txt")).unwrap();
        let lines: Vec<_> = pins.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(lines.iter().any(|line| line.starts_with("bumble==")), "{pins}");
        assert!(lines.iter().all(|line| line.contains("==")), "{pins}");
    }
}
