//! The dialogue: enquire, send, wait for the acknowledgement, wait for the answer.
use super::{Control, Decoder, Event, Frame, FrameError};
use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// A request is sent at most so often: each time the other side said that it did not take it.
const SENDS: u32 = 3;
/// Between two enquiries.
const PAUSE: Duration = Duration::from_millis(200);

/// How long each part of a dialogue may take.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// For one control byte, and between two bytes of one message: 2 s, as the vendor's manual suggests.
    pub control: Duration,
    /// From the acknowledgement to the answer. A person offers a card in between, so it must exceed the encoder's own wait: 60 s.
    pub answer: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { control: Duration::from_secs(2), answer: Duration::from_secs(60) }
    }
}

/// A line to an encoder or to the program that has it. One request at a time: messages carry no number, so after anything unclear the line is
/// [`LineError::Spent`] and a new one must be opened, else a late answer would be taken for the next one.
pub struct Line<S> {
    io: S,
    timeouts: Timeouts,
    decoder: Decoder,
    /// True from the first byte of a dialogue to its answer, so that a dialogue which was dropped halfway spends the line too.
    spent: bool,
}

impl<S> fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("timeouts", &self.timeouts).field("spent", &self.spent).finish_non_exhaustive()
    }
}

/// Why a dialogue failed. [`LineError::is_unknown`] says whether the work may have been done all the same.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// It cannot be reached. Nothing was asked.
    #[error("the encoder's line cannot be opened")]
    Unreachable(#[source] io::Error),
    /// It does not answer an enquiry. Nothing was asked.
    #[error("the encoder's line does not answer")]
    Silent,
    /// It is not ready, or did not take the request three times. Nothing was done.
    #[error("the encoder's line is not ready")]
    NotReady,
    /// An earlier dialogue on this line ended unclear. Nothing was asked.
    #[error("the line was left in the middle of a dialogue: open a new one")]
    Spent,
    /// The request was sent and no answer came: the card may have been written.
    #[error("no answer came to a request that was sent")]
    NoAnswer,
    /// The request was sent and the answer is no message: the card may have been written.
    #[error("the answer to a request is no message")]
    Garbled(#[source] FrameError),
}

impl LineError {
    /// Whether what was asked may have been done.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::NoAnswer | Self::Garbled(_))
    }
}

impl Line<tokio::net::TcpStream> {
    /// Opens a line over TCP. There is no encryption and no login in this family: only over loopback, a private network or a tunnel.
    ///
    /// # Errors
    /// [`LineError::Unreachable`], also when it takes longer than `within`.
    pub async fn tcp(address: impl tokio::net::ToSocketAddrs, within: Duration, timeouts: Timeouts) -> Result<Self, LineError> {
        let stream = match timeout(within, tokio::net::TcpStream::connect(address)).await {
            Ok(opened) => opened.map_err(LineError::Unreachable)?,
            Err(late) => return Err(LineError::Unreachable(late.into())),
        };
        stream.set_nodelay(true).map_err(LineError::Unreachable)?;
        Ok(Self::new(stream, timeouts))
    }
}

#[cfg(feature = "serial")]
impl Line<serial2_tokio::SerialPort> {
    /// Opens a line over a serial port. Speed and parity are set at the encoder and are not public, so there is no default; 8 data bits, because the
    /// separator needs them.
    ///
    /// # Errors
    /// [`LineError::Unreachable`].
    pub fn serial(
        port: impl AsRef<std::path::Path>,
        baud: u32,
        parity: serial2_tokio::Parity,
        timeouts: Timeouts,
    ) -> Result<Self, LineError> {
        let settings = |mut settings: serial2_tokio::Settings| {
            settings.set_raw();
            settings.set_baud_rate(baud)?;
            settings.set_char_size(serial2_tokio::CharSize::Bits8);
            settings.set_parity(parity);
            Ok(settings)
        };
        let port = serial2_tokio::SerialPort::open(port, settings).map_err(LineError::Unreachable)?;
        Ok(Self::new(port, timeouts))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Line<S> {
    /// A line over bytes that flow both ways.
    pub fn new(io: S, timeouts: Timeouts) -> Self {
        Self { io, timeouts, decoder: Decoder::default(), spent: false }
    }

    /// Asks one thing and waits for its answer. An error code is an answer too: the dialect reads it.
    ///
    /// # Errors
    /// [`LineError`]: all but `NoAnswer` and `Garbled` are sure that nothing was done and may be repeated.
    pub async fn ask(&mut self, request: &Frame) -> Result<Frame, LineError> {
        if std::mem::replace(&mut self.spent, true) {
            return Err(LineError::Spent);
        }
        let mut sends = 0;
        self.send(&[Control::Enquire.byte()]).await.map_err(LineError::Unreachable)?;
        loop {
            match self.control().await {
                Some(Control::Accepted) if sends < SENDS => {}
                Some(_) => return Err(self.end(LineError::NotReady)),
                None => return Err(LineError::Silent),
            }
            // From the first byte on, only a refusal says that it was not taken.
            sends += 1;
            self.send(&request.to_bytes()).await.map_err(|_| LineError::NoAnswer)?;
            match self.control().await {
                Some(Control::Accepted) => break,
                Some(_) if sends == SENDS => return Err(self.end(LineError::NotReady)),
                Some(_) => {}
                None => return Err(LineError::NoAnswer),
            }
            tokio::time::sleep(PAUSE).await;
            self.send(&[Control::Enquire.byte()]).await.map_err(|_| LineError::Silent)?;
        }
        let answer = self.answer().await?;
        self.spent = false;
        Ok(answer)
    }

    /// The dialogue ended clearly: the line may be used again.
    fn end(&mut self, error: LineError) -> LineError {
        self.spent = false;
        error
    }

    async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let all = async {
            self.io.write_all(bytes).await?;
            self.io.flush().await
        };
        timeout(self.timeouts.control, all).await?
    }

    /// The next control byte that answers us. The other side's own enquiry means nothing to a client.
    async fn control(&mut self) -> Option<Control> {
        loop {
            match within(self.timeouts.control, self.event(self.timeouts.control)).await? {
                Event::Control(Control::Enquire) => {}
                Event::Control(control) => return Some(control),
                // A message where a byte was due: left over from somebody else's dialogue. This one is not clear.
                Event::Frame(_) => return None,
            }
        }
    }

    async fn answer(&mut self) -> Result<Frame, LineError> {
        let wait = self.timeouts.answer;
        let frame = async {
            loop {
                if let Event::Frame(frame) = self.event(wait).await? {
                    return Some(frame);
                }
            }
        };
        within(wait, frame).await.ok_or(LineError::NoAnswer)?.map_err(LineError::Garbled)
    }

    /// The next event, its first byte within `first`. `None`: none came, or the line is closed.
    async fn event(&mut self, first: Duration) -> Option<Event> {
        loop {
            let wait = if self.decoder.is_inside() { self.timeouts.control } else { first };
            let byte = within(wait, async { self.io.read_u8().await.ok() }).await?;
            if let Some(event) = self.decoder.take(byte) {
                return Some(event);
            }
        }
    }
}

async fn within<T>(time: Duration, what: impl Future<Output = Option<T>>) -> Option<T> {
    timeout(time, what).await.ok().flatten()
}
