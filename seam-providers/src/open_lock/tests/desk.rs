//! Phones at the desk, and what follows at doors that nobody can reach.
use super::*;
use futures_util::FutureExt as _;
use seam_ble::crypto::Signature;
use serde_json::json;

async fn refused(reason: Reason, act: impl Future<Output = Result<(), Failure>>) {
    let failure = act.await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, reason), "{failure}");
}

#[tokio::test]
async fn a_key_is_enrolled_only_for_who_proves_it_here_and_now() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101"], -1, 20, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    s.put(&spec, &tag(2)).await;
    let desk = s.site.desk();
    let anna = applicant();
    let ben = Applicant { person: UserIdentityId::from_uuid(Uuid::from_u128(99)), ..anna };
    let prove = async |seed: u8, signed_for: &Applicant| {
        let challenge = desk.challenge(&anna).await.unwrap();
        let proof = Phone::new(seed).make_key(signed_for, &challenge.nonce, &tag(1)).unwrap();
        (challenge, proof)
    };
    // For another person; for another key; by nobody; with a signature for another public key.
    let (c, p) = prove(1, &ben).await;
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, &[p])).await;
    let (c, p) = prove(1, &anna).await;
    refused(Reason::Unauthenticated, desk.enrol(&ben, &c, &[p])).await;
    let (c, p) = prove(1, &anna).await;
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, &[Proof { credential: tag(2), ..p }])).await;
    let (c, p) = prove(1, &anna).await;
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, &[Proof { signature: Signature::new([0; 64]), ..p }])).await;
    let (c, p) = prove(1, &anna).await;
    let (_, other) = prove(2, &anna).await;
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, &[Proof { public_key: other.public_key, ..p }])).await;
    // A challenge that was drawn for somebody else, answered rightly in one's own name.
    let challenge = desk.challenge(&anna).await.unwrap();
    let proof = Phone::new(1).make_key(&ben, &challenge.nonce, &tag(1)).unwrap();
    refused(Reason::Unauthenticated, desk.enrol(&ben, &challenge, &[proof])).await;
    // One wrong proof beside a right one: none of them. And the challenge is used up by the first answer, a wrong one too.
    let (c, right) = prove(1, &anna).await;
    let wrong = Proof { credential: tag(2), ..right.clone() };
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, &[right.clone(), wrong])).await;
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, std::slice::from_ref(&right))).await;
    // Too late.
    let (c, p) = prove(1, &anna).await;
    s.clock.advance(TimeDelta::seconds(300));
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, &[p])).await;
    assert!(!s.site.records.dump().contains("public_key\":\"04"), "none of these was enrolled");
    // Right; and the same answer again is not.
    let (c, p) = prove(1, &anna).await;
    desk.enrol(&anna, &c, std::slice::from_ref(&p)).await.unwrap();
    refused(Reason::Unauthenticated, desk.enrol(&anna, &c, &[p])).await;
    // A key pair belongs to one credential.
    let c = desk.challenge(&anna).await.unwrap();
    let p = Phone::new(1).make_key(&anna, &c.nonce, &tag(2)).unwrap();
    refused(Reason::Clash, desk.enrol(&anna, &c, &[p])).await;
    // No such key; no more phones than are allowed (four).
    refused(Reason::NotThere, async { Phone::new(50).enrol(&desk, &anna, &tag(3)).await }).await;
    for seed in 2..=4 {
        Phone::new(seed).enrol(&desk, &anna, &tag(1)).await.unwrap();
    }
    refused(Reason::Full, async { Phone::new(5).enrol(&desk, &anna, &tag(1)).await }).await;
}

#[tokio::test]
async fn a_key_without_a_phone_says_so() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101"], -1, 200, number(-1)).await;
    let want = Want::Credential(spec.clone());
    let first = s.put(&spec, &tag(1)).await;
    assert_eq!((first.needs, first.certainty), (Needs::Phone, Certainty::Verified));
    assert_eq!(first.again_at, Some(at(NOON) + TimeDelta::minutes(1)));
    let as_wanted = async || match s.provider.find(&want, None, &s.call(&tag(1))).await.unwrap() {
        Found::Present(seen) => (seen.as_wanted, seen.renew),
        other => panic!("{other:?}"),
    };
    assert_eq!(as_wanted().await, (None, false));
    s.phone(1, &tag(1)).await;
    s.clock.advance(TimeDelta::minutes(2));
    assert_eq!(as_wanted().await, (Some(true), true), "it is put again, and then needs nothing");
    let second = s.put(&spec, &tag(1)).await;
    assert_eq!(second.needs, Needs::Nothing);
    // Documents hold for a day: after half of it they are renewed.
    assert_eq!(second.again_at, Some(at(NOON) + TimeDelta::minutes(2) + TimeDelta::hours(12)));
    assert_eq!(as_wanted().await, (Some(true), false));
}

// Whatever is taken away with a put, phones have documents that say otherwise until they lapse: nothing is claimed to be in force before.
#[tokio::test]
async fn fewer_rights_are_accepted_until_the_documents_lapse_and_then_verified() {
    for form in [DocumentForm::Compact, DocumentForm::Aliro] {
        let s = stage_in(ClockOfDoor::Exact, form);
        let mut spec = s.guest(&["101", "gym"], -1, 200, number(-1)).await;
        assert_eq!(s.put(&spec, &tag(1)).await.certainty, Certainty::Verified);
        let mut phone = s.phone(1, &tag(1)).await;
        let lapse = at(NOON) + TimeDelta::hours(24);
        assert_eq!(s.put(&spec, &tag(1)).await.certainty, Certainty::Verified, "renewed as it was");
        spec.doors.retain(|door| door.class == DoorClass::Guest);
        let fewer = s.put(&spec, &tag(1)).await;
        assert_eq!((fewer.certainty, fewer.may_open_until), (Certainty::Accepted, Some(lapse)));
        assert_eq!(fewer.again_at, Some(at(NOON) + TimeDelta::hours(12)), "renewed as ever");
        let want = Want::Credential(spec.clone());
        let as_wanted = async || match s.provider.find(&want, None, &s.call(&tag(1))).await.unwrap() {
            Found::Present(seen) => seen.as_wanted,
            other => panic!("{other:?}"),
        };
        assert_eq!(as_wanted().await, None, "nobody has seen it in force");
        assert_eq!(s.present("gym", &phone), Answer::Opened, "as was said");
        // The engine renews it: what was handed out before is not forgotten by that.
        s.pass(12);
        let renewed = s.put(&spec, &tag(1)).await;
        assert_eq!((renewed.certainty, renewed.may_open_until), (Certainty::Accepted, Some(lapse)));
        s.clock.set(lapse - TimeDelta::seconds(1));
        assert_eq!((s.present("gym", &phone), as_wanted().await), (Answer::Opened, None));
        s.clock.set(lapse);
        assert_eq!(s.present("gym", &phone), Answer::Refused(Refusal::Expired));
        assert_eq!(as_wanted().await, Some(true));
        assert_eq!(s.put(&spec, &tag(1)).await.certainty, Certainty::Verified);
        // Suspended: the same.
        phone.sync(&s.site.desk()).await.unwrap();
        let lapse = lapse + TimeDelta::hours(24);
        spec.suspended = true;
        let paused = s.put(&spec, &tag(1)).await;
        assert_eq!((paused.certainty, paused.may_open_until, paused.again_at), (Certainty::Accepted, Some(lapse), Some(lapse)));
        assert_eq!(s.present("101", &phone), Answer::Opened, "a door that nobody told");
        spec.suspended = false;
        assert_eq!(s.put(&spec, &tag(1)).await.certainty, Certainty::Verified, "nothing is taken away any more");
        spec.suspended = true;
        s.put(&spec, &tag(1)).await;
        s.clock.set(lapse);
        assert_eq!(s.put(&spec, &tag(1)).await.certainty, Certainty::Verified);
        assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::Expired));
    }
}

#[tokio::test]
async fn enrolments_of_phones_that_no_key_has_are_swept() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101"], -1, 200, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    s.put(&spec, &tag(2)).await;
    let desk = s.site.desk();
    let kept = s.phone(1, &tag(1)).await;
    let phones = || s.site.records.dump().lines().filter(|line| line.contains("/phone/")).count();
    // One of a key that is taken back while its answer is lost half-way: the key's record goes, the phone's stays.
    let orphan = s.phone(2, &tag(2)).await;
    let record = desk.peek_phone(&orphan.public_key(&tag(2)).unwrap()).await;
    s.remove(&spec, &tag(2)).await;
    desk.restore_phone(record).await;
    assert_eq!(phones(), 2);
    desk.sweep().await.unwrap();
    assert_eq!(phones(), 2, "an enrolment takes its time");
    s.pass(1);
    desk.sweep().await.unwrap();
    assert_eq!(phones(), 1);
    assert_eq!(s.present("101", &kept), Answer::Opened);
    // What has lapsed on the list goes too, and the list keeps its number.
    let revoked = || s.site.records.dump().lines().filter(|line| line.contains("/revoked")).map(str::to_owned).collect::<String>();
    assert!(revoked().contains("for_good"));
    s.pass(24);
    desk.sweep().await.unwrap();
    assert!(!revoked().contains("for_good") && revoked().contains("\"iteration\":1"), "{}", revoked());
}

// The hours of a week reach the lock with Aliro's documents, by the clock on the site's wall; the compact ones have no place for them.
#[tokio::test]
async fn hours_of_the_week_are_kept_by_the_lock() {
    let s = stage_in(ClockOfDoor::Exact, DocumentForm::Aliro);
    let mut spec = s.guest(&["101"], -1, 200, number(-1)).await;
    let span = |from: &str, to: &str| WeeklySpan::new(DaySet::EVERY_DAY, from.parse().unwrap(), to.parse().unwrap());
    // Noon in UTC is one o'clock in Berlin.
    spec.schedule = Some(Weekly::new([span("13:00", "14:00")]).unwrap());
    s.put(&spec, &tag(1)).await;
    let mut phone = s.phone(1, &tag(1)).await;
    assert_eq!(s.present("101", &phone), Answer::Opened);
    s.pass(1);
    assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::NotAllowedNow));
    // Fewer hours are fewer rights.
    spec.schedule = Some(Weekly::new([span("13:00", "13:30")]).unwrap());
    let fewer = s.put(&spec, &tag(1)).await;
    assert_eq!((fewer.certainty, fewer.may_open_until), (Certainty::Accepted, Some(at(NOON) + TimeDelta::hours(24))));
    phone.sync(&s.site.desk()).await.unwrap();
    s.clock.set(at(NOON) + TimeDelta::hours(24) + TimeDelta::minutes(29));
    assert_eq!(s.present("101", &phone), Answer::Opened);
    s.clock.advance(TimeDelta::minutes(1));
    assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::NotAllowedNow));
    spec.schedule = Some(Weekly::new(vec![span("13:00", "14:00"); 9]).unwrap());
    let many = s.provider.put(&Want::Credential(spec.clone()), None, &s.call(&tag(2))).await.unwrap_err();
    assert_eq!((many.effect, many.reason), (Effect::Refused, Reason::Unsupported));
    spec.schedule = Some(Weekly::new([span("13:00", "14:00")]).unwrap());
    let compact = stage(ClockOfDoor::Exact);
    let none = compact.provider.put(&Want::Credential(spec), None, &compact.call(&tag(1))).await.unwrap_err();
    assert_eq!((none.effect, none.reason), (Effect::Refused, Reason::Unsupported));
}

// The same keys, in Aliro's documents: stays, staff, common doors, revocation, in whole transactions.
#[tokio::test]
async fn locks_decide_from_aliro_documents() {
    let s = stage_in(ClockOfDoor::Exact, DocumentForm::Aliro);
    let first = s.guest(&["101", "gym"], -3, 20, number(-3)).await;
    let second = s.guest(&["101"], -1, 20, number(-1)).await;
    let mut staff = s.guest(&["101", "gym"], -1, 20, 0).await;
    staff.stay = None;
    for (n, spec) in (1..).zip([&first, &second, &second, &staff]) {
        s.put(spec, &tag(n)).await;
    }
    let (anna, ben, cleo) = (s.phone(1, &tag(1)).await, s.phone(2, &tag(2)).await, s.phone(3, &tag(3)).await);
    let mut maid = s.phone(4, &tag(4)).await;
    assert!(anna.shows_aliro());
    assert_eq!(
        (s.present("101", &anna), s.present("gym", &anna), s.present("102", &anna)),
        (Answer::Opened, Answer::Opened, Answer::Nothing)
    );
    assert_eq!((s.present("101", &maid), s.site.door("101").unwrap().issue()), (Answer::Opened, number(-3)), "staff end nobody's stay");
    assert_eq!((s.present("101", &cleo), s.present("101", &ben)), (Answer::Opened, Answer::Opened));
    assert_eq!(s.present("101", &anna), Answer::Refused(Refusal::Superseded));
    assert_eq!(s.present("gym", &anna), Answer::Opened, "stays do not end each other at a common door");
    s.remove(&first, &tag(1)).await;
    assert_eq!(s.present("gym", &anna), Answer::Opened, "a door that nobody told");
    maid.sync(&s.site.desk()).await.unwrap();
    assert_eq!((s.present("gym", &maid), s.present("gym", &anna)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
    s.pass(21);
    assert_eq!(s.present("101", &ben), Answer::Refused(Refusal::Expired));
}

// One issuer, two sites: the list of the one with more revocations says nothing at the other.
#[tokio::test]
async fn a_list_of_another_site_is_refused() {
    for form in [DocumentForm::Compact, DocumentForm::Aliro] {
        let s = stage_in(ClockOfDoor::Exact, form);
        let spec = s.guest(&["101"], -1, 20, number(-1)).await;
        s.put(&spec, &tag(1)).await;
        s.put(&spec, &tag(2)).await;
        let (gone, mut other) = (s.phone(1, &tag(1)).await, s.phone(2, &tag(2)).await);
        let mut settings = s.site.settings();
        settings["site"] = json!(Uuid::from_u128(77));
        let env = ProviderEnv::new(Arc::clone(&s.clock) as Arc<dyn Clock>, Arc::new(NoMemo));
        let there = s.site.factory().open(SecretString::from(settings.to_string()), env).unwrap();
        let elsewhere = s.site.issuer.desk(Uuid::from_u128(77)).in_form(form);
        let want = Want::Credential(spec.clone());
        there.put(&want, None, &s.call(&tag(9))).await.unwrap();
        let mut lost = Phone::new(9);
        lost.enrol(&elsewhere, &applicant(), &tag(9)).await.unwrap();
        lost.sync(&elsewhere).await.unwrap();
        there.remove(&want, None, &s.call(&tag(9))).await.unwrap();
        other.carry(elsewhere.revocations().await.unwrap());
        s.remove(&spec, &tag(1)).await;
        assert_eq!((s.present("101", &other), s.present("101", &gone)), (Answer::Opened, Answer::Opened), "nothing was told");
        other.sync(&s.site.desk()).await.unwrap();
        assert_eq!((s.present("101", &other), s.present("101", &gone)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
    }
}

#[tokio::test]
async fn documents_are_renewed_and_lapse_without_it() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101", "gym"], -1, 100, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    let mut phone = s.phone(1, &tag(1)).await;
    assert_eq!(
        (s.present("101", &phone), s.present("gym", &phone), s.present("102", &phone)),
        (Answer::Opened, Answer::Opened, Answer::Nothing)
    );
    s.pass(13);
    s.put(&spec, &tag(1)).await;
    s.pass(11);
    assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::Expired), "it has not fetched the new ones");
    phone.sync(&s.site.desk()).await.unwrap();
    assert_eq!(s.present("101", &phone), Answer::Opened);
    // Nobody renews: the desk hands out nothing that lasts longer than the engine wanted it.
    s.pass(12);
    phone.sync(&s.site.desk()).await.unwrap();
    assert_eq!(s.present("101", &phone), Answer::Opened);
    s.pass(1);
    phone.sync(&s.site.desk()).await.unwrap();
    assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::Expired));
}

#[tokio::test]
async fn what_cannot_be_taken_back_is_said() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101"], -1, 100, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    // Nothing was handed out: it is dead at once.
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, None);
    s.put(&spec, &tag(1)).await;
    let phone = s.phone(1, &tag(1)).await;
    let lapses = Some(at(NOON) + TimeDelta::hours(24));
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, lapses);
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, lapses, "asked again, it says the same");
    assert_eq!(s.present("101", &phone), Answer::Opened, "a door that nobody told");
    // Anybody's phone brings the list.
    s.put(&spec, &tag(2)).await;
    let other = s.phone(2, &tag(2)).await;
    assert_eq!(s.present("101", &other), Answer::Opened);
    assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::Revoked));
    // At the other doors it is dead when its documents have lapsed, and its key pair is of no use before.
    refused(Reason::Clash, async { Phone::new(1).enrol(&s.site.desk(), &applicant(), &tag(2)).await }).await;
    s.pass(24);
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, None);
    assert!(s.site.desk().sweep().await.unwrap() >= 1);
    assert!(!s.site.records.dump().contains(&tag(1).0));
}

#[tokio::test]
async fn suspended_it_opens_nothing_and_taken_up_again_it_does() {
    let s = stage(ClockOfDoor::Exact);
    let mut spec = s.guest(&["101"], -1, 20, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    let mut phone = s.phone(1, &tag(1)).await;
    for _ in 0..2 {
        spec.suspended = true;
        s.put(&spec, &tag(1)).await;
        assert_eq!(s.present("101", &phone), Answer::Opened, "a door that nobody told");
        phone.sync(&s.site.desk()).await.unwrap();
        assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::Revoked));
        spec.suspended = false;
        s.put(&spec, &tag(1)).await;
        phone.sync(&s.site.desk()).await.unwrap();
        assert_eq!(s.present("101", &phone), Answer::Opened);
    }
}

#[tokio::test]
async fn one_phone_is_forgotten_and_the_others_stay() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101"], -1, 20, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    let (lost, mut kept) = (s.phone(1, &tag(1)).await, s.phone(2, &tag(1)).await);
    let until = s.site.desk().forget(&tag(1), &lost.public_key(&tag(1)).unwrap()).await.unwrap();
    assert_eq!(until, Some(at(NOON) + TimeDelta::hours(20)));
    kept.sync(&s.site.desk()).await.unwrap();
    assert_eq!((s.present("101", &kept), s.present("101", &lost)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
    // Put again (a renewal, a longer stay), the lost one is not taken off the list.
    s.put(&spec, &tag(1)).await;
    kept.sync(&s.site.desk()).await.unwrap();
    assert_eq!((s.present("101", &kept), s.present("101", &lost)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
}

// The list is written, the answer is lost, and the engine renews the key before anybody asks again.
#[tokio::test]
async fn a_renewal_in_the_middle_does_not_give_a_lost_phone_its_key_back() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101"], -1, 20, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    let (lost, mut kept) = (s.phone(1, &tag(1)).await, s.phone(2, &tag(1)).await);
    let (desk, key) = (s.site.desk(), lost.public_key(&tag(1)).unwrap());
    s.site.records.spoil(Some(RecordFault::LoseAnswers));
    assert!(desk.forget(&tag(1), &key).now_or_never().is_none());
    s.site.records.spoil(None);
    s.put(&spec, &tag(1)).await;
    kept.sync(&desk).await.unwrap();
    assert_eq!((s.present("101", &kept), s.present("101", &lost)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
    let lapses = Some(at(NOON) + TimeDelta::hours(20));
    assert_eq!(desk.forget(&tag(1), &key).await.unwrap(), lapses);
    assert_eq!(desk.forget(&tag(1), &key).await.unwrap(), lapses, "asked again, it says the same");
    // Nor does a suspension that is over.
    let mut paused = spec.clone();
    paused.suspended = true;
    s.put(&paused, &tag(1)).await;
    s.put(&spec, &tag(1)).await;
    kept.sync(&desk).await.unwrap();
    assert_eq!((s.present("101", &kept), s.present("101", &lost)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
}

#[tokio::test]
async fn a_removal_knows_of_phones_that_the_key_has_no_more() {
    let s = stage(ClockOfDoor::Exact);
    let spec = s.guest(&["101"], -1, 20, number(-1)).await;
    let lapses = Some(at(NOON) + TimeDelta::hours(20));
    s.put(&spec, &tag(1)).await;
    let lost = s.phone(1, &tag(1)).await;
    s.site.desk().forget(&tag(1), &lost.public_key(&tag(1)).unwrap()).await.unwrap();
    assert_eq!(s.present("101", &lost), Answer::Opened, "a door that nobody told");
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, lapses);
    // Put anew, and taken back before a phone came.
    s.put(&spec, &tag(1)).await;
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, lapses);
    assert_eq!(s.site.desk().sweep().await.unwrap(), 0, "it is kept until then");
    s.pass(20);
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, None);
}

#[tokio::test]
async fn a_later_stay_ends_the_earlier_one_and_a_power_cut_changes_nothing() {
    for cut in [0, 1, 20, 40, 47, 48, 60] {
        let s = stage(ClockOfDoor::Exact);
        let (first, second) = (s.guest(&["101"], -3, 20, number(-3)).await, s.guest(&["101"], -1, 20, number(-1)).await);
        s.put(&first, &tag(1)).await;
        s.put(&second, &tag(2)).await;
        s.put(&second, &tag(3)).await;
        let (anna, ben, cleo) = (s.phone(1, &tag(1)).await, s.phone(2, &tag(2)).await, s.phone(3, &tag(3)).await);
        assert_eq!(s.present("101", &anna), Answer::Opened);
        let door = s.site.door("101").unwrap();
        door.cut_next_write_after(cut);
        assert_eq!(s.present("101", &ben), Answer::PowerCut, "the bolt comes last");
        door.restart();
        assert!([number(-3), number(-1)].contains(&door.issue()), "old or new after {cut} bytes");
        assert_eq!(s.present("101", &ben), Answer::Opened);
        assert_eq!(s.present("101", &anna), Answer::Refused(Refusal::Superseded));
        assert_eq!(s.present("101", &cleo), Answer::Opened, "a joiner has the same number");
        assert_eq!(door.issue(), number(-1));
    }
}

#[tokio::test]
async fn staff_open_rooms_and_guests_of_common_doors_do_not() {
    let s = stage(ClockOfDoor::Exact);
    let mut staff = s.guest(&["101", "gym"], -1, 20, 0).await;
    staff.stay = None;
    s.put(&staff, &tag(1)).await;
    let maid = s.phone(1, &tag(1)).await;
    let before = s.site.door("101").unwrap().issue();
    assert_eq!((s.present("101", &maid), s.present("gym", &maid)), (Answer::Opened, Answer::Opened));
    assert_eq!(s.site.door("101").unwrap().issue(), before, "staff end nobody's stay");
    // A room that is none of the stay is no room of a guest's key.
    let mut odd = s.guest(&["101", "102"], -1, 20, number(0)).await;
    odd.stay.as_mut().unwrap().0.doors.pop();
    let failure = s.provider.put(&Want::Credential(odd), None, &s.call(&tag(2))).await.unwrap_err();
    assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Invalid));
}

#[tokio::test]
async fn a_lock_with_its_own_clock_opens_once_a_phone_brought_the_time() {
    let s = stage(ClockOfDoor::Own);
    let spec = s.guest(&["101"], -1, 20, number(0)).await;
    s.put(&spec, &tag(1)).await;
    let phone = s.phone(1, &tag(1)).await;
    assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::TimeUnproven));
    let door = s.site.door("101").unwrap();
    let id: Uuid = s.door("101").await.handle.as_text().unwrap().parse().unwrap();
    let (earlier, other) = (door.challenge(), s.site.door("102").unwrap().challenge());
    let of_earlier = s.site.desk().time(id, earlier).await.unwrap();
    assert!(!s.site.door("102").unwrap().set_time(&of_earlier), "of another door, for another challenge than {other:?}");
    let now = door.challenge();
    assert!(!door.set_time(&of_earlier), "of an earlier challenge");
    let token = s.site.desk().time(id, now).await.unwrap();
    assert!(!door.set_time(&token), "the challenge was used up");
    let token = s.site.desk().time(id, door.challenge()).await.unwrap();
    assert!(door.set_time(&token));
    assert_eq!(s.present("101", &phone), Answer::Opened);
    door.restart();
    assert_eq!(s.present("101", &phone), Answer::Refused(Refusal::TimeUnproven), "with the power went the time");
}

#[tokio::test]
async fn settings_are_checked_and_no_secret_is_told() {
    let s = stage(ClockOfDoor::Exact);
    let env = || ProviderEnv::new(Arc::clone(&s.clock) as Arc<dyn Clock>, Arc::new(NoMemo));
    let good = s.site.settings();
    assert!(seam_core::provider::check_settings(&s.site.factory().settings_schema(), &good).is_empty());
    let wrong: [(&str, serde_json::Value); 7] = [
        ("name", json!(" ")),
        ("site", json!("hunter2")),
        ("time_zone", json!("Mars/Olympus")),
        ("document_hours", json!(0)),
        ("phones_per_key", json!(0)),
        ("longest_jump_days", json!(100_000)),
        ("password", json!("hunter2")),
    ];
    for (member, value) in wrong {
        let mut settings = good.clone();
        settings[member] = value;
        let failure = s.site.factory().open(SecretString::from(settings.to_string()), env()).unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Refused, Reason::Invalid), "{member}");
        assert!(!failure.to_string().contains("hunter2"));
    }
    let twice = json!([{ "id": Uuid::nil(), "name": "a" }, { "id": Uuid::nil(), "name": "b" }]);
    let mut settings = good;
    settings["entrances"] = twice;
    s.site.factory().open(SecretString::from(settings.to_string()), env()).unwrap_err();
    assert!(s.provider.readiness().await.is_empty());
    settings["entrances"] = json!([]);
    let bare = s.site.factory().open(SecretString::from(settings.to_string()), env()).unwrap();
    assert_eq!(bare.readiness().await[0].code, "no_entrance");
    s.site.records.spoil(Some(RecordFault::Offline));
    assert_eq!(s.provider.readiness().await[0].code, "records_unreachable");
    s.site.records.spoil(None);

    // The private key is 32 times 0x51, in hexadecimal or decimal; the holder's name goes nowhere.
    let spec = s.guest(&["101"], -1, 20, number(0)).await;
    let receipt = s.put(&spec, &tag(1)).await;
    let phone = s.phone(1, &tag(1)).await;
    let shown = format!("{:?} {:?} {:?} {:?} {receipt:?}", s.site, s.provider, KeyInMemory::new([0x51; 32]), phone);
    for secret in ["5151", "81, 81", "0x51", "Canary"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
        assert!(!s.site.records.dump().contains(secret), "{secret} is kept");
    }
    assert!(KeyInMemory::new([0; 32]).is_err());
}

/// A signing module that can be unplugged.
#[derive(Debug)]
struct Module(KeyInMemory, std::sync::atomic::AtomicBool);

#[async_trait]
impl DocumentSigner for Module {
    fn public_key(&self) -> seam_ble::crypto::PublicKey {
        self.0.public_key()
    }
    async fn sign(&self, message: &[u8]) -> Result<Signature, Failure> {
        if self.1.load(std::sync::atomic::Ordering::Relaxed) {
            return Err(Failure::nothing(Reason::Offline, "the module is unplugged"));
        }
        self.0.sign(message).await
    }
}

#[tokio::test]
async fn without_its_signing_module_the_issuer_hands_out_nothing_and_loses_nothing() {
    for form in [DocumentForm::Compact, DocumentForm::Aliro] {
        let s = stage_in(ClockOfDoor::Exact, form);
        let spec = s.guest(&["101"], -1, 20, number(-1)).await;
        s.put(&spec, &tag(1)).await;
        let module = Arc::new(Module(KeyInMemory::new([0x51; 32]).unwrap(), true.into()));
        let records = Arc::clone(&s.site.records) as Arc<dyn Records>;
        let issuer = Issuer::new(records, Arc::clone(&module) as Arc<dyn DocumentSigner>, Arc::clone(&s.clock) as Arc<dyn Clock>);
        let desk = issuer.desk(s.site.id).in_form(form);
        let mut phone = Phone::new(1);
        phone.enrol(&desk, &applicant(), &tag(1)).await.unwrap();
        let failure = desk.wallet(&phone.public_key(&tag(1)).unwrap()).await.unwrap_err();
        assert_eq!((failure.effect, failure.reason), (Effect::Nothing, Reason::Offline));
        assert!(phone.sync(&desk).await.is_err());
        assert_eq!(s.present("101", &phone), Answer::Nothing);
        module.1.store(false, std::sync::atomic::Ordering::Relaxed);
        phone.sync(&desk).await.unwrap();
        assert_eq!(s.present("101", &phone), Answer::Opened, "signed by the module as by any other key");
    }
}
