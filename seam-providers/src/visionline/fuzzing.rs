//! For fuzz targets: the wires of Visionline and Vision, and an account behind a transport that answers anything.
use super::config::Config;
use super::error;
use super::provider::VisionlineProvider;
use super::wire::pms::{Line, LineCodec};
use super::wire::serial::{Frame, SerialCodec, lrc};
use super::wire::{read_pms_time, read_serial, read_web_time, sign, web_time};
use crate::fuzzing::cut;
use seam_core::clock::Clock;
use seam_core::provider::{AccessSystemProvider, Failure, HttpTransport};
use secrecy::SecretString;
use std::sync::Arc;
use tokio_util::codec::Encoder as _;

pub use super::vision::fuzzing::{pmsif, pmsif_seeds};

/// Lines of the PMS port over TCP: the same however they are cut, written again as they were read.
pub fn pms_lines<'a>(input: &'a [u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let whole = cut(LineCodec, std::iter::once(input), true);
    assert_eq!(cut(LineCodec, pieces, true), whole);
    for line in &whole.0 {
        line_stays(line);
    }
    let _ = LineCodec::may_be_whole(input);
}

/// What is read of a line has a failure, when its result is none that is good; and what could have been sent is written and read again.
fn line_stays(line: &Line) {
    for writes in [false, true] {
        let failure = error::pms(line, writes);
        assert!(writes || failure.effect != seam_core::provider::Effect::Unknown, "a question never leaves anything unknown");
    }
    let sendable = line.tags.iter().try_fold(Line::new(&line.command), |made, (tag, value)| made.with(tag, value.clone()));
    if let Ok(line) = sendable {
        let mut bytes = bytes::BytesMut::new();
        LineCodec.encode(&line, &mut bytes).expect("a line is written");
        assert_eq!(cut(LineCodec, std::iter::once(&bytes[..]), true).0, [line]);
    }
}

/// Frames of the serial line, as they came and with their checksum made right.
pub fn serial_frames<'a>(input: &'a [u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let whole = cut(SerialCodec, std::iter::once(input), false);
    assert_eq!(cut(SerialCodec, pieces, false), whole);
    let framed = [&[2], input, format!("{:02X}", lrc(input)).as_bytes(), &[3]].concat();
    for frame in cut(SerialCodec, std::iter::once(&framed[..]), false).0 {
        if let Frame::Line(line) = frame {
            line_stays(&line);
        }
    }
}

/// Times and serial numbers as the server writes them.
pub fn texts(text: &str) {
    if let Some(at) = read_web_time(text) {
        assert_eq!(web_time(at), text);
    }
    let _ = read_pms_time(text);
    if let Some(serial) = read_serial(text) {
        assert_eq!(read_serial(&serial), Some(serial));
    }
}

/// The canonical form that is signed: it is one line of plain ASCII, two different questions never have the same, and every value can be
/// read back from it.
pub fn signature(path: &str, query: &[(&str, &str)]) {
    let target = sign::target(path, query);
    let (left, right) = target.split_at(path.len());
    assert_eq!(left, path);
    assert!(right.bytes().all(|b| b.is_ascii_graphic()));
    let mut read: Vec<(String, Vec<u8>)> = right
        .strip_prefix('?')
        .map(|pairs| {
            pairs
                .split('&')
                .map(|pair| pair.split_once('=').expect("a name and a value"))
                .map(|(n, v)| (n.to_owned(), decoded(v)))
                .collect()
        })
        .unwrap_or_default();
    let mut asked: Vec<(String, Vec<u8>)> = query.iter().map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec())).collect();
    read.sort();
    asked.sort();
    assert_eq!(read, asked);
}

/// Percent-decoding, from RFC 3986, 2.1.
fn decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut out = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits =
                [bytes.next(), bytes.next()].map(|digit| digit.and_then(|digit| char::from(digit).to_digit(16)).expect("two digits"));
            out.push((digits[0] * 16 + digits[1]) as u8);
        } else {
            out.push(byte);
        }
    }
    out
}

/// An account whose web interface is reached by this transport.
///
/// # Errors
/// As the factory's.
pub fn account(
    settings: &SecretString,
    clock: Arc<dyn Clock>,
    http: Arc<dyn HttpTransport>,
) -> Result<Arc<dyn AccessSystemProvider>, Failure> {
    let mut provider = VisionlineProvider::new(Config::read(settings)?, clock, None)?;
    provider.web = provider.web.map(|web| web.over(http));
    Ok(Arc::new(provider))
}
