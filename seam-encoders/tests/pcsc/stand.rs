//! The service with its virtual reader, and cards to lay into its slots.
use seam_encoders::sim::{Field, SimulatedCard};
use seam_encoders::transport::pcsc::PcscReader;
use seam_encoders::transport::{FieldState, Reader, ReaderError};
use seam_encoders::vpcd::VirtualSlot;
use std::future::Future;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

pub(crate) const DRIVER: &str = "/usr/lib/pcsc/drivers/serial/libifdvpcd.so";
pub(crate) const NAMES: [&str; 2] = ["Seam Sim 00 00", "Seam Sim 00 01"];
/// Of the first slot; the second one has the next.
const PORT: u16 = 41001;

/// A running service; it ends with this.
pub(crate) struct Service(Child);

impl Service {
    /// Lets it hang (`STOP`), or go on (`CONT`).
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.0.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
        let _ = std::fs::remove_file("/run/pcscd/pcscd.comm");
    }
}

/// Starts the service with one virtual reader of two slots.
pub(crate) async fn service() -> Service {
    let readers = Path::new("/run/readers");
    std::fs::create_dir_all(readers).unwrap();
    // A second entry would overwrite the first one's slots: the driver keeps one table.
    let config = format!("FRIENDLYNAME \"Seam Sim\"\nDEVICENAME /dev/null:{PORT}\nLIBPATH {DRIVER}\nCHANNELID {PORT}\n");
    std::fs::write(readers.join("vpcd"), config).unwrap();
    let mut command = Command::new("pcscd");
    command.args(["--foreground", "-c"]).arg(readers).stdout(Stdio::null()).stderr(Stdio::null());
    let service = Service(command.spawn().unwrap());
    soon("the service knows its reader", async || matches!(seam_encoders::transport::pcsc::list().await, Ok(names) if names == NAMES))
        .await;
    service
}

/// Asks again and again until it is so. The limit only turns a hang into a failure.
pub(crate) async fn soon(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    within(what, async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(Duration::from_secs(30), future).await {
        Ok(done) => done,
        Err(_) => panic!("{what}: it hangs"),
    }
}

/// A slot of the virtual reader, and the field that lies there.
///
/// The jobs of a slot share one [`PcscReader`], as those of a desk do, so that whoever is next asks its thread after whoever was there before has
/// let go. Whether the service has seen a card is asked by another one, which never connects.
pub(crate) struct Slot {
    number: u16,
    field: Arc<Mutex<Field>>,
    inserted: Option<VirtualSlot>,
    reader: PcscReader,
    watch: PcscReader,
}

impl Slot {
    pub(crate) fn new(number: u16) -> Self {
        let reader = || PcscReader::new(NAMES[usize::from(number)]);
        Self { number, field: Arc::default(), inserted: None, reader: reader(), watch: reader() }
    }
    pub(crate) fn reader(&self) -> PcscReader {
        self.reader.clone()
    }
    /// The reader of another program.
    pub(crate) fn other_reader(&self) -> PcscReader {
        PcscReader::new(NAMES[usize::from(self.number)])
    }
    pub(crate) fn field(&self) -> MutexGuard<'_, Field> {
        self.field.lock().unwrap()
    }
    /// Lays a card into the slot, and waits until the service has seen it.
    pub(crate) async fn put(&mut self, card: impl SimulatedCard + 'static) {
        self.field().put(Box::new(card));
        self.insert().await;
    }
    /// Lays the card into the slot that lies in the field.
    ///
    /// A card that leaves while the service takes power from it and is back before the service looks again (every 0.4 s) is not seen by pcscd 1.9:
    /// it believes the slot empty from then on. So a card stays away for a moment, as it does in a person's hand.
    pub(crate) async fn insert(&mut self) {
        within("the card is seen", async {
            loop {
                self.inserted = None;
                self.watch.wait(FieldState::Empty).await.unwrap();
                tokio::time::sleep(Duration::from_millis(900)).await;
                self.inserted = Some(VirtualSlot::insert(("127.0.0.1", PORT + self.number), Arc::clone(&self.field)).unwrap());
                if tokio::time::timeout(Duration::from_secs(2), self.watch.wait(FieldState::Card)).await.is_ok_and(|seen| seen.is_ok()) {
                    return;
                }
            }
        })
        .await;
    }
    /// Puts the card back that a planned fault pulled away.
    pub(crate) async fn put_back(&mut self) {
        self.field().put_back().expect("a card was pulled away");
        self.insert().await;
    }
    /// Takes the card out; it stays in the field.
    pub(crate) fn take_out(&mut self) {
        self.inserted = None;
    }
}

/// An attempt to connect, once more while the service is still noticing what happened before.
pub(crate) async fn connected(reader: &PcscReader) -> Box<dyn seam_encoders::transport::Link> {
    within("a connection", async {
        loop {
            match reader.connect().await {
                Ok(link) => return link,
                Err(ReaderError::Gone | ReaderError::NoCard) => tokio::time::sleep(Duration::from_millis(20)).await,
                Err(e) => panic!("{e}"),
            }
        }
    })
    .await
}
