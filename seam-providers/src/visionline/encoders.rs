//! Cards: written at Visionline's encoders over either interface, read over the PMS port, or written by a reader of ours.
use super::check::{self, Checked};
use super::config::{EncoderSettings, Way};
use super::provider::VisionlineProvider;
use super::report;
use super::wire::pms::{CREATE, Line, READ, sendable};
use super::wire::{pms_time, read_serial};
use crate::net::Deadline;
use async_trait::async_trait;
use seam_core::encoder::{CardImage, CardSeen, JobControl, Technology};
use seam_core::model::civil;
use seam_core::provider::{
    Call, CardImages, CredentialSpec, Effect, EncoderReport, Failure, Handle, Kind, Reason, Receipt, SystemRef, VendorEncoders, Want,
};
use secrecy::ExposeSecret;
use serde_json::json;

/// A card was read, and it is valid.
const VALID: u32 = 13;
/// A card was read, and is expired, cancelled, overridden.
const ENDED: [u32; 3] = [44, 45, 46];
/// What names are cut to. How long the fields are, is not documented.
const LONGEST_NAME: usize = 32;

#[async_trait]
impl VendorEncoders for VisionlineProvider {
    async fn list(&self, system: &SystemRef) -> Result<Vec<EncoderReport>, Failure> {
        self.right_system(&system.handle)?;
        Ok(report::encoders(&self.config))
    }

    /// The request stays open until a card was written or none came: how it is cancelled is not publicly documented, so it runs on until Visionline's own
    /// wait is over. A time limit before that leaves an unknown outcome.
    async fn encode(
        &self,
        card: &CredentialSpec,
        _had: Option<&Handle>,
        at: &Handle,
        call: &Call<'_>,
        control: &JobControl,
    ) -> Result<Receipt, Failure> {
        self.right_system(&call.system.handle)?;
        if card.body.kind() != Kind::Card {
            return Err(Failure::unsupported("an encoder writes cards"));
        }
        let checked = check::check(&self.config, &Want::Credential(card.clone()), self.config.encode_by)?;
        let encoder = self.encoder_at(at)?;
        if control.is_cancelled() {
            return Err(Failure::nothing(Reason::Cancelled, "the job was cancelled before it began"));
        }
        let deadline = self.deadline(call.within).not_after(control.done_by);
        match self.config.encode_by {
            Way::Web => self.encode_over_web(&checked, card, encoder, call, &deadline).await,
            Way::Pms => self.encode_over_pms(&checked, card, encoder, call, &deadline).await,
        }
    }

    async fn read(&self, at: &Handle, call: &Call<'_>, control: &JobControl) -> Result<CardSeen, Failure> {
        self.right_system(&call.system.handle)?;
        let encoder = self.encoder_at(at)?;
        let (Some(pms), Some(address)) = (&self.pms, &encoder.pms_address) else {
            return Err(Failure::unsupported("how the web interface reads a card is not publicly documented; the PMS port does"));
        };
        let deadline = self.deadline(call.within).not_after(control.done_by);
        let mut line = Line::new(READ).with("AM", "1")?.with("EA", address)?;
        for tag in ["TA", "IO", "OP"] {
            if let Some(value) = pms.common(tag) {
                line = line.with(tag, value)?;
            }
        }
        line = line.with("SR", "?")?;
        let good = [VALID, ENDED[0], ENDED[1], ENDED[2]];
        let answer = pms.ask(&line, &good, false, &deadline).await?;
        let mut seen = CardSeen::new(answer.get("SR").and_then(read_serial));
        seen.technology = Some(Technology("rfid48".to_owned()));
        seen.carries = answer.get("GR").map(|room| Handle(json!({ "room": room })));
        seen.tag = answer.get("UF").and_then(check::tag_in);
        if seen.tag.is_none()
            && let (Some(web), Some(serial)) = (&self.web, &seen.number)
        {
            // A card that was made over the web interface has our tag in the list of cards only.
            let cards = web.cards_of_serial(serial, &deadline).await?;
            let live = cards.iter().rev().find(|c| !c.overwritten);
            seen.tag = live.and_then(|c| c.card_holder.as_deref()).and_then(check::tag_in);
        }
        Ok(seen)
    }
}

impl VisionlineProvider {
    fn encoder_at(&self, at: &Handle) -> Result<&EncoderSettings, Failure> {
        let known = at.as_text().and_then(|name| self.config.encoder(name));
        known.ok_or_else(|| Failure::refused(Reason::NotThere, "the settings have no such encoder"))
    }

    async fn encode_over_web(
        &self,
        checked: &Checked,
        card: &CredentialSpec,
        encoder: &EncoderSettings,
        call: &Call<'_>,
        deadline: &Deadline,
    ) -> Result<Receipt, Failure> {
        let mut query = vec![("action", "encode"), ("encoder", encoder.name.as_str()), role(checked)];
        if self.config.settings.overwrite_valid_cards {
            query.push(("overwriteValidCard", "true"));
        }
        let made = self.web()?.make(&query, &self.card(checked, card, &call.tag), deadline).await?;
        let mut receipt = Receipt::accepted();
        receipt.handle = made.name().map(|id| Handle(json!({ "card": id })));
        receipt.made.card_number = made.serial_numbers.first().and_then(|serial| read_serial(serial));
        Ok(receipt)
    }

    async fn encode_over_pms(
        &self,
        checked: &Checked,
        card: &CredentialSpec,
        encoder: &EncoderSettings,
        call: &Call<'_>,
        deadline: &Deadline,
    ) -> Result<Receipt, Failure> {
        let (Some(pms), Some(address), Some(room)) = (&self.pms, &encoder.pms_address, checked.rooms.first()) else {
            return Err(Failure::unsupported("the encoder has no PMS address"));
        };
        let numbers = check::numbers(&self.config, &checked.common)?;
        let mut line = Line::new(CREATE);
        if !checked.opens {
            line = line.with("JR", "1")?;
        }
        line = line.with("AM", "1")?.with("EA", address)?;
        if let Some(terminal) = pms.common("TA") {
            line = line.with("TA", terminal)?;
        }
        line = line.with("GR", room)?;
        if checked.window.starts > civil::clock(self.clock.now(), self.config.server_zone) {
            line = line.with("CI", pms_time(checked.window.starts))?;
        }
        line = line.with("CO", pms_time(checked.ends))?.with("NC", "01")?;
        if let Some(numbers) = numbers {
            line = line.with("CR", numbers)?;
        }
        for tag in ["UG", "IO", "OP"] {
            if let Some(value) = pms.common(tag) {
                line = line.with(tag, value)?;
            }
        }
        line = line.with("UF", call.tag.0.as_str())?;
        let name = sendable(&card.holder, LONGEST_NAME);
        if !name.is_empty() {
            line = line.with("US", name)?;
        }
        line = line.with("SR", "?")?;
        let answer = pms.ask(&line, &[0], true, deadline).await?;
        let mut receipt = Receipt::accepted();
        receipt.made.card_number = answer.get("SR").and_then(read_serial);
        receipt.handle = receipt.made.card_number.as_ref().map(|serial| Handle(json!({ "serial": serial })));
        Ok(receipt)
    }
}

/// Override ends the keys of the room's earlier guests. `autoJoin` makes a joiner of the present guest's.
fn role(checked: &Checked) -> (&'static str, &'static str) {
    if checked.opens { ("override", "true") } else { ("autoJoin", "true") }
}

#[async_trait]
impl CardImages for VisionlineProvider {
    /// The image of an `rfid48` card: hexadecimal, written from page 4 of a MIFARE Ultralight EV1 on, four bytes per page. Source: 1 client; how long it
    /// is, two clients say differently, so any number of whole pages is taken.
    async fn image(&self, card: &CredentialSpec, _had: Option<&Handle>, on: &CardSeen, call: &Call<'_>) -> Result<CardImage, Failure> {
        self.right_system(&call.system.handle)?;
        let checked = check::check(&self.config, &Want::Credential(card.clone()), Way::Web)?;
        let Some(serial) = on.number.as_deref().and_then(read_serial) else {
            return Err(Failure::refused(Reason::BadCard, "the image is made for the serial number of a card"));
        };
        let mut wanted = self.card(&checked, card, &call.tag);
        wanted.serial_numbers = vec![serial];
        let query = [role(&checked), ("pendingImage", "true"), ("sendOnline", "false")];
        let made = self.web()?.make(&query, &wanted, &self.deadline(call.within)).await?;
        if let Some(id) = made.name() {
            // The server has made the card: what cannot be noted is in doubt, and not nothing.
            call.notes.keep(&Handle(json!({ "card": id }))).await.map_err(|mut failure| {
                failure.effect = Effect::Unknown;
                failure
            })?;
        }
        let image = made.encrypted_image.as_ref().map(|image| image.expose_secret().trim()).unwrap_or_default();
        let is_whole = !image.is_empty() && image.len() % 8 == 0 && image.len() <= 512 && image.bytes().all(|b| b.is_ascii_hexdigit());
        if !is_whole {
            return Err(Failure::unknown(Reason::Garbled, "the server made the card, and its image could not be understood"));
        }
        let content = json!({"first_page": 4, "hex": image.to_ascii_uppercase()});
        Ok(CardImage { technology: Technology("mifare_ultralight_ev1".to_owned()), content })
    }
}
