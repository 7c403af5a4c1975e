from uuid import uuid4

from _hotel import Scenarios, hotel, ids, office, seam


class AcsSystems(Scenarios):
    def test_list(self):
        systems = seam.acs.systems.list()
        self.assertEqual(len(systems), 2)
        self.assertTrue(office())
        for system in systems:
            self.assertEqual(system.errors, [])

    def test_list_filters(self):
        system = office()
        of_account = seam.acs.systems.list(connected_account_id=system.connected_account_id)
        self.assertIn(system.acs_system_id, ids(of_account, "acs_system_id"))
        self.assertTrue(all(one.connected_account_id == system.connected_account_id for one in of_account))
        self.assertEqual(ids(seam.acs.systems.list(search="offic"), "acs_system_id"), [system.acs_system_id])
        self.assertEqual(seam.acs.systems.list(connected_account_id=str(uuid4())), [])
        self.assertEqual(seam.acs.systems.list(customer_key="nobody"), [])

    def test_get(self):
        system = office()
        got = seam.acs.systems.get(acs_system_id=system.acs_system_id)
        self.assertEqual(got.acs_system_id, system.acs_system_id)
        self.assertIn(got.acs_access_group_count, [2, None])
        self.assertIs(got.is_credential_manager, False)
        self.not_found(lambda: seam.acs.systems.get(acs_system_id=str(uuid4())), "acs_system_not_found")

    def test_compatible_credential_managers(self):
        managers = seam.acs.systems.list_compatible_credential_manager_acs_systems(acs_system_id=hotel().acs_system_id)
        self.assertTrue(all(one.is_credential_manager for one in managers))
        self.not_found(
            lambda: seam.acs.systems.list_compatible_credential_manager_acs_systems(acs_system_id=str(uuid4())), "acs_system_not_found"
        )

    def test_report_devices_needs_a_system_that_is_told(self):
        doors = [{"hotek_metadata": {"room_number": "7"}}]
        self.refused(lambda: seam.acs.systems.report_devices(acs_system_id=hotel().acs_system_id, acs_entrances=doors), 400)
