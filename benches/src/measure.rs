//! Medians, and how far the rounds lie apart.

/// What several rounds came to.
#[derive(Clone, Copy, Debug)]
pub struct Rounds {
    /// The one in the middle.
    pub median: f64,
    /// The lower quartile.
    pub low: f64,
    /// The upper quartile.
    pub high: f64,
    /// How many rounds there were.
    pub count: usize,
}

impl Rounds {
    /// Of at least one round.
    #[must_use]
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |part: f64| values.get(((values.len().saturating_sub(1)) as f64 * part).round() as usize).copied().unwrap_or(f64::NAN);
        Self { median: at(0.5), low: at(0.25), high: at(0.75), count: values.len() }
    }

    /// Of something that is counted exactly, once.
    #[must_use]
    pub fn once(value: f64) -> Self {
        Self { median: value, low: value, high: value, count: 1 }
    }
}

#[cfg(test)]
mod tests {
    use super::Rounds;

    #[test]
    fn half_of_the_rounds_lie_between_the_quartiles() {
        let rounds = Rounds::of(vec![5.0, 1.0, 3.0, 2.0, 4.0]);
        assert_eq!((rounds.median, rounds.low, rounds.high, rounds.count), (3.0, 2.0, 4.0, 5));
        assert_eq!(Rounds::once(1.5).median, 1.5);
    }
}
