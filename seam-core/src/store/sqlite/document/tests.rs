use super::*;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

fn write(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, Unfit> {
    let mut out = Vec::new();
    super::write(&mut out, value).map(|()| out)
}

/// There and back, and what JSON makes of it is the same.
fn there_and_back(value: &Value) -> Vec<u8> {
    let document = write(value).unwrap();
    assert_eq!(&read::<Value>(&document).unwrap(), value);
    document
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Unit,
    Newtype(Box<Self>),
    Tuple(i64, String),
    Struct { at: chrono::DateTime<chrono::Utc>, count: Option<u64> },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Flat {
    #[serde(flatten)]
    extra: Map<String, Value>,
    shape: Shape,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
enum Either {
    Number(i32),
    Text(String),
    Flat(Flat),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
enum Tagged {
    One { by_name: BTreeMap<String, Shape> },
    Two(Flat),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct All {
    id: uuid::Uuid,
    pair: (bool, char),
    by_id: BTreeMap<uuid::Uuid, f64>,
    by_number: BTreeMap<i16, Shape>,
    by_truth: BTreeMap<bool, ()>,
    by_variant: BTreeMap<String, Option<Shape>>,
    either: Vec<Either>,
    tagged: Vec<Tagged>,
    nothing: (),
    #[serde(default, skip_serializing_if = "Option::is_none")]
    absent: Option<u8>,
}

fn all() -> All {
    let at = "2026-11-22T15:16:02.120Z".parse().unwrap();
    let shape = Shape::Newtype(Box::new(Shape::Struct { at, count: Some(u64::MAX) }));
    let flat =
        Flat { extra: json!({"more": [1, null, {"x": -7}]}).as_object().unwrap().clone(), shape: Shape::Tuple(i64::MIN, "é".into()) };
    All {
        id: uuid::Uuid::from_u128(0x01a2_029f_25e6_7001_b333_f400_9763_ce68),
        pair: (true, 'ß'),
        by_id: [(uuid::Uuid::nil(), -0.0), (uuid::Uuid::max(), 0.1)].into(),
        by_number: [(i16::MIN, shape.clone()), (7, Shape::Unit)].into(),
        by_truth: [(false, ()), (true, ())].into(),
        by_variant: [("a".to_owned(), None), ("b".to_owned(), Some(Shape::Unit))].into(),
        either: vec![Either::Number(-1), Either::Text("2026-01-01T00:00:00Z".into()), Either::Flat(flat.clone())],
        tagged: vec![Tagged::One { by_name: [("a".to_owned(), shape.clone()), ("at".to_owned(), Shape::Unit)].into() }, Tagged::Two(flat)],
        nothing: (),
        absent: None,
    }
}

#[test]
fn every_shape_of_serde_is_what_json_makes_of_it() {
    let all = all();
    let document = write(&all).unwrap();
    assert_eq!(read::<All>(&document).unwrap(), all);
    // The same document read without its type is the JSON of the value, and what was written from that JSON reads as the type.
    let value = serde_json::to_value(&all).unwrap();
    assert_eq!(read::<Value>(&document).unwrap(), value);
    assert_eq!(read::<All>(&write(&value).unwrap()).unwrap(), all);
}

#[test]
fn documents_take_a_fraction_of_the_room() {
    let id = "01a2029f-25e6-7001-b333-f4009763ce68";
    let pin = "k1.e7018212a916eff7a3bbaf76cd7de21675548a4d17b257744032687f9593eab8012ccf3d6ac557c515594f9cb4d0";
    let method = json!({"method": {"mode": "code", "identity": id, "grants": [id], "doors": [id, id], "targets": [], "pin": pin,
        "issued": false, "created_at": "2026-01-01T00:00:00Z"}});
    let text = method.to_string();
    assert!(there_and_back(&method).len() * 5 < text.len() * 2, "{} of {}", there_and_back(&method).len(), text.len());
}

#[test]
fn what_only_looks_like_an_id_or_an_instant_or_hexadecimal_comes_back() {
    let id = "01a2029f-25e6-7001-b333-f4009763ce68";
    let nearly = [id.to_uppercase(), id.replace('-', "_"), id[..35].to_owned(), format!("{id}0"), id.replace('-', ""), "0".repeat(1021)];
    let instants = [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.0Z",
        "2026-01-01T00:00:00.00Z",
        "2026-01-01T00:00:00.000Z",
        "2026-01-01T00:00:00.100200Z",
        "2026-01-01T00:00:00.000000001Z",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01T00:00:60Z",
        "0000-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999Z",
        "1969-12-31T23:59:59Z",
        "2026-01-01 00:00:00Z",
        "2026-01-01t00:00:00Z",
        "2026-01-01T00:00:00+00:00",
        "+026-01-01T00:00:00Z",
        "2026-01-01T00:00:00,000Z",
        "2026/01/01T00:00:00Z",
    ];
    let others = [
        "",
        "at",
        "access_grant_id",
        "no name",
        ".",
        "k1.",
        "k1.0123456789abcdef",
        "k.1.0123456789ABCDEF",
        "0123456789abcde",
        "é",
        "\u{0}",
    ];
    for text in nearly.iter().map(String::as_str).chain(instants).chain(others) {
        there_and_back(&json!(text));
        there_and_back(&json!({ text: text }));
    }
    let many: Vec<_> = (0..700u128).map(|n| uuid::Uuid::from_u128((n % 400) << (n % 3 * 40)).to_string()).collect();
    there_and_back(&json!([many, many]));
    assert!(read::<Value>(&[AGAIN, 0]).is_err() && read::<Value>(&[&[NEAR][..], &[0; 10]].concat()).is_err());
    assert_eq!(write(&[id, id, "01a2029f-25e6-7003-b333-f4009763ce68"]).unwrap().len(), 1 + 17 + 2 + 11 + 1);
    assert_eq!(write("2026-01-01T00:00:00Z").unwrap().len(), 7);
    assert_eq!(write(id).unwrap().len(), 17);
    assert_eq!(write("access_grant_id").unwrap().len(), 1);
}

#[test]
fn numbers_of_any_size_come_back() {
    for number in [0u64, 1, 14, 15, 16, 127, 128, 1 << 32, u64::MAX - 1, u64::MAX] {
        there_and_back(&json!(number));
    }
    for number in [-1i64, -15, -16, -17, -129, i64::MIN + 1, i64::MIN] {
        there_and_back(&json!(number));
    }
    for number in [0.1f64, -0.0, 1e300, f64::MIN_POSITIVE, 2.0] {
        there_and_back(&json!(number));
    }
    assert_eq!(read::<f32>(&write(&0.1f32).unwrap()).unwrap(), 0.1f32);
    assert_eq!(read::<Option<f64>>(&write(&f64::NAN).unwrap()).unwrap(), None);
}

#[test]
fn keys_that_json_has_not_are_refused() {
    assert!(write(&BTreeMap::from([((1, 2), 3)])).is_err());
    assert!(write(&BTreeMap::from([(vec![1u8], 3)])).is_err());
}

#[test]
fn damage_is_noticed_and_reserves_nothing() {
    let whole = write(&all()).unwrap();
    for cut in 0..whole.len() {
        assert!(read::<All>(&whole[..cut]).is_err());
    }
    assert!(read::<Value>(&[&whole[..], &[NULL]].concat()).is_err());
    assert!(read::<Value>(&[TEXT, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_err());
    assert!(read::<Value>(&[NAME, 0xff, 0xff, 0x7f]).is_err());
    assert!(read::<Value>(&[NUMBER, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]).is_err());
    assert!(read::<Value>(&[INSTANT, 1, 0, 0]).is_err());
    assert!(read::<Value>(&[INSTANT, 3, 0, 0xff, 0x7f]).is_err());
    assert!(read::<Value>(&[MAP, SMALL, NULL, END]).is_err());
    assert!(read::<Value>(&vec![LIST; 100_000]).is_err());
    assert!(read::<Value>(&vec![SINGLE; 100_000]).is_err());
    assert!(read::<de::IgnoredAny>(&vec![LIST; 100_000]).is_err());
}
use serde::de;

fn any_value() -> impl Strategy<Value = Value> {
    let text = "([0-9a-f]{0,40}|[ -~]{0,20}|\\PC{0,5}|[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\
                [0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,9})?Z|[a-z]{2}[.][0-9a-f]{16,24}|at|deleted_at)";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::btree_map(text, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_value_comes_back(value in any_value()) {
        there_and_back(&value);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read::<Value>(&bytes);
        let _ = read::<All>(&bytes);
    }

    #[test]
    fn a_changed_byte_is_read_or_refused(at in 0usize..10_000, byte in any::<u8>()) {
        let mut document = write(&all()).unwrap();
        let at = at % document.len();
        document[at] = byte;
        let _ = read::<All>(&document);
    }
}
