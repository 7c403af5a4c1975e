//! Users of access systems, the people that they are, and their groups.
use super::*;
use seam_core::api::{AccessGroupFilter, IdentityFilter, UserFilter};
use seam_core::error::ErrorKind::{Conflict, NotFound};
use seam_core::model::AcsUser;

fn ids(users: &[AcsUser]) -> Vec<AcsUserId> {
    users.iter().map(|u| u.acs_user_id).collect()
}

#[tokio::test]
async fn revoking_all_access_closes_every_door_and_keeps_the_user() {
    let o = office().await;
    let ada = o.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let lab = o.door("lab").await;
    let grant = o.grant(o.wish(ada, vec![lab], vec![NewMethod::code()])).await;
    let pin = o.code_of(&grant).await;
    let user = o.ws.acs().users().get_of(ada, o.system().await).await.unwrap().acs_user_id;
    o.ws.acs().access_groups().add_user(o.group("staff").await, user).await.unwrap();
    o.settle().await;
    assert_eq!(o.opened_by(&pin), set(["entrance", "office", "lab"]));
    assert_eq!(names(&o.ws.acs().users().list_accessible_entrances(user).await.unwrap()), set(["entrance", "office", "lab"]));
    assert_eq!(names(&o.ws.user_identities().list_accessible_entrances(ada).await.unwrap()), set(["entrance", "office", "lab"]));

    refused(NotFound, "acs_user_not_found", o.other.acs().users().revoke_access_to_all_entrances(user)).await;
    o.ws.acs().users().revoke_access_to_all_entrances(user).await.unwrap();
    o.settle().await;
    assert_eq!(o.opened_by(&pin), set([]));
    assert_eq!(names(&o.ws.acs().users().list_accessible_entrances(user).await.unwrap()), set([]));
    assert_eq!(o.ws.acs().users().get(user).await.unwrap().user_identity_id, Some(ada));
    // It was for good, and only of what she had: a new grant works.
    let again = o.grant(o.wish(ada, vec![lab], vec![NewMethod::code()])).await;
    assert_eq!(o.opened_by(&o.code_of(&again).await), set(["lab"]));
}

#[tokio::test]
async fn a_direct_pin_goes_with_all_access() {
    let o = office().await;
    let ada = o.user("Ada", &["staff"]).await;
    let (credential, pin) = o.pin_of(ada).await;
    assert!(o.opens("office", &pin));
    o.ws.acs().users().revoke_access_to_all_entrances(ada).await.unwrap();
    o.settle().await;
    assert_eq!(o.opened_by(&pin), set([]));
    refused(NotFound, "acs_credential_not_found", o.ws.acs().credentials().get(credential.acs_credential_id)).await;
}

#[tokio::test]
async fn a_user_is_made_a_persons_and_her_own_again() {
    let o = office().await;
    let user = o.user("A. Lovelace", &["staff"]).await;
    let (_, pin) = o.pin_of(user).await;
    let ada = o.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let people = o.ws.user_identities();
    let held = |name: &str| o.world.site("office").held().iter().any(|thing| thing.name.as_deref() == Some(name));

    assert_eq!(people.add_acs_user(ada, user).await.unwrap().full_name.as_deref(), Some("Ada"));
    o.settle().await;
    assert!(held("Ada") && !held("A. Lovelace"), "the system knows her by the person's name");
    assert_eq!(ids(&people.list_acs_users(ada).await.unwrap()), [user]);
    assert_eq!(people.list_acs_systems(ada).await.unwrap()[0].acs_system_id, o.system().await);
    assert_eq!(names(&people.list_accessible_entrances(ada).await.unwrap()), set(["entrance", "office"]));
    assert!(o.opens("office", &pin));
    let bo = people.create(Person::named("Bo")).await.unwrap().user_identity_id;
    refused(Conflict, "acs_user_of_another", people.add_acs_user(bo, user)).await;
    refused(Conflict, "acs_user_of_another", people.remove_acs_user(bo, user)).await;
    let second = o.user("Second", &[]).await;
    refused(Conflict, "acs_user_exists", people.add_acs_user(ada, second)).await;
    refused(NotFound, "user_identity_not_found", o.other.user_identities().list_acs_users(ada)).await;

    // A grant works through her: she cannot be taken from the person meanwhile.
    let lab = o.door("lab").await;
    let grant = o.grant(o.wish(ada, vec![lab], vec![NewMethod::cloud_key()])).await;
    refused(Conflict, "acs_user_has_grants", people.remove_acs_user(ada, user)).await;
    o.ws.access_grants().delete(grant.access_grant_id).await.unwrap();
    o.settle().await;
    let own = people.remove_acs_user(ada, user).await.unwrap();
    assert_eq!((own.user_identity_id, own.full_name.as_deref()), (None, Some("Ada")));
    assert!(people.list_acs_users(ada).await.unwrap().is_empty());
    o.settle().await;
    assert!(o.opens("office", &pin), "what was hers stays hers");
}

#[tokio::test]
async fn users_and_groups_are_found_by_each_other() {
    let o = office().await;
    let system = o.system().await;
    let (ada, bo) = (o.user("Ada", &["staff"]).await, o.user("Bo", &["staff", "research"]).await);
    let lab = o.door("lab").await;
    let cleo = o
        .grant(o.wish(
            Person { email_address: Some("cleo@example.com".into()), ..Person::named("Cleo") },
            vec![lab],
            vec![NewMethod::code()],
        ))
        .await;
    let cleo_user = o.ws.acs().users().get_of(cleo.user_identity_id, system).await.unwrap().acs_user_id;
    let (staff, research) = (o.group("staff").await, o.group("research").await);
    let groups = o.ws.acs().access_groups();
    assert_eq!(ids(&groups.list_users(staff).await.unwrap()), [ada, bo]);
    assert_eq!(ids(&groups.list_users(research).await.unwrap()), [bo, cleo_user], "one was put there, one is there by her grant");
    assert_eq!(names(&groups.list_accessible_entrances(staff).await.unwrap()), set(["entrance", "office"]));
    let of = async |filter: AccessGroupFilter| -> BTreeSet<String> {
        groups.list(&filter).await.unwrap().items.into_iter().map(|g| g.name).collect()
    };
    assert_eq!(of(AccessGroupFilter::builder().acs_user_id(bo).build()).await, set(["research", "staff"]));
    assert_eq!(of(AccessGroupFilter::builder().user_identity_id(cleo.user_identity_id).build()).await, set(["research"]));
    assert_eq!(of(AccessGroupFilter::builder().acs_system_id(system).build()).await.len(), 4);

    groups.remove_user(staff, bo).await.unwrap();
    o.settle().await;
    assert_eq!(ids(&groups.list_users(staff).await.unwrap()), [ada]);
    assert_eq!(names(&o.ws.acs().users().list_accessible_entrances(bo).await.unwrap()), set(["lab"]));
    refused(NotFound, "acs_access_group_not_found", o.other.acs().access_groups().list_users(staff)).await;
    refused(NotFound, "acs_user_not_found", o.other.acs().users().list_accessible_entrances(bo)).await;

    let list = async |filter: UserFilter| ids(&o.ws.acs().users().list(&filter).await.unwrap().items);
    assert_eq!(list(UserFilter::builder().search("ADA").build()).await, [ada]);
    assert_eq!(list(UserFilter::builder().user_identity_id(cleo.user_identity_id).build()).await, [cleo_user]);
    assert_eq!(list(UserFilter::builder().user_identity_email_address("Cleo@example.com").build()).await, [cleo_user]);
    assert_eq!(list(UserFilter::builder().acs_system_id(system).created_before(at("2026-03-02T08:00:00Z")).build()).await, []);
    assert_eq!(list(UserFilter::builder().acs_system_id(system).build()).await, [ada, bo, cleo_user]);
    refused(NotFound, "acs_user_not_found", o.ws.acs().users().get_of(cleo.user_identity_id, o.other_system())).await;

    let people = o.ws.user_identities();
    let found = people.list(&IdentityFilter::builder().search("cleo@").build()).await.unwrap().items;
    assert_eq!(found[0].user_identity_id, cleo.user_identity_id);
    let by_id = IdentityFilter::builder().user_identity_ids([cleo.user_identity_id]).build();
    assert_eq!(people.list(&by_id).await.unwrap().items.len(), 1);
    assert!(o.other.user_identities().list(&by_id).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn what_changes_of_a_user_is_told_from_what_to_what_until_it_is_there() {
    let o = office().await;
    let ada = o.user("Ada", &[]).await;
    let users = o.ws.acs().users();
    let pending = async || -> Vec<serde_json::Value> {
        users.get(ada).await.unwrap().pending_mutations.iter().map(|m| serde_json::to_value(m).unwrap()).collect()
    };
    assert!(pending().await.is_empty());
    for (to, from) in [(true, false), (false, true)] {
        users.suspend(ada, to).await.unwrap();
        let told = pending().await;
        assert_eq!(told.len(), 1, "{told:?}");
        assert_eq!(told[0]["mutation_code"], "updating_suspension_state");
        assert_eq!((&told[0]["from"]["is_suspended"], &told[0]["to"]["is_suspended"]), (&from.into(), &to.into()));
        o.settle().await;
        assert!(pending().await.is_empty());
    }
    let ends = at("2026-03-05T12:00:00Z");
    users.update(ada, seam_core::plan::UserUpdate::new().schedule(Some((at("2026-03-02T08:00:00Z"), Some(ends))))).await.unwrap();
    let told = pending().await;
    assert_eq!((told.len(), &told[0]["mutation_code"]), (1, &"updating_access_schedule".into()));
    assert_eq!((&told[0]["from"]["ends_at"], told[0]["to"]["ends_at"].is_string()), (&serde_json::Value::Null, true));
    o.settle().await;

    let staff = o.group("staff").await;
    for (joins, from, to) in [(true, None, Some(staff)), (false, Some(staff), None)] {
        if joins {
            users.add_to_access_group(ada, staff).await.unwrap()
        } else {
            users.remove_from_access_group(ada, staff).await.unwrap()
        }
        let told = pending().await;
        assert_eq!((told.len(), &told[0]["mutation_code"]), (1, &"updating_group_membership".into()));
        assert_eq!(told[0]["from"]["acs_access_group_id"], serde_json::json!(from));
        assert_eq!(told[0]["to"]["acs_access_group_id"], serde_json::json!(to));
        o.settle().await;
        assert!(pending().await.is_empty());
    }
}

impl House {
    /// A system that nobody has.
    fn other_system(&self) -> AcsSystemId {
        "0193f3a4-0000-7000-8000-000000000001".parse().unwrap()
    }
}

#[tokio::test]
async fn somebody_is_let_into_one_entrance_or_told_what_else_would_open() {
    let o = office().await;
    let ada = o.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let doors = o.ws.acs().entrances().list(None, None, None, 100).await.unwrap().items;
    let groups = o.ws.acs().access_groups().list(&Default::default()).await.unwrap().items;
    let mut alone = 0;
    for door in &doors {
        let mut opens_it_alone = false;
        for group in &groups {
            let reach = o.ws.acs().access_groups().list_accessible_entrances(group.acs_access_group_id).await.unwrap();
            opens_it_alone |= reach.len() == 1 && reach[0].acs_entrance_id == door.acs_entrance_id;
        }
        let done = o.ws.acs().entrances().grant_access(door.acs_entrance_id, ada).await;
        assert_eq!(done.is_ok(), opens_it_alone, "{}: {done:?}", door.display_name);
        match done {
            Ok(()) => {
                alone += 1;
                o.ws.acs().entrances().grant_access(door.acs_entrance_id, ada).await.unwrap();
                let reach = o.ws.user_identities().list_accessible_entrances(ada).await.unwrap();
                assert!(reach.iter().any(|e| e.acs_entrance_id == door.acs_entrance_id));
            }
            Err(e) => assert_eq!((e.kind(), e.code()), (ErrorKind::Unsupported, "would_also_open")),
        }
    }
    assert_eq!(o.ws.user_identities().list_accessible_entrances(ada).await.unwrap().len(), alone, "nothing else opens");
    assert!(alone > 0 && alone < doors.len(), "{alone} of {}", doors.len());
    let h = hotel().await;
    let guest = h.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let gym = h.door("gym").await;
    refused(ErrorKind::Unsupported, "entrance_access_not_supported", h.ws.acs().entrances().grant_access(gym, guest)).await;
    refused(ErrorKind::NotFound, "acs_entrance_not_found", h.other.acs().entrances().grant_access(gym, guest)).await;
}

#[tokio::test]
async fn a_person_joins_a_group_and_leaves_it() {
    let o = office().await;
    let ada = o.ws.user_identities().create(Person::named("Ada")).await.unwrap().user_identity_id;
    let group = o.group("research").await;
    let groups = || o.ws.acs().access_groups();
    groups().add_user(group, ada).await.unwrap();
    groups().add_user(group, ada).await.unwrap();
    o.settle().await;
    let users = groups().list_users(group).await.unwrap();
    assert_eq!(users.iter().map(|u| u.user_identity_id).collect::<Vec<_>>(), [Some(ada)]);
    let (user, system) = (users[0].acs_user_id, o.system().await);
    assert_eq!(o.ws.acs().users().resolve(None, Some(ada), Some(system)).await.unwrap(), user);
    assert_eq!(o.ws.acs().users().resolve(Some(user), None, None).await.unwrap(), user);
    for wrong in [
        (None, None, None),
        (Some(user), Some(ada), Some(system)),
        (None, Some(ada), None),
        (None, None, Some(system)),
        (Some(user), None, Some(system)),
    ] {
        refused(ErrorKind::InvalidInput, "invalid_input", o.ws.acs().users().resolve(wrong.0, wrong.1, wrong.2)).await;
    }
    groups().remove_user(group, ada).await.unwrap();
    o.settle().await;
    assert!(groups().list_users(group).await.unwrap().is_empty());
    refused(ErrorKind::Unsupported, "acs_access_group_read_only", groups().delete(group)).await;
    refused(ErrorKind::NotFound, "acs_access_group_not_found", o.other.acs().access_groups().delete(group)).await;
}

#[tokio::test]
async fn persons_are_merged_by_their_keys() {
    let o = office().await;
    let new = |key: &str| o.ws.user_identities().create(Person { full_name: Some(key.to_owned()), ..Person::keyed(key) });
    let a = new("a").await.unwrap().user_identity_id;
    for key in ["b", "c"] {
        new(key).await.unwrap();
    }
    let people = || o.ws.user_identities();
    let merged = people().merge_by_keys("a", &["b", "c"]).await.unwrap();
    assert_eq!((merged.user_identity_id, merged.merged_user_identity_keys.len(), merged.merged_user_identity_ids.len()), (a, 2, 2));
    assert_eq!(people().merge_by_keys("a", &["b", "c"]).await.unwrap(), merged, "again is the same");
    assert_eq!(people().get_by_key("c").await.unwrap().user_identity_id, a);
    refused(ErrorKind::NotFound, "user_identity_not_found", people().merge_by_keys("a", &["d"])).await;
    refused(ErrorKind::InvalidInput, "invalid_input", people().merge_by_keys("a", &["a"])).await;
    refused(ErrorKind::InvalidInput, "invalid_input", people().merge_by_keys("a", &[] as &[&str])).await;
    refused(ErrorKind::InvalidInput, "invalid_input", people().merge_by_keys("a", &["b"; 21])).await;
}
