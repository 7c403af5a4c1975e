//! Two queues: a link without a radio, for tests, simulations and the two halves of one program.
use std::vec::Vec;

use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{Link, LinkError};

/// How many messages wait to be read. Protocols here speak by turns; a peer that only speaks would fill the memory.
pub const WAITING: usize = 32;

/// One end.
#[derive(Debug)]
pub struct MemoryLink {
    out: Option<Sender<Vec<u8>>>,
    incoming: Receiver<Vec<u8>>,
    mtu: usize,
    left: usize,
}

/// Both ends of a link that carries messages of up to `mtu` bytes. One that is sent while [`WAITING`] others are unread breaks the link.
#[must_use]
pub fn pair(mtu: usize) -> (MemoryLink, MemoryLink) {
    let (to_b, from_a) = channel(WAITING);
    let (to_a, from_b) = channel(WAITING);
    let end = |out, incoming| MemoryLink { out: Some(out), incoming, mtu, left: usize::MAX };
    (end(to_b, from_b), end(to_a, from_a))
}

impl MemoryLink {
    /// The link breaks when this end has sent so many messages: the next one is lost, and both ends find it closed.
    #[must_use]
    pub const fn breaks_after(mut self, messages: usize) -> Self {
        self.left = messages;
        self
    }

    /// The two directions apart: what goes to the other end, and what comes from it.
    #[cfg(feature = "trouble")]
    pub(crate) fn split(self) -> (Option<Sender<Vec<u8>>>, Receiver<Vec<u8>>) {
        (self.out, self.incoming)
    }

    fn shut(&mut self) {
        self.out = None;
        self.incoming.close();
        // What the peer sent before stays unread: the radio is off.
        while self.incoming.try_recv().is_ok() {}
    }
}

impl Link for MemoryLink {
    async fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        if message.len() > self.mtu {
            return Err(LinkError::TooLong);
        }
        if self.left == 0 {
            self.shut();
        }
        self.left = self.left.saturating_sub(1);
        let out = self.out.as_ref().ok_or(LinkError::Closed)?;
        out.try_send(message.to_vec()).map_err(|refused| {
            if matches!(refused, TrySendError::Full(_)) {
                self.shut();
            }
            LinkError::Closed
        })
    }

    async fn receive<'a>(&mut self, into: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        let message = self.incoming.recv().await.ok_or(LinkError::Closed)?;
        let place = into.get_mut(..message.len()).ok_or(LinkError::TooLong)?;
        place.copy_from_slice(&message);
        Ok(place)
    }
}
