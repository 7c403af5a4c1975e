//! What comes from cards, readers and encoders: `seam-encoders`.
mod cards;
mod formats;
mod wires;

pub(crate) use wires::run;

use crate::Target;
use crate::hex;

pub(crate) const TARGETS: &[Target] = &[
    Target::new("apdu", 30_000, formats::apdu_seeds, formats::apdu),
    Target::new("ndef", 30_000, formats::ndef_seeds, formats::ndef),
    Target::new("ndef_tlv", 30_000, formats::tlv_seeds, formats::tlv),
    Target::new("classic", 30_000, formats::classic_seeds, formats::classic),
    Target::new("ntag424_settings", 30_000, formats::settings_seeds, formats::settings),
    Target::new("ntag424_sdm", 15_000, formats::sdm_seeds, formats::sdm),
    Target::new("ntag424_answers", 7_500, cards::ntag424_seeds, cards::ntag424),
    Target::new("access_data", 10_000, formats::access_data_seeds, formats::access_data),
    Target::new("job_journal", 15_000, formats::journal_seeds, formats::journal),
    Target::new("desfire_objects", 30_000, formats::desfire_seeds, formats::desfire),
    Target::new("desfire_answers", 7_500, cards::desfire_seeds, cards::desfire),
    Target::new("ultralight_answers", 10_000, cards::ultralight_seeds, cards::ultralight),
    Target::new("simulated_cards", 5_000, cards::commands, cards::simulated),
    Target::new("onity_frames", 20_000, wires::onity_seeds, wires::onity_frames),
    Target::new("onity_answers", 7_500, wires::onity_seeds, wires::onity_answers),
    Target::new("osdp_packets", 20_000, wires::osdp_seeds, wires::osdp_packets),
    Target::new("osdp_panel", 7_500, wires::osdp_seeds, wires::osdp_panel),
];

/// Cuts an input into messages: each begins with its length in one byte, the last has what is left.
fn messages(mut input: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let (length, rest) = input.split_first()?;
        let (message, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        input = rest;
        Some(message)
    })
}

/// Messages as [`messages`] reads them.
fn joined(texts: &[&str]) -> Vec<u8> {
    let parts = texts.iter().map(|text| hex::bytes(text));
    parts.flat_map(|part| [vec![u8::try_from(part.len()).unwrap_or(u8::MAX)], part].concat()).collect()
}
