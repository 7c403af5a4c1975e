//! A virtual site as its owner sees it: doors, encoders, phones, and what may go wrong.
use super::config::SiteConfig;
use super::door::Door;
use super::effect;
use super::encoder::Encoder;
use super::faults::{Plan, Silence, When};
use super::provider::SandboxProvider;
use super::report;
use super::state::{Content, SiteState, Thing};
use super::token::{Card, Phone};
use super::world::{State, World};
use seam_core::provider::{Failure, Handle, Held, Kind, Tag};
use std::time::Duration;

/// A virtual site.
#[derive(Clone, Debug)]
pub struct Site {
    pub(super) world: World,
    pub(super) name: String,
}

impl Site {
    pub(super) fn new(world: World, name: String) -> Self {
        Self { world, name }
    }

    /// Its name: the handle of its system.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The account of this site.
    #[must_use]
    pub fn provider(&self) -> SandboxProvider {
        SandboxProvider::new(self.world.clone(), &self.name)
    }

    /// Its configuration.
    #[must_use]
    pub fn config(&self) -> SiteConfig {
        self.look(|site| site.config.clone())
    }

    /// Changes its configuration: a door is added, one is taken away, a rule is another one.
    pub fn reconfigure(&self, change: impl FnOnce(&mut SiteConfig)) {
        self.change(|site| {
            let name = site.config.name.clone();
            change(&mut site.config);
            site.config.name = name;
            site.touch(super::state::Row::Config);
        });
    }

    /// A door.
    ///
    /// # Panics
    /// There is no such door: a test that misspells one must not pass.
    #[must_use]
    pub fn door(&self, name: &str) -> Door {
        assert!(self.look(|site| site.config.door(name).is_some()), "there is no door {name:?} at {:?}", self.name);
        Door::new(self.world.clone(), self.name.clone(), name.to_owned())
    }

    /// All doors.
    #[must_use]
    pub fn doors(&self) -> Vec<Door> {
        let names = self.look(|site| site.config.doors.iter().filter_map(|d| d.handle.as_text().map(str::to_owned)).collect::<Vec<_>>());
        names.into_iter().map(|name| Door::new(self.world.clone(), self.name.clone(), name)).collect()
    }

    /// An encoder.
    ///
    /// # Panics
    /// There is no such encoder.
    #[must_use]
    pub fn encoder(&self, name: &str) -> Encoder {
        assert!(self.look(|site| site.config.encoders.iter().any(|e| e == name)), "there is no encoder {name:?} at {:?}", self.name);
        Encoder::new(self.world.clone(), self.name.clone(), name.to_owned())
    }

    /// A phone: by the system's name for it (the endpoint, else the user's handle, else the tag of its first key), or by the tag of a key
    /// that is for it. One that nobody has named yet is a phone without keys.
    #[must_use]
    pub fn phone(&self, name: &str) -> Phone {
        Phone::new(self.world.clone(), self.name.clone(), name)
    }

    /// A card that tells each offline lock it is held to, to refuse that key from now on.
    #[must_use]
    pub fn cancelling_card(&self, credential: &Handle) -> Card {
        let card = self.world.blank_card();
        let (site, id) = (self.name.clone(), credential.as_text().unwrap_or_default().to_owned());
        self.world.change(|state, now| state.set_card(card.uid(), Content::Cancels { site, id }, now));
        card
    }

    /// Makes a card known to the site, so that it can be assigned by its number.
    pub fn register_card(&self, card: &Card) {
        self.change(|site| {
            if site.things.numbered(card.uid()).next().is_none() {
                let mut thing = Thing::new(Kind::Card, None, String::new());
                thing.number = Some(card.uid().to_owned());
                let id = effect::new_id(site, Kind::Card);
                site.set_thing(&id, Some(thing));
            }
        });
    }

    /// Walks to the offline locks and brings their logs to the system; only to one door, if it is named.
    pub fn collect_logs(&self, door: Option<&str>) {
        self.change(|site| site.collect(door));
    }

    /// Everything that the site holds, read at the site itself, whether or not its system would tell.
    #[must_use]
    pub fn held(&self) -> Vec<Held> {
        self.look(|site| {
            let shown = site.things.iter().filter(|(_, t)| !report::is_free_card(t));
            shown.map(|(id, thing)| report::held_thing(site, id, thing)).collect()
        })
    }

    /// How many things of a kind carry this tag.
    #[must_use]
    pub fn count(&self, kind: Kind, tag: &Tag) -> usize {
        self.look(|site| site.things.tagged(kind, tag).len())
    }

    /// Who is the present guest of a room: the key of the stay, where the site keeps that; empty when it is somebody whom reception let in.
    #[must_use]
    pub fn guest(&self, room: &str) -> Option<String> {
        self.look(|site| site.rooms.get(room).and_then(|r| r.guest.clone()))
    }

    /// Whose check-out or change of a stay has reached whose guest, where those are two stays: the keys of both, in their order; forgotten when
    /// told. It happens only where the site knows one present guest for each room.
    #[must_use]
    pub fn take_wronged(&self) -> Vec<(String, String)> {
        self.change(|site| std::mem::take(&mut site.wronged))
    }

    /// Falls silent in this way, until [`speak`](Self::speak).
    pub fn go_silent(&self, how: Silence) {
        self.change(|site| site.faults.silence = Some(how));
    }

    /// Answers again.
    pub fn speak(&self) {
        self.change(|site| site.faults.silence = None);
    }

    /// The next `n` calls fail like this, before or after they have taken effect.
    pub fn fail_next(&self, n: usize, failure: &Failure, when: When) {
        self.change(|site| site.faults.next.extend((0..n).map(|_| Plan::Fail(failure.clone(), when))));
    }

    /// The answers (or, with [`When::Before`], the requests) of the next `n` calls are lost: each caller waits out its limit.
    pub fn lose_next(&self, n: usize, when: When) {
        self.change(|site| site.faults.next.extend((0..n).map(|_| Plan::TimeOut(when))));
    }

    /// The next `n` puts, removes and encodes claim success and do nothing.
    pub fn lie_next(&self, n: usize) {
        self.change(|site| site.faults.next.extend((0..n).map(|_| Plan::Lie)));
    }

    /// The next `n` calls go well, whatever else was planned for later ones.
    pub fn spare_next(&self, n: usize) {
        self.change(|site| site.faults.next.extend((0..n).map(|_| Plan::Answer)));
    }

    /// Every call takes so long; half of it passes before its effect. A call that takes longer than its limit ends unknown.
    pub fn be_slow(&self, by: Duration) {
        self.change(|site| site.faults.slow = by);
    }

    /// How many calls of a verb have reached the site: `systems`, `put`, `remove`, `find`, `entrances`, `groups`, `held`, `encoders`, `encode`,
    /// `read`, `unlock`, `entries`.
    #[must_use]
    pub fn calls(&self, verb: &str) -> u64 {
        self.look(|site| site.faults.calls.get(verb).copied().unwrap_or_default())
    }

    /// How many calls were at the site at the same time, at most.
    #[must_use]
    pub fn most_in_flight(&self) -> u32 {
        self.look(|site| site.faults.most_in_flight)
    }

    /// How many requests came sooner after the one before than the site takes them ([`SiteConfig::per_second`]).
    #[must_use]
    pub fn too_early(&self) -> u64 {
        self.look(|site| site.faults.too_early)
    }

    #[cfg(test)]
    pub(super) fn plant(&self, bug: super::faults::Bug) {
        self.change(|site| site.faults.bug = Some(bug));
    }

    pub(super) fn look<R>(&self, f: impl FnOnce(&SiteState) -> R) -> R {
        self.world.look(|state| f(self.state(state)))
    }

    fn state<'a>(&self, state: &'a State) -> &'a SiteState {
        match state.sites.get(&self.name) {
            Some(site) => site,
            None => unreachable!("sites are never taken away"),
        }
    }

    pub(super) fn change<R>(&self, f: impl FnOnce(&mut SiteState) -> R) -> R {
        self.world.change(|state, _| match state.sites.get_mut(&self.name) {
            Some(site) => f(site),
            None => unreachable!("sites are never taken away"),
        })
    }
}
