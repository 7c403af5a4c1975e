from uuid import uuid4

from _hotel import NULL, Scenarios, at, door, ids, methods_of, ready, seam, stay, unique, until


def door_ids(*names):
    return sorted(door(name).acs_entrance_id for name in names)


def space(**more):
    return seam.spaces.create(**{"name": unique("Floor"), **more})


def doors_in(space_id):
    return ids(seam.acs.entrances.list(space_id=space_id), "acs_entrance_id")


class Spaces(Scenarios):
    def test_create_and_get(self):
        space_key = unique("floor")
        made = space(name="Ground floor", space_key=space_key, acs_entrance_ids=door_ids("gym", "lobby"), customer_key="house")
        self.assertEqual((made.name, made.display_name, made.space_key), ("Ground floor", "Ground floor", space_key))
        self.assertEqual((made.acs_entrance_count, made.device_count), (2, 0))
        self.assertEqual(seam.spaces.get(space_id=made.space_id), made)
        self.assertEqual(seam.spaces.get(space_key=space_key), made)
        self.assertIn(made.space_id, door("gym").space_ids)
        self.not_found(lambda: seam.spaces.get(space_id=str(uuid4())), "space_not_found")
        self.not_found(lambda: seam.spaces.get(space_key=unique("none")), "space_not_found")
        self.refused(lambda: space(space_key=space_key), [400, 409])

    def test_update(self):
        one = space(acs_entrance_ids=door_ids("gym")).space_id
        self.assertEqual(seam.spaces.update(space_id=one, name="Renamed", acs_entrance_ids=door_ids("lobby")).name, "Renamed")
        self.assertEqual(doors_in(one), door_ids("lobby"), "a list replaces the set")
        emptied = seam.spaces.update(space_id=one, acs_entrance_ids=[])
        self.assertEqual((emptied.acs_entrance_count, emptied.name), (0, "Renamed"))

    def test_customer_data_is_merged(self):
        data = {"address": "1 Main St", "default_checkin_time": "15:00", "time_zone": "Europe/Paris"}
        made = space(customer_data=data)
        self.assertEqual({name: made.customer_data[name] for name in data}, data)
        changed = seam.spaces.update(space_id=made.space_id, customer_data={"default_checkin_time": "16:30", "address": NULL})
        self.assertEqual(changed.customer_data["default_checkin_time"], "16:30")
        self.assertEqual(changed.customer_data["time_zone"], "Europe/Paris")
        self.assertIsNone(changed.customer_data.get("address"))
        wrong = {"default_checkin_time": "25:00"}
        error = self.refused(lambda: seam.spaces.update(space_id=made.space_id, customer_data=wrong), 400, "invalid_input")
        self.assertTrue(error.validation_errors)

    def test_doors_come_and_go(self):
        both = door_ids("gym", "lobby")
        one = space().space_id
        seam.spaces.add_acs_entrances(space_id=one, acs_entrance_ids=both)
        seam.spaces.add_acs_entrances(space_id=one, acs_entrance_ids=both)
        self.assertEqual(doors_in(one), both)
        self.assertEqual(seam.spaces.get(space_id=one).acs_entrance_count, 2)
        seam.spaces.remove_acs_entrances(space_id=one, acs_entrance_ids=both[:1])
        seam.spaces.remove_acs_entrances(space_id=one, acs_entrance_ids=both[:1])
        self.assertEqual(doors_in(one), both[1:])
        unknown = str(uuid4())
        self.not_found(lambda: seam.spaces.add_acs_entrances(space_id=one, acs_entrance_ids=[unknown]), "acs_entrance_not_found")
        self.not_found(lambda: seam.spaces.add_acs_entrances(space_id=unknown, acs_entrance_ids=both), "space_not_found")
        kinds = ["device_not_found", "acs_entrance_not_found"]
        self.not_found(lambda: seam.spaces.add_devices(space_id=one, device_ids=[unknown]), kinds)

    def test_an_entrance_is_a_device_by_its_second_name(self):
        both = door_ids("gym", "lobby")
        one = space().space_id
        seam.spaces.add_devices(space_id=one, device_ids=both)
        self.assertEqual(doors_in(one), both)
        seam.spaces.remove_devices(space_id=one, device_ids=both[:1])
        self.assertEqual(doors_in(one), both[1:])

    def test_connected_accounts_come_and_go(self):
        account = door("gym").connected_account_id
        one = space().space_id
        seam.spaces.add_connected_account(space_id=one, connected_account_id=account)

        def listed():
            # The filter is not among the parameters of the client's method, so it is asked for by hand.
            answer = seam.client.post("/spaces/list", json={"connected_account_id": account})
            return one in [found["space_id"] for found in answer["spaces"]]

        self.assertTrue(listed())
        seam.spaces.remove_connected_account(space_id=one, connected_account_id=account)
        self.assertFalse(listed())

    def test_grants_follow_the_space(self):
        one = space(acs_entrance_ids=door_ids("gym")).space_id
        grant = stay(modes=["code"], space_ids=[one])
        self.assertEqual(grant.space_ids, [one])
        [code] = ready(grant)
        self.opens("gym", code)
        self.stays_shut("lobby", code)

        def opened(name):
            [method] = methods_of(grant)
            return method.is_issued and self.tries(name, method.access_method_id)["opened"]

        def held(name):
            methods = seam.access_methods.list(access_grant_id=grant.access_grant_id, acs_entrance_id=door(name).acs_entrance_id)
            return any(method.is_issued for method in methods)

        seam.spaces.add_acs_entrances(space_id=one, acs_entrance_ids=door_ids("lobby"))
        until("the lobby belongs to the grant", lambda: held("lobby"))
        until("the code opens the lobby", lambda: opened("lobby"))
        seam.spaces.remove_acs_entrances(space_id=one, acs_entrance_ids=door_ids("gym"))
        until("the gym is lost", lambda: not opened("gym"))
        events = seam.events.list(space_id=one, since=at(-1))
        self.assertGreaterEqual(len([event for event in events if event.event_type == "space.device_membership_changed"]), 2)

    def test_get_related(self):
        space_key = unique("floor")
        made = space(space_key=space_key, acs_entrance_ids=door_ids("gym"))
        batch = seam.spaces.get_related(space_keys=[space_key], include=["acs_entrances", "acs_systems"])
        self.assertEqual(ids(batch.acs_entrances, "acs_entrance_id"), door_ids("gym"))
        self.assertEqual(len(batch.acs_systems), 1)
        self.assertFalse(batch.spaces)
        self.assertFalse(seam.spaces.get_related(space_ids=[made.space_id], exclude=["acs_entrances"]).acs_entrances)
        self.not_found(lambda: seam.spaces.get_related(space_ids=[str(uuid4())]), "space_not_found")

    def test_list_filters(self):
        space_key, name, customer_key = unique("key"), unique("Name"), unique("house")
        one = space(space_key=space_key, name=name, customer_key=customer_key).space_id
        for filters in ({"space_key": space_key}, {"search": name}, {"customer_key": customer_key}):
            self.assertEqual(ids(seam.spaces.list(**filters), "space_id"), [one], filters)
        everything = ids(seam.spaces.list(), "space_id")
        paged = seam.create_paginator(seam.spaces.list, {"limit": 2}).flatten_to_list()
        self.assertEqual(ids(paged, "space_id"), everything)

    def test_delete(self):
        one = space(acs_entrance_ids=door_ids("gym")).space_id
        seam.spaces.delete(space_id=one)
        until("the space is gone", lambda: one not in ids(seam.spaces.list(), "space_id"))
        self.not_found(lambda: seam.spaces.get(space_id=one), "space_not_found")
        self.assertNotIn(one, door("gym").space_ids)
