from uuid import uuid4

from _hotel import NULL, Scenarios, hotel, ids, office, seam, unique, until


def account():
    return seam.connected_accounts.get(connected_account_id=hotel().connected_account_id)


class ConnectedAccounts(Scenarios):
    def test_list_and_get(self):
        every = seam.connected_accounts.list()
        wanted = hotel().connected_account_id
        self.assertIn(wanted, ids(every, "connected_account_id"))
        self.assertIn(office().connected_account_id, ids(every, "connected_account_id"))
        one = seam.connected_accounts.get(connected_account_id=wanted)
        self.assertEqual(one, next(other for other in every if other.connected_account_id == wanted))
        self.assertEqual(one.errors, [])
        self.assertTrue(one.display_name)
        self.not_found(lambda: seam.connected_accounts.get(connected_account_id=str(uuid4())), "connected_account_not_found")

    def test_pages_and_filters(self):
        every = seam.connected_accounts.list()
        paged = seam.create_paginator(seam.connected_accounts.list, {"limit": 1}).flatten_to_list()
        self.assertEqual(paged, every)
        self.assertEqual(seam.connected_accounts.list(customer_key=unique("nobody")), [])
        self.assertEqual(seam.connected_accounts.list(custom_metadata_has={"unknown": unique("x")}), [])

    def test_update(self):
        wanted = account().connected_account_id
        floor, name, customer = unique("floor"), unique("Front desk"), unique("customer")
        seam.connected_accounts.update(
            connected_account_id=wanted, custom_metadata={"floor": floor, "vip": True}, display_name=name, customer_key=customer
        )
        after = account()
        self.assertEqual(after.custom_metadata["floor"], floor)
        self.assertIs(after.custom_metadata["vip"], True)
        self.assertEqual(after.display_name, name)
        self.assertEqual(ids(seam.connected_accounts.list(customer_key=customer), "connected_account_id"), [wanted])
        self.assertEqual(ids(seam.connected_accounts.list(custom_metadata_has={"floor": floor}), "connected_account_id"), [wanted])
        self.assertEqual(ids(seam.connected_accounts.list(search=name.upper()), "connected_account_id"), [wanted])
        seam.connected_accounts.update(connected_account_id=wanted, display_name=NULL, custom_metadata={"floor": None})
        last = account()
        self.assertNotEqual(last.display_name, name)
        self.assertNotIn("floor", last.custom_metadata)
        self.not_found(lambda: seam.connected_accounts.update(connected_account_id=str(uuid4()), display_name="x"), "connected_account_not_found")

    def test_sync(self):
        seam.connected_accounts.sync(connected_account_id=account().connected_account_id)
        self.assertEqual(account().errors, [])
        self.not_found(lambda: seam.connected_accounts.sync(connected_account_id=str(uuid4())), "connected_account_not_found")

    def test_z_delete(self):
        gone = office().connected_account_id
        seam.connected_accounts.delete(connected_account_id=gone)
        self.not_found(lambda: seam.connected_accounts.get(connected_account_id=gone), "connected_account_not_found")
        until("its system says so", lambda: all(one.errors for one in seam.acs.systems.list(connected_account_id=gone)))
        self.assertNotIn(gone, ids(seam.connected_accounts.list(), "connected_account_id"))
