from uuid import uuid4

from _hotel import Scenarios, at, guest, ids, raw, same, seam, stay, unique, until

sessions = seam.client_sessions


def get(session):
    return sessions.get(client_session_id=session)


def found(**filters):
    return ids(sessions.list(**filters), "client_session_id")


def as_session(path, token, body=None):
    return raw(path, body=body or {}, token=token, headers={"client-session-token": token})


class ClientSessions(Scenarios):
    def test_create_and_get(self):
        who, key = guest().user_identity_id, unique("phone")
        made = sessions.create(user_identity_id=who, user_identifier_key=key, expires_at=at(24))
        self.assertRegex(made.token, r"^seam_cst")
        self.assertEqual((made.user_identity_id, made.user_identity_ids, made.user_identifier_key), (who, [who], key))
        self.assertTrue(same(made.expires_at, at(24)))
        self.assertEqual(get(made.client_session_id).client_session_id, made.client_session_id)
        self.assertEqual(sessions.get(user_identifier_key=key).client_session_id, made.client_session_id)
        self.not_found(lambda: get(str(uuid4())), "client_session_not_found")
        self.not_found(lambda: sessions.create(user_identity_id=str(uuid4())), "user_identity_not_found")

    def test_get_or_create(self):
        what = {"user_identity_id": guest().user_identity_id, "user_identifier_key": unique("phone")}
        made = sessions.get_or_create(**what)
        self.assertEqual(sessions.get_or_create(**what).client_session_id, made.client_session_id)

    def test_grant_access(self):
        who = guest().user_identity_id
        one = sessions.create(user_identifier_key=unique("phone")).client_session_id
        sessions.grant_access(client_session_id=one, user_identity_id=who)
        self.assertEqual(get(one).user_identity_id, who)

    def test_list_filters(self):
        who, key = guest().user_identity_id, unique("phone")
        one = sessions.create(user_identity_id=who, user_identifier_key=key).client_session_id
        nameless = sessions.create(user_identity_id=guest().user_identity_id).client_session_id
        for filters in ({"client_session_id": one}, {"user_identifier_key": key}, {"user_identity_id": who}):
            self.assertEqual(found(**filters), [one], filters)
        without = found(without_user_identifier_key=True)
        self.assertIn(nameless, without)
        self.assertNotIn(one, without)

    def test_the_session_of_a_mobile_key(self):
        who = guest()
        grant = stay(doors=["room-101"], modes=["mobile_key"], who=who, reservation_key=unique("stay"))
        other = stay(doors=["lobby"], modes=["code"])

        def probe():
            methods = seam.access_methods.list(access_grant_id=grant.access_grant_id)
            return methods and methods[0].client_session_token and methods[0]

        method = until("the token is there", probe)
        token = method.client_session_token
        [session] = sessions.list(user_identity_id=who.user_identity_id)
        self.assertEqual(session.token, token)
        # The phone sees what belongs to its person, and nothing else.
        own = as_session("/access_methods/get", token, {"access_method_id": method.access_method_id})
        self.assertEqual(own.status, 200, own.body)
        foreign = as_session("/access_grants/get", token, {"access_grant_id": other.access_grant_id})
        self.assertIn(foreign.status, [401, 403, 404])
        rights = as_session("/acs/entrances/list", token)
        if rights.status == 200:
            self.assertEqual({one["display_name"] for one in rights.body["acs_entrances"]} - {"room-101"}, set())

    def test_revoke_and_delete(self):
        who = guest().user_identity_id
        revoked = sessions.create(user_identity_id=who)
        sessions.revoke(client_session_id=revoked.client_session_id)
        self.assertEqual(as_session("/user_identities/list", revoked.token).status, 401, "a revoked token opens nothing")
        made = sessions.create(user_identity_id=who)
        sessions.delete(client_session_id=made.client_session_id)
        self.not_found(lambda: get(made.client_session_id), "client_session_not_found")
        self.assertEqual(as_session("/user_identities/list", made.token).status, 401)
        self.not_found(lambda: sessions.delete(client_session_id=str(uuid4())), "client_session_not_found")
