//! A check-in that takes several requests is disturbed at each of them: the process is killed while it waits for the answer, or the connection breaks.
use crate::stand::at;
use crate::systems::{DOORS, Ground, Key, ks_of, space_of};
use seam_core::AccessGrant;
use seam_core::model::AccessMethodMode;
use seam_core::plan::Resolution;
use seam_providers::net::sim::{Misbehaviour, Server};
use std::time::Duration;

const FROM: &str = "2026-03-01T08:00:00Z";
const TO: &str = "2026-03-03T10:00:00Z";

/// A guest is to get a PIN, and after so many answers nobody hears of the next one. Gives how many questions are asked then; they are answered.
async fn disturbed(g: &mut Ground, server: &Server, door: &str, answers: usize, killed: bool) -> (AccessGrant, Key, usize) {
    let wish = g.house.wish("Anna", &[door], &[AccessMethodMode::Code], None, FROM, TO).await;
    // Each answer waits for the clock, which moves once for each that is to come.
    server.misbehave(Some(Misbehaviour::Slow(Duration::from_secs(1)))).await.unwrap();
    let anna = g.house.ws.access_grants().create(wish).await.unwrap();
    let arrived = || server.requests();
    if killed {
        g.house.crash_between(answers, arrived).await;
        server.misbehave(None).await.unwrap();
    } else {
        let cut = async {
            server.misbehave(None).await.unwrap();
            server.cut_off().await.unwrap();
        };
        g.house.cut_off_between(answers, arrived, cut).await;
    }
    for _ in 0..10 {
        g.house.later(1).await;
        let method = g.house.method(&anna, &AccessMethodMode::Code).await;
        assert!(!method.is_issued || method.code.is_some(), "after {answers} answers, killed: {killed}: a PIN is issued that nobody knows");
    }
    g.house.later(20).await;
    let questions = g.house.ws.questions().await.unwrap();
    for question in &questions {
        assert!(question.question.contains("the permission"), "{}", question.question);
        g.house.ws.resolve(question.acs_credential_id, Resolution::Redo).await.unwrap();
    }
    g.house.later(10).await;
    assert_eq!(g.house.questions().await, 0);
    let method = g.house.method(&anna, &AccessMethodMode::Code).await;
    let what = format!("after {answers} answers, killed: {killed}");
    assert!(method.is_issued, "{what}");
    let code = method.code.unwrap_or_else(|| panic!("{what}: there is no PIN"));
    (anna, Key::Pin(code.expose().to_owned()), questions.len())
}

/// Users and PINs are looked for and done again; of a permission nobody can tell, so a person is asked. A PIN whose digits nobody heard of is no guest's.
#[tokio::test]
async fn a_check_in_at_salto_ks() {
    for killed in [true, false] {
        let mut asked = Vec::new();
        for answers in 0..7 {
            let (mut g, ks) = ks_of().await;
            let (anna, key, questions) = disturbed(&mut g, &ks.0.server, DOORS[0], answers, killed).await;
            asked.push(questions);
            assert!(g.opens(0, &key) && !g.opens(1, &key), "{answers} {killed}");
            assert_eq!(ks.0.users_named(""), 1);
            g.house.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
            g.house.go(at("2026-03-01T12:00:00Z")).await;
            assert!(!g.opens(0, &key));
            assert_eq!(ks.0.users_named(""), 0);
            // A group whose naming was lost stays, and nobody is in it.
            assert!(ks.0.groups() <= usize::from(answers == 1), "{answers} {killed}");
        }
        assert!(asked[0] == 0 && asked.contains(&1), "only the permission is in doubt, and it is: {asked:?}");
    }
}

/// Every request there says the same again when it is repeated: nobody is asked anything.
#[tokio::test]
async fn a_check_in_over_ship() {
    for killed in [true, false] {
        for answers in 0..4 {
            let (mut g, space) = space_of(false).await;
            let sim = &space.0;
            let door = g.at.doors()[0];
            let (anna, key, questions) = disturbed(&mut g, &sim.ship, door, answers, killed).await;
            let enters = |handle: &str| matches!(&key, Key::Pin(pin) if sim.enter(handle, pin).is_open());
            assert!(enters("gate") && !enters("store"), "{answers} {killed}");
            assert_eq!((questions, sim.users().len()), (0, 1), "{answers} {killed}");
            g.house.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
            g.house.go(at("2026-03-01T12:00:00Z")).await;
            assert!(!enters("gate") && sim.users().is_empty(), "{answers} {killed}");
        }
    }
}
