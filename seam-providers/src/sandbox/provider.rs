//! The plug: a connected account is one virtual site.
use super::check::check;
use super::effect;
use super::put;
use super::report;
use super::serve::{Trip, USUAL_LIMIT, no_site};
use super::world::World;
use async_trait::async_trait;
use seam_core::provider::{
    AccessLog, AccessSystemProvider, Call, CardImages, CardPath, Failure, Found, Handle, Inventory, Kind, Reason, Receipt, RemoteUnlock,
    SystemReport, VendorEncoders, Want,
};
use std::fmt;

/// An account at a virtual site.
#[derive(Debug)]
pub struct SandboxProvider {
    pub(super) world: World,
    pub(super) site: String,
}

impl SandboxProvider {
    /// The account of one site. The site must be there when calls come, not before.
    #[must_use]
    pub fn new(world: World, site: impl Into<String>) -> Self {
        Self { world, site: site.into() }
    }

    pub(super) fn right_system(&self, handle: &Handle) -> Result<(), Failure> {
        if handle.as_text() == Some(self.site.as_str()) {
            return Ok(());
        }
        Err(Failure::refused(Reason::NotThere, format!("the account has no system {}", handle.0)))
    }

    pub(super) fn check(&self, want: &Want, call: &Call<'_>) -> Result<super::check::Checked, Failure> {
        self.right_system(&call.system.handle)?;
        let checked = self.world.look(|state| {
            let site = state.sites.get(&self.site).ok_or_else(|| no_site(&self.site))?;
            check(&site.config, want)
        });
        match checked {
            Err(failure) => Err(self.planted(failure, want)),
            checked => checked,
        }
    }

    #[cfg(not(test))]
    fn planted(&self, failure: Failure, _want: &Want) -> Failure {
        failure
    }

    /// The planted bug that tells the PIN.
    #[cfg(test)]
    fn planted(&self, failure: Failure, want: &Want) -> Failure {
        use seam_core::provider::Body;
        use secrecy::ExposeSecret;
        let tells =
            self.world.look(|state| state.sites.get(&self.site).is_some_and(|s| s.faults.bug == Some(super::faults::Bug::PinInFailure)));
        match want {
            Want::Credential(c) if tells => match &c.body {
                Body::Code { pin: Some(pin), .. } => Failure::refused(failure.reason, format!("{} does not fit", pin.expose_secret())),
                _ => failure,
            },
            _ => failure,
        }
    }
}

impl fmt::Display for SandboxProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "virtual site {}", self.site)
    }
}

#[async_trait]
impl AccessSystemProvider for SandboxProvider {
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure> {
        let trip = Trip::begin(&self.world, &self.site, "systems", USUAL_LIMIT).await?;
        let answer = trip.act(|site, _| Ok(vec![report::system(&site.config)]));
        trip.end(answer).await
    }

    async fn put(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        let checked = self.check(want, call)?;
        if want.kind() == Kind::Card && checked.rules.card != Some(CardPath::Preassigned) {
            // Nothing is sent before the encoder writes the card.
            return self.world.change(|state, _| {
                let site = state.sites.get_mut(&self.site).ok_or_else(|| no_site(&self.site))?;
                put::put(site, &checked, want, had, &call.tag)
            });
        }
        let trip = Trip::begin(&self.world, &self.site, "put", call.within).await?;
        let answer = match trip.lies() {
            true => Ok(effect::claimed(&checked)),
            false => trip.act(|site, _| put::put(site, &checked, want, had, &call.tag)),
        };
        trip.end(answer).await
    }

    async fn remove(&self, last: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        let trip = Trip::begin(&self.world, &self.site, "remove", call.within).await?;
        let answer = match trip.lies() {
            true => Ok(Receipt::verified()),
            false => trip.act(|site, now| effect::remove(site, last, had, &call.tag, now)),
        };
        trip.end(answer).await
    }

    async fn find(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Found, Failure> {
        let checked = self.check(want, call)?;
        let trip = Trip::begin(&self.world, &self.site, "find", call.within).await?;
        let answer = trip.act(|site, _| Ok(effect::find(site, &checked, want, had, &call.tag)));
        trip.end(answer).await
    }

    fn inventory(&self) -> Option<&dyn Inventory> {
        Some(self)
    }
    fn encoders(&self) -> Option<&dyn VendorEncoders> {
        let any = self.world.look(|state| state.sites.get(&self.site).is_some_and(|s| !s.config.encoders.is_empty()));
        any.then_some(self)
    }
    fn card_images(&self) -> Option<&dyn CardImages> {
        let card = self.world.look(|state| state.sites.get(&self.site).and_then(|s| s.config.kinds.get(&Kind::Card)?.card));
        (card == Some(CardPath::OwnEncoder)).then_some(self)
    }
    fn unlock(&self) -> Option<&dyn RemoteUnlock> {
        let any = self.world.look(|state| state.sites.get(&self.site).is_some_and(|s| s.config.kinds.contains_key(&Kind::CloudKey)));
        any.then_some(self)
    }
    fn access_log(&self) -> Option<&dyn AccessLog> {
        Some(self)
    }
}
