//! Whole transactions over a link: lost at every message, stalled, by two phones at once.
use crate::pkoc_setup::{Setup, phone_key};
use crate::support::key;
use seam_ble::crypto::Secret;
use seam_ble::crypto::rustcrypto::RustCrypto;
use seam_ble::pkoc::{PkocError, Presented, Response};
use seam_ble::transport::memory::{self, MemoryLink};
use seam_ble::transport::{Link, LinkError, SessionError, pkoc, within};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);

type Outcome<T> = Result<T, SessionError<PkocError>>;

async fn reader(setup: &Setup, random: u8, mut link: MemoryLink) -> Outcome<Presented> {
    within(LIMIT, async {
        let presented = pkoc::serve(&RustCrypto, &setup.reader, &Secret::new([random; 32]), &mut link).await?;
        pkoc::respond(&setup.reader, Response::GRANTED, &mut link).await?;
        Ok(presented)
    })
    .await
}

async fn phone(setup: &Setup, random: u8, mut link: MemoryLink) -> Outcome<Response> {
    let sites = [setup.site];
    let device = setup.device(&sites);
    within(LIMIT, pkoc::present(&RustCrypto, &device, &Secret::new([random; 32]), setup.now, b"grant", &mut link)).await
}

#[tokio::test(start_paused = true)]
async fn a_transaction_runs_to_its_end() {
    for setup in Setup::all() {
        let (to_phone, to_reader) = memory::pair(512);
        let (presented, response) = tokio::join!(reader(&setup, 1, to_phone), phone(&setup, 2, to_reader));
        let presented = presented.unwrap();
        assert_eq!((presented.key, presented.extension.as_slice(), response), (phone_key(), &b"grant"[..], Ok(Response::GRANTED)));
    }
}

#[tokio::test(start_paused = true)]
async fn n15_a_link_that_breaks_at_any_message_opens_nothing_and_the_next_try_does() {
    let setup = Setup::certified();
    // The reader sends three messages, the phone two.
    for (of_reader, of_phone) in [(0, 9), (1, 9), (2, 9), (9, 0), (9, 1)] {
        let (to_phone, to_reader) = memory::pair(512);
        let (presented, response) =
            tokio::join!(reader(&setup, 1, to_phone.breaks_after(of_reader)), phone(&setup, 2, to_reader.breaks_after(of_phone)));
        assert_eq!(response.unwrap_err(), SessionError::Link(LinkError::Closed), "{of_reader} {of_phone}");
        assert_eq!(presented.unwrap_err(), SessionError::Link(LinkError::Closed), "{of_reader} {of_phone}");
        let (to_phone, to_reader) = memory::pair(512);
        let (presented, _) = tokio::join!(reader(&setup, 3, to_phone), phone(&setup, 4, to_reader));
        assert_eq!(presented.unwrap().key, phone_key());
    }
}

#[tokio::test(start_paused = true)]
async fn n15_a_peer_that_stalls_ends_with_the_deadline() {
    let setup = Setup::certified();
    let (to_phone, silent_phone) = memory::pair(512);
    assert_eq!(reader(&setup, 1, to_phone).await.unwrap_err(), SessionError::Late);
    let (silent_reader, to_reader) = memory::pair(512);
    assert_eq!(phone(&setup, 1, to_reader).await.unwrap_err(), SessionError::Late);
    drop((silent_phone, silent_reader));
    // One that sends something every second breaks the protocol with the first message; with a good one and then nothing it is late as well.
    let (to_phone, mut stalling) = memory::pair(512);
    let serving = tokio::time::timeout(LIMIT * 2, reader(&setup, 1, to_phone));
    let stall = async {
        let mut space = [0; 512];
        let greeting = stalling.receive(&mut space).await.unwrap().to_vec();
        tokio::time::sleep(LIMIT - Duration::from_secs(1)).await;
        stalling.send(&setup.greet(&greeting).unwrap().0).await.unwrap();
        stalling.receive(&mut space).await.unwrap();
        tokio::time::sleep(LIMIT).await;
    };
    let (served, ()) = tokio::join!(serving, stall);
    assert_eq!(served.unwrap().unwrap_err(), SessionError::Late);
}

#[tokio::test(start_paused = true)]
async fn n15_two_phones_at_once_are_served_side_by_side_and_a_storm_of_them_after_each_other() {
    let setup = Setup::certified();
    let mut other = setup.clone();
    other.phone = key(0x67);
    let (a, phone_a) = memory::pair(512);
    let (b, phone_b) = memory::pair(512);
    let (one, two, ..) = tokio::join!(reader(&setup, 1, a), reader(&other, 2, b), phone(&setup, 3, phone_a), phone(&other, 4, phone_b));
    assert_eq!((one.unwrap().key, two.unwrap().key), (phone_key(), crate::support::public(0x67)));
    for round in 1..60 {
        let (to_phone, to_reader) = memory::pair(512);
        let (presented, _) = tokio::join!(reader(&setup, round, to_phone), phone(&setup, round + 60, to_reader.breaks_after(1)));
        assert!(presented.is_err());
    }
    let (to_phone, to_reader) = memory::pair(512);
    assert!(tokio::join!(reader(&setup, 1, to_phone), phone(&setup, 2, to_reader)).0.is_ok());
}

#[tokio::test(start_paused = true)]
async fn n15_a_peer_that_only_speaks_is_cut_off() {
    let (mut here, mut there) = memory::pair(100);
    for _ in 0..memory::WAITING {
        here.send(&[7]).await.unwrap();
    }
    assert_eq!(here.send(&[7]).await, Err(LinkError::Closed));
    let mut space = [0; 100];
    for _ in 0..memory::WAITING {
        assert_eq!(there.receive(&mut space).await, Ok(&[7][..]), "what was taken is delivered");
    }
    assert_eq!(there.receive(&mut space).await, Err(LinkError::Closed));
    assert_eq!(there.send(&[7]).await, Err(LinkError::Closed));
}

#[tokio::test(start_paused = true)]
async fn a_message_too_long_for_the_link_is_an_error_of_its_own() {
    let setup = Setup::certified();
    let (to_phone, to_reader) = memory::pair(100);
    assert_eq!(reader(&setup, 1, to_phone).await.unwrap_err(), SessionError::Link(LinkError::TooLong));
    drop(to_reader);
    let (mut here, mut there) = memory::pair(100);
    here.send(&[0; 50]).await.unwrap();
    assert_eq!(there.receive(&mut [0; 49]).await, Err(LinkError::TooLong));
}
