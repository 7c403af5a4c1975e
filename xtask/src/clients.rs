//! The official client SDKs: their packages, installed into the build folder, and the suite that drives `connect-server` with them.
use crate::commands::{cargo, root, run};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where the suite stands.
const SUITE: &str = "examples/connect-server/clients";
/// What an installation holds a copy of when it is complete.
const STAMP: &str = ".installed";

/// One language's packages.
pub(crate) struct Packages {
    /// The folder, below the suite and below `target/clients`.
    pub(crate) folder: &'static str,
    /// What says which packages, in which versions. The first names are files, compared and copied; a folder is copied only.
    pub(crate) pins: &'static [&'static str],
    /// What has to be done in the folder, in this order.
    pub(crate) install: &'static [&'static [&'static str]],
}

const PACKAGES: &[Packages] = &[
    Packages {
        folder: "javascript",
        pins: &["package.json", "package-lock.json", "no-cli/package.json"],
        install: &[&["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress"]],
    },
    Packages {
        folder: "python",
        pins: &["requirements.txt"],
        install: &[
            &["python3", "-m", "venv", "."],
            &["bin/python3", "-m", "pip", "install", "--no-input", "--disable-pip-version-check", "--quiet", "-r", "requirements.txt"],
        ],
    },
];

/// The folder that cargo builds into.
pub(crate) fn target() -> PathBuf {
    target_of(std::env::var_os("CARGO_TARGET_DIR").as_deref())
}

fn target_of(named: Option<&OsStr>) -> PathBuf {
    root().join(named.unwrap_or_else(|| OsStr::new("target")))
}

/// Installs what is missing or of other versions than the pins say.
pub(crate) fn set_up() -> Result<(), String> {
    for packages in PACKAGES {
        let (from, to) = (root().join(SUITE).join(packages.folder), target().join("clients").join(packages.folder));
        if is_installed(packages, &from, &to) {
            continue;
        }
        install(packages, &from, &to).map_err(|e| format!("the packages of the official {} client: {e}", packages.folder))?;
    }
    Ok(())
}

/// Whether everything is there for the suite.
pub(crate) fn are_there() -> bool {
    PACKAGES.iter().all(|p| is_installed(p, &root().join(SUITE).join(p.folder), &target().join("clients").join(p.folder)))
}

/// All pins, one after the other: the content of the stamp.
fn pinned(packages: &Packages, from: &Path) -> Result<String, String> {
    packages.pins.iter().map(|name| fs::read_to_string(from.join(name)).map_err(|e| format!("{name}: {e}"))).collect()
}

pub(crate) fn is_installed(packages: &Packages, from: &Path, to: &Path) -> bool {
    pinned(packages, from).is_ok_and(|pins| fs::read_to_string(to.join(STAMP)).is_ok_and(|stamp| stamp == pins))
}

pub(crate) fn install(packages: &Packages, from: &Path, to: &Path) -> Result<(), String> {
    let pins = pinned(packages, from)?;
    let told = |e: std::io::Error| e.to_string();
    // From nothing: what an older pin brought would otherwise stay beside what a newer one brings.
    if to.exists() {
        fs::remove_dir_all(to).map_err(told)?;
    }
    for name in packages.pins {
        let copy = to.join(name);
        fs::create_dir_all(copy.parent().unwrap_or(to)).map_err(told)?;
        fs::copy(from.join(name), copy).map_err(told)?;
    }
    for words in packages.install {
        let [program, args @ ..] = words else { continue };
        // A path is one inside the folder; a name is looked up as usual.
        let program = if program.contains('/') { to.join(program) } else { PathBuf::from(program) };
        let mut command = Command::new(program);
        command.args(args).current_dir(to).stdin(Stdio::null());
        run(command)?;
    }
    // Written last: an installation that was cut off has none.
    fs::write(to.join(STAMP), pins).map_err(told)
}

/// Builds the server and runs the suite against it.
pub(crate) fn suite() -> Result<(), String> {
    if !are_there() {
        let how = "get them with: cargo xtask test --only setup (needs node 20 or newer with npm, and python3 with venv)";
        return if std::env::var_os("CI").is_some() {
            Err(format!("the packages of the official clients are missing, and CI is set: nothing may be skipped; {how}"))
        } else {
            println!("skipped: the suite of the official clients needs their packages; {how}");
            Ok(())
        };
    }
    run(cargo(["build", "-p", "connect-server"]))?;
    run(suite_command(&target()))
}

fn suite_command(target: &Path) -> Command {
    let mut command = Command::new("node");
    command.arg(root().join(SUITE).join("run.mjs")).arg(target.join("debug").join("connect-server"));
    command.arg("--tools").arg(target.join("clients")).arg("--out").arg(target.join("clients").join("report"));
    command.stdin(Stdio::null());
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAMPED: Packages =
        Packages { folder: "any", pins: &["pins.txt", "more/pins.txt"], install: &[&["true"], &["cp", "pins.txt", "done"]] };

    fn folder(name: &str) -> PathBuf {
        let path = std::env::temp_dir().join(format!("seam-xtask-{}-{name}", std::process::id()));
        drop(fs::remove_dir_all(&path));
        fs::create_dir_all(path.join("from/more")).unwrap();
        fs::write(path.join("from/pins.txt"), "a==1\n").unwrap();
        fs::write(path.join("from/more/pins.txt"), "b==1\n").unwrap();
        path
    }

    #[test]
    fn what_is_pinned_is_there() {
        for packages in PACKAGES {
            let from = root().join(SUITE).join(packages.folder);
            assert!(!pinned(packages, &from).unwrap().is_empty(), "{}", packages.folder);
        }
    }

    #[test]
    fn it_is_installed_once_and_again_when_a_pin_changes() {
        let path = folder("again");
        let (from, to) = (path.join("from"), path.join("to"));
        assert!(!is_installed(&STAMPED, &from, &to));
        install(&STAMPED, &from, &to).unwrap();
        assert!(is_installed(&STAMPED, &from, &to));
        assert_eq!(fs::read_to_string(to.join("done")).unwrap(), "a==1\n");
        fs::write(to.join("left over"), "").unwrap();
        fs::write(from.join("more/pins.txt"), "b==2\n").unwrap();
        assert!(!is_installed(&STAMPED, &from, &to));
        install(&STAMPED, &from, &to).unwrap();
        assert!(is_installed(&STAMPED, &from, &to));
        assert!(!to.join("left over").exists());
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn an_installation_that_failed_is_none() {
        let path = folder("failed");
        let (from, to) = (path.join("from"), path.join("to"));
        let broken = Packages { install: &[&["false"]], ..STAMPED };
        assert!(install(&broken, &from, &to).is_err());
        assert!(!is_installed(&broken, &from, &to));
        fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn the_suite_uses_the_folder_that_cargo_builds_into() {
        assert_eq!(target_of(None), root().join("target"));
        assert_eq!(target_of(Some(OsStr::new("/elsewhere"))), Path::new("/elsewhere"));
        let shown = crate::commands::shown(&suite_command(Path::new("/elsewhere")));
        assert!(shown.ends_with("/elsewhere/debug/connect-server --tools /elsewhere/clients --out /elsewhere/clients/report"), "{shown}");
    }
}
