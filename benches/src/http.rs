//! The Seam-compatible server beside the public fake of that API: durable creates, and pages of long lists.
//!
//! Both are programs of their own, asked over loopback by the same eight kept connections, in turns. The fake keeps everything in memory and loses it
//! with the process; the server answers a create when it is on the disk, and its engine carries it to a virtual system meanwhile.
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use seam_bench::{Failed, Size};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const CONNECTIONS: usize = 8;
/// Rows of the long list.
const ROWS: usize = 20_000;
/// Creates in a turn of one of the two.
const TURN: usize = 1_000;
const REST: Duration = Duration::from_millis(200);
const KEY: &str = "seam_bench_key";
/// The key that the fake's own seed has.
const FAKE_KEY: &str = "seam_apikey1_token";
const CREATES: &str = "durable creates per second over HTTP, 8 connections ÷ the public fake's, which keeps them in memory";
const FIRST: &str = "each page of such a list for the first time: so many times as fast";
const PAGE: &str = "a page of 100 of a list of 20000 over HTTP: so many times as fast as the public fake's list";

pub(crate) fn measure(folder: &Path, fake: &Path, size: &Size) -> Result<Vec<Line>, Failed> {
    let program = std::env::current_exe()?.with_file_name("connect-server");
    if !program.is_file() {
        return Ok(vec![Line::skipped(
            CREATES,
            Goal::AtLeast(3.0),
            "not run: `cargo build --release -p connect-server` makes the program",
        )]);
    }
    if !fake.is_file() {
        let why = format!("not run: there is no {}; npm's @seamapi/fake-seam-connect 1.86.0 has it", fake.display());
        return Ok(vec![Line::skipped(CREATES, Goal::AtLeast(3.0), why)]);
    }
    let (ours, fake) = (Peer::ours(&program, folder)?, Peer::fake(fake)?);
    let (batch, rounds, rows) = if size.is_smoke() { (64, 1, 256) } else { (400, 15, ROWS) };

    // The long list is made here, in turns.
    let turn = rows.min(TURN);
    let (mut took_ours, mut took_fake, mut ratios) = (Duration::ZERO, Duration::ZERO, Vec::new());
    let mut made = 0;
    for round in 0..rows / turn {
        let (a, b) = if round % 2 == 0 {
            let a = ours.create(made, turn)?;
            (a, fake.create(made, turn)?)
        } else {
            let b = fake.create(made, turn)?;
            (ours.create(made, turn)?, b)
        };
        made += turn;
        (took_ours, took_fake) = (took_ours + a, took_fake + b);
        ratios.push(b.as_secs_f64() / a.as_secs_f64());
    }
    let speed = |took: Duration| made as f64 / took.as_secs_f64();
    // Of all together: the fake is slow while it is new, quick for a while, and slower again the more it holds.
    let all = Rounds { median: took_fake.as_secs_f64() / took_ours.as_secs_f64(), ..Rounds::of(ratios) };
    let creates = Line::new(CREATES, Goal::AtLeast(3.0), all).remark(format!(
        "`acs/users/create`, {made} in turns of {turn}, all together: {:.0} and {:.0} per second",
        speed(took_ours),
        speed(took_fake),
    ));

    // Before anything of it was asked for: nothing of a page is at hand but what the creates left in memory. The engine has carried all of it.
    thread::sleep(REST * 10);
    let (count, walk) = ours.walk()?;
    let whole = fake.list("limit=100", 3)?;
    let first = Line::new(FIRST, Goal::None, Rounds::once(whole.as_secs_f64() * f64::from(count) / walk.as_secs_f64())).digits(0).remark(
        format!("{:.2} ms, in the mean of {count} pages, one after another by their cursors", walk.as_secs_f64() * 1e3 / f64::from(count)),
    );
    let mut pages = Vec::new();
    let mut took = (Duration::ZERO, Duration::ZERO);
    for _ in 0..rounds {
        let a = ours.list("limit=100", 20)?;
        let b = fake.list("limit=100", 1)?;
        took = (a, b);
        pages.push(b.as_secs_f64() / a.as_secs_f64());
    }
    let page = Line::new(PAGE, Goal::AtLeast(200.0), Rounds::of(pages)).digits(0).remark(format!(
        "`acs/users/list`, {} rows in each; {:.2} ms and {:.0} ms. The fake has no pages: it answers with the whole list",
        made,
        took.0.as_secs_f64() * 1e3,
        took.1.as_secs_f64() * 1e3
    ));
    let grants: Result<Vec<f64>, Failed> = (0..rounds).map(|n| Ok(batch as f64 / ours.grant(n * batch, batch)?.as_secs_f64())).collect();
    let grants = Line::new("whole grants per second over HTTP, 8 connections", Goal::None, Rounds::of(grants?))
        .digits(0)
        .remark("`access_grants/create`: a new person, a PIN at a door");
    Ok(vec![creates, grants, page, first])
}

/// A server that is measured. It ends with the value.
struct Peer {
    process: Child,
    address: String,
    key: &'static str,
    system: String,
    door: Option<String>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Peer {
    fn ours(program: &Path, folder: &Path) -> Result<Self, Failed> {
        let mut command = Command::new(program);
        command.args(["--listen", "127.0.0.1:0", "--api-key", KEY, "--sandbox", "hotel", "--requests-per-second", "0", "--database"]);
        let mut process = command.arg(folder.join("connect.db")).stdout(Stdio::piped()).spawn()?;
        let out = process.stdout.take().ok_or("no output")?;
        let line = BufReader::new(out).lines().next().ok_or("the server ended before it was ready")??;
        let address = line.strip_prefix("listening on http://").ok_or("the server says something else")?.to_owned();
        let mut peer = Self { process, address, key: KEY, system: String::new(), door: None };
        let mut connection = Connection::open(&peer)?;
        let systems = connection.ask("GET", "/acs/systems/list", None)?;
        let office = systems["acs_systems"].as_array().into_iter().flatten().find(|s| s["name"] == "office");
        peer.system = text(office.ok_or("there is no office")?, "acs_system_id")?;
        let doors = connection.ask("GET", "/acs/entrances/list", None)?;
        let gym = doors["acs_entrances"].as_array().into_iter().flatten().find(|d| d["display_name"] == "gym");
        peer.door = Some(text(gym.ok_or("there is no gym")?, "acs_entrance_id")?);
        Ok(peer)
    }

    fn fake(server: &Path) -> Result<Self, Failed> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let mut command = Command::new("node");
        command.arg(server).arg("--seed").env("PORT", port.to_string()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = command.spawn()?;
        let peer =
            Self { process, address: format!("127.0.0.1:{port}"), key: FAKE_KEY, system: "visionline_acs_system_1".to_owned(), door: None };
        for _ in 0..200 {
            if Connection::open(&peer).is_ok() {
                return Ok(peer);
            }
            thread::sleep(Duration::from_millis(50));
        }
        Err("the fake does not listen".into())
    }

    /// Asks for so many things over all connections at once; how long it takes.
    fn ask_all(&self, count: usize, path: &str, body: impl Fn(usize) -> Value + Sync) -> Result<Duration, Failed> {
        let connections: Result<Vec<Connection>, Failed> = (0..CONNECTIONS).map(|_| Connection::open(self)).collect();
        let connections = connections?;
        let began = Instant::now();
        thread::scope(|scope| {
            let work: Vec<_> = connections
                .into_iter()
                .enumerate()
                .map(|(n, mut connection)| {
                    let body = &body;
                    scope.spawn(move || -> Result<(), Failed> {
                        for nth in (n..count).step_by(CONNECTIONS) {
                            connection.ask("POST", path, Some(&body(nth)))?;
                        }
                        Ok(())
                    })
                })
                .collect();
            work.into_iter().try_for_each(|w| w.join().map_err(|_| "a caller panicked")?)
        })?;
        Ok(began.elapsed())
    }

    fn create(&self, from: usize, count: usize) -> Result<Duration, Failed> {
        // What the server's engine still carries of the last turn is not to be in this one's way, whosever it is.
        thread::sleep(REST);
        let user = |n: usize| {
            let n = from + n;
            json!({"acs_system_id": self.system, "full_name": format!("Guest {n}"), "email_address": format!("guest{n}@example.com")})
        };
        self.ask_all(count, "/acs/users/create", user)
    }

    fn grant(&self, from: usize, count: usize) -> Result<Duration, Failed> {
        let grant = |n: usize| {
            json!({
                "user_identity": {"full_name": format!("Person {}", from + n)},
                "acs_entrance_ids": [self.door],
                "ends_at": "2999-01-01T00:00:00Z",
                "requested_access_methods": [{"mode": "code"}],
            })
        };
        self.ask_all(count, "/access_grants/create", grant)
    }

    /// Goes through the whole list once; how many pages it has, and how long all of them take.
    fn walk(&self) -> Result<(u32, Duration), Failed> {
        let mut connection = Connection::open(self)?;
        let (mut pages, mut took, mut cursor) = (0, Duration::ZERO, String::new());
        loop {
            let path = format!("/acs/users/list?limit=100{cursor}");
            let began = Instant::now();
            let page = connection.ask_raw("GET", &path, None)?;
            took += began.elapsed();
            pages += 1;
            let page: Value = serde_json::from_slice(&page)?;
            match page["pagination"]["next_page_cursor"].as_str() {
                Some(next) => cursor = format!("&page_cursor={next}"),
                None => return Ok((pages, took)),
            }
        }
    }

    /// How long a list takes, in the mean of so many.
    fn list(&self, query: &str, times: u32) -> Result<Duration, Failed> {
        let mut connection = Connection::open(self)?;
        let path = format!("/acs/users/list?{query}");
        connection.ask("GET", &path, None)?;
        let began = Instant::now();
        for _ in 0..times {
            connection.ask_raw("GET", &path, None)?;
        }
        Ok(began.elapsed() / times)
    }
}

fn text(of: &Value, key: &str) -> Result<String, Failed> {
    Ok(of[key].as_str().ok_or_else(|| format!("no {key}"))?.to_owned())
}

/// A kept connection. It does as little as a client can, so that the server is what is measured.
struct Connection {
    stream: BufReader<TcpStream>,
    head: String,
}

impl Connection {
    fn open(peer: &Peer) -> Result<Self, Failed> {
        let stream = TcpStream::connect(&peer.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        let head = format!("Host: {}\r\nAuthorization: Bearer {}\r\n", peer.address, peer.key);
        Ok(Self { stream: BufReader::new(stream), head })
    }

    fn ask(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, Failed> {
        Ok(serde_json::from_slice(&self.ask_raw(method, path, body)?)?)
    }

    fn ask_raw(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Vec<u8>, Failed> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut request = format!("{method} {path} HTTP/1.1\r\n{}", self.head);
        if !body.is_empty() {
            request.push_str(&format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        request.push_str(&body);
        self.stream.get_mut().write_all(request.as_bytes())?;
        let (mut line, mut length, mut chunked, mut status) = (String::new(), 0, false, String::new());
        loop {
            line.clear();
            if self.stream.read_line(&mut line)? == 0 {
                return Err("the connection was closed".into());
            }
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status.is_empty() {
                text.clone_into(&mut status);
            }
            let (name, value) = text.split_once(':').unwrap_or((text, ""));
            if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse()?;
            }
            chunked |= name.eq_ignore_ascii_case("transfer-encoding") && value.trim().eq_ignore_ascii_case("chunked");
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                line.clear();
                self.stream.read_line(&mut line)?;
                let size = usize::from_str_radix(line.trim(), 16)?;
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk)?;
                body.extend_from_slice(&chunk[..size]);
                if size == 0 {
                    break;
                }
            }
        } else {
            body.resize(length, 0);
            self.stream.read_exact(&mut body)?;
        }
        if status.split(' ').nth(1) == Some("200") {
            Ok(body)
        } else {
            Err(format!("{path}: {status}: {}", String::from_utf8_lossy(&body)).into())
        }
    }
}

/// Where the fake is if nothing else is said: beside what the clients' suite installs.
pub(crate) fn usual_fake() -> PathBuf {
    PathBuf::from("target/clients/fake/node_modules/@seamapi/fake-seam-connect/dist/server.js")
}
