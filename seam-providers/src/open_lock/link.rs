//! Instant keys: a link that enrols a browser's or a phone's own key, as often as the link may be redeemed.
use super::desk::Desk;
use super::enrol::{Applicant, Challenge, Proof};
use seam_core::Workspace;
use seam_core::api::{CredentialFilter, RedeemedKey};
use seam_core::error::{Error, ErrorKind};
use seam_core::model::AccessMethodMode;
use seam_core::provider::{Effect, Failure, Reason, Tag};
use seam_core::view::KeyState;

/// What a link offers to a phone that has not redeemed it yet.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Offer {
    /// For whom: part of what is signed.
    pub applicant: Applicant,
    /// The keys of this site, by our tags: the phone makes a key pair for each and proves it.
    pub credentials: Vec<Tag>,
    /// What to answer.
    pub challenge: Challenge,
}

impl Desk {
    /// What a link offers at this site, by its short code. Looking uses nothing up.
    ///
    /// # Errors
    /// `NotFound`, which does not repeat the code; `Conflict` (`instant_key_expired`), `Exhausted` (`instant_key_used_up`); `Store`, also for the issuer's
    /// records (may be retried).
    pub async fn offer(&self, ws: &Workspace, code: &str) -> Result<Offer, Error> {
        let (applicant, credentials) = self.reach(ws, code).await?;
        let challenge = self.challenge(&applicant).await.map_err(told)?;
        Ok(Offer { applicant, credentials, challenge })
    }

    /// Redeems a link once and enrols the phone's keys. The proofs are checked first, so that a wrong one costs no use of the link; the link is
    /// counted before a key is enrolled, so that it enrols no more phones than it may.
    ///
    /// # Errors
    /// As [`offer`](Self::offer); `Unauthenticated` for a wrong proof; `InvalidInput` for a credential that the link does not have, or none. When the
    /// issuer's records fail after the link was counted, the use is lost: the person asks for another link.
    pub async fn accept(&self, ws: &Workspace, code: &str, challenge: &Challenge, proofs: &[Proof]) -> Result<RedeemedKey, Error> {
        let (applicant, credentials) = self.reach(ws, code).await?;
        if proofs.is_empty() || proofs.iter().any(|proof| !credentials.contains(&proof.credential)) {
            return Err(Error::invalid("credential", "the instant key does not have this credential"));
        }
        self.prove(&applicant, challenge, proofs).await.map_err(told)?;
        let redeemed = ws.instant_keys().redeem(code).await?;
        for proof in proofs {
            self.add(proof).await.map_err(told)?;
        }
        Ok(redeemed)
    }

    /// Whose link it is, and the keys of this site that it hands over.
    async fn reach(&self, ws: &Workspace, code: &str) -> Result<(Applicant, Vec<Tag>), Error> {
        let contents = ws.instant_keys().contents(code).await?;
        match contents.state {
            KeyState::Open { .. } => {}
            KeyState::UsedUp => {
                return Err(Error::new(ErrorKind::Exhausted, "instant_key_used_up", "the instant key was redeemed as often as it may be"));
            }
            KeyState::Expired => return Err(Error::new(ErrorKind::Conflict, "instant_key_expired", "the instant key has expired")),
            _ => return Err(Error::new(ErrorKind::NotFound, "instant_key_not_found", "there is no instant key with this code")),
        }
        let mut filter = CredentialFilter::default();
        // The link itself says what it was made for: one whose method is gone must not become one for all keys of its person.
        filter.access_method_id = contents.access_method_id;
        filter.user_identity_id = Some(contents.user_identity_id);
        let mut credentials = Vec::new();
        loop {
            let page = ws.acs().credentials().list(&filter).await?;
            for credential in page.items.into_iter().filter(|c| c.access_method == AccessMethodMode::MobileKey) {
                let tag = Tag(credential.acs_credential_id.uuid().simple().to_string());
                // Another system's credentials, and those of another site, have no record here.
                if self.has(&tag).await.map_err(told)? {
                    credentials.push(tag);
                }
            }
            filter.page_cursor = page.pagination.next_page_cursor;
            if filter.page_cursor.is_none() {
                break;
            }
        }
        let applicant = Applicant { workspace: contents.workspace_id, person: contents.user_identity_id };
        Ok((applicant, credentials))
    }
}

/// A failure of the issuer, as an error of the SDK.
fn told(failure: Failure) -> Error {
    let kind = match (failure.effect, failure.reason) {
        (Effect::Refused, Reason::Unauthenticated) => ErrorKind::Unauthenticated,
        (Effect::Refused, Reason::NotThere) => ErrorKind::NotFound,
        (Effect::Refused, Reason::Clash) => ErrorKind::Conflict,
        (Effect::Refused, Reason::Full) => ErrorKind::Exhausted,
        (Effect::Refused, _) => ErrorKind::InvalidInput,
        _ => ErrorKind::Store,
    };
    Error::new(kind, "phone_not_enrolled", failure.message)
}
