//! Secrets: bound to their place, opened only by their key, never in the file.
#![cfg(all(feature = "conformance", feature = "sqlite"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a panic with its line")]
use rand::SeedableRng;
use rand::rngs::StdRng;
use seam_core::ErrorKind;
use seam_core::clock::ManualClock;
use seam_core::conformance::store::{World, target};
use seam_core::model::WorkspaceId;
use seam_core::state::*;
use seam_core::store::{ListQuery, SqliteStore, StaticKeys, Store, Vault};
use secrecy::ExposeSecret;
use std::collections::{BTreeSet, HashSet};
use std::path::Path;
use std::sync::Arc;
use uuid::Uuid;

const WS: WorkspaceId = WorkspaceId::from_uuid(Uuid::from_u128(0xa));
const OTHER: WorkspaceId = WorkspaceId::from_uuid(Uuid::from_u128(0xb));

fn vault(master: u8) -> Vault {
    Vault::new(Arc::new(StaticKeys::new([master; 32])))
}

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

fn row(n: u128) -> RowId {
    Uuid::from_u128(n)
}

fn corrupt<T: std::fmt::Debug>(result: Result<T, seam_core::Error>) -> &'static str {
    let e = result.unwrap_err();
    assert_eq!(e.kind(), ErrorKind::Corrupt);
    e.code()
}

#[test]
fn a_secret_opens_only_where_it_was_sealed() {
    let (vault, mut rng) = (vault(1), rng());
    let a = vault.seal(WS, row(1), "pin", "739201", &mut rng).unwrap();
    let b = vault.seal(WS, row(2), "pin", "118822", &mut rng).unwrap();
    assert_eq!(vault.open(WS, row(1), "pin", &a).unwrap().expose_secret(), "739201");
    // Swapped between rows, fields, workspaces.
    for (workspace, id, field, sealed) in
        [(WS, row(1), "pin", &b), (WS, row(2), "pin", &a), (WS, row(1), "link", &a), (OTHER, row(1), "pin", &a)]
    {
        corrupt(vault.open(workspace, id, field, sealed));
    }
    // The boundary between workspace, row and field counts.
    let c = vault.seal(WS, row(1), "", "739201", &mut rng).unwrap();
    corrupt(vault.open(WS, row(1), "pin", &c));
    // Sealed twice, it looks different.
    assert_ne!(a, vault.seal(WS, row(1), "pin", "739201", &mut rng).unwrap());
    assert!(!format!("{a:?}").contains("739201"));
}

#[test]
fn every_changed_character_is_noticed() {
    let vault = vault(1);
    let sealed = vault.seal(WS, row(1), "pin", "739201", &mut rng()).unwrap();
    let text = serde_json::to_string(&sealed).unwrap();
    for place in 1..text.len() - 1 {
        for new in ["0", "f", "g", "é", "."] {
            if text.get(place..=place) == Some(new) {
                continue;
            }
            let mut changed = text.clone();
            changed.replace_range(place..=place, new);
            corrupt(vault.open(WS, row(1), "pin", &serde_json::from_str(&changed).unwrap()));
        }
        let cut: Sealed = serde_json::from_str(&format!("{}\"", &text[..place])).unwrap();
        corrupt(vault.open(WS, row(1), "pin", &cut));
    }
}

#[test]
fn a_wrong_key_is_a_clean_error() {
    let sealed = vault(1).seal(WS, row(1), "pin", "739201", &mut rng()).unwrap();
    corrupt(vault(2).open(WS, row(1), "pin", &sealed));
    let renamed = Vault::new(Arc::new(StaticKeys::new([2; 32]).rotated("k9", [3; 32])));
    let by_k9 = renamed.seal(WS, row(1), "pin", "739201", &mut rng()).unwrap();
    assert_eq!(corrupt(vault(1).open(WS, row(1), "pin", &by_k9)), "sealing_key_unknown");
}

#[test]
fn after_a_rotation_old_and_new_open_and_the_index_stays() {
    let (old, mut rng) = (vault(1), rng());
    let before = old.seal(WS, row(1), "pin", "739201", &mut rng).unwrap();
    let new = Vault::new(Arc::new(StaticKeys::new([1; 32]).rotated("k2", [9; 32]).rotated("k3", [8; 32])));
    assert_eq!(new.open(WS, row(1), "pin", &before).unwrap().expose_secret(), "739201");
    let after = new.seal(WS, row(1), "pin", "739201", &mut rng).unwrap();
    assert!(serde_json::to_string(&after).unwrap().starts_with("\"k3."));
    assert_eq!(new.open(WS, row(1), "pin", &after).unwrap().expose_secret(), "739201");
    assert_eq!(corrupt(old.open(WS, row(1), "pin", &after)), "sealing_key_unknown");
    assert_eq!(old.claim_key("pin", "door", "739201"), new.claim_key("pin", "door", "739201"));
    assert_eq!(old.tag(WS, "email", "a@b.c"), new.tag(WS, "email", "a@b.c"));
}

#[test]
fn what_a_person_s_own_key_seals_dies_with_it() {
    let (vault, mut rng) = (vault(1), rng());
    let own = vault.new_own_key(WS, row(1), &mut rng).unwrap();
    let name = vault.seal_own(&own, WS, row(1), "full_name", "Jane Doe", &mut rng).unwrap();
    assert_eq!(vault.open_own(&own, WS, row(1), "full_name", &name).unwrap().expose_secret(), "Jane Doe");
    corrupt(vault.open_own(&own, WS, row(1), "email", &name));
    // The key destroyed, the master key alone opens nothing, and another person's key neither.
    corrupt(vault.open(WS, row(1), "full_name", &name));
    let other = vault.new_own_key(WS, row(2), &mut rng).unwrap();
    corrupt(vault.open_own(&other, WS, row(2), "full_name", &name));
    corrupt(vault.open_own(&other, WS, row(1), "full_name", &name));
    let remade = vault.new_own_key(WS, row(1), &mut rng).unwrap();
    corrupt(vault.open_own(&remade, WS, row(1), "full_name", &name));
}

#[test]
fn keyed_hashes_differ_by_every_part() {
    let v = vault(1);
    let keys: BTreeSet<ClaimKey> =
        [("pin", "door", "1234"), ("slot", "door", "1234"), ("pin", "doo", "r1234"), ("pin", "door1", "234"), ("pin", "door", "01234")]
            .iter()
            .map(|(kind, domain, value)| v.claim_key(kind, domain, value))
            .chain([vault(2).claim_key("pin", "door", "1234")])
            .collect();
    assert_eq!(keys.len(), 6);
    let tags: BTreeSet<String> = [(WS, "email", "a"), (OTHER, "email", "a"), (WS, "phone", "a"), (WS, "email", "b")]
        .iter()
        .map(|(ws, kind, value)| v.tag(*ws, kind, value))
        .collect();
    assert_eq!(tags.len(), 4);
}

/// Every byte of every file of the database.
fn bytes(folder: &Path) -> Vec<u8> {
    std::fs::read_dir(folder).unwrap().flat_map(|entry| std::fs::read(entry.unwrap().path()).unwrap()).collect()
}

fn finds(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).filter(|window| *window == needle).count()
}

/// A PIN as it might be written by somebody careless.
fn spellings(pin: &str) -> Vec<Vec<u8>> {
    let utf16: Vec<u8> = pin.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let reversed: Vec<u8> = pin.bytes().rev().collect();
    vec![pin.as_bytes().to_vec(), utf16, reversed]
}

#[tokio::test]
async fn no_pin_is_ever_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("seam.db"), Arc::clone(&clock) as _).unwrap());
    let w = World::new(Arc::clone(&store), clock);
    let (vault, mut rng) = (vault(1), rng());
    let channel = Channel::new("sandbox", "door");
    // Long enough that chance does not write one: 200 PINs of nine digits in some hundred kilobytes.
    let pins: Vec<String> = (0..200u64).map(|n| format!("{:09}", (n * 7_777_777 + 123_456_789) % 1_000_000_000)).collect();
    for pin in &pins {
        let mut row = w.row(target(&channel, None, false));
        let Body::Target(target) = &mut row.body else { unreachable!() };
        target.pin = Some(vault.seal(w.ws, row.id, "pin", pin, &mut rng).unwrap());
        target.claims.push(Claim { key: vault.claim_key("pin", "door", pin), from: w.at(0), until: None, exclusive: true });
        let row = w.put_one(row).await;
        // And written again, so that an old version lies about.
        w.put_one(row).await;
    }
    let own = w.row(seam_core::conformance::store::space(None, &[]));
    let sealed = vault.new_own_key(w.ws, own.id, &mut rng).unwrap();
    let name = vault.seal_own(&sealed, w.ws, own.id, "full_name", "Jane Doe of Nowhere", &mut rng).unwrap();
    let mut own = own;
    if let Body::Space(space) = &mut own.body {
        space.name = serde_json::to_string(&(sealed, name)).unwrap();
    }
    let own = w.put_one(own).await;
    // Documents are packed in the file: what they say is searched as well.
    let mut told = serde_json::to_vec(&store.audit(w.ws, 0, usize::MAX).await.unwrap()).unwrap();
    told.extend(serde_json::to_vec(&store.events(w.ws, 0, usize::MAX).await.unwrap()).unwrap());
    for kind in [RowKind::Target, RowKind::Space] {
        told.extend(serde_json::to_vec(&store.list(w.ws, &ListQuery::all(kind)).await.unwrap()).unwrap());
    }
    let check = |when: &str| {
        let all = [bytes(folder.path()), told.clone()].concat();
        assert!(finds(&all, own.id.as_bytes()) > 0 && finds(&told, b"sandbox|door") >= pins.len(), "everything is there");
        let wanted: HashSet<Vec<u8>> = pins.iter().flat_map(|pin| spellings(pin)).collect();
        let digits = |size| all.windows(size).filter(|window| window[0].is_ascii_digit());
        let found = digits(9).chain(digits(18)).filter(|window| wanted.contains(*window)).count();
        assert_eq!(found, 0, "{when}");
        assert_eq!(finds(&all, b"Jane Doe") + finds(&all, &[1; 32]), 0, "{when}");
    };
    check("while open, with its write-ahead log");
    drop((w, store));
    check("after closing");
}

#[tokio::test]
async fn a_destroyed_key_does_not_linger_in_the_closed_file() {
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(ManualClock::new("2026-01-01T00:00:00Z".parse().unwrap()));
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path().join("seam.db"), Arc::clone(&clock) as _).unwrap());
    let w = World::new(Arc::clone(&store), clock);
    let mut kept = Vec::new();
    for n in 0..50 {
        let sealed = vault(1).new_own_key(w.ws, w.id(), &mut StdRng::seed_from_u64(n)).unwrap();
        let text = serde_json::to_string(&sealed).unwrap();
        let mut row = w.row(seam_core::conformance::store::space(None, &[]));
        if let Body::Space(space) = &mut row.body {
            space.name.clone_from(&text);
        }
        kept.push((w.put_one(row).await, text));
    }
    // One stays, to see that it would be found.
    let (_, stays) = kept.pop().unwrap();
    for (row, _) in &mut kept {
        if let Body::Space(space) = &mut row.body {
            space.name.clear();
        }
        *row = w.put_one(row.clone()).await;
    }
    drop((w, store));
    let all = bytes(folder.path());
    // Written out, or packed: two characters of hexadecimal in a byte.
    let lingers = |text: &str| {
        let hex = text.split_once('.').unwrap().1;
        let packed: Vec<u8> = (10..40).map(|n| u8::from_str_radix(&hex[2 * n..2 * n + 2], 16).unwrap()).collect();
        finds(&all, &hex.as_bytes()[20..80]) + finds(&all, &packed)
    };
    assert!(lingers(&stays) > 0, "what was not destroyed is there");
    for (_, text) in &kept {
        assert_eq!(lingers(text), 0, "what was overwritten is gone from the file");
    }
}
