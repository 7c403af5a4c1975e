//! From a transaction to the bolt: what an issuer grants and revokes reaches the lock's decision through Aliro's documents, shown in the step-up
//! phase by a phone that has just proven its key.
#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use seam_ble::aliro::access_data::{AccessContent, Extension, Pattern as Written, Recurrence as WrittenRecurrence, Rule as WrittenRule};
use seam_ble::aliro::access_data::{RULES_MAX, Schedule as WrittenSchedule};
use seam_ble::aliro::document::{DocType, Document, documents};
use seam_ble::aliro::exchange::{MailboxRequest, Request};
use seam_ble::aliro::issue::Draft;
use seam_ble::aliro::reader::{Reader, StoredPhone};
use seam_ble::aliro::revocation::{self, Entry, Mode};
use seam_ble::aliro::step_up::{ReaderStepUp, Wanted};
use seam_ble::aliro::{DocumentError, Instant};
use seam_ble::bytes::Writer;
use seam_ble::crypto::{PublicKey, Secret, SigningKey};
use seam_ble::lock::{
    AccessDocument, Action, Allow, Authority, Claim, Distance, ElementName, Entrance, EntranceId, EntranceKind, Evidence, Grant,
    GrantError, IssueNumber, Issued, Journal, KeyId, Link, LockState, MAX_RECORD, MAX_REVOKED, Pattern, ProximityRule, RECEIPT_LEN,
    Receipt, Recurrence, Refusal, Revocations, Role, Rule, STAY_EXTENSION, STAY_VENDOR, Schedule, ScheduleClock, SiteId, Slot, Storage,
    TrustedTime, UnixTime, UserAct, Weekdays, Window, Zone, decide, key_id, sign_access_document, sign_revocation_document,
    verify_revocation_document,
};
use support::{Backend, Outcome, Phone, pair, reader_id, transact, written};

const ROOM: EntranceId = EntranceId([0xAB; 16]);
const SITE: SiteId = SiteId([0x51; 16]);
/// Monday, 2026-03-02, noon.
const NOON: u64 = 1_772_452_800;
const HOUR: u64 = 3_600;
const ISSUED: Issued = Issued { at: UnixTime(NOON), random: [7; 16] };
const MOMENTARY: u8 = Action::Momentary as u8;

fn window() -> Window {
    Window { starts: UnixTime(NOON - HOUR), ends: UnixTime(NOON + 20 * HOUR) }
}

fn stay(issue: u64, role: Role) -> Claim {
    Claim::Stay { issue: IssueNumber(issue), role }
}

fn entrance(kind: EntranceKind) -> Entrance<'static> {
    Entrance { id: ROOM, kind, largest_jump: 400 * 86_400, proximity: ProximityRule::HOTEL_ROOM, zone: Zone::UTC }
}

const TOUCH: Evidence = Evidence { link: Link::Nfc, distance: Distance::Unknown, user: UserAct::None };

fn at(seconds: u64) -> Option<TrustedTime> {
    Some(TrustedTime { value: UnixTime(seconds), max_error: 0 })
}

fn bytes(write: impl FnOnce(&mut Writer<'_>) -> Result<(), DocumentError>) -> Result<Vec<u8>, DocumentError> {
    let mut space = [0; 4096];
    let mut out = Writer::new(&mut space);
    write(&mut out)?;
    Ok(out.as_slice().to_vec())
}

fn issue<B: Backend>(issuer: &B::Key, holder: &PublicKey, grant: &Grant<'_>) -> Result<Vec<u8>, DocumentError> {
    bytes(|out| sign_access_document(&B::default(), issuer, holder, grant, ISSUED, out))
}

fn list<B: Backend>(issuer: &B::Key, site: SiteId, list: &Revocations) -> Vec<u8> {
    bytes(|out| sign_revocation_document(&B::default(), issuer, site, list, UnixTime(NOON + HOUR), ISSUED, out)).unwrap()
}

/// A touch: the phone proves its key and shows its document; the lock decides. Gives what came of it, and the state afterwards.
fn touch<B: Backend>(
    crypto: &B,
    (key, phone): (&B::Key, &mut Phone<'_, B>),
    shows: (DocType, Vec<u8>),
    issuers: &[(PublicKey, Authority)],
    state: &mut LockState,
) -> Result<bool, String> {
    let name = match shows.0 {
        DocType::Access => ElementName::of_entrance(ROOM),
        DocType::Revocation => ElementName::of_site(SITE),
    };
    phone.wallet.document = Some((shows.0, name.as_str().to_owned(), shows.1));
    let outcome = transact(Reader::new(crypto, reader_id(), key), phone, None, 1, |_, _| {}).unwrap().standard();
    let step_up = outcome.session.step_up().unwrap().unwrap();
    let ((), command) = written(|out| ReaderStepUp::<B>::select(out));
    ReaderStepUp::<B>::on_select(&phone.send(&command).1).unwrap();
    let (room, site) = (ElementName::of_entrance(ROOM), ElementName::of_site(SITE));
    let wanted = [
        Wanted { kind: DocType::Revocation, element: site.as_str(), retain: true },
        Wanted { kind: DocType::Access, element: room.as_str(), retain: false },
    ];
    let (waits, command) = written(|out| step_up.request(&wanted, out));
    let mut answer = phone.send(&command).1;
    let (_, response) = waits.on_response(&mut answer).unwrap();
    let mut shown = documents(response).unwrap();
    let mut opened = false;
    while let Some(document) = shown.next().unwrap() {
        match document.kind() {
            DocType::Revocation => {
                let newer = verify_revocation_document(crypto, &document, &issuers[0].0, SITE).map_err(|e| format!("{e:?}"))?;
                *state = state.with_revocations(newer).map_err(|e| format!("{e:?}"))?;
            }
            DocType::Access => {
                let read = AccessDocument::verify(crypto, &document, issuers, &outcome.credential, ROOM).map_err(|e| format!("{e:?}"))?;
                let door = entrance(EntranceKind::Reservation);
                let opening = decide(state, &door, &read.grant(), Action::Momentary, at(NOON), &TOUCH);
                opened = opening.map_err(|e| format!("{e:?}"))?.opens_stay();
            }
        }
    }
    Ok(opened)
}

fn a_touch_with_documents_opens_the_door<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    let (issuer, service) = (B::key([0x66; 32]), B::key([0x67; 32]));
    let issuers = [(issuer.public_key(), Authority::Issuer), (service.public_key(), Authority::Service)];
    let holder = phone.wallet.key.public_key();
    let mut state = LockState::commissioned(UnixTime(NOON - 48 * HOUR));
    let grant = |issue, role| Grant::new(ROOM, key_id(&crypto, &holder), stay(issue, role), window());
    let mut show = |kind, document: Vec<u8>| touch(&crypto, (&key, &mut phone), (kind, document), &issuers, &mut state);
    let first = issue::<B>(&issuer, &holder, &grant(NOON - HOUR, Role::Override)).unwrap();
    assert_eq!(show(DocType::Access, first.clone()), Ok(true));
    assert_eq!(
        show(DocType::Access, issue::<B>(&issuer, &holder, &grant(NOON - 72 * HOUR, Role::Joiner)).unwrap()),
        Err("Superseded".into())
    );
    // A number far ahead needs the service key.
    let far = grant(NOON + 500 * 24 * HOUR, Role::Override);
    assert_eq!(show(DocType::Access, issue::<B>(&issuer, &holder, &far).unwrap()), Err("JumpTooFar".into()));
    assert_eq!(show(DocType::Access, issue::<B>(&service, &holder, &far).unwrap()), Ok(true));
    // Nobody's: another phone's document, another issuer's.
    let other = B::key([0x45; 32]).public_key();
    let theirs = Grant::new(ROOM, key_id(&crypto, &other), stay(NOON, Role::Override), window());
    assert_eq!(show(DocType::Access, issue::<B>(&issuer, &other, &theirs).unwrap()), Err("DeviceKey".into()));
    assert_eq!(show(DocType::Access, issue::<B>(&key, &holder, &grant(NOON, Role::Override)).unwrap()), Err("Issuer".into()));
    // Any phone brings the list, and then the key is dead.
    let revoked = Revocations::new(5, 0, &[key_id(&crypto, &holder)]).unwrap();
    let elsewhere = list::<B>(&issuer, SiteId([0x52; 16]), &Revocations::new(9, 0, &[]).unwrap());
    assert_eq!(show(DocType::Revocation, elsewhere), Err("OtherElement".into()), "the list of another site");
    assert_eq!(show(DocType::Revocation, list::<B>(&issuer, SITE, &revoked)), Ok(false));
    assert_eq!(show(DocType::Access, first), Err("Revoked".into()));
    assert_eq!(show(DocType::Revocation, list::<B>(&issuer, SITE, &revoked)), Err("NotNewer".into()));
}

/// All that a grant can say comes back as it was.
fn grants_and_lists_read_back_as_they_were<B: Backend>() {
    let crypto = B::default();
    let (issuer, holder) = (B::key([0x66; 32]), B::key([0x44; 32]).public_key());
    let issuers = [(B::key([1; 32]).public_key(), Authority::Service), (issuer.public_key(), Authority::Issuer)];
    let every = |pattern, every| Some(Recurrence::new(pattern, every, 7_200).unwrap());
    let schedules = [
        Schedule::new(NOON, NOON + HOUR, ScheduleClock::Utc, None).unwrap(),
        Schedule::new(NOON, u64::MAX, ScheduleClock::Local, every(Pattern::Daily, 1)).unwrap(),
        Schedule::new(NOON, u64::MAX, ScheduleClock::Local, every(Pattern::Weekly(Weekdays(0x1F)), 2)).unwrap(),
        Schedule::new(NOON, NOON + 9 * HOUR, ScheduleClock::Utc, every(Pattern::MonthDay(-1), 255)).unwrap(),
        Schedule::new(NOON, u64::MAX, ScheduleClock::Utc, every(Pattern::MonthDay(31), 1)).unwrap(),
        Schedule::new(NOON, u64::MAX, ScheduleClock::Utc, every(Pattern::MonthWeekday(Weekdays(0x40), -5), 3)).unwrap(),
        Schedule::new(NOON, u64::MAX, ScheduleClock::Utc, every(Pattern::Yearly, 1)).unwrap(),
    ];
    let rules = [
        Rule { capabilities: MOMENTARY | Action::Secure as u8, allow: Allow::During(0x7F), deny: 0x41 },
        Rule { capabilities: Action::Unsecure as u8, allow: Allow::Always, deny: 0 },
    ];
    for claim in [stay(7, Role::Override), stay(u64::MAX, Role::Joiner), Claim::Staff, Claim::Common] {
        let plain = Grant::new(ROOM, key_id(&crypto, &holder), claim, window());
        for grant in [plain, plain.with_iteration(9), plain.without_time_proof(), plain.with_rules(&rules, &schedules)] {
            let signed = issue::<B>(&issuer, &holder, &grant).unwrap();
            let document = Document::parse(&signed).unwrap();
            let read = AccessDocument::verify(&crypto, &document, &issuers, &holder, ROOM).unwrap();
            assert_eq!(format!("{:?}", read.grant()), format!("{grant:?}"));
            let elsewhere = AccessDocument::verify(&crypto, &document, &issuers, &holder, EntranceId([1; 16]));
            assert_eq!(elsewhere.map(|_| ()), Err(DocumentError::OtherElement));
        }
    }
    for count in [0, 1, MAX_REVOKED] {
        let keys: Vec<_> = (0..count).map(|n| KeyId([u8::try_from(n).unwrap(); 32])).collect();
        let made = Revocations::new(3, 0, &keys).unwrap();
        let signed = list::<B>(&issuer, SITE, &made);
        let document = Document::parse(&signed).unwrap();
        assert_eq!(verify_revocation_document(&crypto, &document, &issuer.public_key(), SITE), Ok(made));
        let stranger = verify_revocation_document(&crypto, &document, &holder, SITE);
        assert_eq!(stranger, Err(DocumentError::Issuer));
        let as_access = AccessDocument::verify(&crypto, &document, &issuers, &holder, ROOM);
        assert_eq!(as_access.map(|_| ()), Err(DocumentError::Type));
    }
}

/// What the form cannot say is not said wrongly.
fn what_a_document_cannot_say_is_not_signed<B: Backend>() {
    let crypto = B::default();
    let (issuer, holder) = (B::key([0x66; 32]), B::key([0x44; 32]).public_key());
    let plain = Grant::new(ROOM, key_id(&crypto, &holder), Claim::Common, window());
    let refused = |grant: &Grant<'_>| issue::<B>(&issuer, &holder, grant).unwrap_err();
    let always = |capabilities| Rule { capabilities, allow: Allow::Always, deny: 0 };
    assert_eq!(refused(&plain.with_rules(&[], &[])), DocumentError::Value, "no rule allows nothing here and everything there");
    assert_eq!(refused(&plain.with_rules(&[always(MOMENTARY); RULES_MAX + 1], &[])), DocumentError::TooMany);
    let ninth = [Rule { capabilities: MOMENTARY, allow: Allow::During(1 << 8), deny: 0 }];
    assert_eq!(refused(&plain.with_rules(&ninth, &[])), DocumentError::TooMany);
    let far = [Schedule::new(1 << 32, u64::MAX, ScheduleClock::Utc, None).unwrap()];
    assert_eq!(refused(&plain.with_rules(&[always(MOMENTARY)], &far)), DocumentError::Time);
    let rare = Recurrence::new(Pattern::Daily, 256, 60).unwrap();
    let rare = [Schedule::new(NOON, u64::MAX, ScheduleClock::Utc, Some(rare)).unwrap()];
    assert_eq!(refused(&plain.with_rules(&[always(MOMENTARY)], &rare)), DocumentError::Value);
    let endless = Grant::new(ROOM, key_id(&crypto, &holder), Claim::Common, Window::from(UnixTime(NOON)));
    assert_eq!(refused(&endless), DocumentError::Time);
    assert_eq!(refused(&Grant::new(ROOM, KeyId([0; 32]), Claim::Common, window())), DocumentError::DeviceKey);
    let old = Revocations::new(3, 2, &[]).unwrap();
    let signed = bytes(|out| sign_revocation_document(&crypto, &issuer, SITE, &old, UnixTime(NOON + 1), ISSUED, out));
    assert!(matches!(signed, Err(DocumentError::Unsupported(_))), "older grants would be good again");
}

/// Line 12: what the lock cannot judge refuses the document, and what another issuer may leave out restricts nothing.
fn what_the_lock_cannot_judge_is_refused<B: Backend>() {
    let crypto = B::default();
    let (issuer, holder) = (B::key([0x66; 32]), B::key([0x44; 32]).public_key());
    let read = |content: &AccessContent<'_>| {
        let value = bytes(|out| content.write(out)).unwrap();
        let name = ElementName::of_entrance(ROOM);
        let draft = Draft {
            credential: Some(&holder),
            element: name.as_str(),
            value: &value,
            random: [7; 16],
            signed: Instant(1_000),
            valid_from: Instant(2_000),
            valid_until: Instant(2_999),
            iteration: None,
            time_required: true,
        };
        let signed = bytes(|out| draft.sign(&crypto, &issuer, out)).unwrap();
        let document = Document::parse(&signed).unwrap();
        let read = AccessDocument::verify(&crypto, &document, &[(issuer.public_key(), Authority::Issuer)], &holder, ROOM)?;
        let state = LockState::commissioned(UnixTime(1_000));
        let door = entrance(EntranceKind::Common);
        Ok(decide(&state, &door, &read.grant(), Action::Unsecure, at(2_500), &TOUCH).map(|opening| opening.claim()))
    };
    let nothing = AccessContent::default();
    assert_eq!(read(&nothing), Ok(Ok(Claim::Common)), "without rules nothing restricts");
    let barely = [WrittenRule { capabilities: Some(8), ..WrittenRule::default() }];
    assert_eq!(read(&AccessContent { rules: &barely, ..nothing }), Ok(Err(Refusal::NotAllowedNow)));
    assert_eq!(read(&AccessContent { reader_rules: &[1], ..nothing }), Err(DocumentError::Unsupported("rules that the reader holds")));
    // Edges of the window: the last second of the document is the last one of the grant.
    let one = [0; 9];
    let ours = |version, data| Extension { vendor: STAY_VENDOR, id: STAY_EXTENSION, critical: true, version, data };
    assert_eq!(read(&AccessContent { extensions: &[ours(2, &one)], ..nothing }), Err(DocumentError::Version));
    for data in [&[3_u8, 0, 0, 0, 0, 0, 0, 0, 1][..], &[0; 9], &[4, 0, 0, 0, 0, 0, 0, 0, 0], &[1; 8], &[1; 10]] {
        assert_eq!(read(&AccessContent { extensions: &[ours(1, data)], ..nothing }), Err(DocumentError::Value), "{data:?}");
    }
    let strange = Extension { vendor: 1, id: 1, critical: true, version: 1, data: &[] };
    assert_eq!(read(&AccessContent { extensions: &[strange], ..nothing }), Err(DocumentError::CriticalExtension));
    assert!(read(&AccessContent { extensions: &[Extension { critical: false, ..strange }], ..nothing }).is_ok());
    let kinds = [
        (Written::YearlyByDay, 1, 1),
        (Written::YearlyByWeek, 1, 1),
        (Written::YearlyByMonthWeek, 1, 1),
        (Written::YearlyByDate, 1 << 8, 1),
        (Written::MonthlyByDate, 3, 0),
        (Written::MonthlyByDate, 1, 5),
        (Written::Weekly, 0, 0),
    ];
    for (pattern, mask, ordinal) in kinds {
        let recurrence = Some(WrittenRecurrence { duration: 60, mask, pattern, interval: 1, ordinal });
        let schedules = [WrittenSchedule { start: 2_000, end: None, recurrence, utc: true }];
        let refused = read(&AccessContent { schedules: &schedules, ..nothing }).unwrap_err();
        assert!(matches!(refused, DocumentError::Unsupported(_)), "{pattern:?} {mask} {ordinal}: {refused:?}");
    }
    let revoke = |mode, entries: &[Entry<'_>], iteration| {
        let value = bytes(|out| revocation::write(mode, entries, &[], out)).unwrap();
        let name = ElementName::of_site(SITE);
        let draft = Draft {
            credential: None,
            element: name.as_str(),
            value: &value,
            random: [7; 16],
            signed: Instant(1_000),
            valid_from: Instant(2_000),
            valid_until: Instant(3_000),
            iteration,
            time_required: false,
        };
        let signed = bytes(|out| draft.sign(&crypto, &issuer, out)).unwrap();
        let document = Document::parse(&signed).unwrap();
        verify_revocation_document(&crypto, &document, &issuer.public_key(), SITE).map(|list| list.keys().len())
    };
    let by_key = |n| Entry { key_hash: Some([n; 32]), id: None, expires: None };
    assert_eq!(revoke(Mode::Replace, &[by_key(1)], Some(1)), Ok(1));
    assert_eq!(revoke(Mode::Replace, &[by_key(1)], None), Err(DocumentError::Iteration));
    assert!(matches!(revoke(Mode::Update, &[by_key(1)], Some(1)), Err(DocumentError::Unsupported(_))));
    let by_name = Entry { id: Some(b"anna"), ..by_key(1) };
    assert!(matches!(revoke(Mode::Replace, &[by_name], Some(1)), Err(DocumentError::Unsupported(_))));
    let many: Vec<_> = (0..33).map(by_key).collect();
    assert_eq!(revoke(Mode::Replace, &many, Some(1)), Err(DocumentError::TooMany), "cut short it would let somebody in");
}

/// A window's edges, and schedules, judged through the document as without it.
fn edges_are_the_same_through_the_document<B: Backend>() {
    let crypto = B::default();
    let (issuer, holder) = (B::key([0x66; 32]), B::key([0x44; 32]).public_key());
    let weekdays = Recurrence::new(Pattern::Weekly(Weekdays(0x1F)), 1, 8 * 3_600).unwrap();
    let office = [Schedule::new(NOON - 3 * HOUR, u64::MAX, ScheduleClock::Utc, Some(weekdays)).unwrap()];
    let during = [Rule { capabilities: MOMENTARY, allow: Allow::During(1), deny: 0 }];
    let week = Window { starts: UnixTime(NOON - 3 * HOUR), ends: UnixTime(NOON + 6 * 24 * HOUR) };
    let grant = Grant::new(ROOM, key_id(&crypto, &holder), stay(NOON, Role::Override), week).with_rules(&during, &office);
    let signed = issue::<B>(&issuer, &holder, &grant).unwrap();
    let document = Document::parse(&signed).unwrap();
    let read = AccessDocument::verify(&crypto, &document, &[(issuer.public_key(), Authority::Issuer)], &holder, ROOM).unwrap();
    let state = LockState::commissioned(UnixTime(NOON - 48 * HOUR));
    let door = entrance(EntranceKind::Reservation);
    let mut opened = 0;
    for hour in 0..8 * 24 {
        for edge in [-1_i64, 0, 1] {
            let now = (NOON - 24 * HOUR + hour * HOUR).checked_add_signed(edge).unwrap();
            let verdict =
                |grant: &Grant<'_>| decide(&state, &door, grant, Action::Momentary, at(now), &TOUCH).map(|opening| opening.opens_stay());
            assert_eq!(verdict(&read.grant()), verdict(&grant), "{now}");
            opened += u32::from(verdict(&grant).is_ok());
        }
    }
    assert_eq!(opened, 5 * (8 * 3), "five days of eight hours, three edges an hour: {opened}");
}

/// Flash in memory that keeps what is written.
#[derive(Default)]
struct Flash([Vec<u8>; 2]);

impl Storage for Flash {
    type Error = ();
    fn read(&mut self, slot: Slot, into: &mut [u8; MAX_RECORD]) -> Result<usize, ()> {
        let place = &self.0[slot as usize];
        into[..place.len()].copy_from_slice(place);
        Ok(place.len())
    }
    fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), ()> {
        self.0[slot as usize] = record.to_vec();
        Ok(())
    }
}

/// What a lock says of its memory reaches the phone's mailbox in the transaction in which the lock took the list, and the fast phase's too; the issuer
/// believes it of this lock only, as it was signed.
fn a_receipt_travels_in_the_mailbox<B: Backend>() {
    let crypto = B::default();
    let (key, mut phone) = pair(&crypto);
    phone.mailbox = vec![0; RECEIPT_LEN + 9];
    let mut journal = Journal::commission(Flash::default(), LockState::commissioned(UnixTime(NOON))).unwrap();
    let leave = |session: seam_ble::aliro::reader::Session<'_, B>, phone: &mut Phone<'_, B>, journal: &Journal<Flash>| {
        let receipt = Receipt::sign(journal, SITE, ROOM, &key).unwrap();
        let write = [MailboxRequest::Write { offset: 9, data: &receipt }];
        let (waits, command) = written(|out| session.exchange(&Request { mailbox: &write, ..Request::default() }, out));
        waits.on_response(&mut phone.send(&command).1).unwrap();
        phone.mailbox[9..].to_vec()
    };
    let outcome = transact(Reader::new(&crypto, reader_id(), &key), &mut phone, None, 1, |_, _| {}).unwrap().standard();
    // In the step-up phase, after the list was taken.
    let ((), command) = written(|out| ReaderStepUp::<B>::select(out));
    ReaderStepUp::<B>::on_select(&phone.send(&command).1).unwrap();
    let list = Revocations::new(5, 0, &[]).unwrap();
    journal.keep(journal.state().with_revocations(list).unwrap()).unwrap();
    let stored = StoredPhone { credential: outcome.credential, persistent: Secret::new(*outcome.persistent.expose()) };
    phone.wallet.persistent = Some(Secret::new(*outcome.persistent.expose()));
    let carried = leave(outcome.session, &mut phone, &journal);
    let verify = |bytes: &[u8], site, lock: &PublicKey| Receipt::verify(&crypto, bytes, site, lock);
    let said = verify(&carried, SITE, &key.public_key()).unwrap();
    assert_eq!((said.entrance, said.iteration, said.issue), (ROOM, 5, IssueNumber(NOON)));
    assert_eq!(Receipt::entrance_of(&carried), Ok(ROOM));
    // The layout, written down a second time.
    let expected = [&b"seam-lock-heard1"[..], &SITE.0, &ROOM.0, &5_u64.to_be_bytes(), &NOON.to_be_bytes()].concat();
    assert_eq!(carried[..64], expected);
    assert_eq!(verify(&carried, SiteId([0x52; 16]), &key.public_key()), Err(GrantError::OtherSite));
    assert_eq!(verify(&carried, SITE, &B::key([0x34; 32]).public_key()), Err(GrantError::Signature), "another lock");
    for bit in 0..8 * carried.len() {
        let mut changed = carried.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(verify(&changed, SITE, &key.public_key()).is_err(), "bit {bit}");
    }
    for length in 0..carried.len() {
        assert_eq!(verify(&carried[..length], SITE, &key.public_key()), Err(GrantError::Format), "{length}");
    }
    // By the fast phase, of a later state.
    journal.keep(journal.state().with_revocations(Revocations::new(6, 0, &[]).unwrap()).unwrap()).unwrap();
    let Outcome::Fast(fast) = transact(Reader::new(&crypto, reader_id(), &key), &mut phone, Some(&[stored]), 2, |_, _| {}).unwrap() else {
        panic!("the standard phase was taken")
    };
    let carried = leave(fast.session, &mut phone, &journal);
    assert_eq!(verify(&carried, SITE, &key.public_key()).unwrap().iteration, 6);
}

on_each_backend! {
    a_receipt_travels_in_the_mailbox,
    a_touch_with_documents_opens_the_door,
    grants_and_lists_read_back_as_they_were,
    what_a_document_cannot_say_is_not_signed,
    what_the_lock_cannot_judge_is_refused,
    edges_are_the_same_through_the_document,
}
