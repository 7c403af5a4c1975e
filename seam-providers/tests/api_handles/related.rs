//! What belongs together, in one answer.
use super::*;
use seam_core::NewSpace;
use seam_core::api::{RelatedKind, Select};
use seam_core::error::ErrorKind::NotFound;

#[tokio::test]
async fn a_grant_comes_with_all_that_belongs_to_it_or_with_what_is_asked_for() {
    let o = office().await;
    let lab = o.door("lab").await;
    let space = NewSpace::builder().name("Labs").key("labs").entrances([lab]).build();
    let space = o.ws.spaces().create(space).await.unwrap().space_id;
    let new = NewGrant { spaces: vec![space], key: Some("k".into()), ..o.wish(Who::named("Ada"), vec![], vec![NewMethod::code()]) };
    let grant = o.grant(new).await;
    let id = grant.access_grant_id;
    let all = o.ws.access_grants().get_related(&[id], &Select::all()).await.unwrap();
    assert_eq!(all.access_grants[0].access_grant_id, id);
    assert_eq!(all.access_methods.iter().map(|m| m.access_method_id).collect::<Vec<_>>(), grant.access_method_ids);
    assert_eq!(names(&all.acs_entrances), set(["lab"]));
    assert_eq!(all.acs_systems[0].acs_system_id, o.system().await);
    assert_eq!(all.acs_access_groups[0].name, "research", "the group that she passes the lab by");
    assert_eq!(all.connected_accounts.len(), 1);
    assert_eq!(all.spaces[0].space_id, space);
    assert_eq!(all.user_identities[0].user_identity_id, grant.user_identity_id);

    let some = o.ws.access_grants().get_related_by_keys(&["k"], &Select::only([RelatedKind::Spaces])).await.unwrap();
    assert_eq!((some.access_grants.len(), some.spaces.len(), some.access_methods.len()), (1, 1, 0));
    let some = o.ws.access_grants().get_related(&[id], &Select::all().without([RelatedKind::AcsAccessGroups])).await.unwrap();
    assert_eq!((some.acs_access_groups.len(), some.acs_systems.len()), (0, 1));

    let of_method = o.ws.access_methods().get_related(&grant.access_method_ids, &Select::all()).await.unwrap();
    assert_eq!((of_method.access_grants[0].access_grant_id, of_method.acs_credentials.len(), of_method.spaces.len()), (id, 1, 1));
    assert!(of_method.user_identities.is_empty(), "not part of what belongs to a method");
    let of_space = o.ws.spaces().get_related_by_keys(&["labs"], &Select::all()).await.unwrap();
    assert_eq!(of_space.access_methods.len(), 1);
    assert!(of_space.access_grants.is_empty());
    assert_eq!(names(&of_space.acs_entrances), set(["lab"]));

    refused(NotFound, "access_grant_not_found", o.other.access_grants().get_related(&[id], &Select::all())).await;
    refused(NotFound, "access_method_not_found", o.other.access_methods().get_related(&grant.access_method_ids, &Select::all())).await;
    refused(NotFound, "space_not_found", o.other.spaces().get_related(&[space], &Select::all())).await;
    refused(NotFound, "space_not_found", o.ws.spaces().get_related_by_keys(&["labs", "none"], &Select::all())).await;
    o.ws.access_grants().delete(id).await.unwrap();
    o.settle().await;
    refused(NotFound, "access_grant_not_found", o.ws.access_grants().get_related(&[id], &Select::all())).await;
}
