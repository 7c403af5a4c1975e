import { randomUUID } from 'node:crypto'
import { assert, door, ids, notFound, ready, scenario, seam, stay } from './_hotel.mjs'

/** An attempt that is done: the lobby unlocked with a cloud key. */
async function unlock() {
  const [{ access_method_id }] = await ready(await stay({ doors: ['lobby'], modes: ['cloud_key'] }))
  const { acs_entrance_id } = await door('lobby')
  return await seam.accessMethods.unlockDoor({ access_method_id, acs_entrance_id })
}

scenario('get', async () => {
  const attempt = await unlock()
  const { action_attempt_id } = attempt
  assert.deepEqual(await seam.actionAttempts.get({ action_attempt_id }), attempt)
  await notFound(() => seam.actionAttempts.get({ action_attempt_id: randomUUID() }), 'action_attempt_not_found')
})

scenario('list', async () => {
  const both = [await unlock(), await unlock()]
  const action_attempt_ids = ids(both, 'action_attempt_id')
  assert.deepEqual(ids(await seam.actionAttempts.list({ action_attempt_ids }), 'action_attempt_id'), action_attempt_ids)
  assert.deepEqual(await seam.actionAttempts.list({ action_attempt_ids: [randomUUID()] }), [])
  const paged = await seam.createPaginator(seam.actionAttempts.list({ action_attempt_ids, limit: 1 })).flattenToArray()
  assert.deepEqual(ids(paged, 'action_attempt_id'), action_attempt_ids)
})
