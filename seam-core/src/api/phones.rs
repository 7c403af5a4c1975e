//! Phones of a sandbox.
use super::Workspace;
use super::paging::{Among, body};
use crate::error::{Error, ErrorKind, Result};
use crate::model::{AcsCredentialId, Phone, PhoneId, UserIdentityId};
use crate::plan::{Change, NewPhone, Outcome};
use crate::state::{self, Index, Key, Row, RowKind};
use crate::view::{self, Viewer};

/// Phones: in a sandbox, records that somebody has one. Keys reach real phones by their [instant keys](super::InstantKeys), and nothing of a key hangs on a
/// phone here.
#[derive(Clone, Copy, Debug)]
pub struct Phones<'a> {
    pub(super) ws: &'a Workspace,
}

impl Phones<'_> {
    /// A phone. A deactivated one is not found.
    ///
    /// # Errors
    /// `NotFound`; `Store` (may be retried).
    pub async fn get(self, id: PhoneId) -> Result<Phone> {
        self.ws.look(|v| view::phone(v, id)).await
    }
    /// The phones, of a person if one is named, in the order in which they were made. No phone is known to hold a credential: with one named, it is none.
    ///
    /// # Errors
    /// `NotFound` for the person or the credential; `Store` (may be retried).
    pub async fn list(self, owner: Option<UserIdentityId>, credential: Option<AcsCredentialId>) -> Result<Vec<Phone>> {
        if let Some(id) = credential {
            return self.ws.acs().credentials().get(id).await.map(|_| Vec::new());
        }
        let owner = match owner {
            Some(id) => Some(self.ws.look(|v| view::staying_id(v, id)).await?),
            None => None,
        };
        let among = Among::from(owner.map(|id| Key::id(Index::PhonesOf, id)));
        let keep = |row: &Row| body::<state::Phone>(row).is_some_and(|phone| owner.is_none_or(|id| phone.identity == id));
        self.ws.every(RowKind::Phone, among, keep, |v: &Viewer<'_>, row| view::phone(v, PhoneId::from_uuid(row))).await
    }
    /// Makes a phone in a sandbox. The person's phone with the same installation is given as it is.
    ///
    /// # Errors
    /// `InvalidInput` for a field, and (`workspace_not_sandbox`) outside a sandbox; `NotFound` for the person; `Busy`, `Store` (may be retried).
    pub async fn create_sandbox_phone(self, new: NewPhone) -> Result<Phone> {
        match self.ws.apply(Change::CreatePhone(new)).await? {
            Outcome::Phone(id) => self.get(id).await,
            _ => Err(Error::new(ErrorKind::Internal, "unexpected_outcome", "a phone was expected")),
        }
    }
    /// Deactivates a phone.
    ///
    /// # Errors
    /// `NotFound`; `Busy`, `Store` (may be retried).
    pub async fn deactivate(self, phone: PhoneId) -> Result<()> {
        self.ws.apply(Change::DeactivatePhone { phone }).await.map(drop)
    }
}
