//! A reader in this process, over a simulated field.
use super::{FieldState, Link, Reader, ReaderError};
use crate::apdu::{Command, Response};
use crate::sim::{Field, Reply, SimulatedCard};
use async_trait::async_trait;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use tokio::sync::Notify;

/// A reader with a simulated field. A clone is the same reader.
///
/// A mute card keeps an exchange waiting until it is dropped, as a reader without a time limit does.
#[derive(Clone)]
pub struct SimulatedReader {
    name: Arc<str>,
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    state: Mutex<State>,
    moved: Notify,
}

#[derive(Default)]
struct State {
    field: Field,
    atr: Vec<u8>,
    /// Counts the cards that were laid into the field: a link is of one of them.
    laid: u64,
    in_use: bool,
    is_unplugged: bool,
}

impl fmt::Debug for SimulatedReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedReader").field("name", &self.name).finish_non_exhaustive()
    }
}

impl SimulatedReader {
    /// A reader with nothing in its field.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), inner: Arc::default() }
    }
    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    fn change<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let result = f(&mut self.state());
        self.inner.moved.notify_waiters();
        result
    }
    /// Lays a card into the field; one that lay there is given back.
    pub fn put(&self, card: Box<dyn SimulatedCard>) -> Option<Box<dyn SimulatedCard>> {
        self.change(|s| {
            let before = s.field.take();
            s.atr = s.field.put(card);
            s.laid += 1;
            before
        })
    }
    /// Takes the card away.
    pub fn take(&self) -> Option<Box<dyn SimulatedCard>> {
        self.change(|s| s.field.take())
    }
    /// Puts the card back that a planned fault pulled away. Whether there was one.
    pub fn put_back(&self) -> bool {
        self.change(|s| match s.field.put_back() {
            Some(atr) => {
                s.atr = atr;
                s.laid += 1;
                true
            }
            None => false,
        })
    }
    /// Looks into the field or changes it: plans faults, counts commands.
    pub fn with_field<R>(&self, f: impl FnOnce(&mut Field) -> R) -> R {
        self.change(|s| f(&mut s.field))
    }
    /// Pulls the plug, or puts it back.
    pub fn set_unplugged(&self, is_unplugged: bool) {
        self.change(|s| s.is_unplugged = is_unplugged);
    }
}

#[async_trait]
impl Reader for SimulatedReader {
    fn name(&self) -> &str {
        &self.name
    }
    async fn wait(&self, field: FieldState) -> Result<(), ReaderError> {
        loop {
            let moved = self.inner.moved.notified();
            {
                let state = self.state();
                if state.is_unplugged {
                    return Err(offline());
                }
                if state.field.card().is_some() == (field == FieldState::Card) {
                    return Ok(());
                }
            }
            moved.await;
        }
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        let mut state = self.state();
        if state.is_unplugged {
            return Err(offline());
        }
        if state.in_use {
            return Err(ReaderError::Busy);
        }
        let atr = state.field.reset().ok_or(ReaderError::NoCard)?;
        state.in_use = true;
        Ok(Box::new(SimulatedLink { reader: self.clone(), laid: state.laid, atr }))
    }
}

fn offline() -> ReaderError {
    ReaderError::Offline("it is unplugged".to_owned())
}

struct SimulatedLink {
    reader: SimulatedReader,
    laid: u64,
    atr: Vec<u8>,
}

impl fmt::Debug for SimulatedLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimulatedLink").finish_non_exhaustive()
    }
}

impl Drop for SimulatedLink {
    fn drop(&mut self) {
        self.reader.change(|s| {
            s.in_use = false;
            s.field.reset();
        });
    }
}

#[async_trait]
impl Link for SimulatedLink {
    fn atr(&self) -> &[u8] {
        &self.atr
    }
    fn presence(&self) -> u64 {
        self.laid
    }
    async fn transmit(&mut self, command: &Command) -> Result<Response, ReaderError> {
        // As at a real reader, others get a turn while the card works.
        let mut had_a_turn = false;
        poll_fn(|context| {
            if std::mem::replace(&mut had_a_turn, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        let reply = self.reader.change(|s| {
            if s.is_unplugged {
                return Err(offline());
            }
            // Another card was laid there since, or the same one again: this session is over.
            if s.laid != self.laid || s.field.card().is_none() {
                return Err(ReaderError::Gone);
            }
            let before = s.field.card().map(SimulatedCard::uid);
            let reply = s.field.transmit(command.bytes());
            let after = s.field.card().map(SimulatedCard::uid);
            if after.is_some() && after != before {
                // Another card took its place. It has not been addressed, so the exchange with it fails.
                s.laid += 1;
                return Ok(Reply::Gone);
            }
            Ok(reply)
        })?;
        match reply {
            Reply::Answer(bytes, late) => {
                if !late.is_zero() {
                    tokio::time::sleep(late).await;
                }
                Response::parse(bytes).map_err(|_| ReaderError::Gone)
            }
            Reply::Gone => Err(ReaderError::Gone),
            Reply::Mute => std::future::pending().await,
        }
    }
}
