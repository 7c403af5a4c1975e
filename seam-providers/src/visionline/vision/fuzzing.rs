//! For fuzz targets: the structs of PMSif.
use super::wire::{Message, PmsifCodec};
use crate::fuzzing::cut;
use tokio_util::codec::Encoder as _;

/// Structs: the same however they are cut, written again as they were read.
pub fn pmsif<'a>(input: &'a [u8], pieces: impl Iterator<Item = &'a [u8]>) {
    let whole = cut(PmsifCodec, std::iter::once(input), false);
    assert_eq!(cut(PmsifCodec, pieces, false), whole);
    for message in whole.0 {
        let mut bytes = bytes::BytesMut::new();
        // What is no ASCII comes from a code page that is not documented: it is shown, not sent.
        if PmsifCodec.encode(&message, &mut bytes).is_ok() {
            let again = cut(PmsifCodec, std::iter::once(&bytes[..]), false);
            assert_eq!(again.0, [message]);
        }
    }
}

/// Worked examples: a registration and a job, as they are sent.
#[must_use]
pub fn pmsif_seeds() -> Vec<Vec<u8>> {
    let job = super::wire::Job {
        command: b'G',
        fields: vec![(b'R', "101".to_owned()), (b'N', "Ana".to_owned()), (b'D', "202611221500".to_owned())],
        encoder: "01".to_owned(),
        source: "02".to_owned(),
        operator: ["op".to_owned(), "front".to_owned(), "desk".to_owned()],
    };
    let messages = [
        Message::Register { licence: "A1B2C3".to_owned(), application: "seam".to_owned(), result: 0 },
        Message::Unregister { result: 1 },
        Message::Encode(job),
    ];
    let written = messages.iter().map(|message| {
        let mut bytes = bytes::BytesMut::new();
        PmsifCodec.encode(message, &mut bytes).expect("it fits");
        bytes.to_vec()
    });
    written.collect()
}
