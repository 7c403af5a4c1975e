//! Aliro over Bluetooth: the phone connects because its holder pressed, proves its key, and asks for the bolt; the lock reads from the phone's mailbox what
//! the office signed, and decides.
use crate::office::random;
use crate::touch::{Pass, Phase, remember};
use seam_ble::aliro::ble::notification::{BoltAction, BoltState};
use seam_ble::aliro::device::{DeviceRandom, Event};
use seam_ble::aliro::exchange::{MailboxRequest, ReaderStatus, Request};
use seam_ble::aliro::reader::{Reader, ReaderRandom, StoredPhone};
use seam_ble::aliro::{AliroError, Proprietary, ReaderId, TransactionId, Version};
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{PublicKey, Secret};
use seam_ble::lock::{SIGNED_GRANT_LEN, UserAct};
use seam_ble::transport::aliro::{Agreed, Conversation, Shown, Visitor, meet, visit};
use seam_ble::transport::{Link, SessionError};

type Failure = SessionError<AliroError>;

/// A phone that has proven its key, with what it carries; the session waits for the outcome.
#[derive(Debug)]
pub struct Approached<'k, L> {
    /// The proven key.
    pub key: PublicKey,
    /// The content of the mailbox.
    pub grant: Vec<u8>,
    /// How it was proven.
    pub phase: Phase,
    /// What is known of its holder: the request for the bolt came encrypted, so it is the phone's own word.
    pub user: UserAct,
    talk: Conversation<'k, RustCrypto, L>,
}

/// The lock's side, up to the request for the bolt.
///
/// # Errors
/// [`SessionError`]: nobody is proven, or wants the bolt turned.
pub async fn serve<'k, L: Link>(
    id: ReaderId,
    key: &'k SoftwareKey,
    stored: &mut Vec<StoredPhone>,
    agreed: &Agreed,
    link: L,
) -> Result<Approached<'k, L>, Failure> {
    let fresh = ReaderRandom { ephemeral: Secret::new(random()), transaction: TransactionId(random()) };
    let (proof, mut talk) = meet(Reader::new(&RustCrypto, id, key), &fresh, stored, agreed, link).await?;
    let phase = if proof.persistent.is_some() { Phase::Standard } else { Phase::Fast };
    if let Some(persistent) = proof.persistent {
        remember(stored, StoredPhone { credential: proof.credential, persistent });
    }
    let mailbox = [MailboxRequest::Read { offset: 0, length: u16::try_from(SIGNED_GRANT_LEN).unwrap_or(u16::MAX) }];
    let grant = talk.exchange(&Request { mailbox: &mailbox, ..Request::default() }).await?.pop().unwrap_or_default();
    // A phone that only passes by is not let in: without ranging nobody knows whether it stands in front of this door.
    let user = match talk.pressed() && talk.requested(BoltState::Secured).await? == BoltAction::Unsecure {
        true => UserAct::Gesture,
        false => UserAct::None,
    };
    Ok(Approached { key: proof.credential, grant, phase, user, talk })
}

impl<L: Link> Approached<'_, L> {
    /// Tells the phone what was decided.
    ///
    /// # Errors
    /// [`SessionError`]; what was decided stays decided.
    pub async fn respond(self, opens: bool) -> Result<(), Failure> {
        if opens { self.talk.opened(BoltState::Unsecured).await } else { self.talk.refused(ReaderStatus::NO_ACCESS).await }
    }
}

/// The phone's side: says whether the lock opened. What the visit leaves behind is kept in the pass.
///
/// # Errors
/// [`SessionError`].
pub async fn present<L: Link>(pass: &mut Pass<'_>, grant: &[u8; SIGNED_GRANT_LEN], agreed: &Agreed, link: L) -> Result<bool, Failure> {
    let (mut mailbox, mut proven) = (*grant, None);
    let offers = Proprietary::new(&[Version::V1_0], None, None)?;
    let visitor = Visitor { crypto: &RustCrypto, wallet: &*pass, offers, pressed: true, now: None };
    let fresh = || DeviceRandom { ephemeral: Secret::new(random()), filler: Secret::new(random()) };
    let noted = |event| {
        if let Event::Proven(with) = event {
            proven = Some(with.persistent);
        }
    };
    let shown = visit(&visitor, agreed, &mut mailbox, fresh, noted, link).await;
    if proven.is_some() {
        pass.persistent = proven;
    }
    Ok(shown? == Shown::Bolt(BoltState::Unsecured))
}
