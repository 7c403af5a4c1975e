//! Files: their rights, what is in them, and transactions.
use super::cipher::Cipher;
use super::manage::{allow, range};
use super::memory::{Content, File, Pending};
use super::session::every_second;
use super::status::*;
use super::{DesfireCard, DesfireModel};

impl DesfireCard {
    /// The file that a command names first.
    pub(super) fn file(&self, params: &[u8]) -> Result<&File, Refusal> {
        let number = params.first().ok_or(LENGTH)?;
        allow(self.selected != 0, PERMISSION_DENIED)?;
        self.current().files.get(number).ok_or(NO_SUCH_FILE)
    }
    fn file_mut(&mut self, number: u8) -> Result<&mut File, Refusal> {
        self.current_mut().files.get_mut(&number).ok_or(NO_SUCH_FILE)
    }

    /// In which mode one may use a file by one of these rights (places of their nibbles).
    pub(super) fn may(&self, params: &[u8], who: Option<u8>, places: &[u16]) -> Result<u8, Refusal> {
        let file = self.file(params)?;
        let rights: Vec<u8> = places.iter().map(|place| (file.rights >> place & 15) as u8).collect();
        if who.is_some_and(|key_no| rights.contains(&key_no)) {
            Ok(file.mode & 3)
        } else if rights.contains(&14) {
            Ok(0)
        } else if rights.iter().all(|right| *right == 15) {
            Err(PERMISSION_DENIED)
        } else {
            Err(AUTHENTICATION)
        }
    }
    pub(super) fn may_get_value(&self, params: &[u8], who: Option<u8>) -> Result<u8, Refusal> {
        match (self.may(params, who, &[12, 8, 4]), &self.file(params)?.content) {
            (Err(_), Content::Value { options, .. }) if options & 2 != 0 => Ok(0),
            (other, _) => other,
        }
    }

    pub(super) fn run_on_files(&mut self, ins: u8, params: &[u8], who: Option<u8>) -> Result<Vec<u8>, Refusal> {
        allow(self.selected != 0, PERMISSION_DENIED)?;
        let is_master = who == Some(0);
        let settings = self.current().settings;
        match (ins, params) {
            (0x6F, []) => {
                allow(is_master || settings & 2 != 0, AUTHENTICATION)?;
                Ok(self.current().files.keys().copied().collect())
            }
            (0xF5, [_]) => {
                allow(is_master || settings & 2 != 0, AUTHENTICATION)?;
                let file = self.file(params)?;
                Ok(file.settings(file.kind()))
            }
            (0xCD | 0xCB | 0xCC | 0xC1 | 0xC0 | 0xCE, [number, rest @ ..]) => {
                allow(is_master || settings & 4 != 0, AUTHENTICATION)?;
                self.create_file(ins, *number, rest)
            }
            (0xDF, [number]) => {
                allow(is_master || settings & 4 != 0, AUTHENTICATION)?;
                self.current_mut().files.remove(number).map(|_| Vec::new()).ok_or(NO_SUCH_FILE)
            }
            (0x5F, [number, mode, low, high]) => {
                let change = (self.file(params)?.rights & 15) as u8;
                allow(change != 15, PERMISSION_DENIED)?;
                allow(change == 14 || who == Some(change), AUTHENTICATION)?;
                let file = self.file_mut(*number)?;
                (file.mode, file.rights) = (*mode, u16::from_le_bytes([*low, *high]));
                Ok(Vec::new())
            }
            (0xBD, [_, place @ ..]) if place.len() == 6 => {
                let (offset, length) = range(params)?;
                let data = self.file(params)?.read(offset, length)?;
                self.note(params, ins, &data);
                Ok(data)
            }
            (0xBB, [_, place @ ..]) if place.len() == 6 => {
                let data = self.records(params)?;
                self.note(params, ins, &data);
                Ok(data)
            }
            (0x3D | 0x3B, [number, _, _, _, _, _, _, data @ ..]) => {
                let (offset, length) = range(params)?;
                allow(data.len() == length && length > 0, LENGTH)?;
                allow(offset + length <= self.file(params)?.room()?, BOUNDARY)?;
                if ins == 0x3D {
                    self.file_mut(*number)?.write(offset, data)?
                } else {
                    self.write_record(*number, offset, data)?
                }
                self.note(&params[..7], ins, data);
                Ok(Vec::new())
            }
            (0x6C, [_]) => {
                let Content::Value { kept, .. } = &self.file(params)?.content else { return Err(PARAMETER) };
                let value = kept.to_le_bytes().to_vec();
                self.note(&[params, &value].concat(), ins, &[]);
                Ok(value)
            }
            (0x0C | 0xDC | 0x1C, [number, a, b, c, d]) => {
                let amount = i32::from_le_bytes([*a, *b, *c, *d]);
                self.change_value(ins, *number, amount)?;
                self.note(params, ins, &[]);
                Ok(Vec::new())
            }
            (0xEB, [number]) => {
                self.may(params, who, &[4])?;
                let Content::Records { pending, .. } = &mut self.file_mut(*number)?.content else { return Err(PARAMETER) };
                *pending = Some(Pending { is_cleared: true, record: None });
                self.note(params, ins, &[]);
                Ok(Vec::new())
            }
            (0xC7, []) => self.commit(false),
            (0xC7, [0x01]) if self.model != DesfireModel::Ev1 => self.commit(true),
            (0xA7, []) => {
                self.transaction.clear();
                let current = self.current_mut();
                let mut trial = current.clone();
                current.roll_back();
                if trial.commit() { Ok(Vec::new()) } else { Err(NO_CHANGES) }
            }
            (0x6F | 0xF5 | 0xDF | 0x5F | 0xBD | 0xBB | 0x3D | 0x3B | 0x6C | 0x0C | 0xDC | 0x1C | 0xEB | 0xC7 | 0xA7, _) => Err(LENGTH),
            _ => Err(ILLEGAL_COMMAND),
        }
    }

    fn create_file(&mut self, ins: u8, number: u8, params: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (head, rest) = params.split_at_checked(3).ok_or(LENGTH)?;
        let three = |at: usize| rest.get(at..at + 3).map(|b| u32::from_le_bytes([b[0], b[1], b[2], 0]) as usize).ok_or(LENGTH);
        let four = |at: usize| rest.get(at..at + 4).map(|b| i32::from_le_bytes([b[0], b[1], b[2], b[3]])).ok_or(LENGTH);
        let needed = match ins {
            0xCD | 0xCB => 3,
            0xCC => 13,
            0xCE => 18,
            _ => 6,
        };
        allow(rest.len() == needed, LENGTH)?;
        allow(number < 32 && matches!(head[0], 0 | 1 | 3), PARAMETER)?;
        allow(!self.current().files.contains_key(&number), DUPLICATE)?;
        let content = match ins {
            0xCD => Content::Standard(vec![0; three(0)?.min(self.memory + 1)]),
            0xCB => Content::Backup { kept: vec![0; three(0)?.min(self.memory + 1)], pending: None },
            0xCC => {
                let (lower, upper, kept) = (four(0)?, four(4)?, four(8)?);
                allow(lower <= kept && kept <= upper, PARAMETER)?;
                Content::Value { lower, upper, kept, options: rest[12], back: 0, pending: None, debited: 0 }
            }
            0xCE => {
                allow(self.model != DesfireModel::Ev1, ILLEGAL_COMMAND)?;
                allow(rest[0] == 0x02, PARAMETER)?;
                let there_is_one = self.current().files.values().any(|file| matches!(file.content, Content::TransactionMac { .. }));
                allow(!there_is_one, DUPLICATE)?;
                Content::TransactionMac { key: rest[1..17].to_vec(), version: rest[17], counter: 0, value: [0; 8] }
            }
            _ => {
                let (size, max) = (three(0)?, three(3)?);
                let is_cyclic = ins == 0xC0;
                allow(size > 0 && max > usize::from(is_cyclic), PARAMETER)?;
                Content::Records { is_cyclic, size, max, kept: Vec::new(), pending: None }
            }
        };
        let file = File { mode: head[0], rights: u16::from_le_bytes([head[1], head[2]]), content };
        allow(file.bytes() > 0, PARAMETER)?;
        allow(file.bytes() <= self.free(), OUT_OF_MEMORY)?;
        self.current_mut().files.insert(number, file);
        Ok(Vec::new())
    }

    fn write_record(&mut self, number: u8, offset: usize, data: &[u8]) -> Result<(), Refusal> {
        let Content::Records { is_cyclic, size, max, kept, pending } = &mut self.file_mut(number)?.content else { return Err(PARAMETER) };
        let is_cleared = pending.as_ref().is_some_and(|pending| pending.is_cleared);
        allow(*is_cyclic || is_cleared || kept.len() < *max, BOUNDARY)?;
        let record = pending.get_or_insert_default().record.get_or_insert_with(|| vec![0; *size]);
        record[offset..offset + data.len()].copy_from_slice(data);
        Ok(())
    }

    fn records(&self, params: &[u8]) -> Result<Vec<u8>, Refusal> {
        let (from, count) = range(params)?;
        let Content::Records { kept, .. } = &self.file(params)?.content else { return Err(PARAMETER) };
        let end = kept.len().checked_sub(from).filter(|end| *end > 0).ok_or(BOUNDARY)?;
        let start = if count == 0 { 0 } else { end.checked_sub(count).ok_or(BOUNDARY)? };
        Ok(kept[start..end].concat())
    }

    fn change_value(&mut self, ins: u8, number: u8, amount: i32) -> Result<(), Refusal> {
        let Content::Value { lower, upper, kept, options, back, pending, debited } = &mut self.file_mut(number)?.content else {
            return Err(PARAMETER);
        };
        allow(amount >= 0, PARAMETER)?;
        let now = pending.unwrap_or(*kept);
        let new = match ins {
            0xDC => {
                *debited = debited.saturating_add(amount);
                now.checked_sub(amount)
            }
            0x1C => {
                allow(*options & 1 != 0, PERMISSION_DENIED)?;
                allow(amount <= *back, BOUNDARY)?;
                now.checked_add(amount)
            }
            _ => now.checked_add(amount),
        };
        *pending = Some(new.filter(|new| (*lower..=*upper).contains(new)).ok_or(BOUNDARY)?);
        Ok(())
    }

    /// Adds a command to what the transaction MAC is over.
    fn note(&mut self, header: &[u8], ins: u8, data: &[u8]) {
        let has_mac = self.current().files.values().any(|file| matches!(file.content, Content::TransactionMac { .. }));
        if !has_mac {
            return;
        }
        for part in [[&[ins], header].concat(), data.to_vec()] {
            self.transaction.extend(&part);
            let zeros = (16 - part.len() % 16) % 16;
            self.transaction.extend(vec![0; zeros]);
        }
    }

    fn commit(&mut self, wants_mac: bool) -> Result<Vec<u8>, Refusal> {
        let transaction = std::mem::take(&mut self.transaction);
        let uid = self.uid;
        let current = self.current_mut();
        let any = current.commit();
        let mac = current.files.values_mut().find_map(|file| match &mut file.content {
            Content::TransactionMac { key, counter, value, .. } => Some((key, counter, value)),
            _ => None,
        });
        let Some((key, counter, value)) = mac else {
            return if wants_mac {
                Err(PARAMETER)
            } else if any {
                Ok(Vec::new())
            } else {
                Err(NO_CHANGES)
            };
        };
        allow(!transaction.is_empty(), NO_CHANGES)?;
        *counter += 1;
        let vector = [&[0x5A, 0x00, 0x01, 0x00, 0x80], &counter.to_le_bytes()[..], &uid].concat();
        let session = Cipher::new(0x80, &Cipher::new(0x80, key).cmac(&vector));
        value.copy_from_slice(&every_second(&session.cmac(&transaction)));
        Ok(if wants_mac { [&counter.to_le_bytes()[..], value].concat() } else { Vec::new() })
    }
}
