from uuid import uuid4

from _hotel import Scenarios, guest, ids, office, seam, unique, until


def groups():
    return seam.acs.access_groups.list(acs_system_id=office().acs_system_id)


def clerk():
    return seam.acs.users.create(acs_system_id=office().acs_system_id, full_name=unique("Clerk"))


def members(group):
    return ids(seam.acs.access_groups.list_users(acs_access_group_id=group), "acs_user_id")


class AccessGroups(Scenarios):
    def test_list(self):
        two = groups()
        self.assertEqual(len(two), 2)
        self.assertTrue(all(group.is_managed and group.name and group.external_type for group in two))
        found = seam.acs.access_groups.list(search=two[0].name)
        self.assertIn(two[0].acs_access_group_id, ids(found, "acs_access_group_id"))
        self.assertEqual(seam.acs.access_groups.list(acs_system_id=str(uuid4())), [])

    def test_get(self):
        group = groups()[0]
        self.assertEqual(seam.acs.access_groups.get(acs_access_group_id=group.acs_access_group_id), group)
        self.not_found(lambda: seam.acs.access_groups.get(acs_access_group_id=str(uuid4())), "acs_access_group_not_found")

    def test_accessible_entrances(self):
        system = office().acs_system_id
        for group in groups():
            doors = seam.acs.access_groups.list_accessible_entrances(acs_access_group_id=group.acs_access_group_id)
            self.assertTrue(doors)
            self.assertTrue(all(one.acs_system_id == system for one in doors))

    def test_members_by_user(self):
        group, user = groups()[0].acs_access_group_id, clerk().acs_user_id
        seam.acs.access_groups.add_user(acs_access_group_id=group, acs_user_id=user)
        # Added twice is added once: the clients repeat a PUT whose answer was lost.
        seam.acs.access_groups.add_user(acs_access_group_id=group, acs_user_id=user)
        until("the user is a member", lambda: members(group).count(user) == 1)
        self.assertEqual(ids(seam.acs.access_groups.list(acs_user_id=user), "acs_access_group_id"), [group])
        seam.acs.access_groups.remove_user(acs_access_group_id=group, acs_user_id=user)
        until("the user is no member any more", lambda: user not in members(group))
        self.not_found(
            lambda: seam.acs.access_groups.add_user(acs_access_group_id=group, acs_user_id=str(uuid4())), "acs_user_not_found"
        )

    def test_members_by_identity(self):
        group, person = groups()[0].acs_access_group_id, guest()
        identity = person.user_identity_id
        seam.acs.access_groups.add_user(acs_access_group_id=group, user_identity_id=identity)
        [user] = until(
            "a user was made for the person",
            lambda: [one for one in seam.acs.access_groups.list_users(acs_access_group_id=group) if one.user_identity_id == identity],
        )
        self.assertEqual(user.user_identity_full_name or user.full_name, person.full_name)
        self.assertEqual(ids(seam.acs.access_groups.list(user_identity_id=identity), "acs_access_group_id"), [group])
        seam.acs.access_groups.remove_user(acs_access_group_id=group, user_identity_id=identity)
        until("the person is no member any more", lambda: user.acs_user_id not in members(group))

    def test_z_delete(self):
        group = groups()[1].acs_access_group_id
        # The groups of this system are made and deleted in the system itself: refused, and nothing is gone.
        self.refused(lambda: seam.acs.access_groups.delete(acs_access_group_id=group), 400, "acs_access_group_read_only")
        self.assertIn(group, ids(groups(), "acs_access_group_id"))
