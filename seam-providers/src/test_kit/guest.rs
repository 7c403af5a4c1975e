//! Somebody who has checked in.
use crate::sandbox::Card;
use seam_core::model::{Shown, UserIdentityId};
use seam_core::{AccessGrantId, AccessMethodId};

/// Somebody who has checked in, with what she carries.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Guest {
    /// Her grant.
    pub access_grant_id: AccessGrantId,
    /// Who she is.
    pub user_identity_id: UserIdentityId,
    /// The key of her stay. Grants with the same key are one party.
    pub reservation_key: String,
    /// Her card.
    pub card: Card,
    /// The method that her card is of.
    pub card_method_id: AccessMethodId,
    /// The method that her PIN is of.
    pub pin_method_id: AccessMethodId,
    pub(super) pin: Shown,
}

impl Guest {
    /// Her PIN for the common doors.
    #[must_use]
    pub fn pin(&self) -> &str {
        self.pin.expose()
    }
}
