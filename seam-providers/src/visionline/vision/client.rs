//! A connection per job: register, ask, unregister.
use super::config::Config;
use super::wire::{Job, Message, PmsifCodec};
use crate::net::tcp::{Connection, TcpEnd};
use crate::net::{Deadline, only_asked};
use seam_core::provider::{Failure, Reason};
use secrecy::{ExposeSecret, SecretString};
use std::fmt;
use std::time::Duration;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the farewell may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The interface of one server.
pub(super) struct Pmsif {
    end: TcpEnd,
    licence: SecretString,
    application: String,
}

impl fmt::Debug for Pmsif {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pmsif").field("end", &self.end).finish_non_exhaustive()
    }
}

impl Pmsif {
    pub(super) fn new(config: &Config) -> Self {
        let settings = &config.settings;
        Self {
            end: TcpEnd { host: settings.host.clone(), port: settings.port },
            licence: settings.licence.clone(),
            application: settings.application.clone(),
        }
    }

    /// Whether the server takes the licence.
    pub(super) async fn reach(&self, deadline: &Deadline) -> Result<(), Failure> {
        let mut connection = self.register(deadline).await?;
        farewell(&mut connection, deadline).await;
        Ok(())
    }

    /// Makes a card.
    ///
    /// # Errors
    /// `Unknown` once it may have been made.
    pub(super) async fn encode(&self, job: Job, deadline: &Deadline) -> Result<Job, Failure> {
        let mut connection = self.register(deadline).await?;
        let asked = Message::Encode(job);
        let answer = exchange(&mut connection, &asked, deadline).await?;
        farewell(&mut connection, deadline).await;
        match (answer, asked) {
            (Message::Encode(answer), Message::Encode(job)) if answer.encoder == job.encoder => result(answer),
            _ => Err(Failure::unknown(Reason::Garbled, "the answer is for another request")),
        }
    }

    async fn register(&self, deadline: &Deadline) -> Result<Connection<PmsifCodec>, Failure> {
        let mut connection = self.end.connect(PmsifCodec, CONNECT, deadline).await?;
        let licence = self.licence.expose_secret().to_owned();
        let asked = Message::Register { licence, application: self.application.clone(), result: 0 };
        match exchange(&mut connection, &asked, deadline).await.map_err(only_asked)? {
            Message::Register { result: 0, .. } => Ok(connection),
            Message::Register { result, .. } => {
                Err(Failure::refused(Reason::Unauthenticated, "the server does not take the licence").with_vendor_code(result.to_string()))
            }
            _ => Err(Failure::nothing(Reason::Garbled, "the answer is for another request")),
        }
    }
}

async fn exchange(connection: &mut Connection<PmsifCodec>, message: &Message, deadline: &Deadline) -> Result<Message, Failure> {
    connection.send(message, deadline).await?;
    connection.receive(deadline).await
}

/// Whatever comes of it, the job is done.
async fn farewell(connection: &mut Connection<PmsifCodec>, deadline: &Deadline) {
    let _ = exchange(connection, &Message::Unregister { result: 0 }, &deadline.sooner(FAREWELL)).await;
}

/// What the first byte of an answer says. Source: 1 client; that a letter names the field that is wrong is inferred.
pub(super) fn result(answer: Job) -> Result<Job, Failure> {
    let code = char::from(answer.command);
    let failure = match code {
        '0' => return Ok(answer),
        '1' => Failure::refused(Reason::Invalid, "the server does not know what it was asked for"),
        '2' => Failure::nothing(Reason::Offline, "Vision is not running"),
        '5' => Failure::nothing(Reason::Busy, "the encoder is busy"),
        '6' => Failure::refused(Reason::Full, "the lock has no room for more cards"),
        // Whether a card was there by then is not said.
        '8' => Failure::unknown(Reason::TimedOut, "the encoder did not answer in time"),
        '9' => Failure::refused(Reason::Clash, "no guest is in the room whom a card could join"),
        'D' | 'O' => Failure::refused(Reason::WindowRefused, "the server refuses the times"),
        'R' => Failure::refused(Reason::NotThere, "the server does not know the room"),
        _ => Failure::unknown(Reason::Other, "the server failed, and does not say what it has done"),
    };
    let code: String = if code.is_ascii_graphic() { code.to_string() } else { format!("{:#04x}", answer.command) };
    Err(failure.with_vendor_code(code))
}
