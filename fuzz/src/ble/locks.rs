//! What a lock decides by: grants, lists, time, and its own memory.
use super::{key, public, written};
use seam_ble::crypto::SigningKey as _;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::lock::{
    Authority, Claim, EntranceId, Grant, IssueNumber, Journal, KeyId, LockState, MAX_RECORD, Receipt, Revocations, Role, SignedGrant,
    SiteId, Slot, Storage, TimeToken, UnixTime, Window, key_id, sign_revocations, sign_time, verify_revocations,
};

const ISSUER: u8 = 0x44;
const PHONE: u8 = 0x66;
const ROOM: EntranceId = EntranceId([1; 16]);
const SITE: SiteId = SiteId([9; 16]);

/// The bytes with a good signature of the issuer behind them: only then anything else is looked at.
fn signed(body: &[u8]) -> Vec<u8> {
    let signature = key(ISSUER).sign(body).expect("a software key signs");
    [body, signature.as_bytes()].concat()
}

pub(super) fn grant_seeds() -> Vec<Vec<u8>> {
    let phone = key_id(&RustCrypto, &public(PHONE));
    let window = Window { starts: UnixTime(2_000), ends: UnixTime(3_000) };
    let stay = |role| Claim::Stay { issue: IssueNumber(2_000), role };
    let grants = [stay(Role::Override), stay(Role::Joiner), Claim::Staff, Claim::Common]
        .map(|claim| Grant::new(ROOM, phone, claim, window).with_iteration(5));
    let signed = grants.iter().filter_map(|grant| SignedGrant::issue(&key(ISSUER), grant).ok());
    signed.map(|grant| grant.as_bytes()[..grant.as_bytes().len() - 64].to_vec()).collect()
}

/// Grants: what is not of the issuer is refused; what the issuer signed says the same when it is written again.
pub(super) fn grants(input: &[u8]) {
    let issuers = [(public(ISSUER), Authority::Issuer)];
    let verify = |bytes: &[u8]| SignedGrant::verify(&RustCrypto, bytes, &issuers, &public(PHONE)).map(|grant| format!("{grant:?}"));
    assert!(verify(input).is_err(), "a grant without a signature");
    let whole = signed(input);
    if let Ok(grant) = SignedGrant::verify(&RustCrypto, &whole, &issuers, &public(PHONE)) {
        let again = SignedGrant::issue(&key(ISSUER), &grant).expect("it was read");
        assert_eq!(again.as_bytes()[..input.len()], *input, "one grant has one form");
        assert_eq!(verify(again.as_bytes()), Ok(format!("{grant:?}")));
    }
}

pub(super) fn list_seeds() -> Vec<Vec<u8>> {
    let list = |keys: &[KeyId]| {
        let list = Revocations::new(7, 3, keys).ok()?;
        let bytes = written(|out| sign_revocations(out, &key(ISSUER), SITE, &list))?;
        Some(bytes[..bytes.len() - 64].to_vec())
    };
    [list(&[]), list(&[KeyId([1; 32])]), list(&[KeyId([1; 32]), KeyId([2; 32]), KeyId([3; 32])])].into_iter().flatten().collect()
}

/// Lists of what is revoked: as grants.
pub(super) fn lists(input: &[u8]) {
    assert!(verify_revocations(&RustCrypto, input, &public(ISSUER), SITE).is_err(), "a list without a signature");
    if let Ok(list) = verify_revocations(&RustCrypto, &signed(input), &public(ISSUER), SITE) {
        let again = written(|out| sign_revocations(out, &key(ISSUER), SITE, &list)).expect("it was read");
        assert_eq!(again[..input.len()], *input, "one list has one form");
        assert!(list.keys().iter().all(|key| list.names(*key)));
    }
}

pub(super) fn receipt_seeds() -> Vec<Vec<u8>> {
    let journal = Journal::commission(Flash::default(), LockState::commissioned(UnixTime(1_700_000_000))).ok();
    let receipt = journal.and_then(|journal| Receipt::sign(&journal, SITE, ROOM, &key(ISSUER)).ok());
    receipt.map(|bytes| bytes[..bytes.len() - 64].to_vec()).into_iter().collect()
}

/// Receipts of a lock, here with the issuer's key: what it did not sign is refused; what it signed says what stands in it.
pub(super) fn receipts(input: &[u8]) {
    assert!(Receipt::verify(&RustCrypto, input, SITE, &public(ISSUER)).is_err(), "a receipt without a signature");
    let whole = signed(input);
    if let Ok(receipt) = Receipt::verify(&RustCrypto, &whole, SITE, &public(ISSUER)) {
        assert_eq!(Receipt::entrance_of(&whole), Ok(receipt.entrance));
        let numbers = [receipt.iteration.to_be_bytes(), receipt.issue.0.to_be_bytes()].concat();
        assert_eq!([&b"seam-lock-heard1"[..], &SITE.0, &receipt.entrance.0, &numbers].concat(), input, "one receipt has one form");
    }
}

pub(super) fn token_seeds() -> Vec<Vec<u8>> {
    let token = sign_time(&key(ISSUER), ROOM, [9; seam_ble::lock::TIME_CHALLENGE_LEN], UnixTime(1_800_000_000));
    token.map(|token| token.to_bytes().to_vec()).into_iter().collect()
}

/// Tokens of time have one form.
pub(super) fn tokens(input: &[u8]) {
    if let Some(bytes) = input.first_chunk() {
        assert_eq!(TimeToken::from_bytes(bytes).to_bytes(), *bytes);
    }
}

/// Flash with two places, in which anything may stand.
#[derive(Clone, Default)]
struct Flash([Vec<u8>; 2]);

fn place(slot: Slot) -> usize {
    match slot {
        Slot::A => 0,
        Slot::B => 1,
    }
}

impl Storage for Flash {
    type Error = std::convert::Infallible;
    fn read(&mut self, slot: Slot, into: &mut [u8; MAX_RECORD]) -> Result<usize, Self::Error> {
        let from = &self.0[place(slot)];
        let length = from.len().min(into.len());
        into[..length].copy_from_slice(&from[..length]);
        Ok(length)
    }
    fn write(&mut self, slot: Slot, bytes: &[u8]) -> Result<(), Self::Error> {
        self.0[place(slot)] = bytes.to_vec();
        Ok(())
    }
}

pub(super) fn memory_seeds() -> Vec<Vec<u8>> {
    let state = LockState::commissioned(UnixTime(1_700_000_000));
    let revoked = Revocations::new(1, 0, &[KeyId([7; 32])]).ok().and_then(|list| state.with_revocations(list).ok());
    let written = |state| Journal::commission(Flash::default(), state).map(|journal| journal.into_storage().0[0].clone()).ok();
    [written(state), revoked.and_then(written)].into_iter().flatten().collect()
}

/// A lock's memory in any condition, as it is and with its checksum made right: it starts with a state that is there, or with none; and
/// what it keeps is there when it starts again.
pub(super) fn memory(input: &[u8]) {
    let good = memory_seeds().swap_remove(0);
    let summed = [input, &crc32(input).to_be_bytes()].concat();
    for slot in [input, &summed] {
        for flash in [Flash([slot.to_vec(), Vec::new()]), Flash([good.clone(), slot.to_vec()]), Flash([slot.to_vec(), good.clone()])] {
            let Ok(mut journal) = Journal::open(flash.clone()) else {
                assert_ne!(flash.0[0], good, "a good record was not found");
                continue;
            };
            let state = *journal.state();
            let later = state.raise_floor(UnixTime(state.floor().0.saturating_add(1)));
            if journal.keep(later).is_ok() {
                let again = Journal::open(journal.into_storage()).expect("it was kept");
                assert_eq!(again.state().floor(), later.floor());
                assert_eq!(again.state().issue(), state.issue());
            }
        }
    }
}

/// CRC-32 as Ethernet has it, bit by bit.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xEDB8_8320 } else { sum >> 1 })
    })
}
