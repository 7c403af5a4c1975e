//! NDEF: what a phone reads from a card without an app.
//!
//! A [`Message`] is a list of [`Record`]s (NFC Forum, NDEF 1.0). [`Record::uri`] and [`Record::text`] make the two kinds that a door or a
//! front desk needs. How a message lies in memory depends on the card: a [`tlv`] area on Type 2 cards and MIFARE Classic, a file with a
//! length in front on Type 4 cards ([`mod@file`]).
//!
//! Everything here reads bytes that come from a card that anybody may have written: a parser returns a typed error and never panics, and
//! a message that it accepts is written again byte for byte unless the card had it in chunks or in a longer form than needed.
pub mod file;
pub mod tlv;
mod well_known;

/// What is wrong with bytes that should be NDEF.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NdefError {
    /// The bytes end before the record or block does.
    #[error("the data ends inside a record")]
    Truncated,
    /// Bytes follow the record that says it is the last.
    #[error("bytes follow the last record")]
    Trailing,
    /// The first record does not say that it begins the message, or a later one says so.
    #[error("the message does not begin where it should")]
    Begin,
    /// The reserved type name format 7 was used.
    #[error("a reserved type name format")]
    Reserved,
    /// A chunk where none may be, or a chunked record that never ends.
    #[error("chunks of a record that do not fit together")]
    Chunk,
    /// A type, identifier or payload is longer than its length field can say, or an empty record has content.
    #[error("a field has a length that its record cannot have")]
    Length,
    /// A text or address is not in the character set that its record names.
    #[error("text that is not in the character set of its record")]
    Text,
    /// The memory does not hold so much.
    #[error("the data does not fit into the memory of the card")]
    NoRoom,
}

/// How the type of a record is to be read (NDEF 1.0, table 1). `Unchanged` (6) is not here: it marks chunks, which are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TypeName {
    /// No type, no payload.
    Empty,
    /// A type of the NFC Forum, as `U` or `T`.
    WellKnown,
    /// A media type (RFC 2046).
    Media,
    /// An absolute URI (RFC 3986).
    AbsoluteUri,
    /// A type of one organisation, as `example.com:door`.
    External,
    /// A payload of unknown type.
    Unknown,
}

impl TypeName {
    fn bits(self) -> u8 {
        match self {
            Self::Empty => 0,
            Self::WellKnown => 1,
            Self::Media => 2,
            Self::AbsoluteUri => 3,
            Self::External => 4,
            Self::Unknown => 5,
        }
    }
}

/// One record of a message. Its type, identifier and payload are bytes; [`Record::new`] keeps them within what the format can say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    type_name: TypeName,
    kind: Vec<u8>,
    id: Vec<u8>,
    payload: Vec<u8>,
}

impl Record {
    /// A record without an identifier.
    ///
    /// # Errors
    /// [`NdefError::Length`]: a type of more than 255 bytes, a payload of more than 2^32 - 1, an empty record with content, or a record of
    /// unknown type with a type.
    pub fn new(type_name: TypeName, kind: &[u8], payload: &[u8]) -> Result<Self, NdefError> {
        Self::with_id(type_name, kind, &[], payload)
    }

    /// A record with an identifier of 0 to 255 bytes.
    ///
    /// # Errors
    /// As [`Record::new`], and [`NdefError::Length`] for a longer identifier.
    pub fn with_id(type_name: TypeName, kind: &[u8], id: &[u8], payload: &[u8]) -> Result<Self, NdefError> {
        let too_long = kind.len() > 255 || id.len() > 255 || u32::try_from(payload.len()).is_err();
        let has_no_type = matches!(type_name, TypeName::Empty | TypeName::Unknown);
        let misfit = (has_no_type && !kind.is_empty()) || (type_name == TypeName::Empty && !(payload.is_empty() && id.is_empty()));
        if too_long || misfit || (!has_no_type && kind.is_empty()) {
            return Err(NdefError::Length);
        }
        Ok(Self { type_name, kind: kind.to_vec(), id: id.to_vec(), payload: payload.to_vec() })
    }

    /// How its type is to be read.
    #[must_use]
    pub fn type_name(&self) -> TypeName {
        self.type_name
    }
    /// Its type, 0 to 255 bytes.
    #[must_use]
    pub fn kind(&self) -> &[u8] {
        &self.kind
    }
    /// Its identifier, 0 to 255 bytes.
    #[must_use]
    pub fn id(&self) -> &[u8] {
        &self.id
    }
    /// Its payload.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    fn write(&self, first: bool, last: bool, out: &mut Vec<u8>) {
        let short = u8::try_from(self.payload.len());
        let flags = u8::from(first) << 7 | u8::from(last) << 6 | u8::from(short.is_ok()) << 4 | u8::from(!self.id.is_empty()) << 3;
        out.push(flags | self.type_name.bits());
        // The constructors bound all three lengths.
        out.push(u8::try_from(self.kind.len()).unwrap_or(u8::MAX));
        match short {
            Ok(length) => out.push(length),
            Err(_) => out.extend(u32::try_from(self.payload.len()).unwrap_or(u32::MAX).to_be_bytes()),
        }
        if !self.id.is_empty() {
            out.push(u8::try_from(self.id.len()).unwrap_or(u8::MAX));
        }
        out.extend_from_slice(&self.kind);
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.payload);
    }
}

/// A message: one or more records. The message of an empty card is one empty record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    records: Vec<Record>,
}

impl Message {
    /// A message of these records; of none, it is the empty record that the format asks for.
    #[must_use]
    pub fn new(records: Vec<Record>) -> Self {
        if records.is_empty() {
            return Self { records: vec![Record { type_name: TypeName::Empty, kind: vec![], id: vec![], payload: vec![] }] };
        }
        Self { records }
    }

    /// The records, at least one.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The bytes, each record in one piece and in its short form where it has one.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let last = self.records.len() - 1;
        for (at, record) in self.records.iter().enumerate() {
            record.write(at == 0, at == last, &mut out);
        }
        out
    }

    /// Reads a message that fills `bytes`; chunks are put together.
    ///
    /// # Errors
    /// [`NdefError`]: which rule the bytes break.
    pub fn parse(bytes: &[u8]) -> Result<Self, NdefError> {
        let mut input = Input(bytes);
        let mut records = Vec::new();
        let mut open: Option<Record> = None;
        loop {
            let raw = RawRecord::read(&mut input)?;
            if raw.first != (records.is_empty() && open.is_none()) {
                return Err(NdefError::Begin);
            }
            open = match (open.take(), raw.chunked) {
                (None, true) => {
                    // The end of a message cannot be a chunk that another follows; a chunked empty record has nothing to go on.
                    if raw.last || raw.type_name == Some(TypeName::Empty) {
                        return Err(NdefError::Chunk);
                    }
                    Some(Record::with_id(raw.type_name.ok_or(NdefError::Chunk)?, raw.kind, raw.id, raw.payload)?)
                }
                (None, false) => {
                    records.push(Record::with_id(raw.type_name.ok_or(NdefError::Chunk)?, raw.kind, raw.id, raw.payload)?);
                    None
                }
                (Some(mut record), more) => {
                    if raw.type_name.is_some() || !raw.kind.is_empty() || raw.has_id || (more && raw.last) {
                        return Err(NdefError::Chunk);
                    }
                    record.payload.extend_from_slice(raw.payload);
                    if more {
                        Some(record)
                    } else {
                        records.push(record);
                        None
                    }
                }
            };
            if raw.last {
                return if input.0.is_empty() { Ok(Self { records }) } else { Err(NdefError::Trailing) };
            }
        }
    }
}

/// One record as it stands; `type_name` is `None` for the "unchanged" of a chunk.
struct RawRecord<'a> {
    first: bool,
    last: bool,
    chunked: bool,
    has_id: bool,
    type_name: Option<TypeName>,
    kind: &'a [u8],
    id: &'a [u8],
    payload: &'a [u8],
}

impl<'a> RawRecord<'a> {
    fn read(input: &mut Input<'a>) -> Result<Self, NdefError> {
        let head = input.byte()?;
        let type_name = match head & 0x07 {
            0 => Some(TypeName::Empty),
            1 => Some(TypeName::WellKnown),
            2 => Some(TypeName::Media),
            3 => Some(TypeName::AbsoluteUri),
            4 => Some(TypeName::External),
            5 => Some(TypeName::Unknown),
            6 => None,
            _ => return Err(NdefError::Reserved),
        };
        let kind_length = usize::from(input.byte()?);
        let payload_length = if head & 0x10 != 0 {
            usize::from(input.byte()?)
        } else {
            let four = input.array::<4>()?;
            usize::try_from(u32::from_be_bytes(four)).map_err(|_| NdefError::Truncated)?
        };
        let has_id = head & 0x08 != 0;
        let id_length = if has_id { usize::from(input.byte()?) } else { 0 };
        Ok(Self {
            first: head & 0x80 != 0,
            last: head & 0x40 != 0,
            chunked: head & 0x20 != 0,
            has_id,
            type_name,
            kind: input.take(kind_length)?,
            id: input.take(id_length)?,
            payload: input.take(payload_length)?,
        })
    }
}

/// Bytes that are read from the front.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], NdefError> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(NdefError::Truncated)?;
        self.0 = rest;
        Ok(head)
    }
    fn array<const N: usize>(&mut self) -> Result<[u8; N], NdefError> {
        let (head, rest) = self.0.split_first_chunk().ok_or(NdefError::Truncated)?;
        self.0 = rest;
        Ok(*head)
    }
    fn byte(&mut self) -> Result<u8, NdefError> {
        Ok(self.array::<1>()?[0])
    }
}
