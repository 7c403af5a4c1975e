//! PKOC over a link: both sides, from the first message to the last.
use super::{Link, SessionError};
use crate::bytes::Writer;
use crate::crypto::{Crypto, Secret, SigningKey};
use crate::pkoc::{Device, FirstAnswer, MAX_MESSAGE, PkocError, Presented, Reader, Response};

type Failure = SessionError<PkocError>;

impl From<PkocError> for SessionError<PkocError> {
    fn from(error: PkocError) -> Self {
        Self::Protocol(error)
    }
}

/// The reader's side, up to the point where the phone has proven its key. The caller then decides, moves the bolt, and tells the phone with
/// [`respond`]. To be run [`within`](super::within) a deadline.
///
/// # Errors
/// [`SessionError`]. A phone that breaks the protocol is told so by the code for it, where one exists, before the error comes.
pub async fn serve<C: Crypto, K: SigningKey, L: Link>(
    crypto: &C,
    reader: &Reader<K>,
    random: &Secret<32>,
    link: &mut L,
) -> Result<Presented, Failure> {
    let (mut space, mut incoming) = ([0; MAX_MESSAGE], [0; MAX_MESSAGE]);
    let mut out = Writer::new(&mut space);
    let state = reader.begin(crypto, random, &mut out)?;
    link.send(out.as_slice()).await?;
    let message = link.receive(&mut incoming).await?;
    let mut out = Writer::new(&mut space);
    let state = match state.receive(crypto, reader, message, &mut out) {
        Ok(FirstAnswer::Proof(state)) => state,
        Ok(FirstAnswer::Presented(presented)) => return Ok(presented),
        Err(error) => return Err(tell(reader, link, Response::STATE, error).await),
    };
    link.send(out.as_slice()).await?;
    let message = link.receive(&mut incoming).await?;
    match state.receive(crypto, reader, message) {
        Ok(presented) => Ok(presented),
        Err(error) => Err(tell(reader, link, Response::SIGNATURE, error).await),
    }
}

/// The reader's last message.
///
/// # Errors
/// [`SessionError::Link`]; what was decided stays decided.
pub async fn respond<K: SigningKey, L: Link>(reader: &Reader<K>, response: Response, link: &mut L) -> Result<(), Failure> {
    let mut space = [0; 8];
    let mut out = Writer::new(&mut space);
    reader.respond(response, &mut out)?;
    Ok(link.send(out.as_slice()).await?)
}

async fn tell<K: SigningKey, L: Link>(reader: &Reader<K>, link: &mut L, response: Response, error: PkocError) -> Failure {
    // The phone may be gone already; the error is what counts.
    let _ = respond(reader, response, link).await;
    Failure::Protocol(error)
}

/// The phone's side. `now` is the phone's time in seconds since 1970, `extension` what goes into the manufacturer's field.
///
/// # Errors
/// [`SessionError`]. Nothing about the phone was sent before the reader has proven itself.
pub async fn present<C: Crypto, K: SigningKey, L: Link>(
    crypto: &C,
    device: &Device<'_, K>,
    random: &Secret<32>,
    now: Option<u32>,
    extension: &[u8],
    link: &mut L,
) -> Result<Response, Failure> {
    let (mut space, mut incoming) = ([0; MAX_MESSAGE], [0; MAX_MESSAGE]);
    let message = link.receive(&mut incoming).await?;
    let mut out = Writer::new(&mut space);
    let state = device.greet(crypto, message, random, now, &mut out)?;
    link.send(out.as_slice()).await?;
    let message = link.receive(&mut incoming).await?;
    let mut out = Writer::new(&mut space);
    let state = state.receive(crypto, device, message, extension, &mut out)?;
    link.send(out.as_slice()).await?;
    let message = link.receive(&mut incoming).await?;
    Ok(state.receive(device, message)?)
}
