//! The lines about cards: `seam-bench --only cards` runs it. It is a program of its own since it counts pieces of memory.
mod card_jobs;
mod cards;

use seam_bench::{Failed, Size};
use std::process::ExitCode;

fn main() -> ExitCode {
    let size = Size::new(std::env::args().any(|word| word == "--smoke"));
    match work(size) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("seam-bench-cards: {error}");
            ExitCode::FAILURE
        }
    }
}

fn work(size: Size) -> Result<(), Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut lines = cards::measure(&size)?;
    lines.extend(runtime.block_on(card_jobs::measure(&size))?);
    lines.iter().for_each(|line| println!("{line}"));
    Ok(())
}
