//! Encoders: cards are laid on them, and what comes of the next job can be told in advance.
use super::simulate::Told;
use super::token::Card;
use super::world::World;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::sync::Notify;

/// How the next encode or scan fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum JobOutcome {
    /// It goes well: for a queue in which a later one fails.
    Success,
    /// No card lies there.
    NoCard,
    /// The card is taken away half-way: it is torn.
    Interrupted,
    /// The encoder says no more than that it failed.
    Uncategorized,
    /// The attempt expires while a card is waited for; nothing was written.
    AttemptExpired,
    /// No answer comes in time; nothing was written.
    Expired,
    /// No answer comes in time; the card was written.
    ExpiredAfterWriting,
}

/// What an encoder remembers.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct EncoderState {
    /// Cards that lie on it.
    pub(super) field: Vec<String>,
    /// Cards that it has written and put aside.
    pub(super) tray: Vec<String>,
    #[serde(skip)]
    pub(super) busy: bool,
    #[serde(skip)]
    pub(super) next_encode: VecDeque<Told>,
    #[serde(skip)]
    pub(super) next_scan: VecDeque<Told>,
    #[serde(skip)]
    pub(super) moved: Arc<Notify>,
}

/// An encoder of a site.
#[derive(Clone, Debug)]
pub struct Encoder {
    world: World,
    site: String,
    name: String,
}

impl Encoder {
    pub(super) fn new(world: World, site: String, name: String) -> Self {
        Self { world, site, name }
    }

    /// Its name, which is its handle too.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Lays a card on it, beside what lies there already.
    pub fn put_card(&self, card: &Card) {
        self.change(|e| e.field.push(card.uid().to_owned()));
    }

    /// Lays two cards on it: the encoder can tell neither.
    pub fn put_two_cards(&self, one: &Card, other: &Card) {
        self.change(|e| e.field.extend([one.uid().to_owned(), other.uid().to_owned()]));
    }

    /// Takes a card away; none when the field is empty.
    pub fn take_card(&self) -> Option<Card> {
        self.change(|e| (!e.field.is_empty()).then(|| e.field.remove(0))).flatten().map(|uid| Card::new(self.world.clone(), uid))
    }

    /// Takes what was written onto cards that lay there by themselves (`auto_card`), in the order of writing.
    pub fn take_written(&self) -> Vec<Card> {
        let tray = self.change(|e| std::mem::take(&mut e.tray)).unwrap_or_default();
        tray.into_iter().map(|uid| Card::new(self.world.clone(), uid)).collect()
    }

    /// The next encode that has no outcome yet ends like this.
    pub fn next_encode_will_fail(&self, outcome: JobOutcome) {
        self.change(|e| e.next_encode.push_back(outcome.into()));
    }

    /// The next encode that has no outcome yet goes well.
    pub fn next_encode_will_succeed(&self) {
        self.next_encode_will_fail(JobOutcome::Success);
    }

    /// Whatever was said of the outcomes of later encodes and scans does not count any more.
    pub fn forget_outcomes(&self) {
        self.change(|e| {
            e.next_encode.clear();
            e.next_scan.clear();
        });
    }

    /// The next scan that has no outcome yet ends like this.
    pub fn next_scan_will_fail(&self, outcome: JobOutcome) {
        self.change(|e| e.next_scan.push_back(outcome.into()));
    }

    /// The next scan that has no outcome yet goes well.
    pub fn next_scan_will_succeed(&self) {
        self.next_scan_will_fail(JobOutcome::Success);
    }

    pub(super) fn change<R>(&self, f: impl FnOnce(&mut EncoderState) -> R) -> Option<R> {
        self.world.change(|state, _| {
            let encoder = state.sites.get_mut(&self.site)?.encoder(&self.name)?;
            let result = f(encoder);
            encoder.moved.notify_waiters();
            Some(result)
        })
    }
}
