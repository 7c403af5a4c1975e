//! Requests and answers over TCP with servers that do everything wrong.
use crate::net::sim::{Conversation, Misbehaviour, Server, ServerOptions, Wire};
use crate::net::tcp::{Connection, TcpEnd};
use crate::net::{Deadline, only_asked};
use async_trait::async_trait;
use seam_core::clock::{Clock, SystemClock};
use seam_core::provider::{Effect, Failure, Reason};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::codec::LinesCodec;

/// Answers each line with the same line.
struct Echo;

#[async_trait]
impl Conversation for Echo {
    async fn talk(&self, mut wire: Wire) {
        let mut lines = LinesCodec::new();
        while let Ok(Some(line)) = wire.receive(&mut lines).await {
            wire.asked().await;
            if wire.answer(format!("{line}\n").as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

async fn echo() -> (Server, TcpEnd) {
    let server = Server::start(Arc::new(Echo), ServerOptions::new(clock())).await.unwrap();
    let end = TcpEnd { host: "127.0.0.1".to_owned(), port: server.address().port() };
    (server, end)
}

fn soon() -> Deadline {
    Deadline::after(&clock(), Duration::from_millis(300))
}

async fn connect(end: &TcpEnd) -> Result<Connection<LinesCodec>, Failure> {
    end.connect(LinesCodec::new_with_max_length(64), Duration::from_secs(5), &Deadline::after(&clock(), Duration::from_secs(5))).await
}

async fn ask(end: &TcpEnd, line: &str) -> Result<String, Failure> {
    let deadline = soon();
    let mut connection = connect(end).await?;
    connection.send(line, &deadline).await?;
    connection.receive(&deadline).await
}

#[tokio::test]
async fn every_way_to_fail_says_what_may_have_happened() {
    let (server, end) = echo().await;
    assert_eq!(ask(&end, "hello").await.unwrap(), "hello");
    let cases = [
        (Misbehaviour::LoseRequests, Effect::Unknown, Reason::TimedOut),
        (Misbehaviour::LoseAnswers, Effect::Unknown, Reason::TimedOut),
        (Misbehaviour::HalfAnswer, Effect::Unknown, Reason::Garbled),
        (Misbehaviour::Garbage(vec![0xff, 0xfe, b'\n']), Effect::Unknown, Reason::Garbled),
        (Misbehaviour::Garbage(vec![b'x'; 80]), Effect::Unknown, Reason::Garbled),
        (Misbehaviour::Slow(Duration::from_secs(5)), Effect::Unknown, Reason::TimedOut),
        (Misbehaviour::Offline, Effect::Nothing, Reason::Offline),
    ];
    for (how, effect, reason) in cases {
        server.misbehave(Some(how.clone())).await.unwrap();
        match ask(&end, "hello").await {
            // Half of a line, and then the end of the connection, is a line: which is why codecs check what they are given.
            Ok(half) => assert_eq!((half.as_str(), how), ("hel", Misbehaviour::HalfAnswer)),
            Err(failure) => {
                assert_eq!((failure.effect, failure.reason), (effect, reason), "{how:?}: {failure}");
                assert_eq!(only_asked(failure).effect, Effect::Nothing);
            }
        }
    }
    server.misbehave(Some(Misbehaviour::Drip)).await.unwrap();
    assert_eq!(ask(&end, "drop by drop").await.unwrap(), "drop by drop");
    server.misbehave(None).await.unwrap();
    assert_eq!(ask(&end, "hello").await.unwrap(), "hello");
}

#[tokio::test]
async fn a_connection_is_not_used_after_a_failure() {
    let (server, end) = echo().await;
    let mut connection = connect(&end).await.unwrap();
    for _ in 0..3 {
        connection.send("again", &soon()).await.unwrap();
        assert_eq!(connection.receive(&soon()).await.unwrap(), "again");
    }
    let deadline = soon();
    assert_eq!(connection.receive(&deadline).await.unwrap_err().reason, Reason::TimedOut);
    assert!(!connection.is_open());
    assert!(deadline.left().is_zero());
    let before = server.requests();
    assert_eq!(connection.send("ask", &soon()).await.unwrap_err().effect, Effect::Nothing);
    assert_eq!(server.requests(), before, "a late answer finds nobody");
}
