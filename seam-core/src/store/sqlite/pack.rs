//! Documents as the file keeps them. They are JSON, and most of that is field names, ids written out and secrets in hexadecimal: packed,
//! a document takes a third of the room, so a commit writes a third of the pages.
//!
//! Two steps: ids and hexadecimal become bytes behind a control character (which JSON never holds), then LZ4 finds what is left of the
//! field names in a dictionary. A document that does not get smaller is kept as it is; one begins with a brace, the other with a mark.
mod lz4;

use lz4_flex::block::decompress_size_prepended_with_dict;
use std::borrow::Cow;
use std::fmt::Write as _;

/// What a packed document begins with. Another dictionary would be another mark.
const MARK: u8 = 1;
/// Before the 16 bytes of an id.
const ID: u8 = 1;
/// Before a length and so many bytes that were written in hexadecimal.
const HEX: u8 = 2;
/// The characters of an id.
const ID_TEXT: usize = 36;
/// Fewer characters of hexadecimal than this stay as they are: most of them are numbers.
const LEAST_HEX: usize = 16;

/// Typical documents, ids left out. **Never changed**: what is in files was packed with it.
const DICTIONARY: &[u8] = include_bytes!("dictionary.txt");

/// Packs a JSON document.
pub(super) fn pack(json: Vec<u8>) -> Vec<u8> {
    let Some(short) = shorten(&json) else { return json };
    let Ok(length) = u32::try_from(short.len()) else { return json };
    let mut packed = Vec::with_capacity(8 + short.len());
    packed.push(MARK);
    packed.extend_from_slice(&length.to_le_bytes());
    lz4::compress(&short, &mut packed);
    if packed.len() < json.len() { packed } else { json }
}

/// The JSON document again; `None` when the bytes are damaged.
pub(super) fn unpack(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let Some((&MARK, packed)) = bytes.split_first() else { return Some(Cow::Borrowed(bytes)) };
    // LZ4 makes at most 255 bytes of one: a damaged length must not reserve more.
    let length = u32::from_le_bytes(packed.get(..4)?.try_into().ok()?);
    if usize::try_from(length).ok()? > packed.len().saturating_mul(255) {
        return None;
    }
    let short = decompress_size_prepended_with_dict(packed, DICTIONARY).ok()?;
    lengthen(&short).map(Cow::Owned)
}

/// Ids and hexadecimal as bytes; `None` when the text holds a control character already.
fn shorten(json: &[u8]) -> Option<Vec<u8>> {
    let mut short = Vec::with_capacity(json.len());
    // Up to `kept` it is in `short` already.
    let (mut kept, mut at) = (0, 0);
    while let Some(&first) = json.get(at) {
        if first == ID || first == HEX {
            return None;
        }
        if !is_hex(first) {
            at += 1;
            continue;
        }
        let start = at;
        at += json[start..].iter().take_while(|c| is_hex(**c)).count();
        let run = at - start;
        if let Some(id) = json.get(start..start + ID_TEXT).filter(|_| run == 8).and_then(id) {
            short.extend_from_slice(&json[kept..start]);
            short.push(ID);
            short.extend_from_slice(&id);
            at = start + ID_TEXT;
            kept = at;
        } else if run >= LEAST_HEX {
            short.extend_from_slice(&json[kept..start]);
            kept = start + run / 2 * 2;
            for bytes in json[start..kept].chunks(2 * usize::from(u8::MAX)) {
                short.extend_from_slice(&[HEX, (bytes.len() / 2) as u8]);
                short.extend(bytes.chunks_exact(2).map(|pair| digit(pair[0]) << 4 | digit(pair[1])));
            }
        }
    }
    short.extend_from_slice(&json[kept..]);
    Some(short)
}

fn lengthen(mut short: &[u8]) -> Option<Vec<u8>> {
    let mut json = String::with_capacity(short.len() * 3);
    let mut plain = Vec::with_capacity(short.len() * 3);
    while let Some((&first, rest)) = short.split_first() {
        json.clear();
        let bytes = match first {
            ID => {
                let (id, rest) = rest.split_at_checked(16)?;
                short = rest;
                let _ = write!(json, "{}", uuid::Uuid::from_slice(id).ok()?.hyphenated());
                json.as_bytes()
            }
            HEX => {
                let (&count, rest) = rest.split_first()?;
                let (bytes, rest) = rest.split_at_checked(usize::from(count))?;
                short = rest;
                json.push_str(&crate::store::vault::hex(bytes));
                json.as_bytes()
            }
            _ => {
                short = rest;
                plain.push(first);
                continue;
            }
        };
        plain.extend_from_slice(bytes);
    }
    Some(plain)
}

/// The bytes of an id that is written as we write ids: small letters, four hyphens.
fn id(text: &[u8]) -> Option<[u8; 16]> {
    let mut bytes = [0; 16];
    let mut at = 0;
    for byte in &mut bytes {
        if matches!(at, 8 | 13 | 18 | 23) {
            if text[at] != b'-' {
                return None;
            }
            at += 1;
        }
        if !is_hex(text[at]) || !is_hex(text[at + 1]) {
            return None;
        }
        *byte = digit(text[at]) << 4 | digit(text[at + 1]);
        at += 2;
    }
    Some(bytes)
}

/// Which characters are hexadecimal as we write it. A table, because every character of every document is looked at.
const IS_HEX: [bool; 256] = {
    let mut is = [false; 256];
    let mut c = 0;
    while c < 256 {
        is[c] = matches!(c as u8, b'0'..=b'9' | b'a'..=b'f');
        c += 1;
    }
    is
};

fn is_hex(c: u8) -> bool {
    IS_HEX[usize::from(c)]
}

fn digit(c: u8) -> u8 {
    if c.is_ascii_digit() { c - b'0' } else { c - b'a' + 10 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn there_and_back(json: &[u8]) -> usize {
        let packed = pack(json.to_vec());
        assert_eq!(unpack(&packed).as_deref(), Some(json), "{}", String::from_utf8_lossy(json));
        packed.len()
    }

    #[test]
    fn a_document_takes_less_than_half_of_the_room() {
        let id = "01a2029f-25e6-7001-b333-f4009763ce68";
        let pin = "e7018212a916eff7a3bbaf76cd7de21675548a4d17b257744032687f9593eab8012ccf3d6ac557c515594f9cb4d0";
        let text = format!(
            r#"{{"method":{{"mode":"code","identity":"{id}","grants":["{id}"],"doors":["{id}"],"targets":[],"pin":"k1.{pin}","issued":false}}}}"#
        );
        assert!(there_and_back(text.as_bytes()) * 2 < text.len());
    }

    #[test]
    fn what_only_looks_like_an_id_or_hexadecimal_comes_back() {
        let id = "01a2029f-25e6-7001-b333-f4009763ce68";
        let nearly =
            [id.to_uppercase(), id.replace('-', "_"), id[..35].to_owned(), format!("{id}0"), id.replace('-', ""), "0".repeat(1021)];
        for text in
            nearly.iter().map(String::as_str).chain(["", "{}", "0123456789abcde", "0123456789abcdef0", "{\u{1}}", "{\"a\":\"\u{2}\"}", "é"])
        {
            there_and_back(text.as_bytes());
        }
    }

    #[test]
    fn damage_is_noticed_and_reserves_nothing() {
        assert_eq!(unpack(&[MARK]), None);
        assert_eq!(unpack(&[MARK, 0xff, 0xff, 0xff, 0xff, 0, 0, 0]), None);
        assert_eq!(lengthen(&[ID, 1, 2]), None);
        assert_eq!(lengthen(&[HEX, 9, 2]), None);
    }

    proptest! {
        #[test]
        fn any_text_comes_back(text in "([0-9a-f]{0,40}|[ -~]{0,20}|\\PC{0,5}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}){0,8}") {
            there_and_back(text.as_bytes());
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = unpack(&bytes);
            let _ = unpack(&[&[MARK], &bytes[..]].concat());
        }
    }
}
