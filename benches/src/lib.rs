//! What the programs of the benchmarks share: how much is measured, medians, and the one table.
pub mod measure;
pub mod table;

/// Why a measurement came to nothing.
pub type Failed = Box<dyn std::error::Error + Send + Sync>;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Rounds of each ratio.
    pub rounds: usize,
    /// Grants in each round.
    pub grants: usize,
}

impl Size {
    /// The usual size, or a single round: only whether it runs.
    #[must_use]
    pub fn new(smoke: bool) -> Self {
        if smoke { Self { rounds: 1, grants: 256 } } else { Self { rounds: 25, grants: 2048 } }
    }

    /// Whether it is a single round.
    #[must_use]
    pub fn is_smoke(self) -> bool {
        self.rounds == 1
    }
}
