"""What the scenarios share: the client as a user makes it (endpoint and key from the environment), the doors of the sandbox, people, stays."""

import itertools
import json
import os
import time
import unittest
import uuid
from datetime import datetime, timedelta, timezone

import httpx
from seam import NULL, Seam, SeamHttpApiError, SeamHttpInvalidInputError, SeamHttpUnauthorizedError

__all__ = ["NULL", "Seam", "SeamHttpApiError", "SeamHttpInvalidInputError", "SeamHttpUnauthorizedError"]

endpoint = os.environ["SEAM_ENDPOINT"]
key = os.environ["SEAM_API_KEY"]
seam = Seam(wait_for_action_attempt={"timeout": 15.0, "polling_interval": 0.05})
web = httpx.Client(timeout=30)
now = datetime.now(timezone.utc).replace(microsecond=0)


def at(hours):
    """So many hours from the start of the run; whole seconds, as locks count them."""
    return (now + timedelta(hours=hours)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def instant(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def same(one, other):
    return abs((instant(one) - instant(other)).total_seconds()) < 0.001


def unique(word):
    return f"{word}-{uuid.uuid4().hex[:8]}"


def value(thing, field):
    """A field of a resource; those of a batch are plain dictionaries."""
    return thing[field] if isinstance(thing, dict) else getattr(thing, field)


def ids(things, field):
    return sorted(value(thing, field) for thing in things)


def codes(things, field):
    """The error or warning codes, in their order."""
    return [value(thing, field) for thing in things]


def until(what, probe, seconds=15):
    """Asks until there is an answer: what the server does after it has answered is not awaited otherwise."""
    deadline = time.monotonic() + seconds
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"after {seconds} s still not so: {what}")
        time.sleep(0.04)


class Raw:
    def __init__(self, response):
        self.status, self.headers, self.body = response.status_code, response.headers, response.json()


def raw(path, method="POST", body=None, headers=None, token=key):
    """A route that the client has no method for, or a call that the client would not make."""
    sent = dict(headers or {})
    if token:
        sent["authorization"] = f"Bearer {token}"
    if body is not None:
        sent.setdefault("content-type", "application/json")
    content = body if isinstance(body, (str, bytes)) or body is None else json.dumps(body)
    return Raw(web.request(method, endpoint + path, headers=sent, content=content))


def door(name):
    """An entrance by its display name."""
    found = [entrance for entrance in seam.acs.entrances.list() if entrance.display_name == name]
    assert found, f"there is an entrance {name}"
    return found[0]


def office():
    return next(system for system in seam.acs.systems.list() if system.name == "office")


def hotel():
    return seam.acs.systems.get(acs_system_id=door("room-101").acs_system_id)


def encoder():
    return seam.acs.encoders.list()[0]


def guest(**more):
    return seam.user_identities.create(**{"full_name": unique("Guest"), "email_address": f"{unique('guest')}@example.com", **more})


# Each stay begins a minute after the one before: two first keys of one room with the same start are a double booking, not a scenario.
begins = (-2 + count / 60 for count in itertools.count(1))


def stay(doors=None, modes=(), who=None, start=None, end=48, **more):
    """A grant at doors named as in the sandbox. `modes` are words, or whole requests."""
    if doors:
        more["acs_entrance_ids"] = [door(name).acs_entrance_id for name in doors]
    more.setdefault("starts_at", at(next(begins) if start is None else start))
    more.setdefault("ends_at", at(end))
    return seam.access_grants.create(
        user_identity_id=(who or guest()).user_identity_id,
        requested_access_methods=[{"mode": mode} if isinstance(mode, str) else mode for mode in modes],
        **more,
    )


def methods_of(grant):
    return seam.access_methods.list(access_grant_id=grant.access_grant_id)


def ready(grant, count=None):
    """The methods of a grant once each is issued, or waits for its card."""
    wanted = count or len(grant.requested_access_methods)

    def probe():
        methods = methods_of(grant)
        return len(methods) >= wanted and all(m.is_issued or m.is_ready_for_encoding for m in methods) and methods

    return until("each method is issued or waits for its card", probe)


def encode(method):
    """Writes the method on a card and gives the method afterwards."""
    seam.access_methods.encode(access_method_id=method.access_method_id, acs_encoder_id=encoder().acs_encoder_id)

    def probe():
        after = seam.access_methods.get(access_method_id=method.access_method_id)
        return after.is_issued and after

    return until("the method is issued", probe)


def card_at(**options):
    """A stay with one card that is written."""
    grant = stay(modes=["card"], **options)
    [method] = ready(grant)
    return grant, encode(method)


class Scenarios(unittest.TestCase):
    maxDiff = None

    def refused(self, call, status, kind=None):
        """The call is refused with this status and this type; gives the error."""
        with self.assertRaises(SeamHttpApiError) as caught:
            call()
        error = caught.exception
        self.assertIn(error.status_code, [status] if isinstance(status, int) else status, f"{error.code}: {error}")
        if kind:
            self.assertIn(error.code, [kind] if isinstance(kind, str) else kind, str(error))
        self.assertTrue(error.request_id, "a refusal carries its request id")
        return error

    def not_found(self, call, kind=None):
        return self.refused(call, 404, kind)

    def tries(self, name, access_method_id=None, acs_credential_id=None):
        """Somebody tries the door with what they hold."""
        held = {"access_method_id": access_method_id} if access_method_id else {"acs_credential_id": acs_credential_id}
        answer = raw("/acs/entrances/simulate/use_credential", body={"acs_entrance_id": door(name).acs_entrance_id, **held})
        self.assertEqual(answer.status, 200, answer.body)
        return answer.body["use"]

    def opens(self, name, method):
        self.assertIs(self.tries(name, method.access_method_id)["opened"], True, f"{name} opens")

    def stays_shut(self, name, method):
        self.assertIs(self.tries(name, method.access_method_id)["opened"], False, f"{name} stays shut")

    def is_dead(self, name, method):
        """What was taken away may be unknown by now, or known and refused; it may not open."""
        body = {"acs_entrance_id": door(name).acs_entrance_id, "access_method_id": method.access_method_id}
        answer = raw("/acs/entrances/simulate/use_credential", body=body)
        self.assertTrue(answer.status == 404 or (answer.status == 200 and answer.body["use"]["opened"] is False), answer.body)
