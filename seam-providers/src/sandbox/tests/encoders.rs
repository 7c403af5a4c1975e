use super::*;
use futures_util::future::{Either, join, select};
use std::pin::pin;

const CARD: Body = Body::Card { number: None };

fn by_hand() -> Stage {
    let mut config = SiteConfig::hotel("hotel", 2);
    config.auto_card = false;
    Stage::new(config)
}

fn guest(s: &Stage) -> CredentialSpec {
    s.guest(CARD, &["101"], window("01T10:00", "03T11:00"), Role::Open, 0)
}

#[test]
fn a_job_waits_for_a_card_until_its_deadline() {
    run(async {
        let s = by_hand();
        let spec = guest(&s);
        let job = s.encode_at("desk-1", &spec, "one");
        let later = async { s.clock.advance(TimeDelta::seconds(10)) };
        let (answer, ()) = join(job, later).await;
        let answer = answer.unwrap_err();
        assert_eq!((answer.effect, answer.reason), (Effect::Nothing, Reason::NoCard));

        let card = s.world.blank_card();
        let job = s.encode_at("desk-1", &spec, "one");
        let later = async { s.site.encoder("desk-1").put_card(&card) };
        let (answer, ()) = join(job, later).await;
        assert_eq!(answer.unwrap().made.card_number.as_deref(), Some(card.uid()));
        assert_eq!(s.site.encoder("desk-1").take_card().unwrap().uid(), card.uid());
        assert_eq!(s.try_card("101", &card), Why::Opened);
    });
}

#[test]
fn a_job_can_be_cancelled_and_leaves_the_encoder_free() {
    run(async {
        let s = by_hand();
        let (spec, control) = (guest(&s), s.control());
        let encoders = s.provider.encoders().unwrap();
        let (desk, t) = (Handle::text("desk-1"), tag("one"));
        let call = s.call(&t);
        let job = encoders.encode(&spec, None, &desk, &call, &control);
        let busy = async { s.encode_at("desk-1", &spec, "two").await };
        let cancel = async {
            let busy = busy.await.unwrap_err();
            assert_eq!((busy.effect, busy.reason), (Effect::Nothing, Reason::Busy));
            control.cancel();
        };
        let (answer, ()) = join(job, cancel).await;
        assert_eq!(answer.unwrap_err().reason, Reason::Cancelled);
        // A job that is dropped leaves it free, too.
        match select(pin!(s.encode_at("desk-1", &spec, "one")), pin!(async {})).await {
            Either::Left(_) => panic!("there was no card"),
            Either::Right(_) => {}
        }
        s.site.encoder("desk-1").put_card(&s.world.blank_card());
        s.encode_at("desk-1", &spec, "two").await.unwrap();
    });
}

#[test]
fn cards_that_cannot_be_written_are_not() {
    run(async {
        let s = by_hand();
        let desk = s.site.encoder("desk-1");
        let (one, two) = (s.world.blank_card(), s.world.foreign_card());
        desk.put_two_cards(&one, &two);
        assert_eq!(s.encode_at("desk-1", &guest(&s), "x").await.unwrap_err().reason, Reason::Interrupted);
        desk.take_card();
        assert_eq!(s.encode_at("desk-1", &guest(&s), "x").await.unwrap_err().reason, Reason::BadCard);
        desk.take_card();
        desk.put_card(&one);
        let staff = s.credential(CARD, &["101"], window("01T00:00", "30T00:00"));
        s.encode_at("desk-1", &staff, "staff").await.unwrap();
        assert_eq!(s.encode_at("desk-1", &guest(&s), "x").await.unwrap_err().reason, Reason::BadCard);
    });
}

#[test]
fn writing_a_card_ends_what_it_was() {
    run(async {
        let s = by_hand();
        let desk = s.site.encoder("desk-1");
        let card = s.world.blank_card();
        desk.put_card(&card);
        s.encode_at("desk-1", &guest(&s), "one").await.unwrap();
        let other = s.guest(CARD, &["102"], window("01T10:00", "03T11:00"), Role::Open, 0);
        s.encode_at("desk-1", &other, "two").await.unwrap();
        assert_eq!((s.site.count(Kind::Card, &tag("one")), s.site.count(Kind::Card, &tag("two"))), (0, 1));
        assert_eq!((s.try_card("101", &card), s.try_card("102", &card)), (Why::WrongDoor, Why::Opened));
        s.site.reconfigure(|c| c.protects_cards = true);
        let refused = s.encode_at("desk-1", &guest(&s), "three").await.unwrap_err();
        assert_eq!((refused.effect, refused.reason), (Effect::Nothing, Reason::BadCard));
    });
}

#[test]
fn outcomes_can_be_told_in_advance() {
    run(async {
        let s = Stage::hotel();
        let desk = s.site.encoder("desk-1");
        let cases = [
            (JobOutcome::NoCard, Effect::Nothing, Reason::NoCard, 0),
            (JobOutcome::Interrupted, Effect::Nothing, Reason::Interrupted, 0),
            (JobOutcome::Uncategorized, Effect::Refused, Reason::Other, 0),
            (JobOutcome::Expired, Effect::Unknown, Reason::TimedOut, 0),
            (JobOutcome::ExpiredAfterWriting, Effect::Unknown, Reason::TimedOut, 1),
        ];
        desk.next_encode_will_succeed();
        cases.iter().for_each(|(outcome, ..)| desk.next_encode_will_fail(*outcome));
        s.encode_at("desk-1", &guest(&s), "fine").await.unwrap();
        assert_eq!(desk.take_written().len(), 1);
        for (outcome, effect, reason, written) in cases {
            let failure = s.encode_at("desk-1", &guest(&s), "x").await.unwrap_err();
            assert_eq!((failure.effect, failure.reason), (effect, reason), "{outcome:?}");
            assert_eq!(desk.take_written().len(), written, "{outcome:?}");
        }
        desk.next_scan_will_fail(JobOutcome::NoCard);
        let scan = || async { s.provider.encoders().unwrap().read(&Handle::text("desk-1"), &s.call(&tag("scan")), &s.control()).await };
        assert_eq!(scan().await.unwrap_err().reason, Reason::NoCard);
        assert_eq!(scan().await.unwrap().carries, None);
    });
}
