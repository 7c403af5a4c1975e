from uuid import uuid4

from _hotel import Scenarios, codes, encode, encoder, guest, hotel, ids, ready, seam, stay, unique, until
from seam import SeamActionAttemptError, SeamActionAttemptFailedError, SeamActionAttemptTimeoutError, SeamHttpApiError

simulate = seam.acs.encoders.simulate
patient = {"timeout": 45.0, "polling_interval": 0.05}


def related(method_id):
    return seam.access_methods.get_related(access_method_ids=[method_id], include=["acs_credentials"]).acs_credentials[0]["acs_credential_id"]


def waiting():
    """A method that waits for its card, and its encoder."""
    [method] = ready(stay(doors=["room-101"], modes=["card"], reservation_key=unique("stay")))
    return {"access_method_id": method.access_method_id, "acs_encoder_id": encoder().acs_encoder_id}


def get(job):
    return seam.access_methods.get(access_method_id=job["access_method_id"])


def written():
    """A card that is written: its encoder and its credential."""
    job = waiting()
    encode(get(job))
    return job["acs_encoder_id"], related(job["access_method_id"])


class Encoders(Scenarios):
    def fails(self, call, kind):
        """The attempt fails, as the client's own waiting sees it, with this type."""
        with self.assertRaises(SeamActionAttemptFailedError) as caught:
            call()
        self.assertEqual(caught.exception.code, kind)
        self.assertEqual(caught.exception.action_attempt.status, "error")
        self.assertTrue(str(caught.exception))
        return caught.exception

    def test_list_and_get(self):
        everything = seam.acs.encoders.list()
        self.assertEqual(len(everything), 1)
        one, system = everything[0].acs_encoder_id, everything[0].acs_system_id
        self.assertEqual(system, hotel().acs_system_id)
        for filters in ({"acs_system_id": system}, {"acs_system_ids": [system]}, {"acs_encoder_ids": [one]}):
            self.assertEqual(ids(seam.acs.encoders.list(**filters), "acs_encoder_id"), [one])
        self.assertEqual(seam.acs.encoders.list(acs_system_id=str(uuid4())), [])
        self.assertEqual(len(seam.create_paginator(seam.acs.encoders.list, {"limit": 1}).flatten_to_list()), 1)
        self.assertEqual(seam.acs.encoders.get(acs_encoder_id=one), everything[0])
        self.not_found(lambda: seam.acs.encoders.get(acs_encoder_id=str(uuid4())), "acs_encoder_not_found")

    def test_encode_succeeds(self):
        job = waiting()
        before = get(job)
        self.assertEqual((before.is_encoding_required, before.is_ready_for_encoding, before.is_issued), (True, True, False))
        self.assertIsNone(before.issued_at)
        attempt = seam.access_methods.encode(**job)
        self.assertEqual((attempt.action_type, attempt.status, attempt.error), ("ENCODE_CREDENTIAL", "success", None))
        self.assertEqual(attempt.result.acs_credential_id, related(job["access_method_id"]))
        until("the method is issued", lambda: get(job).is_issued)
        after = get(job)
        self.assertIs(after.is_encoding_required, False)
        self.assertTrue(after.issued_at)
        self.opens("room-101", after)

    def test_encode_told_to_succeed(self):
        job = waiting()
        simulate.next_credential_encode_will_succeed(acs_encoder_id=job["acs_encoder_id"], scenario="credential_is_issued")
        self.assertEqual(seam.acs.encoders.encode_credential(**job).status, "success")
        self.opens("room-101", get(job))

    def test_encode_fails_and_is_tried_again(self):
        job = waiting()
        simulate.next_credential_encode_will_fail(acs_encoder_id=job["acs_encoder_id"])
        error = self.fails(lambda: seam.access_methods.encode(**job), "no_credential_on_encoder")
        self.assertIsNone(error.action_attempt.result)
        self.assertIs(get(job).is_issued, False)
        # The order was for the next attempt only; nothing was on the encoder, so the same method can be written at once.
        self.opens("room-101", encode(get(job)))

    def encode_fails_with(self, error_code):
        job = waiting()
        simulate.next_credential_encode_will_fail(acs_encoder_id=job["acs_encoder_id"], error_code=error_code)
        self.fails(lambda: seam.access_methods.encode(**job), error_code)
        self.assertIs(get(job).is_issued, False)

        def again():
            try:
                return seam.access_methods.encode(**job)
            except (SeamActionAttemptError, SeamHttpApiError):
                return None

        until("the encoder can be used again", again)

    def test_encode_fails_with_uncategorized_error(self):
        self.encode_fails_with("uncategorized_error")

    def test_encode_fails_with_encoding_interrupted(self):
        self.encode_fails_with("encoding_interrupted")

    def test_encode_without_waiting(self):
        first = seam.access_methods.encode(**waiting(), wait_for_action_attempt=False)
        self.assertIn(first.status, ["pending", "success"])
        done = seam.action_attempts.get(action_attempt_id=first.action_attempt_id, wait_for_action_attempt=patient)
        self.assertEqual(done.status, "success")

    def test_encode_needs_exactly_one_thing(self):
        job = waiting()
        credential = related(job["access_method_id"])
        encode_credential = seam.acs.encoders.encode_credential
        self.refused(lambda: encode_credential(acs_encoder_id=job["acs_encoder_id"]), 400, "invalid_input")
        self.refused(lambda: encode_credential(**job, acs_credential_id=credential), 400, "invalid_input")
        unknown = str(uuid4())
        self.not_found(lambda: seam.access_methods.encode(**{**job, "acs_encoder_id": unknown}), "acs_encoder_not_found")
        self.not_found(lambda: seam.access_methods.encode(**{**job, "access_method_id": unknown}), "access_method_not_found")

    def test_scan_a_known_card(self):
        machine, credential = written()
        simulate.next_credential_scan_will_succeed(
            acs_encoder_id=machine, scenario="credential_exists_on_seam", acs_credential_id_on_seam=credential
        )
        attempt = seam.acs.encoders.scan_credential(acs_encoder_id=machine)
        self.assertEqual((attempt.action_type, attempt.status), ("SCAN_CREDENTIAL", "success"))
        self.assertEqual(attempt.result.acs_credential_on_seam.acs_credential_id, credential)
        self.assertIs(attempt.result.acs_credential_on_encoder.is_issued, True)
        self.assertEqual(attempt.result.warnings, [])

    def test_scan_a_card_that_needs_an_update(self):
        machine, credential = written()
        simulate.next_credential_scan_will_succeed(
            acs_encoder_id=machine, scenario="credential_on_encoder_needs_update", acs_credential_id_on_seam=credential
        )
        result = seam.acs.encoders.scan_credential(acs_encoder_id=machine).result
        self.assertEqual(result.acs_credential_on_seam.acs_credential_id, credential)
        self.assertEqual(codes(result.warnings, "warning_code"), ["acs_credential_on_encoder_out_of_sync"])

    def test_scan_a_foreign_card(self):
        machine = encoder().acs_encoder_id
        simulate.next_credential_scan_will_succeed(acs_encoder_id=machine, scenario="credential_does_not_exist_on_seam")
        result = seam.acs.encoders.scan_credential(acs_encoder_id=machine).result
        self.assertTrue(result.acs_credential_on_encoder)
        self.assertIsNone(result.acs_credential_on_seam)
        self.assertEqual(codes(result.warnings, "warning_code"), ["acs_credential_on_seam_not_found"])

    def test_scan_an_empty_card(self):
        machine = encoder().acs_encoder_id
        simulate.next_credential_scan_will_succeed(acs_encoder_id=machine, scenario="credential_on_encoder_is_empty")
        attempt = seam.acs.encoders.scan_credential(acs_encoder_id=machine)
        self.assertEqual(attempt.status, "success")
        self.assertIsNone(attempt.result.acs_credential_on_seam)

    def scan_fails_with(self, error_code, **more):
        machine = encoder().acs_encoder_id
        simulate.next_credential_scan_will_fail(acs_encoder_id=machine, error_code=error_code)
        self.fails(lambda: seam.acs.encoders.scan_credential(acs_encoder_id=machine, **more), error_code)

    def test_scan_fails_with_no_credential_on_encoder(self):
        self.scan_fails_with("no_credential_on_encoder")

    def test_scan_fails_with_uncategorized_error(self):
        self.scan_fails_with("uncategorized_error")

    def test_scan_to_assign(self):
        # The hotel's cards are written, not assigned: either the card gets an owner, or the refusal is typed.
        who = {"acs_encoder_id": encoder().acs_encoder_id, "user_identity_id": guest().user_identity_id}
        try:
            attempt = seam.acs.encoders.scan_to_assign_credential(**who)
        except SeamActionAttemptFailedError:
            return
        except SeamHttpApiError:
            self.refused(lambda: seam.acs.encoders.scan_to_assign_credential(**who), 400, "not_supported")
            return
        self.assertEqual(attempt.action_type, "SCAN_TO_ASSIGN_CREDENTIAL")
        self.assertEqual(attempt.result.user_identity_id, who["user_identity_id"])

    # The last two: nobody knows what became of such a job, so the encoder may well be left alone for a while afterwards.

    def test_y_scan_fails_with_action_attempt_expired(self):
        self.scan_fails_with("action_attempt_expired", wait_for_action_attempt=patient)

    def test_z_encode_expires_after_the_client_gave_up(self):
        job = waiting()
        simulate.next_credential_encode_will_fail(acs_encoder_id=job["acs_encoder_id"], error_code="action_attempt_expired")
        with self.assertRaises(SeamActionAttemptTimeoutError) as caught:
            seam.access_methods.encode(**job, wait_for_action_attempt={"timeout": 0, "polling_interval": 0.001})
        self.assertEqual(caught.exception.action_attempt.status, "pending")
        attempt = caught.exception.action_attempt.action_attempt_id
        self.fails(
            lambda: seam.action_attempts.get(action_attempt_id=attempt, wait_for_action_attempt=patient), "action_attempt_expired"
        )
        self.assertIs(get(job).is_issued, False)
