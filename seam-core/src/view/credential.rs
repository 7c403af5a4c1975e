//! Credentials, from the targets that carry them to a system.
use super::notes::{add, label};
use super::target::{Named, card_needs, ends_by_engine, failure_error, is_issued, is_leaving, is_synced, mode, rules};
use super::{Viewer, hidden, sealed};
use crate::model::{self, AcsCredentialId, Map, ResidualAccess, Warning, codes};
use crate::plan::Try;
use crate::plan::residual::residual_of;
use crate::state::{Entrance, Method, Stay, System, Target, TargetOf};
use std::collections::BTreeMap;

/// A credential. One that is to be taken away says so until it is gone at the system, then it is hidden.
pub(crate) fn acs_credential(v: &Viewer<'_>, id: AcsCredentialId) -> Try<model::AcsCredential> {
    let target = v.get::<Target>(id)?;
    let (Some(wanted), Some(mode)) = (target.credential(), mode(target.kind())) else {
        return hidden::<Target, _>(id);
    };
    if target.gone && !is_leaving(target) {
        return hidden::<Target, _>(id);
    }
    v.reader.hint([target.system.uuid()]);
    v.reader.hint(wanted.stay.map(|stay| stay.uuid()));
    v.reader.hint(target.work.after);
    v.reader.gather()?;
    let system = v.get::<System>(target.system)?;
    let rules = rules(system, target);
    let external_type = system.report.external_types.get(&target.kind()).cloned();
    let method = match target.of {
        TargetOf::Method(method) => v.try_get::<Method>(method)?,
        _ => None,
    };
    let pin = match (&target.pin, method, target.of) {
        (Some(pin), ..) => Some(v.open(id, sealed::PIN, pin)?),
        (None, Some(method), TargetOf::Method(of)) => v.open_some(of, sealed::PIN, method.pin.as_ref())?,
        _ => None,
    };
    let number = v.open_some(id, sealed::CARD_NUMBER, target.card_number.as_ref())?;
    let issued = is_issued(target, rules);
    let residual = residual(v, (id.uuid(), target), system)?;
    Ok(model::AcsCredential {
        acs_credential_id: id,
        acs_system_id: target.system,
        connected_account_id: target.account,
        workspace_id: v.workspace,
        display_name: super::status::mode_name(&mode).to_owned(),
        access_method: mode,
        acs_user_id: wanted.user,
        user_identity_id: wanted.identity,
        external_type_display_name: external_type.as_deref().map(label),
        external_type,
        card_number: number.map(|number| number.expose().to_owned()),
        code: pin,
        created_at: target.created_at,
        starts_at: Some(wanted.window.starts_at()),
        ends_at: wanted.window.ends_at(),
        is_managed: true,
        is_issued: Some(issued),
        issued_at: target.issued_at,
        is_latest_desired_state_synced_with_provider: is_synced(target),
        latest_desired_state_synced_with_provider_at: target.synced_at,
        is_multi_phone_sync_credential: None,
        is_one_time_use: None,
        parent_acs_credential_id: None,
        acs_credential_pool_id: None,
        warnings: warnings(v, target, system, issued)?,
        residual_access: residual,
        errors: failure_error(target, false).into_iter().collect(),
        extra: Map::new(),
    })
}

fn warnings(v: &Viewer<'_>, target: &Target, system: &System, issued: bool) -> Try<Vec<Warning>> {
    let rules = rules(system, target);
    let since = target.made.as_ref().map_or(target.created_at, |made| made.at);
    let mut warnings = Vec::new();
    if target.gone {
        warnings.push(Warning::being_deleted(target.work.due_at.map_or(since, |due| due.min(v.now()))));
    } else if needs_reissue(target, stay_of(v, target)?) || (card_needs(target, rules, false).encoding && target.made.is_some()) {
        add(&mut warnings, Warning::needs_to_be_reissued(since));
    } else if !issued {
        add(&mut warnings, Warning::waiting_to_be_issued(target.created_at));
    }
    if let Some(question) = &target.work.asks {
        let message = "What came of the last call is not known. A person has to decide.";
        add(&mut warnings, Warning::new(codes::warning::UNKNOWN_ISSUE_WITH_ACS_CREDENTIAL, message, question.at));
    }
    if ends_by_engine(target, rules) {
        add(&mut warnings, Warning::ends_by_engine(target.created_at, target.system));
    }
    Ok(warnings)
}

/// Whether the stay was opened again after this credential was made: at the stay's doors it is out of date.
pub(super) fn needs_reissue(target: &Target, stay: Option<&Stay>) -> bool {
    let (Some(made), Some(stay)) = (&target.made, stay) else { return false };
    !target.gone && made.generation.zip(stay.generation).is_some_and(|(made, stay)| made < stay)
}

/// The stay that a credential takes part in.
pub(super) fn stay_of<'a>(v: &Viewer<'a>, target: &Target) -> Try<Option<&'a Stay>> {
    match target.credential().and_then(|c| c.stay) {
        Some(stay) => v.try_get::<Stay>(stay),
        None => Ok(None),
    }
}

/// What a target's last credential still opens although it is no longer wanted.
pub(super) fn residual(v: &Viewer<'_>, (id, target): Named<'_>, system: &System) -> Try<Vec<ResidualAccess>> {
    let Some(rules) = rules(system, target) else { return Ok(Vec::new()) };
    let mut doors: BTreeMap<_, &Entrance> = BTreeMap::new();
    let ids: Vec<_> = crate::plan::residual::doors_of(target).into_iter().collect();
    for (door, entrance) in v.all::<Entrance, _>(&ids)? {
        doors.insert(door, entrance);
    }
    let left = residual_of(target, id, &|door| doors.get(&door).copied(), rules, stay_of(v, target)?, v.present.at);
    if !left.is_empty() {
        // It ends some time. Where nothing is left, nothing comes back by the mere passing of time.
        v.now();
    }
    Ok(left)
}
