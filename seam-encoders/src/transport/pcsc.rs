//! Readers through PC/SC: pcscd on Linux, the system's own service on macOS and Windows.
//!
//! A call into PC/SC cannot be interrupted, and an exchange has no time limit there. So each reader has a thread of its own that makes the calls,
//! and when an exchange is given up that thread is left to itself with its context: the reader is [`ReaderError::Wedged`] until it comes back,
//! and then a new thread opens a new context.
use super::{FieldState, Link, Reader, ReaderError};
use crate::apdu::{Command, Response};
use async_trait::async_trait;
use pcsc::{Card, Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};
use std::ffi::CString;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use zeroize::{Zeroize, Zeroizing};

/// How long one look for a change lasts. A cancel that comes between two looks is noticed after so long.
const LOOK: Duration = Duration::from_millis(500);

/// The names of the readers that are there; empty where there are none.
///
/// # Errors
/// [`ReaderError::Offline`] when there is no PC/SC service.
pub async fn list() -> Result<Vec<String>, ReaderError> {
    apart(|_| names(&establish()?)).await
}

/// Returns the readers that are there as soon as they are not those of `known`: readers come and go. Drop it to stop waiting.
///
/// # Errors
/// [`ReaderError::Offline`] when there is no PC/SC service.
pub async fn changed(known: &[String]) -> Result<Vec<String>, ReaderError> {
    let known = known.to_vec();
    apart(move |given_up| {
        let context = establish()?;
        let mut plug = [ReaderState::new(pcsc::PNP_NOTIFICATION(), State::UNAWARE)];
        loop {
            let names = names(&context)?;
            if names != known || given_up() {
                return Ok(names);
            }
            plug[0].sync_current_state();
            match context.get_status_change(LOOK, &mut plug) {
                Ok(()) | Err(Error::Timeout) => {}
                Err(e) => return Err(fault(e)),
            }
        }
    })
    .await
}

/// Does blocking work on a thread of its own; it is told when nobody waits any more.
async fn apart<T: Send + 'static>(
    work: impl FnOnce(&dyn Fn() -> bool) -> Result<T, ReaderError> + Send + 'static,
) -> Result<T, ReaderError> {
    let (answer, answered) = oneshot::channel();
    spawn("pcsc", move || {
        let result = work(&|| answer.is_closed());
        let _ = answer.send(result);
    })?;
    answered.await.unwrap_or_else(|_| Err(ended()))
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<(), ReaderError> {
    let spawned = thread::Builder::new().name(name.to_owned()).spawn(work);
    spawned.map(drop).map_err(|e| ReaderError::Offline(format!("no thread for it: {e}")))
}

fn ended() -> ReaderError {
    ReaderError::Offline("its thread has ended".to_owned())
}

fn establish() -> Result<Context, ReaderError> {
    Context::establish(Scope::System).map_err(fault)
}

fn names(context: &Context) -> Result<Vec<String>, ReaderError> {
    match context.list_readers_owned() {
        Ok(names) => Ok(names.into_iter().map(|name| name.to_string_lossy().into_owned()).collect()),
        Err(Error::NoReadersAvailable) => Ok(Vec::new()),
        Err(e) => Err(fault(e)),
    }
}

/// What an error of PC/SC says about card and reader.
fn fault(e: Error) -> ReaderError {
    match e {
        Error::NoSmartcard => ReaderError::NoCard,
        Error::UnresponsiveCard | Error::UnpoweredCard | Error::UnsupportedCard | Error::ProtoMismatch => ReaderError::Mute,
        // `NotTransacted` is what a card that was pulled away gives before the service has noticed it; after a reset by another program the
        // session is as lost as with the card.
        Error::RemovedCard | Error::ResetCard | Error::NotTransacted => ReaderError::Gone,
        Error::SharingViolation => ReaderError::Busy,
        e => ReaderError::Offline(e.to_string()),
    }
}

/// A reader of PC/SC. Clones are the same reader.
#[derive(Clone)]
pub struct PcscReader {
    inner: Arc<Inner>,
}

struct Inner {
    name: String,
    state: Mutex<Threads>,
}

#[derive(Default)]
struct Threads {
    at_work: Option<Worker>,
    /// Threads that were given up in an exchange and have not come back.
    stuck: Vec<Arc<AtomicBool>>,
}

impl fmt::Debug for PcscReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscReader").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

/// The thread of a reader.
#[derive(Clone)]
struct Worker {
    asks: mpsc::Sender<Ask>,
    context: Context,
    /// Set by the thread when it ends.
    is_over: Arc<AtomicBool>,
}

enum Ask {
    Wait(FieldState, oneshot::Sender<Result<(), ReaderError>>),
    Connect(oneshot::Sender<Result<(Vec<u8>, u64), ReaderError>>),
    Transmit(Zeroizing<Vec<u8>>, oneshot::Sender<Result<Response, ReaderError>>),
    Disconnect,
}

impl PcscReader {
    /// The reader of this name, whether it is there or not.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Self { inner: Arc::new(Inner { name: name.into(), state: Mutex::default() }) }
    }
    fn state(&self) -> MutexGuard<'_, Threads> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// The thread at work, or a new one.
    fn worker(&self) -> Result<Worker, ReaderError> {
        let mut state = self.state();
        state.stuck.retain(|is_over| !is_over.load(Ordering::SeqCst));
        if !state.stuck.is_empty() {
            return Err(ReaderError::Wedged);
        }
        if let Some(worker) = state.at_work.as_ref().filter(|w| !w.is_over.load(Ordering::SeqCst)) {
            return Ok(worker.clone());
        }
        let worker = Worker::start(&self.inner.name)?;
        state.at_work = Some(worker.clone());
        Ok(worker)
    }
    /// The thread hangs in an exchange that nobody waits for any more.
    fn give_up(&self) {
        let mut state = self.state();
        if let Some(worker) = state.at_work.take() {
            state.stuck.push(worker.is_over);
        }
    }
}

impl Worker {
    fn start(name: &str) -> Result<Self, ReaderError> {
        let context = establish()?;
        let c_name = CString::new(name).map_err(|_| ReaderError::Offline("no reader has such a name".to_owned()))?;
        let (asks, asked) = mpsc::channel();
        let is_over = Arc::new(AtomicBool::new(false));
        let worker = Self { asks, context: context.clone(), is_over: Arc::clone(&is_over) };
        spawn(name, move || {
            Desk { name: c_name, context, card: None, buffer: Zeroizing::new(vec![0; pcsc::MAX_BUFFER_SIZE]) }.serve(&asked);
            is_over.store(true, Ordering::SeqCst);
        })?;
        Ok(worker)
    }
    fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<Result<T, ReaderError>>) -> Ask) -> oneshot::Receiver<Result<T, ReaderError>> {
        let (answer, answered) = oneshot::channel();
        // A thread that has ended drops the question, and with it the answer.
        let _ = self.asks.send(ask(answer));
        answered
    }
}

/// Wakes the thread from its wait when nobody waits for it any more.
struct Waiting<'w>(&'w Worker);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let _ = self.0.context.cancel();
    }
}

#[async_trait]
impl Reader for PcscReader {
    fn name(&self) -> &str {
        &self.inner.name
    }
    async fn wait(&self, field: FieldState) -> Result<(), ReaderError> {
        let worker = self.worker()?;
        let waiting = Waiting(&worker);
        let result = worker.ask(|answer| Ask::Wait(field, answer)).await.unwrap_or_else(|_| Err(ended()));
        std::mem::forget(waiting);
        result
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        let worker = self.worker()?;
        // From here on the link is dropped with this future, and with it the card.
        let mut link = PcscLink { reader: self.clone(), worker, atr: Vec::new(), presence: 0, hangs: true };
        let connected = link.worker.ask(Ask::Connect).await.unwrap_or_else(|_| Err(ended()));
        link.hangs = false;
        (link.atr, link.presence) = connected?;
        Ok(Box::new(link))
    }
}

struct PcscLink {
    reader: PcscReader,
    worker: Worker,
    atr: Vec<u8>,
    presence: u64,
    /// A call is under way that may hang.
    hangs: bool,
}

impl fmt::Debug for PcscLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscLink").field("reader", &self.reader).finish_non_exhaustive()
    }
}

impl Drop for PcscLink {
    fn drop(&mut self) {
        let _ = self.worker.asks.send(Ask::Disconnect);
        if self.hangs {
            self.reader.give_up();
        }
    }
}

#[async_trait]
impl Link for PcscLink {
    fn atr(&self) -> &[u8] {
        &self.atr
    }
    fn presence(&self) -> u64 {
        self.presence
    }
    async fn transmit(&mut self, command: &Command) -> Result<Response, ReaderError> {
        self.hangs = true;
        let bytes = Zeroizing::new(command.bytes().to_vec());
        let result = self.worker.ask(|answer| Ask::Transmit(bytes, answer)).await.unwrap_or_else(|_| Err(ended()));
        self.hangs = false;
        result
    }
}

/// What the thread of a reader has.
struct Desk {
    name: CString,
    context: Context,
    card: Option<Card>,
    buffer: Zeroizing<Vec<u8>>,
}

impl Desk {
    /// Until nobody asks any more, or the service is gone.
    fn serve(mut self, asked: &mpsc::Receiver<Ask>) {
        while let Ok(ask) = asked.recv() {
            let goes_on = match ask {
                Ask::Wait(field, answer) => {
                    let result = self.wait(field, &answer);
                    reply(result, answer)
                }
                Ask::Connect(answer) => {
                    let result = self.connect();
                    reply(result, answer)
                }
                Ask::Transmit(bytes, answer) => {
                    let result = self.transmit(&bytes);
                    // It was given up: this context is dropped, and a new one is opened when the reader is used again.
                    !answer.is_closed() && reply(result, answer)
                }
                Ask::Disconnect => {
                    self.disconnect();
                    true
                }
            };
            if !goes_on {
                break;
            }
        }
        self.disconnect();
    }

    fn wait(&self, field: FieldState, answer: &oneshot::Sender<Result<(), ReaderError>>) -> Result<(), ReaderError> {
        let mut states = [ReaderState::new(self.name.clone(), State::UNAWARE)];
        while !answer.is_closed() {
            match self.context.get_status_change(LOOK, &mut states) {
                Ok(()) => {}
                Err(Error::Timeout | Error::Cancelled) => continue,
                Err(e) => return Err(fault(e)),
            }
            let state = states[0].event_state();
            if state.intersects(State::UNKNOWN | State::UNAVAILABLE) {
                return Err(ReaderError::Offline("it is not there".to_owned()));
            }
            // A card that does not answer lies badly; it may be moved.
            let is_there = state.contains(State::PRESENT) && !state.contains(State::MUTE);
            let is_empty = !state.contains(State::PRESENT);
            if (field == FieldState::Card && is_there) || (field == FieldState::Empty && is_empty) {
                return Ok(());
            }
            states[0].sync_current_state();
        }
        Ok(())
    }

    fn connect(&mut self) -> Result<(Vec<u8>, u64), ReaderError> {
        self.disconnect();
        // The service counts how often cards came and went. Asked first: a card that comes in between is then one that was not seen yet.
        let mut states = [ReaderState::new(self.name.clone(), State::UNAWARE)];
        self.context.get_status_change(Duration::ZERO, &mut states).map_err(fault)?;
        let presence = u64::from(states[0].event_count());
        let card = self.context.connect(&self.name, ShareMode::Exclusive, Protocols::ANY).map_err(fault)?;
        let atr = card.status2_owned().map_err(fault)?.atr().to_vec();
        self.card = Some(card);
        Ok((atr, presence))
    }

    fn transmit(&mut self, command: &[u8]) -> Result<Response, ReaderError> {
        let Some(card) = &self.card else { return Err(ReaderError::Gone) };
        let answer = card.transmit(command, &mut self.buffer).map_err(fault)?;
        let length = answer.len();
        // No bytes at all are reported as success when the card leaves in the middle.
        let response = Response::parse(answer.to_vec()).map_err(|_| ReaderError::Gone);
        self.buffer[..length].zeroize();
        response
    }

    /// Takes power from the card: nobody shall go on in an authenticated session.
    fn disconnect(&mut self) {
        if let Some(card) = self.card.take() {
            let _ = card.disconnect(Disposition::ResetCard);
        }
    }
}

/// Answers. Whether the thread goes on: a reader that is not there is looked for by a new one, with a new context.
fn reply<T>(result: Result<T, ReaderError>, answer: oneshot::Sender<Result<T, ReaderError>>) -> bool {
    let goes_on = !matches!(result, Err(ReaderError::Offline(_)));
    let _ = answer.send(result);
    goes_on
}
