from urllib.parse import urlparse
from uuid import uuid4

from _hotel import Scenarios, guest, ids, instant, now, seam, stay, unique, until


def holder():
    """A person who has a mobile key, and the key's method."""
    who = guest()
    grant = stay(doors=["room-101"], modes=["mobile_key"], who=who, reservation_key=unique("stay"))

    def probe():
        methods = seam.access_methods.list(access_grant_id=grant.access_grant_id)
        return methods and methods[0].instant_key_url and methods[0]

    return who.user_identity_id, grant, until("the link is there", probe)


class InstantKeys(Scenarios):
    def test_made_with_a_mobile_key(self):
        who, grant, method = holder()
        [key] = seam.instant_keys.list(user_identity_id=who)
        self.assertEqual((key.instant_key_url, key.user_identity_id), (method.instant_key_url, who))
        self.assertGreater(instant(key.expires_at), now)
        self.assertEqual(seam.instant_keys.get(instant_key_id=key.instant_key_id), key)
        self.assertEqual(seam.instant_keys.get(instant_key_url=key.instant_key_url), key)
        batch = seam.access_methods.get_related(
            access_method_ids=[method.access_method_id], include=["instant_keys", "client_sessions"]
        )
        self.assertEqual(ids(batch.instant_keys, "instant_key_id"), [key.instant_key_id])
        self.assertEqual(ids(batch.client_sessions, "client_session_id"), [key.client_session_id])
        after = seam.access_grants.get(access_grant_id=grant.access_grant_id)
        self.assertEqual(after.instant_key_url, key.instant_key_url)

    def test_generated_for_a_person(self):
        who, _, _ = holder()
        make = seam.user_identities.generate_instant_key
        key = make(user_identity_id=who, max_use_count=5)
        self.assertEqual(key.user_identity_id, who)
        self.assertTrue(urlparse(key.instant_key_url).netloc)
        self.assertEqual(len(seam.instant_keys.list(user_identity_id=who)), 2)
        self.not_found(lambda: make(user_identity_id=str(uuid4())), "user_identity_not_found")
        self.refused(lambda: make(user_identity_id=who, max_use_count=0), 400, "invalid_input")

    def test_two_mobile_keys_have_no_link_of_the_grant(self):
        grant = stay(doors=["room-101"], modes=["mobile_key", "mobile_key"], reservation_key=unique("stay"))

        def both():
            methods = seam.access_methods.list(access_grant_id=grant.access_grant_id)
            return len([one for one in methods if one.instant_key_url]) == 2

        until("both links are there", both)
        self.assertIsNone(seam.access_grants.get(access_grant_id=grant.access_grant_id).instant_key_url)

    def test_list(self):
        who, _, method = holder()
        self.assertIn(method.instant_key_url, [key.instant_key_url for key in seam.instant_keys.list()])
        self.assertEqual(len(seam.instant_keys.list(user_identity_id=who)), 1)
        self.not_found(lambda: seam.instant_keys.get(instant_key_id=str(uuid4())), "instant_key_not_found")

    def test_delete(self):
        who, _, method = holder()
        [key] = seam.instant_keys.list(user_identity_id=who)
        seam.instant_keys.delete(instant_key_id=key.instant_key_id)
        self.assertEqual(seam.instant_keys.list(user_identity_id=who), [])
        self.not_found(lambda: seam.instant_keys.get(instant_key_id=key.instant_key_id), "instant_key_not_found")
        self.not_found(lambda: seam.instant_keys.get(instant_key_url=method.instant_key_url), "instant_key_not_found")
