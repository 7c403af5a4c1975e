//! The one table.
use crate::measure::Rounds;
use std::fmt;

/// Which way is better.
#[derive(Clone, Copy, Debug)]
pub enum Goal {
    /// No more than this.
    AtMost(f64),
    /// No less than this.
    AtLeast(f64),
    /// Told without a goal.
    None,
}

/// A line of the table.
#[derive(Clone, Debug)]
pub struct Line {
    /// What is measured, against what.
    pub what: String,
    /// What it is held against.
    pub goal: Goal,
    /// `None` when it was not measured; the remark says why.
    pub measured: Option<Rounds>,
    /// Digits behind the point.
    pub digits: usize,
    /// What has to be known beside it.
    pub remark: String,
}

impl Line {
    /// A line with a figure of two digits.
    #[must_use]
    pub fn new(what: impl Into<String>, goal: Goal, measured: Rounds) -> Self {
        Self { what: what.into(), goal, measured: Some(measured), digits: 2, remark: String::new() }
    }
    /// A line that was not measured, and why.
    #[must_use]
    pub fn skipped(what: impl Into<String>, goal: Goal, why: impl Into<String>) -> Self {
        Self { what: what.into(), goal, measured: None, digits: 2, remark: why.into() }
    }
    /// Shown with so many digits behind the point.
    #[must_use]
    pub fn digits(mut self, digits: usize) -> Self {
        self.digits = digits;
        self
    }
    /// What has to be known beside it.
    #[must_use]
    pub fn remark(mut self, remark: impl Into<String>) -> Self {
        self.remark = remark.into();
        self
    }

    /// Whether the goal is met, as far as it is shown; `None` without a goal or a figure.
    #[must_use]
    pub fn met(&self) -> Option<bool> {
        let shown: f64 = format!("{:.*}", self.digits, self.measured?.median).parse().ok()?;
        match self.goal {
            Goal::AtMost(most) => Some(shown <= most),
            Goal::AtLeast(least) => Some(shown >= least),
            Goal::None => None,
        }
    }
}

/// The head of the table.
pub const HEAD: &str = "| what | goal | measured | quartiles (rounds) | | remark |\n| --- | --- | --- | --- | --- | --- |";

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let goal = match self.goal {
            Goal::AtMost(most) => format!("≤ {most}"),
            Goal::AtLeast(least) => format!("≥ {least:.2}"),
            Goal::None => "-".to_owned(),
        };
        let (measured, spread) = match self.measured {
            None => ("-".to_owned(), "-".to_owned()),
            Some(Rounds { median, low, high, count }) => {
                let d = self.digits;
                let spread = if count > 1 { format!("{low:.d$} to {high:.d$} ({count})") } else { "counted once".to_owned() };
                (format!("{median:.d$}"), spread)
            }
        };
        let verdict = match self.met() {
            None => "",
            Some(true) => "met",
            Some(false) => "**missed**",
        };
        write!(f, "| {} | {goal} | {measured} | {spread} | {verdict} | {} |", self.what, self.remark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_goal_is_judged_by_the_figure_that_is_shown() {
        let line = |goal, value| Line::new("x", goal, Rounds::once(value)).met();
        assert_eq!(line(Goal::AtMost(1.3), 1.304), Some(true));
        assert_eq!(line(Goal::AtMost(1.3), 1.31), Some(false));
        assert_eq!(line(Goal::AtLeast(0.9), 0.89), Some(false));
        assert_eq!(line(Goal::None, 1.0), None);
        assert!(Line::skipped("x", Goal::AtMost(1.0), "no disk").to_string().contains("no disk"));
    }
}
