//! What may be said after `cargo xtask`.
use crate::steps::Step;

pub(crate) const HELP: &str = "\
cargo xtask test [--quick] [--seeds N] [--kills N] [--only STEP]... [ARGS...]
    The whole check, set-up included. ARGS go to the test runner: `cargo xtask test -p seam-core pin`.
    --quick       leaves out the documentation, doctests and official clients; few seeds, kills and cuts, unless they are given
    --seeds N     seeds of the simulation (SEAM_SIM_SEEDS)
    --kills N     processes killed under load (SEAM_KILLS)
    --only STEP   this step only; may be repeated: setup, fmt, clippy, lean, doc, doctests, promises, build, clients, tests
cargo xtask bench [ARGS...]
    The benchmarks and their table. ARGS go to the benchmark program.
cargo xtask doc [ARGS...]
    The API documentation, warnings as errors. ARGS go to cargo: `cargo xtask doc --open`.";

/// How much a whole check tries, and how much with `--quick`: enough to notice something broken, not enough to find a rare interleaving.
/// Without a word here, as under a plain `cargo nextest run`, tests choose a size of their own that takes seconds.
const SEEDS: Size = Size { name: "SEAM_SIM_SEEDS", whole: 2000, quick: 100 };
const KILLS: Size = Size { name: "SEAM_KILLS", whole: 200, quick: 5 };
const CUTS: Size = Size { name: "SEAM_CUTS", whole: 400, quick: 40 };
const FAILS: Size = Size { name: "SEAM_FAILS", whole: 150, quick: 15 };

struct Size {
    /// The variable of the environment.
    name: &'static str,
    whole: u64,
    quick: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    Help,
    Test(TestArgs),
    Bench(Vec<String>),
    Doc(Vec<String>),
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct TestArgs {
    pub(crate) quick: bool,
    pub(crate) seeds: Option<u64>,
    pub(crate) kills: Option<u64>,
    pub(crate) only: Vec<Step>,
    pub(crate) pass: Vec<String>,
}

impl TestArgs {
    /// The steps to take, in the order of the whole check however they were named.
    pub(crate) fn plan(&self) -> Vec<Step> {
        let wanted = |step: &Step| match (self.only.as_slice(), self.quick) {
            ([], false) => true,
            ([], true) => !matches!(step, Step::Doc | Step::Doctests | Step::Clients),
            (only, _) => only.contains(step),
        };
        Step::ALL.into_iter().filter(wanted).collect()
    }

    /// The environment of the tests. What the caller's own environment says holds where no flag says otherwise.
    pub(crate) fn test_env(&self, is_set: impl Fn(&str) -> bool) -> Vec<(&'static str, String)> {
        let size = |size: &Size, flag: Option<u64>| {
            let usual = if self.quick { size.quick } else { size.whole };
            flag.or((!is_set(size.name)).then_some(usual)).map(|n| (size.name, n.to_string()))
        };
        [size(&SEEDS, self.seeds), size(&KILLS, self.kills), size(&CUTS, None), size(&FAILS, None)].into_iter().flatten().collect()
    }
}

/// Reads the words after `cargo xtask`.
pub(crate) fn parse(words: impl IntoIterator<Item = String>) -> Result<Command, String> {
    let mut words = words.into_iter();
    match words.next().as_deref() {
        None | Some("help" | "--help" | "-h") => Ok(Command::Help),
        Some("test") => parse_test(words),
        Some("bench") => Ok(Command::Bench(words.collect())),
        Some("doc") => Ok(Command::Doc(words.collect())),
        Some(other) => Err(format!("there is no command `{other}`")),
    }
}

fn parse_test(mut words: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut test = TestArgs::default();
    while let Some(word) = words.next() {
        let (flag, joined) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        let mut value = || joined.clone().or_else(|| words.next()).ok_or_else(|| format!("`{flag}` needs a value"));
        match flag {
            "--help" | "-h" => return Ok(Command::Help),
            "--quick" if joined.is_none() => test.quick = true,
            "--seeds" => test.seeds = Some(count(flag, &value()?)?),
            "--kills" => test.kills = Some(count(flag, &value()?)?),
            "--only" => test.only.push(Step::named(&value()?)?),
            // What follows `--` is for the test programs: not one word of it is ours.
            "--" => {
                test.pass.push(word);
                test.pass.extend(words.by_ref());
            }
            _ => test.pass.push(word),
        }
    }
    Ok(Command::Test(test))
}

/// A count of 0 would be a check that cannot fail.
fn count(flag: &str, value: &str) -> Result<u64, String> {
    match value.parse() {
        Ok(n) if n > 0 => Ok(n),
        _ => Err(format!("`{flag}` needs a whole number above 0, not `{value}`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test_args(line: &str) -> TestArgs {
        match parse(line.split_whitespace().map(str::to_owned)) {
            Ok(Command::Test(test)) => test,
            other => panic!("`{line}` gave {other:?}"),
        }
    }

    fn refused(line: &str) -> String {
        parse(line.split_whitespace().map(str::to_owned)).unwrap_err()
    }

    #[test]
    fn flags_are_ours_and_the_rest_goes_to_the_runner_in_order() {
        let test = test_args("test --seeds 7 -p seam-core --kills=3 pin --quick -- --seeds 9");
        assert_eq!(
            test,
            TestArgs {
                quick: true,
                seeds: Some(7),
                kills: Some(3),
                only: Vec::new(),
                pass: ["-p", "seam-core", "pin", "--", "--seeds", "9"].map(str::to_owned).to_vec(),
            }
        );
    }

    #[test]
    fn an_unknown_flag_with_a_value_reaches_the_runner_whole() {
        assert_eq!(test_args("test --test-threads=1").pass, ["--test-threads=1"]);
    }

    #[test]
    fn a_bad_value_names_the_flag() {
        assert!(refused("test --seeds many").contains("--seeds"));
        assert!(refused("test --kills 0").contains("--kills"));
        assert!(refused("test --kills").contains("needs a value"));
        assert!(refused("test --only dinner").contains("dinner"));
        assert!(refused("tset").contains("tset"));
    }

    #[test]
    fn help_is_given_for_nothing_and_on_demand() {
        for line in ["", "help", "--help", "test --help"] {
            let words = line.split_whitespace().map(str::to_owned);
            assert_eq!(parse(words), Ok(Command::Help), "`{line}`");
        }
    }

    #[test]
    fn bench_and_doc_pass_everything_on() {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(parse(words("bench --seeds 3")), Ok(Command::Bench(words("--seeds 3"))));
        assert_eq!(parse(words("doc --open")), Ok(Command::Doc(words("--open"))));
    }

    #[test]
    fn the_whole_check_ends_with_the_tests() {
        assert_eq!(test_args("test").plan(), Step::ALL);
        assert_eq!(test_args("test").plan().last(), Some(&Step::Tests));
        assert_eq!(test_args("test --quick").plan().last(), Some(&Step::Tests));
    }

    #[test]
    fn quick_leaves_out_the_documentation_and_the_clients_only() {
        let left_out: Vec<_> = Step::ALL.into_iter().filter(|step| !test_args("test --quick").plan().contains(step)).collect();
        assert_eq!(left_out, [Step::Doc, Step::Doctests, Step::Clients]);
    }

    #[test]
    fn named_steps_keep_the_order_of_the_check() {
        assert_eq!(test_args("test --only tests --only fmt").plan(), [Step::Fmt, Step::Tests]);
        assert_eq!(test_args("test --quick --only=doc").plan(), [Step::Doc]);
    }

    #[test]
    fn sizes_come_from_the_flag_then_the_environment_then_quick() {
        let unset = |_: &str| false;
        let set = |_: &str| true;
        let env = |line: &str, is_set: &dyn Fn(&str) -> bool| test_args(line).test_env(is_set);
        let said = |line: &str| env(line, &unset).into_iter().map(|(name, n)| format!("{name}={n}")).collect::<Vec<_>>().join(" ");
        assert_eq!(said("test"), "SEAM_SIM_SEEDS=2000 SEAM_KILLS=200 SEAM_CUTS=400 SEAM_FAILS=150");
        assert_eq!(env("test --seeds 9", &set), [("SEAM_SIM_SEEDS", "9".to_owned())]);
        assert_eq!(env("test --quick", &set), []);
        assert_eq!(said("test --quick --kills 9"), "SEAM_SIM_SEEDS=100 SEAM_KILLS=9 SEAM_CUTS=40 SEAM_FAILS=15");
    }
}
