//! The status bytes with which a card refuses.

/// A refusal, as the second byte of `91xx`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal(pub u8);

pub(super) const NO_CHANGES: Refusal = Refusal(0x0C);
pub(super) const OUT_OF_MEMORY: Refusal = Refusal(0x0E);
pub(super) const ILLEGAL_COMMAND: Refusal = Refusal(0x1C);
pub(super) const INTEGRITY: Refusal = Refusal(0x1E);
pub(super) const NO_SUCH_KEY: Refusal = Refusal(0x40);
pub(super) const LENGTH: Refusal = Refusal(0x7E);
pub(super) const PERMISSION_DENIED: Refusal = Refusal(0x9D);
pub(super) const PARAMETER: Refusal = Refusal(0x9E);
pub(super) const NO_SUCH_APPLICATION: Refusal = Refusal(0xA0);
pub(super) const AUTHENTICATION: Refusal = Refusal(0xAE);
pub(super) const BOUNDARY: Refusal = Refusal(0xBE);
pub(super) const ABORTED: Refusal = Refusal(0xCA);
pub(super) const COUNT: Refusal = Refusal(0xCE);
pub(super) const DUPLICATE: Refusal = Refusal(0xDE);
pub(super) const NO_SUCH_FILE: Refusal = Refusal(0xF0);
