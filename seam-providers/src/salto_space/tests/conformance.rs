//! The suite of providers, at the fake.
use super::stage::{Stage, Way};
use seam_core::conformance::provider::{Findings, check};
use std::time::Duration;

async fn findings(way: Way, pages_begin_after: bool) -> Findings {
    let stage = Stage::new(way, |options| {
        // The suite gives a person five seconds.
        options.card_wait = Duration::from_secs(5);
        options.pages_begin_after = pages_begin_after;
        options.mobile_keys = true;
    })
    .await;
    check(&*stage.provider, &stage).await
}

#[tokio::test]
async fn guests_over_the_pms_interface() {
    let findings = findings(Way::Pms, false).await;
    findings.assert_clean();
    assert!(findings.tried > 60, "{findings}");
}

#[tokio::test]
async fn users_over_http() {
    let findings = findings(Way::Http, false).await;
    findings.assert_clean();
    assert!(findings.tried > 100, "{findings}");
}

#[tokio::test]
async fn users_over_stp_with_pages_that_begin_after_their_id() {
    let findings = findings(Way::Stp, true).await;
    findings.assert_clean();
    assert!(findings.tried > 100, "{findings}");
}
