//! Messages: in clear with a checksum, or encrypted around one.
use crc::{CRC_16_IBM_3740, Crc};
use crypto_secretbox::XSalsa20Poly1305;
use crypto_secretbox::aead::{AeadInPlace, KeyInit};

use super::{LockError, MAX_MESSAGE, NukiError, command};
use crate::bytes::Writer;
use crate::crypto::Secret;

/// Polynomial 1021, beginning with FFFF.
const CRC: Crc<u16> = Crc::<u16>::new(&CRC_16_IBM_3740);
/// Nonce, authorization, length.
const HEADER: usize = 24 + 4 + 2;
const TAG: usize = 16;

/// Appends `number ‖ payload ‖ checksum`; the checksum covers everything in `out`.
pub(super) fn write(out: &mut Writer<'_>, number: u16, payload: &[&[u8]]) -> Result<(), NukiError> {
    out.put(&number.to_le_bytes())?;
    payload.iter().try_for_each(|piece| out.put(piece))?;
    let sum = CRC.checksum(out.as_slice());
    Ok(out.put(&sum.to_le_bytes())?)
}

/// Takes a message in clear apart. An error report of the lock becomes the error that it reports.
pub(super) fn read(message: &[u8]) -> Result<(u16, &[u8]), NukiError> {
    let (body, sum) = message.split_last_chunk::<2>().ok_or(NukiError::Length)?;
    if CRC.checksum(body) != u16::from_le_bytes(*sum) {
        return Err(NukiError::Checksum);
    }
    split(body)
}

fn split(body: &[u8]) -> Result<(u16, &[u8]), NukiError> {
    let (number, payload) = body.split_first_chunk::<2>().ok_or(NukiError::Length)?;
    match (u16::from_le_bytes(*number), payload) {
        (command::ERROR, [code, low, high]) => Err(NukiError::Lock(LockError { code: *code, command: u16::from_le_bytes([*low, *high]) })),
        (command::ERROR, _) => Err(NukiError::Length),
        (number, payload) => Ok((number, payload)),
    }
}

/// The payload of the message that has to come here.
pub(super) fn expect<const N: usize>((number, payload): (u16, &[u8]), wanted: u16) -> Result<&[u8; N], NukiError> {
    if number != wanted {
        return Err(NukiError::Unexpected(number));
    }
    payload.try_into().map_err(|_| NukiError::Length)
}

/// Encrypts `number ‖ payload` for an authorization.
pub(super) fn seal(
    out: &mut Writer<'_>,
    key: &Secret<32>,
    authorization: u32,
    nonce: &[u8; 24],
    number: u16,
    payload: &[&[u8]],
) -> Result<(), NukiError> {
    let mut space = [0; MAX_MESSAGE];
    let mut plain = Writer::new(&mut space);
    plain.put(&authorization.to_le_bytes())?;
    write(&mut plain, number, payload)?;
    let sealed = plain.finish();
    let tag =
        XSalsa20Poly1305::new(key.expose().into()).encrypt_in_place_detached(nonce.into(), &[], sealed).map_err(|_| NukiError::Full)?;
    let length = u16::try_from(sealed.len() + TAG).map_err(|_| NukiError::Full)?;
    out.put(nonce)?;
    out.put(&authorization.to_le_bytes())?;
    out.put(&length.to_le_bytes())?;
    out.put(&tag)?;
    Ok(out.put(sealed)?)
}

/// Decrypts a message into `space` and takes it apart.
pub(super) fn open<'a>(
    message: &[u8],
    key: &Secret<32>,
    authorization: u32,
    space: &'a mut [u8; MAX_MESSAGE],
) -> Result<(u16, &'a [u8]), NukiError> {
    let (header, sealed) = message.split_first_chunk::<HEADER>().ok_or(NukiError::Length)?;
    let [nonce @ .., a0, a1, a2, a3, l0, l1] = header;
    if usize::from(u16::from_le_bytes([*l0, *l1])) != sealed.len() {
        return Err(NukiError::Length);
    }
    if u32::from_le_bytes([*a0, *a1, *a2, *a3]) != authorization {
        return Err(NukiError::OtherUser);
    }
    let (tag, data) = sealed.split_first_chunk::<TAG>().ok_or(NukiError::Length)?;
    let plain = space.get_mut(..data.len()).ok_or(NukiError::Length)?;
    plain.copy_from_slice(data);
    let cipher = XSalsa20Poly1305::new(key.expose().into());
    cipher.decrypt_in_place_detached(nonce.into(), &[], plain, tag.into()).map_err(|_| NukiError::Tag)?;
    let (body, sum) = plain.split_last_chunk::<2>().ok_or(NukiError::Length)?;
    if CRC.checksum(body) != u16::from_le_bytes(*sum) {
        return Err(NukiError::Checksum);
    }
    let (inside, body) = body.split_first_chunk::<4>().ok_or(NukiError::Length)?;
    // The number outside is not covered by the tag; the one inside is.
    if u32::from_le_bytes(*inside) != authorization {
        return Err(NukiError::OtherUser);
    }
    split(body)
}

/// What the lock's firmware is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Mode {
    /// Not set up.
    Uninitialized,
    /// Waiting for somebody to pair.
    Pairing,
    /// In service.
    Door,
    /// In maintenance.
    Maintenance,
    /// A number that the API document does not list.
    Unlisted(u8),
}

/// Where the bolt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LockState {
    /// The lock does not know its positions.
    Uncalibrated,
    /// Locked.
    Locked,
    /// Turning towards unlocked.
    Unlocking,
    /// Unlocked.
    Unlocked,
    /// Turning towards locked.
    Locking,
    /// The latch is pulled.
    Unlatched,
    /// Unlocked, and about to lock by itself.
    UnlockedLockNGo,
    /// Pulling the latch.
    Unlatching,
    /// Finding its positions.
    Calibrating,
    /// Starting.
    BootRun,
    /// The motor is blocked.
    MotorBlocked,
    /// The lock does not know, or a number that the API document does not list.
    Unknown(u8),
}

/// What the door's own sensor says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DoorSensor {
    /// None is fitted, or it is off.
    Unavailable,
    /// Closed.
    Closed,
    /// Open.
    Open,
    /// The sensor does not know, calibrates, or a number that is not listed.
    Unknown(u8),
}

/// A lock's report about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct States {
    /// What the firmware is doing.
    pub mode: Mode,
    /// Where the bolt is.
    pub lock: LockState,
    /// The battery is nearly empty.
    pub battery_critical: bool,
    /// What the door's sensor says; none where the firmware does not report it.
    pub door: Option<DoorSensor>,
}

impl States {
    /// Reads the report. Later firmware appends fields: what comes behind the known ones is left alone.
    pub(super) fn read(payload: &[u8]) -> Result<Self, NukiError> {
        // Mode, lock, trigger, date and time 7, time zone 2, battery.
        let (known, rest) = payload.split_first_chunk::<13>().ok_or(NukiError::Length)?;
        let mode = match known[0] {
            0 => Mode::Uninitialized,
            1 => Mode::Pairing,
            2 => Mode::Door,
            4 => Mode::Maintenance,
            other => Mode::Unlisted(other),
        };
        let lock = match known[1] {
            0 => LockState::Uncalibrated,
            1 => LockState::Locked,
            2 => LockState::Unlocking,
            3 => LockState::Unlocked,
            4 => LockState::Locking,
            5 => LockState::Unlatched,
            6 => LockState::UnlockedLockNGo,
            7 => LockState::Unlatching,
            0xFC => LockState::Calibrating,
            0xFD => LockState::BootRun,
            0xFE => LockState::MotorBlocked,
            other => LockState::Unknown(other),
        };
        // Update count, lock-n-go timer, last action, its trigger, its result, door sensor.
        let door = rest.get(5).map(|sensor| match sensor {
            0 | 1 => DoorSensor::Unavailable,
            2 => DoorSensor::Closed,
            3 => DoorSensor::Open,
            other => DoorSensor::Unknown(*other),
        });
        Ok(Self { mode, lock, battery_critical: known[12] & 1 != 0, door })
    }
}
