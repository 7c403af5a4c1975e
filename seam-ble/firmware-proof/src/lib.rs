//! A lock's side of the standard and the fast phase as firmware would link it.
#![no_std]

use seam_ble::aliro::reader::{Auth0Outcome, Reader, ReaderRandom, StoredPhone};
use seam_ble::aliro::{AliroError, ReaderId, TransactionId};
use seam_ble::bytes::Writer;
use seam_ble::crypto::Secret;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    loop {}
}

/// Sends a command and puts the answer into the buffer; gives its length.
pub type Exchange = extern "C" fn(*mut u8, usize) -> usize;

fn run(seed: [u8; 32], phone: Option<&StoredPhone>, exchange: Exchange) -> Result<(), AliroError> {
    let (key, mut buffer) = (SoftwareKey::from_bytes(&Secret::new(seed))?, [0; 512]);
    let mut talk = |buffer: &mut [u8; 512], length: usize| exchange(buffer.as_mut_ptr(), length).min(512);
    let reader = Reader::new(&RustCrypto, ReaderId::new(seed), &key);
    let mut out = Writer::new(&mut buffer);
    let state = reader.select(&mut out)?;
    let length = out.len();
    let length = talk(&mut buffer, length);
    let state = state.on_response(&buffer[..length])?;
    let mut out = Writer::new(&mut buffer);
    let random = ReaderRandom { ephemeral: Secret::new(seed), transaction: TransactionId([0; 16]) };
    let state = state.auth0(&random, phone.is_some(), &mut out)?;
    let length = out.len();
    let length = talk(&mut buffer, length);
    let Auth0Outcome::Standard(state) = state.on_response(&buffer[..length], phone)? else { return Ok(()) };
    let mut out = Writer::new(&mut buffer);
    let state = state.auth1(&mut out)?;
    let length = out.len();
    let length = talk(&mut buffer, length);
    state.on_response(&mut buffer[..length], |_| None).map(|_| ())
}

/// The only symbol: what it does not reach is not in the figure.
// SAFETY of the attribute: no other symbol of this library has the name.
#[unsafe(no_mangle)]
pub extern "C" fn unlock(seed: &[u8; 32], exchange: Exchange) -> bool {
    let key = SoftwareKey::from_bytes(&Secret::new(*seed));
    let phone = key.ok().map(|key| StoredPhone { credential: seam_ble::crypto::SigningKey::public_key(&key), persistent: Secret::new(*seed) });
    run(*seed, phone.as_ref(), exchange).is_ok()
}
