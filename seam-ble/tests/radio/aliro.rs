//! Aliro over L2CAP on the virtual radio: Rust against Rust, and each side against the other language.
use super::room::{self, Room, key, public, who};
use seam_ble::aliro::ble::notification::{BoltAction, BoltState};
use seam_ble::aliro::device::{Credential, DeviceRandom, Event, Trust, Wallet};
use seam_ble::aliro::document::DocType;
use seam_ble::aliro::exchange::{MailboxRequest, Request};
use seam_ble::aliro::reader::{Reader, ReaderRandom, StoredPhone};
use seam_ble::aliro::{AliroError, Policy, Proprietary, ReaderId, Signaling, TransactionId, Version};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{CryptoError, PublicKey, Secret};
use seam_ble::transport::aliro::{Shown, Visitor, meet, visit};
use seam_ble::transport::radio::aliro::Session;
use seam_ble::transport::{LinkError, SessionError, within};
use std::time::Duration;
use tokio::sync::mpsc::UnboundedReceiver;

const LIMIT: Duration = Duration::from_secs(20);
/// What the phones of both languages have in their mailbox. The locks read it and put an `A` at its beginning.
const MAILBOX: &[u8; 22] = b"a grant in the mailbox";
const RESOLVING_KEY: u8 = 0x22;

type Outcome<T> = Result<T, SessionError<AliroError>>;

fn reader_id() -> ReaderId {
    let mut id = [0x20; 32];
    id[16..].fill(0x21);
    ReaderId::new(id)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Standard,
    Fast,
}

/// What a lock has seen of a phone.
#[derive(Debug, PartialEq, Eq)]
struct Served {
    credential: PublicKey,
    phase: Phase,
    mailbox: Vec<u8>,
    pressed: bool,
}

struct Lock {
    stored: Vec<StoredPhone>,
    drawn: u8,
}

impl Lock {
    const fn new() -> Self {
        Self { stored: Vec::new(), drawn: 0 }
    }

    async fn serve(&mut self, session: Session, limit: Duration) -> Outcome<Served> {
        self.drawn = self.drawn.wrapping_add(1).max(1);
        let (lock_key, drawn) = (key(who::READER), self.drawn);
        let reader = Reader::new(&RustCrypto, reader_id(), &lock_key);
        let fresh = ReaderRandom { ephemeral: Secret::new([drawn; 32]), transaction: TransactionId([drawn ^ 0xC3; 16]) };
        within(limit, async {
            let (proof, mut talk) = meet(reader, &fresh, &self.stored, &session.agreed, session.link).await?;
            let phase = if proof.persistent.is_some() { Phase::Standard } else { Phase::Fast };
            if let Some(persistent) = proof.persistent {
                self.stored = vec![StoredPhone { credential: proof.credential, persistent }];
            }
            let requests = [MailboxRequest::Read { offset: 0, length: 22 }, MailboxRequest::Write { offset: 0, data: b"A" }];
            let mailbox = talk.exchange(&Request { mailbox: &requests, ..Request::default() }).await?.swap_remove(0);
            let pressed = talk.pressed();
            if pressed {
                assert_eq!(talk.requested(BoltState::Secured).await?, BoltAction::Unsecure);
            }
            talk.opened(BoltState::Unsecured).await?;
            Ok(Served { credential: proof.credential, phase, mailbox, pressed })
        })
        .await
    }
}

struct Phone {
    key: SoftwareKey,
    lock: PublicKey,
    persistent: Option<Secret<32>>,
    mailbox: Vec<u8>,
    drawn: u8,
}

/// What the phone holds at the moment.
struct Pocket<'a>(&'a SoftwareKey, PublicKey, Option<&'a Secret<32>>);

impl Wallet for Pocket<'_> {
    type Key = SoftwareKey;

    fn credential(&self, reader: &ReaderId, _policy: Policy) -> Option<Credential<'_, SoftwareKey>> {
        (*reader == reader_id()).then_some(Credential {
            key: self.0,
            trust: Trust::Key(self.1),
            persistent: self.2,
            signaling: Signaling(0),
            credential_signed: None,
            revocation_signed: None,
        })
    }

    fn document(&self, _reader: &ReaderId, _kind: DocType, _element: &str) -> Option<&[u8]> {
        None
    }
}

impl Phone {
    fn new() -> Self {
        Self { key: key(who::PHONE), lock: public(who::READER), persistent: None, mailbox: MAILBOX.to_vec(), drawn: 100 }
    }

    async fn visit(&mut self, session: Session, pressed: bool) -> Outcome<Shown> {
        let before = self.persistent.take();
        let pocket = Pocket(&self.key, self.lock, before.as_ref());
        let offers = Proprietary::new(&[Version::V1_0], None, None).unwrap();
        let visitor = Visitor { crypto: &RustCrypto, wallet: &pocket, offers, pressed, now: None };
        let (drawn, mut proven) = (&mut self.drawn, None);
        let random = || {
            *drawn = drawn.wrapping_add(1).max(1);
            DeviceRandom { ephemeral: Secret::new([*drawn; 32]), filler: Secret::new([*drawn ^ 0x5A; 32]) }
        };
        let noted = |event| {
            if let Event::Proven(with) = event {
                proven = Some(with.persistent);
            }
        };
        let shown = within(LIMIT, visit(&visitor, &session.agreed, &mut self.mailbox, random, noted, session.link)).await;
        self.persistent = proven.or(before);
        shown
    }
}

/// A whole visit of the phone at the lock, both in Rust.
async fn both(
    room: &mut Room,
    sessions: &mut UnboundedReceiver<Session>,
    lock: &mut Lock,
    phone: &mut Phone,
    pressed: bool,
) -> (Option<Outcome<Served>>, Outcome<Shown>) {
    let session = room.want(*reader_id().group(), RESOLVING_KEY);
    let phone = async {
        match session.await {
            Ok(session) => phone.visit(session, pressed).await,
            Err(error) => Err(SessionError::Link(error)),
        }
    };
    tokio::pin!(phone);
    // A phone that fails before its channel is open makes no session.
    tokio::select! {
        biased;
        session = sessions.recv() => {
            let (served, shown) = tokio::join!(lock.serve(session.unwrap(), LIMIT), phone);
            (Some(served), shown)
        }
        shown = &mut phone => match sessions.try_recv() {
            Ok(session) => (Some(lock.serve(session, LIMIT).await), shown),
            Err(_) => (None, shown),
        }
    }
}

fn opened(served: Option<Outcome<Served>>, shown: Outcome<Shown>) -> Served {
    assert_eq!(shown, Ok(Shown::Bolt(BoltState::Unsecured)));
    served.unwrap().unwrap()
}

#[test]
fn a_rust_phone_opens_a_rust_lock_by_aliro() {
    // A lock of another group is in reach too: the phone tells them apart by the dynamic tag, and connects to its own.
    room::play(&["--controllers", "3"], async |mut room: Room| {
        let mut other = room.aliro_door(1, reader_id(), RESOLVING_KEY + 1).await;
        let mut sessions = room.aliro_door(2, reader_id(), RESOLVING_KEY).await;
        room.with_aliro_phone().await;
        let (mut lock, mut phone) = (Lock::new(), Phone::new());
        for (visit, (phase, pressed)) in [(Phase::Standard, true), (Phase::Fast, true), (Phase::Fast, false)].into_iter().enumerate() {
            let (served, shown) = both(&mut room, &mut sessions, &mut lock, &mut phone, pressed).await;
            let mailbox = if visit == 0 { MAILBOX.to_vec() } else { [b"A", &MAILBOX[1..]].concat() };
            assert_eq!(opened(served, shown), Served { credential: public(who::PHONE), phase, mailbox, pressed });
        }
        // Either side may have lost what the visit before left behind: the standard phase follows within the same connection.
        phone.persistent = None;
        let (served, shown) = both(&mut room, &mut sessions, &mut lock, &mut phone, true).await;
        assert_eq!(opened(served, shown).phase, Phase::Standard);
        lock.stored.clear();
        let (served, shown) = both(&mut room, &mut sessions, &mut lock, &mut phone, true).await;
        assert_eq!(opened(served, shown).phase, Phase::Standard);
        assert!(other.try_recv().is_err());
    });
}

#[test]
fn a_rust_phone_opens_an_aliro_lock_in_another_language() {
    room::play(&["--aliro-lock"], async |mut room: Room| {
        room.with_aliro_phone().await;
        let mut phone = Phone::new();
        for (visit, (phase, pressed)) in [("standard", true), ("fast", true), ("fast", false)].into_iter().enumerate() {
            let session = room.want(*reader_id().group(), RESOLVING_KEY).await.unwrap();
            assert_eq!(phone.visit(session, pressed).await, Ok(Shown::Bolt(BoltState::Unsecured)));
            let seen = room.seen_of("proven").await;
            let hex: String = public(who::PHONE).as_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!((&seen["proven"], &seen["phase"], &seen["pressed"]), (&hex.into(), &phase.into(), &pressed.into()));
            let mailbox = if visit == 0 { "a grant in the mailbox" } else { "A grant in the mailbox" };
            assert_eq!(seen["mailbox"], mailbox);
        }
        // A phone that trusts another lock gives nothing away.
        phone.lock = public(who::ISSUER);
        phone.persistent = None;
        let session = room.want(*reader_id().group(), RESOLVING_KEY).await.unwrap();
        assert_eq!(phone.visit(session, true).await, Err(SessionError::Protocol(AliroError::Crypto(CryptoError::Signature))));
        assert_eq!(room.seen_of("lost").await["lost"], "answer");
    });
}

#[test]
fn an_aliro_phone_in_another_language_opens_a_rust_lock() {
    room::play(&["--aliro-phone"], async |mut room: Room| {
        let mut sessions = room.aliro_door(2, reader_id(), RESOLVING_KEY).await;
        let mut lock = Lock::new();
        for (how, phase) in [("press", Phase::Standard), ("press", Phase::Fast), ("far", Phase::Fast)] {
            room.send_visit(how).await;
            let served = lock.serve(sessions.recv().await.unwrap(), LIMIT).await.unwrap();
            assert_eq!((served.credential, served.phase, served.pressed), (public(who::PHONE), phase, how == "press"));
            assert_eq!(served.mailbox[1..], MAILBOX[1..]);
            let seen = room.seen_of("visited").await;
            assert_eq!((&seen["shown"], &seen["mailbox"]), (&1.into(), &"A grant in the mailbox".into()), "{seen}");
        }
    });
}

/// Line 10 of the negative list: a channel whose messages are split, merged, padded, oversized, cut; credits that do not come; and the wrong channel.
#[test]
fn line_10_a_channel_that_is_used_otherwise_opens_only_what_is_whole() {
    let late = || Err(SessionError::Late);
    let bad = |error| Err(SessionError::Protocol(error));
    room::play(&["--aliro-phone"], async |mut room: Room| {
        let mut sessions = room.aliro_door(2, reader_id(), RESOLVING_KEY).await;
        let mut lock = Lock::new();
        // Whole messages, however they are cut.
        for how in ["bytes", "merged", "empty", "starved"] {
            room.send_visit(how).await;
            let served = lock.serve(sessions.recv().await.unwrap(), LIMIT).await;
            assert_eq!(served.as_ref().map(|served| served.credential), Ok(public(who::PHONE)), "{how}");
            let seen = room.seen_of("visited").await;
            assert_eq!(seen["shown"], 1, "{seen}");
            lock.stored.clear();
        }
        // No messages, or wrong ones: the lock ends it, within its deadline, and says no more than that.
        for (how, expected) in [
            ("huge", bad(AliroError::Full)),
            ("nonsense", bad(AliroError::Value)),
            ("half", late()),
            ("silent", late()),
            ("tampered", bad(AliroError::Crypto(CryptoError::Tag))),
            ("mirrored", bad(AliroError::OwnKey)),
            ("stranger", Err(SessionError::Link(LinkError::Closed))),
        ] {
            room.send_visit(how).await;
            let limit = if expected == late() { Duration::from_secs(2) } else { LIMIT };
            let served: Outcome<Served> = lock.serve(sessions.recv().await.unwrap(), limit).await;
            assert_eq!(served.map(|_| ()), expected, "{how}");
            let seen = room.seen_of("visited").await;
            assert!(seen["shown"] == "failed" || !seen["lost"].is_null(), "{seen}");
            assert!(lock.stored.is_empty(), "line 9: nothing is kept of a phone that has not proven itself: {how}");
        }
        // These do not even get a session.
        for how in ["spsm", "hasty", "version"] {
            room.send_visit(how).await;
            let seen = room.seen_of("visited").await;
            assert!(!seen["lost"].is_null(), "{seen}");
            assert!(sessions.try_recv().is_err(), "{how}");
        }
        room.send_visit("press").await;
        assert!(lock.serve(sessions.recv().await.unwrap(), LIMIT).await.is_ok());
        assert_eq!(room.seen_of("visited").await["shown"], 1);
    });
}

/// The visit breaks one packet later each time, until it is over before: each time the lock is there again for the next one.
#[test]
fn the_aliro_link_is_lost_at_every_packet_between_rust_and_rust() {
    room::play(&[], async |mut room: Room| {
        let mut sessions = room.aliro_door(2, reader_id(), RESOLVING_KEY).await;
        room.with_aliro_phone().await;
        let (mut lock, mut phone) = (Lock::new(), Phone::new());
        for phase in [Phase::Standard, Phase::Fast] {
            let mut lost = 0;
            for packet in 1_u8.. {
                if phase == Phase::Standard {
                    lock.stored.clear();
                    phone.persistent = None;
                }
                room.break_after(packet).await;
                let (served, shown) = both(&mut room, &mut sessions, &mut lock, &mut phone, true).await;
                if !room.broke().await {
                    assert_eq!(opened(served, shown).phase, phase, "after {packet} packets the visit was over");
                    break;
                }
                lost += 1;
                // The lock may have decided before; the phone that did not hear it says so.
                if let Some(Err(error)) = served {
                    assert_eq!(error, SessionError::Link(LinkError::Closed), "packet {packet}");
                }
                assert!(matches!(shown, Ok(Shown::Bolt(_)) | Err(SessionError::Link(_))), "packet {packet}: {shown:?}");
            }
            assert!(lost > 20, "a visit has more packets than {lost}");
            println!("{phase:?}: lost at each of {lost} packets");
        }
    });
}

#[test]
fn the_aliro_link_is_lost_at_every_packet_between_rust_and_another_lock() {
    room::play(&["--aliro-lock"], async |mut room: Room| {
        room.with_aliro_phone().await;
        let (mut phone, mut lost) = (Phone::new(), 0);
        for packet in 1_u8.. {
            room.break_after(packet).await;
            let shown = match room.want(*reader_id().group(), RESOLVING_KEY).await {
                Ok(session) => phone.visit(session, true).await,
                Err(error) => Err(SessionError::Link(error)),
            };
            if !room.broke().await {
                assert_eq!(shown, Ok(Shown::Bolt(BoltState::Unsecured)), "after {packet} packets the visit was over");
                break;
            }
            lost += 1;
            assert!(matches!(shown, Ok(Shown::Bolt(_)) | Err(SessionError::Link(_))), "packet {packet}: {shown:?}");
        }
        assert!(lost > 20, "a visit has more packets than {lost}");
        println!("lost at each of {lost} packets");
    });
}

#[test]
fn the_aliro_link_is_lost_at_every_packet_between_another_phone_and_rust() {
    room::play(&["--aliro-phone"], async |mut room: Room| {
        let mut sessions = room.aliro_door(2, reader_id(), RESOLVING_KEY).await;
        let (mut lock, mut lost) = (Lock::new(), 0);
        for packet in 1_u8.. {
            room.break_after(packet).await;
            room.send_visit("press").await;
            let (mut served, seen) = tokio::select! {
                biased;
                session = sessions.recv() => {
                    let served = lock.serve(session.unwrap(), LIMIT).await;
                    (Some(served), room.seen_of("visited").await)
                }
                seen = room.seen_of("visited") => (None, seen),
            };
            if let (None, Ok(session)) = (&served, sessions.try_recv()) {
                served = Some(lock.serve(session, LIMIT).await);
            }
            if !room.broke().await {
                assert!(served.unwrap().is_ok() && seen["shown"] == 1, "after {packet} packets the visit was over: {seen}");
                break;
            }
            lost += 1;
            if let Some(Err(error)) = served {
                assert_eq!(error, SessionError::Link(LinkError::Closed), "packet {packet}");
            }
            assert!(!seen["lost"].is_null() || seen["shown"] == 1, "packet {packet}: {seen}");
        }
        assert!(lost > 20, "a visit has more packets than {lost}");
        println!("lost at each of {lost} packets");
    });
}
