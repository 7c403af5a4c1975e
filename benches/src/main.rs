//! Measures what the SDK costs above the least that its promises cost, and prints one table. See `benches/README.md`.
mod callers;
mod code_size;
mod commits;
mod desk;
mod fan_out;
mod floor;
mod http;
mod lists;
mod lives;
mod log_bytes;
mod mobile_keys;
mod obvious;
mod record;
mod replay;
mod syncs;
mod vendors;
mod windows;

use clap::Parser;
use seam_bench::table::{self, Line};
use seam_bench::{Failed, Size};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Counts and ratios, each beside the floor it is measured against.
#[derive(Debug, Parser)]
struct Args {
    /// A few seconds: enough to see that everything still runs, not enough to believe a time.
    #[arg(long)]
    smoke: bool,
    /// Only these groups: syncs, commits, log, windows, lists, fan-out, lives, http, vendors, replay, cards, mobile-keys.
    #[arg(long, value_name = "GROUP")]
    only: Vec<String>,
    /// Where the databases are written while measuring; the system's folder for temporary files if not given.
    #[arg(long, value_name = "PATH")]
    folder: Option<PathBuf>,
    /// The bookings that are replayed, if the file is there.
    #[arg(long, value_name = "CSV", default_value = "../shared/data/hotel_bookings.csv")]
    bookings: PathBuf,
    /// The program of the public fake of the API (npm's @seamapi/fake-seam-connect), if the file is there.
    #[arg(long, value_name = "JS")]
    fake: Option<PathBuf>,
    /// Makes grants and says how many commits they took: the process that is counted from outside.
    #[arg(long, hide = true, value_name = "CALLERS", requires = "grants")]
    sync_child: Option<usize>,
    #[arg(long, hide = true)]
    grants: Option<usize>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    match runtime().and_then(|runtime| runtime.block_on(work(&args))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("seam-bench: {error}");
            ExitCode::FAILURE
        }
    }
}

fn runtime() -> Result<tokio::runtime::Runtime, Failed> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

async fn work(args: &Args) -> Result<(), Failed> {
    if let (Some(callers), Some(grants)) = (args.sync_child, args.grants) {
        return syncs::child(callers, grants).await;
    }
    let size = Size::new(args.smoke);
    let folder = match &args.folder {
        Some(folder) => tempfile::tempdir_in(folder)?,
        None => tempfile::tempdir()?,
    };
    // Each group in a folder of its own: none finds the databases of another.
    let own = |group: &str| -> Result<PathBuf, Failed> {
        let own = folder.path().join(group);
        std::fs::create_dir(&own)?;
        Ok(own)
    };
    let wanted = |group: &str| args.only.is_empty() || args.only.iter().any(|only| only == group);
    println!("{}", table::HEAD);
    let show = |lines: Vec<Line>| lines.iter().for_each(|line| println!("{line}"));
    if wanted("syncs") {
        show(syncs::measure(&own("syncs")?, &size)?);
    }
    if wanted("commits") {
        show(commits::measure(&own("commits")?, &size).await?);
    }
    if wanted("log") {
        show(log_bytes::measure(&own("log")?, &size).await?);
    }
    if wanted("windows") {
        show(windows::measure(&size).await?);
    }
    if wanted("lists") {
        show(lists::measure(&own("lists")?, &size).await?);
    }
    if wanted("fan-out") {
        show(fan_out::measure(&size)?);
    }
    if wanted("lives") {
        show(lives::measure(&size).await?);
    }
    if wanted("http") {
        let fake = args.fake.clone().unwrap_or_else(http::usual_fake);
        show(http::measure(&own("http")?, &fake, &size)?);
    }
    if wanted("vendors") {
        show(vendors::measure(&size).await?);
    }
    if wanted("cards") {
        cards(args.smoke)?;
    }
    if wanted("mobile-keys") {
        show(mobile_keys::measure(&size)?);
    }
    if wanted("replay") {
        show(replay::measure(&args.bookings, &size)?);
    }
    Ok(())
}

/// Prints the lines about cards. They count pieces of memory, which another program does, so that nothing else pays for it.
fn cards(smoke: bool) -> Result<(), Failed> {
    let program = std::env::current_exe()?.with_file_name(format!("seam-bench-cards{}", std::env::consts::EXE_SUFFIX));
    let ended = Command::new(program).args(smoke.then_some("--smoke")).status()?;
    if ended.success() { Ok(()) } else { Err("the lines about cards came to nothing".into()) }
}
