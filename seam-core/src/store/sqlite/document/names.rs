//! Words that documents are full of: names of fields, variants, kinds of events.
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// One in each line. **Only ever added to, at the end**: files know them by their places.
const LIST: &str = include_str!("names.txt");
/// Places in the table. Few enough are taken that a look mostly ends at the first.
const PLACES: usize = 4096;
/// Words of the program that are remembered by where they lie.
const SEEN: usize = 1024;

struct Names {
    list: Vec<&'static str>,
    /// Numbers of names plus one, each at the place that its hash says or at a free one behind it.
    table: Vec<u16>,
}

static NAMES: LazyLock<Names> = LazyLock::new(|| {
    let list: Vec<_> = LIST.lines().collect();
    let mut table = vec![0; PLACES];
    for (name, number) in list.iter().zip(1..) {
        let mut at = place(name);
        while table[at] != 0 {
            at = (at + 1) % PLACES;
        }
        table[at] = number;
    }
    Names { list, table }
});

/// The number of a name.
pub(super) fn number(name: &str) -> Option<usize> {
    let Names { list, table } = &*NAMES;
    let mut at = place(name);
    loop {
        let number = usize::from(table[at]).checked_sub(1)?;
        if list[number] == name {
            return Some(number);
        }
        at = (at + 1) % PLACES;
    }
}

/// The number of a word of the program: of a field, of a variant. It lies where it lay, so it need not be read when it was looked up before.
pub(super) fn number_of_word(word: &'static str) -> Option<usize> {
    static WORDS: [AtomicU64; SEEN] = [const { AtomicU64::new(0) }; SEEN];
    // Where it lies in 47 bits, its length in 6, its number plus one in 11.
    let (address, length) = (word.as_ptr().addr() as u64, word.len() as u64);
    if address >> 47 != 0 || length >> 6 != 0 {
        return number(word);
    }
    let key = address << 6 | length;
    let entry = &WORDS[(key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 54) as usize % SEEN];
    let known = entry.load(Relaxed);
    if known >> 11 == key {
        return usize::try_from(known & 0x7ff).ok()?.checked_sub(1);
    }
    let number = number(word);
    let packed = number.map_or(0, |number| number as u64 + 1);
    if packed >> 11 == 0 {
        entry.store(key << 11 | packed, Relaxed);
    }
    number
}

/// The name with a number.
pub(super) fn name(number: usize) -> Option<&'static str> {
    NAMES.list.get(number).copied()
}

fn place(name: &str) -> usize {
    let bytes = name.as_bytes();
    // The first and the last bytes, which may be the same: no loop over a text's bytes for each word of a document.
    let (head, tail) = match (bytes.first_chunk(), bytes.last_chunk(), bytes.first_chunk(), bytes.last_chunk()) {
        (Some(head), Some(tail), ..) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        (_, _, Some(head), Some(tail)) => (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into()),
        _ => (bytes.iter().fold(0, |word, byte| word << 8 | u64::from(*byte)), 0),
    };
    let ends = head ^ tail.rotate_left(23) ^ (bytes.len() as u64) << 57;
    (ends.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 52) as usize % PLACES
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    #[test]
    fn each_name_has_one_number() {
        for (number, name) in LIST.lines().enumerate() {
            assert_eq!(super::number(name), Some(number), "{name}");
            assert_eq!(super::name(number), Some(name));
            // Twice: looked up, and remembered.
            assert_eq!([(); 2].map(|()| number_of_word(name)), [Some(number); 2]);
        }
        // A part of a word begins where the word does.
        let word: &'static str = "access_grant_id, no name";
        for end in (1..=word.len()).chain(1..=word.len()) {
            assert_eq!(number_of_word(&word[..end]), super::number(&word[..end]));
        }
        assert_eq!([(); 2].map(|()| number_of_word("")), [None; 2]);
        assert_eq!((number("no_such_name"), number(""), name(60_000)), (None, None, None));
        assert!(LIST.lines().count() * 4 < PLACES);
    }

    /// The names that files have been written with. Add behind them; never change them.
    #[test]
    fn the_names_of_files_stay() {
        let first: Vec<_> = LIST.lines().take(WRITTEN).collect();
        let digest: String = Sha256::digest(first.join("\n")).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((first.len(), digest.as_str()), (WRITTEN, DIGEST));
    }
    const WRITTEN: usize = 547;
    const DIGEST: &str = "82398fcf9dd28292";
}
