//! Chance that can be repeated: one seed and one stream always throw the same numbers.

/// A generator of numbers (splitmix64: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014).
///
/// It is written out here because a replay that is taken up after months must throw the same numbers, and the standard
/// generators of libraries promise that only within a version.
#[derive(Clone, Debug)]
pub struct Dice {
    state: u64,
}

impl Dice {
    /// Dice for one stream of a seed. Streams are independent: one booking more or less does not change the others.
    #[must_use]
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut dice = Self { state: seed ^ stream.wrapping_mul(0xD1B5_4A32_D192_ED03) };
        dice.throw();
        dice
    }

    /// The next number.
    pub fn throw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number from 0 up to but without `n`; 0 when `n` is 0.
    pub fn below(&mut self, n: u64) -> u64 {
        // The bias of the remainder is below 2^-40 for every n used here.
        if n == 0 { 0 } else { self.throw() % n }
    }

    /// A number from `from` up to but without `until`; `from` when there is nothing between.
    pub fn between(&mut self, from: i64, until: i64) -> i64 {
        let width = u64::try_from(until.saturating_sub(from)).unwrap_or(0);
        from.saturating_add(i64::try_from(self.below(width)).unwrap_or(0))
    }

    /// True in `percent` of a hundred throws.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Puts things into any order.
    pub fn shuffle<T>(&mut self, things: &mut [T]) {
        for i in (1..things.len()).rev() {
            let j = usize::try_from(self.below(i as u64 + 1)).unwrap_or(0);
            things.swap(i, j);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_stream_throws_the_same_numbers_and_another_one_others() {
        let throw = |seed, stream| {
            let mut dice = Dice::new(seed, stream);
            (0..8).map(|_| dice.throw()).collect::<Vec<_>>()
        };
        assert_eq!(throw(1, 2), throw(1, 2));
        assert_ne!(throw(1, 2), throw(1, 3));
        assert_ne!(throw(1, 2), throw(2, 2));
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut dice = Dice::new(7, 7);
        assert!((0..1000).all(|_| dice.below(6) < 6));
        assert!((0..1000).all(|_| (-3..4).contains(&dice.between(-3, 4))));
        assert_eq!(dice.between(5, 5), 5);
        assert_eq!(dice.below(0), 0);
        let hits = (0..10_000).filter(|_| dice.chance(30)).count();
        assert!((2_700..3_300).contains(&hits), "{hits}");
    }
}
