//! Mobile keys: what Aliro's state machines add to the cryptography that they cannot do without, at the door and in the phone.
use crate::code_size;
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_ble::aliro::device::{Credential, Device, DeviceRandom, Moment, Trust, Wallet};
use seam_ble::aliro::document::DocType;
use seam_ble::aliro::reader::{Auth0Outcome, AwaitAuth0, Reader, ReaderRandom, StandardOutcome, StoredPhone};
use seam_ble::aliro::{AliroError, Policy, Proprietary, ReaderId, Signaling, TransactionId, Version};
use seam_ble::bytes::Writer;
use seam_ble::crypto::aws_lc::{self, AwsLc};
use seam_ble::crypto::rustcrypto::{self, RustCrypto};
use seam_ble::crypto::{Crypto, PublicKey, Secret, SigningKey};
use std::hint::black_box;
use std::time::{Duration, Instant};

const READER: ReaderId = ReaderId::new([0x5A; 32]);
/// What either side signs, in bytes.
const SIGNED: [u8; 126] = [0x4D; 126];
/// What the keys are salted with, without the phone's own description: keys' x, word, reader, interface, version, x, transaction, flags.
const SALT: usize = 32 + 12 + 32 + 1 + 4 + 32 + 16 + 2;
/// The x coordinate of the phone's ephemeral key.
const INFO: [u8; 32] = [0x1F; 32];
/// Phones that a reader knows.
const STORED: u8 = 250;

pub(crate) fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let mut lines = Pair::<RustCrypto>::new()?.measure(size, 2_000.0)?;
    lines.extend(Pair::<AwsLc>::new()?.measure(size, 300.0)?);
    lines.push(compared(size)?);
    // Building it takes longer than a smoke test may.
    if !size.is_smoke() {
        lines.extend(code_size::measure()?);
    }
    Ok(lines)
}

/// What a comparison tells by its time about where two secrets part: nothing, if the two take equally long.
fn compared(size: &Size) -> Result<Line, Failed> {
    const LENGTH: usize = 32 * 1024;
    let ours = vec![0x5A; LENGTH];
    let (mut at_first, mut at_last) = (ours.clone(), ours.clone());
    at_first[0] ^= 1;
    at_last[LENGTH - 1] ^= 1;
    let times = if size.is_smoke() { 1 } else { 41 };
    let (ratio, _) = in_turn(size.rounds, times, |last| {
        let theirs = if last { &at_last } else { &at_first };
        timed(|| if seam_ble::crypto::equal(black_box(&ours), black_box(theirs)) { Err(AliroError::Value) } else { Ok(()) })
    })?;
    Ok(Line::new("comparing secrets that part at their last byte ÷ at their first", Goal::AtMost(1.05), ratio)
        .remark("32 KiB, so that a comparison that stops early would show as a factor of thousands"))
}

trait Backend: Crypto + Default {
    const NAME: &str;
    type Key: SigningKey;
    fn key(byte: u8) -> Result<Self::Key, Failed>;
}

impl Backend for RustCrypto {
    const NAME: &str = "RustCrypto";
    type Key = rustcrypto::SoftwareKey;
    fn key(byte: u8) -> Result<Self::Key, Failed> {
        Ok(Self::Key::from_bytes(&Secret::new([byte; 32]))?)
    }
}

impl Backend for AwsLc {
    const NAME: &str = "aws-lc-rs";
    type Key = aws_lc::SoftwareKey;
    fn key(byte: u8) -> Result<Self::Key, Failed> {
        Ok(Self::Key::from_bytes(&Secret::new([byte; 32]))?)
    }
}

/// A reader that has sent AUTH0, and the answer to it.
type Begun<'a, B> = (AwaitAuth0<'a, B, <B as Backend>::Key>, Vec<u8>);

/// A phone with one credential and no documents.
struct Pocket<K> {
    key: K,
    trust: Trust,
    persistent: Option<Secret<32>>,
}

impl<K: SigningKey> Wallet for Pocket<K> {
    type Key = K;

    fn credential(&self, _reader: &ReaderId, _policy: Policy) -> Option<Credential<'_, K>> {
        Some(Credential {
            key: &self.key,
            trust: self.trust,
            persistent: self.persistent.as_ref(),
            signaling: Signaling::default(),
            credential_signed: None,
            revocation_signed: None,
        })
    }

    fn document(&self, _reader: &ReaderId, _kind: DocType, _element: &str) -> Option<&[u8]> {
        None
    }
}

/// A reader and a phone of its group. Both draw the same in each transaction, so what one side once said fits again, and the other computes
/// alone.
struct Pair<B: Backend> {
    crypto: B,
    door: B::Key,
    pocket: Pocket<B::Key>,
    proprietary: Proprietary,
}

impl<B: Backend> Pair<B> {
    fn new() -> Result<Self, Failed> {
        let door = B::key(0x33)?;
        let pocket = Pocket { key: B::key(0x44)?, trust: Trust::Key(door.public_key()), persistent: None };
        Ok(Self { crypto: B::default(), door, pocket, proprietary: Proprietary::new(&[Version::V1_0], None, None)? })
    }

    /// The reader up to AUTH0 on its way.
    fn begin(&self, fast: bool, mut carry: impl FnMut(&[u8]) -> Vec<u8>) -> Result<Begun<'_, B>, AliroError> {
        let mut space = [0; 512];
        let mut out = Writer::new(&mut space);
        let state = Reader::new(&self.crypto, READER, &self.door).select(&mut out)?;
        let state = state.on_response(&carry(out.as_slice()))?;
        let random = ReaderRandom { ephemeral: Secret::new([0x11; 32]), transaction: TransactionId([0xC3; 16]) };
        let mut out = Writer::new(&mut space);
        let state = state.auth0(&random, fast, &mut out)?;
        let answer = carry(out.as_slice());
        Ok((state, answer))
    }

    /// The reader's whole standard phase.
    fn reader(&self, mut carry: impl FnMut(&[u8]) -> Vec<u8>) -> Result<StandardOutcome<'_, B>, AliroError> {
        let (state, answer) = self.begin(false, &mut carry)?;
        let Auth0Outcome::Standard(unproven) = state.on_response(&answer, [])? else { return Err(AliroError::OutOfOrder) };
        let mut space = [0; 512];
        let mut out = Writer::new(&mut space);
        let state = unproven.auth1(&mut out)?;
        state.on_response(&mut carry(out.as_slice()), |_| None)
    }

    /// A phone that takes commands and gives answers.
    fn phone(&self) -> impl FnMut(&[u8]) -> Vec<u8> {
        let mut device = Device::nfc(&self.crypto, self.proprietary.clone());
        let random = DeviceRandom { ephemeral: Secret::new([0x22; 32]), filler: Secret::new([0x78; 32]) };
        move |command| {
            let (mut command, mut scratch, mut space) = (command.to_vec(), [0; 512], [0; 512]);
            let mut out = Writer::new(&mut space);
            let moment = Moment { wallet: &self.pocket, random: &random, now: None, mailbox: &mut [], scratch: &mut scratch };
            // An error is in the answer too, and the reader takes offence at it.
            let _ = device.handle(&mut command, moment, &mut out);
            out.as_slice().to_vec()
        }
    }

    fn measure(mut self, size: &Size, most_micros: f64) -> Result<Vec<Line>, Failed> {
        let times = if size.is_smoke() { 1 } else { 41 };
        let (mut commands, mut answers) = (Vec::new(), Vec::new());
        let mut phone = self.phone();
        let outcome = self.reader(|command| {
            let answer = phone(command);
            commands.push(command.to_vec());
            answers.push(answer.clone());
            answer
        });
        let persistent = outcome?.persistent;
        drop(phone);

        let parts = Parts::new(&self)?;
        let (ratio, micros) = in_turn(size.rounds, times, |whole| {
            let mut given = answers.iter();
            timed(|| match whole {
                true => self.reader(|_| given.next().cloned().unwrap_or_default()).map(drop),
                false => parts.standard(&self.door),
            })
        })?;
        let mut lines = Self::standard("door", ratio, micros, most_micros);
        let (ratio, micros) = in_turn(size.rounds, times, |whole| {
            timed(|| match whole {
                true => {
                    let mut phone = self.phone();
                    let last = commands.iter().map(|command| phone(command)).last();
                    // The answer with the signature: its status alone has two bytes.
                    last.filter(|answer| answer.len() > 2).map(drop).ok_or(AliroError::OutOfOrder)
                }
                false => parts.standard(&self.pocket.key),
            })
        })?;
        lines.extend(Self::standard("phone", ratio, micros, most_micros));

        self.pocket.persistent = Some(persistent);
        lines.push(self.search(size, &Parts::new(&self)?)?);
        Ok(lines)
    }

    fn standard(side: &str, ratio: Rounds, micros: Rounds, most_micros: f64) -> Vec<Line> {
        vec![
            Line::new(format!("Aliro's standard phase at the {side} ÷ its primitives, {}", B::NAME), Goal::AtMost(1.05), ratio)
                .remark("an ephemeral key, an agreement, a signature made and one checked, two HKDFs, one GCM"),
            Line::new(format!("µs of Aliro's standard phase at the {side}, {}", B::NAME), Goal::AtMost(most_micros), micros)
                .digits(0)
                .remark("recorded messages: no radio, no other side"),
        ]
    }

    /// The phone is the last of those that the reader knows.
    fn search(&self, size: &Size, parts: &Parts<'_, B>) -> Result<Line, Failed> {
        let credential = self.pocket.key.public_key();
        let known = |persistent| StoredPhone { credential, persistent };
        let mut stored: Vec<StoredPhone> = (1..STORED).map(|n| known(Secret::new([n; 32]))).collect();
        stored.extend(self.pocket.persistent.clone().map(known));
        let mut answers = Vec::new();
        let mut phone = self.phone();
        self.begin(true, |command| {
            answers.push(phone(command));
            answers.last().cloned().unwrap_or_default()
        })?;
        let times = if size.is_smoke() { 1 } else { 21 };
        let (ratio, micros) = in_turn(size.rounds, times, |whole| {
            let mut given = answers.iter();
            let (state, answer) = self.begin(true, |_| given.next().cloned().unwrap_or_default())?;
            timed(|| match whole {
                true => match state.on_response(&answer, &stored)? {
                    Auth0Outcome::Fast(found) if found.index + 1 == stored.len() => Ok(()),
                    _ => Err(AliroError::UnknownCredential),
                },
                false => stored.iter().try_for_each(|phone| parts.trial(&phone.persistent)),
            })
        })?;
        Ok(Line::new(
            format!("Aliro's fast phase at the door: search per stored phone ÷ one HKDF and one GCM, {}", B::NAME),
            Goal::AtMost(1.2),
            ratio,
        )
        .remark(format!(
            "{:.2} µs for each of {STORED} phones, the last of which it is; the HKDF beside it is of 160 bytes, a trial needs 32",
            micros.median / f64::from(STORED)
        )))
    }
}

/// What the primitives are given: as long as in the transaction, of whatever content.
struct Parts<'a, B: Backend> {
    crypto: &'a B,
    ephemeral: Secret<32>,
    peer: PublicKey,
    signer: PublicKey,
    signature: seam_ble::crypto::Signature,
    salt: Vec<u8>,
    /// Of the fast phase and its key.
    salt_with_credential: Vec<u8>,
    /// The answer to AUTH1: the phone's key, its signature, and what it offers, with their tags.
    text: [u8; 67 + 66 + 4],
    cryptogram: ([u8; 48], [u8; 16]),
}

impl<'a, B: Backend> Parts<'a, B> {
    fn new(pair: &'a Pair<B>) -> Result<Self, Failed> {
        let (_, peer) = pair.crypto.agreement_key(&Secret::new([0x22; 32]))?;
        Ok(Self {
            crypto: &pair.crypto,
            ephemeral: Secret::new([0x11; 32]),
            peer,
            signer: pair.pocket.key.public_key(),
            signature: pair.pocket.key.sign(&SIGNED)?,
            salt: vec![0x5C; SALT + pair.proprietary.tlv().len()],
            salt_with_credential: vec![0x5C; SALT + pair.proprietary.tlv().len() + 32],
            text: [0x5A; 67 + 66 + 4],
            cryptogram: ([0x9D; 48], [0x9D; 16]),
        })
    }

    /// Both sides do the same: where one encrypts the other decrypts, which takes as long.
    fn standard(&self, own: &B::Key) -> Result<(), AliroError> {
        let (crypto, mut okm, mut persistent, mut text) = (self.crypto, Secret::new([0; 160]), Secret::new([0; 32]), self.text);
        let (key, public) = crypto.agreement_key(black_box(&self.ephemeral))?;
        black_box(public);
        black_box(own.sign(black_box(&SIGNED))?);
        let agreed = crypto.x963(&crypto.agree(&key, black_box(&self.peer))?, &[0xC3; 16]);
        crypto.hkdf(agreed.expose(), &self.salt, &[&INFO], okm.expose_mut())?;
        crypto.hkdf(agreed.expose(), &self.salt_with_credential, &[&INFO], persistent.expose_mut())?;
        black_box(crypto.gcm_seal(&persistent, &[0; 12], &[], &mut text)?);
        crypto.verify(black_box(&self.signer), &SIGNED, &self.signature)?;
        black_box((okm, text));
        Ok(())
    }

    /// One stored phone that it is not.
    fn trial(&self, persistent: &Secret<32>) -> Result<(), AliroError> {
        let (mut okm, mut key) = (Secret::new([0; 160]), Secret::new([0; 32]));
        let (mut text, tag) = self.cryptogram;
        self.crypto.hkdf(black_box(persistent).expose(), &self.salt_with_credential, &[&INFO], okm.expose_mut())?;
        key.expose_mut().copy_from_slice(&okm.expose()[..32]);
        match self.crypto.gcm_open(black_box(&key), &[0; 12], &[], &mut text, &tag) {
            Ok(()) => Err(AliroError::Cryptogram),
            Err(_) => Ok(()),
        }
    }
}

fn timed(work: impl FnOnce() -> Result<(), AliroError>) -> Result<Duration, Failed> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed())
}

/// Does the whole (`true`) and its parts in turn, the order turned round after each: the ratio of their times, and the whole's in µs. Of each
/// round the medians count: what takes so little is spoilt by a single interruption.
fn in_turn(rounds: usize, times: usize, mut work: impl FnMut(bool) -> Result<Duration, Failed>) -> Result<(Rounds, Rounds), Failed> {
    let (mut ratios, mut micros) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let (mut whole, mut parts) = (Vec::new(), Vec::new());
        for time in 0..times {
            for is_whole in [time % 2 == 0, time % 2 != 0] {
                let took = work(is_whole)?.as_secs_f64() * 1e6;
                if is_whole { whole.push(took) } else { parts.push(took) }
            }
        }
        let (whole, parts) = (Rounds::of(whole).median, Rounds::of(parts).median);
        ratios.push(whole / parts);
        micros.push(whole);
    }
    Ok((Rounds::of(ratios), Rounds::of(micros)))
}
