//! Jobs at an encoder: who lies there, consent, cancel, deadlines, and a fault at every command.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use async_trait::async_trait;
use chrono::TimeDelta;
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardEncoder, CardProblem, CardSeen, CardState, JobControl, Progress, Technology};
use seam_encoders::apdu::{Command, Response};
use seam_encoders::job::{CardNumber, Cause, Encoder, EncoderBuilder, Entry, JobFailure, Journal, MemoryJournal, WriteError};
use seam_encoders::sim::{Fault, FaultKind};
use seam_encoders::transport::{FieldState, Link, Reader, ReaderError, SimulatedReader};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use support::{OURS, PagesCard, PagesProfile, control, image, in_virtual_time};

struct Desk {
    clock: Arc<ManualClock>,
    reader: SimulatedReader,
    journal: Arc<MemoryJournal>,
    encoder: Encoder,
}

fn desk_with(more: impl FnOnce(EncoderBuilder) -> EncoderBuilder) -> Desk {
    let clock = Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap()));
    let reader = SimulatedReader::new("desk");
    let journal = Arc::new(MemoryJournal::default());
    let builder = Encoder::at(reader.clone()).profile(PagesProfile::default());
    let builder = builder.clock(Arc::clone(&clock) as Arc<dyn Clock>).journal(Arc::clone(&journal) as Arc<dyn Journal>);
    Desk { encoder: more(builder).build(), clock, reader, journal }
}

fn desk() -> Desk {
    desk_with(|builder| builder)
}

impl Desk {
    fn put(&self, card: &PagesCard) {
        self.reader.put(Box::new(card.clone()));
    }
    async fn encode(&self, text: &str) -> Result<(), JobFailure> {
        self.with(&control(&*self.clock), text).await
    }
    async fn with(&self, control: &JobControl, text: &str) -> Result<(), JobFailure> {
        let (image, job) = (image(text), control.clone());
        in_virtual_time(&self.clock, &self.reader, self.encoder.encode(&image, &job)).await.map(drop)
    }
    fn stands(&self, text: &str) -> bool {
        PagesCard::in_field(&self.reader) == (OURS, format!("{text:?}"))
    }
}

#[tokio::test]
async fn a_card_is_written_proved_and_not_taken_for_the_next_one() {
    let d = desk();
    d.put(&PagesCard::blank(1));
    let control = control(&*d.clock);
    let mut progress = control.progress();
    d.with(&control, "room 101").await.unwrap();
    assert!(d.stands("room 101") && d.journal.is_empty());
    let mut told = Vec::new();
    while let Ok(step) = progress.try_recv() {
        told.push(step);
    }
    let writing = (0..6).map(|done| Progress::Writing { done, of: 6 });
    let mut all = vec![Progress::WaitingForCard, Progress::CardSeen];
    all.extend(writing.chain([Progress::Verifying, Progress::TakeCard]));
    assert_eq!(told, all);

    // It still lies there when the next guest's card is asked for.
    let e = d.encode("room 102").await.unwrap_err();
    assert!(matches!(e.cause, Cause::NoCard), "{e}");
    assert!(d.stands("room 101"));
    // Taken away and put back it is a card like any other.
    let card = d.reader.take().unwrap();
    d.reader.put(card);
    d.encode("room 102").await.unwrap();
    assert!(d.stands("room 102"));
}

#[tokio::test]
async fn foreign_and_unknown_cards_are_left_alone() {
    let d = desk();
    let mut theirs = PagesCard::blank(1);
    theirs.pages[0] = *b"else";
    d.put(&theirs);
    let e = d.encode("room 101").await.unwrap_err();
    assert!(matches!(e.cause, Cause::Write(WriteError::Foreign(_))) && e.card == CardState::Untouched, "{e:?}");
    assert_eq!(e.to_card_failure().problem, CardProblem::Foreign);
    assert_eq!(PagesCard::in_field(&d.reader), (*b"else", String::new()));
    // What looks half written is ours only if the journal knows it.
    theirs.pages[0] = support::TORN;
    d.reader.take();
    d.put(&theirs);
    assert!(matches!(d.encode("room 101").await.unwrap_err().cause, Cause::Write(WriteError::Foreign(_))));
    assert!(d.journal.is_empty());
    let mut wrong = image("room 101");
    wrong.technology.0 = "other".to_owned();
    let e = d.encoder.encode(&wrong, &control(&*d.clock)).await.unwrap_err();
    assert!(matches!(e.cause, Cause::Technology) && e.card == CardState::Untouched);
}

#[tokio::test]
async fn the_card_that_was_presented_is_the_one_that_is_written() {
    let d = desk();
    let control = control(&*d.clock);
    d.put(&PagesCard::blank(1));
    let seen = d.encoder.present(&control).await.unwrap();
    assert_eq!(support::card_number(&seen), "04000001");
    d.put(&PagesCard::blank(2));
    let e = d.encoder.write(&seen, &image("room 101"), &control).await.unwrap_err();
    assert_eq!((e.problem, e.card), (CardProblem::Changed, CardState::Untouched));
    d.reader.take();
    let e = d.encoder.write(&seen, &image("room 101"), &control).await.unwrap_err();
    assert_eq!((e.problem, e.card), (CardProblem::Removed, CardState::Untouched));
    d.put(&PagesCard::blank(1));
    d.encoder.write(&seen, &image("room 101"), &control).await.unwrap();
    assert!(d.stands("room 101"));
    d.reader.set_unplugged(true);
    assert_eq!(d.encoder.present(&control).await.unwrap_err().problem, CardProblem::Offline);
}

#[tokio::test]
async fn a_job_ends_when_no_card_comes_or_somebody_cancels() {
    let d = desk();
    let until = d.clock.now() + TimeDelta::seconds(30);
    assert!(matches!(d.encode("room 101").await.unwrap_err().cause, Cause::NoCard));
    assert_eq!(d.clock.now(), until);
    let control = control(&*d.clock);
    let (image, second) = (image("room 102"), control.clone());
    let other = async {
        tokio::task::yield_now().await;
        // One job at a time.
        let e = d.encoder.encode(&image, &second).await.unwrap_err();
        assert!(matches!(e.cause, Cause::Busy));
        second.cancel();
    };
    let img = support::image("room 101");
    let waiting = d.encoder.encode(&img, &control);
    let (done, ()) = tokio::join!(waiting, other);
    assert!(matches!(done.unwrap_err().cause, Cause::Cancelled));
    // The place is free again.
    d.put(&PagesCard::blank(1));
    d.encode("room 101").await.unwrap();
}

/// A reader that hangs while it gives power to a card.
#[derive(Debug)]
struct Hanging;

#[async_trait]
impl Reader for Hanging {
    fn name(&self) -> &str {
        "hanging"
    }
    async fn wait(&self, _: FieldState) -> Result<(), ReaderError> {
        Ok(())
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        std::future::pending().await
    }
}

#[tokio::test]
async fn a_reader_that_hangs_does_not_hang_a_job() {
    let clock = Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap()));
    let encoder = Encoder::at(Hanging).profile(PagesProfile::default()).clock(Arc::clone(&clock) as Arc<dyn Clock>).build();
    let control = control(&*clock);
    let time = async {
        loop {
            tokio::task::yield_now().await;
            if let Some(next) = clock.next_wake() {
                clock.set(next);
            }
        }
    };
    let (seen, image) = (CardSeen::new(Some("04000001".to_owned())), image("room 101"));
    // The limit only turns a hang into a failure.
    let job = tokio::time::timeout(Duration::from_secs(20), encoder.write(&seen, &image, &control));
    let done = tokio::select! { done = job => done.expect("it hangs"), () = time => unreachable!() };
    let e = done.unwrap_err();
    assert_eq!((e.problem, e.card), (CardProblem::Offline, CardState::Untouched));
    assert!(clock.now() <= control.done_by);
}

/// A reader that does not count the cards that are laid there.
#[derive(Debug)]
struct Uncounted(SimulatedReader);
#[derive(Debug)]
struct UncountedLink(Box<dyn Link>);

#[async_trait]
impl Reader for Uncounted {
    fn name(&self) -> &str {
        self.0.name()
    }
    async fn wait(&self, field: FieldState) -> Result<(), ReaderError> {
        self.0.wait(field).await
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        Ok(Box::new(UncountedLink(self.0.connect().await?)))
    }
}

#[async_trait]
impl Link for UncountedLink {
    fn atr(&self) -> &[u8] {
        self.0.atr()
    }
    fn presence(&self) -> u64 {
        0
    }
    async fn transmit(&mut self, command: &Command) -> Result<Response, ReaderError> {
        self.0.transmit(command).await
    }
}

/// There a card counts as the finished one until the field was seen empty, and not for ever.
#[tokio::test]
async fn the_next_card_is_taken_once_the_finished_one_has_left() {
    let mut d = desk();
    let clock = Arc::clone(&d.clock) as Arc<dyn Clock>;
    d.encoder = Encoder::at(Uncounted(d.reader.clone())).profile(PagesProfile::default()).clock(clock).build();
    d.put(&PagesCard::blank(1));
    d.encode("room 101").await.unwrap();
    let hand = async {
        for card in [None, Some(PagesCard::blank(2))] {
            for _ in 0..8 {
                tokio::task::yield_now().await;
            }
            match card {
                None => drop(d.reader.take()),
                Some(card) => d.put(&card),
            }
        }
    };
    let (done, ()) = tokio::join!(d.encode("room 102"), hand);
    done.unwrap();
    assert!(d.stands("room 102"));
}

/// Cancelled before each command of the job in turn: what the failure says is what stands on the card.
#[tokio::test]
async fn a_cancel_is_obeyed_between_any_two_commands() {
    let mut states = Vec::new();
    for at in 0.. {
        let d = desk();
        d.put(&PagesCard::blank(1));
        let control = control(&*d.clock);
        let stop = control.clone();
        let reader = d.reader.clone();
        let watch = async {
            while reader.with_field(|f| f.sent()) < at {
                tokio::task::yield_now().await;
            }
            stop.cancel();
            std::future::pending::<()>().await;
        };
        let job = d.with(&control, "room 101");
        let done = tokio::select! { biased; () = watch => unreachable!(), done = job => done };
        let Err(e) = done else { break };
        assert!(matches!(e.cause, Cause::Cancelled), "{e}");
        states.push(e.card);
        let (first, _) = PagesCard::in_field(&d.reader);
        match e.card {
            CardState::Untouched => assert_eq!(first, [0; 4]),
            CardState::Torn => assert_eq!(first, support::TORN),
            CardState::Unknown => {}
            CardState::Written => panic!("{e}"),
        }
        // A repeat finishes it.
        let card = d.reader.take().unwrap();
        d.reader.put(card);
        d.encode("room 101").await.unwrap();
        assert!(d.stands("room 101") && d.journal.is_empty());
    } // Each kind of state was met: the number, the mark, four pages, the mark, reading back.
    states.dedup();
    assert_eq!(states, [CardState::Untouched, CardState::Torn, CardState::Unknown]);
}

/// Neither the driver of a reader nor PC/SC has a time limit: the job has one for each answer, long before its own end.
#[tokio::test]
async fn a_card_that_says_nothing_more_is_given_up_when_an_answer_is_due() {
    for (within, more) in [(5, None), (2, Some(TimeDelta::seconds(2)))] {
        let d = desk_with(|builder| more.into_iter().fold(builder, EncoderBuilder::exchange_within));
        d.put(&PagesCard::blank(1));
        d.reader.with_field(|field| field.plan(Fault { at: 3, kind: FaultKind::Mute }));
        let before = d.clock.now();
        let e = d.encode("room 101").await.unwrap_err();
        assert!(matches!(e.cause, Cause::TooLate), "{e:?}");
        assert_eq!(d.clock.now() - before, TimeDelta::seconds(within));
    }
}

/// A reader that sends a command as soon as it is asked to, and counts them.
#[derive(Clone, Debug, Default)]
struct Prompt(Arc<AtomicU32>);

#[async_trait]
impl Reader for Prompt {
    fn name(&self) -> &str {
        "prompt"
    }
    async fn wait(&self, _: FieldState) -> Result<(), ReaderError> {
        Ok(())
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        Ok(Box::new(self.clone()))
    }
}

#[async_trait]
impl Link for Prompt {
    fn atr(&self) -> &[u8] {
        &[0x3B, 0x80, 0x80, 0x01, 0x01]
    }
    fn presence(&self) -> u64 {
        1
    }
    async fn transmit(&mut self, _: &Command) -> Result<Response, ReaderError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Response::parse([4, 0, 0, 1, 0x90, 0]).map_err(|_| ReaderError::Gone)
    }
}

#[tokio::test]
async fn no_command_goes_out_once_the_job_must_be_over() {
    let clock = Arc::new(ManualClock::new("2026-03-01T08:00:00Z".parse().unwrap()));
    let reader = Prompt::default();
    let encoder = Encoder::at(reader.clone()).profile(PagesProfile::default()).clock(Arc::clone(&clock) as Arc<dyn Clock>).build();
    let now = clock.now();
    for (done_by, sent) in [(now, 0), (now + TimeDelta::seconds(1), 1)] {
        let looked = encoder.look(&JobControl::new(now + TimeDelta::seconds(30), done_by)).await;
        let is_late = matches!(&looked, Err(e) if matches!(e.cause, Cause::TooLate));
        assert_eq!((is_late, reader.0.load(Ordering::SeqCst)), (sent == 0, sent), "{looked:?}");
    }
}

/// A fault, made anew for each try.
type Make = fn() -> FaultKind;

fn faults() -> Vec<(&'static str, Make)> {
    vec![
        ("pulled before", || FaultKind::PulledAfterBytes(0)),
        ("pulled after", || FaultKind::PulledAfterBytes(300)),
        ("pulled in the answer", || FaultKind::PulledInAnswer(1)),
        ("mute", || FaultKind::Mute),
        ("garbage", || FaultKind::Garbage(vec![0x6F, 0x00])),
        ("nonsense", || FaultKind::Garbage(vec![1, 2, 3, 4, 5, 6, 7, 0x90, 0])),
        ("slow", || FaultKind::Slow(Duration::ZERO)),
        ("replaced", || FaultKind::Replaced(Box::new(PagesCard::blank(9)))),
    ]
}

/// Whatever happens at whichever command: the failure is typed and true of the card, nothing of it is lost, and a repeat finishes the job.
#[tokio::test]
async fn a_fault_at_every_command_leaves_a_card_that_a_repeat_finishes() {
    let mut tried = 0;
    for (name, kind) in faults() {
        for at in 0.. {
            let d = desk();
            d.put(&PagesCard::blank(1));
            d.reader.with_field(|f| f.plan(Fault { at, kind: kind() }));
            let result = d.encode("room 101").await;
            if d.reader.with_field(|f| f.sent()) <= at {
                result.unwrap();
                break;
            }
            tried += 1;
            // The first card comes back; another one that took its place is not taken for it.
            match d.reader.take() {
                Some(card) if card.uid() == [4, 0, 0, 9] => {
                    let is_changed = matches!(&result, Err(JobFailure { cause: Cause::Changed, .. }));
                    assert_eq!(is_changed, at > 0, "{name} at {at}");
                    assert!(d.reader.put_back());
                }
                Some(card) => drop(d.reader.put(card)),
                None => assert!(d.reader.put_back(), "a card that nobody pulled is gone: {name} at {at}"),
            }
            if let Err(e) = &result {
                let (first, _) = PagesCard::in_field(&d.reader);
                match e.card {
                    CardState::Untouched => assert_eq!(first, [0; 4], "{name} at {at}: {e}"),
                    CardState::Torn => assert_ne!(first, OURS, "{name} at {at}: {e}"),
                    CardState::Unknown => {}
                    CardState::Written => panic!("{name} at {at}: {e}"),
                }
            }
            d.encode("room 101").await.unwrap_or_else(|e| panic!("{name} at {at}: {e}"));
            assert!(d.stands("room 101") && d.journal.is_empty(), "{name} at {at}");
        }
    }
    assert!(tried > 100, "{tried}");
}

/// A journal that cannot be written stops a job before the card is changed.
#[tokio::test]
async fn nothing_is_written_that_could_not_be_remembered() {
    #[derive(Debug)]
    struct Full;
    #[async_trait]
    impl Journal for Full {
        async fn find(&self, _: &Technology, _: &CardNumber) -> std::io::Result<Option<Entry>> {
            Ok(None)
        }
        async fn begin(&self, _: &Technology, _: &CardNumber, _: &Entry) -> std::io::Result<()> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        async fn end(&self, _: &Technology, _: &CardNumber) -> std::io::Result<()> {
            Ok(())
        }
    }
    let d = desk_with(|builder| builder.journal(Arc::new(Full)));
    d.put(&PagesCard::blank(1));
    let e = d.encode("room 101").await.unwrap_err();
    assert!(matches!(e.cause, Cause::Journal(_)) && e.card == CardState::Untouched, "{e:?}");
    assert_eq!(PagesCard::in_field(&d.reader).0, [0; 4]);
}

/// With time for that, a card that was taken away half-way and put back is finished within the same job; another one is not.
#[tokio::test]
async fn a_card_that_comes_back_in_time_is_finished_by_the_same_job() {
    for is_same in [true, false] {
        let d = desk_with(|builder| builder.waits_for_return(TimeDelta::seconds(10)));
        d.put(&PagesCard::blank(1));
        d.reader.with_field(|f| f.plan(Fault { at: 5, kind: FaultKind::PulledAfterBytes(0) }));
        let reader = d.reader.clone();
        let hand = async {
            while reader.with_field(|f| f.card().is_some()) {
                tokio::task::yield_now().await;
            }
            if is_same {
                assert!(reader.put_back());
            } else {
                reader.put(Box::new(PagesCard::blank(2)));
            }
        };
        let (done, ()) = tokio::join!(d.encode("room 101"), hand);
        if is_same {
            done.unwrap();
            assert!(d.stands("room 101") && d.journal.is_empty());
        } else {
            let e = done.unwrap_err();
            assert!(matches!(e.cause, Cause::Changed) && e.card == CardState::Torn, "{e:?}");
            assert_eq!(PagesCard::in_field(&d.reader).0, [0; 4]);
        }
    }
}
