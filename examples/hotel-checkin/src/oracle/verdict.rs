//! The answers of the oracle.
use std::fmt;

/// What a door has to do, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// Opens: the grant is as it was made, and now is inside it.
    Granted,
    /// Opens: a staff card inside its window and hours.
    Staff,
    /// Opens, residual: the grant was deleted, the card knows nothing of it.
    ResidualDeleted,
    /// Opens, residual: the grant is suspended, the card knows nothing of it.
    ResidualSuspended,
    /// Opens, residual: the grant has another window now, the card still the old one.
    ResidualOldWindow,
    /// Opens, residual: the card was replaced, and the room saw no key made since.
    ResidualReplaced,
    /// Nothing was ever written on the card.
    Blank,
    /// The door is not among those that it may open.
    OtherDoor,
    /// Its window has not begun.
    NotYet,
    /// Its window is over.
    Ended,
    /// The room saw a key of a later stay.
    LaterStay,
    /// The room saw a key made after a card of this stay was lost.
    Reopened,
    /// It is not one of the hours of that card.
    OutsideHours,
    /// The grant was deleted.
    Deleted,
    /// The grant is suspended.
    Suspended,
    /// Nobody has this PIN, or nobody any more.
    NobodysPin,
    /// The phone has no key.
    NoKey,
    /// The guest has no PIN yet: the access system has no seat for her.
    NoSeat,
}

impl Verdict {
    /// Whether the door has to open.
    #[must_use]
    pub fn opens(self) -> bool {
        self <= Self::ResidualReplaced
    }

    /// One word for the summary.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "opens",
            Self::Staff => "opens_staff",
            Self::ResidualDeleted => "opens_residual_deleted",
            Self::ResidualSuspended => "opens_residual_suspended",
            Self::ResidualOldWindow => "opens_residual_old_window",
            Self::ResidualReplaced => "opens_residual_replaced",
            Self::Blank => "refused_blank",
            Self::OtherDoor => "refused_other_door",
            Self::NotYet => "refused_not_yet",
            Self::Ended => "refused_ended",
            Self::LaterStay => "refused_overridden",
            Self::Reopened => "refused_reopened",
            Self::OutsideHours => "refused_outside_hours",
            Self::Deleted => "refused_deleted",
            Self::Suspended => "refused_suspended",
            Self::NobodysPin => "refused_pin",
            Self::NoKey => "refused_no_key",
            Self::NoSeat => "refused_no_seat",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Granted => "inside its window",
            Self::Staff => "staff, inside its hours",
            Self::ResidualDeleted => "residual: the grant is deleted, the card is not back",
            Self::ResidualSuspended => "residual: the grant is suspended, the card does not know",
            Self::ResidualOldWindow => "residual: the card still has the window of before",
            Self::ResidualReplaced => "residual: replaced, but no newer key was used here yet",
            Self::Blank => "nothing is written on it",
            Self::OtherDoor => "not one of its doors",
            Self::NotYet => "its window has not begun",
            Self::Ended => "its window is over",
            Self::LaterStay => "a later stay has used the room",
            Self::Reopened => "a key made after a loss was used here",
            Self::OutsideHours => "outside its hours",
            Self::Deleted => "the grant is deleted",
            Self::Suspended => "the grant is suspended",
            Self::NobodysPin => "nobody has this PIN now",
            Self::NoKey => "the phone has no key",
            Self::NoSeat => "there is no seat for this guest",
        })
    }
}
