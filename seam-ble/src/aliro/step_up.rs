//! The step-up phase: the reader asks for documents by name, the device shows them, both encrypted with keys of the standard phase.

use super::channel::{Channel, Side};
use super::command::Command;
use super::document::DocType;
use super::keys::ChannelKeys;
use super::response;
use super::unsettled::STEP_UP_IN_SESSION_DATA;
use super::{AliroError, STEP_UP_AID};
use crate::bytes::{Bytes, Writer};
use crate::cbor::{self, CborError, Reader as CborReader};
use crate::crypto::{Crypto, Secret, TAG};
use crate::tlv::{self, Reader as TlvReader};

/// The most bytes of a request: two documents with names of some 60 characters.
pub const REQUEST_MAX: usize = 256;

/// Which element of which document a reader asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// Access or Revocation Document.
    pub kind: DocType,
    /// The element's name, as `floor1`: the issuer and its readers agree on it.
    pub element: &'a str,
    /// Whether the reader means to keep what it reads.
    pub retain: bool,
}

/// Writes a DeviceRequest.
fn put_request(out: &mut Writer<'_>, wanted: &[Wanted<'_>]) -> Result<(), AliroError> {
    cbor::put_map(out, 2)?;
    cbor::put_text(out, "1")?;
    cbor::put_text(out, "1.0")?;
    cbor::put_text(out, "2")?;
    cbor::put_array(out, wanted.len())?;
    for Wanted { kind, element, retain } in wanted {
        let mut items = Bytes::<128>::new();
        items.fill(|out: &mut Writer<'_>| {
            cbor::put_map(out, 2)?;
            cbor::put_text(out, "1")?;
            cbor::put_map(out, 1)?;
            cbor::put_text(out, kind.name())?;
            cbor::put_map(out, 1)?;
            cbor::put_text(out, element)?;
            cbor::put_bool(out, *retain)?;
            cbor::put_text(out, "5")?;
            cbor::put_text(out, kind.name())
        })?;
        cbor::put_map(out, 1)?;
        cbor::put_text(out, "1")?;
        cbor::put_tag(out, 24)?;
        cbor::put_bytes(out, &items)?;
    }
    Ok(())
}

/// Reads a DeviceRequest and calls `each` for every element asked for.
///
/// # Errors
/// [`AliroError::Cbor`] for a malformed one, [`AliroError::Value`] for another version or type; what `each` reports.
pub fn read_request(text: &[u8], mut each: impl FnMut(Wanted<'_>) -> Result<(), AliroError>) -> Result<(), AliroError> {
    let mut reader = CborReader::new(text);
    let [version, requests] = reader.text_map(["1", "2"])?;
    reader.end()?;
    if version.ok_or(CborError::Missing)?.text()? != "1.0" {
        return Err(AliroError::Value);
    }
    let mut requests = requests.ok_or(CborError::Missing)?;
    for _ in 0..requests.array()? {
        let [items] = requests.text_map(["1"])?;
        let mut items = items.ok_or(CborError::Missing)?;
        items.tag(24)?;
        let mut items = CborReader::new(items.bytes()?);
        let [spaces, kind, _info] = items.text_map(["1", "5", "2"])?;
        items.end()?;
        let kind = DocType::from_name(kind.ok_or(CborError::Missing)?.text()?).ok_or(AliroError::Value)?;
        let mut spaces = spaces.ok_or(CborError::Missing)?;
        for _ in 0..spaces.map()? {
            if spaces.text()? != kind.name() {
                return Err(AliroError::Value);
            }
            for _ in 0..spaces.map()? {
                each(Wanted { kind, element: spaces.text()?, retain: spaces.bool()? })?;
            }
        }
    }
    Ok(())
}

/// Wraps what stands in `out` from `start` on: cipher text and tag become session data.
fn wrap(channel: &mut Channel, crypto: &impl Crypto, text: &mut [u8], out: &mut Writer<'_>) -> Result<(), AliroError> {
    let tag = channel.seal(crypto, &[], text)?;
    if !STEP_UP_IN_SESSION_DATA {
        out.put(text)?;
        return Ok(out.put(&tag)?);
    }
    let sealed = text.len() + TAG;
    // {"data": bytes}: one byte of map, five of the key, and the head of the bytes.
    let head = match sealed {
        0..=23 => 1,
        24..=0xFF => 2,
        0x100..=0xFFFF => 3,
        _ => return Err(AliroError::Full),
    };
    tlv::put_header(out, 0x53, 1 + 5 + head + sealed)?;
    cbor::put_map(out, 1)?;
    cbor::put_text(out, "data")?;
    cbor::put_bytes_head(out, sealed)?;
    out.put(text)?;
    Ok(out.put(&tag)?)
}

/// Finds cipher text and tag in session data.
fn unwrap(message: &mut [u8]) -> Result<&mut [u8], AliroError> {
    if !STEP_UP_IN_SESSION_DATA {
        return Ok(message);
    }
    let mut outer = TlvReader::new(message);
    let mut inner = CborReader::new(outer.expect(0x53)?.value);
    outer.end()?;
    let [data] = inner.text_map(["data"])?;
    inner.end()?;
    let length = data.ok_or(CborError::Missing)?.bytes()?.len();
    // All of it was read to the end, so the bytes stand last.
    let start = message.len() - length;
    Ok(&mut message[start..])
}

/// The reader's end.
#[derive(Debug)]
pub struct ReaderStepUp<'a, C> {
    crypto: &'a C,
    channel: Channel,
}

impl<'a, C: Crypto> ReaderStepUp<'a, C> {
    pub(super) fn new(crypto: &'a C, key: &Secret<32>) -> Result<Self, AliroError> {
        Ok(Self { crypto, channel: Channel::new(Side::Reader, ChannelKeys::step_up(crypto, key)?) })
    }

    /// The command that must go first over NFC, when the phone says so ([`super::Signaling::SELECT_STEP_UP`]).
    ///
    /// # Errors
    /// [`AliroError::Full`].
    pub fn select(out: &mut Writer<'_>) -> Result<(), AliroError> {
        Ok(Command::Select(&STEP_UP_AID).write(out)?)
    }

    /// Takes the answer to that.
    ///
    /// # Errors
    /// [`AliroError::Status`], [`AliroError::ApplicationType`], or why it is malformed.
    pub fn on_select(bytes: &[u8]) -> Result<(), AliroError> {
        let select = response::Select::parse(response::data(bytes)?)?;
        if select.aid == STEP_UP_AID { Ok(()) } else { Err(AliroError::ApplicationType) }
    }

    /// Asks for documents; the command may be longer than a short one ([`super::nfc`]).
    ///
    /// # Errors
    /// [`AliroError::Full`] when more is asked than fits into [`REQUEST_MAX`].
    pub fn request(mut self, wanted: &[Wanted<'_>], out: &mut Writer<'_>) -> Result<AwaitDocuments<'a, C>, AliroError> {
        let mut text = Bytes::<REQUEST_MAX>::new();
        text.fill(|out| put_request(out, wanted))?;
        let mut wrapped = Bytes::<{ REQUEST_MAX + 32 }>::new();
        wrapped.fill(|out| wrap(&mut self.channel, self.crypto, text.as_mut_slice(), out))?;
        Command::Envelope(&wrapped).write(out)?;
        Ok(AwaitDocuments { step_up: self })
    }
}

/// The request is on its way.
#[derive(Debug)]
pub struct AwaitDocuments<'a, C> {
    step_up: ReaderStepUp<'a, C>,
}

impl<'a, C: Crypto> AwaitDocuments<'a, C> {
    /// Takes the whole answer, decrypted in place, and gives the DeviceResponse for [`super::document::documents`].
    ///
    /// # Errors
    /// [`AliroError::Status`], [`AliroError::Crypto`], or why it is malformed.
    pub fn on_response<'m>(mut self, bytes: &'m mut [u8]) -> Result<(ReaderStepUp<'a, C>, &'m [u8]), AliroError> {
        let sealed = unwrap(response::data_mut(bytes)?)?;
        let text = self.step_up.channel.open(self.step_up.crypto, &[], sealed)?;
        Ok((self.step_up, text))
    }
}

/// The device's end.
#[derive(Debug)]
pub(super) struct DeviceStepUp {
    channel: Channel,
}

impl DeviceStepUp {
    pub(super) fn new<C: Crypto>(crypto: &C, key: &Secret<32>) -> Result<Self, AliroError> {
        Ok(Self { channel: Channel::new(Side::Device, ChannelKeys::step_up(crypto, key)?) })
    }

    /// Decrypts a request, lets `answer` write the DeviceResponse into `scratch`, and writes it encrypted.
    pub(super) fn answer<C: Crypto>(
        &mut self,
        crypto: &C,
        message: &mut [u8],
        scratch: &mut [u8],
        out: &mut Writer<'_>,
        answer: impl FnOnce(&[u8], &mut Writer<'_>) -> Result<(), AliroError>,
    ) -> Result<(), AliroError> {
        let request = self.channel.open(crypto, &[], unwrap(message)?)?;
        let mut response = Writer::new(scratch);
        answer(request, &mut response)?;
        wrap(&mut self.channel, crypto, response.finish(), out)
    }
}
