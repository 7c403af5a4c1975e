//! Certificates of servers on site.
use crate::http::{HttpClient, HttpOptions, Reach};
use crate::net::certificates::CertificateSettings;
use crate::net::sim::{HttpAnswer, HttpAsked, HttpConversation, HttpService, Server, ServerOptions, SimCertificate};
use async_trait::async_trait;
use seam_core::clock::SystemClock;
use seam_core::provider::{Effect, Failure, HttpMethod, HttpRequest, HttpTransport, Reason, check_settings};
use serde_json::json;
use std::sync::Arc;

struct Hello;

#[async_trait]
impl HttpService for Hello {
    async fn serve(&self, asked: HttpAsked) -> HttpAnswer {
        HttpAnswer::json(200, &json!({"method": asked.method, "path": asked.path(), "query": asked.query(), "body": asked.body.len()}))
    }
}

async fn server(certificate: &SimCertificate) -> Server {
    let options = ServerOptions::new(Arc::new(SystemClock)).with_certificate(certificate.clone());
    Server::start(Arc::new(HttpConversation(Hello)), options).await.unwrap()
}

fn settings(value: serde_json::Value) -> CertificateSettings {
    assert_eq!(check_settings(&CertificateSettings::schema(), &value), []);
    serde_json::from_value(value).unwrap()
}

fn client(settings: &CertificateSettings) -> Result<HttpClient, Failure> {
    let mut options = HttpOptions::new(Reach::Anywhere);
    settings.apply(&mut options)?;
    HttpClient::new(&options)
}

async fn ask(settings: &CertificateSettings, server: &Server) -> Result<u16, Failure> {
    let url = format!("https://{}/a%20b?c=d", server.address());
    client(settings)?.send(HttpRequest::new(HttpMethod::Post, url).with_body(b"abc".as_slice())).await.map(|answer| answer.status)
}

#[tokio::test]
async fn only_what_was_pinned_or_vouched_for_is_believed() {
    let (mine, elsewhere) = (SimCertificate::new(&["127.0.0.1"]).unwrap(), SimCertificate::new(&["lock-server.example"]).unwrap());
    let server = server(&mine).await;
    let rooted = |c: &SimCertificate| settings(json!({"root_certificates": c.pem()}));
    let pinned = |c: &SimCertificate| settings(json!({"pinned_sha256": [c.sha256_hex()]}));
    assert_eq!(ask(&rooted(&mine), &server).await.unwrap(), 200);
    assert_eq!(ask(&pinned(&mine), &server).await.unwrap(), 200);
    let danger = settings(json!({"danger_accept_any_certificate": true}));
    for refused in [rooted(&elsewhere), pinned(&elsewhere), settings(json!({}))] {
        let failure = ask(&refused, &server).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Offline), "{refused:?}: {failure}");
    }
    assert_eq!(server.requests(), 2, "nothing was sent to a server that is not believed");
    // Another certificate, whose name is not the server's.
    server.change_certificate(elsewhere.clone());
    assert_eq!(ask(&pinned(&mine), &server).await.unwrap_err().effect, Effect::Nothing);
    assert_eq!(ask(&rooted(&elsewhere), &server).await.unwrap_err().effect, Effect::Nothing, "the name is not the server's");
    assert_eq!(ask(&pinned(&elsewhere), &server).await.unwrap(), 200, "a pinned one is believed whatever its name");
    assert_eq!(ask(&danger, &server).await.unwrap(), 200);
}

#[test]
fn settings_that_are_none_or_contradict_each_other_are_refused() {
    let pin = "AB:".repeat(31) + "CD";
    let good = settings(json!({"pinned_sha256": [pin]}));
    assert!(client(&good).is_ok());
    for bad in [
        json!({"pinned_sha256": ["g".repeat(64)]}),
        json!({"pinned_sha256": ["a".repeat(65)]}),
        json!({"root_certificates": "none"}),
        json!({"root_certificates": ""}),
        json!({"pinned_sha256": [pin], "danger_accept_any_certificate": true}),
    ] {
        assert_eq!(client(&settings(bad.clone())).unwrap_err().effect, Effect::Refused, "{bad}");
    }
    assert!(serde_json::from_value::<CertificateSettings>(json!({"accept_any_certificate": true})).is_err());
}
