//! A Seam-compatible server as a starting template: the official client SDKs run against it unchanged.
//!
//! It decodes, calls one handle of the SDK, and encodes: no rule of the domain lives here.
//!
//! ```text
//! connection -> http::serve -> http::service (who, how often, with what) -> routes::* -> seam_core handle -> http::answer
//! ```
pub mod app;
pub mod args;
pub mod http;
pub mod openapi;
pub mod pages;
pub mod routes;
pub mod sandbox;

use app::{App, StartError};
use args::Args;
use std::future::Future;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Serves until `stop`: opens the state, starts the engine, says where it listens, and ends in order.
///
/// # Errors
/// It cannot start, or the store cannot be used any more.
pub async fn run(args: &Args, ready: impl FnOnce(&str), stop: impl Future<Output = ()> + Send) -> Result<(), StartError> {
    let listen = |source| StartError::Listen { address: args.listen, source };
    let listener = TcpListener::bind(args.listen).await.map_err(listen)?;
    let here = format!("http://{}", listener.local_addr().map_err(listen)?);
    let url = args.public_url.as_deref().unwrap_or(&here).trim_end_matches('/').to_owned();
    let app = Arc::new(App::open(args, url).await?);
    let (end, ended) = tokio::sync::oneshot::channel::<()>();
    let engine = app.engine.clone();
    let mut engine = tokio::spawn(async move {
        engine
            .run(async {
                let _ = ended.await;
            })
            .await
    });
    if let Some(site) = args.sandbox {
        app.set_up(site).await?;
    }
    let router = routes::router(&app);
    ready(&here);
    let mut gone = None;
    let stop = async {
        tokio::select! {
            () = stop => {}
            // The engine only ends by itself when the store cannot be used: nothing would be revoked any more.
            result = &mut engine => gone = Some(result),
        }
        app.end();
    };
    http::serve::serve(&app, listener, router, stop).await;
    let result = match gone {
        Some(result) => result,
        None => {
            let _ = end.send(());
            engine.await
        }
    };
    match result {
        Ok(Ok(())) => Ok(()),
        Ok(Err(e)) => Err(e.into()),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
