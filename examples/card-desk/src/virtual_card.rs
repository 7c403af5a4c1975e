//! A simulated card that stays as it is between two runs of the program, in a file.
use crate::DeskError;
use crate::args::Technology;
use seam_encoders::crypto::crc32;
use seam_encoders::sim::classic::ClassicCard;
use seam_encoders::sim::ntag424::Ntag424Card;
use seam_encoders::sim::ultralight::UltralightCard;
use seam_encoders::sim::{DesfireCard, DesfireModel, SimulatedCard};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A card of one of the technologies, with what it keeps without power.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum VirtualCard {
    Desfire(DesfireCard),
    Ntag424(Box<Ntag424Card>),
    Classic(ClassicCard),
    Ultralight(UltralightCard),
}

impl VirtualCard {
    /// As from the factory.
    pub(crate) fn new(technology: Technology) -> Self {
        match technology {
            Technology::Desfire => Self::Desfire(DesfireCard::new(DesfireModel::Ev3, [0x04, 0x5E, 0xA8, 0x01, 0x02, 0x03, 0x04])),
            Technology::Ntag424 => Self::Ntag424(Box::new(Ntag424Card::new([0x04, 0x5E, 0xA8, 0x0A, 0x0B, 0x0C, 0x0D]))),
            Technology::Classic => Self::Classic(ClassicCard::new_1k([0x5E, 0xA8, 0x01, 0x02])),
            Technology::Ultralight => Self::Ultralight(UltralightCard::ev1_small([0x04, 0x5E, 0xA8, 0x11, 0x12, 0x13, 0x14])),
        }
    }
    fn inside(&self) -> &dyn SimulatedCard {
        match self {
            Self::Desfire(card) => card,
            Self::Ntag424(card) => &**card,
            Self::Classic(card) => card,
            Self::Ultralight(card) => card,
        }
    }
    fn inside_mut(&mut self) -> &mut dyn SimulatedCard {
        match self {
            Self::Desfire(card) => card,
            Self::Ntag424(card) => &mut **card,
            Self::Classic(card) => card,
            Self::Ultralight(card) => card,
        }
    }
}

impl fmt::Debug for VirtualCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inside().fmt(f)
    }
}

impl SimulatedCard for VirtualCard {
    fn power_on(&mut self) -> Vec<u8> {
        self.inside_mut().power_on()
    }
    fn answer(&mut self, command: &[u8]) -> Vec<u8> {
        self.inside_mut().answer(command)
    }
    fn uid(&self) -> Vec<u8> {
        self.inside().uid()
    }
}

/// A simulated card, and the file that it is kept in. The keys of the card stand in that file in the clear, as it is a card to try out with.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) card: Arc<Mutex<VirtualCard>>,
    file: PathBuf,
}

impl Kept {
    /// The card of this file, or a new one if there is none yet.
    pub(crate) fn open(file: &Path, technology: Technology) -> Result<Self, DeskError> {
        let no_card = || DeskError::Asked(format!("{} is not a card of this program", file.display()));
        let card = match std::fs::read_to_string(file) {
            Ok(text) => from_text(&text).ok_or_else(no_card)?,
            Err(e) if e.kind() == io::ErrorKind::NotFound => VirtualCard::new(technology),
            Err(e) if e.kind() == io::ErrorKind::InvalidData => return Err(no_card()),
            Err(e) => return Err(e.into()),
        };
        Ok(Self { card: Arc::new(Mutex::new(card)), file: file.to_owned() })
    }
    /// Writes it back as it is now. The file is replaced as a whole.
    pub(crate) fn keep(&self) -> Result<(), DeskError> {
        let text = to_text(&self.card.lock().unwrap_or_else(PoisonError::into_inner))?;
        let mut new = self.file.clone().into_os_string();
        new.push(".new");
        std::fs::write(&new, text)?;
        Ok(std::fs::rename(new, &self.file)?)
    }
}

/// A check sum and the card: what was cut off or changed is no card.
fn to_text(card: &VirtualCard) -> Result<String, DeskError> {
    let json = serde_json::to_string(card).map_err(io::Error::from)?;
    Ok(format!("{:08x} {json}\n", u32::from_le_bytes(crc32(&[json.as_bytes()]))))
}

fn from_text(text: &str) -> Option<VirtualCard> {
    let (sum, json) = text.strip_suffix('\n')?.split_once(' ')?;
    let is_whole = u32::from_str_radix(sum, 16).ok()? == u32::from_le_bytes(crc32(&[json.as_bytes()]));
    if is_whole { serde_json::from_str(json).ok() } else { None }
}
