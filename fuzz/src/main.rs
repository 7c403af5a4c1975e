//! Runs targets: by itself with any compiler, or under libFuzzer when `cargo fuzz` builds it.
#![cfg_attr(fuzzing, no_main)]

// What libFuzzer gives goes to the target that `SEAM_FUZZ` names.
#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| seam_fuzz::run_named(input));

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    plain::main()
}

#[cfg(not(fuzzing))]
mod plain {
    use clap::Parser;
    use std::fs;
    use std::path::PathBuf;
    use std::process::ExitCode;
    use std::time::{Duration, Instant};

    /// Readers of foreign bytes against bytes near to good ones. Without a name: all, one after the other.
    #[derive(Debug, Parser)]
    struct Args {
        /// Names of targets, or beginnings of names.
        names: Vec<String>,
        /// Inputs for each.
        #[arg(long, default_value_t = 1_000_000)]
        inputs: u64,
        /// At most so many seconds for each.
        #[arg(long)]
        seconds: Option<u64>,
        /// Another seed gives other inputs.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// One input, as a failed run told it.
        #[arg(long)]
        input: Option<String>,
        /// Writes the seeds into a folder per target, for libFuzzer to begin from.
        #[arg(long)]
        corpus: Option<PathBuf>,
        /// Only the names.
        #[arg(long)]
        list: bool,
    }

    pub(super) fn main() -> ExitCode {
        let args = Args::parse();
        let means = |asked: &str, name: &str| if seam_fuzz::target(asked).is_some() { name == asked } else { name.starts_with(asked) };
        let wanted = |name: &str| args.names.is_empty() || args.names.iter().any(|asked| means(asked, name));
        let mut any = false;
        for target in seam_fuzz::targets().filter(|target| wanted(target.name)) {
            any = true;
            if args.list {
                println!("{}", target.name);
            } else if let Some(folder) = &args.corpus {
                let folder = folder.join(target.name);
                let written = fs::create_dir_all(&folder).and_then(|()| {
                    (target.seeds)().iter().enumerate().try_for_each(|(n, seed)| fs::write(folder.join(format!("seed-{n}")), seed))
                });
                if let Err(problem) = written {
                    eprintln!("{}: {problem}", folder.display());
                    return ExitCode::FAILURE;
                }
            } else if let Some(input) = &args.input {
                target.run(&seam_fuzz::input_of(input));
            } else {
                let begun = Instant::now();
                let done = target.run_many(args.seed, args.inputs, args.seconds.map(Duration::from_secs));
                println!("{:<24} {done:>12} inputs {:>8.1} s", target.name, begun.elapsed().as_secs_f64());
            }
        }
        if !any {
            eprintln!("no target of that name; --list shows them");
        }
        if any { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
