//! What a lock hears from phones and a phone from locks: `seam-ble`.
mod aliro;
mod documents;
mod formats;
mod locks;
mod roles;
mod vectors;

use crate::Target;
use seam_ble::bytes::Writer;
use seam_ble::crypto::rustcrypto::SoftwareKey;
use seam_ble::crypto::{PublicKey, Secret, SigningKey as _};

pub(crate) const TARGETS: &[Target] = &[
    Target::new("ble_apdu", 30_000, formats::apdu_seeds, formats::apdu),
    Target::new("ble_tlv", 30_000, formats::tlv_seeds, formats::tlv),
    Target::new("cbor", 30_000, formats::cbor_seeds, formats::cbor),
    Target::new("aliro_commands", 15_000, aliro::command_seeds, aliro::commands),
    Target::new("aliro_responses", 15_000, aliro::response_seeds, aliro::responses),
    Target::new("aliro_exchange", 20_000, aliro::exchange_seeds, aliro::exchange),
    Target::new("aliro_nfc", 15_000, aliro::command_seeds, aliro::nfc),
    Target::new("aliro_ble_frames", 15_000, aliro::ble_seeds, aliro::ble_frames),
    Target::new("aliro_ble_objects", 25_000, aliro::ble_seeds, aliro::ble_objects),
    Target::new("aliro_certificate", 4_000, documents::certificate_seeds, documents::certificate),
    Target::new("aliro_documents", 7_500, documents::document_seeds, documents::documents),
    Target::new("aliro_elements", 20_000, documents::element_seeds, documents::elements),
    Target::new("aliro_device", 1_250, roles::device_seeds, roles::device),
    Target::new("aliro_reader", 1_000, roles::reader_seeds, roles::reader),
    Target::new("pkoc_messages", 1_250, roles::pkoc_seeds, roles::pkoc),
    Target::new("pkoc_certificate", 2_000, roles::pkoc_certificate_seeds, roles::pkoc_certificate),
    Target::new("nuki_messages", 1_250, roles::nuki_seeds, roles::nuki),
    Target::new("lock_grants", 1_250, locks::grant_seeds, locks::grants),
    Target::new("lock_lists", 1_250, locks::list_seeds, locks::lists),
    Target::new("lock_receipts", 1_250, locks::receipt_seeds, locks::receipts),
    Target::new("lock_time_token", 10_000, locks::token_seeds, locks::tokens),
    Target::new("lock_memory", 10_000, locks::memory_seeds, locks::memory),
];

/// The key of this byte, 32 times.
fn key(byte: u8) -> SoftwareKey {
    SoftwareKey::from_bytes(&Secret::new([byte; 32])).expect("a scalar below the order")
}

fn public(byte: u8) -> PublicKey {
    key(byte).public_key()
}

/// What `write` writes; `None` when it does not fit into 4 kB or cannot be said.
fn written<E>(write: impl FnOnce(&mut Writer<'_>) -> Result<(), E>) -> Option<Vec<u8>> {
    let mut space = [0; 4096];
    let mut out = Writer::new(&mut space);
    write(&mut out).ok()?;
    Some(out.as_slice().to_vec())
}
