//! A simulated MIFARE DESFire EV1, EV2 or EV3.
//!
//! It checks every MAC, CRC and padding, keeps to the rights of keys and files, forgets its session whenever something is wrong, and loses what
//! was not committed when it loses power.
mod authenticate;
mod cipher;
mod files;
mod manage;
mod memory;
mod session;
mod status;

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use self::authenticate::Half;
use self::cipher::Cipher;
use self::memory::{Application, Content};
use self::session::{Secured, Session};
use self::status::{ABORTED, AUTHENTICATION, ILLEGAL_COMMAND, LENGTH, NO_SUCH_APPLICATION, Refusal};
use super::SimulatedCard;
use serde::{Deserialize, Serialize};

/// Which card it is.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum DesfireModel {
    /// EV1: no EV2 messaging, no transaction MAC.
    Ev1,
    /// EV2.
    Ev2,
    /// EV3.
    Ev3,
}

/// A simulated card. It comes as from the factory: empty, with a master key of zeros for DES.
#[derive(Deserialize, Serialize)]
pub struct DesfireCard {
    model: DesfireModel,
    uid: [u8; 7],
    has_random_uid: bool,
    picc: Application,
    applications: BTreeMap<u32, Application>,
    /// Bytes of memory for files.
    memory: usize,
    drawn: u64,
    #[serde(skip)]
    recorded: VecDeque<u8>,
    // What it forgets without power:
    #[serde(skip)]
    selected: u32,
    #[serde(skip)]
    session: Option<Session>,
    #[serde(skip)]
    exchange: Exchange,
    /// What the transaction MAC is over.
    #[serde(skip)]
    transaction: Vec<u8>,
}

/// What a chain of frames is at.
#[derive(Default)]
enum Exchange {
    #[default]
    Idle,
    Authenticating(Half),
    Receiving {
        ins: u8,
        params: Vec<u8>,
    },
    Sending(VecDeque<Vec<u8>>),
}

/// What is answered.
enum Reply {
    Done(Vec<u8>),
    More(Vec<u8>),
}

impl DesfireCard {
    /// A new card with this serial number.
    #[must_use]
    pub fn new(model: DesfireModel, uid: [u8; 7]) -> Self {
        Self {
            model,
            uid,
            has_random_uid: false,
            picc: Application::new(0x0F, 0x00, 1),
            applications: BTreeMap::new(),
            memory: 8192 - 512,
            drawn: 0,
            recorded: VecDeque::new(),
            selected: 0,
            session: None,
            exchange: Exchange::Idle,
            transaction: Vec::new(),
        }
    }
    /// With this many bytes for applications and files.
    #[must_use]
    pub fn with_memory(mut self, bytes: usize) -> Self {
        self.memory = bytes;
        self
    }
    /// Draws these as its next random numbers, as a recording has them.
    #[must_use]
    pub fn drawing(mut self, bytes: &[u8]) -> Self {
        self.recorded.extend(bytes);
        self
    }
    /// What is committed in a standard or backup file, or in the newest record; `None` where there is no such file or record.
    #[must_use]
    pub fn content(&self, application: u32, file: u8) -> Option<Vec<u8>> {
        match &self.application(application)?.files.get(&file)?.content {
            Content::Standard(bytes) | Content::Backup { kept: bytes, .. } => Some(bytes.clone()),
            Content::Value { kept, .. } => Some(kept.to_le_bytes().to_vec()),
            Content::Records { kept, .. } => kept.last().cloned(),
            Content::TransactionMac { value, .. } => Some(value.to_vec()),
        }
    }
    /// The key of an application (0 for the card), with its version.
    #[must_use]
    pub fn key(&self, application: u32, key_no: u8) -> Option<(Vec<u8>, u8)> {
        let key = self.application(application)?.keys.get(usize::from(key_no))?;
        Some((key.bytes.clone(), key.version))
    }
    /// The numbers of its applications.
    #[must_use]
    pub fn applications(&self) -> Vec<u32> {
        self.applications.keys().copied().collect()
    }

    fn application(&self, number: u32) -> Option<&Application> {
        if number == 0 { Some(&self.picc) } else { self.applications.get(&number) }
    }
    fn current(&self) -> &Application {
        self.application(self.selected).unwrap_or(&self.picc)
    }
    fn current_mut(&mut self) -> &mut Application {
        match self.selected {
            0 => &mut self.picc,
            number => self.applications.get_mut(&number).unwrap_or(&mut self.picc),
        }
    }
    fn free(&self) -> usize {
        self.memory.saturating_sub(self.applications.values().map(Application::bytes).sum())
    }
    fn who(&self) -> Option<u8> {
        self.session.as_ref().map(Session::key_no)
    }

    /// A number of its own; the same in every run.
    fn draw<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| {
            self.recorded.pop_front().unwrap_or_else(|| {
                self.drawn += 1;
                let block = Cipher::new(0x80, &[0x5C; 16]).cmac(&[&self.uid[..], &self.drawn.to_le_bytes()].concat());
                block[0]
            })
        })
    }

    fn forget(&mut self) {
        self.session = None;
        self.exchange = Exchange::Idle;
        self.transaction.clear();
        self.picc.roll_back();
        self.applications.values_mut().for_each(Application::roll_back);
    }

    fn take(&mut self, ins: u8, params: &[u8]) -> Result<Reply, Refusal> {
        let exchange = std::mem::replace(&mut self.exchange, Exchange::Idle);
        match (ins, exchange) {
            (0xAF, Exchange::Idle) => Err(ILLEGAL_COMMAND),
            (0xAF, Exchange::Authenticating(half)) => self.finish_authentication(half, params).map(Reply::Done),
            (0xAF, Exchange::Receiving { ins, params: mut so_far }) => {
                so_far.extend(params);
                self.receive(ins, so_far)
            }
            (0xAF, Exchange::Sending(frames)) if params.is_empty() => Ok(self.send(frames)),
            (0xAF, Exchange::Sending(_)) => Err(LENGTH),
            (_, Exchange::Idle) => match ins {
                0x1A | 0xAA | 0x71 | 0x77 => self.begin_authentication(ins, params).map(Reply::More),
                0x5A => self.select(params).map(Reply::Done),
                0x3D | 0x3B => self.receive(ins, params.to_vec()),
                _ => self.execute(ins, params),
            },
            _ => Err(ABORTED),
        }
    }

    /// Takes a write whose length its header tells.
    fn receive(&mut self, ins: u8, params: Vec<u8>) -> Result<Reply, Refusal> {
        let (secured, data) = self.security(ins, &params)?;
        let whole = self.session.as_ref().map_or(secured.header + data, |session| session.length(secured, data));
        match params.len().cmp(&whole) {
            std::cmp::Ordering::Less => {
                self.exchange = Exchange::Receiving { ins, params };
                Ok(Reply::More(Vec::new()))
            }
            std::cmp::Ordering::Equal => self.execute(ins, &params),
            std::cmp::Ordering::Greater => Err(LENGTH),
        }
    }

    /// Carries a whole command out.
    fn execute(&mut self, ins: u8, params: &[u8]) -> Result<Reply, Refusal> {
        let who = self.who();
        // Only the command that goes well puts it back.
        let mut session = self.session.take();
        if ins == 0xC4 {
            return self.change_key(session, params).map(Reply::Done);
        }
        let (secured, data) = self.security_of(ins, params, session.as_ref())?;
        let clear = match &mut session {
            Some(session) => session.unwrap(ins, params, secured, data)?,
            None if secured.command == session::Way::Full || secured.response == session::Way::Full => return Err(AUTHENTICATION),
            None => params.to_vec(),
        };
        let answer = self.run(ins, &clear, who)?;
        if ins == 0x60 {
            return Ok(self.send_version(session));
        }
        let answer = match &mut session {
            Some(session) => session.wrap(&answer, secured),
            None => answer,
        };
        self.session = session;
        Ok(self.in_frames(&answer))
    }

    fn security(&self, ins: u8, params: &[u8]) -> Result<(Secured, usize), Refusal> {
        self.security_of(ins, params, self.session.as_ref())
    }

    fn in_frames(&mut self, answer: &[u8]) -> Reply {
        // As observed: a real EV3 sends 48 bytes of data in a frame, an EV1 up to 59.
        let size = if self.model == DesfireModel::Ev1 { 59 } else { 48 };
        let mut frames: VecDeque<Vec<u8>> = answer.chunks(size).map(<[u8]>::to_vec).collect();
        // A last frame that is short enough comes with the one before.
        if frames.len() > 1 && frames.back().is_some_and(|last| last.len() + size <= 59) {
            let last = frames.pop_back().unwrap_or_default();
            if let Some(before) = frames.back_mut() {
                before.extend(last);
            }
        }
        self.send(frames)
    }
    fn send(&mut self, mut frames: VecDeque<Vec<u8>>) -> Reply {
        let frame = frames.pop_front().unwrap_or_default();
        if frames.is_empty() {
            return Reply::Done(frame);
        }
        self.exchange = Exchange::Sending(frames);
        Reply::More(frame)
    }
    /// A version comes in three parts always.
    fn send_version(&mut self, mut session: Option<Session>) -> Reply {
        let parts = self.version();
        let whole = parts.concat();
        let secured = match &mut session {
            Some(held) => held.wrap(&whole, Secured::management(None)),
            None => whole.clone(),
        };
        self.session = session;
        let [a, b, c] = parts;
        self.send(VecDeque::from([a, b, [c, secured[whole.len()..].to_vec()].concat()]))
    }

    fn select(&mut self, params: &[u8]) -> Result<Vec<u8>, Refusal> {
        let [a, b, c] = *params else { return Err(LENGTH) };
        let number = u32::from_le_bytes([a, b, c, 0]);
        if self.application(number).is_none() {
            return Err(NO_SUCH_APPLICATION);
        }
        self.forget();
        self.selected = number;
        Ok(Vec::new())
    }
}

impl SimulatedCard for DesfireCard {
    fn power_on(&mut self) -> Vec<u8> {
        self.forget();
        self.selected = 0;
        // ISO 14443-4 without historical bytes that say more: what PC/SC readers show for a DESFire.
        vec![0x3B, 0x81, 0x80, 0x01, 0x80, 0x80]
    }

    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let (ins, params) = match command {
            [0x90, ins, 0, 0, 0] => (*ins, &[][..]),
            [0x90, ins, 0, 0, lc, rest @ .., 0] if rest.len() == usize::from(*lc) => (*ins, rest),
            [0x90, _, 0, 0, ..] => return vec![0x67, 0x00],
            [0x90, ..] => return vec![0x6A, 0x86],
            _ => return vec![0x6E, 0x00],
        };
        // One native frame of 60 bytes.
        let taken = if params.len() > 59 { Err(LENGTH) } else { self.take(ins, params) };
        match taken {
            Ok(Reply::Done(data)) => [&data[..], &[0x91, 0x00]].concat(),
            Ok(Reply::More(data)) => [&data[..], &[0x91, 0xAF]].concat(),
            Err(Refusal(status)) => {
                self.forget();
                vec![0x91, status]
            }
        }
    }

    fn uid(&self) -> Vec<u8> {
        if self.has_random_uid { vec![0x08, 0x5A, 0x17, self.drawn as u8] } else { self.uid.to_vec() }
    }
}

impl fmt::Debug for DesfireCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DesfireCard").field("model", &self.model).field("selected", &self.selected).finish_non_exhaustive()
    }
}
