//! The phone's side of PKOC over Bluetooth, and what an instant key's page signs, for a page: Web Bluetooth gives it characteristics and no L2CAP, so
//! it is PKOC that runs there.
//!
//! What goes in and out stands in one buffer. It is made of atomics because those may be shared with the page without `unsafe`; there is one thread.
//! The page draws the randomness: a module has none of its own.
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{PublicKey, Secret, SigningKey};
use seam_ble::pkoc::{
    Anchor, AwaitReaderProof, AwaitResponse, Device, MAX_MESSAGE, PkocError, ReadersOfSite, Site, SiteId, Wire,
};

const SPACE: usize = 1024;
static BUFFER: [AtomicU8; SPACE] = [const { AtomicU8::new(0) }; SPACE];
static PHONE: Mutex<Option<Phone>> = Mutex::new(None);

/// What a call gives instead of a length: the page has nothing to tell its user but that it did not work.
const REFUSED: i32 = -1;
/// Set in what [`receive`] gives when it is over; the lowest byte is then the reader's answer.
const OVER: i32 = 0x1_0000;

enum State {
    Begun,
    Greeted(AwaitReaderProof),
    Proven(AwaitResponse),
}

struct Phone {
    key: SoftwareKey,
    random: Secret<32>,
    now: u32,
    site: SiteId,
    issuer: PublicKey,
    extension: Vec<u8>,
    state: State,
}

fn taken(length: usize) -> Option<Vec<u8>> {
    Some(BUFFER.get(..length)?.iter().map(|byte| byte.swap(0, Ordering::Relaxed)).collect())
}

fn given(bytes: &[u8]) -> Option<i32> {
    BUFFER.get(..bytes.len())?.iter().zip(bytes).for_each(|(place, byte)| place.store(*byte, Ordering::Relaxed));
    i32::try_from(bytes.len()).ok()
}

/// Where the buffer is.
// SAFETY of the attribute, here and below: no other symbol of this module has the name.
#[unsafe(no_mangle)]
pub extern "C" fn buffer() -> *const AtomicU8 {
    BUFFER.as_ptr()
}

/// Takes a private key (32 random bytes) and a message; gives the public key (65 bytes) and the signature (64). This is what enrols the phone: the
/// message is the office's nonce and what it is for.
#[unsafe(no_mangle)]
pub extern "C" fn sign(length: usize) -> i32 {
    let act = || {
        let input = taken(length)?;
        let (private, message) = input.split_first_chunk::<32>()?;
        let key = SoftwareKey::from_bytes(&Secret::new(*private)).ok()?;
        let signature = key.sign(message).ok()?;
        given(&[&key.public_key().as_bytes()[..], signature.as_bytes()].concat())
    };
    act().unwrap_or(REFUSED)
}

/// Begins a visit: takes the private key (32), fresh random bytes (32), the time (4, seconds since 1970), the site (16), its issuer's key (65), and what
/// the office signed for this phone (the rest).
#[unsafe(no_mangle)]
pub extern "C" fn begin(length: usize) -> i32 {
    let act = || {
        let input = taken(length)?;
        let (private, rest) = input.split_first_chunk::<32>()?;
        let (random, rest) = rest.split_first_chunk::<32>()?;
        let (now, rest) = rest.split_first_chunk::<4>()?;
        let (site, rest) = rest.split_first_chunk::<16>()?;
        let (issuer, extension) = rest.split_first_chunk::<65>()?;
        let phone = Phone {
            key: SoftwareKey::from_bytes(&Secret::new(*private)).ok()?,
            random: Secret::new(*random),
            now: u32::from_be_bytes(*now),
            site: SiteId(*site),
            issuer: PublicKey::from_uncompressed(issuer).ok()?,
            extension: extension.to_vec(),
            state: State::Begun,
        };
        *PHONE.lock().unwrap_or_else(PoisonError::into_inner) = Some(phone);
        Some(0)
    };
    act().unwrap_or(REFUSED)
}

/// Takes what the reader notified; gives the length of what to write, or [`OVER`] with the reader's answer. After a refusal the visit is over.
#[unsafe(no_mangle)]
pub extern "C" fn receive(length: usize) -> i32 {
    let act = || {
        let message = taken(length)?;
        let mut held = PHONE.lock().unwrap_or_else(PoisonError::into_inner);
        let mut phone = held.take()?;
        let sites = [Site { id: phone.site, anchor: Anchor::Issuer(phone.issuer), readers: ReadersOfSite::All, revoked: None }];
        let device = Device { key: &phone.key, sites: &sites, last_update: phone.now, wire: Wire::V2 };
        let mut space = [0; MAX_MESSAGE];
        let mut out = Writer::new(&mut space);
        let next = match phone.state {
            State::Begun => device.greet(&RustCrypto, &message, &phone.random, Some(phone.now), &mut out).map(State::Greeted),
            State::Greeted(state) => state.receive(&RustCrypto, &device, &message, &phone.extension, &mut out).map(State::Proven),
            State::Proven(state) => return state.receive(&device, &message).ok().map(|response| OVER | i32::from(response.0)),
        };
        phone.state = next.map_err(|_: PkocError| ()).ok()?;
        let written = given(out.as_slice());
        *held = Some(phone);
        written
    };
    act().unwrap_or(REFUSED)
}
