//! What is sent, what comes back, and what may have happened when nothing does.
use crate::receiver::*;
use seam_core::Effect;
use seam_core::provider::{HttpMethod, HttpRequest, HttpTransport, Reason};
use seam_providers::http::{HttpClient, HttpOptions, Reach};
use std::time::Duration;
use tokio::net::TcpListener;

pub(crate) fn anywhere() -> HttpClient {
    HttpClient::new(&options(Reach::Anywhere)).unwrap()
}

/// Options whose roots are given: the host's are not needed on loopback.
pub(crate) fn options(reach: Reach) -> HttpOptions {
    let mut options = HttpOptions::new(reach);
    options.danger_accept_any_certificate = true;
    options
}

#[tokio::test]
async fn a_request_arrives_as_it_was_said() {
    let server = Receiver::new(|_| ("HTTP/1.1 201 Created\r\nX-Thing: A b\r\nContent-Length: 5\r\n\r\nhello".to_owned(), Then::Stay)).await;
    let client = anywhere();
    for (method, word) in [
        (HttpMethod::Get, "GET"),
        (HttpMethod::Post, "POST"),
        (HttpMethod::Put, "PUT"),
        (HttpMethod::Patch, "PATCH"),
        (HttpMethod::Delete, "DELETE"),
    ] {
        let request = HttpRequest::new(method, server.url("/a?b=c")).with_header("x-one", "1").with_body(b"body".as_slice());
        let answer = client.send(request).await.unwrap();
        assert_eq!(
            (answer.status, answer.header("x-thing"), answer.body.as_slice(), answer.is_cut),
            (201, Some("A b"), b"hello".as_slice(), false)
        );
        let got = server.got.lock().unwrap().last().cloned().unwrap();
        assert_eq!(got.line, format!("{word} /a?b=c HTTP/1.1"));
        assert_eq!((got.headers["x-one"].as_str(), got.body.as_slice()), ("1", b"body".as_slice()));
        assert!(got.headers["user-agent"].starts_with("seam-providers/"));
    }
    assert_eq!(*server.connections.lock().unwrap(), 1, "the connection is used again");
}

#[tokio::test]
async fn a_long_answer_is_cut() {
    let body = "x".repeat(100_000);
    let server = Receiver::new(move |_| (format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()), Then::Close)).await;
    let send = async |max| anywhere().send(HttpRequest::new(HttpMethod::Get, server.url("/")).with_max_response(max)).await.unwrap();
    for (max, length, is_cut) in
        [(0, 0, true), (10, 10, true), (99_999, 99_999, true), (100_000, 100_000, false), (1 << 20, 100_000, false)]
    {
        let answer = send(max).await;
        assert_eq!((answer.body.len(), answer.is_cut), (length, is_cut));
    }
}

#[tokio::test]
async fn redirects_are_answers_and_are_not_followed() {
    let goal = Receiver::new(|_| status(200)).await;
    let to = goal.url("/");
    let server = Receiver::new(move |_| (format!("HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"), Then::Stay)).await;
    let answer = anywhere().send(HttpRequest::new(HttpMethod::Post, server.url("/"))).await.unwrap();
    assert_eq!((answer.status, goal.count(), *goal.connections.lock().unwrap()), (302, 0, 0));
}

#[tokio::test]
async fn a_failure_says_what_may_have_happened() {
    let client = anywhere();
    let send = async |url: String, within: u64| {
        let request = HttpRequest::new(HttpMethod::Post, url).with_body(b"secret-body".as_slice()).with_header("x-token", "secret-header");
        let failure = client.send(request.with_within(Duration::from_millis(within))).await.unwrap_err();
        assert!(!format!("{failure} {failure:?}").contains("secret"), "{failure}");
        (failure.effect, failure.reason)
    };
    // Nobody listens: a port that was just given back.
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert_eq!(send(format!("http://{free}/secret-path"), 5000).await, (Effect::Nothing, Reason::Offline));
    assert_eq!(send("http://no-such-host.invalid/secret".to_owned(), 5000).await, (Effect::Nothing, Reason::Offline));
    // The request was read, and then: nothing, half an answer, a closed connection, an answer that is none.
    for (answer, then, reason) in [
        ("", Then::Hang, Reason::TimedOut),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Then::Hang, Reason::TimedOut),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", Then::Close, Reason::Garbled),
        ("", Then::Close, Reason::Other),
        ("what?\r\n\r\n", Then::Close, Reason::Other),
    ] {
        let server = Receiver::new(move |_| (answer.to_owned(), then.clone())).await;
        assert_eq!(send(server.url("/secret-path"), 500).await, (Effect::Unknown, reason), "{answer:?}");
        assert_eq!(server.count(), 1, "it is written once");
    }
    for bad in ["", "nonsense secret", "ftp://127.0.0.1/", "http://u:secret@127.0.0.1/", "file:///secret"] {
        assert_eq!(send(bad.to_owned(), 500).await, (Effect::Refused, Reason::Invalid), "{bad}");
    }
    let bad = HttpRequest::new(HttpMethod::Get, "http://127.0.0.1/").with_header("x", "a\r\nsecret: b");
    assert_eq!(client.send(bad).await.unwrap_err().effect, Effect::Refused);
}

#[tokio::test]
async fn so_many_requests_at_once_and_no_more() {
    let server = Receiver::new(|_| (String::new(), Then::Hang)).await;
    let mut options = options(Reach::Anywhere);
    options.at_once = 2;
    let client = HttpClient::new(&options).unwrap();
    let send = |within| client.send(HttpRequest::new(HttpMethod::Get, server.url("/")).with_within(Duration::from_millis(within)));
    let (a, b, c) = tokio::join!(send(2000), send(2000), send(50));
    assert_eq!((a.unwrap_err().effect, b.unwrap_err().effect), (Effect::Unknown, Effect::Unknown));
    let c = c.unwrap_err();
    assert_eq!((c.effect, c.reason), (Effect::Nothing, Reason::TimedOut));
    assert_eq!(server.count(), 2);
}
