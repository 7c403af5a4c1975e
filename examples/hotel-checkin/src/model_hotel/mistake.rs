//! Mistakes to plant.

/// A mistake that the hotel can be told to make, to see that the oracle notices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Mistake {
    /// The lock moves on when a key is made, not when it is used.
    TakesOverWhenMade,
    /// Every card of a stay opens it again.
    EveryCardOpens,
    /// The number is the time at which the key was made, not the start of the stay.
    NumberedWhenMade,
    /// A room that is sold again for the same start gets the same number.
    SameNumberForTheSameStart,
    /// The instant of the end still opens.
    EndIncluded,
    /// The instant of the start does not open yet.
    StartExcluded,
    /// A replaced card joins its stay.
    ReplacementJoins,
    /// Phones keep the number that they had before a card was replaced.
    PhonesStayBehind,
    /// Staff cards are overridden as guests' are.
    StaffOverridden,
    /// Deleting a grant leaves its PIN in the lock until its end.
    PinOutlivesItsGrant,
    /// Suspending a grant leaves its phone key.
    PhoneIgnoresSuspension,
    /// Cards learn of a new end without being written.
    CardsKnowTheNewEnd,
    /// A change gives the guest a new PIN that the door does not know.
    PinChangesUnseen,
    /// Lobby and gym belong to the last stay too.
    CommonDoorsTakenOver,
    /// PINs are drawn without looking who has them.
    SharedPins,
    /// Deleted cards stop at once.
    CardsDieAtOnce,
    /// A card that is written again keeps its old content.
    OldContentStays,
    /// Hours are those of Greenwich.
    HoursInUtc,
    /// A key for another room opens.
    AnyRoom,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 19] = [
        Self::TakesOverWhenMade,
        Self::EveryCardOpens,
        Self::NumberedWhenMade,
        Self::SameNumberForTheSameStart,
        Self::EndIncluded,
        Self::StartExcluded,
        Self::ReplacementJoins,
        Self::PhonesStayBehind,
        Self::StaffOverridden,
        Self::PinOutlivesItsGrant,
        Self::PhoneIgnoresSuspension,
        Self::CardsKnowTheNewEnd,
        Self::PinChangesUnseen,
        Self::CommonDoorsTakenOver,
        Self::SharedPins,
        Self::CardsDieAtOnce,
        Self::OldContentStays,
        Self::HoursInUtc,
        Self::AnyRoom,
    ];
}
