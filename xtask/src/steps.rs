//! The whole check, step by step. The tests come last, so that the runner's summary is the end of the output.
use crate::args::TestArgs;
use crate::clients;
use crate::commands::{cargo, doc, run as run_command};
use crate::page;
use crate::promises;
use crate::setup::{Runner, set_up};
use std::time::{Duration, Instant};

/// A step of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Setup,
    Fmt,
    Clippy,
    Lean,
    Doc,
    Doctests,
    Promises,
    Build,
    Clients,
    Tests,
}

impl Step {
    pub(crate) const ALL: [Self; 10] = [
        Self::Setup,
        Self::Fmt,
        Self::Clippy,
        Self::Lean,
        Self::Doc,
        Self::Doctests,
        Self::Promises,
        Self::Build,
        Self::Clients,
        Self::Tests,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Setup => "setup",
            Self::Fmt => "fmt",
            Self::Clippy => "clippy",
            Self::Lean => "lean",
            Self::Doc => "doc",
            Self::Doctests => "doctests",
            Self::Promises => "promises",
            Self::Build => "build",
            Self::Clients => "clients",
            Self::Tests => "tests",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Setup => "what the tests need",
            Self::Fmt => "formatting",
            Self::Clippy => "lints, all features",
            Self::Lean => "seam-core alone, default features; the core of seam-ble without std, and in a page",
            Self::Doc => "documentation, warnings as errors",
            Self::Doctests => "examples in the documentation",
            Self::Promises => "what the project promises about itself",
            Self::Build => "building the tests",
            Self::Clients => "the official clients against connect-server",
            Self::Tests => "the tests",
        }
    }

    pub(crate) fn named(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|step| step.name() == name).ok_or_else(|| {
            let names = Self::ALL.map(Self::name).join(", ");
            format!("there is no step `{name}`; the steps are {names}")
        })
    }

    fn take(self, args: &TestArgs) -> Result<(), String> {
        let plain = |words: &[&str]| run_command(cargo(words));
        match self {
            Self::Setup => set_up(),
            Self::Fmt => plain(&["fmt", "--all", "--check"]),
            Self::Clippy => plain(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]),
            // Alone: in a build of the whole workspace other crates switch on features of its dependencies, and a
            // missing one would not be noticed. Clippy checks and lints in one go.
            Self::Lean => {
                plain(&["clippy", "-p", "seam-core", "--", "-D", "warnings"])?;
                // A static library with a panic handler of its own: it links only where nothing brings std or an allocator.
                plain(&["build", "--release", "--manifest-path", "seam-ble/firmware-proof/Cargo.toml", "--target-dir", "target/firmware"])?;
                page::prove()
            }
            Self::Doc => doc(&[]),
            Self::Doctests => plain(&["test", "--doc", "--workspace", "--all-features"]),
            Self::Promises => promises::check(),
            Self::Build => run_command(cargo(test_command(Runner::here(), &args.pass, true))),
            Self::Clients => clients::suite(),
            Self::Tests => {
                let mut command = cargo(test_command(Runner::here(), &args.pass, false));
                command.envs(args.test_env(|name| std::env::var_os(name).is_some()));
                run_command(command)
            }
        }
    }
}

/// Takes the steps in order and stops at the first that fails.
pub(crate) fn run(args: &TestArgs) -> Result<(), String> {
    let plan = args.plan();
    let mut took: Vec<(Step, Duration)> = Vec::new();
    for (i, step) in plan.iter().copied().enumerate() {
        if step == Step::Tests {
            println!("\n{}", table(&took));
        }
        println!("\n== {}/{} {}: {}", i + 1, plan.len(), step.name(), step.title());
        let started = Instant::now();
        let outcome = step.take(args);
        let time = started.elapsed();
        match outcome {
            // Nothing is said after the tests: the runner's summary is the last word.
            Ok(()) if step == Step::Tests => return Ok(()),
            Ok(()) => println!("== {}: {}", step.name(), seconds(time)),
            Err(_) if step == Step::Tests => return Err(String::new()),
            Err(problem) => {
                return Err(format!(
                    "step `{}` failed after {}: {problem}\nthis step alone: cargo xtask test --only {}",
                    step.name(),
                    seconds(time),
                    step.name()
                ));
            }
        }
        took.push((step, time));
    }
    println!("\n{}", table(&took));
    Ok(())
}

/// The words after `cargo` that build or run the tests.
fn test_command(runner: Runner, pass: &[String], build_only: bool) -> Vec<String> {
    let mut words: Vec<&str> = match runner {
        Runner::Nextest => vec!["nextest", "run"],
        Runner::CargoTest => vec!["test"],
    };
    if !selects_packages(pass) {
        words.push("--workspace");
        if runner == Runner::CargoTest {
            // Doctests have a step of their own, which nextest leaves out by itself.
            words.extend(["--lib", "--bins", "--tests", "--examples"]);
        }
    }
    words.push("--all-features");
    if build_only {
        words.push("--no-run");
    }
    words.into_iter().map(str::to_owned).chain(pass.iter().cloned()).collect()
}

/// Whether the caller names packages; `--workspace` beside them would select all of them again.
fn selects_packages(pass: &[String]) -> bool {
    pass.iter().take_while(|word| *word != "--").any(|word| word.starts_with("--package") || word.starts_with("-p"))
}

fn table(took: &[(Step, Duration)]) -> String {
    let mut lines = String::from("step       time");
    for (step, time) in took {
        lines.push_str(&format!("\n{:<9}  {}", step.name(), seconds(*time)));
    }
    let sum = took.iter().map(|(_, time)| *time).sum();
    lines.push_str(&format!("\n{:<9}  {}", "so far", seconds(sum)));
    lines
}

fn seconds(time: Duration) -> String {
    let whole = time.as_secs();
    if whole < 60 { format!("{:.1} s", time.as_secs_f64()) } else { format!("{} min {:02} s", whole / 60, whole % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn every_step_is_found_by_its_name() {
        for step in Step::ALL {
            assert_eq!(Step::named(step.name()), Ok(step));
        }
        assert!(Step::named("dinner").unwrap_err().contains("clippy"));
    }

    #[test]
    fn nextest_runs_the_whole_workspace_unless_packages_are_named() {
        let all = test_command(Runner::Nextest, &words("pin"), false);
        assert_eq!(all, words("nextest run --workspace --all-features pin"));
        for named in ["-p seam-core", "--package=seam-core", "-pseam-core"] {
            let one = test_command(Runner::Nextest, &words(named), false);
            assert_eq!(one, words(&format!("nextest run --all-features {named}")));
        }
    }

    #[test]
    fn a_word_for_the_test_program_selects_no_package() {
        let all = test_command(Runner::Nextest, &words("-- -p"), true);
        assert_eq!(all, words("nextest run --workspace --all-features --no-run -- -p"));
    }

    #[test]
    fn plain_cargo_leaves_the_doctests_to_their_own_step() {
        let all = test_command(Runner::CargoTest, &[], false);
        assert_eq!(all, words("test --workspace --lib --bins --tests --examples --all-features"));
    }

    #[test]
    fn times_are_read_at_a_glance() {
        assert_eq!(seconds(Duration::from_millis(420)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(59)), "59.0 s");
        assert_eq!(seconds(Duration::from_secs(269)), "4 min 29 s");
    }

    #[test]
    fn the_table_ends_with_the_sum() {
        let took = [(Step::Fmt, Duration::from_secs(2)), (Step::Clippy, Duration::from_secs(70))];
        assert_eq!(table(&took), "step       time\nfmt        2.0 s\nclippy     1 min 10 s\nso far     1 min 12 s");
    }
}
