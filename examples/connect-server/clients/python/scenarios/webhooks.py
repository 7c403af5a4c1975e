import base64
import re
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from uuid import uuid4

from _hotel import Scenarios, at, ready, seam, stay, unique, until
from seam import SeamHttpApiError, SeamWebhook, SeamWebhookVerificationError


class Delivery:
    def __init__(self, headers, body):
        self.headers, self.body, self.at = headers, body, time.monotonic()


@contextmanager
def hooked(event_types=None, answer=lambda count: 204):
    """Somebody's own server and a hook to it. `answer` gives the status for the n-th delivery."""
    deliveries = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            deliveries.append(Delivery(dict(self.headers), body))
            self.send_response(answer(len(deliveries)))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    more = {"event_types": event_types} if event_types else {}
    hook = seam.webhooks.create(url=f"http://127.0.0.1:{server.server_port}/hooks", **more)
    try:
        yield deliveries, hook.secret
    finally:
        # Taken away in the end, so that the next scenario is not told to a closed port.
        try:
            seam.webhooks.delete(webhook_id=hook.webhook_id)
        except SeamHttpApiError:
            pass
        server.shutdown()
        server.server_close()


def verified(deliveries, secret):
    """The events so far, each verified by the client's own verifier."""
    return [SeamWebhook(secret).verify(one.body, one.headers) for one in list(deliveries)]


def types(events):
    return [event.event_type for event in events]


def header(delivery, name):
    return next(value for key, value in delivery.headers.items() if key.lower() == name)


class Webhooks(Scenarios):
    def test_create_get_list_update_delete(self):
        made = seam.webhooks.create(url="https://example.com/hooks")
        one = made.webhook_id
        self.assertEqual(made.event_types, ["*"])
        self.assertTrue(re.fullmatch(r"whsec_[A-Za-z0-9+/=]+", made.secret))
        self.assertEqual(seam.webhooks.get(webhook_id=one).url, "https://example.com/hooks")
        self.assertIn(one, [hook.webhook_id for hook in seam.webhooks.list()])
        seam.webhooks.update(webhook_id=one, event_types=["access_grant.created"])
        self.assertEqual(seam.webhooks.get(webhook_id=one).event_types, ["access_grant.created"])
        seam.webhooks.delete(webhook_id=one)
        self.not_found(lambda: seam.webhooks.get(webhook_id=one), "webhook_not_found")
        self.not_found(lambda: seam.webhooks.delete(webhook_id=str(uuid4())), "webhook_not_found")

    def test_what_cannot_be(self):
        create = seam.webhooks.create
        self.refused(lambda: create(url="no address"), 400, "invalid_input")
        kinds = ["invalid_input", "invalid_event_types"]
        self.refused(lambda: create(url="https://example.com", event_types=["no.such_event"]), 400, kinds)

    def test_delivered_signed_and_in_order(self):
        with hooked() as (deliveries, secret):
            grant = stay(doors=["lobby"], modes=["code"])
            one = grant.access_grant_id
            [method] = ready(grant)

            def mine():
                events = verified(deliveries, secret)
                return [
                    event
                    for event in events
                    if getattr(event, "access_grant_id", None) == one or one in (getattr(event, "access_grant_ids", None) or [])
                ]

            until("the last event is delivered", lambda: "access_grant.access_granted_to_all_doors" in types(mine()))
            listed = seam.events.list(access_grant_id=one, since=at(-1))
            until("all that is listed is delivered", lambda: len(mine()) >= len(listed))
            self.assertEqual([event.event_id for event in mine()], [event.event_id for event in listed], "in the order of the list")
            for delivery in deliveries:
                self.assertTrue(header(delivery, "content-type").startswith("application/json"))
                self.assertNotIn(f'"{method.code}"', delivery.body, "a code is never delivered")
                self.assertLess(abs(int(header(delivery, "svix-timestamp")) - time.time()), 300)
            seen = [header(delivery, "svix-id") for delivery in deliveries]
            self.assertEqual(len(set(seen)), len(seen), "each delivery has its own id")

    def test_a_forged_one_is_seen(self):
        with hooked(["access_grant.created"]) as (deliveries, secret):
            stay(doors=["lobby"], modes=["code"])
            until("it is delivered", lambda: deliveries)
            body, headers = deliveries[0].body, {key.lower(): value for key, value in deliveries[0].headers.items()}
            self.assertEqual(SeamWebhook(secret).verify(body, headers).event_type, "access_grant.created")
            other = "whsec_" + base64.b64encode(unique("another secret").encode()).decode()
            early = str(int(headers["svix-timestamp"]) - 1)
            for text, given, by in (
                (body.replace("access_grant.created", "access_grant.deleted"), headers, secret),
                (body, {**headers, "svix-id": "msg_other"}, secret),
                (body, {**headers, "svix-timestamp": early}, secret),
                (body, headers, other),
            ):
                with self.assertRaises(SeamWebhookVerificationError):
                    SeamWebhook(by).verify(text, given)

    def test_only_what_is_asked_for(self):
        with hooked(["access_grant.deleted"]) as (deliveries, secret):
            grant = stay(doors=["lobby"], modes=["code"])
            ready(grant)
            seam.access_grants.delete(access_grant_id=grant.access_grant_id)
            until("the end is told", lambda: deliveries)
            self.assertEqual(types(verified(deliveries, secret)), ["access_grant.deleted"])

    def test_tried_again_after_a_failure(self):
        with hooked(["space.created"], lambda count: 500 if count == 1 else 204) as (deliveries, secret):
            seam.spaces.create(name=unique("Floor"))
            until("it is tried again", lambda: len(deliveries) >= 2, 20)
            first, second = deliveries[:2]
            self.assertEqual(header(first, "svix-id"), header(second, "svix-id"), "the same message")
            self.assertEqual(first.body, second.body)
            # The schedule says 5 s after the failure; a little less is allowed for clocks.
            self.assertGreaterEqual(second.at - first.at, 4)
            self.assertEqual(types(verified(deliveries, secret)), ["space.created", "space.created"])
