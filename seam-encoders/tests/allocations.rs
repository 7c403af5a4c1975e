//! How much memory a job asks for: a count, so it is the same on every machine.
use seam_encoders::desfire::{AccessRights, Aid, ApplicationSettings, CommMode, Desfire, FileKind, FileSettings, KeySettings};
use seam_encoders::dialogue::{Dialogue, Random};
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::sim::{DesfireCard, DesfireModel, Field, Reply};
use std::collections::VecDeque;

struct Zeros;
impl Random for Zeros {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError> {
        out.fill(0);
        Ok(())
    }
}

const APPLICATION: u32 = 0x00F5_32F0;

async fn prepare(mut card: Desfire) -> Result<(), CardError> {
    card.authenticate_ev1(0, &Key::zero(KeyType::TwoKeyTripleDes)).await?;
    let settings = ApplicationSettings { keys: KeySettings::FACTORY, key_count: 3, key_type: KeyType::Aes128 };
    card.create_application(Aid::new(APPLICATION)?, settings).await?;
    card.select(Aid::new(APPLICATION)?).await?;
    card.authenticate_ev1(0, &Key::zero(KeyType::Aes128)).await?;
    let kind = FileKind::Backup { size: 48 };
    card.create_file(2, &FileSettings { mode: CommMode::Full, rights: AccessRights::all(1), kind }).await
}

/// Access data are written, committed and read back.
async fn write(mut card: Desfire) -> Result<(), CardError> {
    let key = Key::zero(KeyType::Aes128);
    card.select(Aid::new(APPLICATION)?).await?;
    card.authenticate_ev2_first(1, &key).await?;
    card.write_data(2, 0, &[0xAC; 48], CommMode::Full).await?;
    card.commit().await?;
    card.authenticate_ev2_following(1, &key).await?;
    if card.read_data(2, 0, 48, CommMode::Full).await?[..] == [0xAC; 48] { Ok(()) } else { Err(CardError::NotAsWritten) }
}

#[test]
fn a_job_allocates_a_handful_of_times_per_command() {
    let mut field = Field::with(DesfireCard::new(DesfireModel::Ev2, [4, 1, 2, 3, 4, 5, 6]));
    field.run(Dialogue::new(|card| prepare(Desfire::new(card, Zeros)))).expect("the card does all of it");
    // What the card answers, so that only the driver is counted.
    let mut answers = VecDeque::new();
    Dialogue::new(|card| write(Desfire::new(card, Zeros)))
        .run(|command| {
            let Reply::Answer(answer, _) = field.transmit(command.bytes()) else { return None };
            answers.push_back(answer.clone());
            Some(answer)
        })
        .expect("the card does all of it");
    let commands = answers.len();

    let mut result = Ok(());
    let counted = allocation_counter::measure(|| {
        result = Dialogue::new(|card| write(Desfire::new(card, Zeros))).run(|_| answers.pop_front());
    });
    assert_eq!(result, Ok(()));
    assert_eq!(counted.count_current, -(commands as i64), "all of it is given back, and the answers that were there before as well");
    println!("{} allocations for {commands} commands, {} bytes at most at a time", counted.count_total, counted.bytes_max);
    // Two per frame (the command, and the answer where it comes in parts) and what a session needs for its ciphers.
    assert!(counted.count_total <= 5 * commands as u64, "{} allocations for {commands} commands", counted.count_total);
}
