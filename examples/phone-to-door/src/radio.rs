//! Meeting over a virtual radio: two Bluetooth hosts of this program on controllers of a process beside it.
use crate::meeting::{Meeting, Met, OnAir, Speak};
use seam_ble::aliro::ble::advert::NO_CLOCK;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::transport::LinkError;
use seam_ble::transport::aliro::Agreed;
use seam_ble::transport::memory::MemoryLink;
use seam_ble::transport::radio::{aliro, pkoc};
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

/// Addresses are random static ones: their two highest bits are set.
const DOOR: [u8; 6] = [0xC0, 0, 0, 0, 0, 1];
const PHONE: [u8; 6] = [0xC0, 0, 0, 0, 0, 2];

/// Two radios in reach of each other. They run as tasks of the current thread: it needs a `tokio::task::LocalSet`.
#[derive(Debug)]
pub struct OnRadio {
    _controllers: Child,
    /// Until the lock is on the air.
    unused: Option<(TcpStream, TcpStream)>,
    hosts: Option<Hosts>,
}

/// The two hosts, by what they speak.
#[derive(Debug)]
enum Hosts {
    Pkoc { sessions: UnboundedReceiver<MemoryLink>, wanted: UnboundedSender<pkoc::Wanted> },
    Aliro { sessions: UnboundedReceiver<aliro::Session>, wanted: UnboundedSender<aliro::Wanted>, lock: OnAir },
}

impl OnRadio {
    /// Starts the controllers.
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
        let unused = (TcpStream::connect(("127.0.0.1", door)).await?, TcpStream::connect(("127.0.0.1", phone)).await?);
        Ok(Self { _controllers: controllers, unused: Some(unused), hosts: None })
    }
}

impl Meeting for OnRadio {
    fn put_on_air(&mut self, speak: Speak, lock: OnAir) -> Result<(), LinkError> {
        let (door, phone) = self.unused.take().ok_or(LinkError::Radio("using the controllers twice"))?;
        // When a host fails its channel closes, and the next meeting says so.
        self.hosts = Some(match speak {
            Speak::Touch => return Err(LinkError::Radio("touching: that is no matter of Bluetooth")),
            Speak::Pkoc => {
                let ((session, sessions), (wanted, wants)) = (unbounded_channel(), unbounded_channel());
                tokio::task::spawn_local(pkoc::door(door, DOOR, session));
                tokio::task::spawn_local(pkoc::phone(phone, PHONE, wants));
                Hosts::Pkoc { sessions, wanted }
            }
            Speak::Aliro => {
                let ((session, sessions), (wanted, wants)) = (unbounded_channel(), unbounded_channel());
                let offered = lock.clone();
                tokio::task::spawn_local(async move {
                    let OnAir { reader, resolving_key } = &offered;
                    let offer = aliro::Door { reader: *reader, resolving_key, expiry: &|| NO_CLOCK, tx_power: 0, spsm: aliro::SPSM };
                    aliro::door(door, DOOR, &RustCrypto, &offer, session).await
                });
                tokio::task::spawn_local(aliro::phone(phone, PHONE, &RustCrypto, wants));
                Hosts::Aliro { sessions, wanted, lock }
            }
        });
        Ok(())
    }

    async fn meet(&mut self) -> Result<Met, LinkError> {
        match self.hosts.as_mut().ok_or(LinkError::Closed)? {
            Hosts::Pkoc { sessions, wanted } => {
                let (answer, link) = oneshot::channel();
                wanted.send(answer).map_err(|_| LinkError::Closed)?;
                let at_phone = link.await.map_err(|_| LinkError::Closed)??;
                let at_lock = sessions.recv().await.ok_or(LinkError::Closed)?;
                Ok(Met { at_lock, at_phone, agreed: Agreed::default() })
            }
            Hosts::Aliro { sessions, wanted, lock } => {
                let (answer, session) = oneshot::channel();
                let search = aliro::Search { group: *lock.reader.group(), resolving_key: lock.resolving_key.clone(), now: None };
                wanted.send((search, answer)).map_err(|_| LinkError::Closed)?;
                let phone = session.await.map_err(|_| LinkError::Closed)??;
                let door = sessions.recv().await.ok_or(LinkError::Closed)?;
                // Each side took it from what the other said: a difference would end the transaction at the first encrypted message.
                Ok(Met { at_lock: door.link, at_phone: phone.link, agreed: phone.agreed })
            }
        }
    }
}
