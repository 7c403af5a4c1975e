//! The suite of providers. A phone waits for every key that is put: what happens until one comes is tested beside it.
use super::*;
use seam_core::conformance::provider::{Fault, Issued, Judge, SamePin, Tried, check};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

/// The provider, with somebody who enrols a phone as soon as a key wants one.
#[derive(Debug)]
struct WithPhones {
    inner: Arc<dyn AccessSystemProvider>,
    desk: Desk,
    phones: Arc<Mutex<BTreeMap<Tag, u8>>>,
}

impl fmt::Display for WithPhones {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

#[async_trait]
impl AccessSystemProvider for WithPhones {
    async fn systems(&self) -> Result<Vec<SystemReport>, Failure> {
        self.inner.systems().await
    }
    async fn put(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        let receipt = self.inner.put(want, had, call).await?;
        if receipt.needs != Needs::Phone {
            return Ok(receipt);
        }
        let seed = {
            let mut phones = self.phones.lock().unwrap();
            let next = u8::try_from(phones.len() + 1).unwrap();
            *phones.entry(call.tag.clone()).and_modify(|seed| *seed += 100).or_insert(next)
        };
        Phone::new(seed).enrol(&self.desk, &applicant(), &call.tag).await?;
        self.inner.put(want, had, call).await
    }
    async fn remove(&self, last: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Receipt, Failure> {
        self.inner.remove(last, had, call).await
    }
    async fn find(&self, want: &Want, had: Option<&Handle>, call: &Call<'_>) -> Result<Found, Failure> {
        self.inner.find(want, had, call).await
    }
    fn inventory(&self) -> Option<&dyn Inventory> {
        self.inner.inventory()
    }
}

struct AtTheDoors {
    stage: Stage,
    phones: Arc<Mutex<BTreeMap<Tag, u8>>>,
}

#[async_trait]
impl Judge for AtTheDoors {
    fn now(&self) -> DateTime<Utc> {
        self.stage.clock.now()
    }
    async fn pass(&self, time: Duration) {
        self.stage.clock.advance(TimeDelta::from_std(time).unwrap());
    }
    async fn try_door(&self, door: &Handle, issued: &Issued<'_>) -> Tried {
        let Some(seed) = self.phones.lock().unwrap().get(issued.tag).copied() else { return Tried::Refused };
        let mut phone = Phone::new(seed);
        // The same seed is the same key.
        let _ = phone.make_key(&applicant(), &[0; 32], issued.tag).unwrap();
        phone.sync(&self.stage.site.desk()).await.unwrap();
        match self.stage.present(door.as_text().unwrap(), &phone) {
            Answer::Opened => Tried::Opened,
            _ => Tried::Refused,
        }
    }
    async fn try_pin(&self, _: &Handle, _: &str) -> Tried {
        Tried::Cannot
    }
    async fn holds(&self, issued: &Issued<'_>) -> Option<u32> {
        let name = format!("{}/key/{}", self.stage.site.id.simple(), issued.tag.0);
        let content = self.stage.site.records.peek(&name);
        Some(u32::from(content.is_some_and(|c| String::from_utf8(c).unwrap().contains("\"gone\":false"))))
    }
    fn requests(&self) -> Option<u64> {
        Some(self.stage.site.records.requests())
    }
    async fn spoil(&self, fault: Option<Fault>) -> bool {
        self.stage.site.records.spoil(match fault {
            None => None,
            Some(Fault::RefuseConnections) => Some(RecordFault::Offline),
            Some(Fault::LoseRequests) => Some(RecordFault::LoseRequests),
            Some(Fault::LoseAnswers) => Some(RecordFault::LoseAnswers),
            Some(_) => return false,
        });
        true
    }
    async fn lay_card(&self, _: &Handle) -> bool {
        false
    }
    async fn registered_card(&self) -> Option<String> {
        None
    }
    fn same_pin(&self) -> SamePin {
        SamePin::Taken
    }
}

#[tokio::test]
async fn all_rules_of_providers_are_kept() {
    kept_in(DocumentForm::Compact).await;
}

#[tokio::test]
async fn all_rules_of_providers_are_kept_with_aliro_documents() {
    kept_in(DocumentForm::Aliro).await;
}

async fn kept_in(form: DocumentForm) {
    let stage = stage_in(ClockOfDoor::Exact, form);
    let phones = Arc::new(Mutex::new(BTreeMap::new()));
    let provider = WithPhones { inner: Arc::clone(&stage.provider), desk: stage.site.desk(), phones: Arc::clone(&phones) };
    let judge = AtTheDoors { stage, phones };
    let findings = check(&provider, &judge).await;
    findings.assert_clean();
    assert!(findings.tried > 80, "{findings}");
    assert!(findings.skipped.is_empty(), "{findings}");
}
