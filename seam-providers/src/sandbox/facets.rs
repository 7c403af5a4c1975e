//! Inventory, remote unlock, access log.
use super::decide;
use super::door::Why;
use super::effect;
use super::provider::SandboxProvider;
use super::report;
use super::serve::{Trip, USUAL_LIMIT};
use super::state::LogLine;
use async_trait::async_trait;
use seam_core::provider::{
    AccessLog, Call, CredentialSpec, Denial, Door, EntranceReport, Failure, GroupReport, Handle, HeldPage, Inventory, Kind, LogEntry,
    LogPage, ReadBack, Reason, Receipt, RemoteUnlock, SystemRef,
};

/// Lines of the access log that are told at once.
const LOG_PAGE: usize = 500;

#[async_trait]
impl Inventory for SandboxProvider {
    async fn entrances(&self, system: &SystemRef) -> Result<Vec<EntranceReport>, Failure> {
        self.right_system(&system.handle)?;
        let trip = Trip::begin(&self.world, &self.site, "entrances", USUAL_LIMIT).await?;
        let answer = trip.act(|site, _| Ok(report::entrances(&site.config)));
        trip.end(answer).await
    }

    async fn groups(&self, system: &SystemRef) -> Result<Vec<GroupReport>, Failure> {
        self.right_system(&system.handle)?;
        let trip = Trip::begin(&self.world, &self.site, "groups", USUAL_LIMIT).await?;
        let answer = trip.act(|site, _| Ok(site.config.groups.clone()));
        trip.end(answer).await
    }

    async fn held(&self, system: &SystemRef, cursor: Option<&str>) -> Result<Option<HeldPage>, Failure> {
        self.right_system(&system.handle)?;
        let trip = Trip::begin(&self.world, &self.site, "held", USUAL_LIMIT).await?;
        let answer = trip.act(|site, _| {
            let mute = site.config.kinds.values().all(|r| r.read_back == ReadBack::None);
            Ok((!mute).then(|| report::held(site, cursor)))
        });
        trip.end(answer).await
    }
}

#[async_trait]
impl RemoteUnlock for SandboxProvider {
    async fn unlock(&self, credential: &CredentialSpec, had: Option<&Handle>, door: &Door, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        let name = door.handle.as_text().unwrap_or_default();
        let known = self.world.look(|state| state.sites.get(&self.site).and_then(|s| s.config.door(name)).map(|d| d.cloud_key));
        match known {
            None => return Err(Failure::refused(Reason::NotThere, format!("there is no door {}", door.handle.0))),
            Some(false) => return Err(Failure::unsupported(format!("{name} cannot be unlocked from afar"))),
            Some(true) => {}
        }
        let kind = credential.body.kind();
        let trip = Trip::begin(&self.world, &self.site, "unlock", call.within).await?;
        let answer = trip.act(|site, now| {
            let Some(id) = effect::ids(site, kind, had, &call.tag).into_iter().next().filter(|_| kind == Kind::CloudKey) else {
                return Err(Failure::refused(Reason::NotThere, "there is no such right to unlock"));
            };
            let why = decide::by_cloud(site, name, &id, now);
            let tag = site.things.get(&id).and_then(|t| t.tag.clone());
            let line = LogLine { at: now, door: name.to_owned(), id: Some(id.clone()), tag, by: Kind::CloudKey, why };
            site.write_log(line, false);
            if why.is_open() {
                Ok(Receipt::verified().with_handle(Handle::text(id)))
            } else {
                Err(Failure::refused(Reason::Forbidden, why.to_string()))
            }
        });
        trip.end(answer).await
    }
}

#[async_trait]
impl AccessLog for SandboxProvider {
    async fn entries(&self, system: &SystemRef, cursor: Option<&str>) -> Result<LogPage, Failure> {
        self.right_system(&system.handle)?;
        let after = match cursor.map(str::parse::<u64>) {
            None => 0,
            Some(Ok(n)) => n,
            Some(Err(_)) => return Err(Failure::refused(Reason::Invalid, "such a cursor was never given")),
        };
        let trip = Trip::begin(&self.world, &self.site, "entries", USUAL_LIMIT).await?;
        let answer = trip.act(|site, _| {
            let after = if stays(site) { after.saturating_sub(2) } else { after };
            let page: Vec<_> = site.log.range(after + 1..).take(LOG_PAGE).collect();
            let next = page.last().map(|(n, _)| n.to_string()).or_else(|| cursor.map(str::to_owned));
            Ok(LogPage::new(page.into_iter().map(|(_, line)| entry(line)).collect(), next))
        });
        trip.end(answer).await
    }
}

fn entry(line: &LogLine) -> LogEntry {
    let mut entry = LogEntry::new(line.at, Handle::text(&line.door), line.why.is_open());
    entry.credential = line.id.as_ref().map(Handle::text);
    entry.tag.clone_from(&line.tag);
    entry.by = Some(line.by);
    entry.denied = denial(line.why, line.by);
    entry
}

fn denial(why: Why, by: Kind) -> Option<Denial> {
    Some(match why {
        Why::Opened | Why::OpenedAndOverrode => return None,
        Why::UnknownCode => Denial::UnknownCode,
        Why::Expired if by == Kind::Code => Denial::ExpiredCode,
        Why::Blocked | Why::Cancelled => Denial::BlocklistedCode,
        _ => Denial::CredentialError,
    })
}

#[cfg(not(test))]
fn stays(_: &super::state::SiteState) -> bool {
    false
}

/// The planted bug that tells lines twice.
#[cfg(test)]
fn stays(site: &super::state::SiteState) -> bool {
    site.faults.bug == Some(super::faults::Bug::LogCursorStays)
}
