//! Readers through PC/SC: pcscd on Linux, the system's own service on macOS and Windows.
//!
//! A call into PC/SC cannot be interrupted, and none has a time limit there: an exchange hangs with its card, and all hang with the service. So each
//! reader has a thread of its own that makes the calls, the first of which opens its context. When a connection or an exchange is given up, that thread
//! is left to itself: the reader is [`ReaderError::Wedged`] until it comes back, and then a new thread opens a new context.
use super::{FieldState, Link, Reader, ReaderError};
use crate::apdu::{Command, Response};
use async_trait::async_trait;
use pcsc::{Card, Context, Disposition, Error, Protocols, ReaderState, Scope, ShareMode, State};
use std::ffi::CString;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread;
use std::time::Duration;
use tokio::sync::oneshot;
use zeroize::{Zeroize, Zeroizing};

/// How long one look for a change lasts. A cancel that comes between two looks is noticed after so long.
const LOOK: Duration = Duration::from_millis(500);

/// The names of the readers that are there; empty where there are none. Drop it to stop waiting for a service that hangs.
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
    /// Its context, once it has one.
    context: Arc<OnceLock<Context>>,
    /// Set by the thread when it ends, however it ends.
    is_over: Arc<AtomicBool>,
}

/// Says that a thread has ended, also when it panicked.
struct Over(Arc<AtomicBool>);

impl Drop for Over {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
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
    /// This thread hangs in a call that nobody waits for any more.
    fn give_up(&self, worker: &Worker) {
        let mut state = self.state();
        state.at_work.take_if(|at_work| Arc::ptr_eq(&at_work.is_over, &worker.is_over));
        state.stuck.push(Arc::clone(&worker.is_over));
    }
}

impl Worker {
    fn start(name: &str) -> Result<Self, ReaderError> {
        let c_name = CString::new(name).map_err(|_| ReaderError::Offline("no reader has such a name".to_owned()))?;
        Self::that_serves(name, |context, asked| {
            Desk { name: c_name, context, card: None, buffer: Zeroizing::new(vec![0; pcsc::MAX_BUFFER_SIZE]) }.serve(&asked);
        })
    }
    fn that_serves(
        name: &str,
        serve: impl FnOnce(Arc<OnceLock<Context>>, mpsc::Receiver<Ask>) + Send + 'static,
    ) -> Result<Self, ReaderError> {
        let (asks, asked) = mpsc::channel();
        let worker = Self { asks, context: Arc::default(), is_over: Arc::default() };
        let (context, over) = (Arc::clone(&worker.context), Over(Arc::clone(&worker.is_over)));
        spawn(name, move || {
            let _over = over;
            serve(context, asked);
        })?;
        Ok(worker)
    }
    async fn ask<T>(&self, ask: impl FnOnce(oneshot::Sender<Result<T, ReaderError>>) -> Ask) -> Result<T, ReaderError> {
        let (answer, answered) = oneshot::channel();
        // A thread that has ended drops the question, and with it the answer.
        let _ = self.asks.send(ask(answer));
        answered.await.unwrap_or_else(|_| {
            self.is_over.store(true, Ordering::SeqCst);
            Err(ended())
        })
    }
}

/// Wakes the thread from its wait when nobody waits for it any more.
struct Waiting<'w>(&'w Worker);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        // Without a context it does not look yet, and sees before it does. The call goes to the service, so it may hang with it.
        if let Some(context) = self.0.context.get().cloned() {
            let _ = spawn("pcsc", move || {
                let _ = context.cancel();
            });
        }
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
        let result = worker.ask(|answer| Ask::Wait(field, answer)).await;
        std::mem::forget(waiting);
        result
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        let worker = self.worker()?;
        // From here on the link is dropped with this future, and with it the card.
        let mut link = PcscLink { reader: self.clone(), worker, atr: Vec::new(), presence: 0, hangs: true };
        let connected = link.worker.ask(Ask::Connect).await;
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
            self.reader.give_up(&self.worker);
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
        let result = self.worker.ask(|answer| Ask::Transmit(bytes, answer)).await;
        self.hangs = false;
        result
    }
}

/// What the thread of a reader has.
struct Desk {
    name: CString,
    /// Empty until the first call.
    context: Arc<OnceLock<Context>>,
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

    fn context(&self) -> Result<&Context, ReaderError> {
        if let Some(context) = self.context.get() {
            return Ok(context);
        }
        let opened = establish()?;
        Ok(self.context.get_or_init(|| opened))
    }

    fn wait(&self, field: FieldState, answer: &oneshot::Sender<Result<(), ReaderError>>) -> Result<(), ReaderError> {
        let context = self.context()?;
        let mut states = [ReaderState::new(self.name.clone(), State::UNAWARE)];
        while !answer.is_closed() {
            match context.get_status_change(LOOK, &mut states) {
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
        let context = self.context()?;
        // The service counts how often cards came and went. Asked first: a card that comes in between is then one that was not seen yet.
        let mut states = [ReaderState::new(self.name.clone(), State::UNAWARE)];
        context.get_status_change(Duration::ZERO, &mut states).map_err(fault)?;
        let presence = u64::from(states[0].event_count());
        let card = context.connect(&self.name, ShareMode::Exclusive, Protocols::ANY).map_err(fault)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A thread that ends in the middle of a call, as it would by a panic.
    fn at_a_reader_whose_thread_panics() -> PcscReader {
        let reader = PcscReader::new("No Such Reader");
        let worker = Worker::that_serves("panics", |_, asked| {
            let _ask = asked.recv();
            std::panic::resume_unwind(Box::new("a driver"));
        });
        reader.state().at_work = Some(worker.unwrap());
        reader
    }

    #[tokio::test]
    async fn a_thread_that_panicked_is_an_error_and_the_next_call_gets_another() {
        let reader = at_a_reader_whose_thread_panics();
        assert_eq!(reader.connect().await.unwrap_err(), ended());
        // There is no such reader, and it takes a thread at work to say so.
        assert!(matches!(reader.connect().await, Err(e @ ReaderError::Offline(_)) if e != ended()));
    }

    #[tokio::test]
    async fn a_thread_that_panicked_after_it_was_given_up_does_not_wedge_the_reader_for_good() {
        let (go_on, gate) = mpsc::channel::<()>();
        let reader = PcscReader::new("No Such Reader");
        let worker = Worker::that_serves("panics", move |_, asked| {
            let _ask = asked.recv();
            let _ = gate.recv();
            std::panic::resume_unwind(Box::new("a driver"));
        });
        reader.state().at_work = Some(worker.unwrap());
        let connected = tokio::time::timeout(Duration::from_millis(20), reader.connect()).await;
        assert!(connected.is_err(), "it hangs");
        assert_eq!(reader.connect().await.unwrap_err(), ReaderError::Wedged);
        drop(go_on);
        while reader.state().stuck.iter().any(|is_over| !is_over.load(Ordering::SeqCst)) {
            thread::yield_now();
        }
        assert!(matches!(reader.connect().await, Err(ReaderError::Offline(_))));
    }
}
