//! From values to documents.
use super::*;
use serde::ser::{self, Serialize};
use std::fmt::{Display, Write as _};

pub(super) struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// Those that were written, each once.
    ids: Vec<[u8; 16]>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, ids: Vec::with_capacity(16) }
    }

    fn varint(&mut self, mut left: u64) {
        while left > 0x7f {
            self.out.push((left & 0x7f) as u8 | 0x80);
            left >>= 7;
        }
        self.out.push(left as u8);
    }

    fn number(&mut self, number: u64) {
        if number < u64::from(NEAR - SMALL) {
            self.out.push(SMALL + number as u8);
        } else {
            self.out.push(NUMBER);
            self.varint(number);
        }
    }

    fn name(&mut self, number: usize) {
        if number < NAMED {
            self.out.push(NAMES + number as u8);
        } else {
            self.out.push(NAME);
            self.varint(number as u64);
        }
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.varint(bytes.len() as u64);
        self.out.extend_from_slice(bytes);
    }

    fn id(&mut self, id: [u8; 16]) {
        if let Some(at) = self.ids.iter().position(|known| *known == id) {
            self.out.extend_from_slice(&[AGAIN, at as u8]);
            return;
        }
        match self.ids.last() {
            Some(last) if last[..WHEN] == id[..WHEN] => {
                self.out.push(NEAR);
                self.out.extend_from_slice(&id[WHEN..]);
            }
            _ => {
                self.out.push(ID);
                self.out.extend_from_slice(&id);
            }
        }
        if self.ids.len() < IDS {
            self.ids.push(id);
        }
    }

    /// A word of the program.
    fn word(&mut self, word: &'static str) {
        match names::number_of_word(word) {
            Some(number) => self.name(number),
            None => self.no_name(word),
        }
    }

    fn text(&mut self, text: &str) {
        match names::number(text) {
            Some(number) => self.name(number),
            None => self.no_name(text),
        }
    }

    fn no_name(&mut self, text: &str) {
        if let Some(id) = text::id(text) {
            self.id(id);
        } else if let Some((digits, seconds, fraction)) = text::instant(text) {
            self.out.extend_from_slice(&[INSTANT, digits]);
            self.varint((seconds << 1 ^ seconds >> 63) as u64);
            if digits > 0 {
                self.varint(u64::from(fraction));
            }
        } else if let Some((head, digits)) = text::hex(text) {
            self.out.push(HEX);
            self.bytes(head.as_bytes());
            self.varint(digits.len() as u64 / 2);
            self.out.extend(text::bytes(digits));
        } else if text.len() < 32 {
            self.out.push(SHORT | text.len() as u8);
            self.out.extend_from_slice(text.as_bytes());
        } else {
            self.out.push(TEXT);
            self.bytes(text.as_bytes());
        }
    }

    fn variant(&mut self, variant: &'static str) {
        self.out.push(SINGLE);
        self.word(variant);
    }
}

/// Numbers that are written as the widest of their sort: a document does not tell the widths apart.
macro_rules! widened {
    ($($narrow:ident($number:ty) => $wide:ident),+) => {
        $(fn $narrow(self, v: $number) -> Result<(), Unfit> {
            self.$wide(v.into())
        })+
    };
}

impl<'w, 'a> ser::Serializer for &'w mut Writer<'a> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    /// So that an id gives its bytes (the only thing that does) and not its text, which would be taken apart again: it is written as that text
    /// would be, and read as text.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, v: bool) -> Result<(), Unfit> {
        self.out.push(if v { TRUE } else { FALSE });
        Ok(())
    }
    widened! { serialize_i8(i8) => serialize_i64, serialize_i16(i16) => serialize_i64, serialize_i32(i32) => serialize_i64 }
    widened! { serialize_u8(u8) => serialize_u64, serialize_u16(u16) => serialize_u64, serialize_u32(u32) => serialize_u64 }
    fn serialize_i64(self, v: i64) -> Result<(), Unfit> {
        match u64::try_from(v) {
            Ok(number) => self.number(number),
            Err(_) => {
                self.out.push(LESS);
                self.varint(!v as u64);
            }
        }
        Ok(())
    }
    fn serialize_u64(self, v: u64) -> Result<(), Unfit> {
        self.number(v);
        Ok(())
    }
    fn serialize_f32(self, v: f32) -> Result<(), Unfit> {
        self.serialize_f64(v.into())
    }
    fn serialize_f64(self, v: f64) -> Result<(), Unfit> {
        if v.is_finite() {
            self.out.push(FLOAT);
            self.out.extend_from_slice(&v.to_bits().to_be_bytes());
        } else {
            self.out.push(NULL);
        }
        Ok(())
    }
    fn serialize_char(self, v: char) -> Result<(), Unfit> {
        self.text(v.encode_utf8(&mut [0; 4]));
        Ok(())
    }
    fn serialize_str(self, v: &str) -> Result<(), Unfit> {
        self.text(v);
        Ok(())
    }
    fn serialize_bytes(self, v: &[u8]) -> Result<(), Unfit> {
        if let Ok(id) = v.try_into() {
            self.id(id);
            return Ok(());
        }
        self.out.push(LIST);
        v.iter().for_each(|byte| self.number(u64::from(*byte)));
        self.out.push(END);
        Ok(())
    }
    fn serialize_none(self) -> Result<(), Unfit> {
        self.serialize_unit()
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_unit(self) -> Result<(), Unfit> {
        self.out.push(NULL);
        Ok(())
    }
    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Unfit> {
        self.serialize_unit()
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unfit> {
        self.word(variant);
        Ok(())
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        self.variant(variant);
        value.serialize(self)
    }
    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unfit> {
        self.out.push(LIST);
        Ok(self)
    }
    fn serialize_tuple(self, _: usize) -> Result<Self, Unfit> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        self.serialize_seq(None)
    }
    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Self, Unfit> {
        self.variant(variant);
        self.serialize_seq(None)
    }
    fn serialize_map(self, _: Option<usize>) -> Result<Self, Unfit> {
        self.out.push(MAP);
        Ok(self)
    }
    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        self.serialize_map(None)
    }
    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Self, Unfit> {
        self.variant(variant);
        self.serialize_map(None)
    }
    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), Unfit> {
        let mut text = Short::default();
        match write!(text, "{value}") {
            Ok(()) if text.is_whole() => self.text(text.as_str()),
            _ => self.text(&value.to_string()),
        }
        Ok(())
    }
}

/// Room for the texts that ids and instants make, without a piece of memory for each.
struct Short {
    bytes: [u8; 48],
    /// More than there is room for when the text did not fit.
    len: usize,
}

impl Default for Short {
    fn default() -> Self {
        Self { bytes: [0; 48], len: 0 }
    }
}

impl Short {
    fn is_whole(&self) -> bool {
        self.len <= self.bytes.len()
    }
    fn as_str(&self) -> &str {
        self.bytes.get(..self.len).and_then(|bytes| std::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Write for Short {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(room) = self.bytes.get_mut(self.len..self.len + text.len()) {
            room.copy_from_slice(text.as_bytes());
            self.len += text.len();
            return Ok(());
        }
        self.len = self.bytes.len() + 1;
        Err(fmt::Error)
    }
    /// Instants come character by character.
    fn write_char(&mut self, c: char) -> fmt::Result {
        match self.bytes.get_mut(self.len) {
            Some(room) if c.is_ascii() => {
                *room = c as u8;
                self.len += 1;
                Ok(())
            }
            _ => self.write_str(c.encode_utf8(&mut [0; 4])),
        }
    }
}

macro_rules! list {
    ($($of:ident :: $element:ident),*) => {$(
        impl ser::$of for &mut Writer<'_> {
            type Ok = ();
            type Error = Unfit;
            fn $element<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unfit> {
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Unfit> {
                self.out.push(END);
                Ok(())
            }
        }
    )*};
}
list!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field
);

macro_rules! fields {
    ($($of:ident),*) => {$(
        impl ser::$of for &mut Writer<'_> {
            type Ok = ();
            type Error = Unfit;
            fn serialize_field<T: ?Sized + Serialize>(&mut self, key: &'static str, value: &T) -> Result<(), Unfit> {
                self.word(key);
                value.serialize(&mut **self)
            }
            fn end(self) -> Result<(), Unfit> {
                self.out.push(END);
                Ok(())
            }
        }
    )*};
}
fields!(SerializeStruct, SerializeStructVariant);

impl ser::SerializeMap for &mut Writer<'_> {
    type Ok = ();
    type Error = Unfit;
    fn serialize_key<T: ?Sized + Serialize>(&mut self, key: &T) -> Result<(), Unfit> {
        key.serialize(KeyWriter(self))
    }
    fn serialize_value<T: ?Sized + Serialize>(&mut self, value: &T) -> Result<(), Unfit> {
        value.serialize(&mut **self)
    }
    fn end(self) -> Result<(), Unfit> {
        self.out.push(END);
        Ok(())
    }
}

/// Writes the key of a map: a text, or what JSON makes a text of there.
struct KeyWriter<'w, 'a>(&'w mut Writer<'a>);

macro_rules! written_out {
    ($($name:ident: $of:ty),*) => {$(
        fn $name(self, v: $of) -> Result<(), Unfit> {
            self.collect_str(&v)
        }
    )*};
}
macro_rules! no_text {
    ($($name:ident($($of:ty),*) -> $gives:ty),* $(,)?) => {$(
        fn $name(self, $(_: $of),*) -> Result<$gives, Unfit> {
            Err(Unfit::new("a key that is no text"))
        }
    )*};
}
type Never = ser::Impossible<(), Unfit>;

impl ser::Serializer for KeyWriter<'_, '_> {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Never;
    type SerializeTuple = Never;
    type SerializeTupleStruct = Never;
    type SerializeTupleVariant = Never;
    type SerializeMap = Never;
    type SerializeStruct = Never;
    type SerializeStructVariant = Never;

    written_out!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    written_out!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_char: char);
    no_text!(
        serialize_f32(f32) -> (),
        serialize_f64(f64) -> (),
        serialize_bytes(&[u8]) -> (),
        serialize_none() -> (),
        serialize_unit() -> (),
        serialize_unit_struct(&'static str) -> (),
        serialize_seq(Option<usize>) -> Never,
        serialize_tuple(usize) -> Never,
        serialize_tuple_struct(&'static str, usize) -> Never,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Never,
        serialize_map(Option<usize>) -> Never,
        serialize_struct(&'static str, usize) -> Never,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Never,
    );
    fn serialize_str(self, v: &str) -> Result<(), Unfit> {
        self.0.text(v);
        Ok(())
    }
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Unfit> {
        self.serialize_str(variant)
    }
    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, value: &T) -> Result<(), Unfit> {
        value.serialize(self)
    }
    fn serialize_newtype_variant<T: ?Sized + Serialize>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Result<(), Unfit> {
        Err(Unfit::new("a key that is no text"))
    }
    fn collect_str<T: ?Sized + Display>(self, value: &T) -> Result<(), Unfit> {
        ser::Serializer::collect_str(self.0, value)
    }
}
