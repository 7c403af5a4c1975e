//! What `explain` says, against doors that know their own truth.
//!
//! A small site lives through random changes, calls with and without answers, cards, later stays. The doors know only what reached them; the
//! rows know only what was answered. "Yes" must then open and "no" must not, whatever happens until the instant that is asked about; and where
//! nothing is in doubt, the answer must not be "perhaps".
use super::super::answer::CanEnter;
use super::*;
use chrono_tz::Tz;
use rand::RngExt;

/// What a card carries, or a lock or system holds.
#[derive(Clone, Debug)]
struct Content {
    doors: Vec<AcsEntranceId>,
    window: Window,
    schedule: Option<Weekly>,
    suspended: bool,
    generation: Option<u64>,
}

/// What the doors know.
#[derive(Clone, Debug, Default)]
struct Truth {
    card: Option<Content>,
    system: Option<Content>,
    /// The highest number with which the room was opened.
    room: u64,
}

struct Sim {
    w: World,
    rng: StdRng,
    truth: Truth,
    it: Granted,
    kind: Kind,
    guest: bool,
    rules: KindRules,
    stay: StayId,
    others: Vec<(u64, DateTime<Utc>)>,
    doors: Vec<(AcsEntranceId, DoorClass)>,
    /// Something may be at the system, or on the card, that no row tells of: it was sent without an answer, or only taken, and something else
    /// has been wanted since.
    unrecorded: bool,
    log: Vec<String>,
}

impl Sim {
    fn new(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut w = World::new();
        let classes = [DoorClass::Guest, DoorClass::Common, DoorClass::Online, DoorClass::Implicit];
        let doors: Vec<_> = classes.into_iter().map(|class| (w.door("door", class), class)).collect();
        let kind = if rng.random_bool(0.5) { Kind::Card } else { Kind::Code };
        let guest = rng.random_bool(0.7);
        let (ends, read) = (rng.random_bool(0.2), rng.random_bool(0.5));
        w.rules(kind, |rules| {
            rules.ends = if ends { EndsBy::Engine } else { EndsBy::Itself };
            rules.read_back = if read { ReadBack::Full } else { ReadBack::None };
            rules.suspend = kind == Kind::Code && read;
            rules.schedule = true;
        });
        let rules = w.read::<System>(w.system).report.kinds[&kind].clone();
        let start = rng.random_range(-4..4);
        let wanted = window(start, start + rng.random_range(1..12));
        let stay = w.stay("res-1", &[doors[0].0], wanted, Some(100), StayPhase::Planned);
        let mode = if kind == Kind::Card { AccessMethodMode::Card } else { AccessMethodMode::Code };
        let three: Vec<_> = doors[..3].iter().map(|(id, _)| *id).collect();
        let it = w.grant(&mode, &three, wanted, (guest && kind == Kind::Card).then_some(stay));
        w.edit::<Grant>(it.grant, |g| g.holder = if guest { Holder::Guest } else { Holder::Staff });
        Self {
            w,
            rng,
            truth: Truth::default(),
            it,
            kind,
            guest,
            rules,
            stay,
            others: Vec::new(),
            doors,
            unrecorded: false,
            log: Vec::new(),
        }
    }

    fn target(&self) -> Target {
        self.w.read::<Target>(self.it.target)
    }
    fn edit(&mut self, change: impl FnOnce(&mut Target)) {
        self.w.edit::<Target>(self.it.target, change);
    }
    /// What is wanted now, as it would be written.
    fn wanted(&self) -> Content {
        let t = self.target();
        let c = t.credential().unwrap().clone();
        let generation = c.stay.and_then(|stay| self.w.read::<Stay>(stay).generation);
        Content { doors: c.doors, window: c.window, schedule: c.schedule, suspended: c.suspended, generation }
    }
    fn wanted_there(&self) -> bool {
        let t = self.target();
        !t.gone && (self.rules.suspend || !self.wanted().suspended)
    }

    fn step(&mut self) {
        let roll = self.rng.random_range(0..11);
        let name = match roll {
            0 | 1 => self.change(),
            2..=4 => self.carry(),
            5 | 6 => self.encode(),
            7 => self.delete(),
            8 => self.later_stay(),
            9 => self.reopen(),
            _ => self.pass(),
        };
        self.log.push(name.to_owned());
    }

    fn change(&mut self) -> &'static str {
        if self.target().gone {
            return "-";
        }
        self.unrecorded |= matches!(self.target().seen, SeenState::Unknown { .. });
        let what = self.rng.random_range(0..4);
        let (start, length) = (self.rng.random_range(-6..8), self.rng.random_range(1..12));
        let keep: Vec<_> = self.doors[..3].iter().filter(|_| self.rng.random_bool(0.6)).map(|(id, _)| *id).collect();
        let hours = WeeklySpan::new(DaySet::WORKDAYS, "09:00".parse().unwrap(), "14:00".parse().unwrap());
        let (it, fresh) = (self.it, matches!(self.target().seen, SeenState::Never) && self.target().made.is_none());
        self.w.want(&it, |c| match what {
            0 => c.window = window(start, start + length),
            1 => c.doors.clone_from(&keep),
            2 => c.suspended = !c.suspended,
            _ => c.schedule = Some(Weekly::new([hours]).unwrap()),
        });
        let _ = fresh;
        ["window", "doors", "suspended", "schedule"][what]
    }

    /// The engine's call: a put, or a remove.
    fn carry(&mut self) -> &'static str {
        let t = self.target();
        let best = if self.rules.read_back == ReadBack::None { Certainty::Accepted } else { Certainty::Verified };
        let wanted = self.wanted();
        if self.wanted_there() {
            let early = self.rules.ends == EndsBy::Engine && self.w.now < wanted.window.starts_at();
            let done = matches!(t.seen, SeenState::Present { rev, certainty } if rev == t.rev && certainty >= best);
            if self.kind == Kind::Card || early || done {
                return "-";
            }
            match self.rng.random_range(0..5) {
                0 | 1 => {
                    self.truth.system = Some(wanted);
                    self.unrecorded = false;
                    let it = self.it;
                    self.w.carry(&it, best);
                    "put, answered"
                }
                2 if best == Certainty::Verified => {
                    if self.rng.random_bool(0.5) {
                        self.truth.system = Some(wanted);
                    }
                    self.unrecorded |= t.rev > 1;
                    let it = self.it;
                    self.w.carry(&it, Certainty::Accepted);
                    "put, accepted only"
                }
                3 => {
                    if self.rng.random_bool(0.5) {
                        self.truth.system = Some(wanted);
                    }
                    self.edit(|t| t.seen = SeenState::Unknown { rev: t.rev });
                    "put, no answer"
                }
                _ => "put, not sent",
            }
        } else if matches!(t.seen, SeenState::Never | SeenState::Absent { certainty: Certainty::Verified }) {
            "-"
        } else {
            let happened = self.rng.random_bool(0.5);
            match self.rng.random_range(0..3) {
                0 => {
                    self.truth.system = None;
                    self.edit(|t| {
                        (t.seen, t.work.failure, t.work.look) = (SeenState::Absent { certainty: Certainty::Verified }, None, false)
                    });
                    "remove, seen"
                }
                1 => {
                    if happened {
                        self.truth.system = None;
                    }
                    self.edit(|t| {
                        (t.seen, t.work.failure, t.work.look) = (SeenState::Absent { certainty: Certainty::Accepted }, None, false)
                    });
                    "remove, accepted"
                }
                _ => {
                    if happened {
                        self.truth.system = None;
                    }
                    let failed = Failed { effect: Effect::Unknown, reason: Reason::TimedOut, message: String::new(), at: self.w.now };
                    self.edit(|t| (t.work.failure, t.work.look) = (Some(failed), true));
                    "remove, no answer"
                }
            }
        }
    }

    fn encode(&mut self) -> &'static str {
        let t = self.target();
        if self.kind != Kind::Card || t.gone || self.wanted().suspended {
            return "-";
        }
        let wanted = self.wanted();
        let made_end = t.made.as_ref().and_then(|made| made.window.ends_at());
        let last_end = wanted.window.ends_at().max(made_end).unwrap();
        match self.rng.random_range(0..4) {
            0 | 1 => {
                (self.truth.card, self.truth.system) = (Some(wanted.clone()), Some(wanted));
                self.unrecorded = false;
                let it = self.it;
                self.w.carry(&it, Certainty::Verified);
                self.edit(|t| (t.work.failure, t.may_open_until) = (None, None));
                self.w.edit::<Stay>(self.stay, |s| s.phase = StayPhase::Open);
                "encode"
            }
            2 => {
                match self.rng.random_range(0..3) {
                    0 => (self.truth.card, self.truth.system) = (Some(wanted.clone()), Some(wanted)),
                    1 => self.truth.card = None,
                    _ => {}
                }
                // What may be on the card now is kept beyond its removal at the system, and beyond what is wanted later.
                let end = if self.rules.ends == EndsBy::Itself { last_end } else { hours(100_000) };
                self.edit(|t| (t.seen, t.may_open_until) = (SeenState::Unknown { rev: t.rev }, t.may_open_until.max(Some(end))));
                "encode, no answer"
            }
            _ => "encode, no card",
        }
    }

    fn delete(&mut self) -> &'static str {
        if self.rng.random_bool(0.5) {
            return "-";
        }
        let at = self.w.now;
        self.edit(|t| {
            t.gone = true;
            if matches!(t.seen, SeenState::Never) {
                t.seen = SeenState::Absent { certainty: Certainty::Verified };
            }
        });
        self.w.edit::<Grant>(self.it.grant, |g| g.phase = GrantPhase::Ended { at });
        self.w.edit::<Method>(self.it.method, |m| m.ended_at = Some(at));
        "end"
    }

    /// Somebody else's key is made for the room, and perhaps used.
    fn later_stay(&mut self) -> &'static str {
        if self.others.is_empty() || self.rng.random_bool(0.3) {
            let own = self.w.read::<Stay>(self.stay);
            let from = own.window.starts_at() + Duration::hours(self.rng.random_range(0..10));
            let generation = 200 + 10 * self.others.len() as u64;
            let window = Window::new(from, Some(from + Duration::hours(20))).unwrap();
            self.w.stay("res-2", &[self.doors[0].0], window, Some(generation), StayPhase::Open);
            self.others.push((generation, from));
            "a later key"
        } else {
            let usable = self.others.iter().filter(|(_, from)| *from <= self.w.now).map(|(generation, _)| *generation).max();
            self.truth.room = self.truth.room.max(usable.unwrap_or(0));
            "a later key is used"
        }
    }

    /// The stay is opened again, and perhaps another card of it is made and used.
    fn reopen(&mut self) -> &'static str {
        let stay = self.w.read::<Stay>(self.stay);
        if stay.phase == StayPhase::Open && self.rng.random_bool(0.5) {
            self.w.edit::<Stay>(self.stay, |s| {
                s.generation = s.generation.map(|g| g + 1);
                (s.reopened, s.phase) = (s.reopened + 1, StayPhase::Planned);
            });
            let it = self.it;
            self.unrecorded |= matches!(self.target().seen, SeenState::Unknown { .. });
            if self.target().made.is_some() && !self.target().gone && self.target().credential().unwrap().stay.is_some() {
                self.w.want(&it, |_| {});
            }
            return "reopened";
        }
        if stay.phase == StayPhase::Planned && stay.reopened > 0 {
            self.w.edit::<Stay>(self.stay, |s| s.phase = StayPhase::Open);
            if self.rng.random_bool(0.5) {
                self.truth.room = self.truth.room.max(stay.generation.unwrap_or(0));
            }
            return "a new key of the reopened stay";
        }
        "-"
    }

    fn pass(&mut self) -> &'static str {
        self.w.now += Duration::minutes(30 * self.rng.random_range(1..8));
        "time"
    }

    /// Whether the door opens, by what it knows itself.
    fn opens(&self, truth: &Truth, (door, class): (AcsEntranceId, DoorClass), at: DateTime<Utc>) -> bool {
        let offline = self.kind == Kind::Card && class != DoorClass::Online;
        let Some(content) = (if offline { &truth.card } else { &truth.system }) else { return false };
        let there = if class == DoorClass::Implicit { self.guest } else { content.doors.contains(&door) };
        let timely = self.rules.ends == EndsBy::Engine || content.window.contains(at);
        let hours = content.schedule.as_ref().is_none_or(|s| s.admits(at, Tz::Europe__Berlin));
        let present = class != DoorClass::Guest || self.kind != Kind::Card || content.generation.is_none_or(|g| g >= truth.room);
        there && timely && hours && present && !content.suspended
    }

    /// What the doors may know at an instant to come: nothing more happens, or what is decided is carried out; later keys are used or not.
    fn futures(&self, at: DateTime<Utc>) -> Vec<Truth> {
        if at <= self.w.now {
            return vec![self.truth.clone()];
        }
        let mut carried = self.truth.clone();
        let (wanted, there) = (self.wanted(), self.wanted_there());
        let t = self.target();
        let current = matches!(t.seen, SeenState::Present { rev, .. } if rev == t.rev);
        // Where the lock keeps no window, the engine puts it at its start and takes it away at its end.
        let held = self.rules.ends == EndsBy::Itself || wanted.window.contains(at);
        match (self.kind, there) {
            (_, false) => carried.system = None,
            (Kind::Card, true) if !current => (carried.card, carried.system) = (Some(wanted.clone()), held.then_some(wanted)),
            (Kind::Card, true) => {}
            (_, true) => carried.system = held.then_some(wanted),
        }
        let used = self.others.iter().filter(|(_, from)| *from <= at).map(|(generation, _)| *generation).max().unwrap_or(0);
        let mut futures = vec![self.truth.clone(), carried];
        for mut truth in futures.clone() {
            truth.room = truth.room.max(used);
            futures.push(truth);
        }
        futures
    }

    /// What is said to be left of withdrawn access.
    fn left(&self) -> BTreeMap<AcsEntranceId, Option<DateTime<Utc>>> {
        let stay = self.w.read::<Stay>(self.stay);
        let entrances: BTreeMap<_, _> = self.doors.iter().map(|(id, _)| (*id, self.w.read::<Entrance>(*id))).collect();
        let target = self.target();
        let stay = target.credential().and_then(|c| c.stay).map(|_| &stay);
        let left = crate::plan::residual::residual_of(&target, self.it.target, &|id| entrances.get(&id), &self.rules, stay, self.w.now);
        left.into_iter().map(|one| (one.acs_entrance_id, one.until)).collect()
    }

    /// Whether what is wanted lets her in.
    fn is_wanted(&self, door: AcsEntranceId, at: DateTime<Utc>) -> bool {
        let wanted = self.wanted();
        // Where the lock keeps no window it opens as long as it is wanted; a warning says so.
        let timely = self.rules.ends == EndsBy::Engine || wanted.window.contains(at);
        !self.target().gone && !wanted.suspended && wanted.doors.contains(&door) && timely
    }

    /// Whether the rows leave nothing open for this very instant.
    fn is_certain(&self) -> bool {
        let t = self.target();
        let best = if self.rules.read_back == ReadBack::None { Certainty::Accepted } else { Certainty::Verified };
        let settled = match t.seen {
            SeenState::Present { rev, certainty } => !t.gone && rev == t.rev && certainty >= best,
            SeenState::Absent { certainty } => certainty == Certainty::Verified,
            SeenState::Never => true,
            SeenState::Unknown { .. } => false,
        };
        let stay = self.w.read::<Stay>(self.stay);
        let number = t.made.as_ref().and_then(|made| made.generation);
        let newest = number.is_none() || (number == stay.generation && self.others.is_empty());
        settled
            && newest
            && t.may_open_until.is_none()
            && !t.work.look
            && t.work.failure.is_none()
            && t.made.as_ref().is_none_or(|made| made.rev == t.rev)
    }
}

#[test]
fn yes_opens_no_does_not_and_perhaps_is_said_only_in_doubt() {
    let (mut asked, mut certain, mut yes, mut perhaps) = (0u32, 0u32, 0u32, 0u32);
    for seed in 0..500 {
        let mut sim = Sim::new(seed);
        for _ in 0..12 {
            sim.step();
            for (door, class) in sim.doors.clone() {
                for ahead in [0, 1, 5, 12] {
                    let at = sim.w.now + Duration::hours(ahead);
                    let explained = sim.w.look(|v| super::super::explain(v, sim.w.person, door, at)).unwrap();
                    let context = || format!("seed {seed}, {class:?}, +{ahead} h, {:?}\n{:#?}\n{:#?}", sim.log, sim.target(), explained);
                    let worlds: Vec<bool> = sim.futures(at).iter().map(|truth| sim.opens(truth, (door, class), at)).collect();
                    asked += 1;
                    match explained.can_enter {
                        CanEnter::Yes => assert!(worlds.iter().all(|opens| *opens), "yes, and a door stays shut: {}", context()),
                        CanEnter::No => assert!(worlds.iter().all(|opens| !opens), "no, and a door opens: {}", context()),
                        CanEnter::Perhaps { .. } => {
                            perhaps += 1;
                            assert!(ahead > 0 || !sim.is_certain(), "perhaps, and nothing is in doubt: {}", context());
                        }
                    }
                    yes += u32::from(explained.can_enter == CanEnter::Yes);
                    certain += u32::from(ahead == 0 && sim.is_certain());
                }
            }
        }
    }
    // The worlds are of all sorts; else the test would say little.
    assert!(
        yes * 25 > asked && perhaps * 25 > asked && certain * 12 > asked,
        "{asked} asked, {yes} yes, {perhaps} perhaps, {certain} certain"
    );
}

#[test]
fn whatever_still_opens_is_told_as_residual() {
    let mut told = 0u32;
    for seed in 0..800 {
        let mut sim = Sim::new(seed);
        for _ in 0..12 {
            sim.step();
            let left = sim.left();
            for (door, class) in sim.doors.clone().into_iter().filter(|(_, class)| *class != DoorClass::Implicit) {
                for ahead in [0, 1, 5, 12] {
                    let at = sim.w.now + Duration::hours(ahead);
                    let is_told = left.get(&door).is_some_and(|until| until.is_none_or(|until| at < until));
                    if !sim.unrecorded && sim.opens(&sim.truth, (door, class), at) && !sim.is_wanted(door, at) {
                        told += 1;
                        assert!(is_told, "seed {seed}, {class:?}, +{ahead} h, {:?}\n{:#?}\n{left:#?}", sim.log, sim.target());
                    }
                }
            }
        }
    }
    assert!(told > 1_000, "{told}");
}
