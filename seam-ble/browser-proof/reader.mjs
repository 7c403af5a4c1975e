// A PKOC reader in JavaScript with Node's own cryptography, against the phone in WebAssembly: node reader.mjs <browser_proof.wasm>
//
// Follows PSIA's PKOC over Bluetooth (2.0.1 lengths, reader certificates, ECDHE flow); shares no code with the phone.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { readFile } from 'node:fs/promises'

const { instance } = await WebAssembly.instantiate(await readFile(process.argv[2]), {})
const { memory, buffer, sign, begin, receive } = instance.exports

const call = (act, ...parts) => {
  const input = Buffer.concat(parts)
  Buffer.from(memory.buffer).set(input, buffer())
  const length = act(input.length)
  return length < 0 || length >= 0x10000 ? length : Buffer.from(Buffer.from(memory.buffer).subarray(buffer(), buffer() + length))
}

const P256 = 'prime256v1'
const b64 = (bytes) => bytes.toString('base64url')
const publicKey = (point) => crypto.createPublicKey({ key: { kty: 'EC', crv: 'P-256', x: b64(point.subarray(1, 33)), y: b64(point.subarray(33, 65)) }, format: 'jwk' })
const pair = () => {
  const ecdh = crypto.createECDH(P256)
  ecdh.generateKeys()
  const point = ecdh.getPublicKey()
  const jwk = { kty: 'EC', crv: 'P-256', x: b64(point.subarray(1, 33)), y: b64(point.subarray(33)), d: b64(Buffer.concat([Buffer.alloc(32), ecdh.getPrivateKey()]).subarray(-32)) }
  return { ecdh, point, compressed: ecdh.getPublicKey(null, 'compressed'), key: crypto.createPrivateKey({ key: jwk, format: 'jwk' }) }
}
const signed = (key, message) => crypto.sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' })
const verified = (point, message, signature) => crypto.verify('sha256', message, { key: publicKey(point), dsaEncoding: 'ieee-p1363' }, signature)

const tlv = (tag, value) => {
  const n = value.length
  return Buffer.concat([Buffer.from(n < 128 ? [tag, n] : n < 256 ? [tag, 0x81, n] : [tag, 0x82, n >> 8, n & 255]), value])
}
const fields = (message) => {
  const found = {}
  for (let at = 0; at < message.length; ) {
    const tag = message[at]
    let length = message[at + 1]
    at += 2
    if (length === 0x81) length = message[at++]
    else if (length === 0x82) (length = message.readUInt16BE(at)), (at += 2)
    found[tag] = message.subarray(at, at + length)
    at += length
  }
  return found
}
const u32 = (number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(number)
  return bytes
}

const SITE = Buffer.alloc(16, 0x10)
const LOCATION = Buffer.alloc(16, 0x30)
const VERSION = Buffer.from([2, 0, 0, 0, 0, 1])
const NOW = 1_800_000_000
const NONCE = Buffer.from([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1])
const [issuer, reader] = [pair(), pair()]
const certificate = (() => {
  const body = Buffer.concat([Buffer.from([1]), LOCATION, SITE, u32(NOW - 10), u32(NOW + 10), reader.compressed])
  return Buffer.concat([body, signed(issuer.key, body)])
})()
const grant = crypto.randomBytes(162)

// A visit. `change` may change each message of the reader; gives what the phone said at last, or what the reader found wrong with it.
function visit(phone, change = (_, message) => message) {
  const session = pair()
  assert.equal(call(begin, phone, crypto.randomBytes(32), u32(NOW), SITE, issuer.point, grant).length, 0)
  const hello = Buffer.concat([tlv(0x0c, VERSION), tlv(0x02, session.compressed), tlv(0x0d, LOCATION), tlv(0x0e, SITE), tlv(0x10, certificate)])
  const greeting = call(receive, change(0, hello))
  if (greeting === -1) return 'refused'
  const device = fields(greeting)[0x07]
  const key = crypto.createHash('sha256').update(session.ecdh.computeSecret(device)).digest()
  const both = Buffer.concat([SITE, LOCATION, device.subarray(1, 33), session.point.subarray(1, 33)])
  const answer = call(receive, change(1, tlv(0x03, signed(reader.key, both))))
  if (answer === -1) return 'refused'
  const sealed = fields(answer)[0x40]
  const decipher = crypto.createDecipheriv('aes-256-ccm', key, NONCE, { authTagLength: 16 })
  decipher.setAuthTag(sealed.subarray(-16))
  const inside = fields(Buffer.concat([decipher.update(sealed.subarray(0, -16)), decipher.final()]))
  assert.ok(verified(inside[0x01], both, inside[0x03]), 'the phone signs both session keys')
  assert.deepEqual(inside[0x80], grant)
  const over = call(receive, change(2, tlv(0x04, Buffer.from([3]))))
  return over === -1 ? 'refused' : { response: over & 0xff, proven: inside[0x01] }
}

// Enrolment: the page signs the office's nonce with the key that it keeps.
const phone = crypto.randomBytes(32)
const message = Buffer.concat([Buffer.from('seam-enrol-key01'), crypto.randomBytes(32)])
const enrolled = call(sign, phone, message)
assert.equal(enrolled.length, 65 + 64)
assert.ok(verified(enrolled.subarray(0, 65), message, enrolled.subarray(65)))

for (let round = 0; round < 3; round++) {
  const { response, proven } = visit(phone)
  assert.equal(response, 3)
  assert.deepEqual(proven, enrolled.subarray(0, 65), 'it is the enrolled key that opens')
}
// A reader that cannot prove itself learns nothing; a message out of turn ends the visit; a page without a visit has nothing to say.
const flipped = (which, byte) => visit(phone, (number, message) => (number === which && (message[byte] ^= 1), message))
assert.equal(flipped(1, 10), 'refused', 'the proof')
assert.equal(flipped(0, 90), 'refused', 'the certificate')
assert.equal(visit(phone, (number, message) => (number === 1 ? tlv(0x04, Buffer.from([3])) : message)), 'refused')
assert.equal(call(receive, tlv(0x04, Buffer.from([3]))), -1)
assert.equal(call(begin, phone), -1)
assert.equal(call(sign, Buffer.alloc(32), message), -1, 'zero is no key')
console.log(`a page's phone of ${(await readFile(process.argv[2])).length} bytes of WebAssembly was enrolled and opened three times`)
