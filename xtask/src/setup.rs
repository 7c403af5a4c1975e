//! What the check needs on the machine, and how it gets there.
use crate::clients;
use crate::commands::{cargo, run, succeeds};
use crate::page;
use crate::radio;
use std::process::{Command, Stdio};

/// A part that comes from Debian's packages. One more part is one more row of [`PARTS`].
#[derive(Debug)]
pub(crate) struct Part {
    /// What is installed. Recommended packages are left out, so everything needed is named.
    packages: &'static [&'static str],
    /// What needs it, for the line that says why it is missed.
    used_by: &'static str,
    /// Succeeds when the part is there, however it came.
    probe: &'static [&'static str],
}

const PARTS: &[Part] = &[
    Part {
        packages: &["dbus-daemon"],
        used_by: "the test of a desktop's Bluetooth (feature `btleplug` of seam-ble)",
        probe: &["dbus-daemon", "--version"],
    },
    Part {
        packages: &["gcc", "libc6-dev"],
        used_by: "the bundled SQLite (feature `sqlite` of seam-core)",
        probe: &["cc", "-E", "-xc", "-include", "stdlib.h", "/dev/null"],
    },
    Part {
        packages: &["make"],
        used_by: "the allocator of the benchmarks (feature `jemalloc` of seam-bench and connect-server)",
        probe: &["make", "--version"],
    },
    Part {
        packages: &["nodejs"],
        used_by: "the suite of the official JavaScript client (node 20 or newer)",
        probe: &["node", "-e", "process.exit(process.versions.node.split('.')[0] < 20 ? 1 : 0)"],
    },
    Part {
        packages: &["libpcsclite-dev", "pkg-config"],
        used_by: "the readers of PC/SC (feature `pcsc` of seam-encoders)",
        probe: &["pkg-config", "--exists", "libpcsclite"],
    },
    Part {
        packages: &["pcscd", "vsmartcard-vpcd", "util-linux", "iproute2"],
        used_by: "the test of card encoders through PC/SC with a virtual reader",
        probe: &[
            "test",
            "-x",
            "/usr/sbin/pcscd",
            "-a",
            "-e",
            "/usr/lib/pcsc/drivers/serial/libifdvpcd.so",
            "-a",
            "-x",
            "/usr/bin/unshare",
            "-a",
            "-x",
            "/sbin/ip",
        ],
    },
    Part {
        packages: &["strace"],
        used_by: "the test that the disk is asked to keep the journal of cards (seam-encoders)",
        probe: &["strace", "--version"],
    },
    Part { packages: &["npm"], used_by: "the packages of the official JavaScript client", probe: &["npm", "--version"] },
    Part {
        packages: &["python3", "python3-venv"],
        used_by: "the suite of the official Python client",
        probe: &["python3", "-c", "import ensurepip, venv"],
    },
    Part {
        packages: &["chromium", "fonts-dejavu-core"],
        used_by: "the test of the server's pages in a real browser",
        probe: &["chromium", "--version"],
    },
];

/// Who runs the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Runner {
    /// cargo-nextest: a process per test, so that one that dies takes nobody along.
    Nextest,
    /// What cargo itself has.
    CargoTest,
}

impl Runner {
    /// The runner that is here.
    pub(crate) fn here() -> Self {
        if succeeds(cargo(["nextest", "--version"])) { Self::Nextest } else { Self::CargoTest }
    }
}

/// Sees to it that everything is there. In CI a part that stays missing is an error; elsewhere the tests that need it
/// skip themselves, and the line printed here says how to get it.
pub(crate) fn set_up() -> Result<(), String> {
    if Runner::here() == Runner::CargoTest {
        println!("cargo-nextest is missing; building it takes some minutes, once");
        if let Err(e) = run(cargo(["install", "cargo-nextest", "--locked"])) {
            println!("{e}\nthe tests run with plain `cargo test` instead");
        }
    }
    let missing = missing();
    if !missing.is_empty() && is_root() && succeeds(apt(&["--version"])) {
        // An out-of-date list may still know the package, so a failed update is not the end.
        if let Err(e) = run(apt(&["update"])) {
            println!("{e}");
        }
        if let Err(e) = run(apt(&install(&missing))) {
            println!("{e}");
        }
    }
    page::set_up();
    let in_ci = std::env::var_os("CI").is_some();
    let missing = self::missing();
    if missing.is_empty()
        && let Err(e) = clients::set_up()
    {
        println!("skipped: the suite of the official clients: {e}; get them with: cargo xtask test --only setup");
        if in_ci {
            return Err("packages of the official clients are missing, and CI is set: nothing may be skipped".into());
        }
    }
    if missing.is_empty()
        && let Err(e) = radio::set_up()
    {
        println!("skipped: the tests on a virtual radio: {e}; get it with: cargo xtask test --only setup");
        if in_ci {
            return Err("the virtual radio is missing, and CI is set: nothing may be skipped".into());
        }
    }
    verdict(&missing, in_ci)
}

fn missing() -> Vec<&'static Part> {
    PARTS.iter().filter(|part| !is_there(part)).collect()
}

fn is_there(part: &Part) -> bool {
    let Some((program, args)) = part.probe.split_first() else {
        return false;
    };
    let mut command = Command::new(program);
    command.args(args);
    succeeds(command)
}

fn verdict(missing: &[&Part], in_ci: bool) -> Result<(), String> {
    for part in missing {
        println!("{}", how_to_get(part));
    }
    match (missing, in_ci) {
        ([], _) => {
            println!("every part is there");
            Ok(())
        }
        (_, true) => Err(format!("{} part(s) missing, and CI is set: nothing may be skipped", missing.len())),
        (_, false) => Ok(()),
    }
}

fn how_to_get(part: &Part) -> String {
    format!("skipped: {} needs {}; get it with: apt-get install {}", part.used_by, part.packages.join(" and "), part.packages.join(" "))
}

/// `apt-get` that asks nothing and waits for another one to finish: two at once would fail.
fn apt(args: &[&str]) -> Command {
    let mut command = Command::new("apt-get");
    command.args(["-o", "DPkg::Lock::Timeout=300"]).args(args).env("DEBIAN_FRONTEND", "noninteractive").stdin(Stdio::null());
    command
}

fn install(missing: &[&'static Part]) -> Vec<&'static str> {
    let packages = missing.iter().flat_map(|part| part.packages).copied();
    ["install", "--no-install-recommends", "-y"].into_iter().chain(packages).collect()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").stdin(Stdio::null()).output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: Part = Part { packages: &["coreutils"], used_by: "this test", probe: &["true"] };
    const GONE: Part = Part { packages: &["no-such", "no-such-dev"], used_by: "this test", probe: &["seam-no-such-program"] };

    #[test]
    fn every_row_says_what_why_and_how_to_look() {
        for part in PARTS {
            assert!(!part.packages.is_empty(), "{part:?}");
            assert!(!part.used_by.is_empty(), "{part:?}");
            assert!(!part.probe.is_empty(), "{part:?}");
            let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.".contains(c);
            assert!(part.packages.iter().all(|name| name.chars().all(plain)), "{part:?}");
        }
    }

    #[test]
    fn a_probe_tells_here_from_gone() {
        assert!(is_there(&THERE));
        assert!(!is_there(&GONE));
    }

    #[test]
    fn a_missing_part_fails_in_ci_only() {
        assert_eq!(verdict(&[], true), Ok(()));
        assert_eq!(verdict(&[&GONE], false), Ok(()));
        assert!(verdict(&[&GONE], true).unwrap_err().contains("1 part"));
    }

    #[test]
    fn the_line_says_how_to_get_it() {
        let line = how_to_get(&GONE);
        assert!(line.contains("apt-get install no-such no-such-dev"), "{line}");
        assert!(line.contains("this test"), "{line}");
    }

    #[test]
    fn apt_asks_nothing_and_installs_only_what_is_named() {
        let args = install(&[&GONE]);
        assert_eq!(args, ["install", "--no-install-recommends", "-y", "no-such", "no-such-dev"]);
        assert_eq!(
            crate::commands::shown(&apt(&args)),
            "$ DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 \
             install --no-install-recommends -y no-such no-such-dev"
        );
    }
}
