//! Secure messaging as the card does it.
use super::cipher::{Cipher, crc32};
use super::status::{INTEGRITY, LENGTH, Refusal};

/// What a session is made of.
pub(super) enum Session {
    Ev1 { key_no: u8, cipher: Box<Cipher>, iv: Vec<u8> },
    Ev2 { key_no: u8, enc: Box<Cipher>, mac: Box<Cipher>, ti: [u8; 4], counter: u16 },
}

/// How one command is secured: what stands before the data in the clear, and how the two ways travel.
#[derive(Clone, Copy)]
pub(super) struct Secured {
    /// Bytes of the header.
    pub header: usize,
    pub command: Way,
    pub response: Way,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// In EV1 with a MAC that only moves the vector.
    Plain,
    Mac,
    Full,
}

impl Secured {
    /// Management: EV2 has MACs both ways; EV1 only back.
    pub(super) fn management(session: Option<&Session>) -> Self {
        let command = if matches!(session, Some(Session::Ev2 { .. })) { Way::Mac } else { Way::Plain };
        Self { header: 0, command, response: Way::Mac }
    }
    /// Data to the card, in the mode of a file.
    pub(super) fn write(header: usize, mode: u8) -> Self {
        let command = match mode {
            1 => Way::Mac,
            3 => Way::Full,
            _ => Way::Plain,
        };
        Self { header, command, response: if command == Way::Plain { Way::Plain } else { Way::Mac } }
    }
    /// Data from the card, in the mode of a file.
    pub(super) fn read(session: Option<&Session>, mode: u8) -> Self {
        let response = Self::write(0, mode).command;
        let is_ev2 = matches!(session, Some(Session::Ev2 { .. }));
        Self { header: 0, command: if is_ev2 && response != Way::Plain { Way::Mac } else { Way::Plain }, response }
    }
}

impl Session {
    pub(super) fn key_no(&self) -> u8 {
        match self {
            Self::Ev1 { key_no, .. } | Self::Ev2 { key_no, .. } => *key_no,
        }
    }

    /// Bytes that a command has in all when its header and so many bytes of data are secured this way.
    pub(super) fn length(&self, secured: Secured, data: usize) -> usize {
        let data = match (self, secured.command) {
            (_, Way::Plain) => data,
            (_, Way::Mac) => data + 8,
            (Self::Ev1 { cipher, .. }, Way::Full) => (data + 4).div_ceil(cipher.block()) * cipher.block(),
            (Self::Ev2 { .. }, Way::Full) => (data / 16 + 1) * 16 + 8,
        };
        secured.header + data
    }

    /// The clear command, without MAC and CRC; the data of an encrypted EV1 command have this length.
    pub(super) fn unwrap(&mut self, ins: u8, params: &[u8], secured: Secured, data: usize) -> Result<Vec<u8>, Refusal> {
        match self {
            Self::Ev1 { cipher, iv, .. } => match secured.command {
                Way::Plain => {
                    *iv = cipher.cmac_from(iv, &[&[ins], params].concat());
                    Ok(params.to_vec())
                }
                Way::Mac => {
                    let (said, mac) = split_mac(params)?;
                    *iv = cipher.cmac_from(iv, &[&[ins], said].concat());
                    if mac == &iv[..8] { Ok(said.to_vec()) } else { Err(INTEGRITY) }
                }
                Way::Full => {
                    let (header, rest) = params.split_at_checked(secured.header).ok_or(LENGTH)?;
                    let clear = self.open(rest)?;
                    let (said, check) = clear.split_at_checked(data).ok_or(LENGTH)?;
                    let (crc, padding) = check.split_at_checked(4).ok_or(LENGTH)?;
                    let is_right = crc32(&[&[ins], header, said].concat()) == crc && padding.iter().all(|byte| *byte == 0);
                    if is_right { Ok([header, said].concat()) } else { Err(INTEGRITY) }
                }
            },
            Self::Ev2 { enc, mac, ti, counter, .. } => {
                if secured.command == Way::Plain {
                    return Ok(params.to_vec());
                }
                let (said, came) = split_mac(params)?;
                let full = mac.cmac(&[&[ins], &counter.to_le_bytes()[..], ti, said].concat());
                if every_second(&full) != came {
                    return Err(INTEGRITY);
                }
                let (header, rest) = said.split_at_checked(secured.header).ok_or(LENGTH)?;
                if secured.command == Way::Mac || rest.is_empty() {
                    return Ok(said.to_vec());
                }
                let iv = enc.encrypt(&[0; 16], &[&[0xA5, 0x5A], &ti[..], &counter.to_le_bytes(), &[0; 8]].concat());
                let clear = enc.decrypt(&iv, rest).ok_or(LENGTH)?;
                let clear = unpadded(&clear).ok_or(INTEGRITY)?;
                Ok([header, clear].concat())
            }
        }
    }

    /// An encrypted EV1 part, as it is.
    pub(super) fn open(&mut self, secret: &[u8]) -> Result<Vec<u8>, Refusal> {
        let Self::Ev1 { cipher, iv, .. } = self else { return Err(INTEGRITY) };
        if secret.is_empty() {
            return Err(LENGTH);
        }
        let clear = cipher.decrypt(iv, secret).ok_or(LENGTH)?;
        *iv = secret[secret.len() - cipher.block()..].to_vec();
        Ok(clear)
    }

    /// The answer to a command that was carried out, with what secures it.
    pub(super) fn wrap(&mut self, answer: &[u8], secured: Secured) -> Vec<u8> {
        match self {
            Self::Ev1 { cipher, iv, .. } => {
                if secured.response == Way::Full {
                    let mut clear = [answer, &crc32(&[answer, &[0]].concat())].concat();
                    clear.resize(clear.len().div_ceil(cipher.block()) * cipher.block(), 0);
                    let secret = cipher.encrypt(iv, &clear);
                    *iv = secret[secret.len() - cipher.block()..].to_vec();
                    return secret;
                }
                *iv = cipher.cmac_from(iv, &[answer, &[0]].concat());
                [answer, &iv[..8]].concat()
            }
            Self::Ev2 { enc, mac, ti, counter, .. } => {
                *counter += 1;
                let body = match secured.response {
                    Way::Plain => return answer.to_vec(),
                    Way::Mac => answer.to_vec(),
                    Way::Full if answer.is_empty() => Vec::new(),
                    Way::Full => {
                        let iv = enc.encrypt(&[0; 16], &[&[0x5A, 0xA5], &ti[..], &counter.to_le_bytes(), &[0; 8]].concat());
                        enc.encrypt(&iv, &padded(answer))
                    }
                };
                let full = mac.cmac(&[&[0x00], &counter.to_le_bytes()[..], ti, &body].concat());
                [body, every_second(&full)].concat()
            }
        }
    }
}

fn split_mac(params: &[u8]) -> Result<(&[u8], &[u8]), Refusal> {
    params.split_at_checked(params.len().wrapping_sub(8)).ok_or(LENGTH)
}
pub(super) fn every_second(mac: &[u8]) -> Vec<u8> {
    mac.iter().skip(1).step_by(2).copied().collect()
}
fn padded(clear: &[u8]) -> Vec<u8> {
    let mut out = [clear, &[0x80]].concat();
    while !out.len().is_multiple_of(16) {
        out.push(0);
    }
    out
}
fn unpadded(clear: &[u8]) -> Option<&[u8]> {
    let zeros = clear.iter().rev().take_while(|byte| **byte == 0).count();
    let (rest, _) = clear.split_at(clear.len() - zeros);
    rest.strip_suffix(&[0x80])
}
