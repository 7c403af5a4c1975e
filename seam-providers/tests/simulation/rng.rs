//! One small generator for everything that a run draws, so that a seed is the run.

/// SplitMix64: good enough to choose by, the same on every machine.
#[derive(Clone, Debug)]
pub(crate) struct Rng(u64);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5EED)
    }
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// From 0 to `n` - 1.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        usize::try_from(self.next() % (n.max(1) as u64)).unwrap_or(0)
    }
    /// From `a` to `b`, both included.
    pub(crate) fn between(&mut self, a: i64, b: i64) -> i64 {
        a + i64::try_from(self.next() % (b - a + 1).unsigned_abs()).unwrap_or(0)
    }
    /// True so many times in a thousand.
    pub(crate) fn in_1000(&mut self, n: u32) -> bool {
        self.next() % 1000 < u64::from(n)
    }
    pub(crate) fn of<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        if from.is_empty() { None } else { from.get(self.below(from.len())) }
    }
    /// A generator of its own, for a part whose draws must not move the others'.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.next())
    }
}
