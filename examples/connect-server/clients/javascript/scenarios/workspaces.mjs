import { Seam } from 'seam'
import { assert, endpoint, guest, key, scenario, seam, stay, until } from './_hotel.mjs'

scenario('get', async () => {
  const workspace = await seam.workspaces.get()
  assert.match(workspace.workspace_id, /^[0-9a-f-]{36}$/)
  assert.equal(workspace.is_sandbox, true)
  assert.ok(workspace.name)
})

scenario('endpoint_and_key_as_options', async () => {
  const [SEAM_ENDPOINT, SEAM_API_KEY] = [process.env.SEAM_ENDPOINT, process.env.SEAM_API_KEY]
  delete process.env.SEAM_ENDPOINT
  delete process.env.SEAM_API_KEY
  try {
    const client = new Seam({ endpoint, apiKey: key })
    assert.deepEqual(await client.workspaces.get(), await seam.workspaces.get())
  } finally {
    Object.assign(process.env, { SEAM_ENDPOINT, SEAM_API_KEY })
  }
})

scenario('list_shows_the_own_one', async () => {
  const { workspace_id } = await seam.workspaces.get()
  assert.deepEqual((await seam.workspaces.list()).map((one) => one.workspace_id), [workspace_id])
})

scenario('reset_sandbox', async () => {
  const doors = async () => (await seam.acs.entrances.list()).map(({ display_name }) => display_name).sort()
  const before = await doors()
  const person = await guest()
  await stay({ doors: ['lobby'], modes: ['code'], who: person })
  const attempt = await seam.workspaces.resetSandbox()
  assert.equal(attempt.action_type, 'RESET_SANDBOX_WORKSPACE')
  assert.equal(attempt.status, 'success')
  await until('nothing of before is there', async () => (await seam.accessGrants.list()).length === 0 && (await seam.userIdentities.list()).length === 0)
  await until('the doors are there again', async () => (await doors()).join() === before.join())
})
