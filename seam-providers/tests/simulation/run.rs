//! One run from a seed.
use crate::exec::minutes;
use crate::house::{Check, House, Setup};
use crate::rng::Rng;
use std::fmt;

/// What a run came to.
#[derive(Debug, Default)]
pub(crate) struct Ran {
    pub(crate) wrong: Option<String>,
    pub(crate) trace: Vec<String>,
    pub(crate) seen: u64,
    pub(crate) steps: u64,
    pub(crate) faults: u64,
    pub(crate) commits: u64,
    pub(crate) calls: u64,
    pub(crate) polls: u64,
    pub(crate) grants: u64,
    /// Requests to endpoints of webhooks.
    pub(crate) posts: u64,
}

impl Ran {
    pub(crate) fn add(&mut self, other: &Self) {
        self.steps += other.steps;
        self.faults += other.faults;
        self.commits += other.commits;
        self.calls += other.calls;
        self.polls += other.polls;
        self.grants += other.grants;
        self.posts += other.posts;
    }
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { steps, faults, commits, calls, polls, grants, posts, .. } = self;
        write!(f, "{steps} steps, {grants} grants, {faults} faults, {commits} commits, {calls} calls, {posts} posts, {polls} polls")
    }
}

/// What a seed draws before anything else.
pub(crate) fn setup(seed: u64, trace: bool) -> Setup {
    let mut rng = Rng::new(seed ^ 0xA5A5);
    let rates = match rng.below(8) {
        0 => (0, 0, 0),
        1 | 2 => (4, 60, 0),
        3 | 4 => (10, 150, 2),
        5 | 6 => (25, 250, 6),
        _ => (50, 400, 12),
    };
    Setup { seed, instances: 1 + rng.below(3), rates, trace, disk: false }
}

pub(crate) fn run(setup: Setup) -> Ran {
    let mut ran = Ran::default();
    let mut house = match House::new(setup) {
        Ok(house) => house,
        Err(wrong) => return Ran { wrong: Some(wrong), ..ran },
    };
    let result = play(&mut house, &mut ran.steps);
    ran.wrong = result.err();
    ran.seen = house.seen;
    ran.faults = house.faults.plan().count;
    ran.polls = house.exec.polls;
    ran.grants = house.ledger.grants.len() as u64;
    let mut watch = house.watch();
    (ran.commits, ran.calls, ran.posts) = (watch.commits, watch.calls, watch.hooks.sent);
    ran.trace = watch.trace.take().unwrap_or_default();
    drop(watch);
    ran
}

fn play(house: &mut House, steps: &mut u64) -> Check {
    {
        let mut p = house.faults.plan();
        (p.store, p.call, p.crash) = house.setup.rates;
        p.on = house.setup.rates.0 > 0;
    }
    let on = house.setup.rates.0 > 0;
    for half in 0..2 {
        house.faults.plan().on = on;
        for _ in 0..(12 + house.rng.below(12)) {
            *steps += 1;
            house.act()?;
        }
        house.settle()?;
        if half == 1 {
            house.edges(6)?;
        }
    }
    over(house)?;
    if crate::epilogue::has_one(house.setup.seed) {
        house.epilogue()?;
        over(house)?;
    }
    house.all_arrived()?;
    house.streams()
}

/// Time runs on past every end: nothing that had one is left.
fn over(house: &mut House) -> Check {
    let last = house.ledger.grants.iter().filter_map(|g| g.until).max();
    if let Some(last) = last {
        house.jump_to(last + minutes(1))?;
    }
    house.settle()
}
