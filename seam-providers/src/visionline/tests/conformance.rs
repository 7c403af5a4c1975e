//! The suite of providers, over each interface.
use super::*;
use crate::visionline::sim::{EncodeAnswer, Plastic};
use seam_core::conformance::provider::{Fault, Findings, Issued, Judge, SamePin, Tried, check};
use serde_json::json;

#[async_trait]
impl Judge for Stage {
    fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }
    async fn pass(&self, time: Duration) {
        // Real sockets need real time: a little of it for much of ours.
        tokio::time::sleep((time / 20).min(Duration::from_millis(25))).await;
        self.clock.advance(TimeDelta::from_std(time).unwrap());
    }
    async fn try_door(&self, door: &Handle, issued: &Issued<'_>) -> Tried {
        let door = door.as_text().unwrap();
        let tried = match issued.want.kind() {
            Kind::Card => {
                let number = issued.receipt.and_then(|r| r.made.card_number.as_deref());
                let plastic = number.map(Plastic::of_serial).or_else(|| self.sim.last_written());
                let Some(plastic) = plastic else { return Tried::Cannot };
                self.sim.present(door, &plastic)
            }
            Kind::MobileKey => self.sim.present_phone(door, &phone_of(issued.tag)),
            _ => return Tried::Cannot,
        };
        if tried.opened { Tried::Opened } else { Tried::Refused }
    }
    async fn try_pin(&self, _: &Handle, _: &str) -> Tried {
        Tried::Cannot
    }
    /// Nothing can be taken away, so that a count says nothing after a removal; see the tests of this folder for counts before one.
    async fn holds(&self, _: &Issued<'_>) -> Option<u32> {
        None
    }
    fn requests(&self) -> Option<u64> {
        Some(self.sim.requests())
    }
    async fn spoil(&self, fault: Option<Fault>) -> bool {
        let Ok(how) = misbehaviour(fault) else { return false };
        self.sim.misbehave(how).await.unwrap();
        true
    }
    async fn lay_card(&self, encoder: &Handle) -> bool {
        let name = encoder.as_text().unwrap();
        self.sim.clear(name);
        self.sim.lay(name, &self.sim.blank_card());
        true
    }
    async fn clear_encoder(&self, encoder: &Handle) -> bool {
        self.sim.clear(encoder.as_text().unwrap());
        true
    }
    async fn registered_card(&self) -> Option<String> {
        None
    }
    fn same_pin(&self) -> SamePin {
        SamePin::Taken
    }
}

async fn findings(plan: impl FnOnce(&mut HotelPlan), settings: impl FnOnce(&mut Value)) -> Findings {
    let stage = stage(plan, settings).await;
    check(&stage.provider, &stage).await
}

#[tokio::test]
async fn over_both_interfaces_all_rules_are_kept() {
    let findings = findings(|_| {}, |s| s["mobile_keys"] = json!(true)).await;
    findings.assert_clean();
    assert!(findings.tried > 80, "{findings}");
    assert!(!findings.skipped.iter().any(|s| s.contains("encoders")), "{findings}");
}

#[tokio::test]
async fn over_the_web_interface_alone_all_rules_are_kept() {
    let plan = |p: &mut HotelPlan| p.encode_answer = EncodeAnswer::Card;
    let findings = findings(plan, |s| s["pms"] = Value::Null).await;
    findings.assert_clean();
    assert!(findings.skipped.iter().any(|s| s.contains("cannot read")), "{findings}");
}

#[tokio::test]
async fn over_the_pms_port_alone_all_rules_are_kept() {
    for serial in [false, true] {
        let plan = |p: &mut HotelPlan| p.pms_serial = serial;
        let findings = findings(plan, |s| {
            s["web"] = Value::Null;
            s["pms"]["serial_frames"] = json!(serial);
        })
        .await;
        findings.assert_clean();
        assert!(!findings.skipped.iter().any(|s| s.contains("encoders")), "{findings}");
    }
}
