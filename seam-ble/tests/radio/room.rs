//! A room: virtual controllers in a process of their own, and the radios on them.
use seam_ble::crypto::rustcrypto::SoftwareKey;
use seam_ble::crypto::{PublicKey, Secret, SigningKey};
use seam_ble::pkoc::{LocationId, SiteId};
use seam_ble::transport::LinkError;
use seam_ble::transport::memory::MemoryLink;
use seam_ble::transport::radio::{self, Wanted};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;

pub(crate) const SITE: SiteId = SiteId([0x10; 16]);
pub(crate) const LOCATION: LocationId = LocationId([0x30; 16]);
pub(crate) const NOW: u32 = 1_800_000_000;

/// The bytes of private keys; the peers in the other language know them too.
pub(crate) mod who {
    pub(crate) const ISSUER: u8 = 0x44;
    pub(crate) const READER: u8 = 0x55;
    pub(crate) const PHONE: u8 = 0x66;
}

pub(crate) fn key(byte: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&Secret::new([byte; 32])).unwrap()
}

pub(crate) fn public(byte: u8) -> PublicKey {
    key(byte).public_key()
}

/// A door on a controller.
pub(crate) struct Door {
    pub(crate) sessions: UnboundedReceiver<MemoryLink>,
}

/// A phone on a controller.
pub(crate) struct Phone {
    wanted: UnboundedSender<Wanted>,
}

impl Phone {
    pub(crate) async fn want(&self) -> Result<MemoryLink, LinkError> {
        let (wanted, link) = oneshot::channel();
        self.wanted.send(wanted).map_err(|_| LinkError::Closed)?;
        link.await.unwrap_or(Err(LinkError::Closed))
    }
}

/// The process, its controllers, and who uses them.
pub(crate) struct Room {
    _process: Child,
    orders: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
    ports: Vec<u16>,
    broken: u32,
    pub(crate) door: Option<Door>,
    pub(crate) phone: Option<Phone>,
}

/// Where `cargo xtask test` puts Python with what is needed.
fn python() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../radio/bin/python3")
}

/// Runs a test in a room, on one thread, in limited time. Where the radio is missing it is skipped, except in CI.
pub(crate) fn play(peers: &[&str], test: impl AsyncFnOnce(Room)) {
    if !python().exists() {
        assert!(std::env::var_os("CI").is_none(), "the virtual radio is missing, and CI is set: nothing may be skipped");
        println!("skipped: the tests on a virtual radio need bumble; get it with: cargo xtask test --only setup");
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    runtime.block_on(local.run_until(async {
        let room = Room::open(peers).await;
        tokio::time::timeout(Duration::from_secs(300), test(room)).await.unwrap();
    }));
}

impl Room {
    async fn open(peers: &[&str]) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/radio/radio.py");
        let mut command = Command::new(python());
        command.arg(script).args(peers).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().unwrap();
        let orders = process.stdin.take().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut room = Self { _process: process, orders, lines, ports: Vec::new(), broken: 0, door: None, phone: None };
        room.ports =
            room.seen().await["ports"].as_array().unwrap().iter().map(|port| u16::try_from(port.as_u64().unwrap()).unwrap()).collect();
        room
    }

    /// The next line of the process.
    pub(crate) async fn seen(&mut self) -> Value {
        let line = self.lines.next_line().await.unwrap().expect("the radio is still there");
        serde_json::from_str(&line).unwrap()
    }

    async fn controller(&mut self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.ports.pop().unwrap())).await.unwrap()
    }

    pub(crate) async fn with_door(&mut self) {
        let (sender, sessions) = unbounded_channel();
        let hci = self.controller().await;
        tokio::task::spawn_local(async move { radio::door(hci, [0xC0, 0, 0, 0, 0, 1], sender).await.unwrap() });
        self.door = Some(Door { sessions });
    }

    pub(crate) async fn with_phone(&mut self) {
        let (wanted, receiver) = unbounded_channel();
        let hci = self.controller().await;
        tokio::task::spawn_local(async move { radio::phone(hci, [0xC0, 0, 0, 0, 0, 2], receiver).await.unwrap() });
        self.phone = Some(Phone { wanted });
    }

    /// The so-many-th packet from now is lost, and the connection with it.
    pub(crate) async fn break_after(&mut self, packets: u8) {
        self.orders.write_all(format!("{packets}\n").as_bytes()).await.unwrap();
        self.orders.flush().await.unwrap();
        assert_eq!(self.seen().await["armed"], packets);
    }

    /// Whether that has happened.
    pub(crate) async fn broke(&mut self) -> bool {
        self.orders.write_all(b"0\n").await.unwrap();
        let before = self.broken;
        loop {
            let seen = self.seen().await;
            if seen["broken"] == true {
                self.broken += 1;
            } else {
                assert_eq!(seen["armed"], 0);
                return self.broken > before;
            }
        }
    }
}
