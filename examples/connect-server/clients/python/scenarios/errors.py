import json
from uuid import uuid4

from _hotel import Scenarios, Seam, SeamHttpInvalidInputError, SeamHttpUnauthorizedError, endpoint, guest, key, raw, seam


class Errors(Scenarios):
    def shape(self, answer, status, kind=None):
        self.assertEqual(answer.status, status, answer.body)
        self.assertIs(answer.body["ok"], False)
        self.assertIsInstance(answer.body["error"]["message"], str)
        if kind:
            self.assertEqual(answer.body["error"]["type"], kind)
        self.assertTrue(answer.headers["content-type"].startswith("application/json"))
        self.assertTrue(answer.headers["seam-request-id"])

    def test_a_wrong_key(self):
        stranger = Seam(api_key="seam_wrong_key", endpoint=endpoint)
        with self.assertRaises(SeamHttpUnauthorizedError) as caught:
            stranger.workspaces.get()
        self.assertEqual(caught.exception.status_code, 401)
        self.assertTrue(caught.exception.request_id)

    def test_no_key_or_half_a_key(self):
        self.shape(raw("/workspaces/get", "GET", token=None), 401, "unauthorized")
        for given in ("Bearer", f"Basic {key}", key, f"bearer  {key} x"):
            answer = raw("/workspaces/get", "GET", token=None, headers={"authorization": given})
            self.shape(answer, 401, "unauthorized")

    def test_each_parameter_says_what_is_wrong(self):
        with self.assertRaises(SeamHttpInvalidInputError) as caught:
            seam.access_grants.create(
                user_identity_id="no uuid",
                acs_entrance_ids="no list",
                requested_access_methods=[{"mode": "fob"}],
                ends_at=17,
            )
        error = caught.exception
        self.assertEqual(error.code, "invalid_input")
        names = [one.parameter_name for one in error.validation_errors]
        self.assertGreaterEqual(len(names), 2, f"all wrong parameters at once, not the first only: {names}")
        for name in names:
            self.assertTrue(error.get_validation_error_messages(name) or name == "requested_access_methods", name)
        self.assertIn("acs_entrance_ids", names)

    def test_a_missing_parameter_is_named(self):
        answer = raw("/access_grants/create", body={"user_identity": {"full_name": "Nobody"}})
        self.shape(answer, 400, "invalid_input")
        self.assertTrue(answer.body["error"]["validation_errors"]["requested_access_methods"]["_errors"])
        self.shape(raw("/access_grants/get", "GET"), 400, "invalid_input")

    def test_what_is_not_there(self):
        one, acs = str(uuid4()), seam.acs
        for call, kind in (
            (lambda: acs.systems.get(acs_system_id=one), "acs_system_not_found"),
            (lambda: acs.entrances.get(acs_entrance_id=one), "acs_entrance_not_found"),
            (lambda: acs.access_groups.get(acs_access_group_id=one), "acs_access_group_not_found"),
            (lambda: acs.users.get(acs_user_id=one), "acs_user_not_found"),
            (lambda: acs.credentials.get(acs_credential_id=one), "acs_credential_not_found"),
            (lambda: acs.encoders.get(acs_encoder_id=one), "acs_encoder_not_found"),
            (lambda: seam.spaces.get(space_id=one), "space_not_found"),
            (lambda: seam.user_identities.get(user_identity_id=one), "user_identity_not_found"),
            (lambda: seam.access_grants.get(access_grant_id=one), "access_grant_not_found"),
            (lambda: seam.access_methods.get(access_method_id=one), "access_method_not_found"),
            (lambda: seam.instant_keys.get(instant_key_id=one), "instant_key_not_found"),
            (lambda: seam.events.get(event_id=one), "event_not_found"),
            (lambda: seam.action_attempts.get(action_attempt_id=one), "action_attempt_not_found"),
            (lambda: seam.webhooks.get(webhook_id=one), "webhook_not_found"),
            (lambda: seam.client_sessions.get(client_session_id=one), "client_session_not_found"),
        ):
            self.not_found(call, kind)

    def test_a_route_that_is_not_there(self):
        for path in ("/", "/access_grants", "/access_grants/nothing", "/access_methods/create", "/%00", "/access_grants/get/"):
            answer = raw(path, body={})
            self.assertIn(answer.status, [404, 405], path)
            self.shape(answer, answer.status)
        for method in ("PUT", "DELETE", "PATCH"):
            answer = raw("/workspaces/get", method)
            self.assertIn(answer.status, [404, 405], method)
            self.shape(answer, answer.status)

    def test_each_request_has_its_own_id(self):
        seen = {raw("/workspaces/get", "GET").headers["seam-request-id"] for _ in range(20)}
        self.assertEqual(len(seen), 20)
        error = self.refused(lambda: seam.spaces.get(space_id=str(uuid4())), 404)
        self.assertNotIn(error.request_id, seen)

    def test_parameters_that_nobody_knows_are_let_be(self):
        one = guest().user_identity_id
        got = raw(f"/user_identities/get?user_identity_id={one}&_strict=true&of_tomorrow=1", "GET")
        self.assertEqual(got.status, 200)
        posted = raw("/user_identities/get", body={"user_identity_id": one, "of_tomorrow": {"a": 1}})
        self.assertEqual(posted.status, 200)

    def test_a_message_never_repeats_a_key(self):
        secret = "seam_wrong_and_secret"
        answer = raw("/workspaces/get", "GET", token=secret)
        self.assertNotIn(secret, json.dumps(answer.body))
