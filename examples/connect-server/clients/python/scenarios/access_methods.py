from urllib.parse import urlparse
from uuid import uuid4

from _hotel import Scenarios, SeamHttpApiError, at, door, encode, guest, ids, methods_of, ready, seam, stay, unique, until
from seam import SeamActionAttemptFailedError

methods = seam.access_methods


def get(method_id):
    return methods.get(access_method_id=method_id)


def found(**filters):
    return ids(methods.list(**filters), "access_method_id")


class AccessMethods(Scenarios):
    def test_code(self):
        grant = stay(doors=["gym", "lobby"], modes=[{"mode": "code", "code": "713265"}])
        [method] = ready(grant)
        self.assertEqual((method.mode, method.is_issued, method.code), ("code", True, "713265"))
        self.assertTrue(method.issued_at)
        self.opens("gym", method)
        self.opens("lobby", method)

        def types():
            return [event.event_type for event in seam.events.list(access_grant_id=grant.access_grant_id, since=at(-1))]

        until("all doors are told", lambda: "access_grant.access_granted_to_all_doors" in types())
        told = types()
        self.assertEqual(told[0], "access_grant.created")
        self.assertEqual(told.count("access_grant.access_granted_to_door"), 2)
        self.assertEqual(told[-1], "access_grant.access_granted_to_all_doors")

    def test_codes_differ(self):
        codes = [ready(stay(doors=["gym"], modes=["code"]))[0].code for _ in range(3)]
        self.assertEqual(len(set(codes)), 3)
        for code in codes:
            self.assertRegex(code, r"^\d{4,9}$")

    def test_a_code_that_is_taken(self):
        request = [{"mode": "code", "code": "502917"}]
        [first] = ready(stay(doors=["gym"], modes=request))
        [second] = ready(stay(doors=["gym"], modes=request))
        self.assertEqual(first.code, "502917")
        self.assertNotEqual(second.code, "502917", "a wish, not a promise: no two people share a code")

    def test_a_code_that_cannot_be(self):
        for code in ("12", "1234567890", "12ab"):
            modes = [{"mode": "code", "code": code}]
            error = self.refused(lambda: stay(doors=["gym"], modes=modes), 400, "invalid_input")
            self.assertTrue(error.validation_errors)

    def test_card(self):
        [method] = ready(stay(doors=["room-101", "gym"], modes=["card"], reservation_key=unique("stay")))
        self.assertEqual((method.mode, method.is_issued, method.is_encoding_required), ("card", False, True))
        written = encode(method)
        self.assertIs(written.is_encoding_required, False)
        self.opens("room-101", written)
        self.opens("gym", written)
        self.stays_shut("lobby", written)

    def test_a_lost_card(self):
        grant = stay(doors=["room-101"], modes=["card"], reservation_key=unique("stay"))
        [lost] = ready(grant)
        encode(lost)
        self.opens("room-101", lost)
        methods.delete(access_method_id=lost.access_method_id)
        until("the method is gone", lambda: lost.access_method_id not in ids(methods_of(grant), "access_method_id"))
        seam.access_grants.request_access_methods(
            access_grant_id=grant.access_grant_id, requested_access_methods=[{"mode": "card"}]
        )
        [fresh] = ready(grant, 1)
        encode(fresh)
        self.opens("room-101", fresh)
        self.is_dead("room-101", lost)

    def test_cloud_key(self):
        [method] = ready(stay(doors=["lobby"], modes=["cloud_key"]))
        self.assertIs(method.is_issued, True)
        lobby = door("lobby").acs_entrance_id
        attempt = methods.unlock_door(access_method_id=method.access_method_id, acs_entrance_id=lobby)
        self.assertEqual((attempt.action_type, attempt.status), ("UNLOCK_DOOR", "success"))
        with self.assertRaises((SeamActionAttemptFailedError, SeamHttpApiError), msg="another door is not unlocked"):
            methods.unlock_door(access_method_id=method.access_method_id, acs_entrance_id=door("gym").acs_entrance_id)
        [code] = ready(stay(doors=["lobby"], modes=["code"]))
        self.refused(lambda: methods.unlock_door(access_method_id=code.access_method_id, acs_entrance_id=lobby), 400)

    def test_a_cloud_key_before_its_time(self):
        early = stay(doors=["lobby"], modes=["cloud_key"], start=24, end=48)
        [method] = until("the method is there", lambda: methods_of(early))
        with self.assertRaises((SeamActionAttemptFailedError, SeamHttpApiError)) as caught:
            methods.unlock_door(access_method_id=method.access_method_id, acs_entrance_id=door("lobby").acs_entrance_id)
        if isinstance(caught.exception, SeamHttpApiError):
            self.assertIn(caught.exception.status_code, [400, 409])

    def test_mobile_key(self):
        who = guest()
        request = {"mode": "mobile_key", "instant_key_max_use_count": 3}
        grant = stay(doors=["room-102"], modes=[request], who=who, reservation_key=unique("stay"))

        def handed_out():
            now = methods_of(grant)
            return now and now[0].instant_key_url and now[0].client_session_token and now[0]

        method = until("the key can be handed out", handed_out)
        self.assertRegex(method.client_session_token, r"^seam_cst")
        self.assertTrue(urlparse(method.instant_key_url).netloc)
        after = seam.access_grants.get(access_grant_id=grant.access_grant_id)
        self.assertEqual(after.instant_key_url, method.instant_key_url)
        self.assertEqual(after.client_session_token, method.client_session_token)
        key = seam.instant_keys.get(instant_key_url=method.instant_key_url)
        self.assertEqual(key.user_identity_id, who.user_identity_id)
        until("the key is issued", lambda: get(method.access_method_id).is_issued)
        self.opens("room-102", method)
        self.stays_shut("room-101", method)

    def test_list_filters(self):
        key = unique("grant")
        grant = stay(doors=["gym", "lobby"], modes=["code"], access_grant_key=key)
        one = ready(grant)[0].access_method_id
        self.assertEqual(found(access_grant_id=grant.access_grant_id), [one])
        self.assertEqual(found(access_grant_key=key), [one])
        gym = door("gym").acs_entrance_id
        self.assertIn(one, found(acs_entrance_id=gym))
        room = door("room-101").acs_entrance_id
        self.assertEqual(found(access_grant_id=grant.access_grant_id, acs_entrance_id=room), [])
        paged = seam.create_paginator(methods.list, {"acs_entrance_id": gym, "limit": 2}).flatten_to_list()
        self.assertEqual(ids(paged, "access_method_id"), found(acs_entrance_id=gym))
        self.not_found(lambda: found(access_grant_id=str(uuid4())), "access_grant_not_found")

    def test_get_related(self):
        grant = stay(doors=["gym"], modes=["code"])
        one = ready(grant)[0].access_method_id
        batch = methods.get_related(access_method_ids=[one])
        self.assertEqual(ids(batch.access_grants, "access_grant_id"), [grant.access_grant_id])
        self.assertEqual([found["display_name"] for found in batch.acs_entrances], ["gym"])
        self.assertEqual(len(batch.acs_credentials), 1)
        self.assertFalse(methods.get_related(access_method_ids=[one], include=["access_grants"]).acs_entrances)
        self.not_found(lambda: methods.get_related(access_method_ids=[str(uuid4())]), "access_method_not_found")

    def test_delete_one_and_all(self):
        grant = stay(doors=["lobby"], modes=["code", "cloud_key"])
        one, other = ready(grant, 2)
        methods.delete(access_method_id=one.access_method_id)
        until("one is left", lambda: ids(methods_of(grant), "access_method_id") == [other.access_method_id])
        self.not_found(lambda: get(one.access_method_id), "access_method_not_found")
        methods.delete(access_grant_id=grant.access_grant_id)
        until("none is left", lambda: not methods_of(grant))
        after = seam.access_grants.get(access_grant_id=grant.access_grant_id)
        self.assertEqual(after.access_grant_id, grant.access_grant_id, "the grant stays")

    def test_assign_card(self):
        # The hotel writes its cards; there is no card that could be assigned by its number.
        one = ready(stay(doors=["gym"], modes=["card"]))[0].access_method_id
        with self.assertRaises((SeamActionAttemptFailedError, SeamHttpApiError)) as caught:
            methods.assign_card(access_method_id=one, card_number="12345")
        if isinstance(caught.exception, SeamActionAttemptFailedError):
            self.assertIn(caught.exception.code, ["credential_not_found", "uncategorized_error"])
        else:
            self.assertEqual(caught.exception.status_code, 400)
