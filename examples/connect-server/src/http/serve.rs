//! Connections: so many at once, none that says nothing, and an orderly end.
use crate::app::App;
use crate::pages::guard::Peer;
use axum::Router;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// So many connections at once; more wait to be taken.
const CONNECTIONS: usize = 2048;
/// For how long the head of a request may come, and a kept connection may be idle.
const HEAD_WITHIN: Duration = Duration::from_secs(30);
/// For how long requests that are under way may take when the server ends.
const END_WITHIN: Duration = Duration::from_secs(10);

/// Serves until `stop`, then finishes what is under way.
pub async fn serve(app: &Arc<App>, listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let (mut stop, graceful, places) = (pin!(stop), GracefulShutdown::new(), Arc::new(Semaphore::new(CONNECTIONS)));
    loop {
        let place = tokio::select! {
            place = Arc::clone(&places).acquire_owned() => place,
            () = &mut stop => break,
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        let Ok((stream, address)) = accepted else {
            // Out of descriptors, or a client that is gone already.
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_headers(64);
        let service = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(Peer(address));
            service.call(request)
        });
        let connection = builder.serve_connection(TokioIo::new(stream), service);
        let (watched, app) = (graceful.watch(connection), Arc::clone(app));
        tokio::spawn(async move {
            app.metrics.connections.inc();
            // A connection that breaks is the client's affair.
            let _ = watched.await;
            app.metrics.connections.dec();
            drop(place);
        });
    }
    drop(listener);
    let _ = tokio::time::timeout(END_WITHIN, graceful.shutdown()).await;
}
