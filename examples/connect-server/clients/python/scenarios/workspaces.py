import os

from _hotel import Scenarios, Seam, endpoint, guest, key, seam, stay, until


class Workspaces(Scenarios):
    def test_get(self):
        workspace = seam.workspaces.get()
        self.assertRegex(workspace.workspace_id, r"^[0-9a-f-]{36}$")
        self.assertIs(workspace.is_sandbox, True)
        self.assertTrue(workspace.name)

    def test_endpoint_and_key_as_options(self):
        kept = {name: os.environ.pop(name) for name in ("SEAM_ENDPOINT", "SEAM_API_KEY")}
        try:
            client = Seam(api_key=key, endpoint=endpoint)
            self.assertEqual(client.workspaces.get(), seam.workspaces.get())
        finally:
            os.environ.update(kept)

    def test_list_shows_the_own_one(self):
        self.assertEqual([one.workspace_id for one in seam.workspaces.list()], [seam.workspaces.get().workspace_id])

    # The last of the file in the order of names, so that it takes nothing away from the others.
    def test_reset_sandbox(self):
        def doors():
            return sorted(entrance.display_name for entrance in seam.acs.entrances.list())

        before = doors()
        stay(doors=["lobby"], modes=["code"], who=guest())
        attempt = seam.workspaces.reset_sandbox()
        self.assertEqual((attempt.action_type, attempt.status), ("RESET_SANDBOX_WORKSPACE", "success"))
        until("nothing of before is there", lambda: not seam.access_grants.list() and not seam.user_identities.list())
        until("the doors are there again", lambda: doors() == before)
