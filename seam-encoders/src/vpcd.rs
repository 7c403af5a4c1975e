//! A simulated card in a slot of a virtual reader of PC/SC: the reader driver `vpcd` of the project vsmartcard.
//!
//! The driver listens; the card connects to it, which lays the card into the slot, and closing the connection takes it away. Messages have a length
//! of two bytes, highest first. One of a single byte asks for power off (00), power on (01), a reset (02), all without an answer, or for the ATR
//! (04); anything longer is a command. Source: vsmartcard's `api.txt` and `vpcd.h`; observed with Debian's 3.3 and pcscd 1.9.
use crate::sim::{Field, Reply};
use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

/// The card of a field, laid into a slot of a virtual reader. Dropping it takes the card out of the slot; the field keeps it.
#[derive(Debug)]
pub struct VirtualSlot {
    line: TcpStream,
    thread: Option<JoinHandle<()>>,
}

impl VirtualSlot {
    /// Lays the card of a field into the slot that a driver serves at this address: its port, plus one for each further slot.
    ///
    /// # Errors
    /// When nobody listens there, or the slot is taken.
    pub fn insert(address: impl ToSocketAddrs, field: Arc<Mutex<Field>>) -> io::Result<Self> {
        let line = TcpStream::connect(address)?;
        line.set_nodelay(true)?;
        let ours = line.try_clone()?;
        let thread = thread::Builder::new().name("virtual card".to_owned()).spawn(move || {
            // It ends when the slot is closed from either side, or the card leaves by a planned fault.
            let _ = serve(&ours, &field);
            let _ = ours.shutdown(Shutdown::Both);
        })?;
        Ok(Self { line, thread: Some(thread) })
    }
    /// Whether the card was taken out: by a planned fault, or because the driver closed the slot.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }
}

impl Drop for VirtualSlot {
    fn drop(&mut self) {
        let _ = self.line.shutdown(Shutdown::Both);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn serve(mut line: &TcpStream, field: &Mutex<Field>) -> io::Result<()> {
    let mut atr = Vec::new();
    loop {
        let mut length = [0; 2];
        receive(line, &mut length)?;
        let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
        receive(line, &mut message)?;
        let mut field = field.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match message.as_slice() {
            [0] => continue,
            [1 | 2] => {
                let Some(on) = field.reset() else { return Ok(()) };
                atr = on;
                continue;
            }
            [4] => {
                if atr.is_empty() {
                    let Some(on) = field.reset() else { return Ok(()) };
                    atr = on;
                }
                atr.clone()
            }
            command => match field.transmit(command) {
                Reply::Answer(_, _) if field.card().is_none() => return Ok(()),
                Reply::Answer(answer, late) => {
                    thread::sleep(late);
                    answer
                }
                Reply::Gone => return Ok(()),
                // The driver waits without end, so only the end of the connection ends it.
                Reply::Mute => {
                    drop(field);
                    line.read_exact(&mut [0])?;
                    return Ok(());
                }
            },
        };
        drop(field);
        let length = u16::try_from(answer.len()).map_err(io::Error::other)?;
        line.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
    }
}

/// Reads, and acknowledges at once. The driver sends length and message apart, and without this each exchange waits 40 ms for a delayed
/// acknowledgement.
fn receive(mut line: &TcpStream, into: &mut [u8]) -> io::Result<()> {
    line.read_exact(into)?;
    #[cfg(target_os = "linux")]
    std::os::linux::net::TcpStreamExt::set_quickack(line, true)?;
    Ok(())
}
