//! Where a phone and a lock meet.
use seam_ble::aliro::ReaderId;
use seam_ble::crypto::Secret;
use seam_ble::transport::aliro::Agreed;
use seam_ble::transport::memory::{self, MemoryLink};
use seam_ble::transport::{Link, LinkError};
use std::cell::RefCell;
use std::rc::Rc;

/// What the phones and the lock speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speak {
    /// Aliro, as over Bluetooth.
    Aliro,
    /// Aliro, as at a touch.
    Touch,
    /// PKOC, as over Bluetooth.
    Pkoc,
}

/// A lock as it is known on the air.
#[derive(Clone, Debug)]
pub struct OnAir {
    /// Its group and itself.
    pub reader: ReaderId,
    /// The group's resolving key.
    pub resolving_key: Secret<16>,
}

/// One connection.
#[derive(Debug)]
pub struct Met {
    /// The lock's end.
    pub at_lock: MemoryLink,
    /// The phone's end.
    pub at_phone: MemoryLink,
    /// What both agreed on before.
    pub agreed: Agreed,
}

/// Brings a phone to the door: gives the lock's end and the phone's end of one connection.
#[expect(async_fn_in_trait, reason = "one thread plays both parts")]
pub trait Meeting {
    /// Puts the lock on the air. Comes once, before the first meeting.
    ///
    /// # Errors
    /// When it cannot be.
    fn put_on_air(&mut self, speak: Speak, lock: OnAir) -> Result<(), LinkError>;

    /// Connects.
    ///
    /// # Errors
    /// When no connection comes about.
    async fn meet(&mut self) -> Result<Met, LinkError>;
}

/// Without a radio.
#[derive(Debug, Default)]
pub struct InMemory;

impl Meeting for InMemory {
    fn put_on_air(&mut self, _speak: Speak, _lock: OnAir) -> Result<(), LinkError> {
        Ok(())
    }

    async fn meet(&mut self) -> Result<Met, LinkError> {
        let (at_lock, at_phone) = memory::pair(seam_ble::pkoc::MAX_MESSAGE);
        Ok(Met { at_lock, at_phone, agreed: Agreed::default() })
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
