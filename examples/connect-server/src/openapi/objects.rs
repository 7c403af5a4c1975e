//! The objects that answers hold, in short: `name:type`, `?` behind a name that may be left out, `~` behind a type that may be null, `[..]` around
//! what is a list. What an access system adds stands beside: readers must expect members that are not here.
//!
//! Types: `id` (a UUID), `at` (an instant, UTC), `str`, `bool`, `int`, `url`, `obj` (any object), `$x` (an object of this list).

/// One object: its name, what it is, its members.
pub(super) type Object = (&'static str, &'static str, &'static str);

pub(super) const OBJECTS: &[Object] = &[
    (
        "workspace",
        "A tenant.",
        "workspace_id:id organization_id:id~ name:str company_name:str connect_partner_name:str~ connect_webview_customization:obj is_sandbox:bool is_suspended:bool \
         is_publishable_key_auth_enabled:bool",
    ),
    (
        "connected_account",
        "The login through which access systems are reached.",
        "connected_account_id:id account_type?:str account_type_display_name:str display_name:str user_identifier?:obj customer_key?:str \
         custom_metadata:obj accepted_capabilities:[str] automatically_manage_new_devices:bool created_at:at errors:[$error] warnings:[$warning]",
    ),
    (
        "acs_system",
        "An access system.",
        "acs_system_id:id workspace_id:id connected_account_id:id connected_account_ids:[id] name:str external_type?:str \
         external_type_display_name?:str system_type?:str system_type_display_name?:str is_credential_manager:bool \
         default_credential_manager_acs_system_id?:id~ location:obj image_url:url image_alt_text:str acs_access_group_count?:int \
         acs_user_count?:int created_at:at errors:[$error] warnings:[$warning]",
    ),
    (
        "acs_entrance",
        "A door, gate, lift or locker, with what opens it.",
        "acs_entrance_id:id acs_system_id:id connected_account_id:id display_name:str created_at:at can_belong_to_reservation?:bool \
         can_unlock_with_card?:bool can_unlock_with_cloud_key?:bool can_unlock_with_code?:bool can_unlock_with_mobile_key?:bool is_locked?:bool \
         space_ids:[id] errors:[$error] warnings:[$warning]",
    ),
    (
        "acs_access_group",
        "Users with the same permissions, kept by an access system.",
        "acs_access_group_id:id acs_system_id:id connected_account_id:id workspace_id:id name:str display_name:str external_type:str \
         external_type_display_name:str access_group_type:str access_group_type_display_name:str access_schedule?:obj is_managed:bool \
         created_at:at errors:[$error] warnings:[$warning] pending_mutations:[$pending_mutation]",
    ),
    (
        "acs_user",
        "A user as one access system knows her.",
        "acs_user_id:id acs_system_id:id connected_account_id:id workspace_id:id display_name:str full_name?:str email?:str email_address?:str \
         phone_number?:str external_type?:str external_type_display_name?:str access_schedule?:obj is_managed:bool is_suspended?:bool \
         user_identity_id?:id user_identity_full_name?:str~ user_identity_email_address?:str~ user_identity_phone_number?:str~ \
         last_successful_sync_at:at~ created_at:at errors:[$error] warnings:[$warning] pending_mutations?:[$pending_mutation]",
    ),
    (
        "acs_credential",
        "A PIN, card or key as one access system holds it.",
        "acs_credential_id:id acs_system_id:id connected_account_id:id workspace_id:id access_method:str display_name:str acs_user_id?:id \
         user_identity_id?:id parent_acs_credential_id?:id code?:str~ card_number?:str~ starts_at?:at ends_at?:at external_type?:str \
         external_type_display_name?:str is_issued?:bool issued_at?:at~ is_managed:bool is_multi_phone_sync_credential?:bool \
         is_one_time_use?:bool is_latest_desired_state_synced_with_provider?:bool~ latest_desired_state_synced_with_provider_at?:at~ \
         created_at:at errors:[$error] warnings:[$warning]",
    ),
    (
        "acs_encoder",
        "A device that writes and reads cards.",
        "acs_encoder_id:id acs_system_id:id connected_account_id:id workspace_id:id display_name:str created_at:at errors:[$error]",
    ),
    (
        "space",
        "A grouping of entrances.",
        "space_id:id workspace_id:id name:str display_name:str space_key?:str customer_key?:str customer_data?:obj geolocation?:obj~ \
         parent_space_id?:id parent_space_key?:str acs_entrance_count:int device_count:int created_at:at",
    ),
    (
        "user_identity",
        "A person.",
        "user_identity_id:id workspace_id:id user_identity_key:str~ full_name:str~ display_name:str email_address:str~ phone_number:str~ \
         acs_user_ids:[id] merged_user_identity_ids:[id] merged_user_identity_keys:[str] created_at:at errors:[$error] warnings:[$warning]",
    ),
    (
        "unmanaged_user_identity",
        "A person whom a system knows and who was not made here.",
        "user_identity_id:id workspace_id:id full_name:str~ display_name:str email_address:str~ phone_number:str~ acs_user_ids:[id] created_at:at \
         errors:[$error] warnings:[$warning]",
    ),
    ("device", "A device that is no entrance. There are none.", "device_id:id"),
    (
        "access_grant",
        "Who may open what, when, and how.",
        "access_grant_id:id workspace_id:id access_grant_key?:str user_identity_id:id name:str~ display_name:str display_status:str starts_at:at \
         ends_at:at~ space_ids:[id] location_ids:[id] access_method_ids:[id] requested_access_methods:[$requested_access_method] \
         reservation_key?:str client_session_token?:str instant_key_url?:url customization_profile_id?:id created_at:at errors:[$error] \
         warnings:[$warning] pending_mutations:[$pending_mutation]",
    ),
    (
        "unmanaged_access_grant",
        "Access that a system holds and that was not granted here.",
        "access_grant_id:id workspace_id:id user_identity_id?:id name:str~ display_name:str starts_at:at ends_at:at~ space_ids:[id] \
         location_ids:[id] access_method_ids:[id] requested_access_methods:[$requested_access_method] reservation_key?:str created_at:at \
         errors:[$error] warnings:[$warning] pending_mutations:[$pending_mutation]",
    ),
    (
        "requested_access_method",
        "A way in that was asked for, and what was made of it.",
        "mode:str display_name:str created_at:at created_access_method_ids:[id] code?:str instant_key_max_use_count?:int",
    ),
    (
        "access_method",
        "One PIN, one card, one mobile key or one cloud key of a person.",
        "access_method_id:id workspace_id:id mode:str display_name:str display_status:str is_issued:bool issued_at:at~ code?:str~ \
         client_session_token?:str instant_key_url?:url customization_profile_id?:id is_assignment_required?:bool is_encoding_required?:bool \
         is_ready_for_assignment?:bool is_ready_for_encoding?:bool created_at:at errors:[$error] warnings:[$warning] \
         pending_mutations:[$pending_mutation]",
    ),
    (
        "unmanaged_access_method",
        "A way in that a system holds and that was not made here.",
        "access_method_id:id workspace_id:id mode:str display_name:str is_issued:bool issued_at:at~ code?:str~ created_at:at errors:[$error] \
         warnings:[$warning] pending_mutations:[$pending_mutation]",
    ),
    (
        "instant_key",
        "A link that hands a person's mobile keys to a phone.",
        "instant_key_id:id workspace_id:id user_identity_id:id client_session_id:id instant_key_url:url customization?:obj \
         customization_profile_id?:id expires_at:at created_at:at",
    ),
    (
        "client_session",
        "What a phone or a page may see.",
        "client_session_id:id workspace_id:id token:str user_identifier_key:str~ user_identity_id?:id user_identity_ids:[id] customer_key?:str \
         connect_webview_ids:[id] connected_account_ids:[id] device_count:int expires_at:at created_at:at",
    ),
    (
        "connect_webview",
        "A page on which somebody connects an access system.",
        "connect_webview_id:id workspace_id:id url:url status:str created_at:at connected_account_id:id~ custom_metadata:obj \
         accepted_providers:[str] any_provider_allowed:bool login_successful:bool authorized_at:at~ custom_redirect_url:str~ \
         custom_redirect_failure_url:str~ wait_for_device_creation:bool automatically_manage_new_devices:bool any_device_allowed:bool \
         accepted_capabilities:[str] accepted_devices:[str] selected_provider:str~ device_selection_mode:str",
    ),
    (
        "phone",
        "A phone that holds mobile keys.",
        "device_id:id workspace_id:id display_name:str nickname?:str device_type:str properties:obj custom_metadata:obj created_at:at \
         errors:[$error] warnings:[$warning]",
    ),
    ("webhook", "An address to which events are sent.", "webhook_id:str url:url event_types?:[str] secret?:str"),
    (
        "event",
        "What happened. Its type says what else it holds.",
        "event_id:id event_type:str workspace_id:id created_at:at occurred_at:at event_description?:str",
    ),
    (
        "action_attempt",
        "Something that was asked for at a device, and what came of it.",
        "action_attempt_id:id action_type:str status:str result:obj~ error:obj~",
    ),
    ("error", "What is wrong with an object.", "error_code:str message:str created_at?:at~"),
    ("warning", "What is worth knowing of an object.", "warning_code:str message:str created_at?:at~"),
    ("pending_mutation", "What is decided and not yet everywhere.", "mutation_code:str message:str created_at:at"),
    ("pagination", "What leads on from a page.", "has_next_page:bool next_page_cursor:str~ next_page_url:str~"),
];
