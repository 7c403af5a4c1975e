//! Aliro's driver for both sides over links in memory, with somebody in between. Tests name the line of the negative list that they are for.
#![cfg(all(feature = "transport", feature = "rustcrypto"))]
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::time::Duration;

use seam_ble::aliro::ble::message::{Message, Protocol};
use seam_ble::aliro::ble::notification::{BoltAction, BoltState, Notification, Reporting};
use seam_ble::aliro::device::{Device, Event, Trust};
use seam_ble::aliro::document::{DocType, documents};
use seam_ble::aliro::exchange::{MailboxRequest, ReaderStatus, Request};
use seam_ble::aliro::issue::Draft;
use seam_ble::aliro::reader::{Reader, StoredPhone};
use seam_ble::aliro::step_up::Wanted;
use seam_ble::aliro::{AliroError, Instant};
use seam_ble::crypto::{CryptoError, SigningKey};
use seam_ble::transport::aliro::{Agreed, Conversation, MAX_MESSAGE, Shown, Visitor, meet, visit};
use seam_ble::transport::memory::{MemoryLink, pair as link_pair};
use seam_ble::transport::{Link, LinkError, SessionError, within};
use support::{Backend, Phone, device_random, proprietary, reader_id, reader_random, written};

/// The faster of the backends that are there.
#[cfg(feature = "aws-lc")]
type Best = seam_ble::crypto::aws_lc::AwsLc;
#[cfg(not(feature = "aws-lc"))]
type Best = seam_ble::crypto::rustcrypto::RustCrypto;

type Outcome<T> = Result<T, SessionError<AliroError>>;

/// Deadlines pass at once where nobody has anything to do: the clock stands still otherwise.
const LIMIT: Duration = Duration::from_secs(10);

/// How the lock ends it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Decision {
    Open,
    Refuse,
}

/// What happened at the lock.
#[derive(Debug, Default)]
struct AtLock {
    /// The bolt moved: a key was proven, and its holder asked for it if he said that he had pressed.
    opened: bool,
    /// By the fast phase.
    fast: bool,
    read: Vec<u8>,
}

struct Scene {
    crypto: Best,
    stored: Vec<StoredPhone>,
    pressed: bool,
    decision: Decision,
}

impl Scene {
    fn new() -> Self {
        Self { crypto: Best::default(), stored: Vec::new(), pressed: true, decision: Decision::Open }
    }

    fn phone(&self) -> Phone<'_, Best> {
        let key = Best::key([0x33; 32]);
        Phone::new(Device::ble(&self.crypto, proprietary()), reader_id(), Trust::Key(key.public_key()))
    }

    async fn lock(&self, link: MemoryLink, seen: &mut AtLock) -> Outcome<()> {
        let key = Best::key([0x33; 32]);
        let reader = Reader::new(&self.crypto, reader_id(), &key);
        let (proof, mut talk) = meet(reader, &reader_random(1), &self.stored, &Agreed::default(), link).await?;
        seen.fast = proof.persistent.is_none();
        let requests = [MailboxRequest::Read { offset: 0, length: 5 }];
        seen.read = talk.exchange(&Request { mailbox: &requests, ..Request::default() }).await?.swap_remove(0);
        self.finish(talk, seen).await
    }

    async fn finish<L: Link>(&self, mut talk: Conversation<'_, Best, L>, seen: &mut AtLock) -> Outcome<()> {
        if talk.pressed() {
            assert_eq!(talk.requested(BoltState::Secured).await?, BoltAction::Unsecure);
        }
        if self.decision == Decision::Refuse {
            return talk.refused(ReaderStatus::NO_ACCESS).await;
        }
        seen.opened = true;
        talk.opened(BoltState::Unsecured).await
    }

    async fn at_phone(&self, phone: &mut Phone<'_, Best>, link: MemoryLink) -> Outcome<Shown> {
        let visitor = Visitor { crypto: &self.crypto, wallet: &phone.wallet, offers: proprietary(), pressed: self.pressed, now: phone.now };
        let events = &mut phone.events;
        visit(&visitor, &Agreed::default(), &mut phone.mailbox, || device_random(0x22), |event| events.push(event), link).await
    }

    /// A visit with somebody in between, who may change each message (its number, and what is sent on instead of it).
    async fn play(&self, mut between: impl FnMut(usize, Vec<u8>) -> Vec<Vec<u8>>) -> (Outcome<()>, AtLock, Outcome<Shown>) {
        let ((at_lock, mut near_lock), (mut near_phone, at_phone)) = (link_pair(MAX_MESSAGE), link_pair(MAX_MESSAGE));
        let (mut seen, mut phone) = (AtLock::default(), self.phone());
        let carry = async {
            let (mut number, mut from_lock, mut from_phone) = (0, [0; MAX_MESSAGE], [0; MAX_MESSAGE]);
            loop {
                let (to_lock, message) = tokio::select! {
                    biased;
                    message = near_lock.receive(&mut from_lock) => (false, message),
                    message = near_phone.receive(&mut from_phone) => (true, message),
                };
                let Ok(message) = message.map(<[u8]>::to_vec) else { break };
                for message in between(number, message) {
                    let _ = if to_lock { near_lock.send(&message).await } else { near_phone.send(&message).await };
                }
                number += 1;
            }
            // What is lost to one is lost to the other.
            drop((near_lock, near_phone));
        };
        let lock = within(LIMIT, self.lock(at_lock, &mut seen));
        let (lock, shown, ()) = tokio::join!(lock, within(LIMIT, self.at_phone(&mut phone, at_phone)), carry);
        (lock, seen, shown)
    }
}

fn on_a_still_clock<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap().block_on(test)
}

const OPEN: Outcome<Shown> = Ok(Shown::Bolt(BoltState::Unsecured));

#[test]
fn a_visit_ends_as_the_lock_decides() {
    on_a_still_clock(async {
        let mut scene = Scene::new();
        for (pressed, decision, shown, messages) in [
            (true, Decision::Open, Shown::Bolt(BoltState::Unsecured), 10),
            (false, Decision::Open, Shown::Bolt(BoltState::Unsecured), 8),
            (true, Decision::Refuse, Shown::Failed, 10),
            (false, Decision::Refuse, Shown::Refused(ReaderStatus::NO_ACCESS), 9),
        ] {
            (scene.pressed, scene.decision) = (pressed, decision);
            let mut count = 0;
            let (lock, seen, at_phone) = scene
                .play(|_, message| {
                    count += 1;
                    vec![message]
                })
                .await;
            assert_eq!((lock, at_phone), (Ok(()), Ok(shown)));
            assert_eq!((seen.opened, seen.read.as_slice()), (decision == Decision::Open, &[0; 5][..]));
            assert!(count >= messages, "{count}");
        }
    });
}

#[test]
fn the_fast_phase_needs_a_key_of_an_earlier_visit_on_both_sides() {
    on_a_still_clock(async {
        let mut scene = Scene::new();
        let mut persistent = None;
        for round in 0..3 {
            let (at_lock, at_phone) = link_pair(MAX_MESSAGE);
            let (mut seen, mut phone) = (AtLock::default(), scene.phone());
            // In the second round the phone has forgotten.
            phone.wallet.persistent = if round == 1 { None } else { persistent.clone() };
            let (lock, shown) = tokio::join!(scene.lock(at_lock, &mut seen), scene.at_phone(&mut phone, at_phone));
            assert_eq!((lock, shown, seen.fast), (Ok(()), OPEN, round == 2));
            let credential = phone.wallet.key.public_key();
            for event in std::mem::take(&mut phone.events) {
                if let Event::Proven(proven) = event {
                    persistent = Some(proven.persistent);
                }
            }
            drop(phone);
            scene.stored = persistent.iter().cloned().map(|persistent| StoredPhone { credential, persistent }).collect();
        }
    });
}

/// Over Bluetooth the documents come in one answer, however long, after the proof and before the decision.
#[test]
fn documents_are_fetched_before_the_decision() {
    on_a_still_clock(async {
        let scene = Scene::new();
        let (key, issuer) = (Best::key([0x33; 32]), Best::key([0x66; 32]));
        let mut phone = scene.phone();
        let credential = phone.wallet.key.public_key();
        let value = [&[0xA1, 0x00, 0x59, 3, 0x84][..], &[7; 900]].concat();
        let draft = Draft {
            credential: Some(&credential),
            element: "floor1",
            value: &value,
            random: [7; 16],
            signed: Instant(1_000),
            valid_from: Instant(2_000),
            valid_until: Instant(3_000),
            iteration: Some(9),
            time_required: true,
        };
        let (_, document) = written(|out| {
            draft.sign(&scene.crypto, &issuer, out).unwrap();
            Ok(())
        });
        phone.wallet.document = Some((DocType::Access, "floor1".into(), document));
        let (at_lock, at_phone) = link_pair(MAX_MESSAGE);
        let lock = async {
            let reader = Reader::new(&scene.crypto, reader_id(), &key);
            let (_, mut talk) = meet(reader, &reader_random(1), &[], &Agreed::default(), at_lock).await?;
            for _ in 0..2 {
                let wanted = [Wanted { kind: DocType::Access, element: "floor1", retain: true }];
                let response = talk.documents(&wanted).await?;
                let shown = documents(&response).unwrap().next().unwrap().unwrap();
                let verified = shown.verify(&scene.crypto, &[issuer.public_key()], &credential).unwrap();
                assert_eq!(verified.element("floor1").unwrap().unwrap().value, value);
            }
            let mut seen = AtLock::default();
            scene.finish(talk, &mut seen).await
        };
        let (lock, shown) = tokio::join!(lock, scene.at_phone(&mut phone, at_phone));
        assert_eq!((lock, shown), (Ok(()), OPEN));
    });
}

/// Every message, every bit: the bolt does not move; and what the phone shows after the bolt has moved is the lock's own word.
#[test]
fn every_bit_of_every_message_over_bluetooth_counts() {
    on_a_still_clock(async {
        let scene = Scene::new();
        let mut lengths = Vec::new();
        let count = |_, message: Vec<u8>| {
            lengths.push(message.len());
            vec![message]
        };
        assert_eq!(scene.play(count).await.2, OPEN);
        assert_eq!(lengths.len(), 10, "initiate, AUTH0, AUTH1, EXCHANGE, completed, request, status");
        let mut survived = Vec::new();
        for (number, length) in lengths.iter().copied().enumerate() {
            for bit in 0..length * 8 {
                let (_, seen, shown) = scene
                    .play(|at, mut message| {
                        if at == number {
                            message[bit / 8] ^= 1 << (bit % 8);
                        }
                        vec![message]
                    })
                    .await;
                if (seen.opened && number < 9) || shown == OPEN {
                    survived.push((number, bit / 8));
                }
            }
        }
        // Le of a command is no part of what either side proves: any value of it is taken.
        let le = [(1, lengths[1] - 1), (3, lengths[3] - 1), (5, lengths[5] - 1)];
        survived.retain(|place| !le.contains(place));
        assert_eq!(survived, []);
    });
}

/// Line 10: messages in pieces, and several in one.
#[test]
fn line_10_messages_come_whole_however_they_are_cut() {
    on_a_still_clock(async {
        let scene = Scene::new();
        for size in [1, 2, 3, 7, 50] {
            let cut = |_, message: Vec<u8>| message.chunks(message.len().div_ceil(30).max(size)).map(<[u8]>::to_vec).collect();
            let (lock, _, shown) = scene.play(cut).await;
            assert_eq!((lock, shown), (Ok(()), OPEN), "{size}");
        }
        // A word that the phone is busy, in one piece with its answer.
        let busy = [2, 0, 0, 2, 0, 0];
        let merge = |number, message: Vec<u8>| vec![if number == 2 { [&busy[..], &message].concat() } else { message }];
        let (lock, _, shown) = scene.play(merge).await;
        assert_eq!((lock, shown), (Ok(()), OPEN));
    });
}

/// Line 15: lost before every message, from either side, and with a peer that stalls there instead.
#[test]
fn line_15_a_link_that_breaks_or_stalls_at_any_message_opens_nothing() {
    on_a_still_clock(async {
        let scene = Scene::new();
        for messages in 0..6 {
            for at_phone_end in [true, false] {
                let (mut at_lock, mut at_phone) = link_pair(MAX_MESSAGE);
                if at_phone_end {
                    at_phone = at_phone.breaks_after(messages);
                } else {
                    at_lock = at_lock.breaks_after(messages);
                }
                let (mut seen, mut phone) = (AtLock::default(), scene.phone());
                let (lock, shown) = tokio::join!(scene.lock(at_lock, &mut seen), scene.at_phone(&mut phone, at_phone));
                if messages >= 5 {
                    assert_eq!((lock, shown), (Ok(()), OPEN));
                    continue;
                }
                assert_eq!(shown, Err(SessionError::Link(LinkError::Closed)), "{messages}");
                // The lock's last word is the fifth: the bolt has moved then, and the phone does not know.
                let decided = !at_phone_end && messages == 4;
                assert_eq!((lock, seen.opened), (Err(SessionError::Link(LinkError::Closed)), decided), "{messages}");
            }
        }
        for stalls in 0..10 {
            let (lock, seen, shown) = scene.play(|number, message| if number == stalls { vec![] } else { vec![message] }).await;
            assert_eq!(shown, Err(if stalls == 9 { SessionError::Link(LinkError::Closed) } else { SessionError::Late }), "{stalls}");
            assert_eq!((lock.is_err(), seen.opened), (stalls < 9, stalls == 9), "{stalls}");
        }
    });
}

/// Line 19: every kind of message in every state of either side, instead of the right one and before it.
#[test]
fn line_19_every_message_in_every_state_over_bluetooth() {
    let clear = |notification: Notification| notification.send(|message| Ok(written(|out| Ok(message.write(out)?)).1)).unwrap();
    let raw = |protocol, id, payload: &[u8]| written(|out| Ok(Message { protocol, id, payload }.write(out)?)).1;
    on_a_still_clock(async {
        let scene = Scene::new();
        let mut good = Vec::new();
        let keep = |_, message: Vec<u8>| {
            good.push(message.clone());
            vec![message]
        };
        assert_eq!(scene.play(keep).await.2, OPEN);
        let busy = clear(Notification::Busy);
        let mut others = vec![
            busy.clone(),
            clear(Notification::Error(0)),
            clear(Notification::Completed { reporting: Reporting::Never, state: BoltState::Unsecured }),
            clear(Notification::Request(BoltAction::Unsecure)),
            clear(Notification::StatusChanged { source: 1, state: BoltState::Unsecured }),
            clear(Notification::Initiate { proprietary: proprietary(), pressed: true }),
            raw(Protocol::Notification, 1, &[0, 0]),
            raw(Protocol::Notification, 9, &[]),
            raw(Protocol::Notification, 0, &[0; 24]),
            raw(Protocol::Ranging, 1, &[0; 24]),
            raw(Protocol::Supplementary, 0, &[0; 24]),
            raw(Protocol::ThirdParty, 0, &[0; 24]),
            raw(Protocol::AccessProtocol, 0, &[]),
            raw(Protocol::AccessProtocol, 1, &[]),
            raw(Protocol::AccessProtocol, 1, &[0x90, 0]),
            raw(Protocol::AccessProtocol, 2, &[0x90, 0]),
            vec![7, 0, 0, 0],
        ];
        // And those of the visit itself, at another place.
        others.extend(good.iter().cloned());
        for (number, expected) in good.iter().enumerate() {
            for (which, other) in others.iter().enumerate() {
                if other == expected {
                    continue;
                }
                let instead = |at, message| if at == number { vec![other.clone()] } else { vec![message] };
                let (_, seen, shown) = scene.play(instead).await;
                assert!(!seen.opened || number == 9, "{which} instead of {number}");
                assert_ne!(shown, OPEN, "{which} instead of {number}");
                let before = |at, message| if at == number { vec![other.clone(), message] } else { vec![message] };
                let (_, seen, shown) = scene.play(before).await;
                // That a side is busy may be said while there are no keys: to the lock while it waits for an answer, to the phone before it has proof.
                let patient = *other == busy && matches!(number, 1..=4);
                assert_eq!(seen.opened && number < 9, patient, "{which} before {number}");
                assert_eq!(shown == OPEN, patient, "{which} before {number}");
            }
        }
    });
}

#[test]
fn a_lock_asks_once_and_only_who_pressed() {
    on_a_still_clock(async {
        for pressed in [true, false] {
            let scene = Scene { pressed, ..Scene::new() };
            let (at_lock, at_phone) = link_pair(MAX_MESSAGE);
            let lock = async {
                let key = Best::key([0x33; 32]);
                let reader = Reader::new(&scene.crypto, reader_id(), &key);
                let (_, mut talk) = meet(reader, &reader_random(1), &[], &Agreed::default(), at_lock).await.unwrap();
                if pressed {
                    talk.requested(BoltState::Secured).await.unwrap();
                }
                talk.requested(BoltState::Secured).await
            };
            let mut phone = scene.phone();
            let (lock, _) = tokio::join!(lock, scene.at_phone(&mut phone, at_phone));
            assert_eq!(lock, Err(SessionError::Protocol(AliroError::OutOfOrder)));
        }
    });
}

/// Line 6 over Bluetooth: whoever takes a version out of the lock's offer, or puts one in, is noticed at the first encrypted message.
#[test]
fn line_06_a_changed_offer_in_the_characteristic_is_noticed() {
    on_a_still_clock(async {
        let scene = Scene::new();
        let (at_lock, at_phone) = link_pair(MAX_MESSAGE);
        let (mut seen, mut phone) = (AtLock::default(), scene.phone());
        let changed = Agreed { offered: vec![0, 9, 1, 0], ..Agreed::default() };
        let visitor = Visitor { crypto: &scene.crypto, wallet: &phone.wallet, offers: proprietary(), pressed: true, now: None };
        let told = visit(&visitor, &changed, &mut phone.mailbox, || device_random(0x22), |_| {}, at_phone);
        let (lock, shown) = tokio::join!(scene.lock(at_lock, &mut seen), told);
        assert_eq!(shown, Err(SessionError::Protocol(AliroError::Crypto(CryptoError::Tag))));
        assert_eq!((lock, seen.opened), (Err(SessionError::Link(LinkError::Closed)), false));
    });
}
