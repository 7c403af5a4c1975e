from uuid import uuid4

from _hotel import Scenarios, at, door, encoder, guest, ids, same, seam, until


def credential(name, access_method, who=None, **more):
    """A credential made without a grant, for one person at one door."""
    entrance = door(name)
    return seam.acs.credentials.create(
        user_identity_id=(who or guest()).user_identity_id,
        acs_system_id=entrance.acs_system_id,
        access_method=access_method,
        allowed_acs_entrance_ids=[entrance.acs_entrance_id],
        starts_at=at(-1),
        ends_at=at(24),
        **more,
    )


def get(credential_id):
    return seam.acs.credentials.get(acs_credential_id=credential_id)


def found(**filters):
    return ids(seam.acs.credentials.list(**filters), "acs_credential_id")


def issued(made):
    def probe():
        now = get(made.acs_credential_id)
        return now.is_issued and now

    return until("the credential is issued", probe)


class Credentials(Scenarios):
    def test_code(self):
        made = credential("gym", "code", code="246813")
        self.assertEqual((made.access_method, made.is_managed), ("code", True))
        self.assertTrue(same(made.ends_at, at(24)))
        live = issued(made)
        self.assertEqual(live.code, "246813")
        self.assertIs(self.tries("gym", acs_credential_id=live.acs_credential_id)["opened"], True)
        self.assertIs(self.tries("lobby", acs_credential_id=live.acs_credential_id)["opened"], False)

    def test_card(self):
        made = credential("gym", "card")
        self.assertFalse(made.is_issued)
        attempt = seam.acs.encoders.encode_credential(
            acs_encoder_id=encoder().acs_encoder_id, acs_credential_id=made.acs_credential_id
        )
        self.assertEqual(attempt.status, "success")
        live = issued(made)
        self.assertTrue(live.issued_at)
        self.assertIs(self.tries("gym", acs_credential_id=live.acs_credential_id)["opened"], True)

    def test_list_filters(self):
        who = guest()
        made = credential("gym", "code", who=who)
        one = made.acs_credential_id
        self.assertEqual(found(user_identity_id=who.user_identity_id), [one])
        self.assertIn(one, found(acs_system_id=made.acs_system_id))
        self.assertNotIn(one, found(created_before=at(-1)))
        self.assertIn(one, found(is_multi_phone_sync_credential=False))
        if made.acs_user_id:
            self.assertEqual(found(acs_user_id=made.acs_user_id), [one])
        self.assertEqual(found(acs_system_id=str(uuid4())), [])

    def test_pages(self):
        for _ in range(4):
            credential("gym", "code")
        paged = seam.create_paginator(seam.acs.credentials.list, {"limit": 3}).flatten_to_list()
        self.assertEqual(ids(paged, "acs_credential_id"), found())

    def test_accessible_entrances(self):
        made = credential("gym", "code")
        doors = seam.acs.credentials.list_accessible_entrances(acs_credential_id=made.acs_credential_id)
        self.assertEqual([one.display_name for one in doors], ["gym"])
        self.not_found(
            lambda: seam.acs.credentials.list_accessible_entrances(acs_credential_id=str(uuid4())), "acs_credential_not_found"
        )

    def test_update(self):
        one = credential("gym", "code").acs_credential_id
        seam.acs.credentials.update(acs_credential_id=one, ends_at=at(30), code="864213")
        until("the new code is set", lambda: get(one).code == "864213")
        self.assertTrue(same(get(one).ends_at, at(30)))

    def test_assign_and_unassign(self):
        first, second = guest(), guest()
        one = credential("gym", "card", who=first).acs_credential_id
        seam.acs.credentials.unassign(acs_credential_id=one, user_identity_id=first.user_identity_id)
        self.assertIsNone(get(one).user_identity_id)
        seam.acs.credentials.assign(acs_credential_id=one, user_identity_id=second.user_identity_id)
        self.assertEqual(found(user_identity_id=second.user_identity_id), [one])
        self.assertEqual(found(user_identity_id=first.user_identity_id), [])

    def test_delete(self):
        made = credential("gym", "code")
        issued(made)
        seam.acs.credentials.delete(acs_credential_id=made.acs_credential_id)
        until("the credential is gone", lambda: made.acs_credential_id not in found())
        self.not_found(lambda: get(made.acs_credential_id), "acs_credential_not_found")
