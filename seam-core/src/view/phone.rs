//! Phones.
use super::{Viewer, hidden};
use crate::model::{self, Map, PhoneId, PhoneType};
use crate::plan::Try;
use crate::state::Phone;

/// A phone. A deactivated one is hidden.
pub(crate) fn phone(v: &Viewer<'_>, id: PhoneId) -> Try<model::Phone> {
    let row = v.get::<Phone>(id)?;
    if row.deactivated_at.is_some() {
        return hidden::<Phone, _>(id);
    }
    Ok(model::Phone {
        device_id: id,
        workspace_id: v.workspace,
        device_type: if row.system == "ios" { PhoneType::Ios } else { PhoneType::Android },
        display_name: row.model.clone(),
        nickname: None,
        custom_metadata: Map::new(),
        properties: Map::new(),
        created_at: row.created_at,
        errors: Vec::new(),
        warnings: Vec::new(),
        extra: Map::new(),
    })
}
