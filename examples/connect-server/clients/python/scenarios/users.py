from uuid import uuid4

from _hotel import NULL, Scenarios, at, guest, ids, office, same, seam, unique, until


def system():
    return office().acs_system_id


def user(**more):
    return seam.acs.users.create(**{"acs_system_id": system(), "full_name": unique("Clerk"), **more})


def groups():
    return ids(seam.acs.access_groups.list(acs_system_id=system()), "acs_access_group_id")


def groups_of(user_id):
    return ids(seam.acs.access_groups.list(acs_user_id=user_id), "acs_access_group_id")


def get(user_id):
    return seam.acs.users.get(acs_user_id=user_id)


def found(**filters):
    return ids(seam.acs.users.list(**filters), "acs_user_id")


class Users(Scenarios):
    def test_create_and_get(self):
        name = unique("Clerk")
        made = user(full_name=name, email_address=f"{name}@example.com", phone_number="+15555550101")
        self.assertEqual((made.full_name, made.email_address), (name, f"{name}@example.com"))
        self.assertEqual(made.phone_number, "+15555550101")
        self.assertIs(made.is_managed, True)
        got = get(made.acs_user_id)
        self.assertEqual((got.acs_user_id, got.full_name), (made.acs_user_id, name))
        self.not_found(lambda: get(str(uuid4())), "acs_user_not_found")
        self.not_found(lambda: user(acs_system_id=str(uuid4())), "acs_system_not_found")

    def test_update(self):
        one = user().acs_user_id
        seam.acs.users.update(acs_user_id=one, full_name="Other Name", email_address=f"{unique('other')}@example.com")
        self.assertEqual(get(one).full_name, "Other Name")
        self.assertRegex(get(one).email_address, r"^other-")

    def test_access_schedule(self):
        made = user(access_schedule={"starts_at": at(1), "ends_at": at(5)})
        one = made.acs_user_id
        self.assertTrue(same(made.access_schedule.starts_at, at(1)) and same(made.access_schedule.ends_at, at(5)))
        seam.acs.users.update(acs_user_id=one, access_schedule={"starts_at": at(2), "ends_at": at(6)})
        self.assertTrue(same(get(one).access_schedule.ends_at, at(6)))
        seam.acs.users.update(acs_user_id=one, access_schedule=NULL)
        self.assertIsNone(get(one).access_schedule)

    def test_groups(self):
        one, two = groups()
        who = user(acs_access_group_ids=[one]).acs_user_id
        self.assertEqual(groups_of(who), [one])
        seam.acs.users.add_to_access_group(acs_user_id=who, acs_access_group_id=two)
        self.assertEqual(groups_of(who), sorted([one, two]))
        until("the doors of both groups", lambda: seam.acs.users.list_accessible_entrances(acs_user_id=who))
        seam.acs.users.remove_from_access_group(acs_user_id=who, acs_access_group_id=one)
        until("one group is left", lambda: groups_of(who) == [two])
        seam.acs.users.revoke_access_to_all_entrances(acs_user_id=who)
        until("no door is left", lambda: not seam.acs.users.list_accessible_entrances(acs_user_id=who))

    def test_suspend_and_unsuspend(self):
        one = user().acs_user_id
        seam.acs.users.suspend(acs_user_id=one)
        until("is_suspended is true", lambda: get(one).is_suspended is True)
        seam.acs.users.unsuspend(acs_user_id=one)
        until("is_suspended is false", lambda: get(one).is_suspended is False)

    def test_by_identity_and_system(self):
        person = guest().user_identity_id
        made = user(user_identity_id=person)
        who = {"user_identity_id": person, "acs_system_id": system()}
        self.assertEqual(seam.acs.users.get(**who).acs_user_id, made.acs_user_id)
        # Name and contacts of a person's user are hers, as docs/compatibility.md says: they change with the person.
        self.refused(lambda: seam.acs.users.update(**who, full_name="By User"), 400, "invalid_input")
        seam.user_identities.update(user_identity_id=person, full_name="By Identity")
        self.assertEqual(seam.acs.users.get(**who).full_name, "By Identity")
        seam.acs.users.suspend(**who)
        until("suspended", lambda: seam.acs.users.get(**who).is_suspended)
        seam.acs.users.unsuspend(**who)
        seam.acs.users.delete(**who)
        until("gone", lambda: not seam.acs.users.list(user_identity_id=person))
        self.not_found(lambda: seam.acs.users.get(**who), "acs_user_not_found")

    def test_list_filters(self):
        mark = unique("Searched")
        person = guest(phone_number="+15555550178", full_name=mark)
        one = user(user_identity_id=person.user_identity_id).acs_user_id
        self.assertEqual(found(search=mark), [one])
        self.assertEqual(found(user_identity_id=person.user_identity_id), [one])
        self.assertEqual(found(user_identity_email_address=person.email_address), [one])
        self.assertEqual(found(user_identity_phone_number=person.phone_number), [one])
        self.assertIn(one, found(acs_system_id=system()))
        self.assertEqual(found(acs_system_id=str(uuid4())), [])
        self.assertNotIn(one, found(created_before=at(-1)))
        self.assertIn(one, found(created_before=at(1)))

    def test_pages(self):
        for _ in range(5):
            user()
        paged = seam.create_paginator(seam.acs.users.list, {"limit": 2}).flatten_to_list()
        self.assertEqual(ids(paged, "acs_user_id"), found())

    def test_delete(self):
        one = user().acs_user_id
        seam.acs.users.delete(acs_user_id=one)
        until("gone from the list", lambda: one not in found())
        self.not_found(lambda: get(one), "acs_user_not_found")
        self.not_found(lambda: seam.acs.users.update(acs_user_id=one, full_name="Late"), "acs_user_not_found")
