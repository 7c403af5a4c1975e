//! The program: see the library.
use clap::Parser;
use connect_server::app::StartError;
use connect_server::args::{Args, Log};
use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use tracing_subscriber::EnvFilter;

#[cfg(feature = "jemalloc")]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let args = Args::parse();
    let filter = || EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = tracing_subscriber::fmt().with_writer(std::io::stderr);
    match args.log {
        Log::Text => log.with_env_filter(filter()).init(),
        Log::Json => log.with_env_filter(filter()).json().init(),
    }
    let served = tokio::runtime::Runtime::new()
        .map_err(Box::<dyn Error>::from)
        .and_then(|runtime| runtime.block_on(serve(&args)).map_err(Into::into));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("connect-server: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves until somebody ends it. That is listened for from the start: who reads that it is ready may end it at once.
async fn serve(args: &Args) -> Result<(), StartError> {
    let end = tokio::spawn(end());
    let stop = async {
        let _ = end.await;
    };
    connect_server::run(args, announce, stop).await
}

/// The one line that says that it is ready.
fn announce(url: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "listening on {url}");
    let _ = out.flush();
}

/// Until somebody ends it: Ctrl-C, or SIGTERM.
async fn end() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminated) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = interrupted => {}
                _ = terminated.recv() => {}
            }
            return;
        }
    }
    let _ = interrupted.await;
}
