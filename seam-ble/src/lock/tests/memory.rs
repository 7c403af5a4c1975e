//! Flash that stops in the middle of a write, and the two places on it.
use super::*;
use std::vec::Vec;

/// Two places. `cut` is how many bytes of the next write reach the flash before the power goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Flash {
    pub(super) places: [Vec<u8>; 2],
    pub(super) cut: Option<usize>,
    /// How many writes were begun.
    pub(super) writes: usize,
}

impl Flash {
    /// Erased.
    pub(super) fn new() -> Self {
        Self { places: [Vec::new(), Vec::new()], cut: None, writes: 0 }
    }

    pub(super) fn place(&mut self, slot: Slot) -> &mut Vec<u8> {
        match slot {
            Slot::A => &mut self.places[0],
            Slot::B => &mut self.places[1],
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PowerCut;

impl Storage for Flash {
    type Error = PowerCut;

    fn read(&mut self, slot: Slot, into: &mut [u8; MAX_RECORD]) -> Result<usize, PowerCut> {
        let place = self.place(slot);
        into[..place.len()].copy_from_slice(place);
        Ok(place.len())
    }

    fn write(&mut self, slot: Slot, record: &[u8]) -> Result<(), PowerCut> {
        self.writes += 1;
        let cut = self.cut.take();
        let reach = cut.unwrap_or(record.len());
        let place = self.place(slot);
        if place.len() < record.len() {
            place.resize(record.len(), 0xFF);
        }
        place[..reach].copy_from_slice(&record[..reach]);
        if cut.is_some() { Err(PowerCut) } else { Ok(()) }
    }
}

fn fitted() -> Journal<Flash> {
    Journal::commission(Flash::new(), LockState::commissioned(UnixTime(1_000))).unwrap()
}

fn admit(journal: &mut Journal<Flash>, issue: u64) -> Result<Permit, JournalError<PowerCut>> {
    let grant = Grant::new(ROOM, ALICE, stay(issue), window(0, u64::MAX));
    let opening = decide(journal.state(), &room(), &grant, Action::Momentary, at(1_000), &TAP).unwrap();
    journal.admit(opening)
}

#[test]
fn an_erased_lock_opens_for_nobody() {
    assert_eq!(Journal::open(Flash::new()).unwrap_err(), JournalError::NoState);
    let mut erased = Flash::new();
    erased.places = [std::vec![0xFF; 64], std::vec![0xFF; 64]];
    assert_eq!(Journal::open(erased).unwrap_err(), JournalError::NoState);
}

// A state that was made of an earlier one, by a part of the firmware that did not see what came in between.
#[test]
fn an_outdated_state_takes_nothing_back() {
    let mut journal = fitted();
    let outdated = journal.state().raise_floor(UnixTime(3_000));
    let list = Revocations::new(7, 0, &[BOB]).unwrap();
    journal.keep(journal.state().with_revocations(list).unwrap()).unwrap();
    let _permit = admit(&mut journal, 5_000).unwrap();
    journal.keep(outdated).unwrap();
    let kept = *journal.state();
    assert_eq!((kept.issue(), kept.floor(), *kept.revocations()), (IssueNumber(5_000), UnixTime(3_000), list));
    assert_eq!(*Journal::open(journal.into_storage()).unwrap().state(), kept);
}

#[test]
fn fitting_a_lock_again_keeps_what_it_knew() {
    let mut journal = fitted();
    let _permit = admit(&mut journal, 5_000).unwrap();
    let again = Journal::commission(journal.into_storage(), LockState::commissioned(UnixTime(2_000))).unwrap();
    assert_eq!((again.state().issue(), again.state().floor()), (IssueNumber(5_000), UnixTime(2_000)));
}

#[test]
fn the_number_is_written_before_the_permit_and_only_when_it_changes() {
    let mut journal = fitted();
    let _permit = admit(&mut journal, 5_000).unwrap();
    assert_eq!(Journal::open(journal.into_storage()).unwrap().state().issue(), IssueNumber(5_000));

    let mut journal = fitted();
    let _permit = admit(&mut journal, 5_000).unwrap();
    let writes = |journal: Journal<Flash>| journal.into_storage().writes;
    let _permit = admit(&mut journal, 5_000).unwrap();
    let _permit = admit(&mut journal, 5_000).unwrap();
    assert_eq!(writes(journal), 3, "two to fit the lock, one for the stay");
}

#[test]
fn no_permit_when_the_flash_fails_or_forgets() {
    struct Forgetful(Flash);
    impl Storage for Forgetful {
        type Error = PowerCut;
        fn read(&mut self, slot: Slot, into: &mut [u8; MAX_RECORD]) -> Result<usize, PowerCut> {
            self.0.read(slot, into)
        }
        fn write(&mut self, _: Slot, _: &[u8]) -> Result<(), PowerCut> {
            Ok(())
        }
    }
    let mut journal = Journal::open(Forgetful(fitted().into_storage())).unwrap();
    let grant = Grant::new(ROOM, ALICE, stay(5_000), window(0, u64::MAX));
    let opening = decide(journal.state(), &room(), &grant, Action::Momentary, at(1_000), &TAP).unwrap();
    assert_eq!(journal.admit(opening).unwrap_err(), JournalError::NotKept);

    let mut flash = fitted().into_storage();
    flash.cut = Some(0);
    let mut journal = Journal::open(flash).unwrap();
    assert_eq!(admit(&mut journal, 5_000).unwrap_err(), JournalError::Storage(PowerCut));
    assert_eq!(journal.state().issue(), IssueNumber(1_000));
    // The next attempt is written to the same place: the whole record of the other one is never touched.
    let _permit = admit(&mut journal, 6_000).unwrap();
    assert_eq!(Journal::open(journal.into_storage()).unwrap().state().issue(), IssueNumber(6_000));
}

#[test]
fn every_flipped_bit_of_a_record_is_noticed() {
    let mut journal = fitted();
    let list = Revocations::new(1, 7, &[ALICE, BOB]).unwrap();
    journal.keep(journal.state().with_revocations(list).unwrap()).unwrap();
    let flash = journal.into_storage();
    let newest = if flash.places[0].len() > flash.places[1].len() { Slot::A } else { Slot::B };
    let whole = flash.clone().place(newest).clone();
    assert_eq!(*LockState::decode(&whole).unwrap().1.revocations(), list);
    for bit in 0..whole.len() * 8 {
        let mut flash = flash.clone();
        flash.place(newest)[bit / 8] ^= 1 << (bit % 8);
        let state = *Journal::open(flash).unwrap().state();
        assert_eq!(*state.revocations(), Revocations::NONE, "bit {bit} went unnoticed");
    }
}

#[test]
fn a_longer_record_is_cut_at_every_byte_and_the_list_is_old_or_new() {
    let keys: Vec<KeyId> = (0..32).map(|n| KeyId([n; 32])).collect();
    let mut base = fitted();
    let old = Revocations::new(1, 0, &keys[..1]).unwrap();
    base.keep(base.state().with_revocations(old).unwrap()).unwrap();
    let flash = base.into_storage();
    let new = Revocations::new(2, 0, &keys).unwrap();
    for cut in 0..=MAX_RECORD {
        let mut flash = flash.clone();
        flash.cut = Some(cut);
        let mut journal = Journal::open(flash).unwrap();
        assert!(journal.keep(journal.state().with_revocations(new).unwrap()).is_err());
        let kept = *Journal::open(journal.into_storage()).unwrap().state().revocations();
        assert_eq!(kept, if cut == MAX_RECORD { new } else { old }, "cut after {cut} bytes");
    }
}

#[test]
fn two_whole_records_are_merged_part_by_part() {
    let low = LockState::commissioned(UnixTime(10)).with_issue(IssueNumber(900));
    let high = LockState::commissioned(UnixTime(500)).with_revocations(Revocations::new(3, 2, &[BOB]).unwrap()).unwrap();
    for (a, b) in [(low, high), (high, low)] {
        let both = a.merged(b);
        assert_eq!((both.issue(), both.floor()), (IssueNumber(900), UnixTime(500)));
        assert!(both.revocations().names(BOB));
        // The same from flash, whatever the sequence numbers say.
        let mut flash = Flash::new();
        for (slot, state) in [(Slot::A, a), (Slot::B, b)] {
            let mut record = [0; MAX_RECORD];
            let len = state.encode(7, &mut record);
            flash.place(slot).extend_from_slice(&record[..len]);
        }
        assert_eq!(*Journal::open(flash).unwrap().state(), both);
    }
}

#[test]
fn the_second_write_of_one_life_can_be_cut_at_every_byte_too() {
    let whole = fitted().into_storage().places[0].len();
    for cut in 0..=whole {
        let mut journal = fitted();
        let _permit = admit(&mut journal, 2_000).unwrap();
        journal.storage_mut().cut = Some(cut);
        assert_eq!(admit(&mut journal, 3_000).unwrap_err(), JournalError::Storage(PowerCut));
        let stands = Journal::open(journal.into_storage()).unwrap().state().issue();
        assert_eq!(stands, IssueNumber(if cut == whole { 3_000 } else { 2_000 }), "cut after {cut} bytes");
    }
}
