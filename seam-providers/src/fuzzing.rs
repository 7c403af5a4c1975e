//! Readers that are not part of the API, for the fuzz targets of `seam-fuzz` (feature `fuzzing`). Each function panics when a promise is broken.
use bytes::BytesMut;
use tokio_util::codec::Decoder;

pub use crate::visionline::fuzzing as visionline;

/// What a codec reads of a stream that comes in these pieces; whether it ends in a refusal. With `at_end` the rest is read as at the end of
/// a connection.
pub fn cut<'a, D: Decoder>(mut codec: D, pieces: impl Iterator<Item = &'a [u8]>, at_end: bool) -> (Vec<D::Item>, bool) {
    let (mut messages, mut unread) = (Vec::new(), BytesMut::new());
    for piece in pieces {
        unread.extend_from_slice(piece);
        loop {
            match codec.decode(&mut unread) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return (messages, true),
            }
        }
        // As a connection has it.
        if unread.len() > crate::net::LONGEST_ANSWER {
            return (messages, true);
        }
    }
    if at_end {
        loop {
            match codec.decode_eof(&mut unread) {
                Ok(Some(message)) => messages.push(message),
                Ok(None) => break,
                Err(_) => return (messages, true),
            }
        }
    }
    (messages, false)
}
