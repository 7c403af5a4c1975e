//! What is done with cards: made, made again, replaced, shown, assigned.
use crate::exec::{at_once, minutes};
use crate::house::{Check, House};
use crate::ledger::Asked;
use crate::script::refusal;
use chrono::Duration;
use seam_core::model::{AccessMethodId, AccessMethodMode, ActionStatus, Shown};
use seam_core::plan::{Change, EncodeWhat, NewEncode, Outcome};
use seam_core::provider::JoinBy;
use seam_providers::sandbox::JobOutcome;

impl House {
    pub(crate) fn encode(&mut self) -> Check {
        let Some((i, id)) =
            self.method(|m, g| m.mode == AccessMethodMode::Card && g.entrances.iter().any(|d| d.site == "hotel" || d.site == "inn"))
        else {
            return Ok(());
        };
        let tenant = self.ledger.grants[i].tenant;
        let encoders = self.tenants[tenant].encoders.clone();
        let writers: Vec<_> = encoders.into_iter().filter(|(site, ..)| site != "office").collect();
        let Some((site, name, encoder)) = self.rng.of(&writers).cloned() else { return Ok(()) };
        let e = self.world.site(&site).encoder(&name);
        let on = self.faults.plan().on;
        if on && self.rng.in_1000(350) {
            let outcomes = [
                JobOutcome::NoCard,
                JobOutcome::Interrupted,
                JobOutcome::Uncategorized,
                JobOutcome::Expired,
                JobOutcome::ExpiredAfterWriting,
            ];
            let outcome = outcomes[self.rng.below(outcomes.len())];
            e.next_encode_will_fail(outcome);
        }
        // Reception takes an old card now and then.
        let old: Vec<_> = self.ledger.cards.iter().filter(|w| w.site == site).map(|w| w.card.clone()).collect();
        let again = if self.rng.in_1000(250) { self.rng.of(&old).cloned() } else { None };
        if let Some(card) = &again {
            e.put_card(card);
        }
        self.encode_at(tenant, id, encoder, 10)?;
        let wait = self.rng.between(0, 40);
        self.run_for(Duration::seconds(wait))?;
        if again.is_some() {
            self.run_for(Duration::seconds(90))?;
            while let Some(card) = e.take_card() {
                self.took(&site, card);
            }
        }
        self.collect();
        Ok(())
    }

    pub(crate) fn encode_at(
        &mut self,
        tenant: usize,
        id: AccessMethodId,
        encoder: seam_core::model::AcsEncoderId,
        wait_seconds: u32,
    ) -> Result<Option<seam_core::model::ActionAttemptId>, String> {
        let change = Change::Encode(NewEncode { what: EncodeWhat::Method(id), encoder, wait_seconds });
        let got = self.ask(tenant, &change)?;
        self.log(|| format!("encode {id}: {got:?}"));
        match got {
            Ok(Outcome::Attempt(attempt)) => {
                if self.rng.in_1000(60) {
                    let got = self.ask(tenant, &Change::CancelAttempt { attempt })?;
                    got.map(drop).or_else(|e| refusal(&e))?;
                }
                Ok(Some(attempt))
            }
            Ok(other) => Err(format!("an attempt was asked for, {other:?} was made")),
            Err(e) => refusal(&e).map(|()| None),
        }
    }

    pub(crate) fn replace_lost(&mut self) -> Check {
        let Some((i, id)) = self.method(|m, g| m.mode == AccessMethodMode::Card && g.stay.is_some()) else { return Ok(()) };
        self.replace(i, id).map(drop)
    }

    pub(crate) fn replace(&mut self, i: usize, id: AccessMethodId) -> Result<Option<AccessMethodId>, String> {
        self.collect();
        let mut written = self.ledger.cards.iter().filter(|w| w.method == Some(id)).peekable();
        let ever = written.peek().is_some();
        // A card that was written over since is no card of this method any more: there is nothing to end, and the stay may stay as it is.
        let made = written.any(|w| w.card.carries() == w.carries);
        let got = self.ask(self.ledger.grants[i].tenant, &Change::ReplaceLost { method: id })?;
        self.log(|| format!("replace lost {id}: {got:?}"));
        let new = match &got {
            Ok(Outcome::Method(new)) => Some(*new),
            _ => None,
        };
        if got.is_ok() {
            if let Some(m) = self.ledger.grants[i].methods.get_mut(&id) {
                m.deleted = true;
            }
            if let Some(stay) = self.ledger.grants[i].stay.clone().filter(|_| ever) {
                if made {
                    *self.ledger.reopened.entry(stay).or_default() += 1;
                } else {
                    self.ledger.moved.insert(stay);
                }
            }
        }
        self.changed(i, got, |_| {})?;
        Ok(new)
    }

    /// Somebody lays a card on an encoder to see what it is; if a question is open about it, that answers it.
    pub(crate) fn show_card(&mut self) -> Check {
        let Some(w) = self.rng.of(&self.ledger.cards).cloned() else { return Ok(()) };
        let tenant = usize::from(w.site == "inn");
        let at = self.tenants[tenant].encoders.iter().find(|(site, ..)| *site == w.site).cloned();
        let Some((site, name, encoder)) = at else { return Ok(()) };
        let e = self.world.site(&site).encoder(&name);
        e.put_card(&w.card);
        let got = self.ask(tenant, &Change::Scan { encoder, wait_seconds: 10 })?;
        self.log(|| format!("card {} is shown: {got:?}", w.card.uid()));
        got.map(drop).or_else(|e| refusal(&e))?;
        self.run_for(Duration::seconds(90))?;
        while let Some(card) = e.take_card() {
            self.took(&site, card);
        }
        Ok(())
    }

    /// L1: when nothing is under way and nothing is broken, a card that is asked for is written.
    pub(crate) fn encode_at_rest(&mut self) -> Check {
        let now = self.exec.now();
        let made_here = |m: &crate::ledger::Mine, g: &Asked| {
            let here = g.entrances.iter().any(|d| d.site == "hotel" || d.site == "inn");
            m.mode == AccessMethodMode::Card && here && !g.suspended && g.until.is_none_or(|end| end > now + minutes(5))
        };
        let Some((i, id)) = self.method(made_here) else { return Ok(()) };
        let tenant = self.ledger.grants[i].tenant;
        let site = if tenant == 1 { "inn" } else { "hotel" };
        let at = self.tenants[tenant].encoders.iter().find(|(s, ..)| s == site).map(|(_, _, encoder)| *encoder);
        let Some(encoder) = at else { return Ok(()) };
        let change = Change::Encode(NewEncode { what: EncodeWhat::Method(id), encoder, wait_seconds: 10 });
        let attempt = match self.ask(tenant, &change)? {
            Ok(Outcome::Attempt(attempt)) => attempt,
            got => return Err(format!("L1: a card of {id} cannot be asked for: {got:?}")),
        };
        self.run_for(minutes(2))?;
        self.collect();
        let seen = at_once(self.tenants[tenant].ws.action_attempts().get(attempt)).map_err(|e| format!("S11: an attempt is gone: {e}"))?;
        if seen.error.as_ref().is_some_and(|e| e.r#type == "earlier_stay_open") && self.earlier_guest(i) {
            return Ok(());
        }
        if seen.status != ActionStatus::Success {
            return Err(format!("L1: a card of {id} is not written although nothing is in the way: {seen:?}"));
        }
        Ok(())
    }

    /// Whether somebody of a stay that begins no later is still to leave a door of a grant, at a site whose cards join the present guest. Of two that
    /// begin at once, whose key is made first has the room.
    fn earlier_guest(&self, i: usize) -> bool {
        let (mine, now) = (&self.ledger.grants[i], self.exec.now());
        let doors = self.ledger.doors_of(mine);
        let joins = |site: &str| self.world.site(site).config().stay.is_some_and(|rules| rules.join == JoinBy::CurrentGuest);
        let stays = |g: &&Asked| !g.deleted && g.stay.is_some() && g.stay != mine.stay && g.until.is_none_or(|end| end > now);
        // The start of a stay is that of its first grant.
        let begins = |stay: &Option<String>| self.ledger.grants.iter().filter(|g| !g.deleted && g.stay == *stay).map(|g| g.from).min();
        self.ledger.grants.iter().filter(stays).any(|g| {
            let shared = self.ledger.doors_of(g).into_iter().any(|d| doors.contains(&d) && d.door.parse::<u32>().is_ok() && joins(&d.site));
            shared && begins(&g.stay) <= begins(&mine.stay)
        })
    }

    /// A registered card goes to somebody at the office.
    pub(crate) fn assign(&mut self) -> Check {
        let Some((i, id)) = self.method(|m, g| m.mode == AccessMethodMode::Card && g.entrances.iter().all(|d| d.site == "office")) else {
            return Ok(());
        };
        let card = self.world.blank_card();
        self.world.site("office").register_card(&card);
        let change = Change::AssignCard { method: id, number: Shown::new(card.uid()) };
        let got = self.ask(self.ledger.grants[i].tenant, &change)?;
        got.map(drop).or_else(|e| refusal(&e))
    }
}
