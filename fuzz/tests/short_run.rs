//! Each target with its seeds and a fixed number of inputs near to them, the same in every run.

/// Another one gives other inputs. This one was drawn once.
const SEED: u64 = 0x5EA4_F022;

macro_rules! short_runs {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                let target = seam_fuzz::target(stringify!($name)).expect("a target of this name");
                target.run_many(SEED, target.inputs.into(), None);
            }
        )*
        const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

short_runs![
    access_data,
    aliro_ble_frames,
    aliro_ble_objects,
    aliro_certificate,
    aliro_commands,
    aliro_device,
    aliro_documents,
    aliro_elements,
    aliro_exchange,
    aliro_nfc,
    aliro_reader,
    aliro_responses,
    apdu,
    ble_apdu,
    ble_tlv,
    cbor,
    classic,
    desfire_answers,
    desfire_objects,
    document,
    document_json,
    job_journal,
    lock_grants,
    lock_lists,
    lock_memory,
    lock_receipts,
    lock_time_token,
    model_json,
    ndef,
    ndef_tlv,
    ntag424_answers,
    ntag424_sdm,
    ntag424_settings,
    nuki_messages,
    oauth,
    onity_answers,
    onity_frames,
    osdp_packets,
    osdp_panel,
    page_cursor,
    pkoc_certificate,
    pkoc_messages,
    plug_json,
    salto_answers,
    salto_frames,
    salto_ks_account,
    salto_ks_texts,
    settings,
    ship_xml,
    simulated_cards,
    stp_frames,
    tokens,
    ultralight_answers,
    vision_pmsif,
    visionline_account,
    visionline_pms_lines,
    visionline_serial,
    visionline_signature,
    visionline_texts,
    webhook_address,
    webhook_delivery,
    weekly,
];

#[test]
fn every_target_is_run_and_has_seeds() {
    let mut all: Vec<&str> = seam_fuzz::targets().map(|target| target.name).collect();
    all.sort_unstable();
    assert_eq!(all, NAMES);
    for target in seam_fuzz::targets() {
        assert!(!(target.seeds)().is_empty(), "{} has nothing to begin from", target.name);
    }
}
