//! What the cloud's refusals mean.
use super::{Change, OTP, Stage};
use crate::salto_ks::error::checked;
use seam_core::provider::{Effect, Failure, HttpMethod, HttpResponse, Reason};

fn said(status: u16, code: &str, changes: bool) -> Option<(Effect, Reason, String)> {
    let body = if code.is_empty() { String::new() } else { format!(r#"{{"ErrorCode":"{code}","Message":"planted"}}"#) };
    let failure = checked(HttpResponse::new(status).with_body(body, false), changes).err()?;
    assert!(!failure.message.contains("planted"), "the cloud's words may quote the request");
    Some((failure.effect, failure.reason, failure.vendor_code.unwrap()))
}

#[test]
fn every_code_that_was_seen_has_its_meaning_and_so_has_every_other() {
    use Effect::{Nothing, Refused, Unknown};
    let table = [
        (400, "1100", Refused, Reason::Invalid),
        (400, "1101", Refused, Reason::Invalid),
        (400, "1102", Refused, Reason::Invalid),
        (404, "2202", Refused, Reason::NotThere),
        (403, "2203", Refused, Reason::Forbidden),
        (400, "9999", Refused, Reason::Other),
        (401, "", Refused, Reason::Unauthenticated),
        (403, "", Refused, Reason::Forbidden),
        (404, "", Refused, Reason::NotThere),
        (405, "", Refused, Reason::Unsupported),
        (409, "", Refused, Reason::Clash),
        (410, "", Refused, Reason::NotThere),
        (418, "", Refused, Reason::Other),
        (429, "", Nothing, Reason::RateLimited),
        (500, "", Unknown, Reason::Other),
        (502, "2202", Unknown, Reason::Other),
        (503, "", Unknown, Reason::RateLimited),
        // Somebody between us and the cloud; and an error that calls itself a success.
        (302, "", Unknown, Reason::Garbled),
        (200, "1101", Refused, Reason::Invalid),
        (200, "9999", Unknown, Reason::Garbled),
    ];
    for (status, code, effect, reason) in table {
        let shown = if code.is_empty() { status.to_string() } else { code.to_owned() };
        assert_eq!(said(status, code, true), Some((effect, reason, shown)), "{status} {code}");
        let read = said(status, code, false).unwrap().0;
        assert_eq!(read, if effect == Unknown { Nothing } else { effect }, "{status} {code} of a read");
    }
    assert_eq!((said(200, "", true), said(204, "", false)), (None, None));
    // What is no code is not shown as one.
    for odd in ["a b", "1234567890123", "<x>"] {
        assert_eq!(said(404, odd, true).unwrap().2, "404", "{odd}");
    }
}

/// The rest of an answer was never read.
#[test]
fn an_answer_that_was_cut_off_is_none() {
    for (changes, effect) in [(true, Effect::Unknown), (false, Effect::Nothing)] {
        let failure = checked(HttpResponse::new(200).with_body("[]", true), changes).unwrap_err();
        assert_eq!((failure.effect, failure.reason), (effect, Reason::Garbled));
    }
}

fn told(method: HttpMethod, url: &str, answer: HttpResponse, pin: &str) -> Result<HttpResponse, Failure> {
    match method == HttpMethod::Put && url.ends_with("/pin") {
        true => Ok(HttpResponse::new(200).with_body(format!("\"{pin}\""), false)),
        false => Ok(answer),
    }
}

/// It is shown to a guest, who types it.
#[tokio::test]
async fn a_pin_that_is_none_is_not_told() {
    let answers: [Change; 5] = [
        |method, url, answer| told(method, url, answer, ""),
        |method, url, answer| told(method, url, answer, "123"),
        |method, url, answer| told(method, url, answer, "12345678901"),
        |method, url, answer| told(method, url, answer, "12 456"),
        |method, url, answer| told(method, url, answer, "1234\u{664}5"),
    ];
    let s = Stage::new(OTP).await;
    for (n, change) in answers.into_iter().enumerate() {
        let tag = format!("user{n}");
        let user = s.put(&s.user(), None, &tag).await.unwrap().handle.unwrap();
        let failure = s.behind(change).put(&s.pin(&user), None, &s.call("pin")).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Unknown, Reason::Garbled), "answer {n}");
    }
}
