//! What the servers of vendors answer, and what people enter as settings: `seam-providers`.
mod accounts;
mod wires;

use crate::Target;

pub(crate) const TARGETS: &[Target] = &[
    Target::new("salto_frames", 20_000, wires::salto_frame_seeds, wires::salto_frames),
    Target::new("salto_answers", 20_000, wires::salto_answer_seeds, wires::salto_answers),
    Target::new("stp_frames", 20_000, wires::stp_seeds, wires::stp_frames),
    Target::new("ship_xml", 15_000, wires::ship_seeds, wires::ship_xml),
    Target::new("visionline_pms_lines", 20_000, wires::line_seeds, wires::lines),
    Target::new("visionline_serial", 20_000, wires::serial_seeds, wires::serial),
    Target::new("visionline_texts", 30_000, wires::text_seeds, wires::visionline_texts),
    Target::new("visionline_signature", 20_000, wires::signature_seeds, wires::signature),
    Target::new("visionline_account", 5_000, accounts::visionline_seeds, accounts::visionline),
    Target::new("vision_pmsif", 15_000, wires::pmsif_seeds, wires::pmsif),
    Target::new("salto_ks_account", 5_000, accounts::ks_seeds, accounts::ks),
    Target::new("salto_ks_texts", 30_000, wires::text_seeds, wires::ks_texts),
    Target::new("oauth", 7_500, accounts::oauth_seeds, accounts::oauth),
    Target::new("settings", 5_000, accounts::settings_seeds, accounts::settings),
];
