//! Meeting over a virtual radio: two Bluetooth hosts of this program on controllers of a process beside it.
use crate::meeting::Meeting;
use seam_ble::transport::LinkError;
use seam_ble::transport::memory::MemoryLink;
use seam_ble::transport::radio::{self, Wanted};
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

/// Python with bumble, where `cargo xtask test --only setup` puts it; none when it is not there.
///
/// `CARGO_TARGET_DIR` says where cargo builds, when it is not the folder `target` of the project.
#[must_use]
pub fn python() -> Option<PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| project.join("target"), |named| project.join(named));
    let python = target.join("radio/bin/python3");
    python.exists().then_some(python)
}

/// Two radios in reach of each other. They run as tasks of the current thread: it needs a `tokio::task::LocalSet`.
#[derive(Debug)]
pub struct OnRadio {
    _controllers: Child,
    sessions: UnboundedReceiver<MemoryLink>,
    wanted: UnboundedSender<Wanted>,
}

impl OnRadio {
    /// Starts the controllers and both hosts.
    ///
    /// # Errors
    /// When the process of the controllers does not start or says something else than expected.
    pub async fn start(python: &Path) -> io::Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../seam-ble/tests/radio/radio.py");
        let mut command = Command::new(python);
        command.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut controllers = command.spawn()?;
        let output = controllers.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let line = BufReader::new(output).lines().next_line().await?.unwrap_or_default();
        // {"ports": [1, 2]}
        let numbers = line.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse::<u16>().ok());
        let [door, phone] = numbers.collect::<Vec<_>>().try_into().map_err(|_| io::Error::other(format!("the radio said: {line}")))?;
        let (door, phone) = (TcpStream::connect(("127.0.0.1", door)).await?, TcpStream::connect(("127.0.0.1", phone)).await?);
        let (session, sessions) = unbounded_channel();
        let (wanted, wants) = unbounded_channel();
        // When a host fails its channel closes, and the next meeting says so.
        tokio::task::spawn_local(radio::door(door, [0xC0, 0, 0, 0, 0, 1], session));
        tokio::task::spawn_local(radio::phone(phone, [0xC0, 0, 0, 0, 0, 2], wants));
        Ok(Self { _controllers: controllers, sessions, wanted })
    }
}

impl Meeting for OnRadio {
    async fn meet(&mut self) -> Result<(MemoryLink, MemoryLink), LinkError> {
        let (wanted, link) = oneshot::channel();
        self.wanted.send(wanted).map_err(|_| LinkError::Closed)?;
        let phone = link.await.map_err(|_| LinkError::Closed)??;
        let door = self.sessions.recv().await.ok_or(LinkError::Closed)?;
        Ok((door, phone))
    }
}
