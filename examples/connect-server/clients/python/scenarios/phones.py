from uuid import uuid4

from _hotel import Scenarios, guest, ids, seam, unique

create = seam.phones.simulate.create_sandbox_phone


class Phones(Scenarios):
    def test_create_list_get_deactivate(self):
        person = guest().user_identity_id
        android = create(user_identity_id=person)
        self.assertEqual(android.device_type, "android_phone")
        self.assertTrue(android.display_name)
        about = {"operating_system": "ios", "os_version": "17", "device_manufacturer": "apple", "device_model": "iPhone 15"}
        ios = create(user_identity_id=person, phone_metadata=about)
        self.assertEqual(ios.device_type, "ios_phone")
        self.assertEqual(ids(seam.phones.list(owner_user_identity_id=person), "device_id"), ids([android, ios], "device_id"))
        self.assertIn(ios.device_id, ids(seam.phones.list(), "device_id"))
        self.assertEqual(seam.phones.get(device_id=ios.device_id), ios)
        seam.phones.deactivate(device_id=android.device_id)
        self.not_found(lambda: seam.phones.get(device_id=android.device_id), "phone_not_found")
        self.assertEqual(ids(seam.phones.list(owner_user_identity_id=person), "device_id"), [ios.device_id])

    def test_one_installation_is_one_phone(self):
        person, app = guest().user_identity_id, unique("app")
        first = create(user_identity_id=person, custom_sdk_installation_id=app)
        self.assertEqual(create(user_identity_id=person, custom_sdk_installation_id=app), first)

    def test_unknown_and_wrong(self):
        self.not_found(lambda: create(user_identity_id=str(uuid4())), "user_identity_not_found")
        self.not_found(lambda: seam.phones.deactivate(device_id=str(uuid4())), "phone_not_found")
        person = guest().user_identity_id
        self.refused(lambda: create(user_identity_id=person, phone_metadata={"operating_system": "symbian"}), 400, "invalid_input")
