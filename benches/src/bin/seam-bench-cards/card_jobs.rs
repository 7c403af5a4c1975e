//! Whole jobs with cards of each technology: commands against the fewest, computing and memory of the driver, and time against what the reader takes.
use async_trait::async_trait;
use chrono::{DateTime, TimeDelta, Utc};
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_core::clock::{Clock, ManualClock};
use seam_core::encoder::{CardImage, JobControl};
use seam_encoders::access_data::GenericAccess;
use seam_encoders::apdu::{Command, Response};
use seam_encoders::classic::access::ClassicKey;
use seam_encoders::classic::job::SectorKeys;
use seam_encoders::classic::mad::Aid;
use seam_encoders::dialogue::{Dialogue, Step, SystemRandom};
use seam_encoders::error::CardError;
use seam_encoders::job::{ClassicProfile, DesfireProfile, Encoder, Ntag424Profile, Profile, Task, UltralightImageProfile};
use seam_encoders::keys::{Diversified, FixedKeys, Key, KeyType};
use seam_encoders::ndef::{Message, Record};
use seam_encoders::ntag424::{APPLICATION, Suite};
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::ultralight::UltralightCard;
use seam_encoders::sim::{DesfireCard, DesfireModel, Field, Reply, SimulatedCard};
use seam_encoders::transport::{FieldState, Link, Reader, ReaderError, SimulatedReader};
use seam_encoders::ultralight::job::{self as pages, Order, Protection};
use seam_encoders::ultralight::{self, Kind};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};

const UID: [u8; 7] = [0x04, 1, 2, 3, 4, 5, 6];
/// What the reader in these jobs takes for one command. Real ones take 3 to 30 ms.
const EXCHANGE: TimeDelta = TimeDelta::milliseconds(5);
/// The 24 bytes of a key card.
const DATA: &str = "000102030405060708090A0B0C0D0E0F1011121314151617";

pub(crate) async fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let mut lines = Vec::new();
    for job in profiles()? {
        lines.extend(job.count(size)?);
        lines.push(job.time().await?);
    }
    for job in page_cards()? {
        lines.extend(job.count(size)?);
    }
    Ok(lines)
}

/// What the driver did in one job.
#[derive(Default)]
struct Tally {
    commands: u32,
    computing: Duration,
    allocations: u64,
}

impl Tally {
    /// Runs a dialogue with the card in a field; only the driver's part is counted.
    fn run<T, E: From<CardError>>(&mut self, field: &mut Field, mut dialogue: Dialogue<T, E>) -> Result<T, E> {
        let mut answer = None;
        loop {
            let mut step = None;
            let given = answer.take();
            let memory = allocation_counter::measure(|| {
                let start = Instant::now();
                step = Some(dialogue.step(given));
                self.computing += start.elapsed();
            });
            self.allocations += memory.count_total;
            match step {
                Some(Step::Send(command)) => {
                    self.commands += 1;
                    if let Reply::Answer(bytes, _) = field.transmit(command.bytes()) {
                        answer = Response::parse(bytes).ok();
                    }
                }
                Some(Step::Done(result)) => return result,
                None => return Err(CardError::Misused("it was stepped").into()),
            }
        }
    }
}

/// The lines of a job that is run again and again with a card of its own.
fn lines(size: &Size, name: &str, least: u32, mut run: impl FnMut() -> Result<Tally, Failed>) -> Result<[Line; 3], Failed> {
    let first = run()?;
    let commands = f64::from(first.commands);
    let mut micros = Vec::new();
    let times = if size.is_smoke() { 1 } else { 20 };
    for _ in 0..size.rounds {
        let mut computing = Duration::ZERO;
        for _ in 0..times {
            computing += run()?.computing;
        }
        micros.push(computing.as_secs_f64() / f64::from(times) * 1e6);
    }
    Ok([
        Line::new(format!("commands of a job: {name} ÷ the fewest"), Goal::None, Rounds::once(commands / f64::from(least)))
            .remark(format!("{commands} against {least}")),
        Line::new(format!("µs of computing of a job: {name}"), Goal::None, Rounds::of(micros)).digits(0),
        Line::new(
            format!("allocations per command of a job: {name}"),
            Goal::AtMost(8.0),
            Rounds::once(first.allocations as f64 / commands),
        )
        .digits(1),
    ])
}

type NewCard = fn() -> Box<dyn SimulatedCard>;

/// A job of an encoder, with one profile.
struct ProfileJob {
    name: &'static str,
    /// The fewest commands with which a card of this technology can be told apart, written and proved.
    least: u32,
    profile: Arc<dyn Profile>,
    encoder: Box<dyn Fn(Latent) -> Encoder>,
    card: NewCard,
    /// What is written before what is measured.
    before: Option<Value>,
    content: Value,
}

impl ProfileJob {
    fn new(
        name: &'static str,
        least: u32,
        profile: impl Profile + Clone,
        card: NewCard,
        (before, content): (Option<Value>, Value),
    ) -> Self {
        let other = profile.clone();
        let encoder = move |reader: Latent| {
            let clock = Arc::clone(&reader.clock) as Arc<dyn Clock>;
            Encoder::at(reader).profile(other.clone()).clock(clock).build()
        };
        Self { name, least, profile: Arc::new(profile), encoder: Box::new(encoder), card, before, content }
    }

    fn count(&self, size: &Size) -> Result<[Line; 3], Failed> {
        lines(size, self.name, self.least, || {
            let mut field = Field::default();
            let atr = field.put((self.card)());
            for content in self.before.iter().chain([&self.content]) {
                let mut tally = Tally::default();
                field.reset();
                let number = tally.run(&mut field, self.profile.identify(&atr))?.ok_or("a card of another technology")?;
                let task = Task::new(number, &atr, content.clone(), false);
                tally.run(&mut field, self.profile.write(task.clone()))?;
                tally.run(&mut field, self.profile.verify(task))?;
                if *content == self.content {
                    return Ok(tally);
                }
            }
            Err("nothing was written".into())
        })
    }

    /// In virtual time, in which only the reader takes any; the computing is real and added to it.
    async fn time(&self) -> Result<Line, Failed> {
        let clock = Arc::new(ManualClock::new(DateTime::<Utc>::UNIX_EPOCH));
        let reader = SimulatedReader::new("desk");
        let encoder = (self.encoder)(Latent { reader: reader.clone(), clock: Arc::clone(&clock) });
        reader.put((self.card)());
        let mut took = (0.0, 0);
        for content in self.before.iter().chain([&self.content]) {
            let begun = clock.now();
            let control = JobControl::new(begun + TimeDelta::minutes(1), begun + TimeDelta::minutes(2));
            let image = CardImage { technology: self.profile.technology().clone(), content: content.clone() };
            let real = Instant::now();
            let done = in_virtual_time(&clock, encoder.encode(&image, &control)).await?;
            let computing = real.elapsed();
            took = ((clock.now() - begun).as_seconds_f64() + computing.as_secs_f64(), done.commands);
            if let Some(card) = reader.take() {
                reader.put(card);
            }
        }
        let floor = f64::from(took.1) * EXCHANGE.as_seconds_f64();
        let what = format!("time of a job: {} ÷ its commands at a reader that takes 5 ms for each", self.name);
        Ok(Line::new(what, Goal::AtMost(1.05), Rounds::once(took.0 / floor))
            .digits(3)
            .remark("written and proved; virtual time at the reader, and all computing, the simulated card's too"))
    }
}

fn profiles() -> Result<Vec<ProfileJob>, Failed> {
    let mut masters = FixedKeys::default();
    for number in 0..5 {
        masters =
            masters.with(&[0xF5, 0x32, 0xF0], number, Key::aes([number; 16], 1)).with(&APPLICATION, number, Key::aes([number; 16], 1));
    }
    let keys = Arc::new(Diversified::new(masters, b"seam"));
    let desfire = DesfireProfile::new(0x00F5_32F0, 24, Arc::clone(&keys) as _, 1)?;
    let access = DesfireProfile::access(GenericAccess::new(Key::aes([9; 16], 0))?, Arc::clone(&keys) as _, 1)?;
    let ntag = Ntag424Profile::new(Suite::Aes, keys, 1)?;
    let sector_keys =
        |uid: &[u8]| Ok(SectorKeys { a: ClassicKey::new([uid[3], 1, 2, 3, 4, 5]), b: ClassicKey::new([uid[3], 9, 8, 7, 6, 5]) });
    let classic = ClassicProfile::new(Aid { cluster: 0x38, application: 0x21 }, 5, Arc::new(sector_keys), ClassicKey::new([7; 6]))?;
    let new_desfire: NewCard = || Box::new(DesfireCard::new(DesfireModel::Ev2, UID));
    let data = || json!({ "data": DATA });
    let number = |credential: u32| json!({ "access": { "site": 7, "credential": credential } });
    Ok(vec![
        // Version (its number decides the keys) 3; authentication at the card 2; application made and selected 2; authentication there 2; file 1;
        // data 1 (7 + 32 + 8 bytes of 59); commit 1; two keys 2. Proof: authentication with the door's key 2, data 1, number 1.
        ProfileJob::new("a new DESFire, one file", 3 + 2 + 2 + 2 + 1 + 1 + 1 + 2 + 4, desfire.clone(), new_desfire, (None, data())),
        // Version 3, selected 1, authentication 2, data 1, commit 1; proof as above, without selecting.
        ProfileJob::new("a DESFire written again", 3 + 1 + 2 + 1 + 1 + 4, desfire, new_desfire, (Some(json!({ "data": "AA" })), data())),
        // As a new one, and the writer's key 1, authentication with it 2, with the master key again 2, a second frame of data each way 2.
        ProfileJob::new("a new DESFire with access data", 18 + 1 + 2 + 2 + 2, access, new_desfire, (None, number(1))),
        // Selected 1, version 3; authentication 2, file and settings 2, five keys 5. Proof: tap 2.
        ProfileJob::new(
            "a new NTAG 424",
            4 + 2 + 2 + 5 + 2,
            ntag,
            || Box::new(Ntag424Card::new(UID)),
            (None, json!({ "url": "https://door.example/t?p={picc}&m={mac}" })),
        ),
        // Number 1; for each of both sectors: key, authentication, and its blocks (2 of the directory, 3 of data) and trailer. Proof: key,
        // authentication and 3 blocks.
        ProfileJob::new(
            "a new MIFARE Classic",
            1 + (2 + 2 + 1) + (2 + 3 + 1) + (2 + 3),
            classic,
            || Box::new(ClassicCard::new_1k([0xDE, 0xAD, 0xBE, 1])),
            (None, data()),
        ),
        // Number 1, twelve pages, and the twelve pages again as proof.
        ProfileJob::new(
            "a new Ultralight EV1 with an image of 48 bytes",
            1 + 12 + 12,
            UltralightImageProfile::new(ultralight::Reader::StorageOnly),
            || Box::new(UltralightCard::ev1_small(UID)),
            (None, json!({ "first_page": 4, "hex": DATA.repeat(2) })),
        ),
    ])
}

/// A card of pages, whose driver has no profile.
struct PageJob {
    name: &'static str,
    order: Order,
    card: fn([u8; 7]) -> UltralightCard,
    least: u32,
}

impl PageJob {
    fn count(&self, size: &Size) -> Result<[Line; 3], Failed> {
        lines(size, self.name, self.least, || {
            let (mut field, mut tally) = (Field::with((self.card)(UID)), Tally::default());
            let order = self.order.clone();
            tally.run(
                &mut field,
                Dialogue::<_, CardError>::new(|card| async move {
                    pages::write_card(&card, &order, &(), &mut SystemRandom).await?;
                    pages::verify(&card, &order, &mut SystemRandom).await
                }),
            )?;
            Ok(tally)
        })
    }
}

fn page_cards() -> Result<Vec<PageJob>, Failed> {
    let message = || Record::uri("https://door.example/a").map(|record| Message::new(vec![record]));
    let order = |kind, new| -> Result<Order, Failed> {
        Ok(Order { uid: UID, kind, reader: ultralight::Reader::Pn532, message: message()?, old: Protection::Open, new })
    };
    let key = |key: Key| Protection::Key { key, reading_too: false };
    let password = ultralight::Password::new(*b"pass", *b"ok");
    // The message of 22 bytes in 6 pages. Number 1, container 1, 6 pages; then the secret's pages and the two that ask for it; proof: the
    // authentication, the page that asks, 6 pages.
    Ok(vec![
        PageJob {
            name: "a new Ultralight EV1 with a password",
            order: order(Kind::Ev1Small, Protection::Password { password, reading_too: false })?,
            card: UltralightCard::ev1_small,
            least: 1 + 1 + 6 + (2 + 2) + (1 + 1 + 6),
        },
        PageJob {
            name: "a new Ultralight C with a key",
            order: order(Kind::C, key(Key::new(KeyType::TwoKeyTripleDes, b"a key to measure")?))?,
            card: UltralightCard::c,
            least: 1 + 1 + 6 + (4 + 2) + (2 + 1 + 6),
        },
        PageJob {
            name: "a new Ultralight AES with a key",
            order: order(Kind::Aes, key(Key::aes(*b"a key to measure", 0)))?,
            card: UltralightCard::aes,
            least: 1 + 1 + 6 + (4 + 2) + (2 + 1 + 6),
        },
    ])
}

/// A reader that takes a while for each command, of a clock.
#[derive(Debug)]
struct Latent {
    reader: SimulatedReader,
    clock: Arc<ManualClock>,
}

#[derive(Debug)]
struct LatentLink {
    link: Box<dyn Link>,
    clock: Arc<ManualClock>,
}

#[async_trait]
impl Reader for Latent {
    fn name(&self) -> &str {
        self.reader.name()
    }
    async fn wait(&self, field: FieldState) -> Result<(), ReaderError> {
        self.reader.wait(field).await
    }
    async fn connect(&self) -> Result<Box<dyn Link>, ReaderError> {
        Ok(Box::new(LatentLink { link: self.reader.connect().await?, clock: Arc::clone(&self.clock) }))
    }
}

#[async_trait]
impl Link for LatentLink {
    fn atr(&self) -> &[u8] {
        self.link.atr()
    }
    fn presence(&self) -> u64 {
        self.link.presence()
    }
    async fn transmit(&mut self, command: &Command) -> Result<Response, ReaderError> {
        self.clock.sleep_until(self.clock.now() + EXCHANGE).await;
        self.link.transmit(command).await
    }
}

/// Time passes whenever the job waits for it.
async fn in_virtual_time<T>(clock: &ManualClock, job: impl Future<Output = T>) -> T {
    let time = async {
        loop {
            for _ in 0..4 {
                tokio::task::yield_now().await;
            }
            if let Some(next) = clock.next_wake() {
                clock.set(next);
            }
        }
    };
    tokio::select! { biased; done = job => done, () = time => unreachable!("time has no end") }
}
