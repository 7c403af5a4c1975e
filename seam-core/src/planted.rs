//! Bugs on purpose, to see that the simulation finds them. Not part of the API.
//!
//! With the feature `planted` a test may choose one for its own thread (`plant`); nothing is planted until then. Without the feature `is` is
//! a constant and every check of it is compiled away. What each bug is, which invariant finds it and with which seed: `docs/planted-bugs.md`.

macro_rules! bugs {
    ($($name:ident: $what:literal,)+) => {
        /// A bug that can be planted.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Bug {
            $(
                #[doc = $what]
                $name,
            )+
        }
        impl Bug {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];
            /// What is wrong.
            #[must_use]
            pub const fn what(self) -> &'static str {
                match self {
                    $(Self::$name => $what,)+
                }
            }
        }
    };
}

bugs! {
    FenceNotChecked: "the store applies what a worker writes whose channel is somebody else's",
    SettledWithoutFence: "outcomes are written without the fence under which the call was made",
    LeaseIgnored: "a channel is claimed while somebody else's lease runs",
    LeaseForEver: "a lease never runs out",
    CalledUnmarked: "a call is made although the row does not say so",
    InDoubtIsDone: "a commit whose answer was lost counts as done",
    LostIsNothing: "a call whose worker died counts as not made",
    UnknownPutRepeated: "a put without an answer is repeated without looking, where repeating makes two",
    RemoveNotRepeated: "a removal without an answer counts as done",
    RevokeNotSticky: "a late success of a put brings back what was taken away",
    SettledForLatest: "a put that has ended counts for what is wanted by then, not for what was sent",
    ChangeNotSent: "a changed wish does not count as a change",
    JoinerOpens: "every further key of a stay opens it again",
    NumberNotRaised: "a stay is opened again under the number that it had",
    ClosedWithGuests: "a stay is closed when the first of its grants goes",
    StaysInDoubt: "a stay whose first key is in doubt waits for it also when it was taken away",
    OneDoubtAtMost: "of several cards that may have been made only the last is remembered",
    EncodedAgain: "an encode whose worker died is made again by itself",
    NoQuarantine: "an encoder is used at once after a job without an answer",
    EarlierFormForgotten: "what a credential opened before is forgotten when its change was only taken",
    EarlierCardForgotten: "a card that was made before the present one is forgotten",
    SuspendedSentOpen: "a suspended credential is sent as if it were not",
    SpaceOnlyGrows: "what leaves a space stays in its grants",
    GroupsGiveMore: "a group that also opens other doors is taken to give one",
    PinWithoutGap: "a PIN is given again with no gap in between",
    PinFreedEarly: "a PIN is free as soon as it is no longer wanted, not when it is gone",
    PinTwiceInOneChange: "a change does not see the PINs that it has given itself",
    RoundedOutwards: "a window is rounded to what the system keeps by making it longer",
    LoadedTooEarly: "a code is put into a lock that keeps no window before its time",
    EndsLate: "a grant is ended an hour after its end",
    IssuedTooSoon: "a method is issued when the first of its credentials is in place",
    EventMissing: "the issue of a method is not told",
    EventTwice: "the issue of a method is told twice",
    DigestIgnored: "other content under a used idempotency key gets the old answer",
    TenantsMixed: "rows of other workspaces are read",
    PinTold: "events carry the PIN",
    NoBackoff: "a failed call is tried again after a second, for ever",
    ResidualForgotten: "what offline doors still take is not reported",
    ScanRepairsNothing: "what the scan finds missing is not repaired",
    CheckedOutBlindly: "a check-out does not ask whose guest the room has by now",
    GuestLeftBehind: "a stay that is over is not checked out",
}

/// Whether this bug is planted.
#[cfg(not(feature = "planted"))]
#[inline(always)]
pub(crate) const fn is(_: Bug) -> bool {
    false
}

#[cfg(feature = "planted")]
pub(crate) use chosen::is;
#[cfg(feature = "planted")]
pub use chosen::plant;

#[cfg(feature = "planted")]
mod chosen {
    use super::Bug;
    use std::cell::Cell;

    std::thread_local! {
        static CHOSEN: Cell<Option<Bug>> = const { Cell::new(None) };
    }

    /// Plants a bug for this thread, or none.
    pub fn plant(bug: Option<Bug>) {
        CHOSEN.with(|chosen| chosen.set(bug));
    }
    /// Whether this bug is planted.
    pub(crate) fn is(bug: Bug) -> bool {
        CHOSEN.with(Cell::get) == Some(bug)
    }
}
