//! The dialogue of the PMS protocol over TCP: one request at a time.
//!
//! A connection is made for each request and closed after it, as one of the known clients does: the system is said to serve one client at a time, and
//! another instance may have the next turn. Nothing but the order ties an answer to its request, so a connection on which anything went wrong is closed.
use super::error::{pms, unsendable};
use super::frame::{Frame, FrameCodec, Message};
use super::pms::{Answer, Command};
use crate::net::tcp::{Connection, TcpEnd};
use crate::net::{Deadline, only_asked};
use chrono::TimeDelta;
use seam_core::clock::Clock;
use seam_core::provider::{Failure, Reason};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Mutex;

/// How long making a connection may take.
const CONNECT_WITHIN: Duration = Duration::from_secs(10);
/// How long the byte that takes or refuses a frame may take. Clients wait 2 to 30 s for it.
const TAKEN_WITHIN: Duration = Duration::from_secs(5);
/// How often a frame is sent at most, when each was refused: so does one of the known clients.
const SENDS: u32 = 3;
/// How often the system is asked whether it is ready, before each.
const POLLS: u32 = 3;
/// Between two polls.
const POLL_EVERY: TimeDelta = TimeDelta::milliseconds(200);

/// The line to the PMS interface.
#[derive(Debug)]
pub(super) struct Line {
    end: TcpEnd,
    codec: FrameCodec,
    clock: Arc<dyn Clock>,
    turn: Mutex<()>,
}

type Wire = Connection<FrameCodec>;

impl Line {
    pub(super) fn new(end: TcpEnd, codec: FrameCodec, clock: Arc<dyn Clock>) -> Self {
        Self { end, codec, clock, turn: Mutex::new(()) }
    }

    /// Whether somebody listens and is ready. `None`: a request is under way here, so somebody is.
    ///
    /// # Errors
    /// `Nothing`.
    pub(super) async fn probe(&self, deadline: &Deadline) -> Result<Option<()>, Failure> {
        let Ok(_turn) = self.turn.try_lock() else { return Ok(None) };
        let mut wire = self.end.connect(self.codec, CONNECT_WITHIN, deadline).await?;
        self.ready(&mut wire, deadline).await.map(Some)
    }

    /// Asks, and waits for the answer: for a key, until somebody has laid a card on the encoder.
    ///
    /// # Errors
    /// `Nothing` before the frame was sent, or when it was refused each time. Then what the system says; `Unknown` when it says nothing.
    pub(super) async fn ask(&self, command: &Command, deadline: &Deadline) -> Result<Answer, Failure> {
        let frame = command.frame().map_err(|e| unsendable(&e))?;
        let Some(_turn) = deadline.bound(self.turn.lock()).await else {
            return Err(Failure::nothing(Reason::Busy, "another request is under way"));
        };
        let mut wire = self.end.connect(self.codec, CONNECT_WITHIN, deadline).await?;
        let honest = |failure: Failure| if command.changes() { failure } else { only_asked(failure) };
        let message = Message::Frame(frame);
        for _ in 0..SENDS {
            self.ready(&mut wire, deadline).await?;
            wire.send(&message, deadline).await.map_err(honest)?;
            match wire.receive(&deadline.sooner(TAKEN_WITHIN)).await.map_err(honest)? {
                Message::Ack => {
                    let answer = answer(&mut wire, deadline).await.map_err(honest)?;
                    return command.answer(&answer).map_err(|no| pms(&no, command.changes()));
                }
                // It was not taken: nothing happens.
                Message::Nak => {}
                _ => return Err(honest(Failure::unknown(Reason::Garbled, "the request was neither taken nor refused"))),
            }
        }
        Err(Failure::nothing(Reason::Busy, "the system did not take the request"))
    }

    /// Asks whether the system is ready, a few times.
    async fn ready(&self, wire: &mut Wire, deadline: &Deadline) -> Result<(), Failure> {
        for poll in 1..=POLLS {
            wire.send(&Message::Enq, deadline).await.map_err(only_asked)?;
            match wire.receive(&deadline.sooner(TAKEN_WITHIN)).await.map_err(only_asked)? {
                Message::Ack => return Ok(()),
                Message::Nak if poll < POLLS => {
                    let pause = self.clock.sleep_until(self.clock.now() + POLL_EVERY);
                    if deadline.bound(pause).await.is_none() {
                        break;
                    }
                }
                Message::Nak => {}
                _ => return Err(Failure::nothing(Reason::Garbled, "the system did not say whether it is ready")),
            }
        }
        Err(Failure::nothing(Reason::Busy, "the system is not ready"))
    }
}

/// The answer. What does not belong there makes the outcome unknown, and the connection useless.
async fn answer(wire: &mut Wire, deadline: &Deadline) -> Result<Frame, Failure> {
    match wire.receive(deadline).await? {
        Message::Frame(frame) => Ok(frame),
        Message::Damaged => Err(Failure::unknown(Reason::Garbled, "the answer came damaged")),
        _ => Err(Failure::unknown(Reason::Garbled, "there is no answer in what came")),
    }
}
