//! An HTTP/1.1 receiver on loopback, as small as it can be: it shares no code with the client.
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

#[derive(Clone, Debug)]
pub(crate) struct Got {
    pub(crate) line: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

/// What it writes back, byte for byte; what it does after that.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// It waits for the next request.
    Stay,
    /// It closes the connection.
    Close,
    /// It keeps it open and says nothing more.
    Hang,
}

type Rule = Arc<dyn Fn(&Got) -> (String, Then) + Send + Sync>;

#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) at: SocketAddr,
    pub(crate) got: Arc<Mutex<Vec<Got>>>,
    pub(crate) connections: Arc<Mutex<usize>>,
}

pub(crate) fn status(status: u16) -> (String, Then) {
    (format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n"), Then::Stay)
}

impl Receiver {
    pub(crate) async fn new(rule: impl Fn(&Got) -> (String, Then) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let this = Self { at: listener.local_addr().unwrap(), got: Arc::default(), connections: Arc::default() };
        let (me, rule): (Self, Rule) = (this.clone(), Arc::new(rule));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *me.connections.lock().unwrap() += 1;
                tokio::spawn(serve(stream, Arc::clone(&me.got), Arc::clone(&rule)));
            }
        });
        this
    }
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.at)
    }
    pub(crate) fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }
}

pub(crate) async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin, got: Arc<Mutex<Vec<Got>>>, rule: Rule) {
    let mut bytes = Vec::new();
    loop {
        let Some(one) = read(&mut stream, &mut bytes).await else { return };
        let (answer, then) = rule(&one);
        got.lock().unwrap().push(one);
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
        match then {
            Then::Stay => {}
            Then::Close => return drop(stream.shutdown().await),
            Then::Hang => std::future::pending().await,
        }
    }
}

async fn read(stream: &mut (impl AsyncRead + Unpin), bytes: &mut Vec<u8>) -> Option<Got> {
    loop {
        if let Some(end) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let mut lines = head.split("\r\n");
            let line = lines.next()?.to_owned();
            let headers: BTreeMap<String, String> =
                lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_ascii_lowercase(), v.to_owned())).collect();
            let length: usize = headers.get("content-length").map_or(0, |l| l.parse().unwrap());
            if bytes.len() >= end + 4 + length {
                let body = bytes[end + 4..end + 4 + length].to_vec();
                bytes.drain(..end + 4 + length);
                return Some(Got { line, headers, body });
            }
        }
        let mut chunk = [0; 4096];
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(n) => bytes.extend_from_slice(&chunk[..n]),
        }
    }
}
