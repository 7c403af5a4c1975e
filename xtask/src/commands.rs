//! Cargo, called the same way everywhere: from the root of the workspace, nothing on standard input, and without what
//! `cargo run` told this program about itself.
use std::path::PathBuf;
use std::process::{Command, Stdio};

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    here.parent().map_or_else(|| here.clone(), PathBuf::from)
}

/// A cargo command, not yet started.
pub(crate) fn cargo<S: AsRef<str>>(args: impl IntoIterator<Item = S>) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    for (name, _) in std::env::vars_os() {
        // Set by `cargo run` for this program; a nested cargo would hand them to tests as if they were their own.
        if name.to_str().is_some_and(is_about_this_program) {
            command.env_remove(name);
        }
    }
    command.args(args.into_iter().map(|arg| arg.as_ref().to_owned())).current_dir(root()).stdin(Stdio::null());
    command
}

fn is_about_this_program(name: &str) -> bool {
    ["CARGO_MANIFEST_", "CARGO_PKG_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix))
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let cargo = std::env::var_os("CARGO");
    let program = if cargo.as_deref() == Some(command.get_program()) { "cargo".into() } else { command.get_program().to_string_lossy() };
    let mut line = String::from("$");
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            line.push_str(&format!(" {}={}", name.to_string_lossy(), value.to_string_lossy()));
        }
    }
    line.push_str(&format!(" {program}"));
    for arg in command.get_args() {
        line.push_str(&format!(" {}", arg.to_string_lossy()));
    }
    line
}

/// Shows the command and runs it to its end.
pub(crate) fn run(mut command: Command) -> Result<(), String> {
    println!("{}", shown(&command));
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{status}: {}", shown(&command))),
        Err(e) => Err(format!("cannot start ({e}): {}", shown(&command))),
    }
}

/// Whether a command can be started and succeeds; its output is dropped.
pub(crate) fn succeeds(mut command: Command) -> bool {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// `cargo doc` of our crates with warnings as errors; used by the check as well.
pub(crate) fn doc(rest: &[String]) -> Result<(), String> {
    let flags = std::env::var("RUSTDOCFLAGS").unwrap_or_default();
    let mut command = cargo(["doc", "--workspace", "--all-features", "--no-deps"]);
    command.args(rest).env("RUSTDOCFLAGS", format!("{flags} -Dwarnings").trim());
    run(command)
}

/// The benchmark program, optimised.
pub(crate) fn bench(rest: &[String]) -> Result<(), String> {
    if !root().join("benches/Cargo.toml").is_file() {
        return Err("there are no benchmarks: benches/Cargo.toml (crate `seam-bench`) is missing".into());
    }
    // The replay and the server are programs of their own, so that what is told of them is their own.
    let programs = ["build", "--release", "-p", "seam-bench", "-p", "hotel-checkin", "-p", "connect-server"];
    let features = ["--features", "seam-bench/jemalloc,connect-server/jemalloc"];
    run(cargo(programs.into_iter().chain(features)))?;
    let mut command = cargo(["run", "--release", "-p", "seam-bench", "--features", "jemalloc", "--"]);
    command.args(rest);
    run(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_holds_the_workspace() {
        let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains("[workspace]"));
    }

    #[test]
    fn nested_cargo_is_not_told_about_this_program() {
        assert!(is_about_this_program("CARGO_PKG_NAME"));
        assert!(is_about_this_program("CARGO_MANIFEST_DIR"));
        for kept in ["CARGO", "CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_TERM_COLOR", "PATH"] {
            assert!(!is_about_this_program(kept), "{kept}");
        }
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        let mut command = Command::new("apt-get");
        command.arg("update").env("DEBIAN_FRONTEND", "noninteractive");
        assert_eq!(shown(&command), "$ DEBIAN_FRONTEND=noninteractive apt-get update");
    }

    #[test]
    fn a_command_that_cannot_start_does_not_succeed() {
        assert!(!succeeds(Command::new("seam-no-such-program")));
        assert!(run(Command::new("seam-no-such-program")).unwrap_err().contains("seam-no-such-program"));
    }
}
