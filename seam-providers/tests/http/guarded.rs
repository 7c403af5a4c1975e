//! Where a client for webhooks does not connect to, however it is told to.
use crate::receiver::*;
use crate::sending::options;
use async_trait::async_trait;
use seam_core::Effect;
use seam_core::provider::{HttpMethod, HttpRequest, HttpTransport, Reason};
use seam_providers::http::{HttpClient, Reach, Resolver};
use std::io;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Answers with one list after the other, the last one for ever.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) answers: Mutex<Vec<Vec<IpAddr>>>,
    pub(crate) asked: AtomicUsize,
}

impl Script {
    pub(crate) fn new(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|a| a.iter().map(|ip| ip.parse().unwrap()).collect()).collect();
        Arc::new(Self { answers: Mutex::new(answers), asked: AtomicUsize::new(0) })
    }
}

#[async_trait]
impl Resolver for Script {
    async fn resolve(&self, _: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, SeqCst);
        let mut answers = self.answers.lock().unwrap();
        if answers.is_empty() {
            return Err(io::Error::new(io::ErrorKind::NotFound, "no such name"));
        }
        Ok(if answers.len() > 1 { answers.remove(0) } else { answers[0].clone() })
    }
}

fn public(resolver: Arc<Script>) -> HttpClient {
    let mut options = options(Reach::Public);
    options.resolver = resolver;
    options.connect_within = Duration::from_millis(300);
    HttpClient::new(&options).unwrap()
}

async fn send(client: &HttpClient, url: String) -> (Effect, Reason) {
    let request = HttpRequest::new(HttpMethod::Post, url).with_within(Duration::from_millis(600));
    let failure = client.send(request).await.unwrap_err();
    (failure.effect, failure.reason)
}

const REFUSED: (Effect, Reason) = (Effect::Nothing, Reason::Forbidden);

#[tokio::test]
async fn a_number_that_is_not_public_is_not_connected_to_however_it_is_written() {
    let server = Receiver::new(|_| status(200)).await;
    let script = Script::new(&[&["127.0.0.1"]]);
    let client = public(Arc::clone(&script));
    let port = server.at.port();
    for host in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.1.",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "[::127.0.0.1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "169.254.169.254",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "[fc00::1]",
        "224.0.0.1",
        "[ff02::1]",
        "255.255.255.255",
        "%31%32%37.0.0.1",
        "127。0。0。1",
        "①②⑦.0.0.1",
    ] {
        assert_eq!(send(&client, format!("http://{host}:{port}/")).await, REFUSED, "{host}");
    }
    assert_eq!((*server.connections.lock().unwrap(), script.asked.load(SeqCst)), (0, 0));
}

#[tokio::test]
async fn a_name_that_leads_to_loopback_is_not_connected_to() {
    let server = Receiver::new(|_| status(200)).await;
    let port = server.at.port();
    for answer in [&["127.0.0.1"][..], &["::1"], &["::ffff:127.0.0.1"], &["10.0.0.1", "127.0.0.1", "fd00:ec2::254"], &["169.254.169.254"]] {
        let client = public(Script::new(&[answer]));
        assert_eq!(send(&client, format!("http://hook.example:{port}/")).await, REFUSED, "{answer:?}");
        assert_eq!(send(&client, format!("http://localhost:{port}/")).await, REFUSED);
    }
    assert_eq!(*server.connections.lock().unwrap(), 0);
    // The same name is connected to when the configuration allows it: the client of the test works.
    let mut allowed = options(Reach::Anywhere);
    allowed.resolver = Script::new(&[&["127.0.0.1"]]);
    let request = HttpRequest::new(HttpMethod::Post, format!("http://hook.example:{port}/"));
    assert_eq!(HttpClient::new(&allowed).unwrap().send(request).await.unwrap().status, 200);
}

/// A name that is public when it is looked at and loopback when it is connected to: there is no second look. 198.51.100.0/24 is not public either, so
/// the public answer is one that does not answer from here; what counts is that loopback is never reached and the name is asked once per connection.
#[tokio::test]
async fn an_answer_that_changes_finds_no_gap() {
    let server = Receiver::new(|_| status(200)).await;
    let script = Script::new(&[&["127.0.0.1"], &["127.0.0.1"]]);
    let client = public(Arc::clone(&script));
    let url = format!("http://flip.example:{}/", server.at.port());
    assert_eq!(send(&client, url.clone()).await, REFUSED);
    assert_eq!(script.asked.load(SeqCst), 1, "what is judged is what is connected to");
    assert_eq!(send(&client, url).await, REFUSED);
    assert_eq!((script.asked.load(SeqCst), *server.connections.lock().unwrap()), (2, 0));
}

#[tokio::test]
async fn a_name_without_an_address_fails_closed() {
    let client = public(Script::new(&[]));
    assert_eq!(send(&client, "http://gone.example/".to_owned()).await, (Effect::Nothing, Reason::Offline));
    let client = public(Script::new(&[&[]]));
    assert_eq!(send(&client, "http://empty.example/".to_owned()).await, (Effect::Nothing, Reason::Offline));
}
