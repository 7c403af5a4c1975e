from uuid import uuid4

from _hotel import Scenarios, door, ids, ready, seam, stay


def unlock():
    """An attempt that is done: the lobby unlocked with a cloud key."""
    [method] = ready(stay(doors=["lobby"], modes=["cloud_key"]))
    return seam.access_methods.unlock_door(
        access_method_id=method.access_method_id, acs_entrance_id=door("lobby").acs_entrance_id
    )


class ActionAttempts(Scenarios):
    def test_get(self):
        attempt = unlock()
        self.assertEqual(seam.action_attempts.get(action_attempt_id=attempt.action_attempt_id), attempt)
        self.not_found(lambda: seam.action_attempts.get(action_attempt_id=str(uuid4())), "action_attempt_not_found")

    def test_list(self):
        both = ids([unlock(), unlock()], "action_attempt_id")
        self.assertEqual(ids(seam.action_attempts.list(action_attempt_ids=both), "action_attempt_id"), both)
        self.assertEqual(seam.action_attempts.list(action_attempt_ids=[str(uuid4())]), [])
        pages = seam.create_paginator(seam.action_attempts.list, {"action_attempt_ids": both, "limit": 1})
        self.assertEqual(ids(pages.flatten_to_list(), "action_attempt_id"), both)
