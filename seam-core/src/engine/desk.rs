//! Jobs at readers of our own: the card says what it is, the system computes what is written, the reader writes it and proves it.
use super::Inner;
use crate::encoder::{CardEncoder, CardFailure, CardProblem, CardSeen, CardState, JobControl};
use crate::provider::{Call, CardImages, CredentialSpec, Failure, Handle, Reason, Receipt};
use std::sync::Arc;

/// Waits for a card.
pub(super) async fn present(inner: &Inner, end: &str, control: &JobControl) -> Result<CardSeen, Failure> {
    let reader = reader(inner, end)?;
    // Nothing is written while a card is only looked at.
    reader.present(control).await.map_err(|f| failure(CardFailure::new(f.problem, CardState::Untouched)))
}

/// Writes a card.
pub(super) async fn write(
    inner: &Inner,
    end: &str,
    images: &dyn CardImages,
    card: &CredentialSpec,
    had: Option<&Handle>,
    call: &Call<'_>,
    control: &JobControl,
) -> Result<Receipt, Failure> {
    let reader = reader(inner, end)?;
    let seen = present(inner, end, control).await?;
    let image = images.image(card, had, &seen, call).await?;
    if !reader.technologies().contains(&image.technology) {
        return Err(Failure::refused(Reason::BadCard, "the reader does not write cards of the technology that the system computes"));
    }
    match reader.write(&seen, &image, control).await {
        Ok(()) => {}
        // It was read back before the trouble began.
        Err(f) if f.card == CardState::Written => {}
        Err(f) => return Err(failure(f)),
    }
    let mut receipt = Receipt::verified();
    receipt.made.card_number = seen.number;
    Ok(receipt)
}

fn reader<'i>(inner: &'i Inner, end: &str) -> Result<&'i Arc<dyn CardEncoder>, Failure> {
    let gone = || Failure::nothing(Reason::EncoderOffline, "this instance does not have the reader");
    inner.config.card_encoders.get(end).ok_or_else(gone)
}

/// What a failure at a reader means for the credential. A torn card opens no more than it did before, and a repeat finishes it: nothing was made.
/// Only of a card of which nothing is known may a key have been made.
fn failure(f: CardFailure) -> Failure {
    let (reason, message) = match f.problem {
        CardProblem::None => (Reason::NoCard, "no card came"),
        CardProblem::Two => (Reason::Interrupted, "more than one card lies on the reader"),
        CardProblem::Removed => (Reason::Interrupted, "the card was taken away"),
        CardProblem::Changed => (Reason::Interrupted, "another card lies on the reader now"),
        CardProblem::Foreign => (Reason::BadCard, "the card is not ours"),
        CardProblem::InUse => (Reason::BadCard, "the card is a valid key of somebody else"),
        CardProblem::Staff => (Reason::BadCard, "the card is a staff key"),
        CardProblem::NotWritable => (Reason::BadCard, "the card cannot be written"),
        CardProblem::Busy => (Reason::Busy, "another job is at the reader"),
        CardProblem::Quarantined => (Reason::Busy, "the reader is left alone after an unknown outcome"),
        CardProblem::Offline => (Reason::EncoderOffline, "the reader does not answer"),
        CardProblem::Cancelled => (Reason::Cancelled, "the job was cancelled"),
    };
    match f.card {
        CardState::Untouched | CardState::Torn | CardState::Written => Failure::nothing(reason, message),
        CardState::Unknown => Failure::unknown(reason, message),
    }
}
