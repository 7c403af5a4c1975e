//! A real Bluetooth stack without hardware: Rust's host on virtual controllers, against itself and against peers in another language.
//!
//! Needs Python with what `tests/radio/requirements.txt` names; `cargo xtask test` puts it where these tests look. Everything is on loopback.
#![cfg(all(feature = "trouble", feature = "rustcrypto"))]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

mod aliro;
mod room;

use room::{LOCATION, NOW, Room, SITE, key, public, who};
use seam_ble::crypto::Secret;
use seam_ble::crypto::rustcrypto::{RustCrypto, SoftwareKey};
use seam_ble::pkoc::{Anchor, Certificate, Device, PkocError, Presented, Reader, ReadersOfSite, Response, Site, Wire};
use seam_ble::transport::memory::MemoryLink;
use seam_ble::transport::{LinkError, SessionError, pkoc, within};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(20);

type Outcome<T> = Result<T, SessionError<PkocError>>;

fn reader() -> Reader<SoftwareKey> {
    let certificate = Certificate::issue(&key(who::ISSUER), SITE, LOCATION, NOW - 10, NOW + 10, &public(who::READER)).unwrap();
    Reader::with_certificate(SITE, LOCATION, key(who::READER), certificate)
}

async fn serve(mut link: MemoryLink, random: u8) -> Outcome<Presented> {
    let reader = reader();
    within(LIMIT, async {
        let presented = pkoc::serve(&RustCrypto, &reader, &Secret::new([random; 32]), &mut link).await?;
        pkoc::respond(&reader, Response::GRANTED, &mut link).await?;
        Ok(presented)
    })
    .await
}

async fn present(mut link: MemoryLink, random: u8) -> Outcome<Response> {
    let sites = [Site { id: SITE, anchor: Anchor::Issuer(public(who::ISSUER)), readers: ReadersOfSite::All, revoked: None }];
    let device = Device { key: key(who::PHONE), sites: &sites, last_update: NOW, wire: Wire::V2 };
    within(LIMIT, pkoc::present(&RustCrypto, &device, &Secret::new([random; 32]), Some(NOW), &[0x5A; 178], &mut link)).await
}

/// A whole visit: the phone looks for the door, connects, presents its key.
async fn visit(room: &mut Room, random: u8) -> (Option<Outcome<Presented>>, Outcome<Response>) {
    let phone = async {
        match room.phone.as_ref().unwrap().want().await {
            Ok(link) => present(link, random).await,
            Err(error) => Err(SessionError::Link(error)),
        }
    };
    let sessions = &mut room.door.as_mut().unwrap().sessions;
    tokio::pin!(phone);
    // A phone that fails before it subscribed makes no session.
    tokio::select! {
        biased;
        session = sessions.recv() => {
            let (served, response) = tokio::join!(serve(session.unwrap(), random.wrapping_add(100)), phone);
            (Some(served), response)
        }
        response = &mut phone => {
            let served = match sessions.try_recv() {
                Ok(session) => Some(serve(session, random.wrapping_add(100)).await),
                Err(_) => None,
            };
            (served, response)
        }
    }
}

#[test]
fn a_rust_phone_opens_a_rust_lock() {
    room::play(&[], async |mut room: Room| {
        room.with_door().await;
        room.with_phone().await;
        for round in 1..4 {
            let (served, response) = visit(&mut room, round).await;
            let presented = served.unwrap().unwrap();
            assert_eq!((presented.key, response), (public(who::PHONE), Ok(Response::GRANTED)));
            assert_eq!(presented.extension.as_slice(), [0x5A; 178]);
        }
    });
}

#[test]
fn a_rust_phone_opens_a_lock_in_another_language() {
    room::play(&["--lock"], async |mut room: Room| {
        room.with_phone().await;
        let link = room.phone.as_ref().unwrap().want().await.unwrap();
        assert_eq!(present(link, 1).await, Ok(Response::GRANTED));
        let seen = room.seen().await;
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        assert_eq!(seen["proven"], hex(public(who::PHONE).as_bytes()));
        assert_eq!(seen["extension"], hex(&[0x5A; 178]));
    });
}

#[test]
fn a_phone_in_another_language_opens_a_rust_lock() {
    room::play(&["--phone"], async |mut room: Room| {
        room.with_door().await;
        let session = room.door.as_mut().unwrap().sessions.recv().await.unwrap();
        let presented = serve(session, 1).await.unwrap();
        assert_eq!((presented.key, presented.extension.as_slice()), (public(who::PHONE), &b"a grant"[..]));
        assert_eq!(room.seen().await["response"], 3);
    });
}

#[test]
fn the_link_is_lost_at_every_packet_and_the_next_visit_succeeds() {
    room::play(&[], async |mut room: Room| {
        room.with_door().await;
        room.with_phone().await;
        let mut lost = 0;
        for packet in 1_u8.. {
            room.break_after(packet).await;
            let (served, response) = visit(&mut room, packet).await;
            if !room.broke().await {
                assert_eq!(response, Ok(Response::GRANTED), "after {packet} packets the visit was over");
                break;
            }
            lost += 1;
            // The lock may have decided before; the phone that did not hear it says so.
            if let Some(Err(error)) = served {
                assert_eq!(error, SessionError::Link(LinkError::Closed), "packet {packet}");
            }
            assert!(matches!(response, Ok(Response::GRANTED) | Err(SessionError::Link(_))), "packet {packet}: {response:?}");
            let (served, response) = visit(&mut room, packet).await;
            assert_eq!((served.unwrap().unwrap().key, response), (public(who::PHONE), Ok(Response::GRANTED)), "after packet {packet}");
        }
        assert!(lost > 10, "a visit has more packets than {lost}");
        println!("lost at each of {lost} packets");
    });
}
