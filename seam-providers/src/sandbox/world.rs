//! The virtual world: its sites, its cards, its clock.
use super::config::SiteConfig;
use super::journal::Journal;
use super::site::Site;
use super::state::{CardState, Content, Row, SiteState};
use super::token::Card;
use chrono::{DateTime, Utc};
use seam_core::clock::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// Virtual sites, with everything that real hardware would remember. A clone is the same world.
///
/// It has no timers and no threads of its own and keeps everything in order, so that the same calls at the same instants give the same
/// answers. Nothing is remembered beyond the process unless the world was [opened](Self::open) on a file.
///
/// ```
/// use seam_core::clock::ManualClock;
/// use seam_providers::sandbox::{Why, World};
/// use std::sync::Arc;
///
/// let clock = Arc::new(ManualClock::new("2026-05-01T12:00:00Z".parse()?));
/// let world = World::hotel(clock, 3);
/// let stranger = world.blank_card();
/// assert_eq!(world.site("hotel").door("101").present(&stranger).why, Why::NoCredential);
/// # Ok::<(), chrono::ParseError>(())
/// ```
#[derive(Clone)]
pub struct World {
    inner: Arc<Inner>,
}

struct Inner {
    clock: Arc<dyn Clock>,
    state: Mutex<Guarded>,
}

struct Guarded {
    state: State,
    journal: Option<Journal>,
    broken: Option<io::ErrorKind>,
}

/// All that the world remembers.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) sites: BTreeMap<String, SiteState>,
    pub(super) cards: BTreeMap<String, CardState>,
    pub(super) next_card: u64,
    pub(super) journaled: bool,
    pub(super) touched_cards: BTreeSet<String>,
    pub(super) touched_count: bool,
}

impl State {
    pub(super) fn new_card(&mut self) -> String {
        self.next_card += 1;
        self.touched_count = true;
        let uid = format!("04{:012X}", self.next_card);
        self.lay_down(&uid, CardState::default());
        uid
    }

    pub(super) fn set_card(&mut self, uid: &str, content: Content, now: DateTime<Utc>) {
        self.lay_down(uid, CardState { content, changed_at: Some(now) });
    }

    fn lay_down(&mut self, uid: &str, card: CardState) {
        self.cards.insert(uid.to_owned(), card);
        if self.journaled {
            self.touched_cards.insert(uid.to_owned());
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sites: Vec<String> = self.look(|state| state.sites.keys().cloned().collect());
        f.debug_struct("World").field("sites", &sites).finish_non_exhaustive()
    }
}

impl World {
    /// An empty world in memory.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let state = Mutex::new(Guarded { state: State::default(), journal: None, broken: None });
        Self { inner: Arc::new(Inner { clock, state }) }
    }

    /// A world whose changes are written to a file before they are answered; what the file holds already is there again.
    ///
    /// A process that is killed leaves at most an unfinished last line, which counts as never written. PINs are in the file as they are: it
    /// stands for the memory of locks, and is for virtual ones only.
    ///
    /// # Errors
    /// The file cannot be read or written, or (`InvalidData`) is no journal of a world, or (`WouldBlock`) another world is open on it. Trying
    /// again helps when the cause is gone.
    pub fn open(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let mut state = State { journaled: true, ..State::default() };
        let journal = Some(Journal::open(path.as_ref(), &mut state)?);
        Ok(Self { inner: Arc::new(Inner { clock, state: Mutex::new(Guarded { state, journal, broken: None }) }) })
    }

    /// A world in memory with one site, `hotel`: see [`SiteConfig::hotel`].
    #[must_use]
    pub fn hotel(clock: Arc<dyn Clock>, rooms: u32) -> Self {
        let world = Self::new(clock);
        world.add(SiteConfig::hotel("hotel", rooms));
        world
    }

    /// Adds a site. A site of that name that is there already takes the new configuration and keeps what its hardware remembers.
    pub fn add(&self, config: SiteConfig) -> Site {
        let name = config.name.clone();
        self.change(|state, _| match state.sites.get_mut(&config.name) {
            Some(site) if site.config == config => {}
            Some(site) => {
                site.config = config;
                site.touch(Row::Config);
            }
            None => {
                let mut site = SiteState::new(config, state.journaled);
                site.touch(Row::Config);
                state.sites.insert(site.config.name.clone(), site);
            }
        });
        Site::new(self.clone(), name)
    }

    /// A site.
    ///
    /// # Panics
    /// There is no such site: a test that misspells one must not pass.
    #[must_use]
    pub fn site(&self, name: &str) -> Site {
        match self.find_site(name) {
            Some(site) => site,
            None => panic!("there is no site {name:?} in this world"),
        }
    }

    /// A site, if there is one of that name.
    #[must_use]
    pub fn find_site(&self, name: &str) -> Option<Site> {
        let known = self.look(|state| state.sites.contains_key(name));
        known.then(|| Site::new(self.clone(), name.to_owned()))
    }

    /// A new card with nothing on it.
    #[must_use]
    pub fn blank_card(&self) -> Card {
        let uid = self.change(|state, _| state.new_card());
        Card::new(self.clone(), uid)
    }

    /// A new card of another maker: no encoder writes it, no door takes it.
    #[must_use]
    pub fn foreign_card(&self) -> Card {
        let card = self.blank_card();
        self.change(|state, now| state.set_card(card.uid(), Content::Foreign, now));
        card
    }

    /// The card with this serial number, in hexadecimal and upper case, if there is one.
    #[must_use]
    pub fn card(&self, uid: &str) -> Option<Card> {
        let known = self.look(|state| state.cards.contains_key(uid));
        known.then(|| Card::new(self.clone(), uid.to_owned()))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// The clock.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.inner.clock
    }

    /// Why the journal could not be written, if that ever happened. From then on the file is out of date.
    #[must_use]
    pub fn journal_error(&self) -> Option<io::ErrorKind> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).broken
    }

    #[cfg(test)]
    pub(super) fn keep_journal_small(&self, bytes: u64) {
        if let Some(journal) = &mut self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).journal {
            journal.keep_small(bytes);
        }
    }

    pub(super) fn look<R>(&self, f: impl FnOnce(&State) -> R) -> R {
        f(&self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).state)
    }

    /// Changes the world and writes down what was changed before it returns.
    pub(super) fn change<R>(&self, f: impl FnOnce(&mut State, DateTime<Utc>) -> R) -> R {
        let now = self.now();
        let mut guarded = self.inner.state.lock().unwrap_or_else(PoisonError::into_inner);
        let Guarded { state, journal, broken } = &mut *guarded;
        let result = f(state, now);
        if let Some(journal) = journal
            && let Err(e) = journal.append(state)
        {
            *broken = broken.or(Some(e.kind()));
        }
        result
    }
}
