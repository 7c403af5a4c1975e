import json
from uuid import uuid4

from _hotel import Scenarios, at, door, ids, instant, raw, ready, seam, stay, unique, until

since = at(-1)


def listed(**filters):
    return seam.events.list(**{"since": since, **filters})


def types(events):
    return [event.event_type for event in events]


def story():
    """A grant whose events are complete, its method, and they."""
    grant = stay(doors=["lobby"], modes=["code"])
    [method] = ready(grant)
    one = grant.access_grant_id
    until("the last event is there", lambda: "access_grant.access_granted_to_all_doors" in types(listed(access_grant_id=one)))
    return one, method, listed(access_grant_id=one)


class Events(Scenarios):
    def test_of_a_grant(self):
        grant, _, events = story()
        for event in events:
            self.assertIn(grant, [getattr(event, "access_grant_id", None), *(getattr(event, "access_grant_ids", None) or [])])
        instants = [instant(event.created_at) for event in events]
        self.assertEqual(instants, sorted(instants), "they come in order")
        seam.access_grants.delete(access_grant_id=grant)
        until("the end is told", lambda: "access_grant.deleted" in types(listed(access_grant_id=grant)))

    def test_of_a_method(self):
        _, method, _ = story()
        told = types(listed(access_method_id=method.access_method_id))
        self.assertIn("access_method.created", told)
        self.assertIn("access_method.issued", told)
        self.assertEqual(types(listed(access_method_ids=[method.access_method_id])), told)

    def test_of_a_card(self):
        [method] = ready(stay(doors=["room-101"], modes=["card"], reservation_key=unique("stay")))
        one = method.access_method_id
        until("a card is asked for", lambda: "access_method.card_encoding_required" in types(listed(access_method_id=one)))

    def test_never_with_a_code(self):
        grant, method, _ = story()
        events = raw("/events/list", body={"access_grant_id": grant, "since": since}).body["events"]
        self.assertTrue(events)
        self.assertNotIn(f'"{method.code}"', json.dumps(events), "events go to many places; a code does not")

    def test_by_type(self):
        grant, _, _ = story()
        self.assertEqual(types(listed(access_grant_id=grant, event_type="access_grant.created")), ["access_grant.created"])
        wanted = ["access_grant.created", "access_method.created"]
        self.assertEqual(sorted(types(listed(access_grant_id=grant, event_types=wanted))), wanted)

    def test_by_ids(self):
        (one, _, events), (two, _, _) = story(), story()
        both = listed(access_grant_ids=[one, two], event_type="access_grant.created")
        self.assertEqual(ids(both, "access_grant_id"), sorted([one, two]))
        first = events[0].event_id
        self.assertEqual(ids(listed(event_ids=[first]), "event_id"), [first])
        many = [str(uuid4()) for _ in range(101)]
        self.refused(lambda: listed(access_grant_ids=many), 400, "invalid_input")

    def test_by_door_system_and_space(self):
        lobby = door("lobby")
        grant, _, _ = story()
        self.assertIn("access_grant.access_granted_to_door", types(listed(acs_entrance_id=lobby.acs_entrance_id)))
        # Two kinds of ids are two conditions.
        both = listed(acs_entrance_id=lobby.acs_entrance_id, access_grant_id=grant)
        self.assertTrue(both)
        self.assertTrue(all(event.acs_entrance_id == lobby.acs_entrance_id and event.access_grant_id == grant for event in both))
        self.assertLessEqual(len(listed(acs_system_id=lobby.acs_system_id, event_type="acs_system.added")), 1)
        space = seam.spaces.create(name=unique("Floor")).space_id
        self.assertIn("space.created", types(listed(space_id=space)))

    def test_since_and_between(self):
        grant, _, events = story()
        self.assertEqual(listed(access_grant_id=grant, since=at(1)), [])
        whole = seam.events.list(access_grant_id=grant, between=[at(-1), at(1)])
        self.assertEqual(ids(whole, "event_id"), ids(events, "event_id"))
        # The interval is open at both ends.
        first, begun = events[0].event_id, events[0].created_at
        self.assertNotIn(first, ids(seam.events.list(access_grant_id=grant, between=[begun, at(1)]), "event_id"))
        self.assertNotIn(first, ids(seam.events.list(access_grant_id=grant, between=[at(-1), begun]), "event_id"))
        self.refused(lambda: seam.events.list(access_grant_id=grant), 400, "invalid_input")
        self.refused(lambda: seam.events.list(access_grant_id=grant, between=[at(1)]), 400, "invalid_input")

    def test_limit(self):
        grant, _, events = story()
        two = listed(access_grant_id=grant, limit=2)
        self.assertEqual([event.event_id for event in two], [event.event_id for event in events[:2]])
        for offset in (0, 1):
            self.assertEqual(listed(access_grant_id=grant, unstable_offset=offset)[0].event_id, events[offset].event_id)
        self.refused(lambda: listed(event_type="no.such_event"), 400, "invalid_input")

    def test_get(self):
        _, _, events = story()
        self.assertEqual(seam.events.get(event_id=events[0].event_id), events[0])
        self.not_found(lambda: seam.events.get(event_id=str(uuid4())), "event_not_found")
