//! A touch by Aliro, in memory: the phone proves its key in the standard phase and shows its documents in the step-up phase.
use super::phone::PhoneKey;
use seam_ble::aliro::device::{Credential, Device, DeviceRandom, Moment, Trust, Wallet};
use seam_ble::aliro::document::{DocType, Document, documents};
use seam_ble::aliro::exchange::{MailboxRequest, Request};
use seam_ble::aliro::reader::{Auth0Outcome, Reader, ReaderRandom, StoredPhone};
use seam_ble::aliro::step_up::{ReaderStepUp, Wanted};
use seam_ble::aliro::{AliroError, Policy, Proprietary, ReaderId, Signaling, TransactionId, Version};
use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::crypto::{PublicKey, Secret};
use seam_ble::lock::{ElementName, EntranceId, RECEIPT_LEN, SiteId};

/// More than the longest message: a list of 32 keys and a document.
const LONGEST: usize = 8192;

/// What a phone has in its pocket at one door.
pub(super) struct Pocket<'a> {
    pub(super) key: &'a PhoneKey,
    pub(super) list: &'a [u8],
    pub(super) document: &'a [u8],
    pub(super) site: SiteId,
    pub(super) entrance: EntranceId,
    pub(super) reader: PublicKey,
}

impl Wallet for Pocket<'_> {
    type Key = SoftwareKey;

    fn credential(&self, _: &ReaderId, _: Policy) -> Option<Credential<'_, SoftwareKey>> {
        Some(Credential {
            key: self.key.key(),
            trust: Trust::Key(self.reader),
            persistent: None,
            signaling: Signaling::ACCESS_DOCUMENT | Signaling::REVOCATION_DOCUMENT | Signaling::SELECT_STEP_UP,
            credential_signed: None,
            revocation_signed: None,
        })
    }

    fn document(&self, _: &ReaderId, kind: DocType, element: &str) -> Option<&[u8]> {
        let (name, bytes) = match kind {
            DocType::Access => (ElementName::of_entrance(self.entrance), self.document),
            DocType::Revocation => (ElementName::of_site(self.site), self.list),
        };
        (name.as_str() == element && !bytes.is_empty()).then_some(bytes)
    }
}

/// Gives `see` the key that the phone has proven, and each document that it shows, not believed yet; then the door's `receipt` is left in the phone's
/// mailbox, of which the content is given back. `draw` is a number that is new each time.
///
/// # Errors
/// Why the transaction ended.
pub(super) fn touch(
    door: &SoftwareKey,
    pocket: &Pocket<'_>,
    draw: u128,
    mut see: impl FnMut(&PublicKey, &Document<'_>),
    receipt: impl FnOnce() -> Option<[u8; RECEIPT_LEN]>,
) -> Result<Option<Vec<u8>>, AliroError> {
    let seed = |byte: u8| {
        let mut bytes = [byte; 32];
        bytes[1..17].copy_from_slice(&draw.to_be_bytes());
        Secret::new(bytes)
    };
    let mut device = Device::nfc(&RustCrypto, Proprietary::new(&[Version::V1_0], None, None)?);
    let random = DeviceRandom { ephemeral: seed(1), filler: seed(2) };
    let mut mailbox = [0; RECEIPT_LEN];
    let mut send = |command: &[u8]| {
        let (mut command, mut scratch, mut answer) = (command.to_vec(), vec![0; LONGEST], vec![0; LONGEST]);
        let mut out = Writer::new(&mut answer);
        let moment = Moment { wallet: pocket, random: &random, now: None, mailbox: &mut mailbox, scratch: &mut scratch };
        // What the phone makes of it is in its answer.
        let _ = device.handle(&mut command, moment, &mut out);
        out.as_slice().to_vec()
    };
    let mut id = [0; 32];
    id[..16].copy_from_slice(&pocket.site.0);
    id[16..].copy_from_slice(&pocket.entrance.0);
    let reader = Reader::new(&RustCrypto, ReaderId::new(id), door);
    let (state, command) = written(|out| reader.select(out))?;
    let state = state.on_response(&send(&command))?;
    let random = ReaderRandom { ephemeral: seed(3), transaction: TransactionId(draw.to_be_bytes()) };
    let (state, command) = written(|out| state.auth0(&random, false, out))?;
    let none: [&StoredPhone; 0] = [];
    let Auth0Outcome::Standard(state) = state.on_response(&send(&command), none)? else { return Err(AliroError::Cryptogram) };
    let (state, command) = written(|out| state.auth1(out))?;
    let outcome = state.on_response(&mut send(&command), |_| None)?;
    let step_up = outcome.session.step_up().ok_or(AliroError::OutOfOrder)??;
    let ((), command) = written(ReaderStepUp::<RustCrypto>::select)?;
    ReaderStepUp::<RustCrypto>::on_select(&send(&command))?;
    let (room, site) = (ElementName::of_entrance(pocket.entrance), ElementName::of_site(pocket.site));
    let wanted = [
        Wanted { kind: DocType::Revocation, element: site.as_str(), retain: true },
        Wanted { kind: DocType::Access, element: room.as_str(), retain: false },
    ];
    let (state, command) = written(|out| step_up.request(&wanted, out))?;
    let mut answer = send(&command);
    let (_, response) = state.on_response(&mut answer)?;
    let mut shown = documents(response).map_err(|_| AliroError::Value)?;
    while let Some(document) = shown.next().map_err(|_| AliroError::Value)? {
        see(&outcome.credential, &document);
    }
    // Whether the door opens is decided by now, and does not hang on this.
    let Some(receipt) = receipt() else { return Ok(None) };
    let leave = [MailboxRequest::Write { offset: 0, data: &receipt }];
    let (state, command) = written(|out| outcome.session.exchange(&Request { mailbox: &leave, ..Request::default() }, out))?;
    let left = state.on_response(&mut send(&command)).is_ok();
    Ok(left.then(|| mailbox.to_vec()))
}

fn written<T>(step: impl FnOnce(&mut Writer<'_>) -> Result<T, AliroError>) -> Result<(T, Vec<u8>), AliroError> {
    let mut space = [0; 4096];
    let mut out = Writer::new(&mut space);
    let next = step(&mut out)?;
    Ok((next, out.as_slice().to_vec()))
}
