//! What an element of an Access Document says: rules, schedules, extensions. Parsed here, judged by the lock.
//!
//! Keys and ranges: chapter 7.3 as the CSA's actuator writes them.

use super::DocumentError;
use crate::bytes::{Full, Writer};
use crate::cbor::{self, CborError, Item, Reader as CborReader};

/// The most rules; schedules are named by a bit each of a byte.
pub const RULES_MAX: usize = 8;
/// The most schedules.
pub const SCHEDULES_MAX: usize = 8;
/// The most numbers of reader rules.
pub const READER_RULES_MAX: usize = 8;

/// Up to `N` values, held by value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct List<T, const N: usize> {
    values: [T; N],
    used: usize,
}

impl<T: Copy + Default, const N: usize> List<T, N> {
    /// A copy of `values`.
    ///
    /// # Errors
    /// [`DocumentError::TooMany`] above `N`.
    pub fn from_slice(values: &[T]) -> Result<Self, DocumentError> {
        let mut list = Self::default();
        values.iter().try_for_each(|value| list.push(*value)).map(|()| list)
    }

    /// Adds a value.
    ///
    /// # Errors
    /// [`DocumentError::TooMany`] above `N`.
    pub fn push(&mut self, value: T) -> Result<(), DocumentError> {
        *self.values.get_mut(self.used).ok_or(DocumentError::TooMany)? = value;
        self.used += 1;
        Ok(())
    }
}

impl<T: Copy + Default, const N: usize> Default for List<T, N> {
    fn default() -> Self {
        Self { values: [T::default(); N], used: 0 }
    }
}

impl<T, const N: usize> core::ops::Deref for List<T, N> {
    type Target = [T];
    fn deref(&self) -> &[T] {
        &self.values[..self.used]
    }
}

/// What may be done at the door, as bits.
pub mod capability {
    /// Lock.
    pub const SECURE: u8 = 1;
    /// Unlock, and leave unlocked.
    pub const UNSECURE: u8 = 2;
    /// Unlock for a moment.
    pub const MOMENTARY_UNSECURE: u8 = 8;
}

/// One rule: it holds when some of its allowed schedules runs (or it names none) and none of its denied ones does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// See [`capability`]; none where the field is absent, which restricts nothing.
    pub capabilities: Option<u8>,
    /// Bit `n` is schedule `n`; some must run. None where the field is absent.
    pub allow: Option<u8>,
    /// None of these may run: deny beats allow.
    pub deny: Option<u8>,
}

/// How a recurrence picks its days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation, in the standard's words")]
pub enum Pattern {
    #[default]
    Daily,
    Weekly,
    MonthlyByDay,
    MonthlyByDate,
    YearlyByDay,
    YearlyByDate,
    YearlyByWeek,
    YearlyByMonthWeek,
}

const PATTERNS: [Pattern; 8] = [
    Pattern::Daily,
    Pattern::Weekly,
    Pattern::MonthlyByDay,
    Pattern::MonthlyByDate,
    Pattern::YearlyByDay,
    Pattern::YearlyByDate,
    Pattern::YearlyByWeek,
    Pattern::YearlyByMonthWeek,
];

/// When a schedule repeats. From the start of the schedule on, at its time of day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recurrence {
    /// Seconds that each occurrence lasts, at least 1.
    pub duration: u32,
    /// Bits 0 to 6 Monday to Sunday, 7 to 18 January to December; for [`Pattern::MonthlyByDate`] without ordinal bits 0 to 30 the days 1 to 31.
    pub mask: u32,
    /// How days are picked.
    pub pattern: Pattern,
    /// Every how many days, weeks, months or years; 1 to 255.
    pub interval: u8,
    /// Which of several, from the end when negative; its range depends on the pattern.
    pub ordinal: i8,
}

impl Recurrence {
    const WEEKDAYS: u32 = 0x7F;
    const DATES: u32 = 0x7FFF_FFFF;
    const WEEKDAYS_AND_MONTHS: u32 = 0x7_FFFF;

    /// The ranges of the actuator.
    fn check(&self) -> Result<(), DocumentError> {
        let some = |most: i8| (-most..=most).contains(&self.ordinal) && self.ordinal != 0;
        let (ordinal, mask) = match self.pattern {
            Pattern::Daily => (self.ordinal == 0, 0),
            Pattern::Weekly => (self.ordinal == 0, Self::WEEKDAYS),
            Pattern::MonthlyByDay => (some(5), Self::WEEKDAYS),
            Pattern::MonthlyByDate if self.ordinal == 0 => (true, Self::DATES),
            Pattern::MonthlyByDate => (some(31), Self::WEEKDAYS),
            Pattern::YearlyByDay | Pattern::YearlyByMonthWeek => (some(5), Self::WEEKDAYS_AND_MONTHS),
            Pattern::YearlyByDate => (some(31), Self::WEEKDAYS_AND_MONTHS),
            Pattern::YearlyByWeek => (some(53), Self::WEEKDAYS_AND_MONTHS),
        };
        if ordinal && self.mask & !mask == 0 && self.duration > 0 && self.interval > 0 { Ok(()) } else { Err(DocumentError::Value) }
    }

    fn parse(reader: &mut CborReader<'_>) -> Result<Self, DocumentError> {
        // A draft has 11 bytes here; which of the two a phone sends is told by the type.
        if reader.array()? != 5 {
            return Err(CborError::Type.into());
        }
        let narrow = |number: u64| u32::try_from(number).map_err(|_| DocumentError::Value);
        let recurrence = Self {
            duration: narrow(reader.uint()?)?,
            mask: narrow(reader.uint()?)?,
            pattern: usize::try_from(reader.uint()?)
                .ok()
                .and_then(|number| PATTERNS.get(number.checked_sub(1)?).copied())
                .ok_or(DocumentError::Value)?,
            interval: u8::try_from(reader.uint()?).map_err(|_| DocumentError::Value)?,
            ordinal: match reader.item()? {
                Item::Uint(number) => i8::try_from(number).map_err(|_| DocumentError::Value)?,
                Item::Negative(number) => i8::try_from(number).map(|number| -1 - number).map_err(|_| DocumentError::Value)?,
                _ => return Err(CborError::Type.into()),
            },
        };
        recurrence.check().map(|()| recurrence)
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        cbor::put_array(out, 5)?;
        cbor::put_uint(out, self.duration.into())?;
        cbor::put_uint(out, self.mask.into())?;
        let number = PATTERNS.iter().position(|pattern| *pattern == self.pattern).map_or(0, |place| place as u64 + 1);
        cbor::put_uint(out, number)?;
        cbor::put_uint(out, self.interval.into())?;
        cbor::put_int(out, self.ordinal.into())
    }
}

/// A span of time, repeated or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Schedule {
    /// Seconds since 1970, 32 bits; local or UTC by `utc`.
    pub start: u32,
    /// The first second that is not part of it; none is open.
    pub end: Option<u32>,
    /// When it repeats.
    pub recurrence: Option<Recurrence>,
    /// Whether times are UTC; else they are the lock's civil time.
    pub utc: bool,
}

impl Schedule {
    fn parse(reader: &mut CborReader<'_>) -> Result<Self, DocumentError> {
        let [start, end, recurrence, flags] = reader.int_map()?;
        // A draft tags times with 1: `uint` refuses that.
        let seconds = |mut reader: CborReader<'_>| u32::try_from(reader.uint()?).map_err(|_| DocumentError::Value);
        let schedule = Self {
            start: seconds(start.ok_or(CborError::Missing)?)?,
            end: end.map(seconds).transpose()?,
            recurrence: recurrence.map(|mut reader| Recurrence::parse(&mut reader)).transpose()?,
            utc: match flags.ok_or(CborError::Missing)?.uint()? {
                0 => false,
                1 => true,
                _ => return Err(DocumentError::Value),
            },
        };
        if schedule.end.is_some_and(|end| end <= schedule.start) { Err(DocumentError::Value) } else { Ok(schedule) }
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        cbor::put_map(out, 2 + usize::from(self.end.is_some()) + usize::from(self.recurrence.is_some()))?;
        cbor::put_uint(out, 0)?;
        cbor::put_uint(out, self.start.into())?;
        if let Some(end) = self.end {
            cbor::put_uint(out, 1)?;
            cbor::put_uint(out, end.into())?;
        }
        if let Some(recurrence) = &self.recurrence {
            cbor::put_uint(out, 2)?;
            recurrence.put(out)?;
        }
        cbor::put_uint(out, 3)?;
        cbor::put_uint(out, self.utc.into())
    }
}

/// An extension by a registered vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extension<'a> {
    /// The vendor's number.
    pub vendor: u64,
    /// The vendor's number for it.
    pub id: u64,
    /// Whether a reader that does not understand it must refuse the whole element. Bit 0 of the first field says that it is **not**.
    pub critical: bool,
    /// Of its content.
    pub version: u64,
    /// Its content.
    pub data: &'a [u8],
}

/// What an element says.
#[derive(Clone, Debug, Default)]
pub struct AccessData<'a> {
    /// What the issuer calls the holder or the right, at most 16 bytes by the actuator.
    pub id: Option<&'a [u8]>,
    /// Some rule must hold; without rules nothing restricts.
    pub rules: List<Rule, RULES_MAX>,
    /// What rules name.
    pub schedules: List<Schedule, SCHEDULES_MAX>,
    /// Rules that the reader itself holds; one of them must apply.
    pub reader_rules: List<u64, READER_RULES_MAX>,
    extensions: Option<CborReader<'a>>,
}

fn list<'a, T: Copy + Default, const N: usize>(
    reader: Option<CborReader<'a>>,
    mut parse: impl FnMut(&mut CborReader<'a>) -> Result<T, DocumentError>,
) -> Result<List<T, N>, DocumentError> {
    let mut list = List::default();
    if let Some(mut reader) = reader {
        for _ in 0..reader.array()? {
            list.push(parse(&mut reader)?)?;
        }
    }
    Ok(list)
}

impl<'a> AccessData<'a> {
    /// Reads an element's value. `understood` are the extensions (vendor, id) that the caller will obey.
    ///
    /// # Errors
    /// [`DocumentError::Cbor`], [`DocumentError::Version`], [`DocumentError::Value`], [`DocumentError::TooMany`], and
    /// [`DocumentError::CriticalExtension`] when one is critical and not understood.
    pub fn parse(value: &'a [u8], understood: &[(u64, u64)]) -> Result<Self, DocumentError> {
        let mut reader = CborReader::new(value);
        // 5 holds extensions that have nothing to do with access.
        let [version, id, rules, schedules, reader_rules, _other, extensions] = reader.int_map()?;
        reader.end()?;
        if version.ok_or(CborError::Missing)?.uint()? != 1 {
            return Err(DocumentError::Version);
        }
        let bits = |reader: Option<CborReader<'a>>| {
            reader.map(|mut reader| u8::try_from(reader.uint()?).map_err(|_| DocumentError::Value)).transpose()
        };
        let data = Self {
            id: id.map(|mut reader| reader.bytes()).transpose()?,
            rules: list(rules, |reader| {
                let [capabilities, allow, deny] = reader.int_map()?;
                Ok(Rule { capabilities: bits(capabilities)?, allow: bits(allow)?, deny: bits(deny)? })
            })?,
            schedules: list(schedules, Schedule::parse)?,
            reader_rules: list(reader_rules, |reader| Ok(reader.uint()?))?,
            extensions,
        };
        data.each_extension(|extension| {
            let known = understood.contains(&(extension.vendor, extension.id));
            if extension.critical && !known { Err(DocumentError::CriticalExtension) } else { Ok(()) }
        })?;
        Ok(data)
    }

    fn each_extension(&self, mut act: impl FnMut(Extension<'a>) -> Result<(), DocumentError>) -> Result<(), DocumentError> {
        let Some(mut reader) = self.extensions.clone() else { return Ok(()) };
        for _ in 0..reader.map()? {
            let vendor = reader.uint()?;
            for _ in 0..reader.array()? {
                if reader.array()? != 4 {
                    return Err(CborError::Type.into());
                }
                let critical = reader.uint()? & 1 == 0;
                act(Extension { critical, vendor, id: reader.uint()?, version: reader.uint()?, data: reader.bytes()? })?;
            }
        }
        Ok(())
    }

    /// The extension with this vendor and number, the first when there are several.
    pub fn extension(&self, vendor: u64, id: u64) -> Option<Extension<'a>> {
        let mut found = None;
        // It was read to its end before, so nothing fails here.
        let _ = self.each_extension(|extension| {
            if (extension.vendor, extension.id) == (vendor, id) && found.is_none() {
                found = Some(extension);
            }
            Ok(())
        });
        found
    }
}

/// What an issuer writes into an element.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AccessContent<'a> {
    /// See [`AccessData::id`].
    pub id: Option<&'a [u8]>,
    /// At most eight.
    pub rules: &'a [Rule],
    /// At most eight.
    pub schedules: &'a [Schedule],
    /// At most eight.
    pub reader_rules: &'a [u64],
    /// All of one vendor stand together.
    pub extensions: &'a [Extension<'a>],
}

impl AccessContent<'_> {
    /// Writes the element's value.
    ///
    /// # Errors
    /// [`DocumentError::Full`]; [`DocumentError::TooMany`] and [`DocumentError::Value`] for what no reader would take.
    pub fn write(&self, out: &mut Writer<'_>) -> Result<(), DocumentError> {
        if self.rules.len() > RULES_MAX || self.schedules.len() > SCHEDULES_MAX || self.reader_rules.len() > READER_RULES_MAX {
            return Err(DocumentError::TooMany);
        }
        for schedule in self.schedules {
            schedule.recurrence.map_or(Ok(()), |recurrence| recurrence.check())?;
            if schedule.end.is_some_and(|end| end <= schedule.start) {
                return Err(DocumentError::Value);
            }
        }
        let lists = [!self.rules.is_empty(), !self.schedules.is_empty(), !self.reader_rules.is_empty(), !self.extensions.is_empty()];
        let fields = 1 + usize::from(self.id.is_some()) + lists.iter().filter(|present| **present).count();
        cbor::put_map(out, fields)?;
        cbor::put_uint(out, 0)?;
        cbor::put_uint(out, 1)?;
        if let Some(id) = self.id {
            cbor::put_uint(out, 1)?;
            cbor::put_bytes(out, id)?;
        }
        if lists[0] {
            cbor::put_uint(out, 2)?;
            cbor::put_array(out, self.rules.len())?;
            for rule in self.rules {
                let fields = [rule.capabilities, rule.allow, rule.deny];
                cbor::put_map(out, fields.iter().flatten().count())?;
                for (key, value) in (0..).zip(fields) {
                    if let Some(value) = value {
                        cbor::put_uint(out, key)?;
                        cbor::put_uint(out, value.into())?;
                    }
                }
            }
        }
        if lists[1] {
            cbor::put_uint(out, 3)?;
            cbor::put_array(out, self.schedules.len())?;
            self.schedules.iter().try_for_each(|schedule| schedule.put(out))?;
        }
        if lists[2] {
            cbor::put_uint(out, 4)?;
            cbor::put_array(out, self.reader_rules.len())?;
            self.reader_rules.iter().try_for_each(|rule| cbor::put_uint(out, *rule))?;
        }
        if lists[3] {
            cbor::put_uint(out, 6)?;
            cbor::put_map(out, self.extensions.chunk_by(|a, b| a.vendor == b.vendor).count())?;
            for of_vendor in self.extensions.chunk_by(|a, b| a.vendor == b.vendor) {
                cbor::put_uint(out, of_vendor[0].vendor)?;
                cbor::put_array(out, of_vendor.len())?;
                for extension in of_vendor {
                    cbor::put_array(out, 4)?;
                    cbor::put_uint(out, u64::from(!extension.critical))?;
                    cbor::put_uint(out, extension.id)?;
                    cbor::put_uint(out, extension.version)?;
                    cbor::put_bytes(out, extension.data)?;
                }
            }
        }
        Ok(())
    }
}
