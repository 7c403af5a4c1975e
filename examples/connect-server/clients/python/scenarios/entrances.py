from uuid import uuid4

from _hotel import Scenarios, SeamHttpApiError, door, guest, hotel, ids, office, raw, ready, seam, stay, unique, until


def can(entrance):
    modes = [mode for mode in ("code", "card", "mobile_key", "cloud_key") if getattr(entrance, f"can_unlock_with_{mode}")]
    return ",".join(modes) + (" reservation" if entrance.can_belong_to_reservation else "")


def listed(**filters):
    return ids(seam.acs.entrances.list(**filters), "acs_entrance_id")


class Entrances(Scenarios):
    def test_the_doors_of_the_sandbox(self):
        doors = seam.acs.entrances.list(acs_system_id=hotel().acs_system_id)
        self.assertEqual(
            {one.display_name: can(one) for one in doors},
            {
                "room-101": "card,mobile_key reservation",
                "room-102": "card,mobile_key reservation",
                "gym": "code,card",
                "lobby": "code,cloud_key",
            },
        )

    def test_list_filters(self):
        gym, lobby = door("gym"), door("lobby")
        both = ids([gym, lobby], "acs_entrance_id")
        self.assertEqual(listed(acs_entrance_ids=both), both)
        self.assertEqual(listed(acs_entrance_ids=[gym.acs_entrance_id]), [gym.acs_entrance_id])
        self.assertEqual(listed(search="gym"), [gym.acs_entrance_id])
        self.assertIn(gym.acs_entrance_id, listed(connected_account_id=gym.connected_account_id))
        space = seam.spaces.create(name=unique("Ground floor"), acs_entrance_ids=both, customer_key="ground")
        self.assertEqual(listed(space_id=space.space_id), both)
        self.assertEqual(listed(customer_key="nobody"), [])
        in_office = listed(acs_system_id=office().acs_system_id)
        self.assertTrue(in_office)
        self.assertFalse(set(in_office) & set(both))

    def test_list_by_what_opens_it(self):
        [method] = ready(stay(doors=["gym"], modes=["code"]))
        gym = door("gym").acs_entrance_id
        self.assertEqual(listed(access_method_id=method.access_method_id), [gym])
        related = seam.access_methods.get_related(access_method_ids=[method.access_method_id], include=["acs_credentials"])
        self.assertEqual(listed(acs_credential_id=related.acs_credentials[0]["acs_credential_id"]), [gym])

    def test_pages(self):
        pages = seam.create_paginator(seam.acs.entrances.list, {"limit": 2})
        self.assertEqual(ids(pages.flatten_to_list(), "acs_entrance_id"), listed())

    def test_get(self):
        gym = door("gym")
        self.assertEqual(seam.acs.entrances.get(acs_entrance_id=gym.acs_entrance_id), gym)
        self.not_found(lambda: seam.acs.entrances.get(acs_entrance_id=str(uuid4())), "acs_entrance_not_found")

    def test_grant_access(self):
        # Nothing says which doors of which system can be granted alone: either the person can enter afterwards, or the refusal is typed.
        entrance = seam.acs.entrances.list(acs_system_id=office().acs_system_id)[0]
        person = guest()
        what = {"acs_entrance_id": entrance.acs_entrance_id, "user_identity_id": person.user_identity_id}
        try:
            seam.acs.entrances.grant_access(**what)
        except SeamHttpApiError:
            self.refused(lambda: seam.acs.entrances.grant_access(**what), 400, "not_supported")
            return
        until(
            "the door is among those of the person",
            lambda: entrance.acs_entrance_id
            in ids(seam.user_identities.list_accessible_entrances(user_identity_id=person.user_identity_id), "acs_entrance_id"),
        )

    def test_credentials_with_access(self):
        [method] = ready(stay(doors=["gym"], modes=["code"]))
        gym = door("gym").acs_entrance_id
        [found] = until(
            "the code is among what opens the gym",
            lambda: [one for one in seam.acs.entrances.list_credentials_with_access(acs_entrance_id=gym) if one.code == method.code],
        )
        self.assertEqual(found.access_method, "code")

    def test_unlock_with_a_cloud_key(self):
        [method] = ready(stay(doors=["lobby"], modes=["cloud_key"]))
        [credential] = seam.access_methods.get_related(access_method_ids=[method.access_method_id]).acs_credentials
        attempt = seam.acs.entrances.unlock(
            acs_credential_id=credential["acs_credential_id"], acs_entrance_id=door("lobby").acs_entrance_id
        )
        self.assertEqual((attempt.action_type, attempt.status), ("UNLOCK_DOOR", "success"))

    def test_use_credential_of_nobody(self):
        gym = door("gym").acs_entrance_id
        for held in ({"access_method_id": str(uuid4())}, {"acs_credential_id": str(uuid4())}):
            answer = raw("/acs/entrances/simulate/use_credential", body={"acs_entrance_id": gym, **held})
            self.assertTrue(answer.status == 404 or answer.body["use"]["opened"] is False, answer.body)
        nothing = raw("/acs/entrances/simulate/use_credential", body={"acs_entrance_id": gym})
        self.assertEqual((nothing.status, nothing.body["error"]["type"]), (400, "invalid_input"))
