//! A server on a socket of this host.
use super::SimCertificate;
use async_trait::async_trait;
use bytes::BytesMut;
use chrono::{DateTime, TimeDelta, Utc};
use seam_core::clock::Clock;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;
use tokio_util::codec::Decoder;

/// What a server does wrong, from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misbehaviour {
    /// Nobody listens, and those who were connected are cut off.
    Offline,
    /// It reads, does nothing, and says nothing.
    LoseRequests,
    /// It does what it is asked to, and says nothing.
    LoseAnswers,
    /// Each answer comes so much later.
    Slow(Duration),
    /// It does what it is asked to, and answers with these bytes.
    Garbage(Vec<u8>),
    /// It does what it is asked to, answers with the first half, and closes the connection.
    HalfAnswer,
    /// It answers byte for byte, each in a packet of its own.
    Drip,
    /// What takes a request comes in one packet with the answer to it.
    Packed,
}

/// How a server talks with whoever connects.
#[async_trait]
pub trait Conversation: Send + Sync + 'static {
    /// Talks until the connection ends.
    async fn talk(&self, wire: Wire);
}

/// How a server is set up.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Its clock.
    pub clock: Arc<dyn Clock>,
    /// Its certificate; none: it speaks in the clear.
    pub certificate: Option<SimCertificate>,
}

impl ServerOptions {
    /// A server in the clear that goes by this clock.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, certificate: None }
    }
    /// With a certificate.
    #[must_use]
    pub fn with_certificate(mut self, certificate: SimCertificate) -> Self {
        self.certificate = Some(certificate);
        self
    }
}

struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    requests: AtomicU64,
    connections: AtomicU64,
}

#[derive(Default)]
struct State {
    misbehaviour: Option<Misbehaviour>,
    certificate: Option<SimCertificate>,
    clock_is_fast: TimeDelta,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A server on a port of 127.0.0.1. It ends when it is dropped.
pub struct Server {
    at: SocketAddr,
    conversation: Arc<dyn Conversation>,
    shared: Arc<Shared>,
    listens: Mutex<Option<JoinHandle<()>>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = self.listens().take() {
            task.abort();
        }
    }
}

impl Server {
    /// Starts on a free port.
    ///
    /// # Errors
    /// There is no port to be had.
    pub async fn start(conversation: Arc<dyn Conversation>, options: ServerOptions) -> io::Result<Self> {
        let listener = TcpListener::bind(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0)).await?;
        let shared = Arc::new(Shared {
            clock: options.clock,
            state: Mutex::new(State { certificate: options.certificate, ..State::default() }),
            requests: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
        let this = Self { at: listener.local_addr()?, conversation, shared, listens: Mutex::new(None) };
        this.listen(listener);
        Ok(this)
    }

    fn listens(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.listens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listen(&self, listener: TcpListener) {
        let (conversation, shared) = (Arc::clone(&self.conversation), Arc::clone(&self.shared));
        let task = tokio::spawn(async move {
            // Dropped with this task: whoever is connected is cut off.
            let mut connected = JoinSet::new();
            while let Ok((stream, peer)) = listener.accept().await {
                shared.connections.fetch_add(1, Ordering::SeqCst);
                connected.spawn(accept(stream, peer, Arc::clone(&conversation), Arc::clone(&shared)));
                while connected.try_join_next().is_some() {}
            }
        });
        *self.listens() = Some(task);
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.at
    }
    /// How many requests have reached it, those that it lost included.
    #[must_use]
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::SeqCst)
    }
    /// How many connections were made to it.
    #[must_use]
    pub fn connections(&self) -> u64 {
        self.shared.connections.load(Ordering::SeqCst)
    }
    /// Misbehaves from now on; `None`: behaves.
    ///
    /// # Errors
    /// Its port was taken by somebody else while it was offline.
    pub async fn misbehave(&self, how: Option<Misbehaviour>) -> io::Result<()> {
        let offline = how == Some(Misbehaviour::Offline);
        self.shared.state().misbehaviour = how;
        let task = if offline { self.listens().take() } else { None };
        if let Some(task) = task {
            task.abort();
            let _ = task.await;
        }
        if offline || self.listens().is_some() {
            return Ok(());
        }
        self.listen(TcpListener::bind(self.at).await?);
        Ok(())
    }
    /// Cuts off whoever is connected.
    ///
    /// # Errors
    /// As [`misbehave`](Self::misbehave).
    pub async fn cut_off(&self) -> io::Result<()> {
        let before = self.shared.state().misbehaviour.clone();
        self.misbehave(Some(Misbehaviour::Offline)).await?;
        self.misbehave(before).await
    }
    /// Shows another certificate to whoever connects from now on.
    pub fn change_certificate(&self, to: SimCertificate) {
        self.shared.state().certificate = Some(to);
    }
    /// Sets its clock wrong: so much fast, or slow when negative.
    pub fn set_clock_fast(&self, by: TimeDelta) {
        self.shared.state().clock_is_fast = by;
    }
    /// What its clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let fast = self.shared.state().clock_is_fast;
        self.shared.clock.now() + fast
    }
}

async fn accept(stream: TcpStream, peer: SocketAddr, conversation: Arc<dyn Conversation>, shared: Arc<Shared>) {
    let _ = stream.set_nodelay(true);
    let certificate = shared.state().certificate.clone();
    let stream: Box<dyn Stream> = match certificate {
        None => Box::new(stream),
        Some(certificate) => match TlsAcceptor::from(certificate.config).accept(stream).await {
            Ok(stream) => Box::new(stream),
            // The other side does not believe the certificate.
            Err(_) => return,
        },
    };
    conversation.talk(Wire { stream, peer, shared, unread: BytesMut::new(), held: Vec::new() }).await;
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send + Sync {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Sync> Stream for T {}

/// A connection, from the server's side.
pub struct Wire {
    stream: Box<dyn Stream>,
    peer: SocketAddr,
    shared: Arc<Shared>,
    unread: BytesMut,
    held: Vec<u8>,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("peer", &self.peer).finish_non_exhaustive()
    }
}

impl Wire {
    /// Who has connected.
    #[must_use]
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }
    /// What the server's clock shows.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let fast = self.shared.state().clock_is_fast;
        self.shared.clock.now() + fast
    }
    /// The next frame. `None`: the connection has ended.
    ///
    /// # Errors
    /// What the codec says of what came.
    pub async fn receive<D: Decoder>(&mut self, codec: &mut D) -> Result<Option<D::Item>, D::Error> {
        loop {
            if let Some(frame) = codec.decode(&mut self.unread)? {
                return Ok(Some(frame));
            }
            match self.stream.read_buf(&mut self.unread).await {
                Ok(0) | Err(_) => return codec.decode_eof(&mut self.unread),
                Ok(_) => {}
            }
        }
    }
    /// A whole request has come: it is counted, and perhaps lost. To be called before anything is done about it.
    pub async fn asked(&self) {
        self.shared.requests.fetch_add(1, Ordering::SeqCst);
        if self.shared.state().misbehaviour == Some(Misbehaviour::LoseRequests) {
            std::future::pending::<()>().await;
        }
    }
    /// Writes what belongs to the transport: an acknowledgement, say. Nothing is done wrong with it.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await
    }
    /// Writes what takes a request. Its answer follows, and may come in one packet with it ([`Misbehaviour::Packed`]).
    ///
    /// # Errors
    /// The connection broke.
    pub async fn take(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.shared.state().misbehaviour == Some(Misbehaviour::Packed) {
            self.held.extend_from_slice(bytes);
            return Ok(());
        }
        self.write(bytes).await
    }
    /// Answers, as well or as badly as the server was told to.
    ///
    /// # Errors
    /// The connection broke, or was broken: the conversation is over.
    pub async fn answer(&mut self, bytes: &[u8]) -> io::Result<()> {
        let how = self.shared.state().misbehaviour.clone();
        match how {
            Some(Misbehaviour::LoseAnswers) => std::future::pending().await,
            Some(Misbehaviour::Slow(by)) => {
                let at = self.shared.clock.now() + TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
                self.shared.clock.sleep_until(at).await;
                self.write(bytes).await
            }
            Some(Misbehaviour::Garbage(bytes)) => self.write(&bytes).await,
            Some(Misbehaviour::HalfAnswer) => {
                self.write(&bytes[..bytes.len() / 2]).await?;
                self.stream.shutdown().await?;
                Err(io::Error::other("told to break off"))
            }
            Some(Misbehaviour::Drip) => {
                for byte in bytes {
                    self.write(&[*byte]).await?;
                    tokio::task::yield_now().await;
                }
                Ok(())
            }
            Some(Misbehaviour::Offline | Misbehaviour::LoseRequests | Misbehaviour::Packed) | None => {
                let mut all = std::mem::take(&mut self.held);
                all.extend_from_slice(bytes);
                self.write(&all).await
            }
        }
    }
}
