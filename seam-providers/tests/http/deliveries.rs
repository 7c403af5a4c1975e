//! Webhooks from the handle to a socket.
use crate::guarded::Script;
use crate::receiver::*;
use crate::sending::{anywhere, options};
use seam_core::clock::SystemClock;
use seam_core::model::WebhookStatus;
use seam_core::provider::HttpTransport;
use seam_core::store::{MemoryStore, StaticKeys, Store, Vault};
use seam_core::{Engine, EngineConfig, NewSpace, Seam, Workspace};
use seam_providers::http::{HttpClient, Reach};
use serde_json::Value;
use std::sync::Arc;
use tokio::sync::oneshot;

async fn workspace(transport: impl HttpTransport) -> (Workspace, Engine) {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
    let vault = Vault::new(Arc::new(StaticKeys::new([7; 32])));
    let mut config = EngineConfig::default();
    config.webhooks = Some(Arc::new(transport));
    let engine = Engine::new(Arc::clone(&store), vault.clone(), Vec::new(), config);
    (Seam::new(store, vault).create_workspace("Aurora", true).await.unwrap(), engine)
}

async fn space(ws: &Workspace, name: &str) {
    ws.spaces().create(NewSpace::builder().name(name).build()).await.unwrap();
}

#[tokio::test]
async fn an_event_arrives_signed_while_the_engine_runs() {
    let server = Receiver::new(|_| status(204)).await;
    let (ws, engine) = workspace(anywhere()).await;
    let hook = ws.webhooks().create(&server.url("/hook"), None).await.unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let running = tokio::spawn(async move { engine.run(async { drop(stopped.await) }).await });
    for i in 0..20 {
        space(&ws, &format!("Room {i}")).await;
    }
    while server.count() < 20 {
        tokio::task::yield_now().await;
    }
    drop(stop);
    running.await.unwrap().unwrap();
    assert_eq!(server.count(), 20);
    let secret = hook.secret.unwrap();
    let verifier = standardwebhooks::Webhook::new(secret.expose()).unwrap();
    for got in server.got.lock().unwrap().iter() {
        let mut headers = http::HeaderMap::new();
        for (name, value) in &got.headers {
            headers.insert(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        verifier.verify(&got.body, &headers).unwrap();
        let event: Value = serde_json::from_slice(&got.body).unwrap();
        assert_eq!(
            (&event["event_type"], event["event_id"].as_str()),
            (&Value::from("space.created"), Some(got.headers["svix-id"].as_str()))
        );
        assert_eq!(got.line, "POST /hook HTTP/1.1");
    }
    assert_eq!(ws.webhooks().state(hook.webhook_id).await.unwrap().status, WebhookStatus::UpToDate);
}

/// A public address that sends on to this host, a name that leads to it, and its number: each is a failure that is seen, and no socket is opened.
#[tokio::test]
async fn deliveries_to_this_host_fail_and_that_is_seen() {
    let server = Receiver::new(|_| status(204)).await;
    let mut options = options(Reach::Public);
    options.resolver = Script::new(&[&["127.0.0.1"]]);
    let (ws, engine) = workspace(HttpClient::new(&options).unwrap()).await;
    let port = server.at.port();
    let urls = [format!("http://127.0.0.1:{port}/"), format!("http://hook.example:{port}/"), format!("http://[::ffff:127.0.0.1]:{port}/")];
    let mut hooks = Vec::new();
    for url in &urls {
        hooks.push(ws.webhooks().create(url, None).await.unwrap().webhook_id);
    }
    space(&ws, "Hall").await;
    engine.round().await.unwrap();
    for hook in hooks {
        let state = ws.webhooks().state(hook).await.unwrap();
        assert_eq!(state.status, WebhookStatus::Retrying);
        assert!(state.last_failure.unwrap().message.contains("not of the public Internet"));
    }
    assert_eq!(*server.connections.lock().unwrap(), 0);
}

#[tokio::test]
async fn a_redirect_to_this_host_is_a_failure() {
    let inside = Receiver::new(|_| status(204)).await;
    let to = inside.url("/");
    let outside = Receiver::new(move |_| (format!("HTTP/1.1 307 X\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"), Then::Stay)).await;
    let (ws, engine) = workspace(anywhere()).await;
    let hook = ws.webhooks().create(&outside.url("/"), None).await.unwrap().webhook_id;
    space(&ws, "Hall").await;
    engine.round().await.unwrap();
    assert_eq!(ws.webhooks().state(hook).await.unwrap().last_failure.unwrap().http_status, Some(307));
    assert_eq!((outside.count(), *inside.connections.lock().unwrap()), (1, 0));
}
