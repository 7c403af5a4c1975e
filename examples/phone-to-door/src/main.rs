//! Tells the story of a door; see the crate's documentation.
use clap::Parser;
use phone_to_door::meeting::{From, InMemory, Speak};
use phone_to_door::radio::{OnRadio, python};
use phone_to_door::story::{Step, play};
use phone_to_door::touch::Phase;
use seam_ble::lock::{Claim, Role};
use std::error::Error;
use std::process::ExitCode;

/// A lock and the phones of its guests, each a part of this program.
#[derive(Debug, Parser)]
struct Args {
    /// Without a radio: the messages go through memory. Otherwise two Bluetooth hosts meet on virtual controllers.
    #[arg(long)]
    memory: bool,
    /// PKOC rather than Aliro.
    #[arg(long, conflicts_with = "touch")]
    pkoc: bool,
    /// Aliro as at a touch (near field) rather than over Bluetooth.
    #[arg(long, requires = "memory")]
    touch: bool,
    /// Prints the bytes of each message.
    #[arg(long)]
    bytes: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match tell(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("phone-to-door: {error}");
            ExitCode::FAILURE
        }
    }
}

fn tell(args: &Args) -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let told = |step: &Step| print(step, args.bytes);
    let speak = match (args.pkoc, args.touch) {
        (true, _) => Speak::Pkoc,
        (_, true) => Speak::Touch,
        _ => Speak::Aliro,
    };
    if args.memory {
        runtime.block_on(play(InMemory, speak, told))?;
        return Ok(());
    }
    let python = python().ok_or("the virtual radio needs bumble: cargo xtask test --only setup; or go without a radio: --memory")?;
    // The hosts of the radio stay on this thread.
    tokio::task::LocalSet::new().block_on(&runtime, async { play(OnRadio::start(&python).await?, speak, told).await })?;
    Ok(())
}

fn print(step: &Step, bytes: bool) {
    let outcome = match &step.outcome {
        Ok(Claim::Stay { role: Role::Override, .. }) => "opens, as the key that overrides".to_owned(),
        Ok(Claim::Stay { role: Role::Joiner, .. }) => "opens, as a key that joins".to_owned(),
        Ok(_) => "opens".to_owned(),
        Err(why) => format!("stays closed: {why}"),
    };
    let phase = match step.phase {
        Some(Phase::Standard) => " (standard phase)",
        Some(Phase::Fast) => " (fast phase)",
        None => "",
    };
    println!("{:>8.2} ms  {}\n             {outcome}{phase}", step.took.as_secs_f64() * 1_000.0, step.title);
    if bytes {
        for (from, message) in &step.messages {
            let arrow = if *from == From::Lock { "lock  ->" } else { "phone ->" };
            let hex: String = message.iter().map(|byte| format!("{byte:02x}")).collect();
            println!("             {arrow} {:>3} bytes  {hex}", message.len());
        }
    }
}
