"""Aliro over Bluetooth, both sides, for the room of `radio.py`: a lock and a phone that share no code with those they meet.

Written after public descriptions of the protocol (the CSA's actuator and certification tool, a public Java port), with Python's `cryptography`.
Before anything else the key schedule is held against the values that the actuator's tests publish.

A phone is told how to behave by a word:

    press       as its holder pressed: asks for the bolt, encrypted          far         does not press
    bytes       every byte in an SDU of its own                              merged      two messages in one SDU
    empty       an empty SDU before every message                            starved     lets the lock send one packet, and takes its time
    huge        announces a message of 65535 bytes                           half        stops in the middle of its first message
    nonsense    a message of a protocol that there is not                    silent      opens the channel and says nothing
    spsm        opens a channel where there is none                          hasty       opens the channel before it chose a version
    version     chooses a version that the lock does not speak               stranger    trusts another lock
    tampered    sends back a changed answer to AUTH1                         mirrored    sends the lock's own ephemeral key back
"""
import asyncio
import os
import struct

from bumble.core import UUID, AdvertisingData
from bumble.device import Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.l2cap import LeCreditBasedChannelSpec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.x963kdf import X963KDF

SERVICE = UUID.from_16_bits(0xFFF2)
LOCK_TELLS = UUID("D3B5A130-9E23-4B3A-8BE4-6B1EE5F980A3")
PHONE_TELLS = UUID("BD4B9502-3F54-11EC-B919-0242AC120005")
SPSM = 0x0080
VERSION = bytes([1, 0])

# Both programs know these.
READER_ID = bytes([0x20] * 16) + bytes([0x21] * 16)
RESOLVING_KEY = bytes([0x22] * 16)
READER, PHONE = 0x55, 0x66
PROPRIETARY = bytes.fromhex("a508800200005c020100")
MAILBOX = b"a grant in the mailbox"

AP, NOTIFICATION = 0, 2
EVENT, STATUS_CHANGED, COMPLETED, REQUEST, INITIATE, INITIATE_PRESSED = 0, 2, 3, 4, 5, 6


class Refused(Exception):
    """The other side did something that it must not, or what it sent proves nothing."""


# --- cryptography -----------------------------------------------------------------------------------------------------------------------------


def private(byte):
    return ec.derive_private_key(int.from_bytes(bytes([byte] * 32), "big"), ec.SECP256R1())


def point(key):
    return key.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def public(encoded):
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encoded)


def x(encoded):
    return encoded[1:33]


def sign(key, message):
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(key, message, signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    try:
        key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise Refused("signature") from error


def derive(key, salt, info, length):
    return HKDF(algorithm=hashes.SHA256(), length=length, salt=salt, info=info).derive(key)


def dynamic_tag(address, expiry, key=RESOLVING_KEY):
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()
    return encryptor.update(bytes(6) + address + expiry)[:7]


class Direction:
    def __init__(self, key, prefix):
        self.aead, self.prefix, self.counter = AESGCM(key), prefix, 1

    def nonce(self):
        nonce = bytes(7) + bytes([self.prefix]) + struct.pack(">I", self.counter)
        self.counter += 1
        return nonce

    def seal(self, text, associated=None):
        return self.aead.encrypt(self.nonce(), text, associated)

    def open(self, sealed, associated=None):
        try:
            return self.aead.decrypt(self.nonce(), sealed, associated)
        except InvalidTag as error:
            raise Refused("tag") from error


class Transcript:
    """What both sides have seen in the clear."""

    def __init__(self, interface, reader_key, transaction, reader_ephemeral, device_ephemeral, flags, proprietary, reader_id=READER_ID):
        self.reader_id, self.transaction, self.device_ephemeral, self.reader_ephemeral = reader_id, transaction, device_ephemeral, reader_ephemeral
        self.before = x(point(reader_key))
        self.after = reader_id + interface + b"\x5c\x02" + VERSION + x(reader_ephemeral) + transaction + flags + proprietary

    def signed(self, usage):
        parts = [(0x4D, self.reader_id), (0x86, x(self.device_ephemeral)), (0x87, x(self.reader_ephemeral)), (0x4C, self.transaction), (0x93, usage)]
        return b"".join(bytes([tag, len(value)]) + value for tag, value in parts)

    def salt(self, word, credential=b""):
        return self.before + word + self.after + credential

    def agree(self, mine, theirs):
        shared = mine.exchange(ec.ECDH(), public(theirs))
        return X963KDF(algorithm=hashes.SHA256(), length=32, sharedinfo=self.transaction).derive(shared)

    def keys(self, secret, word, credential=b"", length=160):
        return derive(secret, self.salt(word, credential), x(self.device_ephemeral), length)


USAGE_READER, USAGE_DEVICE = bytes.fromhex("415d9569"), bytes.fromhex("4e887b4c")


def self_test():
    """Against the test vectors of the CSA's actuator (tests/access_protocol/testvectors.py): its keys are public, and used nowhere else."""
    number = lambda text: ec.derive_private_key(int(text, 16), ec.SECP256R1())
    reader = number("7a9e50a19ae385e39b3bf0c75eb5f9c9a5eb4d51f808231835395fd2c1078367")
    mine = number("3c0f74114cd2a021e8066efbaa31dbb97ef0054272192606fd96633a04f66214")
    device = point(number("70637ee9b40cee568567c69589276888edca7128bb13fb531f9c4f502d8cc65e").public_key())
    name = bytes.fromhex("00112233445566778899aabbccddeeffffeeddccbbaa99887766554433221100")
    transaction = bytes.fromhex("4165a83667ad0af5ab115247424822e0")
    transcript = Transcript(b"\x5e", reader.public_key(), transaction, point(mine.public_key()), device, b"\x00\x01", PROPRIETARY, name)
    agreed = transcript.agree(mine, device)
    assert agreed.hex() == "cd227f01f917ad1dd5252db51c5ad3da1c3028be750a0f4e69c6a5624fca271c"
    keys = transcript.keys(agreed, b"Volatile****")
    assert keys[:32].hex() == "f06ab1499102ca96f75cfa6d2e42c7920382d05a22e959325a91eb3aa4d71ce8"
    assert keys[32:64].hex() == "de82f4f94575da8369febd52dea94ec3dadad6d4406a9efe76098d6a22a8fd5d"
    signature = "9398c312ba3dbe29b0e11eda23134a24228ffdda61e65596e83b512677ab4efeecd4c2743c7faa0c1ec25df32605f9071dee8fce4ebb4bc160dff1c6d0050dcb"
    verify(reader.public_key(), transcript.signed(USAGE_READER), bytes.fromhex(signature))
    tag = dynamic_tag(bytes.fromhex("c4bb86c32710"), bytes.fromhex("7a4b8500"), bytes.fromhex("f5b165224a58b791df6af1d8303e61cd"))
    assert tag.hex() == "7b7f4a82557990"


# --- messages ---------------------------------------------------------------------------------------------------------------------------------


def tlv(tag, value):
    length = len(value)
    head = bytes([length]) if length < 128 else bytes([0x81, length]) if length < 256 else bytes([0x82]) + length.to_bytes(2, "big")
    return bytes([tag]) + head + value


def fields(data):
    """Tags of one byte, each once."""
    found, at = {}, 0
    while at < len(data):
        tag, length = data[at], data[at + 1]
        at += 2
        if length == 0x81:
            length, at = data[at], at + 1
        elif length == 0x82:
            length, at = int.from_bytes(data[at : at + 2], "big"), at + 2
        if tag in found or at + length > len(data):
            raise Refused("tlv")
        found[tag] = data[at : at + length]
        at += length
    return found


def apdu(instruction, data):
    assert len(data) < 256
    return bytes([0x80, instruction, 0, 0, len(data)]) + data + b"\x00"


def frame(protocol, number, payload):
    return bytes([protocol, number]) + struct.pack(">H", len(payload)) + payload


class Channel:
    """Messages over an L2CAP channel, and their encryption once there are keys."""

    def __init__(self, channel, side):
        self.channel, self.side, self.held, self.arrived = channel, side, b"", asyncio.Queue()
        self.out = self.incoming = None
        self.closed = asyncio.get_running_loop().create_future()
        channel.sink = lambda sdu: self.arrived.put_nowait(bytes(sdu))
        channel.on("close", lambda: self.closed.done() or self.closed.set_result(None))

    def keyed(self, key):
        salt = VERSION + VERSION
        keys = [Direction(derive(key, salt, name, 32), prefix) for name, prefix in ((b"BleSKReader", 0), (b"BleSKDevice", 1))]
        self.out, self.incoming = keys if self.side == "lock" else keys[::-1]

    def write(self, data):
        self.channel.write(data)

    def send(self, protocol, number, payload):
        if protocol != AP and self.out:
            payload = self.out.seal(payload, bytes([protocol, number]) + struct.pack(">H", len(payload)))
        self.write(frame(protocol, number, payload))

    async def next(self):
        while len(self.held) < 4 or len(self.held) < 4 + int.from_bytes(self.held[2:4], "big"):
            piece = asyncio.ensure_future(self.arrived.get())
            await asyncio.wait([piece, self.closed], return_when=asyncio.FIRST_COMPLETED)
            if not piece.done():
                piece.cancel()
                raise ConnectionError("the channel is closed")
            self.held += piece.result()
        length = 4 + int.from_bytes(self.held[2:4], "big")
        message, self.held = self.held[:length], self.held[length:]
        protocol, number, payload = message[0], message[1], message[4:]
        if protocol != AP and self.incoming:
            payload = self.incoming.open(payload, bytes([protocol, number]) + struct.pack(">H", len(payload) - 16))
        return protocol, number, payload

    async def ask(self, command):
        self.send(AP, 0, command)
        protocol, number, answer = await self.next()
        if (protocol, number) != (AP, 1) or answer[-2:] != b"\x90\x00":
            raise Refused("answer")
        return answer[:-2]


# --- the lock ---------------------------------------------------------------------------------------------------------------------------------


async def serve(channel, stored):
    """One transaction of a lock. `stored` has what earlier visits left behind, by the credential's key."""
    protocol, number, hello = await channel.next()
    if protocol != NOTIFICATION or number not in (INITIATE, INITIATE_PRESSED) or hello[0] != 0 or hello[1] != len(hello) - 2:
        raise Refused("hello")
    proprietary = hello[2:]
    ephemeral, transaction = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
    flags = bytes([1 if stored else 0, 1])
    mine = point(ephemeral.public_key())
    command = tlv(0x41, flags[:1]) + tlv(0x42, flags[1:]) + tlv(0x5C, VERSION) + tlv(0x87, mine) + tlv(0x4C, transaction) + tlv(0x4D, READER_ID)
    got = fields(await channel.ask(apdu(0x80, command)))
    transcript = Transcript(b"\xc3", private(READER).public_key(), transaction, mine, got[0x86], flags, proprietary)
    found = None
    for credential, persistent in stored.items():
        keys = transcript.keys(persistent, b"VolatileFast", x(credential))
        try:
            text = fields(AESGCM(keys[:32]).decrypt(bytes(12), got[0x9D], None))
        except InvalidTag:
            continue
        if [len(text[tag]) for tag in (0x5E, 0x91, 0x92)] != [2, 20, 20]:
            raise Refused("cryptogram")
        found = credential, keys[32:64], keys[64:96], keys[96:128], "fast"
    if not found:
        signature = sign(private(READER), transcript.signed(USAGE_READER))
        sealed = await channel.ask(apdu(0x81, tlv(0x41, b"\x01") + tlv(0x9E, signature)))
        agreed = transcript.agree(ephemeral, got[0x86])
        keys = transcript.keys(agreed, b"Volatile****")
        exchange_device = Direction(keys[32:64], 1)
        told = fields(exchange_device.open(sealed))
        credential = told[0x5A]
        verify(public(credential), transcript.signed(USAGE_DEVICE), told[0x9E])
        stored[credential] = transcript.keys(agreed, b"Persistent**", x(credential), 32)
        found = credential, keys[:32], exchange_device, keys[96:128], "standard"
    credential, exchange_reader, exchange_device, ble, phase = found
    exchange_reader = Direction(exchange_reader, 0)
    if not isinstance(exchange_device, Direction):
        exchange_device = Direction(exchange_device, 1)
    request = tlv(0xBA, tlv(0x8C, b"\x00") + tlv(0x87, bytes([0, 0, 0, len(MAILBOX)])) + tlv(0x8A, bytes([0, 0]) + b"A"))
    answer = exchange_device.open(await channel.ask(apdu(0xC9, exchange_reader.seal(request))))
    length = int.from_bytes(answer[:2], "big")
    if answer[2 + length :] != bytes([0, 2, 0, 0]):
        raise Refused("exchange")
    seen = {"proven": credential.hex(), "phase": phase, "mailbox": answer[2 : 2 + length].decode(), "pressed": number == INITIATE_PRESSED}
    channel.keyed(ble)
    if number == INITIATE_PRESSED:
        channel.send(NOTIFICATION, COMPLETED, bytes([0, 2, 0x40, 0]))
        if await channel.next() != (NOTIFICATION, REQUEST, bytes([0, 1, 1])):
            raise Refused("request")
        channel.send(NOTIFICATION, STATUS_CHANGED, bytes([0, 2, 1, 1]))
    else:
        channel.send(NOTIFICATION, COMPLETED, bytes([0, 2, 0, 1]))
    return seen


async def lock(device, say):
    chosen, stored, address = [], {}, bytes.fromhex(str(device.random_address)[:17].replace(":", ""))

    def opened(channel):
        asyncio.ensure_future(session(Channel(channel, "lock")))

    async def session(channel):
        try:
            if not chosen or chosen.pop()[:2] != VERSION:
                raise Refused("version")
            say(**await serve(channel, stored))
        except (ConnectionError, Refused) as error:
            say(lost=str(error))

    device.create_l2cap_server(LeCreditBasedChannelSpec(psm=SPSM, mtu=512, mps=247, max_credits=8), handler=opened)
    tells = Characteristic(LOCK_TELLS, Characteristic.Properties.READ, Characteristic.READABLE, struct.pack(">H", SPSM) + bytes([2]) + VERSION)
    written = CharacteristicValue(write=lambda connection, value: chosen.append(bytes(value)))
    choice = Characteristic(PHONE_TELLS, Characteristic.Properties.WRITE, Characteristic.WRITEABLE, written)
    device.add_service(Service(SERVICE, [tells, choice]))
    expiry = bytes([0xFF] * 4)
    data = bytes([0x40, 0]) + READER_ID[:8] + READER_ID[16:18] + expiry + bytes(1) + dynamic_tag(address, expiry)
    advertisement = AdvertisingData([(AdvertisingData.FLAGS, bytes([6])), (AdvertisingData.SERVICE_DATA_16_BIT_UUID, bytes.fromhex("f2ff") + data)])
    await device.start_advertising(advertising_data=bytes(advertisement), auto_restart=True, advertising_interval_min=20, advertising_interval_max=20)


# --- the phone --------------------------------------------------------------------------------------------------------------------------------


class Misbehaving(Channel):
    """What a phone sends, sent otherwise."""

    how = "press"
    first = True

    def write(self, data):
        first, self.first = self.first, False
        if self.how == "bytes":
            for at in range(len(data)):
                self.channel.write(data[at : at + 1])
        elif self.how == "merged" and first:
            # With a word that it is busy behind it.
            self.channel.write(data + frame(NOTIFICATION, EVENT, bytes([0, 0])))
        elif self.how == "empty":
            self.channel.out_sdu = struct.pack("<H", 0)
            self.channel.process_output()
            self.channel.write(data)
        elif self.how == "huge" and first:
            self.channel.write(bytes([NOTIFICATION, INITIATE, 0xFF, 0xFF]) + data)
        elif self.how == "half" and first:
            self.channel.write(data[: len(data) // 2])
        elif self.how == "nonsense" and first:
            self.channel.write(bytes([9]) + data[1:])
        elif self.how != "silent":
            self.channel.write(data)


class Phone:
    def __init__(self):
        self.persistent, self.mailbox = None, bytearray(MAILBOX)

    async def visit(self, channel, how):
        pressed = how != "far"
        trusted = private(0x77 if how == "stranger" else READER).public_key()
        channel.send(NOTIFICATION, INITIATE_PRESSED if pressed else INITIATE, bytes([0, len(PROPRIETARY)]) + PROPRIETARY)
        exchange_reader = exchange_device = ble = None
        phase = "none"
        while True:
            protocol, number, payload = await channel.next()
            if protocol == NOTIFICATION:
                if number == EVENT and payload[:2] == bytes([1, 1]):
                    return {"shown": "failed", "phase": phase}
                if number == COMPLETED and pressed and payload == bytes([0, 2, 0x40, 0]):
                    channel.send(NOTIFICATION, REQUEST, bytes([0, 1, 1]))
                elif (number == STATUS_CHANGED and pressed) or (number == COMPLETED and not pressed):
                    return {"shown": payload[3], "phase": phase, "mailbox": bytes(self.mailbox).decode(errors="replace")}
                else:
                    raise Refused("notification")
                continue
            if (protocol, number) != (AP, 0):
                raise Refused("message")
            instruction, data = payload[1], payload[5 : 5 + payload[4]]
            if instruction == 0x80:
                got = fields(data)
                if got[0x5C] != VERSION or got[0x4D] != READER_ID:
                    raise Refused("auth0")
                ephemeral = ec.generate_private_key(ec.SECP256R1())
                mine = point(ephemeral.public_key())
                if how == "mirrored":
                    mine = got[0x87]
                flags = got[0x41] + got[0x42]
                transcript = Transcript(b"\xc3", trusted, got[0x4C], got[0x87], mine, flags, PROPRIETARY)
                answer = tlv(0x86, mine)
                if got[0x41] == b"\x01":
                    known = self.persistent or os.urandom(32)
                    keys = transcript.keys(known, b"VolatileFast", x(point(private(PHONE).public_key())))
                    text = tlv(0x5E, bytes(2)) + tlv(0x91, bytes(20)) + tlv(0x92, bytes(20))
                    answer += tlv(0x9D, AESGCM(keys[:32]).encrypt(bytes(12), text, None))
                    exchange_reader, exchange_device, ble, phase = Direction(keys[32:64], 0), Direction(keys[64:96], 1), keys[96:128], "fast"
            elif instruction == 0x81:
                got = fields(data)
                verify(trusted, transcript.signed(USAGE_READER), got[0x9E])
                agreed = transcript.agree(ephemeral, transcript.reader_ephemeral)
                keys = transcript.keys(agreed, b"Volatile****")
                credential = point(private(PHONE).public_key())
                self.persistent = transcript.keys(agreed, b"Persistent**", x(credential), 32)
                exchange_reader, exchange_device, ble, phase = Direction(keys[:32], 0), Direction(keys[32:64], 1), keys[96:128], "standard"
                signature = sign(private(PHONE), transcript.signed(USAGE_DEVICE))
                answer = exchange_device.seal(tlv(0x5A, credential) + tlv(0x9E, signature) + tlv(0x5E, bytes(2)))
                if how == "tampered":
                    answer = answer[:-1] + bytes([answer[-1] ^ 1])
            elif instruction == 0xC9:
                got, read = fields(exchange_reader.open(data)), b""
                if 0x97 in got and got[0x97][0] != 1:
                    channel.send(AP, 1, exchange_device.seal(bytes([0, 2, 0, 0])) + b"\x90\x00")
                    return {"shown": "refused " + got[0x97].hex(), "phase": phase}
                requests = got.get(0xBA, b"")
                while requests:
                    tag, length = requests[0], requests[1]
                    value, requests = requests[2 : 2 + length], requests[2 + length :]
                    at = int.from_bytes(value[:2], "big")
                    if tag == 0x87:
                        part = bytes(self.mailbox[at : at + int.from_bytes(value[2:4], "big")])
                        read += len(part).to_bytes(2, "big") + part
                    elif tag == 0x8A:
                        self.mailbox[at : at + length - 2] = value[2:]
                answer = exchange_device.seal(read + bytes([0, 2, 0, 0]))
                # From here on the lock speaks encrypted.
                channel.keyed(ble)
            else:
                raise Refused("command")
            channel.send(AP, 1, answer + b"\x90\x00")


async def find(device):
    found = asyncio.get_running_loop().create_future()

    def advertised(advertisement):
        for uuid, data in advertisement.data.get_all(AdvertisingData.SERVICE_DATA_16_BIT_UUID):
            address = bytes.fromhex(str(advertisement.address)[:17].replace(":", ""))
            ours = len(data) == 24 and data[2:10] == READER_ID[:8] and data[17:] == dynamic_tag(address, data[12:16])
            if uuid == SERVICE and ours and not found.done():
                found.set_result(advertisement.address)

    device.on("advertisement", advertised)
    try:
        await device.start_scanning()
        return await asyncio.wait_for(found, 10)
    finally:
        device.remove_listener("advertisement", advertised)
        await device.stop_scanning()


async def visit(device, phone, how):
    """One visit: finds the lock by its dynamic tag, connects, reads where the channel is, chooses the version, opens the channel, presents the key."""
    # bumble keeps requests whose connection was lost, and takes a new one with the same number for one too many.
    device.l2cap_channel_manager.le_coc_requests.clear()
    connection = await device.connect(await find(device))
    lost = asyncio.get_running_loop().create_future()
    connection.on("disconnection", lambda reason: lost.done() or lost.set_result(reason))
    if device.lookup_connection(connection.handle) is not connection:
        return {"lost": "before it began"}

    async def act():
        peer = Peer(connection)
        await peer.discover_services()
        for service in peer.services:
            await service.discover_characteristics()
        told = await peer.get_characteristics_by_uuid(LOCK_TELLS)[0].read_value()
        spsm, versions = int.from_bytes(told[:2], "big"), told[3 : 3 + told[2]]
        if VERSION not in [versions[at : at + 2] for at in range(0, len(versions), 2)]:
            raise Refused("version")
        if how != "hasty":
            choice = bytes([9, 9]) if how == "version" else VERSION
            await peer.get_characteristics_by_uuid(PHONE_TELLS)[0].write_value(choice, with_response=True)
        credits = 1 if how == "starved" else 16
        spec = LeCreditBasedChannelSpec(psm=spsm + (1 if how == "spsm" else 0), mtu=512, mps=64 if how == "starved" else 247, max_credits=credits)
        channel = Misbehaving(await connection.create_l2cap_channel(spec=spec), "phone")
        channel.how = how
        return await phone.visit(channel, how)

    acting = asyncio.ensure_future(act())
    await asyncio.wait([acting, lost], return_when=asyncio.FIRST_COMPLETED)
    try:
        # bumble cancels what waits for a channel that is gone, and forgets what was asked of a server that is.
        if lost.done() or acting.cancelled():
            acting.cancel()
            return {"lost": "disconnected"}
        return acting.result()
    except Exception as error:  # bumble has many, and each means that the visit came to nothing
        return {"lost": f"{type(error).__name__}: {error}"}
    finally:
        if not lost.done():
            try:
                await asyncio.wait_for(connection.disconnect(), 2)
            except Exception:  # it is gone already
                pass


async def phone(device, say, visits):
    """Visits a lock whenever it is told to."""
    person = Phone()
    while True:
        how = await visits.get()
        try:
            outcome = await asyncio.wait_for(visit(device, person, how), 25)
        except Exception as error:
            outcome = {"lost": f"{type(error).__name__}: {error}"}
        say(visited=how, **outcome)
