//! The project's own commands. `cargo xtask help` lists them; `cargo xtask test` is the whole check, and what CI runs.
//!
//! Only the standard library is used, so that the first command of a fresh clone starts in seconds.
mod args;
mod clients;
mod commands;
mod page;
mod promises;
mod radio;
mod setup;
mod steps;

use args::Command;
use std::process::ExitCode;

fn main() -> ExitCode {
    let outcome = match args::parse(std::env::args().skip(1)) {
        Ok(Command::Help) => {
            println!("{}", args::HELP);
            Ok(())
        }
        Ok(Command::Test(test)) => steps::run(&test),
        Ok(Command::Bench(rest)) => commands::bench(&rest),
        Ok(Command::Doc(rest)) => commands::doc(&rest),
        Err(problem) => Err(format!("{problem}\n\n{}", args::HELP)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            // The test runner has already said what failed, and its summary stays the end of the output.
            if !problem.is_empty() {
                eprintln!("xtask: {problem}");
            }
            ExitCode::FAILURE
        }
    }
}
