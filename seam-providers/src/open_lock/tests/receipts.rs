//! What is claimed of a lock, and when: nothing before it has confirmed it, or the documents have lapsed.
use super::*;
use seam_ble::lock::RECEIPT_LEN;

const FORMS: [DocumentForm; 2] = [DocumentForm::Compact, DocumentForm::Aliro];

/// A guest's key for a room and the gym, her phone, and somebody else's phone, which goes by the same doors.
async fn two(form: DocumentForm) -> (Stage, CredentialSpec, Phone, Phone) {
    let s = stage_in(ClockOfDoor::Exact, form);
    let spec = s.guest(&["101", "gym"], -1, 20, number(-1)).await;
    s.put(&spec, &tag(1)).await;
    s.put(&spec, &tag(2)).await;
    let (anna, ben) = (s.phone(1, &tag(1)).await, s.phone(2, &tag(2)).await);
    (s, spec, anna, ben)
}

async fn open(s: &Stage) -> Vec<&'static str> {
    let mut names = Vec::new();
    for name in ["101", "102", "gym"] {
        let id = s.door(name).await.handle.as_text().unwrap().to_owned();
        if s.site.desk().still_opens(&tag(1)).await.unwrap().iter().any(|door| door.entrance.to_string() == id) {
            names.push(name);
        }
    }
    names
}

#[tokio::test]
async fn a_removed_key_is_dead_at_a_door_when_its_lock_has_signed_that_it_holds_the_list() {
    for form in FORMS {
        let (s, spec, anna, mut ben) = two(form).await;
        s.site.tell_locks().await.unwrap();
        let lapse = Some(at(NOON) + TimeDelta::hours(20));
        let in_force = s.site.desk().still_opens(&tag(1)).await.unwrap_err();
        assert_eq!((in_force.effect, in_force.reason), (Effect::Refused, Reason::Invalid));
        // Receipts of doors that hold an older list confirm nothing.
        ben.sync(&s.site.desk()).await.unwrap();
        assert_eq!((s.present("101", &ben), s.present("gym", &ben)), (Answer::Opened, Answer::Opened));
        assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, lapse, "{form:?}");
        ben.sync(&s.site.desk()).await.unwrap();
        assert_eq!((open(&s).await, s.remove(&spec, &tag(1)).await.may_open_until), (vec!["101", "gym"], lapse));
        assert_eq!(s.present("101", &anna), Answer::Opened, "as is said");
        // The list is at the room, and nobody knows it: the receipt is still in a pocket.
        assert_eq!((s.present("101", &ben), s.present("101", &anna)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
        assert_eq!((open(&s).await, s.remove(&spec, &tag(1)).await.may_open_until), (vec!["101", "gym"], lapse));
        ben.sync(&s.site.desk()).await.unwrap();
        assert_eq!((open(&s).await, s.remove(&spec, &tag(1)).await.may_open_until), (vec!["gym"], lapse), "one door is left");
        assert_eq!(s.present("gym", &anna), Answer::Opened);
        assert_eq!((s.present("gym", &ben), s.present("gym", &anna)), (Answer::Opened, Answer::Refused(Refusal::Revoked)));
        ben.sync(&s.site.desk()).await.unwrap();
        let last = s.remove(&spec, &tag(1)).await;
        assert_eq!((open(&s).await, last.certainty, last.may_open_until), (vec![], Certainty::Verified, None));
        // Another lock hangs there now, and knows no list.
        let gym: Uuid = s.door("gym").await.handle.as_text().unwrap().parse().unwrap();
        s.site.desk().fitted(gym, &KeyInMemory::new([0x77; 32]).unwrap().public_key()).await.unwrap();
        assert_eq!((open(&s).await, s.remove(&spec, &tag(1)).await.may_open_until), (vec!["gym"], lapse));
    }
}

#[tokio::test]
async fn a_suspension_is_verified_when_all_locks_have_confirmed_it() {
    for form in FORMS {
        let (s, mut spec, mut anna, mut ben) = two(form).await;
        s.site.tell_locks().await.unwrap();
        spec.suspended = true;
        let want = Want::Credential(spec.clone());
        let as_wanted = async || match s.provider.find(&want, None, &s.call(&tag(1))).await.unwrap() {
            Found::Present(seen) => seen.as_wanted,
            other => panic!("{other:?}"),
        };
        let paused = s.put(&spec, &tag(1)).await;
        assert_eq!((paused.certainty, paused.may_open_until), (Certainty::Accepted, Some(at(NOON) + TimeDelta::hours(20))));
        assert_eq!(paused.again_at, Some(at(NOON) + TimeDelta::minutes(30)), "a receipt may come");
        for door in ["101", "gym"] {
            assert_eq!(as_wanted().await, None, "{form:?}: nobody has confirmed it at {door}");
            ben.sync(&s.site.desk()).await.unwrap();
            assert_eq!(s.present(door, &ben), Answer::Opened);
            ben.sync(&s.site.desk()).await.unwrap();
            assert_eq!(s.present(door, &anna), Answer::Refused(Refusal::Revoked));
        }
        assert_eq!(as_wanted().await, Some(true));
        let (paused, still) = (s.put(&spec, &tag(1)).await, open(&s).await);
        assert_eq!((paused.certainty, paused.may_open_until, still), (Certainty::Verified, None, vec![]));
        // Deleted while it is suspended: known at once. Taken up and suspended again: not known any more.
        spec.suspended = false;
        s.put(&spec, &tag(1)).await;
        anna.sync(&s.site.desk()).await.unwrap();
        assert_eq!(s.present("101", &anna), Answer::Opened, "taken up");
        spec.suspended = true;
        assert_eq!(s.put(&spec, &tag(1)).await.certainty, Certainty::Accepted);
        assert_eq!(open(&s).await, ["101", "gym"]);
    }
}

// The list names keys, not doors: that a lock holds it says nothing about a door that is to be opened no more.
#[tokio::test]
async fn fewer_doors_are_confirmed_by_no_receipt() {
    let (s, mut spec, anna, mut ben) = two(DocumentForm::Compact).await;
    s.site.tell_locks().await.unwrap();
    spec.doors.retain(|door| door.class == DoorClass::Guest);
    let lapse = Some(at(NOON) + TimeDelta::hours(20));
    assert_eq!(s.put(&spec, &tag(1)).await.may_open_until, lapse);
    for _ in 0..2 {
        ben.sync(&s.site.desk()).await.unwrap();
        assert_eq!((s.present("gym", &ben), s.present("101", &ben)), (Answer::Opened, Answer::Opened));
    }
    let fewer = s.put(&spec, &tag(1)).await;
    assert_eq!((fewer.certainty, fewer.may_open_until), (Certainty::Accepted, lapse));
    assert_eq!(s.present("gym", &anna), Answer::Opened, "as is said");
}

#[tokio::test]
async fn a_lock_that_is_in_a_later_stay_has_confirmed_the_end_of_the_earlier_one() {
    let (s, mut spec, anna, _) = two(DocumentForm::Aliro).await;
    s.site.tell_locks().await.unwrap();
    spec.doors.retain(|door| door.class == DoorClass::Guest);
    s.put(&spec, &tag(3)).await;
    let mut cleo = s.phone(3, &tag(3)).await;
    assert_eq!((s.present("101", &anna), s.present("101", &cleo)), (Answer::Opened, Answer::Opened));
    cleo.sync(&s.site.desk()).await.unwrap();
    let only = s.guest(&["101"], -1, 20, number(-1)).await;
    assert!(s.remove(&only, &tag(3)).await.may_open_until.is_some(), "the lock is in the same stay");
    let next = s.guest(&["101"], 0, 20, number(0)).await;
    s.put(&next, &tag(4)).await;
    let mut dora = s.phone(4, &tag(4)).await;
    // The later key is used, without a list that names the earlier one's phone.
    dora.carry(Vec::new());
    assert_eq!((s.present("101", &dora), s.present("101", &cleo)), (Answer::Opened, Answer::Refused(Refusal::Superseded)));
    dora.sync(&s.site.desk()).await.unwrap();
    assert_eq!(s.remove(&only, &tag(3)).await.may_open_until, None);
}

#[tokio::test]
async fn a_receipt_counts_when_the_lock_that_hangs_there_signed_it() {
    let (s, spec, _, mut ben) = two(DocumentForm::Compact).await;
    let desk = s.site.desk();
    let refused = async |receipt: &[u8]| {
        let failure = desk.heard(receipt).await.unwrap_err();
        assert_eq!(failure.effect, Effect::Refused, "{failure}");
        failure.reason
    };
    s.remove(&spec, &tag(1)).await;
    let earlier = s.site.door("101").unwrap().receipt().unwrap();
    ben.sync(&desk).await.unwrap();
    assert_eq!(s.present("101", &ben), Answer::Opened);
    let receipt = s.site.door("101").unwrap().receipt().unwrap();
    assert_eq!(refused(&receipt).await, Reason::NotThere, "nobody has said which lock hangs there");
    s.site.tell_locks().await.unwrap();
    let all = s.site.records.dump();
    for bit in 0..8 * RECEIPT_LEN {
        let mut changed = receipt;
        changed[bit / 8] ^= 1 << (bit % 8);
        // Of another kind; of an entrance that is not there, or where another lock hangs; or not signed so.
        let expected: &[Reason] = match bit / 8 {
            0..16 => &[Reason::Invalid],
            32..48 => &[Reason::NotThere, Reason::Unauthenticated],
            _ => &[Reason::Unauthenticated],
        };
        let reason = refused(&changed).await;
        assert!(expected.contains(&reason), "bit {bit}: {reason:?}");
    }
    assert_eq!(refused(&receipt[1..]).await, Reason::Invalid);
    assert_eq!(refused(&[]).await, Reason::Invalid);
    assert_eq!((s.site.records.dump(), open(&s).await), (all, vec!["101", "gym"]), "nothing was changed");
    // The same lock, said to hang at another site; another door's receipt under this one's name is among the bits above.
    let elsewhere = s.site.issuer.desk(Uuid::from_u128(77));
    let room: Uuid = s.door("101").await.handle.as_text().unwrap().parse().unwrap();
    elsewhere.fitted(room, &s.site.door("101").unwrap().public_key()).await.unwrap();
    assert_eq!(elsewhere.heard(&receipt).await.unwrap_err().reason, Reason::Unauthenticated);
    assert_eq!(open(&s).await, ["101", "gym"]);
    desk.heard(&receipt).await.unwrap();
    assert_eq!(open(&s).await, ["gym"]);
    // An earlier one of the same lock, played again, takes nothing back; nor does being told again which lock it is.
    desk.heard(&earlier).await.unwrap();
    desk.fitted(room, &s.site.door("101").unwrap().public_key()).await.unwrap();
    assert_eq!(open(&s).await, ["gym"]);
}

// A lock has room for 32 keys. One that a lock has confirmed is not pushed off the list by later ones, or it would open there again.
#[tokio::test]
async fn what_was_confirmed_stays_true_when_the_list_is_full() {
    let (s, spec, anna, mut ben) = two(DocumentForm::Compact).await;
    s.site.tell_locks().await.unwrap();
    s.remove(&spec, &tag(1)).await;
    let tell = async |ben: &mut Phone| {
        ben.sync(&s.site.desk()).await.unwrap();
        assert_eq!((s.present("101", ben), s.present("gym", ben)), (Answer::Opened, Answer::Opened));
        ben.sync(&s.site.desk()).await.unwrap();
    };
    tell(&mut ben).await;
    assert_eq!(s.remove(&spec, &tag(1)).await.may_open_until, None);
    // 32 others, whose documents lapse later.
    let longer = s.guest(&["101"], -1, 23, number(-1)).await;
    let mut others = Vec::new();
    for n in 100..132 {
        s.put(&longer, &tag(n)).await;
        others.push((n, s.phone(n, &tag(n)).await));
        s.remove(&longer, &tag(n)).await;
    }
    tell(&mut ben).await;
    assert_eq!((s.present("101", &anna), s.present("gym", &anna)), (Answer::Refused(Refusal::Revoked), Answer::Refused(Refusal::Revoked)));
    assert_eq!((open(&s).await, s.remove(&spec, &tag(1)).await.may_open_until), (vec![], None));
    // The one for whom there was no room opens, as is said.
    let mut left_off: Vec<u8> = Vec::new();
    for (n, phone) in &others {
        let opens = s.present("101", phone) == Answer::Opened;
        assert_eq!(opens, s.remove(&longer, &tag(*n)).await.may_open_until.is_some(), "phone {n}");
        left_off.extend(opens.then_some(n));
    }
    assert_eq!(left_off.len(), 1, "{left_off:?}");
}
