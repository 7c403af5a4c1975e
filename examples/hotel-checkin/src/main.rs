//! Replays bookings in a hotel; see the crate's documentation.
use clap::Parser;
use hotel_checkin::hotel::{Hotel, HotelError};
use hotel_checkin::replay::Replay;
use hotel_checkin::script::Script;
use hotel_checkin::sdk_hotel::{SdkHotel, System};
use hotel_checkin::summary::Summary;
use hotel_checkin::{bookings, demo};
use indicatif::{ProgressBar, ProgressStyle};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// A hotel's cards, PINs and mobile keys, from booking to check-out.
#[derive(Debug, Parser)]
struct Args {
    /// Replays the bookings of this file, in virtual time. Without it a small hotel tells its story.
    #[arg(long, value_name = "CSV")]
    bookings: Option<PathBuf>,
    /// What happens during the stays: the same number, the same events.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only so many bookings, from the beginning of the file.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
    /// Keeps the state in this SQLite file (and in files beside it), and goes on where it was.
    #[arg(long, value_name = "PATH")]
    database: Option<PathBuf>,
    /// The access system of the hotel. What it cannot do does not happen in the replay.
    #[arg(long, value_enum, default_value_t)]
    system: System,
    /// Ends with the summary as JSON.
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(work(&args))) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("hotel-checkin: {error}");
            let mut cause = error.source();
            while let Some(why) = cause {
                eprintln!("  because: {why}");
                cause = why.source();
            }
            ExitCode::FAILURE
        }
    }
}

async fn work(args: &Args) -> Result<u64, HotelError> {
    let Some(bookings) = &args.bookings else {
        if args.system != System::Sandbox {
            return Err("the small hotel's story is told at the sandbox; give --bookings".into());
        }
        let scratch = tempfile::tempdir()?;
        let mut hotel = SdkHotel::at(&scratch.path().join("hotel.db"), demo::start())?;
        return demo::tell(&mut hotel, |line| println!("{line}")).await;
    };
    if args.database.is_some() && !args.system.is_kept() {
        return Err("a replay at this system cannot be kept: its server is a fake that forgets".into());
    }
    let started = Instant::now();
    let mut bookings = bookings::open(bookings)?;
    bookings.truncate(args.limit.unwrap_or(usize::MAX));
    let script = Script::with(&bookings, args.seed, args.system.abilities());
    let Some(first) = script.ops.first() else { return Err("there are no bookings".into()) };
    let scratch = tempfile::tempdir()?;
    let database = args.database.clone().unwrap_or_else(|| scratch.path().join("hotel.db"));
    let mut hotel = SdkHotel::with(args.system, &database, first.at)?;
    hotel.open(&script.plan).await?;
    let mut journal = database.into_os_string();
    journal.push(".replay");
    let mut replay = Replay::resume(&script, journal.as_ref(), &mut hotel)?;
    let bar = ProgressBar::new(script.ops.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {percent:>3}% {msg} {eta}") {
        bar.set_style(style);
    }
    replay
        .run(&mut hotel, usize::MAX, |step| {
            if step.done % 256 == 0 {
                bar.set_position(step.done as u64);
                bar.set_message(format!("{} {} wrong", step.op.at.date_naive(), step.tally.wrong_answers));
            }
        })
        .await?;
    bar.finish_and_clear();
    let counts = hotel.counts().await?;
    let summary = Summary::new(&script, &replay.tally, counts, started.elapsed());
    for wrong in &replay.tally.wrong {
        eprintln!("{} {}", wrong.at, wrong.what);
    }
    if !args.json && args.system != System::Sandbox {
        println!("What happens at this system: {}\n", args.system.says());
    }
    if args.json {
        println!("{}", serde_json::to_string(&summary)?);
    } else {
        print!("{summary}");
    }
    Ok(summary.wrong_answers)
}
