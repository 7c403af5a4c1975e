//! What happens at a desk, through PC/SC.
use crate::stand::{NAMES, Service, Slot, connected, service, soon, within};
use crate::support::{OURS, PagesCard, PagesProfile, control, image};
use chrono::TimeDelta;
use seam_core::clock::{Clock, SystemClock};
use seam_core::encoder::{CardEncoder, CardImage, CardProblem, CardSeen, CardState, JobControl, Progress, Technology};
use seam_encoders::apdu::{Command, StatusWord};
use seam_encoders::classic::access::ClassicKey;
use seam_encoders::classic::job::SectorKeys;
use seam_encoders::classic::mad::Aid;
use seam_encoders::job::{Cause, ClassicProfile, DesfireProfile, Encoder, Profile};
use seam_encoders::keys::{Diversified, FixedKeys, Key, KeySource};
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::{DesfireCard, DesfireModel, Fault, FaultKind, SimulatedCard};
use seam_encoders::transport::pcsc::{PcscReader, changed, list};
use seam_encoders::transport::{FieldState, Reader, ReaderError};
use serde_json::json;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One after the other: they share one service.
pub(crate) async fn all() {
    let gone = PcscReader::new(NAMES[0]).connect().await.unwrap_err();
    assert!(matches!(gone, ReaderError::Offline(_)), "no service runs yet: {gone:?}");
    let service = service().await;
    readers_are_listed().await;
    a_wait_ends_when_it_is_dropped_and_when_a_card_comes().await;
    a_card_belongs_to_one_program_at_a_time().await;
    a_card_that_leaves_is_gone_and_its_session_with_it().await;
    a_mute_card_wedges_the_reader_until_it_leaves().await;
    a_job_is_cancelled_while_it_waits().await;
    a_service_that_hangs_is_an_error_in_time(&service).await;
    // In a slot each, at the same time.
    tokio::join!(desfire(), classic());
    the_service_may_end_and_come_back(service).await;
}

fn uid() -> Command {
    Command::new(0xFF, 0xCA, 0, 0).expecting(0)
}

async fn readers_are_listed() {
    let known = list().await.unwrap();
    assert_eq!(known, NAMES);
    assert_eq!(within("the first list", changed(&[])).await.unwrap(), NAMES);
    // Nothing comes or goes, and the wait for it can be dropped.
    assert!(tokio::time::timeout(Duration::from_millis(50), changed(&known)).await.is_err());
    let unknown = PcscReader::new("No Such Reader");
    assert!(matches!(unknown.connect().await.unwrap_err(), ReaderError::Offline(_)));
    assert!(matches!(within("an unknown reader", unknown.wait(FieldState::Card)).await.unwrap_err(), ReaderError::Offline(_)));
}

async fn a_wait_ends_when_it_is_dropped_and_when_a_card_comes() {
    let mut slot = Slot::new(0);
    let reader = slot.reader();
    assert_eq!(reader.connect().await.unwrap_err(), ReaderError::NoCard);
    within("an empty field", reader.wait(FieldState::Empty)).await.unwrap();
    // The thread of the reader is free again at once, not after the longest wait of the service.
    for _ in 0..3 {
        assert!(tokio::time::timeout(Duration::from_millis(50), reader.wait(FieldState::Card)).await.is_err());
    }
    let wait = tokio::spawn(async move { reader.wait(FieldState::Card).await });
    slot.put(PagesCard::blank(1)).await;
    within("the card", wait).await.unwrap().unwrap();
    slot.take_out();
    within("it is taken out", slot.reader().wait(FieldState::Empty)).await.unwrap();
}

async fn a_card_belongs_to_one_program_at_a_time() {
    let mut slot = Slot::new(0);
    slot.put(PagesCard::blank(1)).await;
    let (one, other) = (slot.reader(), slot.other_reader());
    let mut link = connected(&one).await;
    assert_eq!(link.atr(), [0x3B, 0x80, 0x80, 0x01, 0x01]);
    assert_eq!(other.connect().await.unwrap_err(), ReaderError::Busy);
    let answer = link.transmit(&uid()).await.unwrap();
    assert_eq!((answer.data(), answer.status()), (&[4, 0, 0, 1][..], StatusWord::OK));
    let presence = link.presence();
    drop(link);
    let mut again = None;
    soon("the reader is free", async || {
        again = other.connect().await.ok();
        again.is_some()
    })
    .await;
    assert_eq!(again.unwrap().presence(), presence, "nobody lifted the card");
    slot.take_out();
    slot.insert().await;
    assert_ne!(connected(&one).await.presence(), presence, "it was lifted");
}

async fn a_card_that_leaves_is_gone_and_its_session_with_it() {
    for kind in [FaultKind::PulledAfterBytes(0), FaultKind::PulledInAnswer(1)] {
        let mut slot = Slot::new(0);
        slot.put(PagesCard::blank(1)).await;
        let reader = slot.reader();
        let mut link = connected(&reader).await;
        link.transmit(&uid()).await.unwrap();
        let at = slot.field().sent();
        slot.field().plan(Fault { at, kind });
        assert_eq!(link.transmit(&uid()).await, Err(ReaderError::Gone));
        slot.put_back().await;
        // The card is back, the session is not.
        assert_eq!(link.transmit(&uid()).await, Err(ReaderError::Gone));
        drop(link);
        connected(&reader).await.transmit(&uid()).await.unwrap();
    }
}

async fn a_mute_card_wedges_the_reader_until_it_leaves() {
    let mut slot = Slot::new(0);
    slot.put(PagesCard::blank(1)).await;
    let encoder = Encoder::at(slot.reader()).profile(PagesProfile::default()).exchange_within(TimeDelta::milliseconds(300)).build();
    let at = slot.field().sent();
    slot.field().plan(Fault { at: at + 3, kind: FaultKind::Mute });
    let control = control(&SystemClock);
    let (text, other) = (image("room 101"), image("room 102"));
    let e = within("a mute card", encoder.encode(&text, &control)).await.unwrap_err();
    assert!(matches!(e.cause, Cause::TooLate) && e.card == CardState::Torn, "{e:?}");
    let e = within("a wedged reader", encoder.encode(&other, &control)).await.unwrap_err();
    assert!(matches!(e.cause, Cause::Reader(ReaderError::Wedged)) && e.card == CardState::Untouched, "{e:?}");
    // The driver returns when the card leaves; a new thread opens a new context.
    slot.take_out();
    let done = async {
        loop {
            match encoder.encode(&text, &control).await {
                Err(e) if matches!(e.cause, Cause::Reader(ReaderError::Wedged)) => tokio::time::sleep(Duration::from_millis(20)).await,
                done => return done,
            }
        }
    };
    let (done, ()) = within("the repeat", async { tokio::join!(done, slot.insert()) }).await;
    done.unwrap();
    assert_eq!(PagesCard::in_the(&mut slot.field()), (OURS, "\"room 101\"".to_owned()));
}

async fn a_job_is_cancelled_while_it_waits() {
    let slot = Slot::new(1);
    let encoder = Encoder::at(slot.reader()).profile(PagesProfile::default()).build();
    let control = control(&SystemClock);
    let mut progress = control.progress();
    let text = image("room 101");
    let cancel = async {
        assert_eq!(progress.recv().await, Some(Progress::WaitingForCard));
        control.cancel();
    };
    let (done, ()) = within("a cancel", async { tokio::join!(encoder.encode(&text, &control), cancel) }).await;
    assert!(matches!(done.unwrap_err().cause, Cause::Cancelled));
}

/// Every call to the service hangs then, also the first one of a reader, which opens its context.
async fn a_service_that_hangs_is_an_error_in_time(service: &Service) {
    let mut slot = Slot::new(1);
    slot.put(PagesCard::blank(1)).await;
    let (known, new) = (slot.reader(), slot.other_reader());
    drop(connected(&known).await);
    service.signal("STOP");
    let text = image("room 101");
    for reader in [&known, &new] {
        let encoder = Encoder::at(reader.clone()).profile(PagesProfile::default()).exchange_within(TimeDelta::milliseconds(300)).build();
        let now = SystemClock.now();
        let soon_over = JobControl::new(now + TimeDelta::milliseconds(300), now + TimeDelta::minutes(1));
        let e = within("a wait", encoder.encode(&text, &soon_over)).await.unwrap_err();
        assert!(matches!(e.cause, Cause::NoCard) && e.card == CardState::Untouched, "{e:?}");
        let card = CardSeen::new(Some("04000001".to_owned()));
        for _ in 0..2 {
            let e = within("a connection", encoder.write(&card, &text, &control(&SystemClock))).await.unwrap_err();
            assert_eq!((e.problem, e.card), (CardProblem::Offline, CardState::Untouched));
        }
        assert_eq!(reader.connect().await.unwrap_err(), ReaderError::Wedged);
    }
    assert!(tokio::time::timeout(Duration::from_millis(50), list()).await.is_err());
    service.signal("CONT");
    for reader in [known, new] {
        soon("the reader is back", async || reader.connect().await.is_ok()).await;
    }
    assert_eq!(PagesCard::in_the(&mut slot.field()).0, [0; 4], "nothing was written");
}

/// A card is personalised as a whole, and then with the card leaving before each command of the job in turn, or after it with the answer lost. The
/// job ends with a failure that is true of the card, and the same job again finishes it. Elsewhere than in CI at every fifth command.
async fn the_card_is_removed_at_every_command<P: Profile, C: SimulatedCard + 'static>(
    number: u16,
    profile: impl Fn() -> P,
    card: impl Fn() -> C,
    image: CardImage,
    is_done: impl Fn(&C) -> bool,
) {
    let stride = if std::env::var_os("CI").is_some() { 1 } else { 5 };
    let mut slot = Slot::new(number);
    let lay = || Arc::new(Mutex::new(card()));
    let whole = lay();
    slot.put(Arc::clone(&whole)).await;
    // Another encoder for each card: to one, a card that was not lifted is the one that it finished.
    let reader = slot.reader();
    let encoder = || Encoder::at(reader.clone()).profile(profile()).build();
    let done = within("a job", encoder().encode(&image, &control(&SystemClock))).await.unwrap();
    assert!(is_done(&whole.lock().unwrap()));
    let commands = done.commands as usize;
    for at in (0..commands).step_by(stride) {
        let card = lay();
        slot.field().put(Box::new(Arc::clone(&card)));
        let kind = FaultKind::PulledAfterBytes(if at % 2 == 0 { 0 } else { 300 });
        let now = slot.field().sent();
        slot.field().plan(Fault { at: now + at, kind });
        let encoder = encoder();
        let control = control(&SystemClock);
        // While the job only asks who lies there, it goes on with the card that comes back.
        let first = within("a job whose card leaves", async {
            let job = encoder.encode(&image, &control);
            let back = async {
                soon("the card is pulled", async || slot.field().card().is_none()).await;
                slot.put_back().await;
            };
            tokio::join!(job, back).0
        })
        .await;
        if let Err(e) = first {
            assert!(matches!(e.cause, Cause::Removed), "{at} of {commands}: {e}");
            assert!(e.card == CardState::Unknown || !is_done(&card.lock().unwrap()), "{at} of {commands}: {e}");
            let again = within("the same job again", encoder.encode(&image, &control)).await;
            again.unwrap_or_else(|e| panic!("{at} of {commands}: {e}"));
        }
        assert!(is_done(&card.lock().unwrap()), "{at} of {commands}");
    }
    slot.take_out();
}

async fn desfire() {
    let aid = [0xF5, 0x32, 0xF0];
    let masters =
        FixedKeys::default().with(&[0; 3], 0, Key::aes([9; 16], 1)).with(&aid, 0, Key::aes([8; 16], 1)).with(&aid, 1, Key::aes([7; 16], 1));
    let keys: Arc<dyn KeySource> = Arc::new(Diversified::new(masters, b"seam"));
    let profile = || DesfireProfile::new(0x00F5_32F0, 32, Arc::clone(&keys), 1).unwrap().takes_card();
    let card = || DesfireCard::new(DesfireModel::Ev3, [4, 1, 2, 3, 4, 5, 6]);
    let image = CardImage { technology: Technology("desfire".to_owned()), content: json!({ "data": "C0FFEE" }) };
    let wanted = keys.derive(&[4, 1, 2, 3, 4, 5, 6], &aid, 1, 1).unwrap();
    let is_done = |card: &DesfireCard| {
        let content = card.content(0x00F5_32F0, 0).is_some_and(|content| content.starts_with(&[0xC0, 0xFF, 0xEE]));
        content && card.key(0x00F5_32F0, 1) == Some((wanted.bytes().to_vec(), 1))
    };
    the_card_is_removed_at_every_command(0, profile, card, image, is_done).await;
}

async fn classic() {
    let keys = |uid: &[u8]| Ok(SectorKeys { a: ClassicKey::new([uid[3], 1, 2, 3, 4, 5]), b: ClassicKey::new([uid[3], 9, 8, 7, 6, 5]) });
    let owner = Aid { cluster: 0x38, application: 0x21 };
    let profile = || ClassicProfile::new(owner, 5, Arc::new(keys), ClassicKey::new([7; 6])).unwrap();
    let card = || ClassicCard::new_1k([0xDE, 0xAD, 0xBE, 1]);
    let image = CardImage { technology: Technology("mifare_classic".to_owned()), content: json!({ "data": "C0FFEE" }) };
    let is_done = |card: &ClassicCard| card.memory()[20][..3] == [0xC0, 0xFF, 0xEE] && card.memory()[23][..6] == [1, 1, 2, 3, 4, 5];
    the_card_is_removed_at_every_command(1, profile, card, image, is_done).await;
}

async fn the_service_may_end_and_come_back(running: Service) {
    let reader = PcscReader::new(NAMES[0]);
    // The service looks at its readers now and then: the last card may still lie there for it.
    within("the last card is gone", reader.wait(FieldState::Empty)).await.unwrap();
    let waiting = tokio::spawn({
        let reader = reader.clone();
        async move { reader.wait(FieldState::Card).await }
    });
    tokio::time::sleep(Duration::from_millis(50)).await;
    drop(running);
    let e = within("the end of the service", waiting).await.unwrap().unwrap_err();
    assert!(matches!(e, ReaderError::Offline(_)), "{e:?}");
    assert!(matches!(reader.connect().await.unwrap_err(), ReaderError::Offline(_)));
    let _running = service().await;
    within("the reader is back", reader.wait(FieldState::Empty)).await.unwrap();
    assert_eq!(reader.connect().await.unwrap_err(), ReaderError::NoCard);
}
