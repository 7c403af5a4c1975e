//! The card technologies beside DESFire, from outside: published vectors, other implementations, and faults at every command.
#![cfg(feature = "sim")]
mod lrp;
mod lrp_vectors;
mod ntag424_card;
mod ntag424_oracle;
mod sdm;

/// Bytes of digits.
fn bytes(digits: &str) -> Vec<u8> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| std::str::from_utf8(pair).expect("ASCII digits"));
    pairs.map(|pair| u8::from_str_radix(pair, 16).expect("hexadecimal digits")).collect()
}

/// Bytes of digits, as many as are wanted.
fn array<const N: usize>(digits: &str) -> [u8; N] {
    bytes(digits).try_into().expect("the right number of digits")
}
