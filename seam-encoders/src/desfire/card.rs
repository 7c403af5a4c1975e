//! One card: its session, and how commands and answers travel in frames.
use std::fmt;
use zeroize::Zeroizing;

use super::ev1::Ev1;
use super::ev2::Ev2;
use super::ins;
use super::types::{Aid, CommMode};
use super::version::Generation;
use crate::apdu::{Command, Response, StatusWord};
use crate::dialogue::{Card, Random};
use crate::error::CardError;

/// Bytes of data in one frame: a native frame has 60 bytes, of which one is the instruction. EV2 and EV3 take more, but all take this.
const FRAME: usize = 59;
/// The most frames that are taken for one answer: 32 KB, the most that a card of these holds, come in fewer.
const MOST_FRAMES: usize = 1024;

/// A DESFire card in a dialogue.
///
/// Whatever goes wrong ends the session, as it does at the card; the next step is to authenticate again.
pub struct Desfire {
    pub(super) card: Card,
    pub(super) random: Box<dyn Random>,
    pub(super) session: Option<Session>,
    pub(super) generation: Option<Generation>,
    selected: Aid,
}

/// Who authenticated, and how messages are secured since.
pub(super) struct Session {
    pub(super) key_no: u8,
    pub(super) messaging: Messaging,
}

pub(super) enum Messaging {
    Ev1(Ev1),
    Ev2(Ev2),
}

/// How a command and its answer are protected in a session.
#[derive(Clone, Copy)]
pub(super) enum Protection {
    /// Management of the card. EV1: MAC back; EV2: MAC both ways.
    Management,
    /// Something is brought to the card in this mode; a MAC comes back.
    Write(CommMode),
    /// Something is fetched in this mode; so many bytes.
    Read(CommMode, usize),
    /// Something is fetched and nothing secures it, whether there is a session or not.
    None,
}

impl Desfire {
    /// Speaks to this card; random numbers for authentications come from `random`.
    pub fn new(card: Card, random: impl Random + 'static) -> Self {
        Self { card, random: Box::new(random), session: None, generation: None, selected: Aid::PICC }
    }
    /// The application that is selected.
    #[must_use]
    pub fn selected(&self) -> Aid {
        self.selected
    }
    /// With which key it was authenticated; `None` outside of a session.
    #[must_use]
    pub fn authenticated(&self) -> Option<u8> {
        self.session.as_ref().map(|session| session.key_no)
    }
    /// The dialogue's handle, for commands of the reader and for progress.
    #[must_use]
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// Selects an application, or the card itself; the session ends.
    ///
    /// # Errors
    /// [`CardError::Status`] 91A0 when there is no such application; the one that was selected then stays so.
    pub async fn select(&mut self, aid: Aid) -> Result<(), CardError> {
        self.session = None;
        self.exchange(ins::SELECT_APPLICATION, &aid.wire(), &[], Protection::None).await?;
        self.selected = aid;
        Ok(())
    }

    /// One command and its answer, secured and in frames.
    pub(super) async fn exchange(
        &mut self,
        ins: u8,
        header: &[u8],
        data: &[u8],
        protection: Protection,
    ) -> Result<Zeroizing<Vec<u8>>, CardError> {
        // Taken out, so that an error on the way leaves none behind.
        let mut session = self.session.take();
        let bare = match &session {
            None => true,
            Some(_) => matches!(protection, Protection::None),
        };
        if bare {
            if !matches!(
                protection,
                Protection::None | Protection::Management | Protection::Write(CommMode::Plain) | Protection::Read(CommMode::Plain, _)
            ) {
                return Err(CardError::Invalid("this needs an authentication"));
            }
            return self.frames(ins, &Zeroizing::new([header, data].concat())).await;
        }
        let Some(Session { messaging, .. }) = &mut session else { return Err(CardError::Invalid("this needs an authentication")) };
        let sent = match messaging {
            Messaging::Ev1(ev1) => ev1.command(ins, header, data, protection.of_command_ev1())?,
            Messaging::Ev2(ev2) => ev2.command(ins, header, data, protection.of_command_ev2())?,
        };
        let answer = self.frames(ins, &sent).await?;
        let clear = match messaging {
            Messaging::Ev1(ev1) => ev1.response(answer, protection.of_response(), protection.expected())?,
            Messaging::Ev2(ev2) => ev2.response(answer, protection.of_response_ev2())?,
        };
        self.session = session;
        Ok(clear)
    }

    /// One command in as many frames as it needs, and its answer from as many as come.
    pub(super) async fn frames(&self, ins: u8, params: &[u8]) -> Result<Zeroizing<Vec<u8>>, CardError> {
        let mut frames = params.chunks(FRAME);
        let mut response = self.frame(ins, frames.next().unwrap_or_default()).await?;
        for frame in frames {
            match response.status() {
                StatusWord::NATIVE_MORE if response.data().is_empty() => {}
                StatusWord::NATIVE_MORE | StatusWord::NATIVE_OK => {
                    return Err(CardError::Garbage("an answer before the command was whole"));
                }
                status => return Err(refused(status)),
            }
            response = self.frame(ins::ADDITIONAL_FRAME, frame).await?;
        }
        let mut answer = Zeroizing::new(Vec::new());
        for _ in 0..MOST_FRAMES {
            let status = response.status();
            if status == StatusWord::NATIVE_OK && answer.is_empty() {
                return Ok(response.into_data());
            }
            // In one piece with what came before; what a vector leaves behind when it grows are data that the card gives to whoever may read them.
            answer.extend_from_slice(response.data());
            match status {
                StatusWord::NATIVE_OK => return Ok(answer),
                StatusWord::NATIVE_MORE => {}
                status => return Err(refused(status)),
            }
            response = self.frame(ins::ADDITIONAL_FRAME, &[]).await?;
        }
        Err(CardError::Garbage("an answer without end"))
    }

    /// One frame, wrapped in ISO 7816.
    pub(super) async fn frame(&self, ins: u8, params: &[u8]) -> Result<Response, CardError> {
        self.card.transmit(Command::of_parts([0x90, ins, 0, 0], &[params])?.expecting(0)).await
    }
}

/// What a status word means that is neither 9100 nor 91AF.
pub(super) fn refused(status: StatusWord) -> CardError {
    match status.0 {
        0x910E => CardError::Full,
        _ => CardError::Status(status),
    }
}

impl Protection {
    fn of_command_ev1(self) -> CommMode {
        match self {
            Self::Write(mode) => mode,
            Self::Management | Self::Read(..) | Self::None => CommMode::Plain,
        }
    }
    fn of_command_ev2(self) -> CommMode {
        match self {
            Self::Management => CommMode::Mac,
            Self::Write(mode) => mode,
            Self::Read(CommMode::Plain, _) | Self::None => CommMode::Plain,
            Self::Read(..) => CommMode::Mac,
        }
    }
    /// In an EV1 session; there plain and MAC are the same.
    fn of_response(self) -> CommMode {
        match self {
            Self::Read(mode, _) => mode,
            Self::Management | Self::Write(_) | Self::None => CommMode::Mac,
        }
    }
    fn of_response_ev2(self) -> CommMode {
        match self {
            Self::Read(mode, _) => mode,
            Self::Write(CommMode::Plain) | Self::None => CommMode::Plain,
            Self::Management | Self::Write(_) => CommMode::Mac,
        }
    }
    fn expected(self) -> usize {
        match self {
            Self::Read(_, expected) => expected,
            Self::Management | Self::Write(_) | Self::None => 0,
        }
    }
}

impl fmt::Debug for Desfire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desfire")
            .field("selected", &self.selected)
            .field("authenticated", &self.authenticated())
            .field("generation", &self.generation)
            .finish_non_exhaustive()
    }
}
