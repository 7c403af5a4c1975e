//! Authentication as the card does it.
use super::cipher::{Cipher, rotated};
use super::session::Session;
use super::status::{AUTHENTICATION, ILLEGAL_COMMAND, LENGTH, NO_SUCH_KEY, Refusal};
use super::{DesfireCard, DesfireModel, Exchange};

/// After the first pass.
pub(super) enum Half {
    Ev1 { key_no: u8, kind: u8, key: Vec<u8>, rnd_b: Vec<u8>, iv: Vec<u8> },
    Ev2 { key_no: u8, key: Vec<u8>, rnd_b: Vec<u8>, goes_on: Option<([u8; 4], u16)> },
}

impl DesfireCard {
    /// Gives `E(RndB)`.
    pub(super) fn begin_authentication(&mut self, ins: u8, params: &[u8]) -> Result<Vec<u8>, Refusal> {
        let before = self.session.take();
        let (key_no, _capabilities) = params.split_first().ok_or(LENGTH)?;
        match ins {
            0x1A | 0xAA if params.len() != 1 => return Err(LENGTH),
            0x71 if params.len() < 2 || params.len() != 2 + usize::from(params[1]) => return Err(LENGTH),
            0x71 | 0x77 if self.model == DesfireModel::Ev1 => return Err(ILLEGAL_COMMAND),
            0x77 if params.len() != 1 => return Err(LENGTH),
            _ => {}
        }
        let application = self.current();
        let key = application.keys.get(usize::from(*key_no)).ok_or(NO_SUCH_KEY)?.bytes.clone();
        let kind = application.kind;
        if (ins == 0x1A) == (kind == 0x80) {
            return Err(AUTHENTICATION);
        }
        let cipher = Cipher::new(kind, &key);
        if ins == 0x1A || ins == 0xAA {
            let rnd_b = if kind == 0x00 { self.draw::<8>().to_vec() } else { self.draw::<16>().to_vec() };
            let sent = cipher.encrypt(&vec![0; cipher.block()], &rnd_b);
            let iv = sent[sent.len() - cipher.block()..].to_vec();
            self.exchange = Exchange::Authenticating(Half::Ev1 { key_no: *key_no, kind, key, rnd_b, iv });
            return Ok(sent);
        }
        let goes_on = match (ins, before) {
            (0x77, Some(Session::Ev2 { ti, counter, .. })) => Some((ti, counter)),
            (0x77, _) => return Err(AUTHENTICATION),
            _ => None,
        };
        let rnd_b = self.draw::<16>().to_vec();
        let sent = cipher.encrypt(&[0; 16], &rnd_b);
        self.exchange = Exchange::Authenticating(Half::Ev2 { key_no: *key_no, key, rnd_b, goes_on });
        Ok(sent)
    }

    /// Takes `E(RndA || RndB')`, and proves that it knows the key as well.
    pub(super) fn finish_authentication(&mut self, half: Half, token: &[u8]) -> Result<Vec<u8>, Refusal> {
        match half {
            Half::Ev1 { key_no, kind, key, rnd_b, iv } => {
                let cipher = Cipher::new(kind, &key);
                if token.len() != 2 * rnd_b.len() {
                    return Err(LENGTH);
                }
                let clear = cipher.decrypt(&iv, token).ok_or(LENGTH)?;
                let (rnd_a, came) = clear.split_at(rnd_b.len());
                if came != rotated(&rnd_b) {
                    return Err(AUTHENTICATION);
                }
                let sent = cipher.encrypt(&token[token.len() - cipher.block()..], &rotated(rnd_a));
                let session = Box::new(Cipher::new(kind, &ev1_session_key(kind, &key, rnd_a, &rnd_b)));
                let iv = vec![0; session.block()];
                self.session = Some(Session::Ev1 { key_no, cipher: session, iv });
                Ok(sent)
            }
            Half::Ev2 { key_no, key, rnd_b, goes_on } => {
                let cipher = Cipher::new(0x80, &key);
                let clear = cipher.decrypt(&[0; 16], token).filter(|clear| clear.len() == 32).ok_or(LENGTH)?;
                let (rnd_a, came) = clear.split_at(16);
                if came != rotated(&rnd_b) {
                    return Err(AUTHENTICATION);
                }
                let enc = Box::new(Cipher::new(0x80, &cipher.cmac(&session_vector([0xA5, 0x5A], rnd_a, &rnd_b))));
                let mac = Box::new(Cipher::new(0x80, &cipher.cmac(&session_vector([0x5A, 0xA5], rnd_a, &rnd_b))));
                let (ti, counter) = match goes_on {
                    Some(before) => before,
                    None => {
                        // A first authentication ends what was not committed.
                        self.forget();
                        (self.draw::<4>(), 0)
                    }
                };
                self.session = Some(Session::Ev2 { key_no, enc, mac, ti, counter });
                let said = if goes_on.is_some() { rotated(rnd_a) } else { [&ti[..], &rotated(rnd_a), &[0; 12]].concat() };
                Ok(cipher.encrypt(&[0; 16], &said))
            }
        }
    }
}

fn ev1_session_key(kind: u8, key: &[u8], a: &[u8], b: &[u8]) -> Vec<u8> {
    let mix = |from: &[usize]| from.iter().flat_map(|at| [&a[*at..at + 4], &b[*at..at + 4]].concat()).collect::<Vec<u8>>();
    match kind {
        0x80 => mix(&[0, 12]),
        0x40 => mix(&[0, 6, 12]),
        // Two halves that differ in nothing but parity are one key.
        _ if (0..8).all(|i| key[i] >> 1 == key[i + 8] >> 1) => mix(&[0]).repeat(2),
        _ => mix(&[0, 4]),
    }
}

/// SV1 or SV2, counted from the end as the notes do: RndA[15..14] and so on.
fn session_vector(label: [u8; 2], a: &[u8], b: &[u8]) -> Vec<u8> {
    let mut out = vec![label[0], label[1], 0x00, 0x01, 0x00, 0x80, a[0], a[1]];
    out.extend((0..6).map(|i| a[2 + i] ^ b[i]));
    out.extend(&b[6..16]);
    out.extend(&a[8..16]);
    out
}
