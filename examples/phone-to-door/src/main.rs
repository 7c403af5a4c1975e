//! Tells the story of a door; see the crate's documentation.
use clap::Parser;
use phone_to_door::meeting::{From, InMemory};
use phone_to_door::story::{Step, play};
use seam_ble::lock::{Claim, Role};
use std::process::ExitCode;

/// A lock and the phones of its guests, each a part of this program.
#[derive(Debug, Parser)]
struct Args {
    /// Without a radio: the messages go through memory.
    #[arg(long)]
    memory: bool,
    /// Prints the bytes of each message.
    #[arg(long)]
    bytes: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("phone-to-door: {error}");
            return ExitCode::FAILURE;
        }
    };
    let told = runtime.block_on(play(InMemory, |step| print(step, args.bytes)));
    match told {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("phone-to-door: {error}");
            ExitCode::FAILURE
        }
    }
}

fn print(step: &Step, bytes: bool) {
    let outcome = match &step.outcome {
        Ok(Claim::Stay { role: Role::Override, .. }) => "opens, as the key that overrides".to_owned(),
        Ok(Claim::Stay { role: Role::Joiner, .. }) => "opens, as a key that joins".to_owned(),
        Ok(_) => "opens".to_owned(),
        Err(why) => format!("stays closed: {why}"),
    };
    println!("{:>8.2} ms  {}\n             {outcome}", step.took.as_secs_f64() * 1_000.0, step.title);
    if bytes {
        for (from, message) in &step.messages {
            let arrow = if *from == From::Lock { "lock  ->" } else { "phone ->" };
            let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("             {arrow} {:>3} bytes  {hex}", message.len());
        }
    }
}
