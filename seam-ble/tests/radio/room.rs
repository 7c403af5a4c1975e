//! A room: virtual controllers in a process of their own, and the radios on them.
use seam_ble::aliro::ReaderId;
use seam_ble::aliro::ble::advert::NO_CLOCK;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{PublicKey, Secret, SigningKey};
use seam_ble::pkoc::{LocationId, SiteId};
use seam_ble::transport::LinkError;
use seam_ble::transport::memory::MemoryLink;
use seam_ble::transport::radio::aliro;
use seam_ble::transport::radio::pkoc::{self as radio, Wanted};
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
    /// How often it had broken when the last break was ordered.
    armed_at: u32,
    pub(crate) door: Option<Door>,
    pub(crate) phone: Option<Phone>,
    aliro_wanted: Option<UnboundedSender<aliro::Wanted>>,
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
        let mut room = Self {
            _process: process,
            orders,
            lines,
            ports: Vec::new(),
            broken: 0,
            armed_at: 0,
            door: None,
            phone: None,
            aliro_wanted: None,
        };
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

    /// An Aliro lock of the group that this resolving key belongs to. The last byte of its address tells locks apart.
    pub(crate) async fn aliro_door(&mut self, address: u8, reader: ReaderId, resolving_key: u8) -> UnboundedReceiver<aliro::Session> {
        let (sender, sessions) = unbounded_channel();
        let hci = self.controller().await;
        tokio::task::spawn_local(async move {
            let resolving_key = Secret::new([resolving_key; 16]);
            let offer = aliro::Door { reader, resolving_key: &resolving_key, expiry: &|| NO_CLOCK, tx_power: 0, spsm: aliro::SPSM };
            aliro::door(hci, [0xC0, 0, 0, 0, 0, address], &RustCrypto, &offer, sender).await.unwrap();
        });
        sessions
    }

    pub(crate) async fn with_aliro_phone(&mut self) {
        let (wanted, receiver) = unbounded_channel();
        let hci = self.controller().await;
        tokio::task::spawn_local(async move { aliro::phone(hci, [0xC0, 0, 0, 0, 0, 4], &RustCrypto, receiver).await.unwrap() });
        self.aliro_wanted = Some(wanted);
    }

    /// Lets the Aliro phone look for a lock of the group.
    pub(crate) fn want(&self, group: [u8; 16], resolving_key: u8) -> impl Future<Output = Result<aliro::Session, LinkError>> + use<> {
        let (answer, session) = oneshot::channel();
        let search = aliro::Search { group, resolving_key: Secret::new([resolving_key; 16]), now: None };
        let sent = self.aliro_wanted.as_ref().unwrap().send((search, answer)).map_err(|_| LinkError::Closed);
        async move {
            sent?;
            session.await.unwrap_or(Err(LinkError::Closed))
        }
    }

    /// Sends the phone in the other language on a visit.
    pub(crate) async fn send_visit(&mut self, how: &str) {
        self.orders.write_all(format!("visit {how}\n").as_bytes()).await.unwrap();
        self.orders.flush().await.unwrap();
    }

    /// The next line that says `what`; notices on the way that a connection was broken.
    pub(crate) async fn seen_of(&mut self, what: &str) -> Value {
        loop {
            let seen = self.seen().await;
            if seen["broken"] == true {
                self.broken += 1;
            } else if !seen[what].is_null() {
                return seen;
            }
        }
    }

    /// The so-many-th packet from now is lost, and the connection with it.
    pub(crate) async fn break_after(&mut self, packets: u8) {
        self.orders.write_all(format!("{packets}\n").as_bytes()).await.unwrap();
        self.orders.flush().await.unwrap();
        assert_eq!(self.seen_of("armed").await["armed"], packets);
        self.armed_at = self.broken;
    }

    /// Whether that has happened.
    pub(crate) async fn broke(&mut self) -> bool {
        self.orders.write_all(b"0\n").await.unwrap();
        let before = std::mem::take(&mut self.armed_at);
        loop {
            let seen = self.seen().await;
            if seen["broken"] == true {
                self.broken += 1;
            } else if seen["armed"] == 0 {
                return self.broken > before;
            }
        }
    }
}
