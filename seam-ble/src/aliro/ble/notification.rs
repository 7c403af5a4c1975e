//! Notifications: messages of protocol 2, made of attributes `id ‖ length ‖ value`.

use super::message::{Message, Protocol};
use crate::aliro::unsettled::BLE_PROPRIETARY_WITH_TAG;
use crate::aliro::{AliroError, Proprietary};
use crate::bytes::{Bytes, Full, Writer};
use crate::tlv::Reader as TlvReader;

/// Ids of [`Protocol::Notification`].
pub mod id {
    /// Busy, or an error.
    pub const EVENT: u8 = 0;
    /// About UWB ranging.
    pub const RANGING: u8 = 1;
    /// The lock's state has changed.
    pub const STATUS_CHANGED: u8 = 2;
    /// The transaction succeeded; with the lock's state.
    pub const COMPLETED: u8 = 3;
    /// The phone asks to lock or unlock.
    pub const REMOTE_KEY_REQUEST: u8 = 4;
    /// The phone begins, by itself.
    pub const INITIATE: u8 = 5;
    /// The phone begins, because its holder pressed.
    pub const INITIATE_REMOTE_KEY: u8 = 6;
}

/// One attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Its id.
    pub id: u8,
    /// At most 255 bytes.
    pub value: &'a [u8],
}

/// Reads attributes one after the other.
#[derive(Clone, Debug)]
pub struct Attributes<'a> {
    rest: &'a [u8],
}

impl<'a> Attributes<'a> {
    /// The attributes of a payload.
    pub fn new(payload: &'a [u8]) -> Self {
        Self { rest: payload }
    }

    /// The next one, or none at the end.
    ///
    /// # Errors
    /// [`AliroError::Short`] when it is cut.
    #[expect(clippy::should_implement_trait, reason = "an iterator of results would let a caller go on after an error")]
    pub fn next(&mut self) -> Result<Option<Attribute<'a>>, AliroError> {
        let (id, length, rest) = match self.rest {
            [] => return Ok(None),
            [id, length, rest @ ..] => (*id, usize::from(*length), rest),
            [_] => return Err(AliroError::Short),
        };
        let (value, rest) = rest.split_at_checked(length).ok_or(AliroError::Short)?;
        self.rest = rest;
        Ok(Some(Attribute { id, value }))
    }

    fn only(mut self) -> Result<Attribute<'a>, AliroError> {
        let attribute = self.next()?.ok_or(AliroError::Short)?;
        if self.rest.is_empty() { Ok(attribute) } else { Err(AliroError::Value) }
    }
}

/// Writes an attribute.
///
/// # Errors
/// [`Full`], also above 255 bytes.
pub fn put_attribute(out: &mut Writer<'_>, id: u8, value: &[u8]) -> Result<(), Full> {
    out.put(&[id, u8::try_from(value.len()).map_err(|_| Full)?])?;
    out.put(value)
}

/// How a lock tells phones of its state later on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reporting {
    /// Not at all.
    Never,
    /// To every phone that is connected.
    Everybody,
    /// To this phone only.
    ThisPhone,
}

/// The lock's bolt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoltState {
    /// Locked.
    Secured,
    /// Unlocked.
    Unsecured,
    /// Stuck.
    Jammed,
}

impl BoltState {
    const fn byte(self) -> u8 {
        match self {
            Self::Secured => 0,
            Self::Unsecured => 1,
            Self::Jammed => 2,
        }
    }

    fn from_byte(byte: u8) -> Result<Self, AliroError> {
        [Self::Secured, Self::Unsecured, Self::Jammed].into_iter().find(|state| state.byte() == byte).ok_or(AliroError::Value)
    }
}

/// What a phone asks for with a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BoltAction {
    /// Lock.
    Secure,
    /// Unlock.
    Unsecure,
}

/// A notification that both sides understand here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// The phone begins, and says what it is.
    Initiate {
        /// What it speaks.
        proprietary: Proprietary,
        /// Whether its holder pressed. It comes in the clear, so whoever stands between can say it too: what counts is [`Notification::Request`].
        pressed: bool,
    },
    /// The phone asks for the bolt, because its holder pressed: without UWB the only sign that he means this door. Encrypted, so it is the
    /// phone's own word.
    Request(BoltAction),
    /// The lock's state has changed. The first byte says by whom or what; what its values mean is not public.
    StatusChanged {
        /// By whom.
        source: u8,
        /// What it is now.
        state: BoltState,
    },
    /// The side is busy and will go on.
    Busy,
    /// The transaction failed; 0 unknown, 1 no resources, 2 wrong parameters, 3 no ranging key.
    Error(u8),
    /// The transaction succeeded.
    Completed {
        /// What the lock will tell later.
        reporting: Reporting,
        /// What it is now.
        state: BoltState,
    },
}

impl Notification {
    /// Reads a notification that is decrypted, or was sent before there were keys.
    ///
    /// # Errors
    /// [`AliroError::OutOfOrder`] for a message that is no notification, [`AliroError::Unsupported`] for those about UWB, or why it
    /// is malformed.
    pub fn parse(message: &Message<'_>) -> Result<Self, AliroError> {
        if message.protocol != Protocol::Notification {
            return Err(AliroError::OutOfOrder);
        }
        let attribute = Attributes::new(message.payload).only();
        match message.id {
            id::INITIATE | id::INITIATE_REMOTE_KEY => {
                let Attribute { id: 0, value } = attribute? else { return Err(AliroError::Value) };
                // Both forms are on the air; the first tag tells them apart.
                let proprietary = if value.first() == Some(&0xA5) {
                    let mut reader = TlvReader::new(value);
                    let content = reader.expect(0xA5)?.value;
                    reader.end()?;
                    Proprietary::from_content(content)?
                } else {
                    Proprietary::from_content(value)?
                };
                Ok(Self::Initiate { proprietary, pressed: message.id == id::INITIATE_REMOTE_KEY })
            }
            id::EVENT => match attribute? {
                Attribute { id: 0, value: [] } => Ok(Self::Busy),
                Attribute { id: 1, value: [code] } => Ok(Self::Error(*code)),
                _ => Err(AliroError::Value),
            },
            id::COMPLETED => {
                let Attribute { id: 0, value: [reporting, state] } = attribute? else { return Err(AliroError::Value) };
                let reporting = match reporting {
                    0x00 => Reporting::Never,
                    0x20 => Reporting::Everybody,
                    0x40 => Reporting::ThisPhone,
                    _ => return Err(AliroError::Value),
                };
                Ok(Self::Completed { reporting, state: BoltState::from_byte(*state)? })
            }
            id::STATUS_CHANGED => {
                let Attribute { id: 0, value: [source, state] } = attribute? else { return Err(AliroError::Value) };
                Ok(Self::StatusChanged { source: *source, state: BoltState::from_byte(*state)? })
            }
            id::REMOTE_KEY_REQUEST => match attribute? {
                Attribute { id: 0, value: [0] } => Ok(Self::Request(BoltAction::Secure)),
                Attribute { id: 0, value: [1] } => Ok(Self::Request(BoltAction::Unsecure)),
                _ => Err(AliroError::Value),
            },
            _ => Err(AliroError::Unsupported("this notification")),
        }
    }

    /// Lets `send` write the message: in the clear with [`Message::write`] before there are keys, with [`Message::write_sealed`] afterwards.
    ///
    /// # Errors
    /// [`AliroError::Full`], and what `send` reports.
    pub fn send<R>(&self, send: impl FnOnce(Message<'_>) -> Result<R, AliroError>) -> Result<R, AliroError> {
        let mut payload = Bytes::<200>::new();
        let id = payload.fill(|out| self.put(out)).map(|_| self.id())?;
        send(Message { protocol: Protocol::Notification, id, payload: &payload })
    }

    fn id(&self) -> u8 {
        match self {
            Self::Initiate { pressed: false, .. } => id::INITIATE,
            Self::Initiate { pressed: true, .. } => id::INITIATE_REMOTE_KEY,
            Self::Busy | Self::Error(_) => id::EVENT,
            Self::Completed { .. } => id::COMPLETED,
            Self::Request(_) => id::REMOTE_KEY_REQUEST,
            Self::StatusChanged { .. } => id::STATUS_CHANGED,
        }
    }

    fn put(&self, out: &mut Writer<'_>) -> Result<(), Full> {
        match self {
            Self::Initiate { proprietary, .. } => {
                put_attribute(out, 0, if BLE_PROPRIETARY_WITH_TAG { proprietary.tlv() } else { proprietary.content() })
            }
            Self::Busy => put_attribute(out, 0, &[]),
            Self::Error(code) => put_attribute(out, 1, &[*code]),
            Self::Completed { reporting, state } => {
                let reporting = match reporting {
                    Reporting::Never => 0x00,
                    Reporting::Everybody => 0x20,
                    Reporting::ThisPhone => 0x40,
                };
                put_attribute(out, 0, &[reporting, state.byte()])
            }
            Self::Request(action) => put_attribute(out, 0, &[u8::from(*action == BoltAction::Unsecure)]),
            Self::StatusChanged { source, state } => put_attribute(out, 0, &[*source, state.byte()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aliro::Version;

    #[test]
    fn notifications_read_back() {
        let proprietary = Proprietary::new(&[Version::V1_0, Version(9)], None, Some(&[1, 2])).unwrap();
        for notification in [
            Notification::Initiate { proprietary: proprietary.clone(), pressed: true },
            Notification::Initiate { proprietary, pressed: false },
            Notification::Busy,
            Notification::Error(2),
            Notification::Completed { reporting: Reporting::ThisPhone, state: BoltState::Unsecured },
            Notification::Request(BoltAction::Secure),
            Notification::Request(BoltAction::Unsecure),
            Notification::StatusChanged { source: 1, state: BoltState::Jammed },
        ] {
            let mut space = [0; 200];
            let mut out = Writer::new(&mut space);
            notification.send(|message| Ok(message.write(&mut out)?)).unwrap();
            assert_eq!(Notification::parse(&Message::parse(out.as_slice()).unwrap()), Ok(notification));
        }
    }

    #[test]
    fn attributes_are_read_to_their_end() {
        assert_eq!(Attributes::new(&[0]).next(), Err(AliroError::Short));
        assert_eq!(Attributes::new(&[0, 2, 1]).next(), Err(AliroError::Short));
        let event = |payload| Notification::parse(&Message { protocol: Protocol::Notification, id: id::EVENT, payload });
        assert_eq!(event(&[0, 0, 0, 0]), Err(AliroError::Value), "a second attribute");
        assert_eq!(event(&[1, 2, 0, 0]), Err(AliroError::Value), "a code of two bytes");
        assert_eq!(event(&[]), Err(AliroError::Short));
        let request = |payload| Notification::parse(&Message { protocol: Protocol::Notification, id: id::REMOTE_KEY_REQUEST, payload });
        for bad in [&[0, 1, 2][..], &[1, 1, 1], &[0, 0], &[0, 2, 1, 1]] {
            assert_eq!(request(bad), Err(AliroError::Value), "{bad:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes: std::vec::Vec<u8>) {
            if let Ok(message) = Message::parse(&bytes) {
                let _ = Notification::parse(&message);
            }
            let _ = Notification::parse(&Message { protocol: Protocol::Notification, id: id::INITIATE, payload: &bytes });
        }
    }
}
