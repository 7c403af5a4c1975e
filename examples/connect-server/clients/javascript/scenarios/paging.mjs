import { assert, door, raw, refused, scenario, seam, stay, unique } from './_hotel.mjs'

const GRANTS = 1200
const wanted = new Set()

scenario('a_1200_grants', async () => {
  const { acs_entrance_id } = await door('lobby')
  let left = GRANTS
  const clerk = async () => {
    while (left-- > 0) {
      const user_identity = { user_identity_key: unique('guest'), full_name: 'Guest' }
      const grant = await seam.accessGrants.create({ user_identity, acs_entrance_ids: [acs_entrance_id], requested_access_methods: [{ mode: 'cloud_key' }] })
      wanted.add(grant.access_grant_id)
    }
  }
  await Promise.all(Array.from({ length: 8 }, clerk))
  assert.equal(wanted.size, GRANTS)
})

/** Every grant is met, and none twice. */
function complete(grants) {
  assert.equal(grants.length, GRANTS)
  assert.deepEqual(new Set(grants.map(({ access_grant_id }) => access_grant_id)), wanted)
}

scenario('b_pages_of_the_usual_size', async () => {
  const pages = []
  for await (const page of seam.createPaginator(seam.accessGrants.list())) pages.push(page)
  assert.deepEqual(pages.map(({ length }) => length), [500, 500, 200])
  complete(pages.flat())
})

scenario('c_pages_of_a_hundred', async () => complete(await seam.createPaginator(seam.accessGrants.list({ limit: 100 })).flattenToArray()))

scenario('d_page_after_page_by_hand', async () => {
  const paginator = seam.createPaginator(seam.accessGrants.list({ limit: 700 }))
  const [first, pagination] = await paginator.firstPage()
  assert.equal(first.length, 700)
  assert.equal(pagination.hasNextPage, true)
  const [second, end] = await paginator.nextPage(pagination.nextPageCursor)
  assert.equal(end.hasNextPage, false)
  complete([...first, ...second])
})

scenario('e_a_grant_that_comes_and_one_that_goes', async () => {
  const paginator = seam.createPaginator(seam.accessGrants.list({ limit: 400 }))
  const [first, pagination] = await paginator.firstPage()
  const [gone] = first
  const come = await stay({ doors: ['lobby'], modes: ['cloud_key'] })
  await seam.accessGrants.delete({ access_grant_id: gone.access_grant_id })
  const seen = [...first]
  let cursor = pagination.nextPageCursor
  while (cursor) {
    const [page, next] = await paginator.nextPage(cursor)
    seen.push(...page)
    cursor = next.hasNextPage ? next.nextPageCursor : null
  }
  const found = seen.map(({ access_grant_id }) => access_grant_id).filter((id) => id !== come.access_grant_id)
  assert.equal(new Set(found).size, found.length, 'none twice')
  assert.deepEqual(new Set(found), wanted, 'none is missed')
  wanted.delete(gone.access_grant_id)
})

scenario('f_other_lists', async () => {
  const people = await seam.createPaginator(seam.userIdentities.list({ limit: 500 })).flattenToArray()
  assert.equal(new Set(people.map(({ user_identity_id }) => user_identity_id)).size, GRANTS + 1)
  const { acs_entrance_id } = await door('lobby')
  const methods = await seam.createPaginator(seam.accessMethods.list({ acs_entrance_id })).flattenToArray()
  assert.ok(methods.length >= GRANTS)
})

scenario('g_a_cursor_belongs_to_its_question', async () => {
  const { body } = await raw('/access_grants/list', { body: { limit: 10 } })
  const page_cursor = body.pagination.next_page_cursor
  assert.ok(page_cursor)
  await refused(() => seam.accessGrants.list({ limit: 10, page_cursor, reservation_key: 'other' }), 400, 'mismatched_page_parameters')
  await refused(() => seam.accessGrants.list({ limit: 10, page_cursor: 'not-a-cursor' }), 400)
  for (const limit of [-1, 'many']) await refused(() => seam.accessGrants.list({ limit }), 400, 'invalid_input')
  const url = body.pagination.next_page_url
  if (url) assert.ok(new URL(url))
})
