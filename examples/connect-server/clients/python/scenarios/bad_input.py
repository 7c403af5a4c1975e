"""What nobody should send, over sockets by hand and past the proxy: always a JSON error of the documented shape, never a 500, and nothing changed."""

import json
import os
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from uuid import uuid4

from _hotel import Scenarios, Seam, door, encoder, guest, methods_of, ready, seam, stay, unique, until
from _wire import OTHER_KEY, Line, connect, head, once, read, server

with open(os.environ["SUITE_ROUTES"], encoding="utf-8") as file:
    ROUTES = json.load(file)

LISTS = {
    "access_grants": "/access_grants/list",
    "user_identities": "/user_identities/list",
    "spaces": "/spaces/list",
    "acs_users": "/acs/users/list",
    "acs_credentials": "/acs/credentials/list",
    "acs_access_groups": "/acs/access_groups/list",
    "acs_entrances": "/acs/entrances/list",
    "webhooks": "/webhooks/list",
    "client_sessions": "/client_sessions/list",
}
LISTS_OF = {"user_identity": "user_identities", "client_session": "client_sessions"}
# These make something out of nothing, or end everything: they are not asked without parameters.
MAKES_FROM_NOTHING = {
    "/user_identities/create",
    "/client_sessions/create",
    "/client_sessions/get_or_create",
    "/connect_webviews/create",
    "/workspaces/create",
    "/workspaces/reset_sandbox",
    "/workspaces/update",
}
line = Line()
ask = line.ask


def everything():
    """What there is, by list; times of last reading and the like are left out by taking the ids and what a caller set."""
    state = {}
    for name, path in LISTS.items():
        answer = ask("POST", path, {})
        if answer.status == 404:
            # A route that is missing is told by the scenarios of its own file.
            continue
        assert answer.status == 200, f"{path}: {answer}"
        state[name] = sorted(json.dumps({k: v for k, v in one.items() if told(k)}, sort_keys=True) for one in answer.body[name])
    return state


def told(field):
    return field.endswith(("_id", "_ids", "_key", "name", "url", "token", "email_address", "phone_number", "starts_at", "ends_at", "code", "event_types"))


def query(parameters):
    return "&".join(f"{name}={value}" for name, value in parameters)


class BadInput(Scenarios):
    @classmethod
    def setUpClass(cls):
        # Something to be lost: a person, a space, grants of each kind.
        cls.person = guest(user_identity_key=unique("person"))
        cls.space = seam.spaces.create(name="Space", space_key=unique("space"), acs_entrance_ids=[door("gym").acs_entrance_id])
        cls.grant = stay(doors=["lobby"], modes=["code"], who=cls.person, access_grant_key=unique("grant"))
        [cls.method] = ready(cls.grant)
        cls.room, cls.lobby = door("room-101").acs_entrance_id, door("lobby").acs_entrance_id
        ready(stay(doors=["room-101"], modes=["card"], who=cls.person, reservation_key=unique("stay")))

    @contextmanager
    def nothing_changes(self):
        before = everything()
        yield
        self.assertEqual(everything(), before)

    def documented(self, answer, what, statuses=range(400, 500)):
        """An error of the documented shape."""
        self.assertIsNotNone(answer, f"{what}: closed without an answer")
        self.assertIn(answer.status, statuses, f"{what}: {answer}")
        self.assertTrue(answer.headers.get("content-type", "").startswith("application/json"), f"{what}: {answer.headers}")
        self.assertTrue(answer.headers.get("seam-request-id"), f"{what}: no seam-request-id")
        body = answer.body
        self.assertIs(body["ok"], False, what)
        self.assertRegex(body["error"]["type"], r"^[a-z][a-z0-9_]*$", what)
        self.assertTrue(body["error"]["message"], what)
        if body["error"]["type"] == "invalid_input":
            self.assertEqual(answer.status, 400, what)
            self.assertIsInstance(body["error"]["validation_errors"], dict, what)
        return body["error"]

    def fine_or_documented(self, answer, what):
        if answer.status != 200:
            self.documented(answer, what)
        else:
            self.assertIs(answer.body["ok"], True, what)

    def create(self, **more):
        return {
            "user_identity_id": self.person.user_identity_id,
            "acs_entrance_ids": [self.lobby],
            "requested_access_methods": [{"mode": "code"}],
            **more,
        }

    def test_malformed_json(self):
        bodies = [b"{", b"[", b'{"a":}', b"{'a':1}", b'{"a":1}}', b"nul", b'{"name":NaN}', b'{"name":"\xff"}', b'{"name":"\\ud800"}']
        bodies += [b"\xef\xbb\xbf{", b"\x00", b'{"name":"x"', b'"text"', b"[]", b"17", b"null", b"true", b""]
        with self.nothing_changes():
            for path in ("/spaces/create", "/access_grants/create", "/access_grants/get", "/spaces/update", "/webhooks/create"):
                for body in bodies:
                    self.documented(ask("POST", path, body), f"{path} {body!r}")

    def test_wrong_content_types(self):
        body = json.dumps({"name": "Never"}).encode()
        kinds = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", "json", ""]
        with self.nothing_changes():
            for kind in kinds:
                self.documented(ask("POST", "/spaces/create", body, content_type=kind), kind)
            self.documented(ask("POST", "/spaces/create", b"\x1f\x8b\x08\x00junk", content_encoding="gzip"), "gzip")
            self.documented(ask("POST", "/spaces/create", "{}".encode("utf-16"), content_type="application/json; charset=utf-16"), "utf-16")

    def test_each_route_by_each_documented_verb(self):
        verbs = ("GET", "POST", "PUT", "PATCH", "DELETE")
        with self.nothing_changes():
            for route in ROUTES:
                path = route["path"]
                for verb in verbs:
                    if verb in route["verbs"] and path in MAKES_FROM_NOTHING:
                        continue
                    answer = ask(verb, path, {} if verb in ("POST", "PUT", "PATCH") else None)
                    if verb in route["verbs"]:
                        self.fine_or_documented(answer, f"{verb} {path}")
                        self.assertNotEqual(answer.status, 405, f"{verb} {path} is documented")
                    else:
                        self.documented(answer, f"{verb} {path}", (404, 405))

    def test_unknown_ids_on_each_route(self):
        with self.nothing_changes():
            for route in ROUTES:
                path = route["path"]
                names = {name: kind for name, kind in route["parameters"].items() if name.endswith(("_id", "_ids"))}
                if not names or path in MAKES_FROM_NOTHING:
                    continue
                unknown = {name: [str(uuid4())] if kind.get("type") == "array" else str(uuid4()) for name, kind in names.items()}
                self.fine_or_documented(ask("POST", path, unknown), f"POST {path}")
                for name, value in unknown.items():
                    self.fine_or_documented(ask("POST", path, {name: value}), f"POST {path} {name}")
                    if "GET" in route["verbs"] or "DELETE" in route["verbs"]:
                        verb = "GET" if "GET" in route["verbs"] else "DELETE"
                        text = value[0] if isinstance(value, list) else value
                        self.fine_or_documented(ask(verb, f"{path}?{name}={text}&_strict=true"), f"{verb} {path} {name}")

    def test_wrong_types_on_each_parameter(self):
        wrong = {
            "string": [17, True, {}, [], [["x"]], "\x00", "x" * 100_000],
            "array": ["x", 17, {}, [17], [None], [{}], [["x"]]],
            "object": ["x", 17, [], True],
            "integer": ["x", -1, 1.5, 1e300, 10**30, [], {}],
            "number": ["x", -1, 1e300, [], {}],
            "boolean": ["x", 17, [], {}],
        }
        no_uuid = ["", "x", "00000000", "g" * 36, str(uuid4()) + "x", "{" + str(uuid4()) + "}", "%00"]
        with self.nothing_changes():
            for route in ROUTES:
                path = route["path"]
                if path in {"/workspaces/reset_sandbox", "/workspaces/create", "/workspaces/update", "/connect_webviews/create"}:
                    continue
                for name, kind in route["parameters"].items():
                    values = list(wrong.get(kind.get("type"), ["x"]))
                    if kind.get("format") == "uuid":
                        values = no_uuid + values[:5]
                    if kind.get("format") in ("date-time", "uri", "email"):
                        values.append("x")
                    for value in values:
                        answer = ask("POST", path, {name: value})
                        if path in MAKES_FROM_NOTHING:
                            # Taken or not, it has to be said in the right shape; what was taken is taken back.
                            self.fine_or_documented(answer, f"POST {path} {name}={str(value)[:40]}")
                            self.take_back(answer)
                        else:
                            self.fine_or_documented(answer, f"POST {path} {name}={str(value)[:40]}")
                    if "GET" in route["verbs"]:
                        for value in ("x", "-1", "%ff", "%00", "", "true&" + name + "=false"):
                            self.fine_or_documented(ask("GET", f"{path}?{name}={value}"), f"GET {path} {name}={value}")

    def take_back(self, answer):
        for kind, path in (("user_identity", "/user_identities/delete"), ("client_session", "/client_sessions/delete")):
            if answer.status == 200 and kind in answer.body:
                one = answer.body[kind][f"{kind}_id"]
                self.assertEqual(ask("POST", path, {f"{kind}_id": one}).status, 200)
                name = LISTS_OF[kind]
                until("it is gone", lambda: one not in [x[f"{kind}_id"] for x in ask("POST", LISTS[name], {}).body[name]])

    def test_foreign_ids_are_like_unknown_ones(self):
        hook = {"webhook_id": seam.webhooks.create(url="https://example.com/hooks").webhook_id}
        mine = {
            "/access_grants/get": {"access_grant_id": self.grant.access_grant_id},
            "/access_grants/delete": {"access_grant_id": self.grant.access_grant_id},
            "/access_grants/update": {"access_grant_id": self.grant.access_grant_id, "name": "Stolen"},
            "/access_methods/get": {"access_method_id": self.method.access_method_id},
            "/access_methods/delete": {"access_method_id": self.method.access_method_id},
            "/access_methods/encode": {"access_method_id": self.method.access_method_id, "acs_encoder_id": encoder().acs_encoder_id},
            "/access_methods/unlock_door": {"access_method_id": self.method.access_method_id, "acs_entrance_id": self.lobby},
            "/user_identities/get": {"user_identity_id": self.person.user_identity_id},
            "/user_identities/update": {"user_identity_id": self.person.user_identity_id, "full_name": "Stolen"},
            "/user_identities/delete": {"user_identity_id": self.person.user_identity_id},
            "/user_identities/generate_instant_key": {"user_identity_id": self.person.user_identity_id},
            "/spaces/get": {"space_id": self.space.space_id},
            "/spaces/update": {"space_id": self.space.space_id, "name": "Stolen"},
            "/spaces/delete": {"space_id": self.space.space_id},
            "/webhooks/get": hook,
            "/webhooks/delete": hook,
            "/acs/entrances/get": {"acs_entrance_id": self.lobby},
            "/acs/encoders/get": {"acs_encoder_id": encoder().acs_encoder_id},
            "/acs/encoders/scan_credential": {"acs_encoder_id": encoder().acs_encoder_id},
            "/acs/systems/get": {"acs_system_id": door("lobby").acs_system_id},
            "/acs/users/create": {"acs_system_id": door("lobby").acs_system_id, "full_name": "Spy"},
            "/access_grants/create": self.create(),
        }
        stranger = Seam(api_key=OTHER_KEY, endpoint=server.geturl())
        spy = stranger.user_identities.create(full_name="Spy")
        with self.nothing_changes():
            for path, body in mine.items():
                unknown = {name: str(uuid4()) if name.endswith("_id") else value for name, value in body.items()}
                foreign = self.documented(ask("POST", path, body, key=OTHER_KEY), path, (404,))
                nobody = self.documented(ask("POST", path, unknown, key=OTHER_KEY), path, (404,))
                self.assertEqual(foreign["type"], nobody["type"], path)
                # The same words, but for the ids that were sent: an answer may not say that the thing exists elsewhere.
                for name, value in body.items():
                    if name.endswith("_id"):
                        foreign["message"] = foreign["message"].replace(value, "ID")
                        nobody["message"] = nobody["message"].replace(unknown[name], "ID")
                self.assertEqual(foreign["message"], nobody["message"], path)
            # A door of the first workspace for a person of the second.
            spying = self.create(user_identity_id=spy.user_identity_id)
            self.documented(ask("POST", "/access_grants/create", spying, key=OTHER_KEY), "a foreign door", (404,))
            self.assertEqual(stranger.access_grants.list(), [])
            by_key = {"access_grant_key": self.grant.access_grant_key}
            self.documented(ask("POST", "/access_grants/get", by_key, key=OTHER_KEY), "a foreign key", (404,))
            listed = ask("POST", "/access_grants/list", {"access_grant_ids": [self.grant.access_grant_id]}, key=OTHER_KEY)
            self.assertEqual((listed.status, listed.body["access_grants"]), (200, []))
        self.documented(ask("POST", "/user_identities/get", {"user_identity_id": spy.user_identity_id}), "and the other way", (404,))
        self.assertNotEqual(stranger.workspaces.get().workspace_id, seam.workspaces.get().workspace_id)

    def test_ten_megabytes(self):
        body = json.dumps({"name": "x" * 10_000_000}).encode()
        chunked = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[i : i + 65536] for i in range(0, len(body), 65536)))
        with self.nothing_changes():
            for _ in range(3):
                told = head("POST", "/spaces/create", len(body), content_type="application/json")
                self.documented(once(told + body), "10 MB", (400, 413))
                untold = head("POST", "/spaces/create", content_type="application/json", transfer_encoding="chunked")
                self.documented(once(untold + chunked + b"0\r\n\r\n"), "10 MB in chunks", (400, 413))
            # Nobody waits for a body that is only announced.
            announced = head("POST", "/spaces/create", 10**12, content_type="application/json")
            self.documented(once(announced + b"{"), "a terabyte announced", (400, 413))

    def test_ten_thousand_elements(self):
        many = [str(uuid4()) for _ in range(10_000)]
        with self.nothing_changes():
            create = "/access_grants/create"
            self.documented(ask("POST", create, self.create(acs_entrance_ids=many)), "doors")
            self.documented(ask("POST", create, self.create(space_ids=many)), "spaces")
            self.documented(ask("POST", create, self.create(requested_access_methods=[{"mode": "code"}] * 10_000)), "methods")
            self.documented(ask("POST", "/access_grants/get_related", {"access_grant_ids": many}), "related")
            self.documented(ask("POST", "/spaces/add_acs_entrances", {"space_id": self.space.space_id, "acs_entrance_ids": many}), "doors")
            self.documented(ask("POST", "/webhooks/create", {"url": "https://example.com", "event_types": many}), "types")
            self.documented(ask("POST", "/user_identities/merge", {"user_identity_id": many[0], "merged_user_identity_ids": many}), "merge")
            self.fine_or_documented(ask("POST", "/access_grants/list", {"access_grant_ids": many}), "a filter")
            answer = once(head("GET", "/access_grants/list?" + query(("access_grant_ids", one) for one in many)))
            # A request line of half a megabyte may be refused before it is a request.
            if answer.status not in (414, 431):
                self.fine_or_documented(answer, "a filter in the query")

    def test_deep_nesting(self):
        with self.nothing_changes():
            for opening, closing in ((b"[", b"]"), (b'{"a":', b"}")):
                for depth in (200, 50_000):
                    deep = opening * depth + b"1" + closing * depth
                    self.documented(ask("POST", "/spaces/create", deep), f"{depth} times {opening!r}")
                    inside = b'{"customer_data":' + deep + b"}"
                    self.documented(ask("POST", "/spaces/create", inside), f"{depth} times {opening!r} inside")
                    self.documented(ask("POST", "/spaces/create", opening * depth), f"{depth} times {opening!r} without an end")

    def test_slow_clients_hold_nobody_up(self):
        body = json.dumps({"space_id": self.space.space_id}).encode()
        message = head("POST", "/spaces/get", len(body), content_type="application/json") + body
        with self.nothing_changes():
            idle = [connect() for _ in range(64)]
            for i, connection in enumerate(idle):
                connection.sendall(message[: 1 + i * (len(message) - 2) // 64])
            started = time.monotonic()
            for _ in range(20):
                self.assertEqual(ask("POST", "/spaces/get", body).status, 200)
            self.assertLess(time.monotonic() - started, 10, "others are served meanwhile")
            # One that is slow, but comes to the end, is served too.
            with connect() as slow, slow.makefile("rb") as stream:
                for i in range(0, len(message), 16):
                    slow.sendall(message[i : i + 16])
                    time.sleep(0.01)
                answer = read(stream)
                self.assertEqual((answer.status, answer.body["space"]["space_id"]), (200, self.space.space_id))
            for connection in idle:
                connection.close()

    def test_half_open_connections(self):
        body = json.dumps({"name": "Half"}).encode()
        whole = head("POST", "/spaces/create", len(body), content_type="application/json") + body
        get = head("GET", "/workspaces/get")
        with self.nothing_changes():
            for _ in range(10):
                for cut in (1, 20, len(whole) // 2, len(whole) - 1):
                    with connect() as connection:
                        connection.sendall(whole[:cut])
                        connection.shutdown(socket.SHUT_WR)
                    with connect() as connection:
                        # Closed hard: the server sees a reset in the middle.
                        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                        connection.sendall(whole[:cut])
            # Somebody who has said all and only listens gets an answer, or is hung up on; never an answer of another kind.
            answer = once(get, shut=True)
            if answer is not None:
                self.assertEqual(answer.status, 200)
        self.assertEqual(ask("GET", "/workspaces/get").status, 200)

    def test_what_is_no_http(self):
        lines = [
            b"\r\n\r\n",
            b"HELLO\r\n\r\n",
            b"GET\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"GET /workspaces/get HTTP/9.9\r\n\r\n",
            b"GET /" + b"x" * 200_000 + b" HTTP/1.1\r\nhost: x\r\n\r\n",
            b"GET /workspaces/get HTTP/1.1\r\nhost: x\r\n" + b"a: " + b"x" * 500_000 + b"\r\n\r\n",
            b"POST /spaces/create HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\n{}",
            b"POST /spaces/create HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}",
            b"POST /spaces/create HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
            b"GET /workspaces/\xff\xfe HTTP/1.1\r\nhost: x\r\n\r\n",
        ]
        with self.nothing_changes():
            for message in lines:
                answer = once(message, timeout=5, shut=True)
                self.assertTrue(answer is None or 400 <= answer.status < 600 and answer.status != 500, f"{message[:60]!r}: {answer}")
                self.assertEqual(ask("GET", "/workspaces/get").status, 200, f"after {message[:60]!r}")
            for path in ("/workspaces/get/../get", "//workspaces/get", "/workspaces%2fget", "/workspaces/get%00", "/%2e%2e/%2e%2e/etc/passwd"):
                self.documented(ask("GET", path), path)

    def test_query_decoding(self):
        grants = sorted(grant.access_grant_id for grant in seam.access_grants.list())
        one, two = grants[0], self.grant.access_grant_id
        listed = "/access_grants/list"

        def same(path, text, body):
            """The query says the same as the body; answers are compared whole."""
            by_query, by_body = ask("GET", f"{path}?{text}"), ask("POST", path, body)
            self.assertEqual((by_query.status, by_body.status), (200, 200), f"{text}: {by_query}")
            strip = lambda answer: {name: value for name, value in answer.body.items() if name != "pagination"}  # noqa: E731
            self.assertEqual(strip(by_query), strip(by_body), text)
            return by_query.body

        for strict in ("", "&_strict=true"):
            found = same(listed, f"access_grant_ids={one}&access_grant_ids={two}{strict}", {"access_grant_ids": [one, two]})
            self.assertEqual({grant["access_grant_id"] for grant in found["access_grants"]}, {one, two})
            self.assertEqual(len(same(listed, f"access_grant_ids={two}{strict}", {"access_grant_ids": [two]})["access_grants"]), 1)
            without = same(listed, f"access_grant_key={strict}", {"access_grant_key": None})
            self.assertNotIn(two, [grant["access_grant_id"] for grant in without["access_grants"]])
            same(listed, f"access_grant_ids={strict}", {"access_grant_ids": []})
            same(listed, f"limit=1{strict}", {"limit": 1})
            same("/client_sessions/list", f"without_user_identifier_key=true{strict}", {"without_user_identifier_key": True})
            same("/client_sessions/list", f"without_user_identifier_key=false{strict}", {"without_user_identifier_key": False})
            same("/acs/systems/list", f"search=off%69ce{strict}", {"search": "office"})
        seam.spaces.create(name="Two words", space_key="plus+key")
        self.assertEqual(len(same("/spaces/list", "search=Two+words", {"search": "Two words"})["spaces"]), 1)
        self.assertEqual(len(same("/spaces/list", "search=Two%20words", {"search": "Two words"})["spaces"]), 1)
        self.assertEqual(same("/spaces/get", "space_key=plus%2Bkey", {"space_key": "plus+key"})["space"]["name"], "Two words")
        with self.nothing_changes():
            for text in ("limit=many", "limit=1&limit=2", f"user_identity_id={one}x"):
                self.documented(ask("GET", f"{listed}?{text}"), text, (400,))
            for text in ("of_tomorrow=1", "of.tomorrow=1&of.tomorrow.too=2", "=1", "&&&", "_strict=false", "a[]=1", "a[b]=1"):
                self.assertEqual(ask("GET", f"{listed}?{text}").status, 200, text)
            # An empty value is null; what takes away may not take it for "any".
            self.documented(ask("DELETE", "/access_grants/delete?access_grant_id="), "an empty id", (400,))
            self.documented(ask("DELETE", "/access_methods/delete?reservation_key="), "an empty key", (400,))
            self.documented(ask("DELETE", f"/access_grants/delete?access_grant_id={one}&access_grant_id={two}"), "two ids", (400,))
        space = seam.spaces.create(name="Short").space_id
        self.assertEqual(ask("DELETE", f"/spaces/delete?space_id={space}&_strict=true").status, 200)

    def test_sixty_four_at_once_on_one_reservation(self):
        key = unique("stay")
        people = [guest().user_identity_id for _ in range(64)]

        def create(person):
            body = {
                "user_identity_id": person,
                "acs_entrance_ids": [door_id],
                "requested_access_methods": [{"mode": "mobile_key"}],
                "reservation_key": key,
            }
            mine = Line()
            try:
                return mine.ask("POST", "/access_grants/create", body)
            finally:
                mine.close()

        door_id = door("room-102").acs_entrance_id
        with ThreadPoolExecutor(64) as clients:
            answers = list(clients.map(create, people))
        self.assertEqual([answer.status for answer in answers], [200] * 64, answers[0])
        grants = seam.access_grants.list(reservation_key=key)
        self.assertEqual(len(grants), 64)
        self.assertEqual({grant.user_identity_id for grant in grants}, set(people))
        keys = [until("each key is issued", lambda: [one for one in methods_of(grant) if one.is_issued])[0] for grant in grants]
        # Had two of them opened the stay, the later one would have overridden the earlier at its first use.
        for _ in range(2):
            for method in keys:
                self.opens("room-102", method)

    def test_sixty_four_at_once_on_two_doors(self):
        key = unique("stay")
        doors = [door("room-101").acs_entrance_id, door("room-102").acs_entrance_id]
        person = guest().user_identity_id

        def create(which):
            body = {
                "user_identity_id": person,
                "acs_entrance_ids": [doors[which % 2]],
                "requested_access_methods": [{"mode": "card"}],
                "reservation_key": key,
            }
            mine = Line()
            try:
                return mine.ask("POST", "/access_grants/create", body)
            finally:
                mine.close()

        with ThreadPoolExecutor(64) as clients:
            answers = list(clients.map(create, range(64)))
        for answer in answers:
            if answer.status != 200:
                self.assertEqual(self.documented(answer, "the other door", (409,))["type"], "reservation_entrance_change")
        self.assertEqual([answer.status for answer in answers].count(200), 32)
        related = seam.access_grants.get_related(
            access_grant_ids=[grant.access_grant_id for grant in seam.access_grants.list(reservation_key=key)], include=["acs_entrances"]
        )
        self.assertEqual(len(related.acs_entrances), 1, "all grants of the stay are at one door")
