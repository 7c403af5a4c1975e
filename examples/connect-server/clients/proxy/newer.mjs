// The document on the registry is older than what clients in use already read. These are the differences of the newer one (1.1038.0, from the
// public source of @seamapi/types) in this domain; both must hold. A line goes away when the pinned package has caught up with it.
const uuids = { type: 'array', items: { type: 'string', format: 'uuid' } }

/** Fields that the newer document requires, by schema. */
export const newerRequired = {
  access_grant: { display_status: { type: 'string' } },
  access_method: { display_status: { type: 'string' } },
  user_identity: { merged_user_identity_ids: uuids, merged_user_identity_keys: { type: 'array', items: { type: 'string' } } },
}

/** Routes that are newer, and what newer responses add to older ones. */
export const newerResponses = {
  '/user_identities/merge': { verbs: ['post'], schema: { type: 'object', required: ['ok'], properties: { ok: { type: 'boolean' } } } },
  '/access_methods/list': {
    verbs: ['get', 'post'],
    schema: { type: 'object', required: ['pagination'], properties: { pagination: { $ref: '#/components/schemas/pagination' } } },
  },
}

/** What this server offers beside the document. */
export const ownRoutes = {
  '/acs/entrances/simulate/use_credential': {
    verbs: ['post'],
    schema: {
      type: 'object',
      required: ['use', 'ok'],
      properties: {
        use: { type: 'object', required: ['opened', 'reason'], properties: { opened: { type: 'boolean' }, reason: { type: 'string' } } },
        ok: { type: 'boolean' },
      },
    },
  },
}
