//! A desk that reads and writes cards, at a PC/SC reader or at a simulated one.
mod args;
mod desk;
mod keys;
mod readers;
mod show;
mod virtual_card;

use args::{Args, What};
use clap::Parser;
use std::error::Error;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = Args::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let done = runtime.map_err(DeskError::from).and_then(|runtime| {
        runtime.block_on(async {
            match &args.what {
                What::List => readers::print_list(args.is_virtual).await,
                What::Read(job) => desk::read(&args, job).await,
                What::Encode(encode) => desk::encode(&args, encode).await,
                What::Watch => desk::watch(&args).await,
            }
        })
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("card-desk: {error}");
            let mut cause = error.source();
            while let Some(why) = cause {
                eprintln!("  because: {why}");
                cause = why.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// Why the desk could not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeskError {
    #[error(transparent)]
    Job(#[from] seam_encoders::job::JobFailure),
    #[error(transparent)]
    Reader(#[from] seam_encoders::transport::ReaderError),
    #[error(transparent)]
    Card(#[from] seam_encoders::error::CardError),
    #[error("{0}")]
    Asked(String),
    #[error(transparent)]
    Io(#[from] std::io::Error),
}
