//! A hotel at a fake Visionline server.
pub(crate) use crate::stand::*;
use async_trait::async_trait;
use seam_core::clock::Clock;
use seam_core::model::{ActionAttempt, ActionStatus};
use seam_core::provider::{Failure, Tag};
use seam_core::{AccessGrant, AccessMethodId};
use seam_providers::visionline::sim::{HotelPlan, Plastic, VisionlineSim};
use seam_providers::visionline::{MobileEndpoints, VisionlineFactory};
use std::sync::Arc;

/// A hotel.
pub(crate) struct Hotel {
    pub(crate) house: House,
    pub(crate) sim: Arc<VisionlineSim>,
}

impl std::ops::Deref for Hotel {
    type Target = House;
    fn deref(&self) -> &House {
        &self.house
    }
}

/// One phone, which is enrolled.
#[derive(Debug)]
struct OnePhone;

pub(crate) const PHONE: &str = "the-phone";

#[async_trait]
impl MobileEndpoints for OnePhone {
    async fn endpoint(&self, _: &Tag, _: &str) -> Result<Option<String>, Failure> {
        Ok(Some(PHONE.to_owned()))
    }
}

pub(crate) async fn house(change: impl FnOnce(&mut serde_json::Value)) -> Hotel {
    house_with(HotelPlan::of(3, chrono_tz::Europe::Berlin), change).await
}

pub(crate) async fn house_with(plan: HotelPlan, change: impl FnOnce(&mut serde_json::Value)) -> Hotel {
    let clock = clock();
    let sim = Arc::new(VisionlineSim::start(plan, Arc::clone(&clock) as Arc<dyn Clock>).await.unwrap());
    sim.enrol(PHONE);
    let mut settings = sim.settings();
    change(&mut settings);
    let factories: Factories = Arc::new(|| vec![Arc::new(VisionlineFactory::new().with_endpoints(Arc::new(OnePhone)))]);
    Hotel { house: House::new(clock, factories, "visionline", &settings).await, sim }
}

impl Hotel {
    pub(crate) async fn method(&self, grant: &AccessGrant) -> AccessMethodId {
        self.card(grant).await
    }
    /// Asks for a card to be written, and lets the engine work.
    pub(crate) async fn try_encode(&self, method: AccessMethodId, plastic: Option<&Plastic>) -> ActionAttempt {
        self.sim.clear("Desk1");
        if let Some(plastic) = plastic {
            self.sim.lay("Desk1", plastic);
        }
        self.encode_at("Desk1", method).await
    }
    pub(crate) async fn encode(&self, method: AccessMethodId) -> Plastic {
        let plastic = self.sim.blank_card();
        let done = self.try_encode(method, Some(&plastic)).await;
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        plastic
    }
    pub(crate) fn opens(&self, door: &str, card: &Plastic) -> bool {
        self.sim.present(door, card).opened
    }
}
