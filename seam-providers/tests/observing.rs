//! What can be seen of the engine's work from outside, and what cannot: no name, contact, PIN or card number in spans, events of the log, errors.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
mod support;

use chrono::Duration;
use seam_core::plan::Person;
use seam_core::provider::{Failure, Reason};
use seam_core::{NewGrant, NewMethod, Who};
use seam_providers::sandbox::{SiteConfig, When};
use std::io;
use std::sync::{Arc, Mutex};
use support::stage;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::FmtSpan;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl io::Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Written {
    type Writer = Self;
    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn every_call_has_a_span_and_nobody_is_named_in_it() {
    let log = Written::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_max_level(tracing::Level::TRACE)
        .with_span_events(FmtSpan::NEW | FmtSpan::CLOSE)
        .with_ansi(false)
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let s = stage(SiteConfig::office("office"), None).await;
    let person = Person {
        full_name: Some("Ottoline Quux".into()),
        email_address: Some("ottoline@example.com".into()),
        phone_number: Some("+4912345678901".into()),
        ..Person::default()
    };
    let who = s.ws.user_identities().create(person).await.unwrap().user_identity_id;
    s.world.site("office").fail_next(2, &Failure::nothing(Reason::Busy, "not now"), When::Before);
    let wish = NewGrant::builder().who(Who::Known(who)).entrances([s.door("lab").await]);
    let wish = wish.methods([NewMethod::preferred_code("847362"), NewMethod::card()]).build();
    let grant = s.ws.access_grants().create(wish).await.unwrap();
    s.pass(Duration::minutes(5)).await;
    let code = s.ws.access_methods().get(grant.access_method_ids[0]).await.unwrap();
    assert!(code.is_issued && code.code.unwrap().expose() == "847362");
    let card = s.world.blank_card();
    s.world.site("office").register_card(&card);
    let number = card.uid().to_owned();
    s.ws.access_methods().assign_card(grant.access_method_ids[1], &number).await.unwrap();
    s.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    s.pass(Duration::minutes(5)).await;

    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for what in ["what=\"scan\"", "what=\"put\"", "what=\"remove\"", "reason=Busy", "effect=Nothing", "attempt=2"] {
        assert!(text.contains(what), "no {what} in\n{text}");
    }
    for secret in ["Ottoline", "ottoline", "4912345678901", "847362", number.as_str()] {
        assert!(!text.contains(secret), "{secret} is in\n{text}");
    }
}
