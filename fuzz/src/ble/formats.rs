//! The encodings under all protocols here. Each is strict: one message has one writing.
use super::written;
use crate::hex::all;
use seam_ble::apdu::{self, Command, Response};
use seam_ble::cbor::{self, Item};
use seam_ble::tlv::{self, LengthForm};

/// Sources: ISO/IEC 7816-4, 5.1 (the four cases, short and extended); Aliro's SELECT and AUTH0 as its public actuator sends them.
pub(super) fn apdu_seeds() -> Vec<Vec<u8>> {
    all(&[
        "00A40400",
        "00A4040009A000000909ACCE550100",
        "00B0000000",
        "00B00000000000",
        "80C90000000003112233",
        "80C900000000031122330000",
        "80810000454101019E40",
        "9000",
        "6F00",
        "112233446103",
    ])
}

/// Commands and answers. A command may come in more than one writing (extended where short would do), but what is written is always read as
/// the same.
pub(super) fn apdu(input: &[u8]) {
    if let Ok(command) = Command::parse(input) {
        let short = written(|out| command.write(out));
        if command.data.len() < 4000 {
            let short = short.expect("it fits");
            assert_eq!(Command::parse(&short), Ok(command));
            assert!(short.len() <= input.len());
        }
        let mut own = input.to_vec();
        assert_eq!(apdu::data_mut(&mut own).map(|data| data.to_vec()), Ok(command.data.to_vec()));
    }
    if let Ok(response) = Response::parse(input)
        && input.len() < 4000
    {
        assert_eq!(written(|out| response.write(out)).as_deref(), Some(input));
    }
}

/// Sources: Aliro's SELECT and AUTH0 (public actuator), PKOC's first message; a tag of two bytes; lengths of one, two and three bytes.
pub(super) fn tlv_seeds() -> Vec<Vec<u8>> {
    let mut seeds = all(&[
        "6F158409A000000909ACCE5501A508800200005C020100",
        "4101004201015C0201004C104165A83667AD0AF5AB115247424822E0",
        "5A4104ED1C",
        "7F660402020100",
        "8600",
        "0C05030000000102210202",
    ]);
    seeds.push([&[0x85, 0x81, 0x80][..], &[7; 0x80]].concat());
    seeds.push([&[0x85, 0x82, 0x01, 0x00][..], &[7; 0x100]].concat());
    seeds
}

/// Objects one after the other: what was read is written again, byte for byte.
pub(super) fn tlv(input: &[u8]) {
    for form in [LengthForm::Ber, LengthForm::OneByte] {
        let mut reader = tlv::Reader::with(input, form);
        loop {
            let before = reader.rest();
            match reader.next() {
                Ok(Some(object)) => {
                    let length = before.len() - reader.rest().len();
                    if object.value.len() < 4000 {
                        let again = written(|out| tlv::put_with(out, form, object.tag, &[object.value]));
                        assert_eq!(again.as_deref(), before.get(..length));
                    }
                }
                Ok(None) => {
                    assert_eq!(reader.end(), Ok(()));
                    break;
                }
                Err(_) => {
                    assert_eq!(reader.rest(), before, "the reader stays where it was");
                    break;
                }
            }
        }
        if let Ok(found) = tlv::pick(tlv::Reader::with(input, form), [0x41, 0x42, 0x5C, 0x4C, 0x87, 0x4D, 0x7F66]) {
            assert!(found.iter().flatten().map(|value| value.len()).sum::<usize>() <= input.len());
        }
    }
}

/// Sources: RFC 8949, appendix A (all kinds that are read here), and a head of a document as ISO 18013-5 has it.
pub(super) fn cbor_seeds() -> Vec<Vec<u8>> {
    all(&[
        "00",
        "1818",
        "1903E8",
        "1A000F4240",
        "1B000000E8D4A51000",
        "1BFFFFFFFFFFFFFFFF",
        "20",
        "3903E7",
        "3BFFFFFFFFFFFFFFFF",
        "4401020304",
        "6449455446",
        "62C3BC",
        "83010203",
        "8301820203820405",
        "A201020304",
        "A26161016162820203",
        "C11A514B67B0",
        "D818456449455446",
        "F4",
        "F5",
        "F6",
        "A301010302206161",
        "A3613163312E30613280613300",
        "818181818181818100",
    ])
}

/// Items: what was read is written again, byte for byte, by an encoder that was written from RFC 8949 (4.2.1) alone.
pub(super) fn cbor(input: &[u8]) {
    let mut reader = cbor::Reader::new(input);
    loop {
        let before = reader.rest();
        let Ok(item) = reader.item() else { break };
        let mut again = Vec::new();
        match item {
            Item::Uint(number) => head(&mut again, 0, number),
            Item::Negative(number) => head(&mut again, 1, number),
            Item::Bytes(bytes) => {
                head(&mut again, 2, bytes.len() as u64);
                again.extend_from_slice(bytes);
            }
            Item::Text(text) => {
                head(&mut again, 3, text.len() as u64);
                again.extend_from_slice(text.as_bytes());
            }
            Item::Array(count) => head(&mut again, 4, count as u64),
            Item::Map(count) => head(&mut again, 5, count as u64),
            Item::Tag(tag) => head(&mut again, 6, tag),
            Item::Bool(value) => again.push(0xF4 + u8::from(value)),
            Item::Null => again.push(0xF6),
            _ => break,
        }
        assert_eq!(Some(&again[..]), before.get(..before.len() - reader.rest().len()));
    }
    let mut reader = cbor::Reader::new(input);
    if let Ok(raw) = reader.raw() {
        assert_eq!(raw, &input[..input.len() - reader.rest().len()]);
        // What was passed over as a whole is passed over again.
        let mut again = cbor::Reader::new(raw);
        assert_eq!((again.skip(), again.end()), (Ok(()), Ok(())));
    }
    let _ = cbor::Reader::new(input).int_map::<7>();
    let _ = cbor::Reader::new(input).text_map(["1", "2", "3"]);
}

fn head(out: &mut Vec<u8>, major: u8, number: u64) {
    let bytes = number.to_be_bytes();
    let (info, width) = match number {
        0..24 => (bytes[7], 0),
        24..0x100 => (24, 1),
        0x100..0x1_0000 => (25, 2),
        0x1_0000..0x1_0000_0000 => (26, 4),
        _ => (27, 8),
    };
    out.push(major << 5 | info);
    out.extend_from_slice(&bytes[8 - width..]);
}
