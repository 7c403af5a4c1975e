//! The negative list of mobile keys: what is tried against a lock or a phone, and the tests that see it refused. The table is held against the sources:
//! a test that is renamed or taken out leaves a hole here, and this one fails.

use std::collections::BTreeSet;
use std::path::Path;

const TRANSACTIONS: &str = "tests/aliro_transactions.rs";
const REFUSALS: &str = "tests/aliro_refusals.rs";
const BLUETOOTH: &str = "tests/aliro_ble.rs";
const TRANSPORT: &str = "tests/aliro_transport.rs";
const RADIO: &str = "tests/radio/aliro.rs";
const PKOC: &str = "tests/locks/pkoc_refusals.rs";
const PKOC_NFC: &str = "tests/locks/pkoc_nfc.rs";
const PKOC_TRANSPORT: &str = "tests/locks/pkoc_transport.rs";
const NUKI: &str = "tests/locks/nuki_refusals.rs";
const GRANTS: &str = "tests/locks/grants.rs";
const BACKENDS: &str = "tests/backends.rs";
const ANSWERS: &str = "src/lock/tests/answers.rs";
const CLOCK: &str = "src/lock/tests/clock.rs";
const SCHEDULES: &str = "src/lock/tests/schedules.rs";
const CBOR: &str = "src/cbor.rs";
const TLV: &str = "src/tlv.rs";
const LINKS: &str = "../seam-core/src/plan/tests/keys.rs";
const PAGE: &str = "../examples/connect-server/tests/pages/key.test.mjs";

/// A test: in which file, and its name.
type Test = (&'static str, &'static str);

/// Line of the list, what is tried, and the tests.
const LIST: &[(u8, &str, &[Test])] = &[
    (
        1,
        "a key that is no point, infinity, compressed, x not below the prime",
        &[
            (REFUSALS, "line_01_an_ephemeral_key_that_is_no_point_is_refused"),
            (PKOC, "n1_a_key_that_is_no_point_is_refused_by_both_sides"),
            (NUKI, "n1_a_key_of_small_order_is_refused_by_both_sides"),
            (BACKENDS, "points_that_are_not_on_the_curve_are_refused"),
        ],
    ),
    (
        2,
        "a zero or reflected ephemeral key, our own key echoed",
        &[
            (TRANSACTIONS, "line_02_our_own_ephemeral_key_is_refused"),
            (REFUSALS, "line_02_nobody_agrees_on_a_key_with_himself"),
            (RADIO, "line_10_a_channel_that_is_used_otherwise_opens_only_what_is_whole"),
            (PKOC, "n2_a_key_of_ones_own_that_comes_back_is_refused"),
            (NUKI, "n2_ones_own_key_echoed_is_refused"),
        ],
    ),
    (
        3,
        "r or s zero or not below the order, either half of s, DER",
        &[
            (REFUSALS, "line_03_a_signature_out_of_range_or_in_der_is_refused"),
            (PKOC, "n3_signatures_out_of_range_or_in_der_are_refused"),
            (PKOC, "n3_either_half_of_s_is_accepted"),
            (BACKENDS, "signature_halves_of_zero_or_above_the_order_are_refused"),
        ],
    ),
    (
        4,
        "a signature of the other side, of another key, of another transaction",
        &[
            (TRANSACTIONS, "line_04_a_signature_of_the_other_side_is_refused"),
            (REFUSALS, "line_04_a_phone_that_does_not_hold_the_key_it_shows_is_refused"),
            (PKOC, "n4_the_readers_own_proof_is_no_credential"),
        ],
    ),
    (
        5,
        "any input of the keys changed, any bit of any message",
        &[
            (TRANSACTIONS, "line_05_each_input_changes_the_keys"),
            (TRANSACTIONS, "any_flipped_bit_ends_the_transaction"),
            (TRANSPORT, "every_bit_of_every_message_over_bluetooth_counts"),
            (PKOC, "every_bit_of_every_message_counts"),
            (PKOC_NFC, "every_bit_of_the_cards_answer_counts"),
            (NUKI, "every_bit_of_every_message_of_a_pairing_counts"),
            (NUKI, "every_bit_of_every_message_of_an_action_counts"),
            (GRANTS, "every_bit_of_a_grant_counts"),
        ],
    ),
    (
        6,
        "a version taken out of the offer or put in",
        &[
            (TRANSACTIONS, "line_06_a_changed_offer_of_versions_is_noticed"),
            (TRANSPORT, "line_06_a_changed_offer_in_the_characteristic_is_noticed"),
            (PKOC, "n6_a_changed_version_is_noticed"),
            (PKOC, "n6_a_reader_without_its_certificate_does_not_fall_back_to_a_shared_key"),
        ],
    ),
    (
        7,
        "a tag cut or flipped, a counter off by one, a repeat, the wrong direction, the end of the counter",
        &[
            (TRANSACTIONS, "line_07_a_channel_takes_each_message_once_and_in_order"),
            (PKOC, "n7_tag_counter_and_direction_of_the_encrypted_message_are_bound"),
        ],
    ),
    (
        8,
        "a cryptogram of nobody, an unknown reader: the standard phase follows, after the same work",
        &[
            (TRANSACTIONS, "a_changed_cryptogram_leads_to_the_standard_phase"),
            (TRANSACTIONS, "line_08_an_unknown_reader_cannot_tell_that_it_is_unknown"),
            (REFUSALS, "line_08_a_cryptogram_comes_when_it_is_asked_for_and_only_then"),
            (REFUSALS, "line_08_a_phone_that_knows_the_reader_does_the_same_work_as_one_that_does_not"),
            (RADIO, "a_rust_phone_opens_a_rust_lock_by_aliro"),
        ],
    ),
    (
        9,
        "nothing kept for the fast phase when AUTH1 fails",
        &[
            (TRANSACTIONS, "line_04_a_signature_of_the_other_side_is_refused"),
            (RADIO, "line_10_a_channel_that_is_used_otherwise_opens_only_what_is_whole"),
        ],
    ),
    (
        10,
        "a frame's header changed; the channel split, merged, oversized, empty, stopped, starved, in the wrong place",
        &[
            (BLUETOOTH, "line_10_every_bit_of_an_encrypted_message_counts"),
            (TRANSPORT, "line_10_messages_come_whole_however_they_are_cut"),
            (RADIO, "line_10_a_channel_that_is_used_otherwise_opens_only_what_is_whole"),
        ],
    ),
    (
        11,
        "lists and CBOR in another form than the one: long lengths, indefinite, twice, missing, trailing, nested, huge, floats",
        &[
            (REFUSALS, "line_11_a_list_that_is_not_in_its_one_form_is_refused"),
            (PKOC, "n11_each_form_of_length_is_refused_by_the_other_version"),
            (PKOC, "n11_malformed_lists_are_refused_with_their_reason"),
            (TLV, "a_length_has_one_form_only"),
            (TLV, "a_length_of_162_differs_between_the_two_forms"),
            (TLV, "a_list_holds_each_tag_once_and_no_other"),
            (CBOR, "only_the_shortest_form_is_read"),
            (CBOR, "a_nesting_bomb_stops_at_the_limit"),
            (CBOR, "a_key_stands_once_in_its_map"),
        ],
    ),
    (
        12,
        "documents: another key or issuer, a changed bit, a critical extension, deny beats allow, edges, clock changes, months, iterations, revoked",
        &[
            (TRANSACTIONS, "documents_are_shown_and_believed"),
            (TRANSACTIONS, "line_12_an_older_iteration_is_refused"),
            ("tests/aliro_unsettled.rs", "an_extension_is_critical_when_its_bit_is_not_set"),
            (ANSWERS, "deny_beats_allow_over_all_rules"),
            (ANSWERS, "a_window_holds_from_its_first_second_to_the_one_before_its_last"),
            (ANSWERS, "a_revoked_key_stays_revoked_whatever_else_it_has"),
            (ANSWERS, "a_revocation_list_only_ever_grows_in_number"),
            (SCHEDULES, "occurrences_are_where_the_calendar_says"),
            (SCHEDULES, "a_night_over_the_change_of_the_clock_is_one_night"),
        ],
    ),
    (
        13,
        "unknown time, a clock that jumps, a time token forged or played again",
        &[
            (ANSWERS, "n13_an_unknown_time_is_refused_where_the_grant_asks_for_proof"),
            (ANSWERS, "n13_a_clock_that_went_back_is_not_believed"),
            (CLOCK, "n13_a_forged_time_token_changes_nothing"),
            (CLOCK, "n13_a_time_token_is_good_once_and_only_for_the_last_challenge"),
            (GRANTS, "n13_a_lock_that_lost_its_time_gets_it_back_through_a_phone"),
            (PKOC, "n13_a_readers_certificate_is_good_from_its_first_to_its_last_second"),
        ],
    ),
    (
        14,
        "override and joiner: three generations, three windows, power cut at every write",
        &[
            ("src/lock/tests/interleavings.rs", "no_interleaving_and_no_power_cut_lets_an_earlier_stay_in_again"),
            ("src/lock/tests/interleavings.rs", "the_order_of_override_and_joiner_makes_no_difference"),
            ("src/lock/tests/memory.rs", "a_longer_record_is_cut_at_every_byte_and_the_list_is_old_or_new"),
            (ANSWERS, "n14_a_jump_too_far_needs_the_service_key"),
        ],
    ),
    (
        15,
        "two phones at once, a connection lost anywhere, a storm of them, a peer that stalls",
        &[
            (TRANSACTIONS, "line_15_a_session_does_not_outlive_its_connection"),
            (TRANSPORT, "line_15_a_link_that_breaks_or_stalls_at_any_message_opens_nothing"),
            (RADIO, "the_aliro_link_is_lost_at_every_packet_between_rust_and_rust"),
            (RADIO, "the_aliro_link_is_lost_at_every_packet_between_rust_and_another_lock"),
            (RADIO, "the_aliro_link_is_lost_at_every_packet_between_another_phone_and_rust"),
            (PKOC, "n15_two_phones_at_once_do_not_get_into_each_others_session"),
            (PKOC_TRANSPORT, "n15_a_link_that_breaks_at_any_message_opens_nothing_and_the_next_try_does"),
            (PKOC_TRANSPORT, "n15_a_peer_that_stalls_ends_with_the_deadline"),
            (PKOC_TRANSPORT, "n15_a_peer_that_only_speaks_is_cut_off"),
            (PKOC_TRANSPORT, "n15_two_phones_at_once_are_served_side_by_side_and_a_storm_of_them_after_each_other"),
            ("tests/radio/main.rs", "the_link_is_lost_at_every_packet_and_the_next_visit_succeeds"),
        ],
    ),
    (
        16,
        "secrets printed",
        &[
            (TRANSACTIONS, "line_16_nothing_prints_a_secret"),
            (PKOC, "n16_no_state_prints_its_keys"),
            (NUKI, "n16_no_key_is_printed"),
            ("src/crypto/mod.rs", "a_secret_is_never_printed"),
        ],
    ),
    (
        17,
        "an instant key's link: over, taken back, guessed, used up, by a second phone",
        &[
            (LINKS, "a_link_ends"),
            (LINKS, "a_link_is_redeemed_as_often_as_it_may_be"),
            (LINKS, "two_redemptions_at_once_count_twice"),
            (LINKS, "a_link_of_another_workspace_is_unknown"),
            ("../seam-providers/tests/open_lock/instant.rs", "a_link_enrols_as_many_phones_as_it_may"),
            (PAGE, "a link that was taken back says so, also to who has redeemed it"),
            (PAGE, "codes cannot be guessed"),
        ],
    ),
    (
        18,
        "Nuki: checksum and tag at odds, another user inside than outside, lengths, a generator that repeats itself",
        &[
            (NUKI, "n18_a_bad_checksum_inside_a_good_tag_is_refused"),
            (NUKI, "n18_a_good_checksum_does_not_make_a_bad_tag_good"),
            (NUKI, "n18_the_user_outside_has_to_be_the_one_inside"),
            (NUKI, "n18_lengths_are_exact"),
            (NUKI, "n18_a_generator_that_repeats_itself_is_noticed"),
        ],
    ),
    (
        19,
        "every command in every state: Aliro over NFC and Bluetooth, PKOC over both, Nuki, either role",
        &[
            (TRANSACTIONS, "line_19_every_command_in_every_state"),
            (TRANSPORT, "line_19_every_message_in_every_state_over_bluetooth"),
            (PKOC, "n19_every_message_in_every_state"),
            (PKOC_NFC, "n19_every_command_in_every_state_of_a_card"),
            (NUKI, "n19_every_message_in_every_state_of_a_pairing"),
            (NUKI, "a_challenge_is_good_for_one_action_of_one_user_on_one_connection"),
        ],
    ),
    (
        20,
        "parsers fuzzed",
        &[
            ("../fuzz/tests/short_run.rs", "every_target_is_run_and_has_seeds"),
            (PKOC, "n20_no_bytes_make_a_state_panic"),
            (NUKI, "n20_no_bytes_make_a_side_panic"),
        ],
    ),
];

#[test]
fn every_line_has_its_tests() {
    let lines: BTreeSet<u8> = LIST.iter().map(|(line, ..)| *line).collect();
    assert_eq!(lines, (1..=20).collect());
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut holes = Vec::new();
    for (line, what, tests) in LIST {
        assert!(!tests.is_empty(), "line {line}: {what}");
        for (file, name) in *tests {
            let source = std::fs::read_to_string(here.join(file)).unwrap_or_default();
            let in_rust = [format!("fn {name}("), format!("fn {name}<")].iter().any(|start| source.contains(start));
            if !in_rust && !source.contains(&format!("test('{name}'")) {
                holes.push((line, what, file, name));
            }
        }
    }
    assert!(holes.is_empty(), "{holes:#?}");
    // The other direction: a test that says which line it is for stands under that line.
    for file in [TRANSACTIONS, REFUSALS, BLUETOOTH, TRANSPORT, RADIO, PKOC, PKOC_NFC, PKOC_TRANSPORT, NUKI] {
        let source = std::fs::read_to_string(here.join(file)).unwrap();
        for name in source.split("fn ").skip(1).filter_map(|rest| rest.split(['(', '<']).next()) {
            let named = name.strip_prefix("line_").or_else(|| name.strip_prefix('n'));
            let Some(line) = named.and_then(|rest| rest.split('_').next()).and_then(|number| number.parse::<u8>().ok()) else { continue };
            let listed = LIST.iter().any(|(at, _, tests)| *at == line && tests.contains(&(file, name)));
            assert!(listed, "{file}: {name}");
        }
    }
}
