//! What whoever runs a job wants to know before a command goes out: what a card that leaves now is worth.

/// Told by a job before the command in question is sent. `()` does not care.
pub trait Course: Send + Sync {
    /// The next command changes the card.
    fn begins(&self) {}
    /// After the next command a door may accept the card.
    fn goes_live(&self) {}
}

impl Course for () {}

impl Course for crate::job::Task {
    fn begins(&self) {
        Self::begins(self);
    }
    fn goes_live(&self) {
        Self::goes_live(self);
    }
}
