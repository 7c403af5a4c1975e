from _hotel import Scenarios, at, card_at, encode, encoder, guest, methods_of, ready, same, seam, stay, unique, until


def count(key):
    return len(seam.access_grants.list(reservation_key=key))


def card(doors, key, **more):
    return stay(doors=doors, modes=["card"], reservation_key=key, **more)


class Reservations(Scenarios):
    def ruled(self, call, status, kind, title):
        """The refusal with its stable type, and the title of the guides at the head of the message."""
        error = self.refused(call, status, kind)
        self.assertTrue(str(error).startswith(title), str(error))

    def test_r1_a_key_without_a_door_for_it(self):
        key = unique("stay")
        call = lambda: stay(doors=["gym"], modes=["code"], reservation_key=key)  # noqa: E731
        self.ruled(call, 400, "reservation_key_not_supported", "reservation_key not supported.")
        self.assertEqual(count(key), 0)

    def test_r1b_a_guest_without_a_key(self):
        who = guest()
        call = lambda: stay(doors=["room-101"], modes=["card"], who=who)  # noqa: E731
        self.ruled(call, 400, "reservation_key_required", "reservation_key required")
        self.assertEqual(seam.access_grants.list(user_identity_id=who.user_identity_id), [])

    def test_r2_another_door(self):
        key = unique("stay")
        card(["room-101"], key)
        title = "Reservation entrance change requires cleanup."
        self.ruled(lambda: card(["room-102"], key), 409, "reservation_entrance_change", title)
        self.assertEqual(count(key), 1)

    def test_r3_one_door_more(self):
        key = unique("stay")
        card(["room-101"], key)
        title = "Reservation joiner entrance set conflict."
        self.ruled(lambda: card(["room-101", "room-102"], key), 409, "reservation_joiner_entrance_set", title)
        self.assertEqual(count(key), 1)

    def test_r4_times_that_do_not_overlap(self):
        key = unique("stay")
        card(["room-101"], key, start=0, end=24)
        title = "Reservation time frames must overlap."
        self.ruled(lambda: card(["room-101"], key, start=100, end=124), 409, "reservation_time_frames", title)
        self.assertEqual(count(key), 1)

    def test_the_same_or_fewer_doors_join(self):
        key = unique("stay")
        card(["room-101", "room-102"], key)
        card(["room-101", "room-102"], key)
        card(["room-102"], key)
        self.assertEqual(count(key), 3)

    def test_other_doors_do_not_count(self):
        key = unique("stay")
        card(["room-101", "gym"], key)
        card(["room-101"], key)
        self.assertEqual(card(["room-101", "gym"], key).reservation_key, key)
        self.assertEqual(count(key), 3)

    def test_a_move_deletes_and_creates_again(self):
        key = unique("stay")
        seam.access_grants.delete(access_grant_id=card(["room-101"], key).access_grant_id)
        until("the stay is cleaned up", lambda: count(key) == 0)
        card(["room-102"], key)
        self.assertEqual(count(key), 1)

    def test_a_joiner_opens_beside_the_first(self):
        key = unique("stay")
        _, first = card_at(doors=["room-101"], reservation_key=key)
        self.opens("room-101", first)
        _, second = card_at(doors=["room-101"], reservation_key=key)
        self.opens("room-101", second)
        self.opens("room-101", first)
        self.stays_shut("room-102", second)

    def test_two_cards_of_one_grant(self):
        methods = ready(stay(doors=["room-101"], modes=["card", "card"], reservation_key=unique("stay")), 2)
        self.assertEqual(len(methods), 2)
        for method in methods:
            encode(method)
        for method in methods:
            self.opens("room-101", method)

    def test_the_next_stay_overrides_at_the_door(self):
        _, before = card_at(doors=["room-102"], reservation_key=unique("stay"))
        self.opens("room-102", before)
        _, after = card_at(doors=["room-102"], reservation_key=unique("stay"))
        self.opens("room-102", before)
        self.opens("room-102", after)
        self.stays_shut("room-102", before)
        self.opens("room-102", after)

    def test_a_stay_that_has_not_begun(self):
        _, early = card_at(doors=["room-102"], reservation_key=unique("stay"), start=24, end=48)
        self.stays_shut("room-102", early)

    def test_other_doors_are_not_overridden(self):
        _, one = card_at(doors=["room-101", "gym"], reservation_key=unique("stay"))
        self.opens("gym", one)
        _, two = card_at(doors=["room-101", "gym"], reservation_key=unique("stay"))
        self.opens("room-101", two)
        self.opens("gym", two)
        self.stays_shut("room-101", one)
        self.opens("gym", one)

    def test_a_longer_stay_asks_for_the_card_again(self):
        grant, method = card_at(doors=["room-101"], reservation_key=unique("stay"), end=3)
        one = grant.access_grant_id
        seam.access_grants.update(access_grant_id=one, ends_at=at(30))
        self.assertTrue(same(seam.access_grants.get(access_grant_id=one).ends_at, at(30)))

        def probe():
            [now] = methods_of(grant)
            return now.is_encoding_required and now.is_ready_for_encoding and now

        again = until("the card has to be written again", probe)
        self.assertEqual(again.access_method_id, method.access_method_id)

        def types():
            return [event.event_type for event in seam.events.list(access_method_id=method.access_method_id, since=at(-1))]

        until("it is told", lambda: types().count("access_method.card_encoding_required") >= 2)
        encode(again)
        self.opens("room-101", method)
        until("it is told", lambda: "access_method.reissued" in types())

    def test_all_methods_of_a_stay_are_deleted(self):
        key = unique("stay")
        grants = [card(["room-101"], key), card(["room-101"], key)]
        for grant in grants:
            ready(grant)
        seam.access_methods.delete(reservation_key=key)
        for grant in grants:
            until("the methods are gone", lambda: not methods_of(grant))
        self.assertEqual(count(key), 2, "the grants stay")

    def test_a_deleted_grant_opens_nothing_that_is_written_later(self):
        grant = card(["room-101"], unique("stay"))
        [method] = ready(grant)
        seam.access_grants.delete(access_grant_id=grant.access_grant_id)
        job = {"access_method_id": method.access_method_id, "acs_encoder_id": encoder().acs_encoder_id}
        self.refused(lambda: seam.access_methods.encode(**job), [404, 409])
