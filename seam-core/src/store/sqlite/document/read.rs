//! From documents to values. Documents may be damaged: nothing is believed before it was looked at.
use super::*;
use serde::de::value::BorrowedStrDeserializer;
use serde::de::{self, DeserializeSeed, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;

pub(super) struct Reader<'d> {
    left: &'d [u8],
    depth: u8,
    /// Those that were read, each once.
    ids: Vec<[u8; 16]>,
}

/// A text: of the list, of the document, or written out from bytes.
enum Text<'d> {
    There(&'d str),
    Made(String),
}

impl<'d> Text<'d> {
    fn as_str(&self) -> &str {
        match self {
            Self::There(text) => text,
            Self::Made(text) => text,
        }
    }
    fn visit<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self {
            Self::There(text) => visitor.visit_borrowed_str(text),
            Self::Made(text) => visitor.visit_string(text),
        }
    }
    fn visit_enum<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Unfit> {
        match self {
            Self::There(text) => visitor.visit_enum(BorrowedStrDeserializer::new(text)),
            Self::Made(text) => visitor.visit_enum(IntoDeserializer::into_deserializer(text)),
        }
    }
}

fn damaged() -> Unfit {
    Unfit::new("the document is damaged")
}

impl<'d> Reader<'d> {
    pub(super) fn new(document: &'d [u8]) -> Self {
        Self { left: document, depth: 0, ids: Vec::new() }
    }

    /// Nothing may be left.
    pub(super) fn end(self) -> Result<(), Unfit> {
        if self.left.is_empty() { Ok(()) } else { Err(damaged()) }
    }

    fn peek(&self) -> Result<u8, Unfit> {
        self.left.first().copied().ok_or_else(damaged)
    }

    fn byte(&mut self) -> Result<u8, Unfit> {
        let (byte, left) = self.left.split_first().ok_or_else(damaged)?;
        self.left = left;
        Ok(*byte)
    }

    fn some(&mut self, count: usize) -> Result<&'d [u8], Unfit> {
        let (some, left) = self.left.split_at_checked(count).ok_or_else(damaged)?;
        self.left = left;
        Ok(some)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Unfit> {
        self.some(N)?.try_into().map_err(|_| damaged())
    }

    fn varint(&mut self) -> Result<u64, Unfit> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let part = u64::from(byte & 0x7f);
            if part << shift >> shift != part {
                return Err(damaged());
            }
            number |= part << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(damaged())
    }

    fn bytes(&mut self) -> Result<&'d [u8], Unfit> {
        let count = usize::try_from(self.varint()?).map_err(|_| damaged())?;
        self.some(count)
    }

    fn plain(&mut self, count: usize) -> Result<Text<'d>, Unfit> {
        std::str::from_utf8(self.some(count)?).map(Text::There).map_err(|_| damaged())
    }

    fn id(&mut self, first: u8) -> Result<[u8; 16], Unfit> {
        if first == AGAIN {
            let at = usize::from(self.byte()?);
            return self.ids.get(at).copied().ok_or_else(damaged);
        }
        let mut id = [0; 16];
        let rest = if first == NEAR {
            id = *self.ids.last().ok_or_else(damaged)?;
            &mut id[WHEN..]
        } else {
            &mut id[..]
        };
        rest.copy_from_slice(self.some(rest.len())?);
        if self.ids.len() < IDS {
            self.ids.push(id);
        }
        Ok(id)
    }

    /// The text that begins with this byte; `None` when it begins something else.
    fn text(&mut self, first: u8) -> Result<Option<Text<'d>>, Unfit> {
        let name = |number: usize| names::name(number).map(Text::There).ok_or_else(damaged);
        Ok(Some(match first {
            NAMES.. => name(usize::from(first - NAMES))?,
            SHORT..NAMES => self.plain(usize::from(first - SHORT))?,
            NAME => name(usize::try_from(self.varint()?).map_err(|_| damaged())?)?,
            TEXT => {
                let count = usize::try_from(self.varint()?).map_err(|_| damaged())?;
                self.plain(count)?
            }
            ID | NEAR | AGAIN => {
                let mut room = [0; uuid::fmt::Hyphenated::LENGTH];
                Text::Made(uuid::Uuid::from_bytes(self.id(first)?).hyphenated().encode_lower(&mut room).to_owned())
            }
            HEX => {
                let head = std::str::from_utf8(self.bytes()?).map_err(|_| damaged())?;
                Text::Made([head, &crate::store::vault::hex(self.bytes()?)].concat())
            }
            INSTANT => {
                let digits = self.byte()?;
                let zigzag = self.varint()?;
                let seconds = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
                let fraction = if digits == 0 { 0 } else { u32::try_from(self.varint()?).map_err(|_| damaged())? };
                Text::Made(text::instant_text(digits, seconds, fraction).ok_or_else(damaged)?)
            }
            _ => return Ok(None),
        }))
    }

    /// The key of a map, which is a text.
    fn key(&mut self) -> Result<Text<'d>, Unfit> {
        let first = self.byte()?;
        self.text(first)?.ok_or_else(damaged)
    }

    /// What lies one step deeper.
    fn within<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unfit>) -> Result<T, Unfit> {
        if self.depth >= DEEPEST {
            return Err(Unfit::new("the document is nested too deep"));
        }
        self.depth += 1;
        let value = read(self)?;
        self.depth -= 1;
        Ok(value)
    }

    /// All up to the end of a list or of a map.
    fn items<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Unfit>) -> Result<T, Unfit> {
        self.within(|reader| {
            let value = read(reader)?;
            if reader.byte()? == END { Ok(value) } else { Err(damaged()) }
        })
    }
}

impl<'d> de::Deserializer<'d> for &mut Reader<'d> {
    type Error = Unfit;

    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let first = self.byte()?;
        match first {
            NULL => visitor.visit_unit(),
            FALSE => visitor.visit_bool(false),
            TRUE => visitor.visit_bool(true),
            FLOAT => visitor.visit_f64(f64::from_bits(u64::from_be_bytes(self.array()?))),
            LESS => visitor.visit_i64(!i64::try_from(self.varint()?).map_err(|_| damaged())?),
            NUMBER => visitor.visit_u64(self.varint()?),
            SMALL..NEAR => visitor.visit_u64(u64::from(first - SMALL)),
            LIST => self.items(|reader| visitor.visit_seq(Items(reader))),
            MAP => self.items(|reader| visitor.visit_map(Items(reader))),
            SINGLE => self.within(|reader| visitor.visit_map(Single { reader, read: false })),
            _ => self.text(first)?.ok_or_else(damaged)?.visit(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.peek()? == NULL {
            self.byte()?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'d>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'d>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unfit> {
        let first = self.byte()?;
        match first {
            SINGLE => self.within(|reader| visitor.visit_enum(Variant(reader))),
            MAP => self.items(|reader| visitor.visit_enum(Variant(reader))),
            _ => self.text(first)?.ok_or_else(damaged)?.visit_enum(visitor),
        }
    }

    forward_to_deserialize_any! {
        <V: Visitor<'d>>
        bool i8 i16 i32 i64 u8 u16 u32 u64 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

/// The items of a list, or the entries of a map, up to the end.
struct Items<'r, 'd>(&'r mut Reader<'d>);

impl<'d> de::SeqAccess<'d> for Items<'_, 'd> {
    type Error = Unfit;
    fn next_element_seed<T: DeserializeSeed<'d>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        if self.0.peek()? == END {
            return Ok(None);
        }
        seed.deserialize(&mut *self.0).map(Some)
    }
}

impl<'d> de::MapAccess<'d> for Items<'_, 'd> {
    type Error = Unfit;
    fn next_key_seed<K: DeserializeSeed<'d>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        if self.0.peek()? == END {
            return Ok(None);
        }
        let key = self.0.key()?;
        seed.deserialize(KeyReader(key)).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'d>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        seed.deserialize(&mut *self.0)
    }
}

/// The one entry of a map.
struct Single<'r, 'd> {
    reader: &'r mut Reader<'d>,
    read: bool,
}

impl<'d> de::MapAccess<'d> for Single<'_, 'd> {
    type Error = Unfit;
    fn next_key_seed<K: DeserializeSeed<'d>>(&mut self, seed: K) -> Result<Option<K::Value>, Unfit> {
        if std::mem::replace(&mut self.read, true) {
            return Ok(None);
        }
        let key = self.reader.key()?;
        seed.deserialize(KeyReader(key)).map(Some)
    }
    fn next_value_seed<V: DeserializeSeed<'d>>(&mut self, seed: V) -> Result<V::Value, Unfit> {
        seed.deserialize(&mut *self.reader)
    }
}

/// A variant with content.
struct Variant<'r, 'd>(&'r mut Reader<'d>);

impl<'d> de::EnumAccess<'d> for Variant<'_, 'd> {
    type Error = Unfit;
    type Variant = Self;
    fn variant_seed<V: DeserializeSeed<'d>>(self, seed: V) -> Result<(V::Value, Self), Unfit> {
        let key = self.0.key()?;
        Ok((seed.deserialize(KeyReader(key))?, self))
    }
}

impl<'d> de::VariantAccess<'d> for Variant<'_, 'd> {
    type Error = Unfit;
    fn unit_variant(self) -> Result<(), Unfit> {
        de::Deserialize::deserialize(self.0)
    }
    fn newtype_variant_seed<T: DeserializeSeed<'d>>(self, seed: T) -> Result<T::Value, Unfit> {
        seed.deserialize(self.0)
    }
    fn tuple_variant<V: Visitor<'d>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        de::Deserializer::deserialize_seq(self.0, visitor)
    }
    fn struct_variant<V: Visitor<'d>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unfit> {
        de::Deserializer::deserialize_map(self.0, visitor)
    }
}

/// A key: a text, from which also what JSON wrote as a text there is read.
struct KeyReader<'d>(Text<'d>);

macro_rules! written_out {
    ($($name:ident, $visit:ident, $of:ty);* $(;)?) => {$(
        fn $name<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Unfit> {
            match self.0.as_str().parse::<$of>() {
                Ok(value) => visitor.$visit(value),
                Err(_) => self.0.visit(visitor),
            }
        }
    )*};
}

impl<'d> de::Deserializer<'d> for KeyReader<'d> {
    type Error = Unfit;
    fn deserialize_any<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.0.visit(visitor)
    }
    written_out!(
        deserialize_bool, visit_bool, bool;
        deserialize_i8, visit_i8, i8;
        deserialize_i16, visit_i16, i16;
        deserialize_i32, visit_i32, i32;
        deserialize_i64, visit_i64, i64;
        deserialize_u8, visit_u8, u8;
        deserialize_u16, visit_u16, u16;
        deserialize_u32, visit_u32, u32;
        deserialize_u64, visit_u64, u64;
    );
    fn deserialize_option<V: Visitor<'d>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_some(self)
    }
    fn deserialize_newtype_struct<V: Visitor<'d>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }
    fn deserialize_enum<V: Visitor<'d>>(self, _: &'static str, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unfit> {
        self.0.visit_enum(visitor)
    }
    forward_to_deserialize_any! {
        <V: Visitor<'d>>
        f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}
