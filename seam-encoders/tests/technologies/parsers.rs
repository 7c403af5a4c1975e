//! The fuzz targets (`fuzz/`) with bounded random input: any bytes, and good ones with a few bytes changed.
use super::bytes;
use proptest::prelude::*;
use proptest::sample::select;

#[path = "../../../fuzz/src/targets.rs"]
#[expect(unreachable_pub, reason = "they are public in the crate of the fuzzer")]
mod targets;

/// What each target accepts, to begin from.
const GOOD: &[&str] = &[
    "90C400002902",
    "00A4040008A00000089800000100",
    "D1011B550463686F6F73652E75726C2E636F6D2F6E7461673432343F653D30",
    "B10103540265 6E36000 36C6576560002656C",
    "910102540265 6E510102 5402656E",
    "0304DEADBEEF030142FE",
    "001720010000FF0406E104010000000506E10500808283000000000000000000",
    "890101080108010800000000000004000310031002100210000000000000113000",
    "FFFFFFFFFFFFFF078042DEADBEEFFFFF",
    "0040EEE00001 00C1F121200000430000430000",
    "5C0201004C1031313131313131313131313131313131",
    "68747470733A2F2F646F6F722E6578616D706C652F743F703D7B706963637D266D3D7B6D61637D",
];

fn near_good() -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<prop::sample::Index>(), any::<u8>());
    (select(GOOD), prop::collection::vec(change, 0..4), 0usize..4).prop_map(|(good, changes, cut)| {
        let mut input = bytes(&good.replace(' ', ""));
        for (at, byte) in changes {
            let at = at.index(input.len());
            input[at] = byte;
        }
        input.truncate(input.len().saturating_sub(cut));
        input
    })
}

fn all(input: &[u8]) {
    targets::apdu(input);
    targets::ndef(input);
    targets::tlv(input);
    targets::classic(input);
    targets::ntag424(input);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn any_bytes_are_read_or_refused(input in prop::collection::vec(any::<u8>(), 0..400)) {
        all(&input);
    }
    #[test]
    fn good_bytes_with_a_few_changed_are_read_or_refused(input in near_good()) {
        all(&input);
    }
    #[test]
    fn any_template_is_read_or_refused(parts in prop::collection::vec(select(vec!["https://", "{picc}", "{uid}", "{counter}", "{mac}", "{data:0123456789abcdef}", "{", "}", ":", "é"]), 0..8)) {
        all(parts.concat().as_bytes());
    }
}
