//! The virtual hotel and office of `--sandbox hotel`.
use seam_core::provider::{DoorClass, EntranceReport, GroupReport, Handle};
use seam_core::{Result, Workspace};
use seam_providers::sandbox::{Resembles, SiteConfig, World};
use std::time::Duration;

/// What a door of the hotel takes.
struct Able {
    name: &'static str,
    class: DoorClass,
    card: bool,
    code: bool,
    mobile_key: bool,
    cloud_key: bool,
}

const DOORS: [Able; 4] = [
    Able { name: "room-101", class: DoorClass::Guest, card: true, code: false, mobile_key: true, cloud_key: false },
    Able { name: "room-102", class: DoorClass::Guest, card: true, code: false, mobile_key: true, cloud_key: false },
    Able { name: "gym", class: DoorClass::Common, card: true, code: true, mobile_key: false, cloud_key: false },
    Able { name: "lobby", class: DoorClass::Common, card: false, code: true, mobile_key: false, cloud_key: true },
];

/// The hotel of four doors and one encoder.
fn hotel(name: &str) -> SiteConfig {
    let mut site = SiteConfig::hotel(name, 0);
    // The kinds that the office has and the hotel of offline locks has not.
    let online = SiteConfig::office("");
    site.kinds.extend(online.kinds.into_iter().filter(|(kind, _)| *kind == seam_core::provider::Kind::CloudKey));
    site.rule(seam_core::provider::Kind::CloudKey, |rules| rules.doors = seam_core::provider::DoorLimit::Many { guest: 0, common: 1 });
    site.doors = DOORS
        .iter()
        .map(|able| {
            let mut door = EntranceReport::new(Handle::text(able.name), able.name, able.class);
            door.reservation = able.class == DoorClass::Guest;
            (door.card, door.code, door.mobile_key, door.cloud_key) = (able.card, able.code, able.mobile_key, able.cloud_key);
            door
        })
        .collect();
    site.encoders = vec!["desk".to_owned()];
    site.resembles = Some(Resembles::Visionline);
    site.log_seconds = Some(60);
    site.logs_at_once = true;
    site
}

/// The office of two groups.
fn office(name: &str) -> SiteConfig {
    let mut site = SiteConfig::office(name);
    site.doors.retain(|door| ["entrance", "lab"].contains(&door.name.as_str()));
    site.encoders.clear();
    site.resembles = Some(Resembles::Brivo);
    let group = |name: &str, door: &str| GroupReport::new(Handle::text(name), name, vec![Handle::text(door)]);
    site.groups = vec![group("everyone", "entrance"), group("research", "lab")];
    site
}

/// Sets the virtual sites up and connects them, unless the workspace has systems already, and waits until they can be used; the engine must be
/// running.
///
/// # Errors
/// `Timeout`, and what the store says.
pub async fn set_up_hotel(world: &World, workspace: &Workspace, suffix: &str) -> Result<()> {
    let accounts = workspace.connected_accounts();
    let sites = [hotel(&format!("hotel{suffix}")), office(&format!("office{suffix}"))];
    let connects = accounts.list(None, 1).await?.items.is_empty();
    for site in sites {
        // A site that is there already keeps what its locks remember.
        let name = world.add(site).name().to_owned();
        if connects {
            let account = accounts.connect("sandbox", &serde_json::json!({ "site": name })).await?;
            accounts.wait_until_synced(account.connected_account_id, Duration::from_secs(30)).await?;
        }
    }
    Ok(())
}
