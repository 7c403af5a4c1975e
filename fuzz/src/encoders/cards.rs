//! Drivers of cards against cards that answer anything, and simulated cards against commands that nobody sends.
use super::{joined, messages};
use seam_encoders::apdu::Response;
use seam_encoders::dialogue::{Card, Dialogue, Random, Step};
use seam_encoders::error::CardError;
use seam_encoders::keys::{Key, KeyType};
use seam_encoders::ntag424;
use seam_encoders::ntag424::settings::KeyNo;
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::pkoc::PkocCard;
use seam_encoders::sim::ultralight::UltralightCard;
use seam_encoders::sim::{DesfireCard, DesfireModel, SimulatedCard};
use seam_encoders::ultralight::{self, Reader};
use std::future::Future;

/// No random numbers: what is asked is then the same every time.
struct Fixed;

impl Random for Fixed {
    fn fill(&mut self, out: &mut [u8]) -> Result<(), CardError> {
        out.fill(0x5A);
        Ok(())
    }
}

/// Lets a driver talk to a card that answers what the input says, and is gone after that. It must come to an end, and ask no more than it
/// is answered.
fn talk<T, F, Fut>(input: &[u8], protocol: F)
where
    F: FnOnce(Card) -> Fut,
    Fut: Future<Output = Result<T, CardError>> + Send + 'static,
{
    let mut dialogue = Dialogue::<T>::new(protocol);
    let (mut answers, mut answer, mut after) = (messages(input), None, 0);
    loop {
        match dialogue.step(answer) {
            Step::Done(_) => return,
            Step::Send(command) => {
                assert!(command.bytes().len() <= 5 + 255 + 1, "a short command");
                answer = answers.next().and_then(|bytes| Response::parse(bytes).ok());
                after += usize::from(answer.is_none());
                assert!(after < 64, "it goes on asking a card that is gone");
            }
        }
    }
}

/// Sources: NXP AN12343 and the recording of an EV1 card (Elmü): a version in three frames, a list of applications, an authentication.
pub(super) fn desfire_seeds() -> Vec<Vec<u8>> {
    vec![
        joined(&["0401013300180591AF", "0401010300180591AF", "0464D59ADD1E90211362303040249100"]),
        joined(&["A08899AABBCCDDEEFF00112233445566 91AF", "91AE"]),
        joined(&["F5 15 00 01 02 03 91AF", "0102039100", "9100"]),
        joined(&["0003EEEE2000009100"]),
        joined(&["9100", "9100", "019100", "0F819100"]),
        joined(&["91A0"]),
        joined(&["000000000000009100"]),
    ]
}

/// Everything that is read from a DESFire, and the three ways to authenticate.
pub(super) fn desfire(input: &[u8]) {
    use seam_encoders::desfire::{Aid, CommMode, Desfire};
    let (which, input) = input.split_first().map_or((0, input), |(first, rest)| (first % 12, rest));
    talk(input, move |card| async move {
        let mut card = Desfire::new(card, Fixed);
        match which {
            0 => drop(card.version().await?),
            1 => drop(card.applications().await?),
            2 => drop(card.file_ids().await?),
            3 => {
                card.file_settings(1).await?;
            }
            4 => drop(card.key_settings().await?),
            5 => {
                let data = card.read_data(1, 0, 32, CommMode::Plain).await?;
                assert!(data.len() <= 1 << 16);
            }
            6 => drop(card.value(2, CommMode::Plain).await?),
            7 => {
                card.select(Aid::new(0x0F_5159)?).await?;
                card.authenticate(0, &Key::zero(KeyType::Aes128)).await?;
            }
            8 => card.authenticate_ev1(0, &Key::zero(KeyType::ThreeKeyTripleDes)).await?,
            9 => card.authenticate_ev2_first(0, &Key::zero(KeyType::Aes128)).await?,
            10 => drop(card.read_records(3, 0, 2, 16, CommMode::Plain).await?),
            _ => {
                card.free_memory().await?;
                card.key_version(0).await?;
            }
        }
        Ok(())
    });
}

/// Source: NXP AN12196, 5.8 and 6: a version, an authentication, settings.
pub(super) fn ntag424_seeds() -> Vec<Vec<u8>> {
    vec![
        joined(&["0404023000110591AF", "0404020101110591AF", "04968CAA5C5E80CD65935D402118 9100"]),
        joined(&["9000", "A04C124213C186F22399D33AC2A30215 91AF", "3FA64DB5446D1F34CD6EA311167F5E4985B89690C04A05F17FA7AB2F08120663 9100"]),
        joined(&["9000", "0040EEE0000100C1F121200000430000430000 9100"]),
    ]
}

/// What an NTAG 424 DNA answers while it is opened.
pub(super) fn ntag424(input: &[u8]) {
    let lrp = input.first().is_some_and(|first| first & 1 == 1);
    let input = input.get(1..).unwrap_or_default();
    talk(input, move |card| async move {
        let tag = ntag424::Ntag424::select(card).await?;
        tag.version().await?;
        let suite = if lrp { ntag424::Suite::Lrp } else { ntag424::Suite::Aes };
        tag.authenticate(suite, KeyNo::MASTER, &Key::zero(KeyType::Aes128), &mut Fixed).await.map(drop)
    });
}

/// Source: the data sheets MF0UL and MF0ICU2: a version, four pages, an answer to a password.
pub(super) fn ultralight_seeds() -> Vec<Vec<u8>> {
    vec![joined(&["000403010100 0B 03 9000"]), joined(&["048AB2B4 9000"]), joined(&["0000 9000", "FFFFFFFF 9000"])]
}

/// What an Ultralight answers.
pub(super) fn ultralight(input: &[u8]) {
    let (page, input) = input.split_first().map_or((0, input), |(first, rest)| (*first, rest));
    talk(input, move |card| async move {
        let _ = ultralight::identify(&card, Reader::Pn532).await;
        ultralight::uid(&card).await?;
        ultralight::read(&card, page).await.map(drop)
    });
}

/// Commands of every family, several after each other.
pub(super) fn commands() -> Vec<Vec<u8>> {
    vec![
        joined(&["9060000000", "90AF000000", "90AF000000"]),
        joined(&["905A00000300000000", "90AA0000010000", "90AF0000200102030405060708091011121314151617181920212223242526272829303132 00"]),
        joined(&["906A000000", "90CA000005 515900 0F81 00", "905A000003 515900 00"]),
        joined(&["00A4040007D276000085010100", "9071000002000000", "00A4000002E104", "00B0000000"]),
        joined(&[
            "00A4040008A00000089800000100",
            "80800001385C0201004C106FCF5012B224043B09350A4FC5E56A8F4D2030313233343536373839303132333435363738393A3B3C3D3E3F4000",
        ]),
        joined(&["FF82000006FFFFFFFFFFFF", "FF860000050100046000", "FFB0000410", "FFD6000410000102030405060708090A0B0C0D0E0F"]),
        joined(&["FFCA000000", "FFB0000404", "FFD600040400000000", "FF00000002 6004", "FFEF0000021A00"]),
        joined(&["90CD00000701000000E0200000 00", "908D00000F0100000008000001020304050607 00", "90C7000000"]),
    ]
}

/// A simulated card answers every command with at least a status, keeps its memory as large as it is, and never fails.
pub(super) fn simulated(input: &[u8]) {
    let (which, input) = input.split_first().map_or((0, input), |(first, rest)| (first % 8, rest));
    let uid = [4, 1, 2, 3, 4, 5, 6];
    let mut card: Box<dyn SimulatedCard> = match which {
        0 => Box::new(DesfireCard::new(DesfireModel::Ev1, uid)),
        1 => Box::new(DesfireCard::new(DesfireModel::Ev3, uid)),
        2 => Box::new(Ntag424Card::new(uid)),
        3 => Box::new(Ntag424Card::new(uid).with_lrp()),
        4 => Box::new(UltralightCard::c(uid)),
        5 => Box::new(UltralightCard::ev1_large(uid)),
        6 => Box::new(ClassicCard::new_1k([1, 2, 3, 4])),
        _ => match PkocCard::new([7; 32]) {
            Some(card) => Box::new(card),
            None => return,
        },
    };
    for command in messages(input).take(32) {
        let answer = card.answer(command);
        // A card of the reader's own family that it does not know may say nothing at all.
        assert!(answer.is_empty() || answer.len() >= 2, "an answer ends with a status");
        assert!(answer.len() <= 4096);
    }
}
