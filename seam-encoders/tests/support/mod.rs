//! The smallest card that can be half written: pages behind the storage commands of PC/SC, and how a site writes it.
#![allow(dead_code, reason = "each test program uses a part of it")]
use seam_core::clock::ManualClock;
use seam_core::encoder::{CardImage, CardSeen, JobControl, Progress, Technology};
use seam_encoders::apdu::Command;
use seam_encoders::dialogue::{Card, Dialogue};
use seam_encoders::error::CardError;
use seam_encoders::job::{CardNumber, Profile, Task, WriteError};
use seam_encoders::sim::{Field, SimulatedCard};
use seam_encoders::transport::SimulatedReader;
use serde_json::json;

pub(crate) const PAGES: &str = "pages";
/// What stands in the first page.
pub(crate) const TORN: [u8; 4] = *b"torn";
pub(crate) const OURS: [u8; 4] = *b"ours";

/// A card of 256 pages of 4 bytes: a mark, how long the text is, the text.
#[derive(Clone, Debug)]
pub(crate) struct PagesCard {
    pub(crate) uid: [u8; 4],
    pub(crate) pages: Vec<[u8; 4]>,
}

impl PagesCard {
    pub(crate) fn blank(n: u8) -> Self {
        Self { uid: [4, 0, 0, n], pages: vec![[0; 4]; 256] }
    }
    /// What stands on the card in a field: its mark and its text. Read past the plan of faults, and without the card being lifted.
    pub(crate) fn in_field(reader: &SimulatedReader) -> ([u8; 4], String) {
        reader.with_field(Self::in_the)
    }
    pub(crate) fn in_the(field: &mut Field) -> ([u8; 4], String) {
        let mut card = field.take().unwrap();
        let mut page = |n: u8| card.answer(&[0xFF, 0xB0, 0, n, 4])[..4].to_vec();
        let (mark, length) = (page(0), page(1));
        let length = usize::from(u16::from_be_bytes([length[2], length[3]])).min(1000);
        let mut text: Vec<u8> = (0..length.div_ceil(4)).flat_map(|n| page(n as u8 + 2)).collect();
        text.truncate(length);
        field.put(card);
        (mark.try_into().unwrap(), String::from_utf8_lossy(&text).into_owned())
    }
}

impl SimulatedCard for PagesCard {
    fn power_on(&mut self) -> Vec<u8> {
        vec![0x3B, 0x80, 0x80, 0x01, 0x01]
    }
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        let mut answer = match command {
            [0xFF, 0xCA, 0, 0, 0] => self.uid.to_vec(),
            [0xFF, 0xB0, 0, n, 4] => self.pages[usize::from(*n)].to_vec(),
            [0xFF, 0xD6, 0, n, 4, data @ ..] if data.len() == 4 => {
                self.pages[usize::from(*n)].copy_from_slice(data);
                Vec::new()
            }
            _ => return vec![0x6D, 0],
        };
        answer.extend([0x90, 0]);
        answer
    }
    fn uid(&self) -> Vec<u8> {
        self.uid.to_vec()
    }
}

/// Writes an image as text.
#[derive(Debug)]
pub(crate) struct PagesProfile(Technology);

impl Default for PagesProfile {
    fn default() -> Self {
        Self::of(PAGES)
    }
}

impl PagesProfile {
    pub(crate) fn of(technology: &str) -> Self {
        Self(Technology(technology.to_owned()))
    }
}

async fn read(card: &Card, page: u8) -> Result<[u8; 4], CardError> {
    let data = card.transmit(Command::new(0xFF, 0xB0, 0, page).expecting(4)).await?.ok()?;
    data.as_slice().try_into().map_err(|_| CardError::Garbage("a page of another length"))
}

async fn write(card: &Card, page: u8, data: [u8; 4]) -> Result<(), CardError> {
    card.transmit(Command::with_data(0xFF, 0xD6, 0, page, &data)?).await?.ok().map(drop)
}

fn pages(task: &Task) -> Result<Vec<[u8; 4]>, WriteError> {
    let text = task.content.to_string();
    let length = u32::try_from(text.len()).ok().filter(|length| *length <= 1000).ok_or(WriteError::Image("too long"))?;
    let mut bytes = [&length.to_be_bytes(), text.as_bytes()].concat();
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    Ok(bytes.chunks(4).map(|page| page.try_into().unwrap()).collect())
}

impl Profile for PagesProfile {
    fn technology(&self) -> &Technology {
        &self.0
    }
    fn key_version(&self) -> u8 {
        1
    }
    fn identify(&self, _: &[u8]) -> Dialogue<Option<CardNumber>> {
        Dialogue::new(|card| async move {
            let uid = card.transmit(Command::new(0xFF, 0xCA, 0, 0).expecting(0)).await?.ok()?;
            if uid.len() == 4 { Ok(Some(CardNumber(uid.to_vec()))) } else { Err(CardError::Garbage("a number of another length")) }
        })
    }
    fn write(&self, task: Task) -> Dialogue<(), WriteError> {
        Dialogue::new(move |card| async move {
            let pages = pages(&task)?;
            let first = read(&card, 0).await?;
            if first != [0; 4] && first != OURS && !(first == TORN && task.interrupted.is_some()) {
                return Err(WriteError::Foreign("its first page is in use"));
            }
            let of = pages.len() as u32 + 2;
            task.begins();
            card.report(Progress::Writing { done: 0, of });
            write(&card, 0, TORN).await?;
            for (n, page) in pages.iter().enumerate() {
                card.report(Progress::Writing { done: n as u32 + 1, of });
                write(&card, n as u8 + 1, *page).await?;
            }
            task.goes_live();
            card.report(Progress::Writing { done: of - 1, of });
            write(&card, 0, OURS).await?;
            Ok(())
        })
    }
    fn verify(&self, task: Task) -> Dialogue<(), WriteError> {
        Dialogue::new(move |card| async move {
            let mut same = read(&card, 0).await? == OURS;
            for (n, page) in pages(&task)?.iter().enumerate() {
                same &= read(&card, n as u8 + 1).await? == *page;
            }
            let uid = card.transmit(Command::new(0xFF, 0xCA, 0, 0).expecting(0)).await?.ok()?;
            if *uid != task.card.0 {
                return Err(WriteError::AnotherCard);
            }
            if same { Ok(()) } else { Err(CardError::NotAsWritten.into()) }
        })
    }
}

pub(crate) fn image(text: &str) -> CardImage {
    CardImage { technology: Technology(PAGES.to_owned()), content: json!(text) }
}

pub(crate) fn card_number(seen: &CardSeen) -> &str {
    seen.number.as_deref().unwrap()
}

/// Runs a job at a simulated reader; virtual time passes whenever nothing else happens.
pub(crate) async fn in_virtual_time<T>(clock: &ManualClock, reader: &SimulatedReader, job: impl Future<Output = T>) -> T {
    let time = async {
        loop {
            let sent = reader.with_field(|f| f.sent());
            for _ in 0..20 {
                tokio::task::yield_now().await;
            }
            let is_idle = reader.with_field(|f| f.sent()) == sent;
            if let Some(next) = clock.next_wake().filter(|_| is_idle) {
                clock.set(next);
            }
        }
    };
    tokio::select! { done = job => done, () = time => unreachable!() }
}

/// A job that may wait for 30 s of a clock for its card and has a minute for all.
pub(crate) fn control(clock: &dyn seam_core::clock::Clock) -> JobControl {
    let now = clock.now();
    JobControl::new(now + chrono::TimeDelta::seconds(30), now + chrono::TimeDelta::minutes(1))
}
