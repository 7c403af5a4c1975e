//! A simulated lock, a client, and the two by hand: checksum and encryption written a second time, to make what neither would send.
use crate::support::written;
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{Aead, KeyInit};
use seam_ble::crypto::Secret;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::nuki::sim::SimLock;
use seam_ble::nuki::{self, Action, Actions, Client, Identity, NukiError, Paired, Progress};
use std::sync::atomic::{AtomicU64, Ordering};

pub(crate) const NAME: &str = "Marc (Test)";
pub(crate) const BY: Actions = Actions { app: 7, flags: 0 };

/// Numbers that never repeat; nothing here needs them to be unguessable.
pub(crate) fn random() -> [u8; 32] {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let mut bytes = [0x5A; 32];
    bytes[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    bytes
}

pub(crate) fn nonce() -> [u8; 24] {
    random()[..24].try_into().unwrap()
}

pub(crate) fn lock() -> SimLock<RustCrypto> {
    let mut lock = SimLock::new(RustCrypto, random);
    lock.pairing_mode = true;
    lock
}

/// Pairs; `meddle` may change each of the ten messages (numbered from 0).
pub(crate) fn pair(lock: &mut SimLock<RustCrypto>, mut meddle: impl FnMut(usize, Vec<u8>) -> Vec<u8>) -> Result<Paired, NukiError> {
    let mut index = 0;
    let mut exchange = |message: Vec<u8>| {
        let arrived = meddle(index, message);
        let answer = meddle(index + 1, lock.pairing_data(&arrived));
        index += 2;
        answer
    };
    let (sent, state) = written(|out| nuki::begin(Secret::new([0x42; 32]), out))?;
    let answer = exchange(sent);
    let (sent, state) = written(|out| state.receive(&answer, out))?;
    let answer = exchange(sent);
    let (sent, state) = written(|out| state.receive(&RustCrypto, &answer, out))?;
    let answer = exchange(sent);
    let identity = Identity { kind: 0, id: 7, name: NAME };
    let (sent, state) = written(|out| state.receive(&RustCrypto, &identity, [9; 32], &answer, out))?;
    let answer = exchange(sent);
    let (sent, state) = written(|out| state.receive(&RustCrypto, &answer, out))?;
    let answer = exchange(sent);
    state.receive(&answer)
}

pub(crate) fn paired() -> (SimLock<RustCrypto>, Paired) {
    let mut lock = lock();
    let paired = pair(&mut lock, |_, message| message).unwrap();
    (lock, paired)
}

/// A whole action; `meddle` may change each message.
pub(crate) fn act(
    lock: &mut SimLock<RustCrypto>,
    client: &mut Client,
    action: Action,
    mut meddle: impl FnMut(usize, Vec<u8>) -> Vec<u8>,
) -> Result<(), NukiError> {
    let (sent, asked) = written(|out| client.ask_challenge(nonce(), out))?;
    let answers = lock.user_data(&meddle(0, sent));
    let challenge = meddle(1, answers[0].clone());
    let (sent, mut waiting) = written(|out| client.act(asked, &challenge, action, BY, nonce(), out))?;
    for (index, answer) in lock.user_data(&meddle(2, sent)).into_iter().enumerate() {
        match client.progress(waiting, &meddle(3 + index, answer))? {
            Progress::Accepted(next) | Progress::Moving(_, next) => waiting = next,
            Progress::Done => return Ok(()),
        }
    }
    panic!("the lock came to no end")
}

/// CRC-16 with polynomial 1021 from FFFF, bit by bit.
pub(crate) fn checksum(bytes: &[u8]) -> [u8; 2] {
    let mut sum = 0xFFFF_u16;
    for byte in bytes {
        sum ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            sum = if sum & 0x8000 == 0 { sum << 1 } else { (sum << 1) ^ 0x1021 };
        }
    }
    sum.to_le_bytes()
}

/// An encrypted message around any plaintext.
pub(crate) fn encrypt(key: &Secret<32>, outside: u32, nonce: [u8; 24], plain: &[u8]) -> Vec<u8> {
    let sealed = XSalsa20Poly1305::new(key.expose().into()).encrypt(&nonce.into(), plain).unwrap();
    let length = u16::try_from(sealed.len()).unwrap().to_le_bytes();
    [&nonce[..], &outside.to_le_bytes(), &length, &sealed].concat()
}

/// The plaintext with its checksum appended.
pub(crate) fn summed(plain: &[u8]) -> Vec<u8> {
    [plain, &checksum(plain)].concat()
}

pub(crate) fn decrypt(paired: &Paired, message: &[u8]) -> Vec<u8> {
    let nonce: [u8; 24] = message[..24].try_into().unwrap();
    XSalsa20Poly1305::new(paired.key.expose().into()).decrypt(&nonce.into(), &message[30..]).unwrap()
}
