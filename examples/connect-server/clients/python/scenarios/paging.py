from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlparse

from _hotel import Scenarios, door, raw, seam, stay, unique

GRANTS = 1200
wanted = set()


class Paging(Scenarios):
    def test_a_1200_grants(self):
        lobby = door("lobby").acs_entrance_id

        def make(_):
            return seam.access_grants.create(
                user_identity={"user_identity_key": unique("guest"), "full_name": "Guest"},
                acs_entrance_ids=[lobby],
                requested_access_methods=[{"mode": "cloud_key"}],
            ).access_grant_id

        with ThreadPoolExecutor(8) as clerks:
            wanted.update(clerks.map(make, range(GRANTS)))
        self.assertEqual(len(wanted), GRANTS)

    def complete(self, grants):
        """Every grant is met, and none twice."""
        self.assertEqual(len(grants), GRANTS)
        self.assertEqual({grant.access_grant_id for grant in grants}, wanted)

    def test_b_pages_of_the_usual_size(self):
        paginator = seam.create_paginator(seam.access_grants.list)
        page, pagination = paginator.first_page()
        pages = [page]
        while pagination.has_next_page:
            page, pagination = paginator.next_page(pagination.next_page_cursor)
            pages.append(page)
        self.assertEqual([len(page) for page in pages], [500, 500, 200])
        self.complete([grant for page in pages for grant in page])

    def test_c_pages_of_a_hundred(self):
        self.complete(seam.create_paginator(seam.access_grants.list, {"limit": 100}).flatten_to_list())

    def test_d_page_after_page_by_hand(self):
        paginator = seam.create_paginator(seam.access_grants.list, {"limit": 700})
        first, pagination = paginator.first_page()
        self.assertEqual((len(first), pagination.has_next_page), (700, True))
        second, end = paginator.next_page(pagination.next_page_cursor)
        self.assertIs(end.has_next_page, False)
        self.complete([*first, *second])

    def test_e_a_grant_that_comes_and_one_that_goes(self):
        paginator = seam.create_paginator(seam.access_grants.list, {"limit": 400})
        first, pagination = paginator.first_page()
        gone = first[0].access_grant_id
        come = stay(doors=["lobby"], modes=["cloud_key"]).access_grant_id
        seam.access_grants.delete(access_grant_id=gone)
        seen = list(first)
        while pagination.has_next_page:
            page, pagination = paginator.next_page(pagination.next_page_cursor)
            seen.extend(page)
        found = [grant.access_grant_id for grant in seen if grant.access_grant_id != come]
        self.assertEqual(len(found), len(set(found)), "none twice")
        self.assertEqual(set(found), wanted, "none is missed")
        wanted.discard(gone)

    def test_f_other_lists(self):
        people = seam.create_paginator(seam.user_identities.list, {"limit": 500}).flatten_to_list()
        self.assertEqual(len({person.user_identity_id for person in people}), GRANTS + 1)
        lobby = {"acs_entrance_id": door("lobby").acs_entrance_id}
        self.assertGreaterEqual(len(seam.create_paginator(seam.access_methods.list, lobby).flatten_to_list()), GRANTS)

    def test_g_a_cursor_belongs_to_its_question(self):
        pagination = raw("/access_grants/list", body={"limit": 10}).body["pagination"]
        cursor = pagination["next_page_cursor"]
        self.assertTrue(cursor)
        listed = seam.access_grants.list
        self.refused(lambda: listed(limit=10, page_cursor=cursor, reservation_key="other"), 400, "mismatched_page_parameters")
        self.refused(lambda: listed(limit=10, page_cursor="not-a-cursor"), 400)
        for limit in (-1, "many"):
            self.refused(lambda: listed(limit=limit), 400, "invalid_input")
        if pagination["next_page_url"]:
            self.assertTrue(urlparse(pagination["next_page_url"]).netloc)
