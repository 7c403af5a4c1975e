//! Requests and answers over TCP, in the frames of a codec. Every failure says what may have happened.
//!
//! A connection is closed by its first failure, and by being dropped: whoever runs out of time drops it.
use super::{Deadline, LONGEST_ANSWER};
use bytes::BytesMut;
use seam_core::provider::{Failure, Reason};
use std::fmt;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::codec::{Decoder, Encoder};

/// A server that is spoken to over TCP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TcpEnd {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for TcpEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "tcp://{}:{}", self.host, self.port)
    }
}

impl TcpEnd {
    /// Connects.
    ///
    /// # Errors
    /// `Nothing` ([`Offline`](Reason::Offline), [`TimedOut`](Reason::TimedOut)): nobody was reached.
    pub async fn connect<C>(&self, codec: C, within: Duration, deadline: &Deadline) -> Result<Connection<C>, Failure> {
        match deadline.sooner(within).bound(TcpStream::connect((self.host.as_str(), self.port))).await {
            Some(Ok(stream)) => {
                // Small messages, each waited for.
                let _ = stream.set_nodelay(true);
                Ok(Connection { stream: Some(stream), codec, unread: BytesMut::new() })
            }
            Some(Err(e)) => Err(Failure::nothing(Reason::Offline, format!("no connection was made: {}", e.kind()))),
            None => Err(Failure::nothing(Reason::TimedOut, "no connection was made in time")),
        }
    }
}

/// A connection whose bytes are cut into frames by a codec.
#[derive(Debug)]
pub struct Connection<C> {
    stream: Option<TcpStream>,
    codec: C,
    unread: BytesMut,
}

/// When a message without an end is over.
struct Quiet<'a> {
    may_be_whole: fn(&[u8]) -> bool,
    pause: Duration,
    deadline: &'a Deadline,
}

/// The connection has failed before: nothing goes out on it any more.
fn closed() -> Failure {
    Failure::nothing(Reason::Offline, "the connection is closed")
}

impl<C> Connection<C> {
    /// Whether it can still be used, as far as is known.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.stream.is_some()
    }
    /// Closes it.
    fn close(&mut self) {
        self.stream = None;
        self.unread.clear();
    }

    /// Sends a message.
    ///
    /// # Errors
    /// `Refused` ([`Invalid`](Reason::Invalid)) for what the codec cannot write; nothing was sent. `Nothing` on a closed connection. Else `Unknown`: a part
    /// of it may have arrived.
    pub async fn send<M>(&mut self, message: M, deadline: &Deadline) -> Result<(), Failure>
    where
        C: Encoder<M>,
        C::Error: fmt::Display,
    {
        let stream = self.stream.as_mut().ok_or_else(closed)?;
        let mut bytes = BytesMut::new();
        self.codec.encode(message, &mut bytes).map_err(|e| Failure::refused(Reason::Invalid, e.to_string()))?;
        let written = deadline
            .bound(async {
                stream.write_all(&bytes).await?;
                stream.flush().await
            })
            .await;
        let failure = match written {
            Some(Ok(())) => return Ok(()),
            Some(Err(e)) => Failure::unknown(Reason::Other, format!("the connection broke: {}", e.kind())),
            None => Failure::unknown(Reason::TimedOut, "the request was not taken in time"),
        };
        self.close();
        Err(failure)
    }

    /// Receives a message.
    ///
    /// # Errors
    /// `Unknown`: nothing came in time ([`TimedOut`](Reason::TimedOut)), the connection ended ([`Other`](Reason::Other)), or what came is no message
    /// ([`Garbled`](Reason::Garbled)). Whoever has not yet asked for anything knows that nothing has happened: [`only_asked`](super::only_asked).
    pub async fn receive(&mut self, deadline: &Deadline) -> Result<C::Item, Failure>
    where
        C: Decoder,
        C::Error: fmt::Display,
    {
        let answer = match deadline.bound(self.next(None)).await {
            Some(answer) => answer,
            None => Err(Failure::unknown(Reason::TimedOut, "no answer in time")),
        };
        if answer.is_err() {
            self.close();
        }
        answer
    }

    /// Receives a message that may come without an end: what `may_be_whole` is taken for one after a pause. Meant for the last message of a connection.
    ///
    /// # Errors
    /// As [`receive`](Self::receive).
    pub async fn receive_until_quiet(
        &mut self,
        may_be_whole: fn(&[u8]) -> bool,
        pause: Duration,
        deadline: &Deadline,
    ) -> Result<C::Item, Failure>
    where
        C: Decoder,
        C::Error: fmt::Display,
    {
        let quiet = Quiet { may_be_whole, pause, deadline };
        let answer = match deadline.bound(self.next(Some(quiet))).await {
            Some(answer) => answer,
            None => Err(Failure::unknown(Reason::TimedOut, "no answer in time")),
        };
        if answer.is_err() {
            self.close();
        }
        answer
    }

    async fn next(&mut self, quiet: Option<Quiet<'_>>) -> Result<C::Item, Failure>
    where
        C: Decoder,
        C::Error: fmt::Display,
    {
        let garbled = |e: C::Error| Failure::unknown(Reason::Garbled, format!("the answer could not be understood: {e}"));
        loop {
            if let Some(message) = self.codec.decode(&mut self.unread).map_err(garbled)? {
                return Ok(message);
            }
            if self.unread.len() > LONGEST_ANSWER {
                return Err(Failure::unknown(Reason::Garbled, "the answer has no end"));
            }
            let stream = self.stream.as_mut().ok_or_else(|| Failure::unknown(Reason::Offline, "the connection is closed"))?;
            let pause = quiet.as_ref().filter(|quiet| (quiet.may_be_whole)(&self.unread)).map(|quiet| quiet.deadline.sooner(quiet.pause));
            let read = stream.read_buf(&mut self.unread);
            let read = match pause {
                Some(pause) => pause.bound(read).await.unwrap_or(Ok(0)),
                None => read.await,
            };
            match read {
                Ok(0) => {
                    let rest = self.codec.decode_eof(&mut self.unread).map_err(garbled)?;
                    return rest.ok_or_else(|| Failure::unknown(Reason::Other, "the connection ended before an answer"));
                }
                Ok(_) => {}
                Err(e) => return Err(Failure::unknown(Reason::Other, format!("the connection broke: {}", e.kind()))),
            }
        }
    }
}
