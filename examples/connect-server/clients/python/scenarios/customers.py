from _hotel import Scenarios, SeamHttpApiError, at, door, ids, same, seam, unique, until

push = seam.customers.push_data


def grants_of(reservation):
    return seam.access_grants.list(reservation_key=reservation)


def some(reservation):
    return until("the reservation has a grant", lambda: grants_of(reservation))


def booking(reservation, person, room, **more):
    return {
        "reservation_key": reservation,
        "user_identity_key": person,
        "space_keys": [room],
        "starts_at": at(2),
        "ends_at": at(26),
        **more,
    }


def space(key):
    return seam.spaces.get(space_key=key)


def person_of(key):
    return seam.user_identities.get(user_identity_key=key)


def house():
    """A house with two rooms, each a space with its door, and a guest; none of them known before."""
    customer, rooms, person = unique("house"), [unique("room"), unique("room")], unique("guest")
    push(
        customer_key=customer,
        spaces=[{"space_key": key, "name": key} for key in rooms],
        user_identities=[{"user_identity_key": person, "name": "Alan Turing", "email_address": f"{person}@example.com"}],
    )
    for key, name in zip(rooms, ("room-101", "room-102")):
        seam.spaces.add_acs_entrances(space_id=space(key).space_id, acs_entrance_ids=[door(name).acs_entrance_id])
    return customer, rooms, person


def gone(call):
    try:
        call()
    except SeamHttpApiError as error:
        return error.status_code == 404
    return False


class Customers(Scenarios):
    def test_create_change_delete(self):
        customer, rooms, person = house()
        key = unique("booking")
        push(customer_key=customer, reservations=[booking(key, person, rooms[0], name="Two nights")])
        grant = some(key)[0]
        self.assertEqual(person_of(person).full_name, "Alan Turing")
        self.assertEqual(grant.user_identity_id, person_of(person).user_identity_id)
        self.assertEqual(grant.space_ids, [space(rooms[0]).space_id])
        self.assertTrue(same(grant.starts_at, at(2)) and same(grant.ends_at, at(26)))
        self.assertTrue(grant.requested_access_methods)

        push(customer_key=customer, reservations=[booking(key, person, rooms[0], name="Two nights")])
        self.assertEqual(ids(grants_of(key), "access_grant_id"), [grant.access_grant_id], "pushed twice is there once")

        push(customer_key=customer, reservations=[booking(key, person, rooms[0], ends_at=at(50))])
        until("the stay is longer", lambda: all(same(one.ends_at, at(50)) for one in grants_of(key)))

        seam.customers.delete_data(reservation_keys=[key])
        until("the grants are gone", lambda: not grants_of(key))
        self.assertTrue(person_of(person), "the person stays")

    def test_a_move_to_another_room(self):
        customer, rooms, person = house()
        key = unique("booking")
        push(customer_key=customer, reservations=[booking(key, person, rooms[0])])
        some(key)
        push(customer_key=customer, reservations=[booking(key, person, rooms[1])])
        other = [space(rooms[1]).space_id]
        until(
            "the grants are for the other room",
            lambda: grants_of(key) and all(grant.space_ids == other for grant in grants_of(key)),
        )

    def test_other_names_for_the_same(self):
        customer, room, person, key = unique("house"), unique("room"), unique("guest"), unique("booking")
        push(
            customer_key=customer,
            rooms=[{"room_key": room, "name": "Room"}],
            guests=[{"guest_key": person, "name": "Guest"}],
        )
        seam.spaces.add_acs_entrances(space_id=space(room).space_id, acs_entrance_ids=[door("room-102").acs_entrance_id])
        reservation = {"reservation_key": key, "guest_key": person, "room_keys": [room], "starts_at": at(2), "ends_at": at(26)}
        push(customer_key=customer, reservations=[reservation])
        grant = some(key)[0]
        self.assertEqual(grant.space_ids, [space(room).space_id])
        self.assertEqual(person_of(person).user_identity_id, grant.user_identity_id)

    def test_people_and_spaces_change(self):
        customer, rooms, person = house()
        push(
            customer_key=customer,
            spaces=[{"space_key": rooms[0], "name": "Suite"}],
            user_identities=[{"user_identity_key": person, "name": "A. M. Turing"}],
        )
        until(
            "the names are the new ones",
            lambda: space(rooms[0]).name == "Suite" and person_of(person).full_name == "A. M. Turing",
        )
        self.assertEqual(ids(seam.spaces.list(customer_key=customer), "space_key"), sorted(rooms))

    def test_delete_everything_of_a_customer(self):
        customer, rooms, person = house()
        key = unique("booking")
        push(customer_key=customer, reservations=[booking(key, person, rooms[0])])
        some(key)
        seam.customers.delete_data(customer_keys=[customer])
        until("the grants are gone", lambda: not grants_of(key))
        until("the spaces are gone", lambda: not seam.spaces.list(customer_key=customer))

    def test_delete_people_and_spaces(self):
        _, rooms, person = house()
        seam.customers.delete_data(user_identity_keys=[person], space_keys=[rooms[1]])
        until("the person is gone", lambda: gone(lambda: person_of(person)))
        until("the space is gone", lambda: gone(lambda: space(rooms[1])))
        self.assertTrue(space(rooms[0]))

    def test_what_cannot_be(self):
        error = self.refused(lambda: push(customer_key="", reservations=[]), 400, "invalid_input")
        self.assertIn("customer_key", [one.parameter_name for one in error.validation_errors])
        self.refused(lambda: push(customer_key="house", reservations=[{"name": "no key"}]), 400, "invalid_input")
