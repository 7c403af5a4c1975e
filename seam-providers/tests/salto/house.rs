//! A workspace that is connected to a fake of Salto.
pub(crate) use crate::stand::*;
use seam_core::clock::Clock;
use seam_core::model::{ActionAttempt, ActionStatus};
use seam_core::{AccessGrant, AccessMethodId};
use seam_providers::http::HttpClient;
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_space::SpaceFactory;
use seam_providers::salto_space::sim::{SimCard, SpaceSim, SpaceSimOptions};
use std::sync::Arc;
use std::time::Duration;

pub(crate) fn factories() -> Factories {
    Arc::new(|| {
        let http = Arc::new(HttpClient::for_providers().unwrap());
        vec![Arc::new(SpaceFactory::default()), Arc::new(KsFactory::new(http))]
    })
}

/// A hotel with the PMS interface.
pub(crate) struct Hotel {
    pub(crate) house: House,
    pub(crate) sim: SpaceSim,
}

impl std::ops::Deref for Hotel {
    type Target = House;
    fn deref(&self) -> &House {
        &self.house
    }
}

pub(crate) async fn hotel(change: impl FnOnce(&mut SpaceSimOptions)) -> Hotel {
    let clock = clock();
    let mut options = SpaceSimOptions::new(Arc::clone(&clock) as Arc<dyn Clock>, chrono_tz::Europe::Madrid);
    options.card_wait = Duration::from_secs(20);
    change(&mut options);
    let sim = SpaceSim::start(options).await.unwrap();
    let house = House::new(clock, factories(), "salto_space", &sim.pms_settings()).await;
    Hotel { house, sim }
}

impl Hotel {
    pub(crate) async fn guest(&self, who: &str, doors: &[&str], stay: &str, from: &str, to: &str) -> AccessGrant {
        self.grant(self.wish(who, doors, CARD, Some(stay), from, to).await).await
    }
    /// Asks for a card to be written, and lets the engine work.
    pub(crate) async fn try_encode(&self, method: AccessMethodId, plastic: Option<&SimCard>) -> ActionAttempt {
        self.sim.take("Desk 1");
        if let Some(plastic) = plastic {
            self.sim.lay("Desk 1", plastic);
        }
        self.encode_at("Desk 1", method).await
    }
    pub(crate) async fn encode(&self, method: AccessMethodId) -> SimCard {
        let plastic = self.sim.blank_card();
        let done = self.try_encode(method, Some(&plastic)).await;
        assert_eq!(done.status, ActionStatus::Success, "{:?}", done.error);
        plastic
    }
    pub(crate) fn opens(&self, door: &str, card: &SimCard) -> bool {
        self.sim.present(door, card).is_open()
    }
}
