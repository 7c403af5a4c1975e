//! What several tests need.
use seam_encoders::desfire::Desfire;
use seam_encoders::dialogue::{Dialogue, Random, RecordedRandom};
use seam_encoders::error::CardError;
use seam_encoders::sim::{DesfireCard, DesfireModel, Field};
use std::sync::{Arc, Mutex};

/// Bytes from hexadecimal digits; spaces are left out.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let digits: Vec<u8> = digits.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).expect("digits"), 16).expect("hexadecimal")).collect()
}

pub(crate) fn sixteen(digits: &str) -> [u8; 16] {
    hex(digits).try_into().expect("16 bytes")
}

/// Random numbers that are the same in every run.
pub(crate) struct Counting(pub(crate) u8);
impl Random for Counting {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError> {
        out.iter_mut().for_each(|byte| {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        });
        Ok(())
    }
}

pub(crate) const UID: [u8; 7] = [0x04, 0x96, 0x8C, 0xAA, 0x5C, 0x5E, 0x80];

/// A card to look into, and the field that it lies in.
pub(crate) fn card(model: DesfireModel) -> (Arc<Mutex<DesfireCard>>, Field) {
    let card = Arc::new(Mutex::new(DesfireCard::new(model, UID)));
    let field = Field::with(Arc::clone(&card));
    (card, field)
}

/// Runs a protocol with the card in the field.
pub(crate) fn with<T, Fut>(field: &mut Field, protocol: impl FnOnce(Desfire) -> Fut) -> Result<T, CardError>
where
    Fut: Future<Output = Result<T, CardError>> + Send + 'static,
{
    field.run(Dialogue::new(|card| protocol(Desfire::new(card, Counting(7)))))
}

/// A dialogue with the random numbers of a recording.
pub(crate) fn replaying<T, Fut>(random: &[u8], protocol: impl FnOnce(Desfire) -> Fut) -> Dialogue<T>
where
    Fut: Future<Output = Result<T, CardError>> + Send + 'static,
{
    let random = RecordedRandom::new(random.to_vec());
    Dialogue::new(|card| protocol(Desfire::new(card, random)))
}
