//! What can be asked of a sandbox in the words of the public API: its `acs/encoders/simulate` routes.
use super::encoder::{Encoder, JobOutcome};
use seam_core::model::{AcsCredentialId, codes::action_error};
use seam_core::provider::Tag;

/// How the next encode fails, in the error types of the public API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EncodeFailure {
    /// No card lies on the encoder.
    #[default]
    NoCredentialOnEncoder,
    /// The card is taken away half-way.
    EncodingInterrupted,
    /// The encoder says no more than that it failed.
    UncategorizedError,
    /// The attempt expires while a card is waited for.
    ActionAttemptExpired,
}

impl EncodeFailure {
    /// The failure of this `error_code`; `None` for a code that the route does not know.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::NoCredentialOnEncoder, Self::EncodingInterrupted, Self::UncategorizedError, Self::ActionAttemptExpired]
            .into_iter()
            .find(|failure| failure.code() == code)
    }
    /// Its `error_code`, which is the type of the error that the attempt then has.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoCredentialOnEncoder => action_error::NO_CREDENTIAL_ON_ENCODER,
            Self::EncodingInterrupted => action_error::ENCODING_INTERRUPTED,
            Self::UncategorizedError => action_error::UNCATEGORIZED_ERROR,
            Self::ActionAttemptExpired => action_error::ACTION_ATTEMPT_EXPIRED,
        }
    }
    const fn outcome(self) -> JobOutcome {
        match self {
            Self::NoCredentialOnEncoder => JobOutcome::NoCard,
            Self::EncodingInterrupted => JobOutcome::Interrupted,
            Self::UncategorizedError => JobOutcome::Uncategorized,
            Self::ActionAttemptExpired => JobOutcome::AttemptExpired,
        }
    }
}

/// How the next scan fails, in the error types of the public API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScanFailure {
    /// No card lies on the encoder.
    #[default]
    NoCredentialOnEncoder,
    /// The encoder says no more than that it failed.
    UncategorizedError,
    /// The attempt expires while a card is waited for.
    ActionAttemptExpired,
}

impl ScanFailure {
    /// The failure of this `error_code`; `None` for a code that the route does not know.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::NoCredentialOnEncoder, Self::UncategorizedError, Self::ActionAttemptExpired]
            .into_iter()
            .find(|failure| failure.code() == code)
    }
    /// Its `error_code`, which is the type of the error that the attempt then has.
    #[must_use]
    pub const fn code(self) -> &'static str {
        self.as_encode().code()
    }
    const fn as_encode(self) -> EncodeFailure {
        match self {
            Self::NoCredentialOnEncoder => EncodeFailure::NoCredentialOnEncoder,
            Self::UncategorizedError => EncodeFailure::UncategorizedError,
            Self::ActionAttemptExpired => EncodeFailure::ActionAttemptExpired,
        }
    }
}

/// What the next scan finds, in the scenarios of the public API. No card has to lie there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ScanScenario {
    /// `credential_exists_on_seam`: this credential, or the one that the site recorded last. Without any, as `credential_does_not_exist_on_seam`.
    CredentialExistsOnSeam(Option<AcsCredentialId>),
    /// `credential_on_encoder_needs_update`: the same, written before it was changed.
    CredentialOnEncoderNeedsUpdate(Option<AcsCredentialId>),
    /// `credential_does_not_exist_on_seam`: a key of which nothing is recorded.
    CredentialDoesNotExistOnSeam,
    /// `credential_on_encoder_is_empty`: a card with nothing on it.
    CredentialOnEncoderIsEmpty,
}

impl Default for ScanScenario {
    fn default() -> Self {
        Self::CredentialExistsOnSeam(None)
    }
}

impl ScanScenario {
    /// The scenario of this name; `None` for a name that the route does not know. The credential counts for the scenarios that name one.
    #[must_use]
    pub fn from_name(name: &str, credential: Option<AcsCredentialId>) -> Option<Self> {
        Some(match name {
            "credential_exists_on_seam" => Self::CredentialExistsOnSeam(credential),
            "credential_on_encoder_needs_update" => Self::CredentialOnEncoderNeedsUpdate(credential),
            "credential_does_not_exist_on_seam" => Self::CredentialDoesNotExistOnSeam,
            "credential_on_encoder_is_empty" => Self::CredentialOnEncoderIsEmpty,
            _ => return None,
        })
    }
}

/// What was told of a later job.
#[derive(Clone, Debug)]
pub(super) struct Told {
    pub(super) outcome: JobOutcome,
    /// Only a job about this credential.
    pub(super) only: Option<Tag>,
    /// What a scan finds.
    pub(super) finds: Option<ScanScenario>,
}

impl From<JobOutcome> for Told {
    fn from(outcome: JobOutcome) -> Self {
        Self { outcome, only: None, finds: None }
    }
}

fn tag_of(credential: AcsCredentialId) -> Tag {
    seam_core::plan::tag_of(credential.uuid())
}

impl ScanScenario {
    /// Our mark of the credential that is to be found, where one is named.
    pub(super) fn tag(self) -> Option<Tag> {
        match self {
            Self::CredentialExistsOnSeam(id) | Self::CredentialOnEncoderNeedsUpdate(id) => id.map(tag_of),
            Self::CredentialDoesNotExistOnSeam | Self::CredentialOnEncoderIsEmpty => None,
        }
    }
}

/// The routes `acs/encoders/simulate/*`. The encoder of an [`AcsEncoder`](seam_core::model::AcsEncoder) is found by the names of its system and
/// itself: `world.site(&system.name).encoder(&encoder.display_name)`.
impl Encoder {
    /// `next_credential_encode_will_fail`: the next encode, or the next of this credential, fails like this.
    pub fn next_credential_encode_will_fail(&self, failure: EncodeFailure, only: Option<AcsCredentialId>) {
        self.change(|e| e.next_encode.push_back(Told { only: only.map(tag_of), ..failure.outcome().into() }));
    }
    /// `next_credential_encode_will_succeed`, scenario `credential_is_issued`: what was told before of later encodes does not count any more.
    pub fn next_credential_encode_will_succeed(&self) {
        self.change(|e| e.next_encode.clear());
    }
    /// `next_credential_scan_will_fail`: the next scan, or the next that finds this credential, fails like this.
    pub fn next_credential_scan_will_fail(&self, failure: ScanFailure, only: Option<AcsCredentialId>) {
        self.change(|e| e.next_scan.push_back(Told { only: only.map(tag_of), ..failure.as_encode().outcome().into() }));
    }
    /// `next_credential_scan_will_succeed`: what was told before of later scans does not count any more; the next one finds this.
    pub fn next_credential_scan_will_succeed(&self, finds: ScanScenario) {
        self.change(|e| {
            e.next_scan.clear();
            e.next_scan.push_back(Told { finds: Some(finds), ..JobOutcome::Success.into() });
        });
    }
}
