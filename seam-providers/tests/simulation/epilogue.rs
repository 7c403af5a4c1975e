//! What a draw of lots hardly ever brings about, staged at the end of some runs, when all else is over.
use crate::exec::minutes;
use crate::house::{Check, DoorName, House};
use chrono::Duration;
use seam_core::model::{AccessMethodMode, Shown};
use seam_core::plan::NewMethod;
use seam_core::state::{Target, TargetOf};
use seam_providers::sandbox::{JobOutcome, Silence};
use std::collections::BTreeSet;

/// One run in so many has an epilogue.
const ONE_IN: u64 = 8;

pub(crate) fn has_one(seed: u64) -> bool {
    seed % ONE_IN == 1
}

impl House {
    pub(crate) fn epilogue(&mut self) -> Check {
        self.pin_of_a_silent_lock()?;
        self.stop_faults();
        self.phone_out_of_reach()?;
        self.two_cards_in_doubt()
    }

    /// S2: what a phone that is out of reach could do before its key was changed is told as long as nobody has seen it take the change.
    fn phone_out_of_reach(&mut self) -> Check {
        let gym = BTreeSet::from([DoorName { site: "hotel".to_owned(), door: "gym".to_owned() }]);
        let now = self.exec.now();
        let mut new = self.new_grant(0, &gym, &[AccessMethodMode::MobileKey]);
        let until = now + Duration::days(3);
        (new.starts_at, new.ends_at) = (Some(now), Some(until));
        let Some(grant) = self.create(0, &new, gym, Vec::new())? else { return Ok(()) };
        self.run_for(minutes(3))?;
        self.refresh()?;
        let tags: Vec<_> = {
            let watch = self.watch();
            let hers = |t: &Target| self.ledger.grants[grant].methods.keys().any(|m| t.of == TargetOf::Method(*m));
            watch.targets().filter(|(_, _, t)| hers(t)).map(|(row, _, _)| seam_core::plan::tag_of(row)).collect()
        };
        let phones: Vec<_> = tags.iter().map(|tag| self.world.site("hotel").phone(&tag.0)).collect();
        phones.iter().for_each(seam_providers::sandbox::Phone::go_offline);
        self.update(grant, now + Duration::days(1), Some(until))?;
        self.run_for(minutes(2))?;
        self.try_doors(1, false)?;
        phones.iter().for_each(seam_providers::sandbox::Phone::go_online);
        Ok(())
    }

    /// S3: a PIN that was taken away is nobody else's while the lock has it still: who had it would pass as the other.
    fn pin_of_a_silent_lock(&mut self) -> Check {
        let door = BTreeSet::from([DoorName { site: "hotel".to_owned(), door: "gym".to_owned() }]);
        let now = self.exec.now();
        let mut code = NewMethod::new(AccessMethodMode::Code);
        code.code = Some(Shown::new("731902"));
        let mut new = self.new_grant(0, &door, &[]);
        (new.methods, new.starts_at, new.ends_at) = (vec![code], Some(now), Some(now + Duration::hours(12)));
        let Some(first) = self.create(0, &new, door.clone(), Vec::new())? else { return Ok(()) };
        self.run_for(minutes(3))?;
        self.refresh()?;
        let of = |house: &Self, i: usize| house.ledger.grants[i].methods.values().flat_map(|m| m.pins.clone()).collect::<BTreeSet<_>>();
        let pins = of(self, first);
        let opens = |house: &Self, pin: &String| house.world.site("hotel").door("gym").enter_pin(pin).opened;
        if !pins.iter().all(|pin| opens(self, pin)) {
            return Ok(());
        }
        self.world.site("hotel").go_silent(Silence::RefusesConnections);
        self.delete(first)?;
        self.run_for(minutes(2))?;
        let Some(second) = self.create(0, &new, door, Vec::new())? else { return Ok(()) };
        self.run_for(minutes(1))?;
        self.refresh()?;
        match of(self, second).intersection(&pins).find(|pin| opens(self, pin)) {
            Some(_) => Err("S3: a PIN was given again while the lock had it still from another guest".to_owned()),
            None => Ok(()),
        }
    }

    /// S2: of two cards that may have been made, each is counted with all that it opens: the first was made for longer than the second.
    fn two_cards_in_doubt(&mut self) -> Check {
        let room = BTreeSet::from([DoorName { site: "hotel".to_owned(), door: "101".to_owned() }]);
        let desk = self.tenants[0].encoders.iter().find(|(site, ..)| site == "hotel").cloned();
        let Some((_, name, encoder)) = desk else { return Ok(()) };
        let now = self.exec.now();
        let mut new = self.new_grant(0, &room, &[AccessMethodMode::Card]);
        let long = now + Duration::days(3);
        (new.starts_at, new.ends_at, new.reservation) = (Some(now), Some(long), Some("epilogue".to_owned()));
        let Some(grant) = self.create(0, &new, room, Vec::new())? else { return Ok(()) };
        let Some(card) = self.ledger.grants[grant].methods.keys().next().copied() else { return Ok(()) };
        for until in [long, now + Duration::days(1)] {
            self.update(grant, now, Some(until))?;
            self.world.site("hotel").encoder(&name).next_encode_will_fail(JobOutcome::ExpiredAfterWriting);
            self.encode_at(0, card, encoder, 10)?;
            // The answer is lost, and the encoder left alone for a while.
            self.run_for(minutes(3))?;
            self.collect();
        }
        self.delete(grant)?;
        self.run_for(minutes(1))?;
        self.jump_to(now + Duration::days(1) + minutes(30))?;
        self.try_doors(1, false)
    }
}
