//! The card, its applications and keys.
use super::cipher::crc32;
use super::memory::{Application, StoredKey};
use super::session::{Secured, Session};
use super::status::*;
use super::{DesfireCard, DesfireModel};

impl DesfireCard {
    /// How a command is secured, and how many bytes of data it has when they are encrypted.
    pub(super) fn security_of(&self, ins: u8, params: &[u8], session: Option<&Session>) -> Result<(Secured, usize), Refusal> {
        let who = session.map(Session::key_no);
        Ok(match ins {
            0x54 => (Secured::write(0, 3), 1),
            0x5C => match params.first() {
                Some(0x00) => (Secured::write(1, 3), 1),
                Some(0x01) => (Secured::write(1, 3), 25),
                _ => return Err(PARAMETER),
            },
            0x51 => (Secured::read(session, 3), 0),
            0xCE => (Secured::write(5, 3), 17),
            0x5F => {
                let rights = self.file(params)?.rights;
                (Secured::write(1, if session.is_some() && rights & 15 != 14 { 3 } else { 0 }), 3)
            }
            0x3D | 0x3B => {
                let (_, length) = range(params)?;
                (Secured::write(7, self.may(params, who, &[8, 4])?), length)
            }
            0xBD | 0xBB => (Secured::read(session, self.may(params, who, &[12, 4])?), 0),
            0x6C => (Secured::read(session, self.may_get_value(params, who)?), 0),
            0x0C => (Secured::write(1, self.may(params, who, &[4])?), 4),
            0xDC => (Secured::write(1, self.may(params, who, &[12, 8, 4])?), 4),
            0x1C => (Secured::write(1, self.may(params, who, &[8, 4])?), 4),
            _ => (Secured::management(session), 0),
        })
    }

    /// Carries a command out that is in the clear now.
    pub(super) fn run(&mut self, ins: u8, params: &[u8], who: Option<u8>) -> Result<Vec<u8>, Refusal> {
        let is_master = who == Some(0);
        let settings = self.current().settings;
        let at_picc = self.selected == 0;
        match (ins, params) {
            (0x60, []) => Ok(Vec::new()),
            (0x6E, []) => Ok((self.free() as u32).to_le_bytes()[..3].to_vec()),
            (0x51, []) => Ok(self.uid.to_vec()),
            (0x6A, []) => {
                allow(at_picc, PERMISSION_DENIED)?;
                allow(is_master || settings & 2 != 0, AUTHENTICATION)?;
                Ok(self.applications.keys().flat_map(|number| number.to_le_bytes()[..3].to_vec()).collect())
            }
            (0xCA, [a, b, c, settings_of_new, keys]) => {
                allow(at_picc, PERMISSION_DENIED)?;
                allow(is_master || settings & 4 != 0, AUTHENTICATION)?;
                let number = u32::from_le_bytes([*a, *b, *c, 0]);
                allow(number != 0 && !self.applications.contains_key(&number), DUPLICATE)?;
                allow((1..=14).contains(&(keys & 0x0F)) && keys & 0x30 == 0 && keys & 0xC0 != 0xC0, PARAMETER)?;
                allow(self.applications.len() < 28, COUNT)?;
                let new = Application::new(*settings_of_new, keys & 0xC0, keys & 0x0F);
                allow(new.bytes() <= self.free(), OUT_OF_MEMORY)?;
                self.applications.insert(number, new);
                Ok(Vec::new())
            }
            (0xDA, [a, b, c]) => {
                let number = u32::from_le_bytes([*a, *b, *c, 0]);
                allow(at_picc && is_master, AUTHENTICATION)?;
                allow(self.applications.remove(&number).is_some(), NO_SUCH_APPLICATION)?;
                Ok(Vec::new())
            }
            (0xFC, []) => {
                allow(at_picc, PERMISSION_DENIED)?;
                allow(is_master, AUTHENTICATION)?;
                self.applications.clear();
                Ok(Vec::new())
            }
            (0x45, []) => {
                allow(is_master || settings & 2 != 0, AUTHENTICATION)?;
                let current = self.current();
                Ok(vec![current.settings, current.keys.len() as u8 | current.kind])
            }
            (0x54, [new]) => {
                allow(is_master, AUTHENTICATION)?;
                allow(settings & 8 != 0, PERMISSION_DENIED)?;
                self.current_mut().settings = *new;
                Ok(Vec::new())
            }
            (0x64, [key_no]) => Ok(vec![self.current().keys.get(usize::from(*key_no)).ok_or(NO_SUCH_KEY)?.version]),
            (0x5C, [0x00, options]) => {
                allow(at_picc && is_master, AUTHENTICATION)?;
                self.has_random_uid |= options & 2 != 0;
                Ok(Vec::new())
            }
            (0x60 | 0x6E | 0x51 | 0x6A | 0xCA | 0xDA | 0xFC | 0x45 | 0x54 | 0x64 | 0x5C, _) => Err(LENGTH),
            _ => self.run_on_files(ins, params, who),
        }
    }

    /// ChangeKey has its own cryptogram, and its own rules for the end of the session.
    pub(super) fn change_key(&mut self, session: Option<Session>, params: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut session = session.ok_or(AUTHENTICATION)?;
        let who = session.key_no();
        let (numbered, secret) = params.split_first().ok_or(LENGTH)?;
        let at_picc = self.selected == 0;
        let key_no = numbered & 0x3F;
        // The card's own key may get another type.
        let kind = if at_picc { numbered & 0xC0 } else { self.current().kind };
        allow(at_picc || numbered & 0xC0 == 0, NO_SUCH_KEY)?;
        let old = self.current().keys.get(usize::from(key_no)).ok_or(NO_SUCH_KEY)?.clone();
        let settings = self.current().settings;
        let by = settings >> 4;
        let is_own = key_no == who;
        if key_no == 0 {
            allow(who == 0, AUTHENTICATION)?;
            allow(settings & 1 != 0, PERMISSION_DENIED)?;
        } else {
            allow(by != 15, PERMISSION_DENIED)?;
            allow(who == by || by == 14 && is_own, AUTHENTICATION)?;
        }

        let length = if kind == 0x40 { 24 } else { 16 };
        let told = length + usize::from(kind == 0x80);
        let clear = match &session {
            Session::Ev1 { .. } => {
                let clear = session.open(secret)?;
                let sums = if is_own { 4 } else { 8 };
                allow(clear.len() >= told + sums && clear[told + sums..].iter().all(|byte| *byte == 0), INTEGRITY)?;
                allow(crc32(&[&[0xC4, *numbered], &clear[..told]].concat()) == clear[told..told + 4], INTEGRITY)?;
                [&clear[..told], &clear[told + 4..told + sums]].concat()
            }
            Session::Ev2 { .. } => session.unwrap(0xC4, params, Secured::write(1, 3), 0)?[1..].to_vec(),
        };
        allow(clear.len() == told + if is_own { 0 } else { 4 }, LENGTH)?;
        let mut new = clear[..length].to_vec();
        if !is_own {
            new.iter_mut().zip(&old.bytes).for_each(|(byte, old)| *byte ^= old);
            allow(crc32(&new) == clear[told..], INTEGRITY)?;
        }
        // The version of a DES key is in its parity bits.
        let version = if kind == 0x80 { clear[length] } else { new[..8].iter().fold(0, |version, byte| version * 2 + byte % 2) };
        let current = self.current_mut();
        current.kind = kind;
        current.keys[usize::from(key_no)] = StoredKey { bytes: new, version };
        if is_own {
            self.forget();
            return Ok(Vec::new());
        }
        let answer = session.wrap(&[], Secured::write(1, 3));
        self.session = Some(session);
        Ok(answer)
    }

    pub(super) fn version(&self) -> [Vec<u8>; 3] {
        let (hardware, software) = match self.model {
            DesfireModel::Ev1 => ([0x01, 0x00], [0x01, 0x04]),
            DesfireModel::Ev2 => ([0x12, 0x00], [0x02, 0x00]),
            DesfireModel::Ev3 => ([0x33, 0x00], [0x03, 0x00]),
        };
        let part = |[major, minor]: [u8; 2]| vec![0x04, 0x01, 0x01, major, minor, 0x1A, 0x05];
        let uid = if self.has_random_uid { [0; 7] } else { self.uid };
        [part(hardware), part(software), [&uid[..], &[0xBA, 0x45, 0x19, 0xE3, 0x20, 0x49, 0x24]].concat()]
    }
}

pub(super) fn allow(is_allowed: bool, otherwise: Refusal) -> Result<(), Refusal> {
    if is_allowed { Ok(()) } else { Err(otherwise) }
}

/// Offset and length of a read or write.
pub(super) fn range(params: &[u8]) -> Result<(usize, usize), Refusal> {
    let [_, a, b, c, d, e, f, ..] = *params else { return Err(LENGTH) };
    Ok((u32::from_le_bytes([a, b, c, 0]) as usize, u32::from_le_bytes([d, e, f, 0]) as usize))
}
