//! What a technology says about itself, so that its cards are written safely.
use super::journal::Entry;
use crate::dialogue::Dialogue;
use crate::error::CardError;
use seam_core::encoder::Technology;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use zeroize::Zeroizing;

/// How cards of one technology are written for one site.
///
/// # Contract
/// [`write`](Self::write) may be repeated on the same card until it succeeds, wherever the last try ended: it looks at what stands there and goes
/// on. It writes data first and keys last, calls [`Task::begins`] before the first command that changes the card and
/// [`Task::goes_live`] before the one from which on a door may accept it. [`verify`](Self::verify) proves the card as a door would read it: with
/// the door's key, not with the writer's, and ends by asking who it is: it must still be the card of the task
/// ([`WriteError::AnotherCard`]).
pub trait Profile: fmt::Debug + Send + Sync + 'static {
    /// The technology, as images name it.
    fn technology(&self) -> &Technology;
    /// The version that the keys of a card get.
    fn key_version(&self) -> u8;
    /// Looks at the card; nothing is written. `None`: it is of another technology.
    fn identify(&self, atr: &[u8]) -> Dialogue<Option<CardNumber>>;
    /// Writes the card.
    fn write(&self, task: Task) -> Dialogue<(), WriteError>;
    /// Reads back what was written.
    fn verify(&self, task: Task) -> Dialogue<(), WriteError>;
    /// Reads what stands on a card of ours, in the format of an image's content, or `None` on one that is not ours. The default: it cannot be told.
    fn read(&self, card: &CardNumber) -> Option<Dialogue<Option<Value>, WriteError>> {
        let _ = card;
        None
    }
}

/// The serial number of a card: 4, 7 or 10 bytes. `Debug` leaves it out.
#[derive(Clone, PartialEq, Eq)]
pub struct CardNumber(pub Vec<u8>);

impl CardNumber {
    /// In hexadecimal, upper case.
    #[must_use]
    pub fn hex(&self) -> String {
        to_hex(&self.0)
    }
}

impl fmt::Debug for CardNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CardNumber({} bytes)", self.0.len())
    }
}

/// One card to be written. `Debug` shows nothing of card and content.
#[derive(Clone)]
pub struct Task {
    /// Which card.
    pub card: CardNumber,
    /// What it said when it got power.
    pub atr: Vec<u8>,
    /// What is to stand on it, in the format of the profile.
    pub content: Value,
    /// What the journal knows of an interrupted job with this card.
    pub interrupted: Option<Entry>,
    /// A person said that a card which others use too may be written. Without it such a card is [`WriteError::Foreign`].
    pub may_share: bool,
    stage: Arc<AtomicU8>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("interrupted", &self.interrupted).field("stage", &self.stage()).finish_non_exhaustive()
    }
}

/// How far a card is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing was written.
    Looking,
    /// Something was written; no door accepts it as new.
    Begun,
    /// A door may accept it.
    Live,
}

impl Task {
    /// A task at its beginning.
    #[must_use]
    pub fn new(card: CardNumber, atr: &[u8], content: Value, may_share: bool) -> Self {
        Self { card, atr: atr.to_vec(), content, interrupted: None, may_share, stage: Arc::default() }
    }
    /// The next command changes the card.
    pub fn begins(&self) {
        self.stage.fetch_max(1, Ordering::SeqCst);
    }
    /// After the next command a door may accept the card.
    pub fn goes_live(&self) {
        self.stage.fetch_max(2, Ordering::SeqCst);
    }
    /// How far it is.
    #[must_use]
    pub fn stage(&self) -> Stage {
        match self.stage.load(Ordering::SeqCst) {
            0 => Stage::Looking,
            1 => Stage::Begun,
            _ => Stage::Live,
        }
    }
}

/// Why a card was not written, or not proved.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The dialogue with the card.
    #[error(transparent)]
    Card(#[from] CardError),
    /// The card is somebody else's, or shared with others and nobody said that it may be.
    #[error("the card is not ours: {0}")]
    Foreign(&'static str),
    /// The content is not in the format of this profile.
    #[error("the image is not one of this profile: {0}")]
    Image(&'static str),
    /// It is not the card of the task.
    #[error("another card answers")]
    AnotherCard,
    /// None of the keys that we know opens the card.
    #[error("no key that we know opens the card")]
    NoKeyFits,
}

/// The bytes of `{"data": "<hexadecimal>"}`, filled up with zeros to `room` bytes.
///
/// # Errors
/// [`WriteError::Image`]: there are none, or more.
pub(crate) fn data(content: &Value, room: usize) -> Result<Zeroizing<Vec<u8>>, WriteError> {
    let text = content.get("data").and_then(Value::as_str).ok_or(WriteError::Image("there is no \"data\""))?;
    let given = Zeroizing::new(from_hex(text).ok_or(WriteError::Image("its data are not hexadecimal"))?);
    let mut data = Zeroizing::new(vec![0; room]);
    let place = data.get_mut(..given.len()).ok_or(WriteError::Image("its data are more than there is room for"))?;
    place.copy_from_slice(&given);
    Ok(data)
}

/// The name that a reader gives a storage card in the ATR: 0001 and 0002 a MIFARE Classic of 1 and 4 KiB, 0003 an Ultralight. Source: PC/SC part 3,
/// supplement, bytes 13 and 14.
pub(crate) fn storage_card(atr: &[u8]) -> Option<[u8; 2]> {
    match atr.get(4..15)? {
        [0x80, 0x4F, _, 0xA0, 0x00, 0x00, 0x03, 0x06, _, name @ ..] => name.try_into().ok(),
        _ => None,
    }
}

/// Bytes as hexadecimal text, upper case.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    use fmt::Write as _;
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut hex, byte| {
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

/// Bytes of hexadecimal text; `None` when it is not.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect::<Option<_>>()?;
    let (pairs, []) = digits.as_chunks::<2>() else { return None };
    Some(pairs.iter().map(|[high, low]| high << 4 | low).collect())
}
