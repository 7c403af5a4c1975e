//! Each public object: its required fields, and what it says in each situation.
use super::super as view;
use super::*;
use crate::error::ErrorKind;
use crate::model::codes::{error, mutation, warning};

/// The fields of the object that the API always writes.
fn required(object: &impl serde::Serialize, fields: &str) -> Value {
    let json = serde_json::to_value(object).unwrap();
    for field in fields.split_whitespace() {
        assert!(json.get(field).is_some(), "{field} is missing in {json:#}");
    }
    json
}

const GRANT: &str = "access_grant_id access_method_ids created_at display_name display_status ends_at errors location_ids name \
    pending_mutations requested_access_methods space_ids starts_at user_identity_id warnings workspace_id";
const METHOD: &str = "access_method_id created_at display_name display_status errors is_issued issued_at mode pending_mutations warnings \
    workspace_id";
const CREDENTIAL: &str = "access_method acs_credential_id acs_system_id connected_account_id created_at display_name errors is_managed \
    warnings workspace_id";

fn codes_in(mutations: &[PendingMutation]) -> Vec<&str> {
    mutations.iter().map(|m| m.mutation_code.as_str()).collect()
}

#[test]
fn places_have_their_required_fields() {
    let mut w = World::new();
    let door = w.door("101", DoorClass::Guest);
    let space: SpaceId = w.id().into();
    let row = Space {
        name: "Room 101".to_owned(),
        key: Some("room-101".to_owned()),
        customer_key: None,
        customer_data: Some(json!({ "time_zone": "Europe/Berlin", "floor": 1 })),
        parent: None,
        geolocation: None,
        accounts: Vec::new(),
        entrances: vec![door],
        created_at: now(),
        deleted_at: None,
    };
    w.put(space, Body::Space(row));
    let entrance = w.look(|v| view::acs_entrance(v, door)).unwrap();
    assert_eq!(entrance.space_ids, [space]);
    let json = required(&entrance, "acs_entrance_id acs_system_id connected_account_id created_at display_name errors space_ids warnings");
    assert_eq!(json["sandbox_metadata"], json!({ "floor": 1 }));
    assert_eq!(json["can_belong_to_reservation"], true);
    w.edit::<Entrance>(door, |e| e.missing_since = Some(now()));
    assert_eq!(w.look(|v| view::acs_entrance(v, door)).unwrap().errors[0].error_code, error::DELETED_EXTERNALLY);

    let seen = w.look(|v| view::space(v, space)).unwrap();
    let json = required(&seen, "acs_entrance_count created_at device_count display_name name space_id workspace_id");
    assert_eq!((&json["acs_entrance_count"], &json["device_count"], &json["space_key"]), (&json!(1), &json!(0), &json!("room-101")));
    assert_eq!(json["customer_data"]["floor"], 1);
    w.edit::<Space>(space, |s| s.deleted_at = Some(now()));
    assert_eq!(w.look(|v| view::space(v, space)).unwrap_err().kind(), ErrorKind::NotFound);

    let system = w.look(|v| view::acs_system(v, w.system)).unwrap();
    let fields = "acs_system_id connected_account_id connected_account_ids created_at errors image_alt_text image_url is_credential_manager \
        location name warnings workspace_id";
    assert_eq!(required(&system, fields)["location"]["time_zone"], "Europe/Berlin");
    assert_eq!(system.external_type, system.system_type);
    let account = w.look(|v| view::connected_account(v, w.account)).unwrap();
    assert_eq!(account.display_name, "Hotel");
    w.edit::<Account>(w.account, |a| a.deleted_at = Some(now()));
    assert_eq!(w.look(|v| view::connected_account(v, w.account)).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(w.look(|v| view::acs_system(v, w.system)).unwrap().errors[0].error_code, error::ACCOUNT_DISCONNECTED);

    let (encoder, group): (AcsEncoderId, AcsAccessGroupId) = (w.id().into(), w.id().into());
    let report = EncoderReport::new(Handle::text("e1"), "Desk 1", ChannelReport::new("e1", 1), 60);
    let row = Encoder {
        system: w.system,
        account: w.account,
        kind: "sandbox".to_owned(),
        report,
        created_at: now(),
        missing_since: None,
        quarantined_until: Some(hours(1)),
        own: false,
    };
    w.put(encoder, Body::Encoder(row));
    let seen = w.look(|v| view::acs_encoder(v, encoder)).unwrap();
    required(&seen, "acs_encoder_id acs_system_id connected_account_id created_at display_name errors workspace_id");
    assert_eq!((seen.quarantined_until, seen.errors.len()), (Some(hours(1)), 0));
    w.now = hours(1);
    assert_eq!(w.look(|v| view::acs_encoder(v, encoder)).unwrap().quarantined_until, None);
    let row = Group {
        system: w.system,
        account: w.account,
        handle: Handle::text("g"),
        name: "Staff".to_owned(),
        entrances: vec![door],
        window: None,
        schedule: None,
        created_at: now(),
        missing_since: None,
    };
    w.put(group, Body::Group(row));
    let seen = w.look(|v| view::acs_access_group(v, group)).unwrap();
    required(
        &seen,
        "access_group_type access_group_type_display_name acs_access_group_id acs_system_id connected_account_id created_at display_name \
         errors external_type external_type_display_name is_managed name pending_mutations warnings workspace_id",
    );
}

#[test]
fn people_are_found_through_merges_and_hidden_when_deleted() {
    let mut w = World::new();
    let other = w.identity("Old Name");
    let person = w.person;
    w.edit::<Identity>(other, |i| i.merged_into = Some(person));
    w.edit::<Identity>(w.person, |i| i.merged = vec![other]);
    let seen = w.look(|v| view::user_identity(v, other)).unwrap();
    assert_eq!((seen.user_identity_id, seen.display_name.as_str()), (w.person, "Ada Example"));
    required(
        &seen,
        "acs_user_ids created_at display_name email_address errors full_name merged_user_identity_ids merged_user_identity_keys \
         phone_number user_identity_id user_identity_key warnings workspace_id",
    );
    let (user, target): (AcsUserId, RowId) = (w.id().into(), w.id());
    w.put(
        target,
        Body::Target(from(json!({ "system": w.system, "account": w.account, "channel": "x|y", "of": { "user": user },
            "want": { "user": { "window": null, "suspended": true } }, "rev": 2, "seen": { "present": { "rev": 1, "certainty": "verified" } },
            "work": { "attempt": 3, "failure": { "effect": "refused", "reason": "full", "message": "No seat is free.", "at": now() } },
            "created_at": now() }))),
    );
    w.put(
        user,
        Body::User(from(json!({ "system": w.system, "account": w.account, "identity": w.person, "profile": null, "target": target,
            "schedule": { "starts_at": hours(2), "ends_at": null }, "suspended": true, "created_at": now(), "deleted_at": null }))),
    );
    let seen = w.look(|v| view::acs_user(v, user)).unwrap();
    let json = required(
        &seen,
        "acs_system_id acs_user_id connected_account_id created_at display_name errors is_managed last_successful_sync_at warnings workspace_id",
    );
    assert_eq!((&json["user_identity_full_name"], &json["is_suspended"]), (&json!("Ada Example"), &json!(true)));
    assert_eq!(codes_of(&seen.warnings), [warning::ACS_USER_INACTIVE]);
    assert_eq!(seen.errors[0].error_code, error::FAILED_TO_UPDATE_ON_ACS_SYSTEM);
    assert_eq!(codes_in(&seen.pending_mutations), [mutation::UPDATING_SUSPENSION_STATE]);
    let person = w.look(|v| view::user_identity(v, w.person)).unwrap();
    assert_eq!((person.acs_user_ids, person.errors[0].error_code.as_str()), (vec![user], error::ISSUE_WITH_ACS_USER));
    w.edit::<Identity>(w.person, |i| i.deleted_at = Some(now()));
    assert_eq!(w.look(|v| view::user_identity(v, other)).unwrap_err().kind(), ErrorKind::NotFound);
}

/// Lists keep what they have shown, in memory and as it is: only what holds no secret, and only for as long as it is true.
#[test]
fn what_shows_a_secret_or_the_present_is_not_kept() {
    let mut w = World::new();
    let door = w.door("Gym", DoorClass::Online);
    let code = w.grant(&AccessMethodMode::Code, &[door], window(-1, 5), None);
    let card = w.grant(&AccessMethodMode::Card, &[door], window(3, 5), None);
    w.carry(&card, Certainty::Verified);
    let text = |grant: AccessGrantId| {
        let (seen, until) = w.look_until(|v| view::access_grant(v, grant)).unwrap();
        (serde_json::to_string(&seen).unwrap(), until)
    };
    let (with, never) = text(code.grant);
    assert!(with.contains("1234") && never <= w.now, "a PIN that was asked for stands in it");
    let (without, begins) = text(card.grant);
    assert!(!without.contains("1234"));
    assert_eq!(begins, hours(3), "it says something else when it has begun");
    assert!(w.look_until(|v| view::access_method(v, code.method)).unwrap().1 <= w.now);
    assert!(w.look_until(|v| view::acs_credential(v, code.target.into())).unwrap().1 <= w.now);
    assert!(w.look_until(|v| view::user_identity(v, w.person)).unwrap().1 > hours(1_000));
}

#[test]
fn a_pin_is_shown_and_is_issued_by_the_best_certainty_of_its_kind() {
    let mut w = World::new();
    let door = w.door("Gym", DoorClass::Online);
    let it = w.grant(&AccessMethodMode::Code, &[door], window(-1, 5), None);
    let grant = w.access_grant(&it);
    let json = required(&grant, GRANT);
    assert_eq!((&json["display_name"], &json["access_method_ids"]), (&json!("Ada Example: Gym"), &json!([it.method])));
    assert_eq!((&json["requested_access_methods"][0]["code"], json.get("instant_key_url")), (&json!("1234"), None));
    assert_eq!(grant.display_status, "Being set up.");
    assert!(grant.pending_mutations.is_empty() && grant.warnings.is_empty(), "nothing is missing from a grant that is being set up");
    let credential = w.acs_credential(&it);
    let json = required(&credential, CREDENTIAL);
    assert_eq!(json["is_latest_desired_state_synced_with_provider"], false);
    assert_eq!(codes_of(&credential.warnings), [warning::WAITING_TO_BE_ISSUED]);

    w.carry(&it, Certainty::Accepted);
    let credential = w.acs_credential(&it);
    assert_eq!((credential.is_issued, credential.is_latest_desired_state_synced_with_provider), (Some(false), None));
    w.rules(Kind::Code, |rules| rules.read_back = ReadBack::None);
    assert_eq!(w.acs_credential(&it).is_issued, Some(true), "the kind cannot be read back: accepted is the best there is");
    w.carry(&it, Certainty::Verified);
    let credential = w.acs_credential(&it);
    assert_eq!((credential.is_issued, credential.is_latest_desired_state_synced_with_provider), (Some(true), Some(true)));
    assert_eq!(credential.code, Some(Shown::new("4711")));
    assert!(credential.warnings.is_empty());

    let method = w.access_method(&it);
    let json = required(&method, METHOD);
    assert_eq!((&json["code"], &json["is_issued"], json.get("is_encoding_required")), (&json!("4711"), &json!(true), None));
    assert!(w.access_grant(&it).display_status.starts_with("Active until 2026-05-06 15:00 (Europe/Berlin)"));
    assert!(!format!("{:?}", w.access_grant(&it)).contains("1234") && !format!("{method:?}{credential:?}").contains("4711"));

    w.rules(Kind::Code, |rules| rules.ends = EndsBy::Engine);
    assert_eq!(codes_of(&w.access_grant(&it).warnings), [warning::ENDS_BY_ENGINE]);
    assert_eq!(codes_of(&w.acs_credential(&it).warnings), [warning::ENDS_BY_ENGINE]);
}

#[test]
fn a_card_says_what_a_person_has_to_do() {
    let mut w = World::new();
    let (room, gym) = (w.door("101", DoorClass::Guest), w.door("Gym", DoorClass::Common));
    let stay = w.stay("res-1", &[room], window(-1, 20), Some(10), StayPhase::Open);
    let it = w.grant(&AccessMethodMode::Card, &[room, gym], window(-1, 20), Some(stay));
    let method = w.access_method(&it);
    assert_eq!((method.is_encoding_required, method.is_ready_for_encoding, method.is_assignment_required), (Some(true), Some(true), None));
    assert!(method.pending_mutations.is_empty(), "a card that nobody wrote is not on its way");
    assert_eq!(w.access_grant(&it).display_status, "Waiting for 1 card to be encoded.");
    w.edit::<Stay>(stay, |s| s.phase = StayPhase::InDoubt { first: WS.uuid() });
    assert_eq!(w.access_method(&it).is_ready_for_encoding, Some(false), "another card of the stay comes first");
    w.edit::<Stay>(stay, |s| s.phase = StayPhase::InDoubt { first: it.target });
    assert_eq!(w.access_method(&it).is_ready_for_encoding, Some(true), "the same card answers the question");
    w.edit::<Stay>(stay, |s| s.phase = StayPhase::Open);
    w.carry(&it, Certainty::Accepted);
    let method = w.access_method(&it);
    assert_eq!((method.is_encoding_required, method.is_ready_for_encoding, method.is_issued), (Some(false), Some(false), true));

    // The stay is extended: the card in the guest's hand ends too early.
    w.want(&it, |c| c.window = window(-1, 30));
    w.edit::<Grant>(it.grant, |g| g.window = window(-1, 30));
    let method = w.access_method(&it);
    assert_eq!((method.is_encoding_required, method.is_issued), (Some(true), false));
    assert_eq!(method.display_status, "Encode the card again: what it opens has changed.");
    assert_eq!(codes_in(&method.pending_mutations), [mutation::UPDATING_ACCESS_TIMES]);
    assert_eq!(codes_of(&method.warnings), [warning::UPDATING_ACCESS_TIMES]);
    assert_eq!(codes_of(&w.acs_credential(&it).warnings), [warning::NEEDS_TO_BE_REISSUED]);
    let grant = serde_json::to_value(w.access_grant(&it)).unwrap();
    let pending = &grant["pending_mutations"][0];
    assert_eq!((&pending["mutation_code"], &pending["access_method_ids"]), (&json!(mutation::UPDATING_ACCESS_TIMES), &json!([it.method])));
    assert_eq!(
        (&pending["from"]["ends_at"], &pending["to"]["ends_at"]),
        (&json!("2026-05-07T04:00:00.000Z"), &json!("2026-05-07T14:00:00.000Z"))
    );
    w.carry(&it, Certainty::Accepted);
    assert!(w.access_grant(&it).pending_mutations.is_empty());

    // A lost card of the same stay was replaced: this one has the old number.
    w.edit::<Stay>(stay, |s| s.generation = Some(11));
    assert_eq!(codes_of(&w.acs_credential(&it).warnings), [warning::NEEDS_TO_BE_REISSUED]);

    w.rules(Kind::Card, |rules| rules.card = Some(CardPath::PushThenVendorEncoder));
    let other = w.grant(&AccessMethodMode::Card, &[gym], window(-1, 20), None);
    let method = w.access_method(&other);
    assert_eq!((method.is_encoding_required, method.is_ready_for_encoding), (Some(true), Some(false)), "it is not at the system yet");
    w.edit::<Target>(other.target, |t| t.seen = SeenState::Present { rev: 1, certainty: Certainty::Accepted });
    assert_eq!(w.access_method(&other).is_ready_for_encoding, Some(true));
    w.rules(Kind::Card, |rules| rules.card = Some(CardPath::Preassigned));
    let third = w.grant(&AccessMethodMode::Card, &[gym], window(-1, 20), None);
    w.edit::<Target>(third.target, |t| t.needs = Needs::Assignment);
    let method = w.access_method(&third);
    assert_eq!(
        (method.is_assignment_required, method.is_ready_for_assignment, method.is_encoding_required),
        (Some(true), Some(true), Some(false))
    );
}

#[test]
fn doors_that_come_and_go_are_mutations_until_they_are_in_place() {
    let mut w = World::new();
    let (gym, pool) = (w.door("Gym", DoorClass::Online), w.door("Pool", DoorClass::Online));
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    w.carry(&it, Certainty::Verified);
    let both = vec![gym, pool];
    w.want(&it, |c| c.doors.clone_from(&both));
    w.edit::<Grant>(it.grant, |g| g.doors.clone_from(&both));
    w.edit::<Method>(it.method, |m| m.doors.clone_from(&both));
    let grant = w.access_grant(&it);
    assert_eq!(
        (codes_of(&grant.warnings), codes_in(&grant.pending_mutations)),
        (vec![warning::UNDERPROVISIONED_ACCESS], vec![mutation::UPDATING_SPACES])
    );
    assert_eq!(grant.pending_mutations[0].details["from"], json!({ "device_ids": [gym] }));
    assert_eq!(codes_in(&w.access_method(&it).pending_mutations), [mutation::PROVISIONING_ACCESS]);
    w.carry(&it, Certainty::Verified);
    assert!(w.access_grant(&it).warnings.is_empty());
    w.want(&it, |c| c.doors = vec![gym]);
    w.edit::<Grant>(it.grant, |g| g.doors = vec![gym]);
    let grant = w.access_grant(&it);
    assert_eq!(codes_of(&grant.warnings), [warning::OVERPROVISIONED_ACCESS, warning::OVERPROVISIONED_ACCESS]);
    assert_eq!(codes_in(&w.access_method(&it).pending_mutations), [mutation::REVOKING_ACCESS]);
    assert_eq!(grant.residual_access[0].why, ResidualReason::Revoking);
    w.carry(&it, Certainty::Verified);
    assert!(w.access_grant(&it).warnings.is_empty());
}

#[test]
fn a_deleted_grant_is_shown_until_it_is_gone_and_kept_after() {
    let mut w = World::new();
    let (room, gym) = (w.door("101", DoorClass::Guest), w.door("Gym", DoorClass::Online));
    let it = w.grant(&AccessMethodMode::Code, &[room, gym], window(-1, 5), None);
    w.carry(&it, Certainty::Verified);
    w.delete(&it);
    let grant = w.access_grant(&it);
    assert_eq!((grant.display_status.as_str(), codes_of(&grant.warnings)[0]), ("Being deleted.", warning::BEING_DELETED));
    assert!(w.access_method(&it).warnings.iter().any(|x| x.warning_code == warning::BEING_DELETED));
    assert!(w.acs_credential(&it).warnings.iter().any(|x| x.warning_code == warning::BEING_DELETED));
    w.gone(&it, Certainty::Verified);
    assert_eq!(w.look(|v| view::access_grant(v, it.grant)).unwrap_err().code(), "access_grant_not_found");
    assert_eq!(w.look(|v| view::access_method(v, it.method)).unwrap_err().code(), "access_method_not_found");
    assert_eq!(w.look(|v| view::acs_credential(v, it.target.into())).unwrap_err().code(), "acs_credential_not_found");
    let kept = w.look(|v| view::history::grant(v, it.grant)).unwrap();
    assert_eq!((kept.phase, kept.ended_at, kept.methods.len()), (view::history::HistoryPhase::Deleted, Some(now()), 1));
    assert!(!serde_json::to_string(&kept).unwrap().contains("1234"), "a PIN is not part of history");
    assert!(kept.grant.residual_access.is_empty());
    let back: view::history::GrantHistory = serde_json::from_value(serde_json::to_value(&kept).unwrap()).unwrap();
    assert_eq!(back, kept);

    let ended = w.grant(&AccessMethodMode::Code, &[gym], window(-9, -5), None);
    w.edit::<Grant>(ended.grant, |g| g.phase = GrantPhase::Ended { at: hours(-4) });
    assert!(w.access_grant(&ended).display_status.starts_with("Ended on 2026-05-06 05:00"));
    let kept = w.look(|v| view::history::grant(v, ended.grant)).unwrap();
    assert_eq!((kept.phase, kept.ended_at), (view::history::HistoryPhase::Ended, Some(hours(-5))));
}

#[test]
fn a_mobile_key_has_a_link_and_the_grant_has_it_if_it_is_the_only_one() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    let it = w.grant(&AccessMethodMode::MobileKey, &[gym], window(-1, 5), None);
    let key: InstantKeyId = w.id().into();
    let code = w.seal(key, "code", "Xy12");
    let row = InstantKey {
        identity: w.person,
        method: Some(it.method),
        code,
        code_tag: "t".to_owned(),
        session: None,
        max_use_count: 1,
        used: 0,
        created_at: now(),
        expires_at: hours(9),
        deleted_at: None,
    };
    w.put(key, Body::InstantKey(row));
    w.edit::<Method>(it.method, |m| m.instant_key = Some(key));
    let link = Some(Shown::new("https://key.example/Xy12"));
    assert_eq!((w.access_method(&it).instant_key_url, w.access_grant(&it).instant_key_url), (link.clone(), link));
    let seen = w.look(|v| view::instant_key(v, key)).unwrap();
    required(&seen, "client_session_id created_at expires_at instant_key_id instant_key_url user_identity_id workspace_id");
    let other = w.grant(&AccessMethodMode::MobileKey, &[gym], window(-1, 5), None);
    w.edit::<Grant>(it.grant, |g| g.requested[0].methods.push(other.method));
    assert_eq!(w.access_grant(&it).instant_key_url, None);
    w.edit::<InstantKey>(key, |k| k.deleted_at = Some(now()));
    assert_eq!(w.access_method(&it).instant_key_url, None);
}

#[test]
fn a_pin_that_was_not_to_be_had_is_told_with_both() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    let mut details = serde_json::Map::new();
    details.insert("access_method_id".to_owned(), json!(it.method));
    details.insert("requested".to_owned(), json!(0));
    let note = Note { code: warning::REQUESTED_CODE_UNAVAILABLE.to_owned(), message: "Another was chosen.".to_owned(), at: now(), details };
    w.edit::<Grant>(it.grant, |g| g.warnings.push(note));
    let seen = &w.access_grant(&it).warnings[0];
    let told = |key: &str| seen.details[key].as_str().unwrap().to_owned();
    assert_eq!((told("original_code"), told("new_code"), told("device_id")), ("1234".to_owned(), "4711".to_owned(), gym.to_string()));
}

#[test]
fn late_methods_warn_until_they_are_issued() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    for code in [warning::DELAY_IN_ISSUING, error::FAILED_TO_ISSUE] {
        let note = Note { code: code.to_owned(), message: "Late.".to_owned(), at: now(), details: serde_json::Map::new() };
        w.edit::<Method>(it.method, |m| m.warnings.push(note));
    }
    let method = w.access_method(&it);
    assert_eq!(
        (codes_of(&method.warnings), method.errors[0].error_code.as_str()),
        (vec![warning::DELAY_IN_ISSUING], error::FAILED_TO_ISSUE)
    );
    w.carry(&it, Certainty::Verified);
    let method = w.access_method(&it);
    assert!(method.warnings.is_empty() && method.errors.is_empty());
}

#[test]
fn permissions_of_users_are_the_doors_of_their_credentials() {
    let mut w = World::new();
    let gym = w.door("Gym", DoorClass::Online);
    w.rules(Kind::Code, |rules| rules.doors = DoorLimit::ByUser);
    let it = w.grant(&AccessMethodMode::Code, &[gym], window(-1, 5), None);
    let (user, permission): (AcsUserId, RowId) = (w.id().into(), w.id());
    w.want(&it, |c| (c.user, c.doors) = (Some(user), Vec::new()));
    w.carry(&it, Certainty::Verified);
    w.put(
        permission,
        Body::Target(from(json!({ "system": w.system, "account": w.account, "channel": "x|y", "of": { "user": user }, "rev": 1, "seen": "never",
            "want": { "access": { "user": user, "doors": [gym], "groups": [], "window": window(-1, 5), "schedule": null, "suspended": false } },
            "work": {}, "created_at": now() }))),
    );
    assert_eq!(codes_in(&w.access_method(&it).pending_mutations), [mutation::PROVISIONING_ACCESS]);
    w.edit::<Target>(permission, |t| t.seen = SeenState::Present { rev: 1, certainty: Certainty::Verified });
    assert!(w.access_method(&it).pending_mutations.is_empty());
    w.edit::<Target>(permission, |t| t.gone = true);
    assert_eq!(codes_in(&w.access_method(&it).pending_mutations), [mutation::REVOKING_ACCESS]);
}

#[test]
fn attempts_events_questions_and_what_is_not_ours() {
    let mut w = World::new();
    let room = w.door("101", DoorClass::Guest);
    let it = w.grant(&AccessMethodMode::Card, &[room], window(-1, 5), None);
    let (id, encoder): (ActionAttemptId, AcsEncoderId) = (w.id().into(), w.id().into());
    let mut attempt = json!({ "action": { "encode": { "target": it.target, "method": it.method, "encoder": encoder } }, "system": w.system,
        "account": w.account, "channel": "x|y", "actor": { "kind": "engine" }, "created_at": now(), "begin_at": now(), "wait_seconds": 30,
        "expires_at": hours(1), "state": "waiting" });
    w.put(id, Body::Attempt(from(attempt.clone())));
    let json = required(&w.look(|v| view::action_attempt(v, id)).unwrap(), "action_attempt_id action_type status result error");
    assert_eq!((&json["status"], &json["result"], &json["error"]), (&json!("pending"), &Value::Null, &Value::Null));
    attempt["state"] = json!({ "success": { "result": { "acs_credential_id": it.target }, "at": now() } });
    w.put(id, Body::Attempt(from(attempt.clone())));
    let json = serde_json::to_value(w.look(|v| view::action_attempt(v, id)).unwrap()).unwrap();
    assert_eq!((&json["result"]["acs_credential_id"], &json["result"]["access_method_id"]), (&json!(it.target), &json!(it.method)));
    w.edit::<Target>(it.target, |t| (t.gone, t.seen) = (true, SeenState::Absent { certainty: Certainty::Verified }));
    let json = serde_json::to_value(w.look(|v| view::action_attempt(v, id)).unwrap()).unwrap();
    assert_eq!(
        (&json["status"], &json["result"]),
        (&json!("success"), &json!({ "acs_credential_id": it.target })),
        "the credential is gone since"
    );
    attempt["state"] = json!({ "error": { "type": "encoding_interrupted", "message": "Taken away.", "effect": "unknown", "at": now() } });
    w.put(id, Body::Attempt(from(attempt.clone())));
    let json = serde_json::to_value(w.look(|v| view::action_attempt(v, id)).unwrap()).unwrap();
    assert_eq!((&json["error"]["type"], &json["result"]), (&json!("encoding_interrupted"), &Value::Null));
    attempt["action"] = json!({ "scan": { "encoder": encoder } });
    let number = w.seal(id.uuid(), "card_number", "04AB");
    attempt["state"] = json!({ "success": { "result": { "card_number": number, "is_empty": false, "acs_credential_id": null, "is_ours": false }, "at": now() } });
    w.put(id, Body::Attempt(from(attempt)));
    let json = serde_json::to_value(w.look(|v| view::action_attempt(v, id)).unwrap()).unwrap();
    assert_eq!(json["result"]["acs_credential_on_encoder"]["card_number"], "04AB");
    assert_eq!(json["result"]["warnings"][0]["warning_code"], warning::ACS_CREDENTIAL_ON_SEAM_NOT_FOUND);

    let stored: StoredEvent = from(json!({ "seq": 1, "event": { "id": WS, "type": "access_grant.created", "at": now(), "order_key": WS,
        "payload": { "access_grant_id": it.grant, "occurred_at": hours(-1), "code": "1234" } } }));
    let seen = required(&w.look(|v| Ok(view::event(v, &stored))).unwrap(), "event_id event_type workspace_id created_at occurred_at");
    assert_eq!((&seen["occurred_at"], seen.get("code")), (&json!("2026-05-06T07:00:00.000Z"), None));

    let doubt = w.grant(&AccessMethodMode::Card, &[room], window(-1, 5), None);
    w.edit::<Target>(doubt.target, |t| {
        t.seen = SeenState::Unknown { rev: 1 };
        t.work.asks = Some(Question { kind: QuestionKind::WasTheCardWritten, at: now() });
    });
    let asked = w.look(view::question::questions).unwrap();
    assert_eq!(asked.len(), 1);
    assert_eq!(
        (asked[0].acs_credential_id.uuid(), asked[0].access_method_id, &asked[0].acs_entrance_ids),
        (doubt.target, Some(doubt.method), &vec![room])
    );
    assert!(asked[0].next_action.contains("same card"));
    assert!(w.access_grant(&doubt).display_status.contains("a person"));

    let found: RowId = w.id();
    let held = json!({ "kind": "code", "handle": "7", "tag": null, "name": "Cleaner", "doors": ["101"], "window": window(0, 2) });
    let row = json!({ "system": w.system, "account": w.account, "held": held, "created_at": now(), "gone_at": null });
    w.put(found, Body::Unmanaged(from(row)));
    let seen = w.look(|v| view::unmanaged::acs_credential(v, found.into())).unwrap();
    assert_eq!((required(&seen, CREDENTIAL)["is_managed"].clone(), seen.code), (json!(false), None));
    required(&w.look(|v| view::unmanaged::access_method(v, found.into())).unwrap(), METHOD);
    assert_eq!(w.look(|v| view::unmanaged::of_system(v, w.system)).unwrap(), [found]);
    assert!(w.look(|v| view::unmanaged::acs_user(v, found.into())).is_err(), "a PIN is no user");
    w.edit::<Unmanaged>(found, |u| u.held.kind = Kind::User);
    required(&w.look(|v| view::unmanaged::user_identity(v, found.into())).unwrap(), "user_identity_id full_name display_name");
    required(&w.look(|v| view::unmanaged::acs_user(v, found.into())).unwrap(), "acs_user_id is_managed");
    w.edit::<Unmanaged>(found, |u| u.held.kind = Kind::Access);
    let seen = w.look(|v| view::unmanaged::access_grant(v, found.into())).unwrap();
    assert_eq!(required(&seen, "access_grant_id starts_at ends_at")["acs_entrance_ids"], json!([room]));
}

#[test]
fn unknown_ids_are_not_found() {
    let w = World::new();
    assert_eq!(w.look(|v| view::access_grant(v, WS.uuid().into())).unwrap_err().code(), "access_grant_not_found");
    assert_eq!(
        w.look(|v| view::access_method(v, w.system.uuid().into())).unwrap_err().code(),
        "access_method_not_found",
        "another kind of row"
    );
    assert_eq!(w.look(|v| view::acs_credential(v, WS.uuid().into())).unwrap_err().kind(), ErrorKind::NotFound);
}
