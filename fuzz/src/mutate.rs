//! Inputs near to good ones. The same seed gives the same inputs on every machine, so a failure is told by two numbers.
//!
//! Not `proptest` or `bolero`: what is wanted here is the byte-wise damage that a line, a card or an attacker does to a worked example of a
//! protocol (spliced, cut, lengths blown up), a fixed count of it, and nothing that has to be generated or shrunk as a tree.

/// The most bytes of an input, but for those that are blown up on purpose.
const USUAL: usize = 4 << 10;
/// The most bytes of one that is: longer than the longest frame of any wire here but STP's.
const BLOWN_UP: usize = 80 << 10;

/// Bytes at which readers decide something: edges of numbers, of lengths, of text, and of the framings.
const EDGES: &[u8] = &[
    0x00, 0x01, 0x02, 0x03, 0x05, 0x06, 0x0A, 0x0D, 0x15, 0x1E, 0x1F, 0x20, b'"', b'+', b'-', b'/', b'0', b'9', b':', b';', b'<', b'>',
    b'T', b'{', b'}', 0x53, 0x5F, 0x7F, 0x80, 0x81, 0x82, 0x83, 0x90, 0x91, 0xAF, 0xB3, 0xC0, 0xDE, 0xED, 0xFE, 0xFF,
];

/// Makes inputs. SplitMix64: its statistics are far better than needed, and it is four lines.
#[derive(Clone, Debug)]
pub struct Mutator(u64);

impl Mutator {
    /// From a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number.
    pub const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.number() % (end.max(1) as u64)).unwrap_or(0)
    }

    fn byte(&mut self) -> u8 {
        self.number() as u8
    }

    fn edge(&mut self) -> u8 {
        EDGES.get(self.below(EDGES.len())).copied().unwrap_or(0)
    }

    /// A stretch of `bytes`, short ones more often than long ones.
    fn stretch<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let begin = self.below(bytes.len() + 1);
        let most = bytes.len() - begin;
        let length = if self.below(4) == 0 { self.below(most + 1) } else { self.below(most.min(8) + 1) };
        bytes.get(begin..begin + length).unwrap_or_default()
    }

    /// The next input, near to one of the seeds.
    pub fn input(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut input = match seeds.get(self.below(seeds.len())) {
            // Now and then nothing of a seed.
            _ if self.below(32) == 0 => (0..self.below(200)).map(|_| self.byte()).collect(),
            Some(seed) => seed.clone(),
            None => Vec::new(),
        };
        for _ in 0..1 + self.below(5) {
            self.change(&mut input, seeds);
        }
        if self.below(256) == 0 {
            self.blow_up(&mut input);
        } else {
            input.truncate(USUAL);
        }
        input
    }

    fn change(&mut self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = self.below(input.len());
        match self.below(14) {
            0 => self.on_byte(input, at, |byte, by| byte ^ (1 << (by % 8))),
            1 => self.on_byte(input, at, |_, by| by),
            2 => {
                let edge = self.edge();
                self.on_byte(input, at, |_, _| edge);
            }
            // A number, or a digit, one more or less.
            3 => self.on_byte(input, at, |byte, by| if by & 1 == 0 { byte.wrapping_add(1) } else { byte.wrapping_sub(1) }),
            4 => {
                let edge = self.edge();
                input.insert(at.min(input.len()), edge);
            }
            5 => {
                let length = self.stretch(input).len();
                input.drain(at..(at + length).min(input.len()));
            }
            6 => input.truncate(at),
            7 => {
                let copy = self.stretch(input).to_vec();
                input.splice(at..at, copy);
            }
            8 => {
                // The head of this one, the tail of another.
                let other = seeds.get(self.below(seeds.len())).map_or(&[][..], Vec::as_slice);
                let from = self.below(other.len() + 1);
                input.truncate(at);
                input.extend_from_slice(other.get(from..).unwrap_or_default());
            }
            9 => {
                let other = seeds.get(self.below(seeds.len())).map_or(&[][..], Vec::as_slice);
                let piece = self.stretch(other).to_vec();
                input.splice(at..at, piece);
            }
            // A length blown up, as a number of one to eight bytes in either order.
            10 => {
                let width = 1 << self.below(4);
                let value = [u64::MAX, u64::MAX >> 1, 1 << 31, 0xFFFF, 0x8000, input.len() as u64, input.len() as u64 + 1][self.below(7)];
                let bytes =
                    if self.below(2) == 0 { value.to_le_bytes()[..width].to_vec() } else { value.to_be_bytes()[8 - width..].to_vec() };
                for (place, byte) in input.iter_mut().skip(at).zip(bytes) {
                    *place = byte;
                }
            }
            // A number in digits blown up.
            11 => {
                let digits = [&b"0"[..], b"99999999", b"4294967296", b"18446744073709551616", b"-1", b"1e400"][self.below(6)];
                let end = (at..input.len()).find(|n| input.get(*n).is_none_or(|b| !b.is_ascii_digit())).unwrap_or(input.len());
                input.splice(at..end, digits.iter().copied());
            }
            12 => {
                let other = self.below(input.len());
                if at < input.len() {
                    input.swap(at, other);
                }
            }
            _ => {
                let run = vec![self.edge(); self.below(40)];
                input.splice(at..at, run);
            }
        }
    }

    fn on_byte(&mut self, input: &mut [u8], at: usize, change: impl FnOnce(u8, u8) -> u8) {
        let by = self.byte();
        if let Some(byte) = input.get_mut(at) {
            *byte = change(*byte, by);
        }
    }

    /// One stretch again and again: elements without an end, a text of 70 kB, a thousand levels.
    fn blow_up(&mut self, input: &mut Vec<u8>) {
        let piece = match self.stretch(input) {
            [] => vec![self.edge()],
            piece => piece.to_vec(),
        };
        let at = self.below(input.len() + 1);
        let room = BLOWN_UP.saturating_sub(input.len());
        let times = self.below(room / piece.len().max(1) + 1);
        input.splice(at..at, piece.repeat(times));
        input.truncate(BLOWN_UP);
    }
}

/// Cuts `bytes` into pieces, differently for different content, as a line does.
pub(crate) fn pieces(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut cut = Mutator::new(bytes.iter().fold(bytes.len() as u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte))));
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let most = if cut.below(3) == 0 { rest.len() } else { 3 };
        let (piece, after) = rest.split_at((1 + cut.below(most)).min(rest.len()));
        rest = after;
        Some(piece)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_inputs_again_and_another_gives_others() {
        let seeds = [b"STP/00/3/abc".to_vec(), vec![0x02, 0xB3, 0x43, 0x03, 0x0F]];
        let inputs = |seed| {
            let mut mutator = Mutator::new(seed);
            (0..200).map(|_| mutator.input(&seeds)).collect::<Vec<_>>()
        };
        assert_eq!(inputs(1), inputs(1));
        assert_ne!(inputs(1), inputs(2));
        assert!(inputs(1).iter().all(|input| input.len() <= BLOWN_UP));
    }

    #[test]
    fn pieces_are_the_whole_and_no_piece_is_empty() {
        for length in 0..300 {
            let bytes: Vec<u8> = (0..length).map(|n| (n * 7) as u8).collect();
            let cut: Vec<_> = pieces(&bytes).collect();
            assert_eq!(cut.concat(), bytes);
            assert!(cut.iter().all(|piece| !piece.is_empty()));
        }
    }
}
