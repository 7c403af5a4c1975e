//! NTAG 424 DNA: an address that a phone opens and a backend believes.
use super::profile::{CardNumber, Profile, Task, WriteError};
use crate::dialogue::{Dialogue, SystemRandom};
use crate::error::CardError;
use crate::keys::{Key, KeyError, KeySource, KeyType};
use crate::ndef;
use crate::ntag424::job::{self, FileOrder, Order};
use crate::ntag424::sdm::SdmUrl;
use crate::ntag424::settings::{Access, CommMode, FileSettings, KeyNo, Rights};
use crate::ntag424::{APPLICATION, File, Ntag424, Suite};
use seam_core::encoder::Technology;
use serde_json::{Value, json};
use std::sync::Arc;

/// The key of `{picc}`: the same in all cards, as it is what tells which card it is.
const WHO: u8 = 1;
/// The key of `{mac}` and `{data}`: another one in each card.
const PROOF: u8 = 2;
/// What a card comes with.
const FACTORY: u8 = 0;

/// The content of an image is `{"url": "<template>"}`, a template of [`SdmUrl`], as `https://door.example/t?p={picc}&m={mac}`.
///
/// The [`KeySource`] is asked for keys 0 to 4 of the application `D2760000850101`: key 1, which encrypts `{picc}`, with an empty number, as it is the
/// same in all cards; the others with the number of the card.
#[derive(Clone, Debug)]
pub struct Ntag424Profile {
    technology: Technology,
    suite: Suite,
    keys: Arc<dyn KeySource>,
    version: u8,
    former: Vec<u8>,
}

impl Ntag424Profile {
    /// Cards with keys of `version` (1 to 255; 0 is how the factory's keys are told), called `ntag424`.
    ///
    /// # Errors
    /// [`CardError::Invalid`]: version 0.
    pub fn new(suite: Suite, keys: Arc<dyn KeySource>, version: u8) -> Result<Self, CardError> {
        if version == FACTORY {
            return Err(CardError::Invalid("keys of a version from 1 on"));
        }
        Ok(Self { technology: Technology("ntag424".to_owned()), suite, keys, version, former: Vec::new() })
    }
    /// Cards with keys of an earlier version are ours too, and get the new ones.
    #[must_use]
    pub fn formerly(mut self, version: u8) -> Self {
        self.former.push(version);
        self
    }

    fn set(&self, uid: &[u8], version: u8) -> Result<[Key; 5], KeyError> {
        let key = |number: u8| match version {
            FACTORY => Ok(Key::zero(KeyType::Aes128)),
            _ => Ok(self.keys.derive(if number == WHO { &[] } else { uid }, &APPLICATION, number, version)?.with_version(version)),
        };
        Ok([key(0)?, key(1)?, key(2)?, key(3)?, key(4)?])
    }

    fn order(&self, task: &Task) -> Result<Order, WriteError> {
        let template = task.content.get("url").and_then(|url| url.as_str()).ok_or(WriteError::Image("there is no \"url\""))?;
        let url = SdmUrl::new(self.suite, template).map_err(|_| WriteError::Image("its address is not a template"))?;
        let (content, sdm) =
            url.layout(KeyNo::new(WHO)?, KeyNo::new(PROOF)?).map_err(|_| WriteError::Image("its address does not fit into the file"))?;
        let uid = task.card.0.as_slice().try_into().map_err(|_| CardError::NotThisTechnology { expected: "an NTAG 424 DNA" })?;
        let interrupted = task.interrupted.iter().flat_map(|entry| std::iter::once(entry.to).chain(entry.or.iter().copied()));
        let mut old = Vec::new();
        for version in
            std::iter::once(FACTORY).chain(interrupted).chain(self.former.iter().copied()).filter(|version| *version != self.version)
        {
            match self.set(&task.card.0, version) {
                Ok(set) => old.push(set),
                // A version that the source does not know is not ours.
                Err(KeyError::None { .. }) => {}
                Err(error) => return Err(CardError::from(error).into()),
            }
        }
        let master = Access::Key(KeyNo::MASTER);
        let rights = Rights { read: Access::Free, write: master, read_write: Access::Never, change: master };
        Ok(Order {
            uid,
            suite: self.suite,
            old,
            new: self.set(&task.card.0, self.version).map_err(CardError::from)?,
            ndef: FileOrder { content, settings: FileSettings { mode: CommMode::Full, rights, sdm: Some(sdm) } },
            url: Some(url),
            proprietary: None,
        })
    }
}

/// The words of a job for what a driver cannot say more exactly.
fn said(error: CardError) -> WriteError {
    match error {
        job::OTHER_CARD => WriteError::AnotherCard,
        CardError::AuthenticationRefused { .. } => WriteError::Foreign("its master key is not ours"),
        error => error.into(),
    }
}

impl Profile for Ntag424Profile {
    fn technology(&self) -> &Technology {
        &self.technology
    }
    fn key_version(&self) -> u8 {
        self.version
    }
    fn identify(&self, _: &[u8]) -> Dialogue<Option<CardNumber>> {
        Dialogue::new(|card| async move {
            let uid = Ntag424::select(card).await?.version().await?.uid;
            let uid = uid.ok_or(CardError::Unsupported("a card that shows random numbers"))?;
            Ok(Some(CardNumber(uid.to_vec())))
        })
    }
    /// The address as any phone reads it, in the form of an image: `{"url": ..}`. A card with mirrors counts it, as it counts taps.
    fn read(&self, _: &CardNumber) -> Option<Dialogue<Option<Value>, WriteError>> {
        Some(Dialogue::new(|card| async move {
            let tag = Ntag424::select(card).await?;
            let head = match tag.read(File::Ndef, 0, 2).await {
                // Not for everybody: not one of ours.
                Err(CardError::Status(_)) => return Ok(None),
                head => head?,
            };
            let length = 2 + head.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
            if length == 2 || length > File::Ndef.size() {
                return Ok(None);
            }
            let message = ndef::file::message(&tag.read(File::Ndef, 0, length).await?).ok().flatten();
            let url = message.and_then(|message| message.records().first()?.as_uri().ok().flatten());
            Ok(url.map(|url| json!({ "url": url })))
        }))
    }
    fn write(&self, task: Task) -> Dialogue<(), WriteError> {
        let profile = self.clone();
        Dialogue::new(move |card| async move {
            let order = profile.order(&task)?;
            job::write(&card, &order, &task, &mut SystemRandom).await.map_err(said)
        })
    }
    fn verify(&self, task: Task) -> Dialogue<(), WriteError> {
        let profile = self.clone();
        Dialogue::new(move |card| async move {
            let order = profile.order(&task)?;
            job::verify(&card, &order, &mut SystemRandom).await.map_err(said)
        })
    }
}
