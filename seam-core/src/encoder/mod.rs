//! The plug for our own card encoders, and the control of a job at any encoder.
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{Notify, mpsc};

use crate::provider::Handle;

/// A reader that writes cards (implemented in `seam-encoders`).
///
/// # Contract
/// `present` returns once a card lies in the field and says what it is: its UID decides keys and image. `write` writes **the same** card
/// and returns only when what was written has been read back. Both obey the deadlines and the cancel of their [`JobControl`].
#[async_trait]
pub trait CardEncoder: fmt::Debug + Send + Sync + 'static {
    /// What it can write.
    fn technologies(&self) -> &[Technology];
    /// Waits for a card.
    ///
    /// # Errors
    /// [`CardFailure`]: which problem, and that the card is untouched.
    async fn present(&self, control: &JobControl) -> Result<CardSeen, CardFailure>;
    /// Writes the card that was presented, then proves it.
    ///
    /// # Errors
    /// [`CardFailure`]: which problem, and in what state the card was left.
    async fn write(&self, to: &CardSeen, image: &CardImage, control: &JobControl) -> Result<(), CardFailure>;
}

/// A card technology, by its usual name, as `desfire_ev2`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Technology(pub String);

/// A card in the field. `Debug` leaves out its number.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CardSeen {
    /// The card's serial number in hexadecimal, upper case.
    pub number: Option<String>,
    /// The credential that it carries, in the system's words; `None` when it is empty.
    pub carries: Option<Handle>,
    /// Our tag, where the system stores it on the card or beside it.
    pub tag: Option<crate::provider::Tag>,
    /// What it is.
    pub technology: Option<Technology>,
    /// Whether what stands on it is what the system has of that credential now; `None`: the system does not compare.
    #[serde(default)]
    pub as_recorded: Option<bool>,
}

impl fmt::Debug for CardSeen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardSeen")
            .field("carries", &self.carries)
            .field("tag", &self.tag)
            .field("technology", &self.technology)
            .field("as_recorded", &self.as_recorded)
            .finish_non_exhaustive()
    }
}

impl CardSeen {
    /// A card with a number.
    #[must_use]
    pub fn new(number: Option<String>) -> Self {
        Self { number, carries: None, tag: None, technology: None, as_recorded: None }
    }
}

/// What is to be written, in the format of its technology.
#[derive(Clone, Serialize, Deserialize)]
pub struct CardImage {
    /// For which technology.
    pub technology: Technology,
    /// The bytes or the description, opaque to the engine.
    pub content: serde_json::Value,
}

impl fmt::Debug for CardImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardImage").field("technology", &self.technology).finish_non_exhaustive()
    }
}

/// A job at an encoder that failed, and the state in which the card was left.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct CardFailure {
    /// What happened.
    pub problem: CardProblem,
    /// How the card was left.
    pub card: CardState,
}

impl CardFailure {
    /// A failure.
    #[must_use]
    pub fn new(problem: CardProblem, card: CardState) -> Self {
        Self { problem, card }
    }
}

impl fmt::Display for CardFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}; the card is {:?}", self.problem, self.card)
    }
}
impl std::error::Error for CardFailure {}

/// What happened at an encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CardProblem {
    /// No card came before the deadline.
    None,
    /// Two cards lie in the field.
    Two,
    /// The card was taken away.
    Removed,
    /// Another card lies there now.
    Changed,
    /// A card that is not ours.
    Foreign,
    /// Still a valid key of somebody else.
    InUse,
    /// A staff key.
    Staff,
    /// It cannot be written.
    NotWritable,
    /// The encoder is busy.
    Busy,
    /// The encoder is quarantined after an unknown outcome.
    Quarantined,
    /// The encoder does not answer.
    Offline,
    /// A person cancelled.
    Cancelled,
}

/// How a card was left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CardState {
    /// As it came.
    Untouched,
    /// Half written: a repeat finishes it.
    Torn,
    /// Written.
    Written,
    /// Not known.
    Unknown,
}

/// Progress of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// Waiting for a card.
    WaitingForCard,
    /// A card is there.
    CardSeen,
    /// Writing: so many of so many steps are done.
    Writing {
        /// Steps done.
        done: u32,
        /// Steps in all.
        of: u32,
    },
    /// Reading back.
    Verifying,
    /// Done; the card may be taken.
    TakeCard,
}

/// Progress, cancel and deadlines of one job.
#[derive(Clone, Debug)]
pub struct JobControl {
    /// Until when a card must have come.
    pub card_by: DateTime<Utc>,
    /// Until when the exchange with the card must be over.
    pub done_by: DateTime<Utc>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    cancelled: AtomicBool,
    woken: Notify,
    watchers: Mutex<Vec<mpsc::UnboundedSender<Progress>>>,
}

impl JobControl {
    /// A job with these deadlines.
    #[must_use]
    pub fn new(card_by: DateTime<Utc>, done_by: DateTime<Utc>) -> Self {
        Self { card_by, done_by, shared: Arc::default() }
    }
    /// Asks the job to stop.
    pub fn cancel(&self) {
        self.shared.cancelled.store(true, Ordering::SeqCst);
        self.shared.woken.notify_waiters();
    }
    /// Whether it was asked to stop.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared.cancelled.load(Ordering::SeqCst)
    }
    /// How far the job is, from now on. Nothing more comes once the job and everything that controls it is gone.
    #[must_use]
    pub fn progress(&self) -> mpsc::UnboundedReceiver<Progress> {
        let (watcher, progress) = mpsc::unbounded_channel();
        self.watchers().push(watcher);
        progress
    }
    /// Tells whoever watches how far the job is.
    pub fn report(&self, progress: Progress) {
        self.watchers().retain(|watcher| watcher.send(progress).is_ok());
    }
    fn watchers(&self) -> MutexGuard<'_, Vec<mpsc::UnboundedSender<Progress>>> {
        self.shared.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Returns when it is asked to stop.
    pub async fn cancelled(&self) {
        loop {
            let woken = self.shared.woken.notified();
            if self.is_cancelled() {
                return;
            }
            woken.await;
        }
    }
}
