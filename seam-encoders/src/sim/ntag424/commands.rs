//! What the card does with each command. The answer is data and a status byte, or the status byte of a refusal.
use super::crypto::{self, Block, SessionKeys, aes_encrypt};
use super::mirror::Mirrors;
use super::*;

type Answer = Result<(Vec<u8>, u8), u8>;

impl Ntag424Card {
    fn mac_of(&self, first: u8, data: &[u8]) -> Result<[u8; 8], u8> {
        let session = self.session.as_ref().ok_or(AUTHENTICATION)?;
        let mut message = vec![first];
        message.extend(session.counter.to_le_bytes());
        message.extend(session.ti);
        message.extend(data);
        Ok(crypto::short_mac(session.keys.mac(&message)))
    }

    /// The header of a command whose MAC is right.
    pub(super) fn checked(&mut self, ins: u8, data: &[u8], header: usize) -> Result<Vec<u8>, u8> {
        if self.session.is_none() {
            return Err(AUTHENTICATION);
        }
        if data.len() != header + 8 {
            return Err(LENGTH);
        }
        self.opened_mac(ins, data)
    }

    fn opened_mac(&mut self, ins: u8, data: &[u8]) -> Result<Vec<u8>, u8> {
        let (rest, mac) = data.split_last_chunk::<8>().ok_or(LENGTH)?;
        if self.mac_of(ins, rest)? == *mac { Ok(rest.to_vec()) } else { Err(INTEGRITY) }
    }

    /// Header and clear data of an encrypted command.
    fn opened(&mut self, ins: u8, data: &[u8], header: usize) -> Result<(Vec<u8>, Vec<u8>), u8> {
        if self.session.is_none() {
            return Err(AUTHENTICATION);
        }
        if data.len() < header + 24 || !(data.len() - header - 8).is_multiple_of(16) {
            return Err(LENGTH);
        }
        let rest = self.opened_mac(ins, data)?;
        let session = self.session.as_mut().ok_or(AUTHENTICATION)?;
        let clear = session.keys.crypt(&rest[header..], session.ti, session.counter, false);
        Ok((rest[..header].to_vec(), crypto::unpad(clear).ok_or(INTEGRITY)?))
    }

    fn count(&mut self) -> Result<(), u8> {
        let session = self.session.as_mut().ok_or(AUTHENTICATION)?;
        session.counter = session.counter.checked_add(1).ok_or(DENIED)?;
        Ok(())
    }

    fn mac_answer(&mut self, mut data: Vec<u8>, status: u8) -> Answer {
        self.count()?;
        let mac = self.mac_of(status, &data)?;
        data.extend(mac);
        Ok((data, status))
    }

    pub(super) fn full_answer(&mut self, clear: &[u8], status: u8) -> Answer {
        self.count()?;
        let session = self.session.as_mut().ok_or(AUTHENTICATION)?;
        let mut data = session.keys.crypt(&crypto::pad(clear), session.ti, session.counter, true);
        let mac = self.mac_of(status, &data)?;
        data.extend(mac);
        Ok((data, status))
    }

    pub(super) fn version(&mut self, frame: u8, data: &[u8]) -> Answer {
        if frame > 0 && !data.is_empty() {
            return Err(LENGTH);
        }
        if frame == 0 {
            if self.session.is_some() {
                self.checked(0x60, data, 0)?;
            } else if !data.is_empty() {
                return Err(LENGTH);
            }
        }
        let hardware = vec![0x04, 0x04, 0x02, 0x30, 0x00, 0x11, 0x05];
        let software = vec![0x04, 0x04, 0x02, 0x01, 0x02, 0x11, 0x05];
        let uid = if self.hides { [0; 7] } else { self.uid };
        let production = [&uid[..], &[0xcf, 0x39, 0xd4, 0x49, 0x80, 0x34, 0x20]].concat();
        match frame {
            0 => {
                self.pending = Some(Pending::Version { frame: 1 });
                Ok((hardware, MORE))
            }
            1 => {
                self.pending = Some(Pending::Version { frame: 2 });
                Ok((software, MORE))
            }
            _ if self.session.is_some() => {
                self.count()?;
                let mac = self.mac_of(OK, &[hardware, software, production.clone()].concat())?;
                Ok(([&production[..], &mac].concat(), OK))
            }
            _ => Ok((production, OK)),
        }
    }

    pub(super) fn challenge(&mut self, first: bool, data: &[u8]) -> Answer {
        let (&key_no, capable) = data.split_first().ok_or(LENGTH)?;
        if first {
            let (&length, capable) = capable.split_first().ok_or(LENGTH)?;
            if capable.len() != usize::from(length) || length > 6 {
                return Err(LENGTH);
            }
            // With LRP switched on the reader must be capable of it, and without it must not insist.
            if capable.first().is_some_and(|first| first & 0x02 != 0) != self.lrp {
                return Err(DENIED);
            }
        } else if !capable.is_empty() {
            return Err(LENGTH);
        } else if self.session.is_none() {
            return Err(DENIED);
        }
        let key = *self.keys.get(usize::from(key_no)).ok_or(NO_KEY)?;
        let b: Block = self.draw();
        self.pending = Some(Pending::Authentication { first, key_no, b });
        if self.lrp { Ok(([&[0x01], &b[..]].concat(), MORE)) } else { Ok((aes_encrypt(&key, b).to_vec(), MORE)) }
    }

    pub(super) fn authenticated(&mut self, first: bool, key_no: u8, b: &Block, data: &[u8]) -> Answer {
        let key = *self.keys.get(usize::from(key_no)).ok_or(NO_KEY)?;
        let data: [u8; 32] = data.try_into().map_err(|_| LENGTH)?;
        let drawn: [u8; 4] = self.draw();
        let (ti, counter) = match (&self.session, first) {
            (Some(session), false) => (session.ti, session.counter),
            (None, false) => return Err(DENIED),
            (_, true) => (drawn, 0),
        };
        // What the card can do, then what the reader said that it can.
        let capabilities = if self.lrp { [2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0] } else { [0; 12] };
        let answer = if self.lrp {
            let a: Block = data[..16].try_into().unwrap_or_default();
            let mut keys = SessionKeys::new(true, &key, &a, b);
            if keys.mac(&[a, *b].concat()) != data[16..] {
                return Err(AUTHENTICATION);
            }
            let mut out = if first { keys.crypt(&[&ti[..], &capabilities].concat(), ti, 0, true) } else { Vec::new() };
            let proof = keys.mac(&[&b[..], &a, &out].concat());
            out.extend(proof);
            self.session = Some(Session { key_no, ti, counter, keys });
            out
        } else {
            let clear = crypto::cbc_decrypt(&key, [0; 16], &data);
            let a: Block = clear[..16].try_into().unwrap_or_default();
            let turned = |block: &Block| [&block[1..], &block[..1]].concat();
            if clear[16..] != turned(b) {
                return Err(AUTHENTICATION);
            }
            let proof = if first { [&ti[..], &turned(&a), &capabilities].concat() } else { turned(&a) };
            self.session = Some(Session { key_no, ti, counter, keys: SessionKeys::new(false, &key, &a, b) });
            crypto::cbc_encrypt(&key, [0; 16], &proof)
        };
        Ok((answer, OK))
    }

    pub(super) fn key_version(&mut self, data: &[u8]) -> Answer {
        let header = self.checked(0x64, data, 1)?;
        let version = *self.versions.get(usize::from(header[0])).ok_or(NO_KEY)?;
        self.mac_answer(vec![version], OK)
    }

    fn file(&self, number: u8) -> Result<usize, u8> {
        (1..=3).contains(&number).then(|| usize::from(number) - 1).ok_or(NO_FILE)
    }

    pub(super) fn settings(&mut self, data: &[u8]) -> Answer {
        let header = if self.session.is_some() { self.checked(0xf5, data, 1)? } else { data.to_vec() };
        let [number] = header[..] else { return Err(LENGTH) };
        let file = &self.files[self.file(number)?];
        let mut out = vec![0x00, file.mode | if file.mirrors.is_some() { 0x40 } else { 0 }];
        out.extend(file.rights);
        out.extend(&u32::try_from(file.data.len()).unwrap_or(0).to_le_bytes()[..3]);
        out.extend(file.mirrors.iter().flat_map(|mirrors| mirrors.raw.clone()));
        if self.session.is_some() { self.mac_answer(out, OK) } else { Ok((out, OK)) }
    }

    pub(super) fn tap_counter(&mut self, data: &[u8]) -> Answer {
        let header = self.checked(0xf6, data, 1)?;
        let file = &self.files[self.file(header[0])?];
        let right = file.mirrors.as_ref().filter(|mirrors| mirrors.counts()).ok_or(DENIED)?.counter_right;
        let key_no = self.session.as_ref().ok_or(AUTHENTICATION)?.key_no;
        let mut out = self.taps.to_le_bytes()[..3].to_vec();
        out.extend([0, 0]);
        match right {
            14 => self.mac_answer(out, OK),
            right if right == key_no => self.full_answer(&out, OK),
            _ => Err(DENIED),
        }
    }

    pub(super) fn signature_of_uid(&mut self, data: &[u8]) -> Answer {
        if self.session.is_none() {
            return if data != [0] {
                Err(PARAMETER)
            } else if self.hides {
                Err(DENIED)
            } else {
                Ok((self.signature.clone(), 0x90))
            };
        }
        self.checked(0x3c, data, 1)?;
        self.full_answer(&self.signature.clone(), 0x90)
    }

    /// How the holder of this session reaches a file: the mode, or a refusal.
    fn reach(&self, rights: [u8; 2], mode: u8) -> Result<u8, u8> {
        match &self.session {
            Some(session) if rights.contains(&session.key_no) => Ok(mode),
            _ if rights.contains(&14) => Ok(0),
            Some(_) => Err(DENIED),
            None => Err(AUTHENTICATION),
        }
    }

    fn span(header: &[u8], size: usize) -> Result<(usize, usize), u8> {
        let [_, a, b, c, x, y, z] = header else { return Err(LENGTH) };
        let three = |low: u8, mid: u8, high: u8| usize::from(low) | usize::from(mid) << 8 | usize::from(high) << 16;
        let (offset, length) = (three(*a, *b, *c), three(*x, *y, *z));
        let length = if length == 0 { size.saturating_sub(offset) } else { length };
        if offset + length > size { Err(BOUNDARY) } else { Ok((offset, offset + length)) }
    }

    /// The file as somebody without a key gets it, and the tap counted.
    fn tapped(&mut self, at: usize) -> Result<Vec<u8>, u8> {
        let Some(mirrors) = self.files[at].mirrors.clone() else { return Ok(self.files[at].data.clone()) };
        if mirrors.counts() && !self.tapping {
            let limit = mirrors.limit.unwrap_or(0x00ff_ffff);
            if self.taps >= limit {
                return Err(DENIED);
            }
            self.taps += 1;
        }
        self.tapping = true;
        let random = self.draw();
        Ok(mirrors.fill(&self.files[at].data, &self.keys, self.lrp, &self.uid, self.taps, random))
    }

    pub(super) fn read_data(&mut self, data: &[u8]) -> Answer {
        let at = self.file(*data.first().ok_or(LENGTH)?)?;
        let (rights, mode) = (self.files[at].read(), self.files[at].mode);
        let opens = self.session.is_none() && self.files[at].mirrors.as_ref().is_some_and(Mirrors::opens);
        let mode = if opens { 0 } else { self.reach(rights, mode)? };
        let header = if mode == 0 { data.to_vec() } else { self.checked(0xad, data, 7)? };
        let (start, end) = Self::span(&header, self.files[at].data.len())?;
        if end - start > [256, 248, 256, 239][usize::from(mode)] {
            return Err(LENGTH);
        }
        let content = if self.session.is_none() { self.tapped(at)? } else { self.files[at].data.clone() };
        let out = content[start..end].to_vec();
        match mode {
            0 => {
                if self.session.is_some() {
                    self.count()?;
                }
                Ok((out, OK))
            }
            1 => self.mac_answer(out, OK),
            _ => self.full_answer(&out, OK),
        }
    }

    pub(super) fn write_data(&mut self, data: &[u8]) -> Answer {
        let at = self.file(*data.first().ok_or(LENGTH)?)?;
        let mode = self.reach(self.files[at].write(), self.files[at].mode)?;
        let (header, content) = match mode {
            0 => data.split_at_checked(7).map(|(header, content)| (header.to_vec(), content.to_vec())).ok_or(LENGTH)?,
            1 => {
                let rest = self.opened_mac(0x8d, data)?;
                rest.split_at_checked(7).map(|(header, content)| (header.to_vec(), content.to_vec())).ok_or(LENGTH)?
            }
            _ => self.opened(0x8d, data, 7)?,
        };
        if header[4..] == [0, 0, 0] {
            return Err(PARAMETER);
        }
        let (start, end) = Self::span(&header, self.files[at].data.len())?;
        if content.len() != end - start {
            return Err(LENGTH);
        }
        self.files[at].data[start..end].copy_from_slice(&content);
        match (mode, self.session.is_some()) {
            (0, false) => Ok((vec![], OK)),
            (0, true) => self.count().map(|()| (vec![], OK)),
            _ => self.mac_answer(vec![], OK),
        }
    }

    pub(super) fn change_settings(&mut self, data: &[u8]) -> Answer {
        let at = self.file(*data.first().ok_or(LENGTH)?)?;
        let key_no = self.session.as_ref().ok_or(AUTHENTICATION)?.key_no;
        if self.files[at].change() != key_no {
            return Err(DENIED);
        }
        let (_, clear) = self.opened(0x5f, data, 1)?;
        let (&[option, low, high], mirrors) = clear.split_first_chunk::<3>().ok_or(LENGTH)?;
        let exists = |nibble: u8| nibble <= 4 || nibble >= 14;
        if option & 0b1011_1100 != 0 || ![low >> 4, low & 15, high >> 4, high & 15].into_iter().all(exists) {
            return Err(PARAMETER);
        }
        let mirrors = match option & 0x40 {
            0 if mirrors.is_empty() => None,
            0 => return Err(LENGTH),
            _ if at != 1 => return Err(PARAMETER),
            _ => Some(Mirrors::read(mirrors, self.lrp, self.files[at].data.len()).ok_or(PARAMETER)?),
        };
        // Switching mirrors on begins the count anew (NT4H2421Gx section 9.3.3).
        if mirrors.is_some() && self.files[at].mirrors.is_none() {
            self.taps = 0;
        }
        let file = &mut self.files[at];
        file.mode = if option & 1 == 0 { 0 } else { option & 3 };
        file.rights = [low, high];
        file.mirrors = mirrors;
        self.mac_answer(vec![], OK)
    }

    pub(super) fn change_key(&mut self, data: &[u8]) -> Answer {
        if self.session.as_ref().ok_or(AUTHENTICATION)?.key_no != 0 {
            return Err(DENIED);
        }
        let (header, clear) = self.opened(0xc4, data, 1)?;
        let number = usize::from(header[0]);
        let old = *self.keys.get(number).ok_or(NO_KEY)?;
        if number == 0 {
            let (key, &[version]) =
                clear.split_first_chunk::<16>().and_then(|(key, rest)| Some((key, rest.first_chunk::<1>()?))).ok_or(LENGTH)?;
            if clear.len() != 17 {
                return Err(LENGTH);
            }
            self.keys[0] = *key;
            self.versions[0] = version;
            self.session = None;
            return Ok((vec![], OK));
        }
        if clear.len() != 21 {
            return Err(LENGTH);
        }
        let new: Block = std::array::from_fn(|at| clear[at] ^ old[at]);
        if crypto::crc(&new) != clear[17..] {
            return Err(INTEGRITY);
        }
        self.keys[number] = new;
        self.versions[number] = clear[16];
        self.mac_answer(vec![], OK)
    }

    pub(super) fn configure(&mut self, data: &[u8]) -> Answer {
        if self.session.as_ref().ok_or(AUTHENTICATION)?.key_no != 0 {
            return Err(DENIED);
        }
        let (header, clear) = self.opened(0x5c, data, 1)?;
        match (header[0], &clear[..]) {
            (0x00, [0x02]) => {
                self.hides = true;
                self.mac_answer(vec![], OK)
            }
            (0x05, [_, _, _, _, capability, rest @ ..]) if rest.len() == 5 => {
                self.lrp |= capability & 0x02 != 0;
                self.session = None;
                Ok((vec![], OK))
            }
            _ => Err(PARAMETER),
        }
    }

    pub(super) fn iso(&mut self, ins: u8, p1: u8, p2: u8, data: &[u8], le: Option<u8>) -> Vec<u8> {
        let status = |high: u8, low: u8| vec![high, low];
        if ins != 0xb0 {
            self.tapping = false;
        }
        if self.pending.take().is_some() {
            return status(0x69, 0x85);
        }
        match (ins, p1) {
            (0xa4, 0x04) => {
                self.session = None;
                self.current = None;
                self.selected = data == [0xd2, 0x76, 0x00, 0x00, 0x85, 0x01, 0x01];
                if self.selected { status(0x90, 0x00) } else { status(0x6a, 0x82) }
            }
            (0xa4, 0x00) if self.selected => match data {
                [0xe1, id @ 0x03..=0x05] => {
                    self.current = Some(usize::from(id - 3));
                    status(0x90, 0x00)
                }
                _ => status(0x6a, 0x82),
            },
            (0xb0 | 0xd6, _) if self.selected => self.binary(ins, p1, p2, data, le),
            (0xa4, _) => status(0x6a, 0x86),
            (0xb0 | 0xd6, _) => status(0x69, 0x85),
            _ => status(0x6d, 0x00),
        }
    }

    fn binary(&mut self, ins: u8, p1: u8, p2: u8, data: &[u8], le: Option<u8>) -> Vec<u8> {
        if self.session.is_some() {
            return vec![0x69, 0x82];
        }
        let (at, offset) = match p1 {
            0x80.. => ((1..=3).contains(&(p1 & 0x1f)).then(|| usize::from(p1 & 0x1f) - 1), usize::from(p2)),
            _ => (self.current, usize::from(p1) << 8 | usize::from(p2)),
        };
        let Some(at) = at else { return vec![0x69, 0x85] };
        self.current = Some(at);
        let size = self.files[at].data.len();
        if ins == 0xd6 {
            if !self.files[at].write().contains(&14) {
                return vec![0x69, 0x82];
            }
            let Some(place) = self.files[at].data.get_mut(offset..offset + data.len()) else { return vec![0x69, 0x85] };
            place.copy_from_slice(data);
            return vec![0x90, 0x00];
        }
        if !self.files[at].read().contains(&14) && !self.files[at].mirrors.as_ref().is_some_and(Mirrors::opens) {
            return vec![0x69, 0x82];
        }
        if offset >= size {
            return vec![0x6a, 0x86];
        }
        let Ok(content) = self.tapped(at) else { return vec![0x69, 0x82] };
        let length = match le {
            Some(0) | None => 256,
            Some(le) => usize::from(le),
        };
        let mut out = content[offset..size.min(offset + length)].to_vec();
        out.extend([0x90, 0x00]);
        out
    }
}
