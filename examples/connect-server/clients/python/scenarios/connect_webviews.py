from uuid import uuid4

from _hotel import Scenarios, ids, seam, unique, web


class ConnectWebviews(Scenarios):
    def test_create_get_delete(self):
        made = seam.connect_webviews.create(
            custom_redirect_url="https://example.com/done",
            custom_redirect_failure_url="https://example.com/failed",
            custom_metadata={"property": "annex", "vip": True},
            customer_key=unique("customer"),
            wait_for_device_creation=True,
        )
        self.assertEqual(made.status, "pending")
        self.assertIs(made.login_successful, False)
        self.assertIsNone(made.connected_account_id)
        self.assertIs(made.any_provider_allowed, True)
        self.assertEqual(made.custom_redirect_url, "https://example.com/done")
        self.assertIs(made.wait_for_device_creation, True)
        self.assertEqual(made.custom_metadata, {"property": "annex", "vip": True})
        self.assertTrue(made.url.startswith("http"))
        self.assertEqual(seam.connect_webviews.get(connect_webview_id=made.connect_webview_id), made)
        page = web.get(made.url, follow_redirects=True)
        self.assertEqual(page.status_code, 200)
        self.assertTrue(page.headers["content-type"].startswith("text/html"))
        seam.connect_webviews.delete(connect_webview_id=made.connect_webview_id)
        self.not_found(lambda: seam.connect_webviews.get(connect_webview_id=made.connect_webview_id), "connect_webview_not_found")

    def test_list_filters_and_pages(self):
        customer, prop = unique("customer"), unique("property")
        made = [
            seam.connect_webviews.create(
                customer_key=customer if n > 0 else unique("other"), custom_metadata={"property": prop, "n": str(n)}
            )
            for n in range(3)
        ]

        def wanted(things):
            return ids(things, "connect_webview_id")

        self.assertEqual(wanted(seam.connect_webviews.list(customer_key=customer)), wanted(made[1:]))
        self.assertEqual(wanted(seam.connect_webviews.list(custom_metadata_has={"property": prop})), wanted(made))
        self.assertEqual(wanted(seam.connect_webviews.list(custom_metadata_has={"property": prop, "n": "2"})), wanted(made[2:]))
        paged = seam.create_paginator(seam.connect_webviews.list, {"custom_metadata_has": {"property": prop}, "limit": 2}).flatten_to_list()
        self.assertEqual(wanted(paged), wanted(made))

    def test_a_provider_that_is_not_there(self):
        self.refused(lambda: seam.connect_webviews.create(accepted_providers=["schlage"]), 400, "invalid_input")
        self.not_found(lambda: seam.connect_webviews.get(connect_webview_id=str(uuid4())), "connect_webview_not_found")
        self.not_found(lambda: seam.connect_webviews.delete(connect_webview_id=str(uuid4())), "connect_webview_not_found")
