//! The PMS port: a connection per job, one request and one answer.
use super::config::PmsSettings;
use super::error;
use super::wire::pms::{Line, LineCodec};
use super::wire::serial::{Frame, SerialCodec};
use crate::net::tcp::TcpEnd;
use crate::net::{Deadline, only_asked};
use seam_core::provider::{Failure, Reason};
use secrecy::ExposeSecret;
use std::time::Duration;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// After so long a pause an answer without an end is whole.
const QUIET: Duration = Duration::from_millis(300);
/// How often a frame is sent whose checksum arrived wrong. Source: 1 client.
const FRAME_TRIES: u32 = 3;

/// The port of one server.
#[derive(Clone, Debug)]
pub(super) struct PmsPort {
    end: TcpEnd,
    serial: bool,
    common: Line,
}

impl PmsPort {
    pub(super) fn new(pms: &PmsSettings) -> Result<Self, Failure> {
        let mut common = Line::default();
        for (tag, value) in [("UG", &pms.user_group), ("IO", &pms.operator)] {
            if let Some(value) = value {
                common = common.with(tag, value)?;
            }
        }
        if let Some(password) = &pms.operator_password {
            common = common.with("OP", password.expose_secret())?;
        }
        if let Some(terminal) = &pms.terminal {
            common = common.with("TA", terminal)?;
        }
        Ok(Self { end: TcpEnd { host: pms.host.clone(), port: pms.port }, serial: pms.serial_frames, common })
    }

    /// One of the tags that every request has, where it was set up.
    pub(super) fn common(&self, tag: &str) -> Option<&str> {
        self.common.get(tag)
    }

    /// Whether somebody listens.
    pub(super) async fn reach(&self, deadline: &Deadline) -> Result<(), Failure> {
        self.end.connect(LineCodec, CONNECT, deadline).await.map(drop)
    }

    /// Asks, and gives the answer if its result is one of `good`. `writes`: the request would change something.
    pub(super) async fn ask(&self, line: &Line, good: &[u32], writes: bool, deadline: &Deadline) -> Result<Line, Failure> {
        let exchanged = if self.serial { self.over_serial(line, deadline).await } else { self.over_tcp(line, deadline).await };
        let answer = exchanged.map_err(|failure| if writes { failure } else { only_asked(failure) })?;
        // The encoder is echoed. An answer to somebody else's request says nothing about ours.
        let same = |tag: &str| answer.get(tag).is_none_or(|echoed| Some(echoed) == line.get(tag));
        if answer.command != line.command || !same("EA") {
            let failure = Failure::unknown(Reason::Garbled, "the answer is for another request");
            return Err(if writes { failure } else { only_asked(failure) });
        }
        match answer.result() {
            Some(code) if good.contains(&code) => Ok(answer),
            _ => Err(error::pms(&answer, writes)),
        }
    }

    async fn over_tcp(&self, line: &Line, deadline: &Deadline) -> Result<Line, Failure> {
        let mut connection = self.end.connect(LineCodec, CONNECT, deadline).await?;
        connection.send(line, deadline).await?;
        connection.receive_until_quiet(LineCodec::may_be_whole, QUIET, deadline).await
    }

    async fn over_serial(&self, line: &Line, deadline: &Deadline) -> Result<Line, Failure> {
        let mut connection = self.end.connect(SerialCodec, CONNECT, deadline).await?;
        for _ in 0..FRAME_TRIES {
            connection.send(line, deadline).await?;
            match connection.receive(deadline).await? {
                Frame::Ack => {
                    return match connection.receive(deadline).await? {
                        Frame::Line(answer) => Ok(answer),
                        Frame::Ack | Frame::Nak => Err(Failure::unknown(Reason::Garbled, "an acknowledgement came instead of an answer")),
                    };
                }
                Frame::Nak => {}
                Frame::Line(_) => return Err(Failure::unknown(Reason::Garbled, "an answer came to a frame that was not taken")),
            }
        }
        Err(Failure::nothing(Reason::Garbled, "the other side took none of our frames"))
    }
}
