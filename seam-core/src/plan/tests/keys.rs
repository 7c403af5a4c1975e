//! Instant keys.
use super::super::{Outcome, identity, instant_key};
use super::Table;
use crate::error::ErrorKind;
use crate::model::{InstantKeyId, Shown};
use crate::state::*;
use chrono::Duration;
use secrecy::ExposeSecret;

fn key(t: &mut Table, uses: u32) -> (InstantKeyId, String) {
    let person = t.person("Ann");
    let Outcome::InstantKey(id) = t.run(|d| instant_key::create(d, person, uses)).unwrap() else { panic!() };
    let row = t.get::<InstantKey>(id);
    let code = t.env().open(id.uuid(), "code", &row.code).unwrap().expose_secret().to_owned();
    (id, code)
}
fn redeem(t: &mut Table, code: &str) -> Result<Outcome, (ErrorKind, &'static str)> {
    let shown = Shown::new(code);
    t.run(|d| instant_key::redeem(d, &shown)).map_err(|e| {
        assert!(!e.to_string().contains(code), "a code is not repeated");
        (e.kind(), e.code())
    })
}

#[test]
fn a_link_is_redeemed_as_often_as_it_may_be() {
    let mut t = Table::new();
    let (id, code) = key(&mut t, 2);
    assert_eq!(code.len(), 10);
    assert_eq!(redeem(&mut t, &code), Ok(Outcome::InstantKey(id)));
    let read_out = format!(" {}-{} ", code[..5].to_lowercase(), &code[5..]).replace('0', "o").replace('1', "l");
    assert_eq!(redeem(&mut t, &read_out), Ok(Outcome::InstantKey(id)));
    assert_eq!(redeem(&mut t, &code), Err((ErrorKind::Exhausted, "instant_key_used_up")));
    assert_eq!(t.get::<InstantKey>(id).used, 2);
}

#[test]
fn two_redemptions_at_once_count_twice() {
    let mut t = Table::new();
    let (_, code) = key(&mut t, 1);
    let shown = Shown::new(&*code);
    let (_, set) = t.decide(|d| instant_key::redeem(d, &shown)).unwrap();
    redeem(&mut t, &code).unwrap();
    assert!(t.apply(&set).is_err());
}

#[test]
fn a_link_ends() {
    let mut t = Table::new();
    let (id, code) = key(&mut t, 9);
    t.pass(Duration::days(30) - Duration::seconds(1));
    redeem(&mut t, &code).unwrap();
    t.pass(Duration::seconds(1));
    assert_eq!(redeem(&mut t, &code), Err((ErrorKind::Conflict, "instant_key_expired")));
    t.run(|d| instant_key::delete(d, id)).unwrap();
    assert_eq!(redeem(&mut t, &code), Err((ErrorKind::NotFound, "instant_key_not_found")));
    assert_eq!(t.run(|d| instant_key::delete(d, id)).unwrap_err().kind(), ErrorKind::NotFound);
    for unknown in ["0000000000", "short", "0123456789Z", "UUUUUUUUUU", "ééééééééé"] {
        assert_eq!(redeem(&mut t, unknown), Err((ErrorKind::NotFound, "instant_key_not_found")));
    }
}

#[test]
fn a_link_of_another_workspace_is_unknown() {
    let mut t = Table::new();
    let (_, code) = key(&mut t, 9);
    t.workspace = super::id(0xB);
    assert_eq!(redeem(&mut t, &code), Err((ErrorKind::NotFound, "instant_key_not_found")));
}

#[test]
fn a_link_is_for_somebody_and_for_some_time() {
    let mut t = Table::new();
    let person = t.person("Ann");
    assert_eq!(t.run(|d| instant_key::create(d, person, 0)).unwrap_err().kind(), ErrorKind::InvalidInput);
    let past = t.now;
    let e = t.run(|d| instant_key::for_method(d, super::id(9), person, 1, Some(past))).unwrap_err();
    assert_eq!(e.field(), Some("expires_at"));
    let end = t.now + Duration::days(400);
    let id = t.run(|d| instant_key::for_method(d, super::id(9), person, 1, Some(end))).unwrap();
    assert_eq!((t.get::<InstantKey>(id).expires_at, t.get::<InstantKey>(id).method), (end, Some(super::id(9))));
    t.run(|d| identity::delete(d, person)).unwrap();
    assert_eq!(t.run(|d| instant_key::create(d, person, 1)).unwrap_err().kind(), ErrorKind::NotFound);
}
