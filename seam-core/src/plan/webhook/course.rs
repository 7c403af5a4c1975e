//! What is sent next to an endpoint, and what an answer means for what comes after it. Pure.
//!
//! The stream is gone through in order. Events of different keys (persons, else resources) are sent side by side, those of one key one after the
//! other. When one fails, its key gets a **line**: the event is tried again on the schedule, and later events of the key wait behind it, while all
//! others go on. The cursor passes over what stands in a line, because the line says from where it is to be read again. So what is kept of an endpoint
//! is a cursor and a few lines, however many events wait.
use crate::model::ParkedReason;
use crate::state::{DeliveryFailure, Line, Parked, StoredEvent, Webhook};
use chrono::{DateTime, Duration, Utc};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use uuid::Uuid;

/// After which time a delivery is tried again, each counted from the failure before it. After the last one the line is parked.
pub(crate) const SCHEDULE: [Duration; 7] = [
    Duration::seconds(5),
    Duration::minutes(5),
    Duration::minutes(30),
    Duration::hours(2),
    Duration::hours(5),
    Duration::hours(10),
    Duration::hours(10),
];
/// Requests to one endpoint at once.
pub(crate) const AT_ONCE: usize = 8;
/// Lines of one endpoint. When there are as many, nothing new is begun until one of them has cleared.
pub(crate) const LINES: usize = 32;
/// Events that wait in memory.
const WINDOW: usize = 256;
/// How far the reading runs ahead of what has been delivered: so much at most is sent again after a crash.
const AHEAD: u64 = 1024;

/// How an endpoint answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It took the event.
    Delivered,
    /// It did not, or nobody knows.
    Failed {
        /// What it answered, if it did.
        status: Option<u16>,
        /// One sentence.
        message: String,
        /// Not before this time has passed.
        retry_after: Option<Duration>,
    },
}

/// An event that is being sent.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    pub(crate) event: Arc<StoredEvent>,
    /// 1 for the first try.
    pub(crate) attempt: u32,
}

impl Sending {
    fn key(&self) -> Uuid {
        self.event.event.order_key
    }
}

/// The way of one endpoint through the event stream.
#[derive(Debug)]
pub(crate) struct Course {
    /// The row as it was read last.
    row: Webhook,
    /// How far the stream was read.
    read: u64,
    /// How far the cursor was moved.
    acked: u64,
    /// Events up to `read` that are not delivered and stand in no line.
    window: BTreeMap<u64, Arc<StoredEvent>>,
    lines: BTreeMap<Uuid, Open>,
    /// Keys of which an event is being sent.
    busy: BTreeSet<Uuid>,
    parked: Option<Parked>,
    delivered_at: Option<DateTime<Utc>>,
    failure: Option<DeliveryFailure>,
    /// A line was made or has failed again: written before the cursor moves.
    must_write: bool,
}

/// A line, and the event at its head once that was read.
#[derive(Clone, Debug)]
struct Open {
    line: Line,
    head: Option<Arc<StoredEvent>>,
}

/// What is written of a course into its row.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    pub(super) replays: u32,
    /// What the row said when it was last looked at.
    known: Vec<Line>,
    lines: Vec<Line>,
    pub(super) parked: Option<Parked>,
    pub(super) delivered_at: Option<DateTime<Utc>>,
    pub(super) failure: Option<DeliveryFailure>,
}

impl Progress {
    /// The lines to be written over these.
    pub(super) fn lines(&self, stored: &[Line]) -> Vec<Line> {
        self.lines.iter().map(|line| resumed(line, &self.known, stored)).collect()
    }
}

impl Course {
    /// The way on from a place in the stream.
    pub(crate) fn new(row: &Webhook, place: u64) -> Self {
        let open = |line: &Line| (line.key, Open { line: line.clone(), head: None });
        Self {
            read: place,
            acked: place,
            window: BTreeMap::new(),
            lines: row.lines.iter().map(open).collect(),
            busy: BTreeSet::new(),
            parked: row.parked.clone(),
            delivered_at: row.delivered_at,
            failure: row.failure.clone(),
            must_write: false,
            row: row.clone(),
        }
    }

    /// Follows what a person has changed meanwhile. `false`: this course is over.
    pub(crate) fn follow(&mut self, row: &Webhook) -> bool {
        if !row.is_active() || row.replays != self.row.replays {
            return false;
        }
        let known = std::mem::replace(&mut self.row, row.clone()).lines;
        let (row, busy) = (&self.row, &self.busy);
        self.window.retain(|_, e| row.wants(&e.event.event_type) || busy.contains(&e.event.order_key));
        for open in self.lines.values_mut() {
            open.line = resumed(&open.line, &known, &row.lines);
            if open.head.as_ref().is_some_and(|e| !row.wants(&e.event.event_type)) && !busy.contains(&open.line.key) {
                open.head = None;
            }
        }
        true
    }

    /// After which place the stream is to be read on, if there is room for more.
    pub(crate) fn reads_after(&self) -> Option<u64> {
        let has_room = self.window.len() < WINDOW && self.read - self.done() < AHEAD;
        (self.may_go_on() && has_room).then_some(self.read)
    }

    /// Takes in what was read of the stream after [`reads_after`](Self::reads_after).
    pub(crate) fn take_in(&mut self, events: Vec<StoredEvent>) {
        for event in events {
            self.read = event.seq;
            if self.row.wants(&event.event.event_type) && !self.lines.contains_key(&event.event.order_key) {
                self.window.insert(event.seq, Arc::new(event));
            }
        }
    }

    /// A line that is due and whose first event is not known: from which place it is to be looked for.
    pub(crate) fn seeks(&self, now: DateTime<Utc>) -> Option<(Uuid, u64)> {
        let wanted = |open: &&Open| open.head.is_none() && is_due(open, now);
        let open = self.lines.values().find(wanted).filter(|_| self.parked.is_none())?;
        Some((open.line.key, open.line.from.saturating_sub(1)))
    }

    /// What was read of the stream for a line. A line of which nothing waits any more is closed: what comes after it goes the usual way.
    pub(crate) fn found(&mut self, key: Uuid, events: Vec<StoredEvent>) {
        let (read, row) = (self.read, &self.row);
        let Some(open) = self.lines.get_mut(&key) else { return };
        // What a line was written for counts, also if the cursor was not moved up to it before a crash.
        let read = read.max(open.line.from);
        let last = events.last().map(|e| e.seq);
        let head = events.into_iter().find(|e| e.seq <= read && e.event.order_key == key && row.wants(&e.event.event_type));
        match (head, last) {
            (Some(head), _) => {
                if head.seq > open.line.from {
                    // Another event than the one that failed: that one is not sent to this endpoint any more.
                    open.line.attempts = 0;
                }
                open.line.from = head.seq;
                open.head = Some(Arc::new(head));
            }
            (None, Some(last)) if last < read => open.line.from = last + 1,
            _ => drop(self.lines.remove(&key)),
        }
    }

    /// The next event to be sent now, if one may be: a line's that is due, else the first in the stream whose key is free.
    pub(crate) fn begin(&mut self, now: DateTime<Utc>) -> Option<Sending> {
        if self.parked.is_some() {
            return None;
        }
        // What has failed before leaves room for what has not.
        let busy_lines = self.busy.iter().filter(|key| self.lines.contains_key(key)).count();
        let may_try = |open: &&Open| is_due(open, now) && open.head.is_some() && !self.busy.contains(&open.line.key);
        let line = self.lines.values().find(may_try).filter(|_| busy_lines < AT_ONCE / 2);
        let sending = match line.and_then(|open| open.head.as_ref().map(|head| (head, open.line.attempts))) {
            Some((head, attempts)) => Sending { event: Arc::clone(head), attempt: attempts.saturating_add(1) },
            None if self.may_go_on() => {
                let free = self.window.values().find(|e| !self.busy.contains(&e.event.order_key))?;
                Sending { event: Arc::clone(free), attempt: 1 }
            }
            None => return None,
        };
        self.busy.insert(sending.key());
        Some(sending)
    }

    /// What became of an event that was sent.
    pub(crate) fn ended(&mut self, sent: &Sending, answer: Answer, now: DateTime<Utc>) {
        let (key, seq) = (sent.key(), sent.event.seq);
        self.busy.remove(&key);
        self.window.remove(&seq);
        match answer {
            Answer::Delivered => {
                self.delivered_at = Some(now);
                if seq >= self.read {
                    self.lines.remove(&key);
                } else if let Some(open) = self.lines.get_mut(&key) {
                    open.line = Line { from: seq + 1, attempts: 0, failed_at: now, due_at: Some(now), key };
                    open.head = None;
                }
            }
            Answer::Failed { status, message, retry_after } => {
                self.failure = Some(DeliveryFailure { event: sent.event.event.id, at: now, status, message });
                self.failed(sent, status, retry_after, now);
            }
        }
    }

    fn failed(&mut self, sent: &Sending, status: Option<u16>, retry_after: Option<Duration>, now: DateTime<Utc>) {
        let (key, seq) = (sent.key(), sent.event.seq);
        let fresh = || Open { line: Line { key, from: seq, attempts: 0, failed_at: now, due_at: None }, head: None };
        let open = self.lines.entry(key).or_insert_with(fresh);
        let line = &mut open.line;
        if line.attempts == 0 {
            line.failed_at = now;
        }
        line.from = seq;
        line.attempts = line.attempts.saturating_add(1);
        let wait = SCHEDULE.get(line.attempts as usize - 1).map(|wait| retry_after.map_or(*wait, |after| after.max(*wait)));
        line.due_at = wait.map(|wait| now + wait);
        open.head = Some(Arc::clone(&sent.event));
        let is_over = line.due_at.is_none();
        // Whoever delivered nothing since this event failed first is not a receiver that stumbles over one event.
        let is_silent = self.delivered_at.is_none_or(|at| at < line.failed_at);
        self.window.retain(|_, e| e.event.order_key != key);
        self.must_write = true;
        let is_full = self.lines.len() >= LINES && self.lines.values().all(|open| open.line.due_at.is_none());
        if status == Some(410) {
            self.parked = Some(Parked { at: now, reason: ParkedReason::Gone });
        } else if is_over && (is_silent || is_full) {
            self.parked = Some(Parked { at: now, reason: ParkedReason::Exhausted });
        }
    }

    fn may_go_on(&self) -> bool {
        self.parked.is_none() && self.lines.len() < LINES
    }

    /// Up to where everything was delivered, is not subscribed to, or stands in a line.
    pub(crate) fn done(&self) -> u64 {
        self.window.first_key_value().map_or(self.read, |(seq, _)| seq - 1)
    }
    /// How many places the cursor is behind.
    pub(crate) fn unacked(&self) -> u64 {
        self.done().saturating_sub(self.acked)
    }
    /// The name of its cursor.
    pub(crate) fn consumer(&self, id: Uuid) -> String {
        self.row.consumer(id)
    }
    /// The cursor was moved.
    pub(crate) fn acked(&mut self, upto: u64) {
        self.acked = upto;
    }

    /// Whether something is to be written before anything else is done.
    pub(crate) fn must_write(&self) -> bool {
        self.must_write
    }
    /// Whether the row says something else. When something was last delivered counts only if it is a minute off.
    pub(crate) fn differs(&self) -> bool {
        let late = match (self.delivered_at, self.row.delivered_at) {
            (Some(now), Some(then)) => now - then >= Duration::minutes(1),
            (now, then) => now != then,
        };
        let same =
            self.lines.len() == self.row.lines.len() && self.lines.values().zip(&self.row.lines).all(|(open, line)| open.line == *line);
        late || !same || self.parked != self.row.parked || self.failure != self.row.failure
    }
    /// What is to be written.
    pub(crate) fn progress(&self) -> Progress {
        Progress {
            replays: self.row.replays,
            known: self.row.lines.clone(),
            lines: self.lines.values().map(|open| open.line.clone()).collect(),
            parked: self.parked.clone(),
            delivered_at: self.delivered_at,
            failure: self.failure.clone(),
        }
    }
    /// It was written.
    pub(crate) fn written(&mut self, progress: Progress) {
        self.row.lines = progress.lines;
        (self.row.parked, self.row.delivered_at, self.row.failure) = (progress.parked, progress.delivered_at, progress.failure);
        self.must_write = false;
    }
}

fn is_due(open: &Open, now: DateTime<Utc>) -> bool {
    open.line.due_at.is_some_and(|at| at <= now)
}

/// A line that is stored as due although it was parked when it was last looked at (`known`) was resumed by a person: it goes on as she said.
fn resumed(line: &Line, known: &[Line], stored: &[Line]) -> Line {
    let was_parked = known.iter().any(|k| k.key == line.key && k.due_at.is_none());
    let now = stored.iter().find(|s| s.key == line.key && s.due_at.is_some());
    now.filter(|_| was_parked && line.due_at.is_none()).map_or_else(|| line.clone(), |now| Line { from: line.from, ..now.clone() })
}

/// When an endpoint is to be looked after: now, later, or not before something happens. `behind`: there are events after its cursor.
pub(crate) fn due(row: &Webhook, behind: bool, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    if !row.is_active() {
        return None;
    }
    if behind && row.lines.len() < LINES {
        return Some(now);
    }
    row.lines.iter().filter_map(|line| line.due_at).min()
}
