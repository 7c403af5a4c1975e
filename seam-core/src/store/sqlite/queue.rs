//! What waits for the writer. The writer sleeps until enough of it is there: to be woken for each ask costs caller and writer more than many an ask.
use super::patience::Patience;
use super::writer::Ask;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The most asks that the writer sleeps for at once: while it writes so many, callers prepare the next.
const HELPING: usize = 4;

/// A queue's two ends.
pub(super) fn queue() -> (Asks, Queue) {
    let shared = Arc::new(Shared { state: Mutex::default(), enough: Condvar::new() });
    (Asks(Arc::clone(&shared)), Queue { shared, taken: VecDeque::new(), patience: Patience::default() })
}

struct Shared {
    state: Mutex<State>,
    enough: Condvar,
}

#[derive(Default)]
struct State {
    asks: VecDeque<Ask>,
    /// The writer sleeps until so many are there; 0: it is awake.
    wanted: usize,
    /// The writer is gone.
    closed: bool,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The callers' end.
pub(super) struct Asks(Arc<Shared>);

impl Asks {
    /// Asks, unless the writer is gone; says whether it was asked.
    pub(super) fn send(&self, ask: Ask) -> bool {
        let mut state = self.0.state();
        if state.closed {
            return false;
        }
        let at_once = matches!(ask, Ask::Stop { .. });
        state.asks.push_back(ask);
        let enough = state.wanted > 0 && (at_once || state.asks.len() >= state.wanted);
        if enough {
            state.wanted = 0;
        }
        drop(state);
        if enough {
            self.0.enough.notify_one();
        }
        true
    }
}

/// The writer's end: the asks, and how long they are waited for.
pub(super) struct Queue {
    shared: Arc<Shared>,
    /// Taken from the callers' end together, and not served yet.
    taken: VecDeque<Ask>,
    pub(super) patience: Patience,
}

impl Queue {
    /// The next ask, whenever it comes.
    pub(super) fn first(&mut self) -> Ask {
        loop {
            if let Some(ask) = self.here() {
                return ask;
            }
            self.sleep(1, None);
        }
    }

    /// The next ask of those that are here.
    pub(super) fn here(&mut self) -> Option<Ask> {
        if self.taken.is_empty() {
            std::mem::swap(&mut self.taken, &mut self.shared.state().asks);
        }
        self.taken.pop_front()
    }

    /// The next ask of a batch that has those of `count` callers, if it is worth waiting for one.
    pub(super) fn wait(&mut self, count: usize) -> Option<Ask> {
        let wait = self.patience.wait(count)?;
        let begun = Instant::now();
        // Half of those who are still to come, so that only the last are served one by one.
        let more = self.patience.expected().saturating_sub(count);
        self.sleep((more / 2).clamp(1, HELPING), Some(wait));
        self.patience.waited(begun.elapsed());
        self.here()
    }

    /// How many callers wait.
    pub(super) fn callers(&self) -> usize {
        self.taken.iter().chain(&self.shared.state().asks).filter(|ask| ask.is_of_a_caller()).count()
    }

    /// From now on nobody's ask is taken. Those that are here are still to be answered.
    pub(super) fn close(&mut self) {
        self.shared.state().closed = true;
    }

    /// Sleeps until so many are at the callers' end, or until the time is over.
    fn sleep(&self, wanted: usize, longest: Option<Duration>) {
        let mut state = self.shared.state();
        if state.asks.len() >= wanted {
            return;
        }
        state.wanted = wanted;
        let sleeps = |state: &mut State| state.wanted > 0;
        let mut state = match longest {
            None => self.shared.enough.wait_while(state, sleeps).unwrap_or_else(PoisonError::into_inner),
            Some(longest) => self.shared.enough.wait_timeout_while(state, longest, sleeps).unwrap_or_else(PoisonError::into_inner).0,
        };
        state.wanted = 0;
    }
}

impl Drop for Queue {
    /// Also when the writer ends otherwise than it should: whoever waits sees that there is no answer.
    fn drop(&mut self) {
        self.close();
        while self.here().is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::ready::Ready;
    use super::*;
    use crate::model::{ChangesetId, WorkspaceId};
    use crate::state::{Actor, Audit, Changeset};

    fn ask(upto: u64) -> Ask {
        let (reply, _) = tokio::sync::oneshot::channel();
        Ask::Ack { workspace: WorkspaceId::from_uuid(uuid::Uuid::nil()), consumer: String::new(), upto, reply }
    }

    fn number(ask: Option<Ask>) -> Option<u64> {
        match ask? {
            Ask::Ack { upto, .. } => Some(upto),
            _ => None,
        }
    }

    #[test]
    fn asks_are_served_in_their_order_and_none_is_taken_when_the_writer_has_gone() {
        let (asks, mut queue) = queue();
        assert!((0..3).all(|n| asks.send(ask(n))));
        assert_eq!(number(queue.here()), Some(0));
        // What comes after what was taken together waits behind it.
        assert!(asks.send(ask(3)));
        assert_eq!((number(queue.here()), number(queue.here())), (Some(1), Some(2)));
        queue.close();
        assert!(!asks.send(ask(4)));
        assert_eq!((number(queue.here()), number(queue.here())), (Some(3), None), "what was taken is still to be answered");
        drop(queue);
        assert!(!asks.send(ask(5)));
    }

    #[test]
    fn a_batch_stays_open_for_callers_and_not_for_the_engine() {
        let commit = |actor| {
            let audit = Audit { actor, reason: None, what: "test".to_owned(), subject: None, at: chrono::DateTime::UNIX_EPOCH };
            let (id, workspace) = (ChangesetId::from_uuid(uuid::Uuid::nil()), WorkspaceId::from_uuid(uuid::Uuid::nil()));
            let set = Changeset { id, workspace, only_if: Vec::new(), put: Vec::new(), events: Vec::new(), audit };
            Ask::Commit { set: Ready::of(set).unwrap().0, reply: tokio::sync::oneshot::channel().0 }
        };
        let (asks, mut queue) = queue();
        assert!(asks.send(commit(Actor::Engine)) && asks.send(ask(0)) && asks.send(commit(Actor::Person("desk".to_owned()))));
        assert_eq!(queue.callers(), 1);
        assert!(queue.here().is_some_and(|first| !first.is_of_a_caller()));
        assert_eq!(queue.callers(), 1, "also among those that were taken together");
    }

    #[test]
    fn whoever_waits_is_told_when_the_writer_goes_without_an_answer() {
        let (asks, queue) = queue();
        let (reply, answer) = tokio::sync::oneshot::channel();
        assert!(asks.send(Ask::Stop { reply: Some(reply) }));
        drop(queue);
        assert!(answer.blocking_recv().is_err());
    }

    #[test]
    fn the_writer_is_woken_when_enough_are_there_or_one_ends_it_or_the_time_is_over() {
        let long = Duration::from_secs(60);
        let (asks, mut queue) = queue();
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while asks.0.state().wanted == 0 {
                    std::thread::yield_now();
                }
                assert!(asks.send(ask(0)) && asks.0.state().wanted == 2, "one is not enough");
                assert!(asks.send(ask(1)) && asks.0.state().wanted == 0);
            });
            queue.sleep(2, Some(long));
        });
        assert_eq!((number(queue.here()), number(queue.here())), (Some(0), Some(1)));
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while asks.0.state().wanted == 0 {
                    std::thread::yield_now();
                }
                asks.send(Ask::Stop { reply: None })
            });
            queue.sleep(8, Some(long));
        });
        assert!(matches!(queue.here(), Some(Ask::Stop { .. })));
        queue.sleep(1, Some(Duration::from_millis(1)));
        assert!(queue.here().is_none() && asks.0.state().wanted == 0);
    }
}
