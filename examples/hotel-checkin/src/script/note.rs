//! What is counted beside the operations themselves.

/// A special case that an operation belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Note {
    /// A booking was made (its first guest's grant).
    Booking,
    /// It is without a night.
    DayUse,
    /// It has no adults.
    WithoutAdults,
    /// It has twenty adults or more.
    Party,
    /// There was no room for it; it will be cancelled.
    Overbooked,
    /// It was cancelled when its keys were made, and its room is sold again for a time that is on them.
    SoldAgain,
    /// It was cancelled.
    Cancelled,
    /// Nobody came: suspended in the evening.
    NoShow,
    /// The guests left before the day of departure.
    LeftEarly,
    /// The grants were deleted at check-out instead of ending by themselves.
    CheckedOut,
    /// Keys were made while the previous guest was still in.
    KeysMadeBefore,
    /// A start was moved to an earlier hour because the room was free.
    EarlyArrival,
    /// A stay was made longer.
    Extension,
    /// .. until the day on which the next stay in that room begins.
    IntoNextStaysDay,
    /// A stay was made shorter.
    Shortening,
    /// A stay was made to begin later.
    LaterArrival,
    /// A card was lost and replaced.
    LostCard,
    /// A guest got a further card.
    FourthCard,
    /// A guest asked for a mobile key during the stay.
    Phone,
    /// A card was written again.
    ReEncode,
    /// A card was written that had been another guest's.
    CardUsedAgain,
}

impl Note {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::Booking,
        Self::DayUse,
        Self::WithoutAdults,
        Self::Party,
        Self::Overbooked,
        Self::SoldAgain,
        Self::Cancelled,
        Self::NoShow,
        Self::LeftEarly,
        Self::CheckedOut,
        Self::KeysMadeBefore,
        Self::EarlyArrival,
        Self::Extension,
        Self::IntoNextStaysDay,
        Self::Shortening,
        Self::LaterArrival,
        Self::LostCard,
        Self::FourthCard,
        Self::Phone,
        Self::ReEncode,
        Self::CardUsedAgain,
    ];

    /// Its name in the summary.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Booking => "bookings",
            Self::DayUse => "day_uses",
            Self::WithoutAdults => "without_adults",
            Self::Party => "parties_of_twenty_or_more",
            Self::Overbooked => "overbooked",
            Self::SoldAgain => "sold_again_with_keys_out",
            Self::Cancelled => "cancellations",
            Self::NoShow => "no_shows",
            Self::LeftEarly => "left_early",
            Self::CheckedOut => "deleted_at_check_out",
            Self::KeysMadeBefore => "keys_made_the_evening_before",
            Self::EarlyArrival => "early_arrivals",
            Self::Extension => "extensions",
            Self::IntoNextStaysDay => "extensions_into_the_next_stays_day",
            Self::Shortening => "shortenings",
            Self::LaterArrival => "later_arrivals",
            Self::LostCard => "lost_cards",
            Self::FourthCard => "fourth_cards",
            Self::Phone => "phones_during_the_stay",
            Self::ReEncode => "re_encodes",
            Self::CardUsedAgain => "cards_used_again",
        }
    }
}

/// A set of notes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes(u32);

impl Notes {
    /// With one more, when `yes`.
    #[must_use]
    pub fn with(self, note: Note, yes: bool) -> Self {
        if yes { Self(self.0 | 1 << note as u8) } else { self }
    }

    /// Whether it is in the set.
    #[must_use]
    pub fn has(self, note: Note) -> bool {
        self.0 >> note as u8 & 1 == 1
    }
}

impl From<Note> for Notes {
    fn from(note: Note) -> Self {
        Self::default().with(note, true)
    }
}
