//! What the tests of all providers at fakes stand on.
use crate::net::sim::Misbehaviour;
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::ManualClock;
use seam_core::conformance::provider::Fault;
use seam_core::provider::{Call, Failure, Handle, Memo, Notes, SystemRef, Tag};
use secrecy::SecretString;
use std::pin::pin;
use std::time::Duration;

/// A record in which nothing is kept.
#[derive(Debug)]
pub(crate) struct NoMemo;

#[async_trait]
impl Memo for NoMemo {
    async fn load(&self) -> Result<(u64, SecretString), Failure> {
        Ok((0, SecretString::default()))
    }
    async fn swap(&self, _: u64, _: SecretString) -> Result<bool, Failure> {
        Ok(true)
    }
}

/// Notes that nobody reads.
#[derive(Debug)]
pub(crate) struct NoNotes;

#[async_trait]
impl Notes for NoNotes {
    async fn keep(&self, _: &Handle) -> Result<(), Failure> {
        Ok(())
    }
}

pub(crate) fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// A call of the engine, for a row of this name.
pub(crate) fn call<'a>(system: &'a SystemRef, row: &str) -> Call<'a> {
    Call { system, tag: Tag(row.to_owned()), attempt: 1, within: Duration::from_secs(30), operator: None, notes: &NoNotes }
}

/// Runs something while time passes: half a second of it whenever the sockets have been quiet for so long.
pub(crate) async fn pass_while<T>(clock: &ManualClock, quiet: Duration, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    loop {
        match tokio::time::timeout(quiet, work.as_mut()).await {
            Ok(done) => return done,
            Err(_) => clock.advance(TimeDelta::milliseconds(500)),
        }
    }
}

/// What a server does that is to fail so; `Err`: it cannot be told to.
pub(crate) fn misbehaviour(fault: Option<Fault>) -> Result<Option<Misbehaviour>, ()> {
    match fault {
        None => Ok(None),
        Some(Fault::RefuseConnections) => Ok(Some(Misbehaviour::Offline)),
        Some(Fault::LoseRequests) => Ok(Some(Misbehaviour::LoseRequests)),
        Some(Fault::LoseAnswers) => Ok(Some(Misbehaviour::LoseAnswers)),
        Some(_) => Err(()),
    }
}
