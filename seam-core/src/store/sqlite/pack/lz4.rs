//! An encoder of LZ4 blocks that knows the dictionary by heart.
//!
//! A document is a few hundred bytes, the dictionary some thousand: an encoder that learns the dictionary anew for each document (as that of
//! `lz4_flex` does) spends most of its time on that. What is written is the LZ4 block format, which `lz4_flex` reads:
//! <https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md>.
use super::DICTIONARY;
use std::sync::LazyLock;

/// The least that a match may be.
const LEAST: usize = 4;
/// The last match begins at least so far before the end, and the last five bytes are none of a match.
const LAST_START: usize = 12;
const LAST_BYTES: usize = 5;
/// A match is at most so far back.
const FARTHEST: usize = u16::MAX as usize;
/// Places in the tables, as a power of two.
const KNOWN_BITS: u32 = 13;
const OWN_BITS: u32 = 10;

/// Where what begins with these bytes was seen last, plus one; 0: nowhere.
struct Seen<const LENGTH: usize>(Vec<u16>);

impl<const LENGTH: usize> Seen<LENGTH> {
    fn place(word: &[u8]) -> usize {
        let mut bytes = [0; 8];
        bytes[..LENGTH].copy_from_slice(&word[..LENGTH]);
        (u64::from_le_bytes(bytes).wrapping_mul(0x9e37_79b1_85eb_ca87) >> (64 - KNOWN_BITS)) as usize
    }
    fn of(dictionary: &[u8]) -> Self {
        let mut seen = vec![0; 1 << KNOWN_BITS];
        for (at, word) in dictionary.windows(LENGTH).enumerate() {
            seen[Self::place(word)] = u16::try_from(at + 1).unwrap_or(0);
        }
        Self(seen)
    }
    /// How much of `input` is in the dictionary where this was seen, and where that is.
    fn look(&self, input: &[u8]) -> Option<(usize, usize)> {
        let at = usize::from(self.0[Self::place(input)]).checked_sub(1)?;
        Some((same(&DICTIONARY[at..], input), at))
    }
}

/// Two tables: one finds long matches, the other those that the first passes over.
static LONG: LazyLock<Seen<8>> = LazyLock::new(|| Seen::of(DICTIONARY));
static SHORT: LazyLock<Seen<4>> = LazyLock::new(|| Seen::of(DICTIONARY));

/// How many bytes are the same from the start.
fn same(a: &[u8], b: &[u8]) -> usize {
    let words = a.chunks_exact(8).zip(b.chunks_exact(8));
    let whole = 8 * words.take_while(|(a, b)| a == b).count();
    whole + a[whole..].iter().zip(&b[whole..]).take_while(|(a, b)| a == b).count()
}

/// Appends `input`, compressed against the dictionary, to `out`.
pub(super) fn compress(input: &[u8], out: &mut Vec<u8>) {
    let (long, short) = (&*LONG, &*SHORT);
    // Of the input itself: where its words were seen, modulo the distance that a match can bridge.
    let mut own = [0u16; 1 << OWN_BITS];
    let (mut literals, mut at) = (0, 0);
    let (starts, ends) = (input.len().saturating_sub(LAST_START), input.len().saturating_sub(LAST_BYTES));
    while at < starts {
        let word = &input[at..ends];
        let slot = (u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(0x9e37_79b1) >> (32 - OWN_BITS)) as usize;
        let before = std::mem::replace(&mut own[slot], (at + 1) as u16);
        let mut best = (0, 0);
        let mut take = |length: usize, back: usize| {
            if length > best.0 && back <= FARTHEST {
                best = (length, back);
            }
        };
        if let Some((length, there)) = long_enough(word).and_then(|word| long.look(word)) {
            take(length, at + DICTIONARY.len() - there);
        }
        if let Some((length, there)) = short.look(word) {
            take(length, at + DICTIONARY.len() - there);
        }
        let back = usize::from(((at + 1) as u16).wrapping_sub(before));
        if before != 0 && back != 0 && back <= at {
            take(same(&input[at - back..], word), back);
        }
        let (length, back) = best;
        if length < LEAST {
            at += 1;
            continue;
        }
        sequence(out, &input[literals..at], Some((length, back)));
        at += length;
        literals = at;
    }
    sequence(out, &input[literals..], None);
}

fn long_enough(word: &[u8]) -> Option<&[u8]> {
    (word.len() >= 8).then_some(word)
}

/// Literals, and the match after them: how long, how far back.
fn sequence(out: &mut Vec<u8>, literals: &[u8], matched: Option<(usize, usize)>) {
    let more = matched.map_or(0, |(length, _)| length - LEAST);
    out.push((literals.len().min(15) << 4 | more.min(15)) as u8);
    rest(out, literals.len());
    out.extend_from_slice(literals);
    if let Some((_, back)) = matched {
        out.extend_from_slice(&(back as u16).to_le_bytes());
        rest(out, more);
    }
}

/// What of a length does not fit into four bits.
fn rest(out: &mut Vec<u8>, length: usize) {
    if let Some(mut left) = length.checked_sub(15) {
        while left >= 255 {
            out.push(255);
            left -= 255;
        }
        out.push(left as u8);
    }
}
