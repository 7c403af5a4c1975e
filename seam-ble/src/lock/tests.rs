mod answers;
mod clock;
mod interleavings;
mod memory;
mod schedules;

use super::*;

const ROOM: EntranceId = EntranceId(*b"room-101-entranc");
const ALICE: KeyId = KeyId([0xA1; 32]);
const BOB: KeyId = KeyId([0xB0; 32]);

fn room() -> Entrance<'static> {
    Entrance {
        id: ROOM,
        kind: EntranceKind::Reservation,
        largest_jump: 400 * 86_400,
        proximity: ProximityRule::HOTEL_ROOM,
        zone: Zone::UTC,
    }
}

/// A tap on the phone's screen.
const TAP: Evidence = Evidence { link: Link::Ble, distance: Distance::Unknown, user: UserAct::Gesture };

fn at(seconds: u64) -> Option<TrustedTime> {
    Some(TrustedTime { value: UnixTime(seconds), max_error: 0 })
}

fn stay(issue: u64) -> Claim {
    Claim::Stay { issue: IssueNumber(issue), role: Role::Override }
}

fn window(starts: u64, ends: u64) -> Window {
    Window { starts: UnixTime(starts), ends: UnixTime(ends) }
}

/// What of a decision a test compares.
fn verdict(state: &LockState, grant: &Grant<'_>, now: Option<TrustedTime>) -> Result<bool, Refusal> {
    decide(state, &room(), grant, Action::Momentary, now, &TAP).map(|opening| opening.opens_stay())
}
