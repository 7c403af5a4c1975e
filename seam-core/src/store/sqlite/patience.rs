//! How long a batch stays open for callers who are about to come back.
use std::time::Duration;

/// The longest that a batch stays open for further callers, in commits' time.
const COMMITS: u32 = 4;
/// Within this a caller who asks again at once mostly has, also when another program has taken the processor for one of its slices meanwhile.
const MOMENT: Duration = Duration::from_millis(4);

/// Which callers a batch may expect, and how long they are worth waiting for.
///
/// Whom a commit has answered mostly asks again at once; until then she is expected. A batch that closed without her would cost a sync of
/// its own for her, so it stays open for as long as one who is expected comes within the time that a commit takes (of a disk where that is long,
/// within a quarter of it). It closes when all are there: a lone caller never waits, for she is all who is expected. When fewer come than before,
/// one commit waits so long, once; from then on only those who came are expected. The engine is not counted among the callers: what it asks
/// next comes when an access system has answered, whenever that is.
#[derive(Debug, Default)]
pub(super) struct Patience {
    /// How many callers there are: those whom the last commit answered, and those who were waiting by then.
    expected: usize,
    /// What a commit takes, its sync with it. It follows a longer one at once and a shorter one slowly: a batch that was small by chance is
    /// committed soon, and must not make the next one impatient.
    commit: Duration,
    /// What the batch has been waited for.
    waited: Duration,
}

impl Patience {
    /// How long a batch of `count` that nobody else waits to join is to stay open for the next caller; `None`: it closes.
    pub(super) fn wait(&self, count: usize) -> Option<Duration> {
        let left = (self.commit * COMMITS).saturating_sub(self.waited);
        (count < self.expected && !left.is_zero()).then(|| left.min(self.commit).min(MOMENT.max(self.commit / 4)))
    }

    /// How many callers there are.
    pub(super) fn expected(&self) -> usize {
        self.expected
    }

    /// It was waited.
    pub(super) fn waited(&mut self, time: Duration) {
        self.waited += time;
    }

    /// A batch is over: so many are about to be answered, so many have come meanwhile, and so long took the commit, if there was one.
    pub(super) fn served(&mut self, answered: usize, waiting: usize, commit: Option<Duration>) {
        self.expected = answered + waiting;
        self.waited = Duration::ZERO;
        if let Some(commit) = commit {
            self.commit = commit.max(self.commit - (self.commit.saturating_sub(commit)) / 8);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn after(answered: usize, waiting: usize) -> Patience {
        let mut patience = Patience::default();
        patience.served(answered, waiting, Some(MS));
        patience
    }

    #[test]
    fn a_lone_caller_never_waits() {
        assert_eq!(Patience::default().wait(1), None, "the first of all");
        let mut patience = after(1, 0);
        for _ in 0..100 {
            assert_eq!(patience.wait(1), None);
            patience.served(1, 0, Some(MS));
        }
    }

    #[test]
    fn all_who_were_answered_or_came_meanwhile_are_waited_for() {
        let patience = after(40, 24);
        for count in 1..64 {
            assert_eq!(patience.wait(count), Some(MS), "{count} are there");
        }
        assert_eq!(patience.wait(64), None);
    }

    #[test]
    fn one_who_does_not_come_back_costs_one_wait_of_one_commit() {
        let mut patience = after(64, 0);
        let wait = patience.wait(63).unwrap();
        assert_eq!(wait, MS);
        // Nobody came: the writer closes the batch without her.
        patience.waited(wait);
        patience.served(63, 0, Some(MS));
        assert_eq!(patience.wait(63), None);
    }

    #[test]
    fn callers_who_come_one_by_one_do_not_keep_a_batch_open_for_long() {
        let mut patience = after(1_000, 0);
        let mut all = Duration::ZERO;
        let mut count = 1;
        while let Some(wait) = patience.wait(count) {
            assert!(count < 1_000);
            let came_after = wait.min(MS / 10);
            patience.waited(came_after);
            all += came_after;
            count += 1;
        }
        assert!(all <= MS * COMMITS, "{all:?}");
    }

    #[test]
    fn a_batch_that_was_small_by_chance_does_not_make_the_next_one_impatient() {
        let mut patience = after(64, 0);
        patience.served(3, 61, Some(MS / 20));
        assert!(patience.wait(3).unwrap() > MS * 4 / 5);
        // A disk that has become quicker is believed in the end, and a slower one at once.
        for _ in 0..60 {
            patience.served(64, 0, Some(MS / 20));
        }
        assert!(patience.wait(3).unwrap() < MS / 10);
        patience.served(64, 0, Some(MS * 40));
        assert_eq!(patience.wait(3), Some(MS * 10), "a quarter where it takes long");
        // A batch that wrote nothing tells nothing about the disk.
        patience.served(64, 0, None);
        assert_eq!(patience.wait(3), Some(MS * 10));
    }
}
