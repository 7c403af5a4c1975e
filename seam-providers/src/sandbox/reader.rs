//! A reader of our own at a desk, and the images that a site computes for it.
use super::encode::record;
use super::provider::SandboxProvider;
use super::serve::Trip;
use super::state::{Content, Key};
use super::token::Card;
use super::world::World;
use async_trait::async_trait;
use futures_util::future::select;
use seam_core::encoder::{CardEncoder, CardFailure, CardImage, CardProblem, CardSeen, CardState, JobControl, Technology};
use seam_core::provider::{Call, CardImages, CardPath, CredentialSpec, Failure, Handle, Kind, Reason, Want};
use std::collections::VecDeque;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// What virtual cards are made of.
const TECHNOLOGY: &str = "sandbox";

#[async_trait]
impl CardImages for SandboxProvider {
    async fn image(&self, card: &CredentialSpec, had: Option<&Handle>, on: &CardSeen, call: &Call<'_>) -> Result<CardImage, Failure> {
        let checked = self.check(&Want::Credential(card.clone()), call)?;
        if card.body.kind() != Kind::Card || checked.rules.card != Some(CardPath::OwnEncoder) {
            return Err(Failure::unsupported("this site computes no image of such a thing"));
        }
        let Some(uid) = &on.number else { return Err(Failure::refused(Reason::BadCard, "the image is made for the number of a card")) };
        let trip = Trip::begin(&self.world, &self.site, "image", call.within).await?;
        let made = trip.act(|site, _| {
            let id = record(site, &checked, card, had, &call.tag, uid)?;
            Ok((site.key(&id), id))
        });
        let kept = match &made {
            // From here on the site has it on record.
            Ok((_, id)) => call.notes.keep(&Handle::text(id)).await,
            Err(_) => Ok(()),
        };
        let (key, _) = trip.end(made).await?;
        kept?;
        let content = serde_json::to_value(key).map_err(|e| Failure::refused(Reason::Garbled, e.to_string()))?;
        Ok(CardImage { technology: Technology(TECHNOLOGY.to_owned()), content })
    }
}

/// A reader of our own, in memory: it writes the virtual cards that are laid on it. A clone is the same reader.
///
/// ```
/// use seam_core::EngineConfig;
/// use seam_core::clock::SystemClock;
/// use seam_providers::sandbox::{Reader, World};
/// use std::sync::Arc;
///
/// let world = World::hotel(Arc::new(SystemClock), 3);
/// let reader = Reader::new(&world);
/// let mut config = EngineConfig::default();
/// config.card_encoders.insert("local:usb:desk".to_owned(), Arc::new(reader.clone()));
/// reader.put_card(&world.blank_card());
/// ```
#[derive(Clone)]
pub struct Reader {
    world: World,
    inner: Arc<Inner>,
}

struct Inner {
    state: Mutex<State>,
    technologies: Vec<Technology>,
    moved: Notify,
}

#[derive(Default)]
struct State {
    field: Vec<String>,
    tray: Vec<String>,
    always_blank: bool,
    next_write: VecDeque<(CardFailure, bool)>,
    next_present: VecDeque<CardFailure>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("field", &self.state().field).finish_non_exhaustive()
    }
}

impl Reader {
    /// A reader with nothing on it.
    #[must_use]
    pub fn new(world: &World) -> Self {
        let technologies = vec![Technology(TECHNOLOGY.to_owned())];
        Self { world: world.clone(), inner: Arc::new(Inner { state: Mutex::default(), technologies, moved: Notify::new() }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change<R>(&self, f: impl FnOnce(&mut State) -> R) -> R {
        let result = f(&mut self.state());
        self.inner.moved.notify_waiters();
        result
    }

    /// Lays a card on it, beside what lies there already.
    pub fn put_card(&self, card: &Card) {
        self.change(|r| r.field.push(card.uid().to_owned()));
    }
    /// Takes a card away; none when the field is empty.
    pub fn take_card(&self) -> Option<Card> {
        self.change(|r| (!r.field.is_empty()).then(|| r.field.remove(0))).and_then(|uid| self.world.card(&uid))
    }
    /// A blank card lies on it whenever nobody laid one there; what is written on it goes to a tray.
    pub fn always_blank(&self) {
        self.change(|r| r.always_blank = true);
    }
    /// Takes what was written onto cards that lay there by themselves, in the order of writing.
    pub fn take_written(&self) -> Vec<Card> {
        let tray = self.change(|r| std::mem::take(&mut r.tray));
        tray.iter().filter_map(|uid| self.world.card(uid)).collect()
    }
    /// The next look at a card that was told nothing yet fails like this.
    pub fn next_present_will_fail(&self, failure: CardFailure) {
        self.change(|r| r.next_present.push_back(failure));
    }
    /// The next write that was told nothing yet fails like this; `written`: the key is on the card all the same.
    pub fn next_write_will_fail(&self, failure: CardFailure, written: bool) {
        self.change(|r| r.next_write.push_back((failure, written)));
    }

    fn look(&self) -> Result<Option<String>, CardFailure> {
        let always_blank = {
            let state = self.state();
            match state.field.as_slice() {
                [] => state.always_blank,
                [uid] => return Ok(Some(uid.clone())),
                _ => return Err(CardFailure::new(CardProblem::Two, CardState::Untouched)),
            }
        };
        Ok(always_blank.then(|| self.world.blank_card().uid().to_owned()))
    }

    fn set(&self, uid: &str, content: Content) {
        self.world.change(|state, now| state.set_card(uid, content, now));
    }
}

#[async_trait]
impl CardEncoder for Reader {
    fn technologies(&self) -> &[Technology] {
        &self.inner.technologies
    }

    async fn present(&self, control: &JobControl) -> Result<CardSeen, CardFailure> {
        if let Some(failure) = self.change(|r| r.next_present.pop_front()) {
            return Err(failure);
        }
        loop {
            let moved = self.inner.moved.notified();
            if control.is_cancelled() {
                return Err(CardFailure::new(CardProblem::Cancelled, CardState::Untouched));
            }
            if let Some(uid) = self.look()? {
                let mut seen = CardSeen::new(Some(uid));
                seen.technology = Some(Technology(TECHNOLOGY.to_owned()));
                return Ok(seen);
            }
            if self.world.now() >= control.card_by {
                return Err(CardFailure::new(CardProblem::None, CardState::Untouched));
            }
            let late = self.world.clock().sleep_until(control.card_by);
            select(pin!(control.cancelled()), select(pin!(moved), pin!(late))).await;
        }
    }

    async fn write(&self, to: &CardSeen, image: &CardImage, control: &JobControl) -> Result<(), CardFailure> {
        let untouched = |problem| Err(CardFailure::new(problem, CardState::Untouched));
        let uid = to.number.clone().unwrap_or_default();
        let Ok(Some(key)) = serde_json::from_value::<Option<Key>>(image.content.clone()) else {
            return untouched(CardProblem::NotWritable);
        };
        let on_field = self.state().field.clone();
        let by_itself = on_field.is_empty() && self.state().always_blank;
        match on_field.as_slice() {
            _ if control.is_cancelled() => return untouched(CardProblem::Cancelled),
            [] if by_itself => {}
            [] => return untouched(CardProblem::Removed),
            [one] if *one == uid => {}
            _ => return untouched(CardProblem::Changed),
        }
        if self.world.look(|state| state.cards.get(&uid).is_some_and(|c| c.content == Content::Foreign)) {
            return untouched(CardProblem::Foreign);
        }
        let told = self.change(|r| r.next_write.pop_front());
        if told.as_ref().is_none_or(|(_, written)| *written) {
            self.set(&uid, Content::Key(key));
            if by_itself {
                self.change(|r| r.tray.push(uid));
            }
        } else if told.as_ref().is_some_and(|(f, _)| f.card == CardState::Torn) {
            self.set(&uid, Content::Torn);
        }
        told.map_or(Ok(()), |(failure, _)| Err(failure))
    }
}
