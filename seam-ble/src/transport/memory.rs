//! Two queues: a link without a radio, for tests, simulations and the two halves of one program.
use std::vec::Vec;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{Link, LinkError};

/// One end.
#[derive(Debug)]
pub struct MemoryLink {
    out: Option<UnboundedSender<Vec<u8>>>,
    incoming: UnboundedReceiver<Vec<u8>>,
    mtu: usize,
    left: usize,
}

/// Both ends of a link that carries messages of up to `mtu` bytes.
#[must_use]
pub fn pair(mtu: usize) -> (MemoryLink, MemoryLink) {
    let (to_b, from_a) = unbounded_channel();
    let (to_a, from_b) = unbounded_channel();
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
}

impl Link for MemoryLink {
    async fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        if message.len() > self.mtu {
            return Err(LinkError::TooLong);
        }
        if self.left == 0 {
            self.out = None;
            self.incoming.close();
            // What the peer sent before stays unread: the radio is off.
            while self.incoming.try_recv().is_ok() {}
        }
        self.left = self.left.saturating_sub(1);
        let out = self.out.as_ref().ok_or(LinkError::Closed)?;
        out.send(message.to_vec()).map_err(|_| LinkError::Closed)
    }

    async fn receive<'a>(&mut self, into: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        let message = self.incoming.recv().await.ok_or(LinkError::Closed)?;
        let place = into.get_mut(..message.len()).ok_or(LinkError::TooLong)?;
        place.copy_from_slice(&message);
        Ok(place)
    }
}
