//! The encoder: one reader, the technologies that it writes, one job at a time.
use super::failure::{Cause, JobFailure};
use super::journal::{Entry, Journal, MemoryJournal};
use super::profile::{CardNumber, Profile, Stage, Task};
use crate::dialogue::{Dialogue, Step};
use crate::error::CardError;
use crate::transport::{FieldState, Link, Reader, ReaderError};
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use futures_util::future::{Either, select};
use seam_core::clock::{Clock, SystemClock};
use seam_core::encoder::{CardEncoder, CardFailure, CardImage, CardSeen, JobControl, Progress, Technology};
use serde_json::Value;
use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One answer of a card may take so long. A change of a key on a slow card takes about 100 ms.
const EXCHANGE: TimeDelta = TimeDelta::seconds(5);

/// Writes the cards that are laid on one reader. A clone is the same encoder; it does one job at a time.
#[derive(Clone)]
pub struct Encoder {
    inner: Arc<Inner>,
}

struct Inner {
    reader: Arc<dyn Reader>,
    profiles: Vec<Arc<dyn Profile>>,
    technologies: Vec<Technology>,
    journal: Arc<dyn Journal>,
    clock: Arc<dyn Clock>,
    exchange: TimeDelta,
    patience: TimeDelta,
    may_share: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    at_work: bool,
    /// The laying of a card that was finished: it is not taken for the next guest's until it has left the field.
    finished: Option<u64>,
}

/// Sets up an [`Encoder`].
pub struct EncoderBuilder(Inner);

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Encoder")
            .field("reader", &self.inner.reader)
            .field("technologies", &self.inner.technologies)
            .finish_non_exhaustive()
    }
}
impl fmt::Debug for EncoderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncoderBuilder").field("reader", &self.0.reader).finish_non_exhaustive()
    }
}

impl EncoderBuilder {
    /// Writes cards of this technology too. Cards are recognised in the order in which profiles were added.
    #[must_use]
    pub fn profile(mut self, profile: impl Profile) -> Self {
        self.0.technologies.push(profile.technology().clone());
        self.0.profiles.push(Arc::new(profile));
        self
    }
    /// Where interrupted jobs are remembered. Without one: as long as the process lasts.
    #[must_use]
    pub fn journal(mut self, journal: Arc<dyn Journal>) -> Self {
        self.0.journal = journal;
        self
    }
    /// Where the time comes from. Without one: the system.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.0.clock = clock;
        self
    }
    /// How long one answer of a card may take; 5 s without. A reader whose exchange was given up is unusable until its driver returns.
    #[must_use]
    pub fn exchange_within(mut self, time: TimeDelta) -> Self {
        self.0.exchange = time;
        self
    }
    /// How long a person has to put a card back that was taken away half-way; the job then goes on by itself. Without it the job ends, and
    /// whoever asks again with the same card finishes it.
    #[must_use]
    pub fn waits_for_return(mut self, time: TimeDelta) -> Self {
        self.0.patience = time;
        self
    }
    /// Cards that others use too may be written: our application is added beside theirs. Without this word they are refused as foreign.
    #[must_use]
    pub fn may_share_cards(mut self) -> Self {
        self.0.may_share = true;
        self
    }
    /// The encoder.
    #[must_use]
    pub fn build(self) -> Encoder {
        Encoder { inner: Arc::new(self.0) }
    }
}

/// What a job did.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Encoded {
    /// The card that was written and proved.
    pub card: CardSeen,
    /// How many commands it took from looking at the card to the end.
    pub commands: u32,
}

/// A connection to a card that was identified.
struct Open {
    link: Box<dyn Link>,
    profile: Arc<dyn Profile>,
    number: CardNumber,
    commands: u32,
}

/// The place at the reader, given back when the job ends however it ends.
struct Place<'e>(&'e Encoder);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.state().at_work = false;
    }
}

impl Encoder {
    /// An encoder at this reader; add [profiles](EncoderBuilder::profile) to it.
    #[must_use]
    pub fn at(reader: impl Reader) -> EncoderBuilder {
        EncoderBuilder(Inner {
            reader: Arc::new(reader),
            profiles: Vec::new(),
            technologies: Vec::new(),
            journal: Arc::new(MemoryJournal::default()),
            clock: Arc::new(SystemClock),
            exchange: EXCHANGE,
            patience: TimeDelta::zero(),
            may_share: false,
            state: Mutex::default(),
        })
    }

    /// Waits for a card, writes the image on it and proves it.
    ///
    /// The progress of the job is the [`progress`](JobControl::progress) of its control; cancelling that ends it at the next command.
    ///
    /// # Errors
    /// [`JobFailure`]: why, and how the card was left.
    pub async fn encode(&self, image: &CardImage, control: &JobControl) -> Result<Encoded, JobFailure> {
        let _place = self.place()?;
        let open = self.wait_for_card(control).await?;
        self.write_open(open, image, control).await
    }

    /// Waits for a card and says what it is.
    ///
    /// # Errors
    /// [`JobFailure`]; the card is untouched.
    pub async fn look(&self, control: &JobControl) -> Result<CardSeen, JobFailure> {
        let _place = self.place()?;
        let open = self.wait_for_card(control).await?;
        Ok(open.seen())
    }

    /// Waits for a card, says what it is and what of ours stands on it; `None`: nothing, or its technology cannot tell.
    ///
    /// # Errors
    /// [`JobFailure`]; the card is untouched.
    pub async fn read(&self, control: &JobControl) -> Result<(CardSeen, Option<Value>), JobFailure> {
        let _place = self.place()?;
        let mut open = self.wait_for_card(control).await?;
        let content = match open.profile.read(&open.number) {
            Some(dialogue) => {
                let read = self.run(&mut *open.link, dialogue, &mut open.commands, control, None).await;
                read.and_then(|read| Ok(read?)).map_err(JobFailure::untouched)?
            }
            None => None,
        };
        Ok((open.seen(), content))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn place(&self) -> Result<Place<'_>, JobFailure> {
        if std::mem::replace(&mut self.state().at_work, true) {
            return Err(JobFailure::untouched(Cause::Busy));
        }
        Ok(Place(self))
    }

    async fn wait_for_card(&self, control: &JobControl) -> Result<Open, JobFailure> {
        control.report(Progress::WaitingForCard);
        let open = self.card_by(control.card_by, control).await.map_err(JobFailure::untouched)?;
        control.report(Progress::CardSeen);
        Ok(open)
    }

    async fn card_by(&self, by: DateTime<Utc>, control: &JobControl) -> Result<Open, Cause> {
        if control.is_cancelled() {
            return Err(Cause::Cancelled);
        }
        let cancelled = pin!(control.cancelled());
        let stop = select(cancelled, self.inner.clock.sleep_until(by));
        match select(pin!(self.next_card(control)), stop).await {
            Either::Left((found, _)) => found,
            Either::Right((Either::Left(_), _)) => Err(Cause::Cancelled),
            Either::Right((Either::Right(_), _)) => Err(Cause::NoCard),
        }
    }

    /// The next card that can be talked to. It may be dropped anywhere: nothing is written here.
    async fn next_card(&self, control: &JobControl) -> Result<Open, Cause> {
        loop {
            self.inner.reader.wait(FieldState::Card).await.map_err(Cause::Reader)?;
            let link = match self.inner.reader.connect().await {
                Ok(link) => link,
                // A card that is just coming or going, or lies badly.
                Err(ReaderError::NoCard | ReaderError::Gone | ReaderError::Mute) => {
                    self.breathe().await;
                    continue;
                }
                Err(e) => return Err(Cause::Reader(e)),
            };
            if self.state().finished == Some(link.presence()) {
                drop(link);
                self.inner.reader.wait(FieldState::Empty).await.map_err(Cause::Reader)?;
                // It has left. Whatever comes now is another laying, also at a reader that counts none.
                self.state().finished = None;
                continue;
            }
            match self.identified(link, control).await {
                Err(Cause::Removed) => self.breathe().await,
                other => return other,
            }
        }
    }

    /// A card that comes and goes must not keep the processor busy.
    async fn breathe(&self) {
        self.inner.clock.sleep_until(self.inner.clock.now() + TimeDelta::milliseconds(20)).await;
    }

    /// The card that lies there now.
    async fn card_now(&self, control: &JobControl) -> Result<Open, Cause> {
        // Connecting gives power to the card: that may hang as any exchange may.
        let late = self.inner.clock.sleep_until(self.exchange_by(control));
        match select(self.inner.reader.connect(), late).await {
            Either::Left((Ok(link), _)) => self.identified(link, control).await,
            Either::Left((Err(ReaderError::NoCard | ReaderError::Gone), _)) => Err(Cause::Removed),
            Either::Left((Err(e), _)) => Err(Cause::Reader(e)),
            Either::Right(_) => Err(Cause::TooLate),
        }
    }

    /// Until when an exchange that begins now must be over.
    fn exchange_by(&self, control: &JobControl) -> DateTime<Utc> {
        control.done_by.min(self.inner.clock.now() + self.inner.exchange)
    }

    /// Asks the card what it is, with one profile after the other.
    async fn identified(&self, mut link: Box<dyn Link>, control: &JobControl) -> Result<Open, Cause> {
        let mut commands = 0;
        for profile in &self.inner.profiles {
            let dialogue = profile.identify(link.atr());
            match self.run(&mut *link, dialogue, &mut commands, control, None).await? {
                Ok(Some(number)) => return Ok(Open { link, profile: Arc::clone(profile), number, commands }),
                // Not of this technology.
                Ok(None) | Err(CardError::Status(_) | CardError::NotThisTechnology { .. } | CardError::Garbage(_)) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Err(Cause::Technology)
    }

    /// Writes the card of a connection, and again when it comes back in time after it was taken away.
    async fn write_open(&self, mut open: Open, image: &CardImage, control: &JobControl) -> Result<Encoded, JobFailure> {
        if open.profile.technology() != &image.technology {
            return Err(JobFailure::untouched(Cause::Technology));
        }
        let mut task = Task::new(open.number.clone(), open.link.atr(), image.content.clone(), self.inner.may_share);
        // Over all tries: how far the commands went that were sent.
        let mut sent = Stage::Looking;
        loop {
            let result = self.write_once(&mut open, &mut task, &mut sent, control).await;
            let presence = open.link.presence();
            let (seen, commands) = (open.seen(), open.commands);
            drop(open);
            if result.is_ok() || sent == Stage::Live {
                self.state().finished = Some(presence);
            }
            let cause = match result {
                Ok(()) => {
                    control.report(Progress::TakeCard);
                    return Ok(Encoded { card: seen, commands });
                }
                Err(Cause::Removed) => match self.back_again(&task, control).await {
                    Ok(again) => {
                        open = Open { commands: commands + again.commands, ..again };
                        continue;
                    }
                    Err(cause) => cause,
                },
                Err(cause) => cause,
            };
            return Err(JobFailure::at(sent, cause));
        }
    }

    /// The same card, if it comes back while a person is given time for that. Without that time: whether another one lies there now.
    async fn back_again(&self, task: &Task, control: &JobControl) -> Result<Open, Cause> {
        let by = control.done_by.min(self.inner.clock.now() + self.inner.patience);
        let found = if self.inner.patience > TimeDelta::zero() {
            control.report(Progress::WaitingForCard);
            self.state().finished = None;
            self.card_by(by, control).await
        } else {
            match self.card_now(control).await {
                Ok(open) if open.number == task.card => return Err(Cause::Removed),
                other => other,
            }
        };
        match found {
            Ok(open) if open.number == task.card => Ok(open),
            Ok(_) | Err(Cause::Technology) => Err(Cause::Changed),
            Err(Cause::Cancelled) => Err(Cause::Cancelled),
            Err(_) => Err(Cause::Removed),
        }
    }

    async fn write_once(&self, open: &mut Open, task: &mut Task, sent: &mut Stage, control: &JobControl) -> Result<(), Cause> {
        let profile = Arc::clone(&open.profile);
        let technology = profile.technology();
        task.interrupted = self.inner.journal.find(technology, &task.card).await.map_err(Cause::Journal)?;
        let entry = Entry::after(task.interrupted.as_ref(), profile.key_version(), self.inner.clock.now());
        let mut course = Course { task, technology, entry, is_noted: false, sent };
        let link = &mut *open.link;
        self.run(link, profile.write(task.clone()), &mut open.commands, control, Some(&mut course)).await??;
        course.is_noted = true;
        control.report(Progress::Verifying);
        self.run(link, profile.verify(task.clone()), &mut open.commands, control, Some(&mut course)).await??;
        // The card is done whatever becomes of the entry, which does no harm: the next job begins by looking at the card.
        if let Err(e) = self.inner.journal.end(technology, &task.card).await {
            tracing::warn!(error = %e, "a finished card stays in the journal");
        }
        Ok(())
    }

    /// Steps a dialogue with the card. The outer error is the reader's or the job's, the inner result the dialogue's.
    async fn run<T, E: From<CardError>>(
        &self,
        link: &mut dyn Link,
        mut dialogue: Dialogue<T, E>,
        commands: &mut u32,
        control: &JobControl,
        mut course: Option<&mut Course<'_>>,
    ) -> Result<Result<T, E>, Cause> {
        let mut answer = None;
        loop {
            let command = match dialogue.step(answer) {
                Step::Done(result) => return Ok(result),
                Step::Send(command) => command,
            };
            dialogue.progress().into_iter().for_each(|progress| control.report(progress));
            self.may_go_on(control)?;
            if let Some(course) = course.as_deref_mut() {
                self.remember(course).await?;
                *course.sent = course.task.stage().max(*course.sent);
            }
            *commands += 1;
            let late = self.inner.clock.sleep_until(self.exchange_by(control));
            answer = match select(link.transmit(&command), late).await {
                Either::Left((Ok(response), _)) => Some(response),
                Either::Left((Err(ReaderError::Gone | ReaderError::NoCard), _)) => return Err(Cause::Removed),
                Either::Left((Err(e), _)) => return Err(Cause::Reader(e)),
                Either::Right(_) => return Err(Cause::TooLate),
            };
        }
    }

    /// Between two commands: whether the job goes on.
    fn may_go_on(&self, control: &JobControl) -> Result<(), Cause> {
        if control.is_cancelled() {
            return Err(Cause::Cancelled);
        }
        if self.inner.clock.now() >= control.done_by {
            return Err(Cause::TooLate);
        }
        Ok(())
    }

    /// Before the first command that changes the card.
    async fn remember(&self, course: &mut Course<'_>) -> Result<(), Cause> {
        if !course.is_noted && course.task.stage() > Stage::Looking {
            self.inner.journal.begin(course.technology, &course.task.card, &course.entry).await.map_err(Cause::Journal)?;
            course.is_noted = true;
        }
        Ok(())
    }
}

/// A job under way.
struct Course<'c> {
    task: &'c Task,
    technology: &'c Technology,
    entry: Entry,
    is_noted: bool,
    sent: &'c mut Stage,
}

impl Open {
    fn seen(&self) -> CardSeen {
        let mut seen = CardSeen::new(Some(self.number.hex()));
        seen.technology = Some(self.profile.technology().clone());
        seen
    }
}

#[async_trait]
impl CardEncoder for Encoder {
    fn technologies(&self) -> &[Technology] {
        &self.inner.technologies
    }

    async fn present(&self, control: &JobControl) -> Result<CardSeen, CardFailure> {
        self.look(control).await.map_err(|e| e.to_card_failure())
    }

    async fn write(&self, to: &CardSeen, image: &CardImage, control: &JobControl) -> Result<(), CardFailure> {
        let write = async {
            let _place = self.place()?;
            let open = self.card_now(control).await.map_err(JobFailure::untouched)?;
            if Some(open.number.hex()) != to.number {
                return Err(JobFailure::untouched(Cause::Changed));
            }
            self.write_open(open, image, control).await
        };
        write.await.map(drop).map_err(|e| e.to_card_failure())
    }
}
