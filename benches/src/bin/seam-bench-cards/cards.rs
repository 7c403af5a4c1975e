//! Cards: how many commands a job takes, and how long the computing takes beside them.
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use seam_encoders::access_data::{AccessData, AccessFormat, GenericAccess};
use seam_encoders::desfire::{Aid, ApplicationSettings, ChangeKey, Desfire, KeySettings};
use seam_encoders::dialogue::{Dialogue, Random};
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::sim::{DesfireCard, DesfireModel, Field, Reply};
use std::time::Instant;

const UID: [u8; 7] = [0x04, 1, 2, 3, 4, 5, 6];
/// Jobs in each round.
const JOBS: usize = 200;

pub(crate) fn measure(size: &Size) -> Result<Vec<Line>, Failed> {
    let format = GenericAccess::new(Key::aes([0x0C; 16], 1))?;
    let mut lines = Vec::new();
    // Select, both passes of an authentication, two frames to write 48 bytes (a frame holds 59), commit, both passes of the reader's key, and as
    // many frames as the card needs to give 48 bytes back.
    let rewritten = Job { name: "a key card written again and read back with the reader's key (EV2)", least: 1 + 2 + 2 + 1 + 2 + 2 };
    // Besides: the version, authentication at the card, the application made and selected, authentication there, one file, three keys.
    let whole = Job {
        name: "a card personalised from the factory: application, file, three keys, data, read back (EV2)",
        least: 3 + 2 + 1 + 1 + 2 + 1 + 3 + 9,
    };
    let mut field = Field::with(DesfireCard::new(DesfireModel::Ev2, UID));
    lines.extend(whole.measure(size, &mut field, &format, personalise)?);
    lines.extend(rewritten.measure(size, &mut field, &format, rewrite)?);
    Ok(lines)
}

struct Job {
    name: &'static str,
    /// The fewest commands with which it can be done.
    least: u32,
}

impl Job {
    fn measure<Fut>(
        &self,
        size: &Size,
        field: &mut Field,
        format: &GenericAccess,
        protocol: impl Fn(Desfire, GenericAccess) -> Fut,
    ) -> Result<[Line; 2], Failed>
    where
        Fut: Future<Output = Result<(), CardError>> + Send + 'static,
    {
        let dialogue = || Dialogue::<()>::new(|card| protocol(Desfire::new(card, Same(1)), format.clone()));
        let mut answers = Vec::new();
        dialogue().run(|command| {
            let Reply::Answer(answer, _) = field.transmit(command.bytes()) else { return None };
            answers.push(answer.clone());
            Some(answer)
        })?;
        // With the same random numbers the answers fit again, and only the driver computes.
        let mut micros = Vec::new();
        for _ in 0..size.rounds {
            let start = Instant::now();
            for _ in 0..JOBS {
                let mut given = answers.iter();
                dialogue().run(|_| given.next().cloned())?;
            }
            micros.push(start.elapsed().as_secs_f64() / JOBS as f64 * 1e6);
        }
        let commands = answers.len() as f64;
        Ok([
            Line::new(
                format!("commands for {} ÷ the fewest", self.name),
                Goal::AtMost(1.0),
                Rounds::once(commands / f64::from(self.least)),
            )
            .remark(format!("{commands} against {}", self.least)),
            Line::new(format!("µs of computing for {}", self.name), Goal::None, Rounds::of(micros))
                .digits(0)
                .remark("the driver alone, with recorded answers; one exchange with a card takes some milliseconds"),
        ])
    }
}

/// The same random numbers in every run.
struct Same(u8);
impl Random for Same {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError> {
        out.iter_mut().for_each(|byte| {
            self.0 = self.0.wrapping_mul(5).wrapping_add(17);
            *byte = self.0;
        });
        Ok(())
    }
}

fn new_key(key_no: u8) -> Key {
    Key::aes([0x40 + key_no; 16], 1)
}

async fn personalise(mut card: Desfire, format: GenericAccess) -> Result<(), CardError> {
    let zero = Key::zero(KeyType::Aes128);
    card.version().await?;
    card.authenticate(0, &Key::zero(KeyType::TwoKeyTripleDes)).await?;
    let settings = ApplicationSettings { keys: KeySettings::FACTORY, key_count: 3, key_type: KeyType::Aes128 };
    card.create_application(format.aid(), settings).await?;
    card.select(format.aid()).await?;
    card.authenticate(0, &zero).await?;
    for (file, settings) in format.files() {
        card.create_file(file, &settings).await?;
    }
    for key_no in [2, 1, 0] {
        card.change_key(ChangeKey { key_no, new: &new_key(key_no), old: Some(&zero) }).await?;
    }
    fill(&mut card, &format).await
}

async fn rewrite(mut card: Desfire, format: GenericAccess) -> Result<(), CardError> {
    card.select(format.aid()).await?;
    fill(&mut card, &format).await
}

/// Writes with the key for that, and reads back with the reader's.
async fn fill(card: &mut Desfire, format: &GenericAccess) -> Result<(), CardError> {
    let data = AccessData::new(0x1122, 0x0006_5530)?;
    let contents = format.encode(&UID, &data)?;
    let [(file, settings)] = &format.files()[..] else { return Err(CardError::Invalid("one file")) };
    card.authenticate_ev2_first(2, &new_key(2)).await?;
    card.write_data(*file, 0, &contents[0].bytes, settings.mode).await?;
    card.commit().await?;
    card.authenticate_ev2_following(1, &new_key(1)).await?;
    let read = card.read_data(*file, 0, contents[0].bytes.len() as u32, settings.mode).await?;
    debug_assert_ne!(card.selected(), Aid::PICC);
    if read == contents[0].bytes { Ok(()) } else { Err(CardError::NotAsWritten) }
}
