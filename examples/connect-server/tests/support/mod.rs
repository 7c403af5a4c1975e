//! The program as it is run: started, read until it is ready, ended as an operator ends it.
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// The program, on a free port of this host, with a sandbox.
pub(crate) fn program(key: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_connect-server"));
    command.args(["--listen", "127.0.0.1:0", "--api-key", key, "--sandbox", "hotel"]);
    command
}

/// A server that is ready. It ends with the value.
pub(crate) struct Server {
    child: Child,
    pub(crate) url: String,
    /// Somebody has to read the log, or the server waits for it.
    log: Option<JoinHandle<String>>,
}

impl Server {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut text = Vec::new();
            let _ = errors.read_to_end(&mut text);
            String::from_utf8_lossy(&text).into_owned()
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("it says {line:?}")).to_owned();
        Self { child, url, log: Some(log) }
    }

    /// Where it listens, without what a browser wants in front of it.
    pub(crate) fn address(&self) -> &str {
        self.url.strip_prefix("http://").unwrap()
    }

    /// Asks it to end, as a service manager does; how it ended, and what it has logged.
    pub(crate) fn end(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let until = Instant::now() + Duration::from_secs(30);
        let status = loop {
            match self.child.try_wait().unwrap() {
                Some(status) => break status,
                None => assert!(Instant::now() < until, "it does not end"),
            }
            thread::sleep(Duration::from_millis(50));
        };
        (status, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
