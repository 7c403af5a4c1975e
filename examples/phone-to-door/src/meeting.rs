//! Where a phone and a lock meet.
use seam_ble::transport::memory::{self, MemoryLink};
use seam_ble::transport::{Link, LinkError};
use std::cell::RefCell;
use std::rc::Rc;

/// Brings a phone to the door: gives the lock's end and the phone's end of one connection.
#[expect(async_fn_in_trait, reason = "one thread plays both parts")]
pub trait Meeting {
    /// Connects.
    ///
    /// # Errors
    /// When no connection comes about.
    async fn meet(&mut self) -> Result<(MemoryLink, MemoryLink), LinkError>;
}

/// Without a radio.
#[derive(Debug, Default)]
pub struct InMemory;

impl Meeting for InMemory {
    async fn meet(&mut self) -> Result<(MemoryLink, MemoryLink), LinkError> {
        Ok(memory::pair(seam_ble::pkoc::MAX_MESSAGE))
    }
}

/// Who sent a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum From {
    /// The lock.
    Lock,
    /// The phone.
    Phone,
}

/// What went over a link, in order.
pub type Recording = Rc<RefCell<Vec<(From, Vec<u8>)>>>;

/// The phone's end of a link, with everything that passes written down.
#[derive(Debug)]
pub struct Recorded<L> {
    /// The link.
    pub link: L,
    /// What passed.
    pub recording: Recording,
}

impl<L: Link> Link for Recorded<L> {
    async fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        self.recording.borrow_mut().push((From::Phone, message.to_vec()));
        self.link.send(message).await
    }

    async fn receive<'a>(&mut self, into: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        let message = self.link.receive(into).await?;
        self.recording.borrow_mut().push((From::Lock, message.to_vec()));
        Ok(message)
    }
}
