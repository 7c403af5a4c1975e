"""A room full of radio: virtual Bluetooth controllers on one link, for programs that come over TCP, and two peers that share no code with them.

    radio.py [--controllers N] [--lock] [--phone] [--aliro-lock] [--aliro-phone]

Prints one line of JSON with the controllers' ports, then one line for each thing that a peer has seen, and ends when its input is closed.
A number on its input says that the so-many-th packet of data from now is lost, and with it the connection; 0 takes that back. Both are
confirmed, and said when it happens.

--lock          a PKOC reader in here: answers whoever connects, and says which key was proven
--phone         a PKOC phone in here: looks for a reader, presents its key, and says what it was told
--aliro-lock    an Aliro lock in here (`aliro.py`): says who came, by which phase, and what lay in the mailbox
--aliro-phone   an Aliro phone in here: each line `visit HOW` on the input is a visit, and it says what it was shown

The PKOC peers follow PSIA's PKOC over Bluetooth (2.0.1 lengths, reader certificates) and are written after its description, with other libraries.
"""
import argparse
import asyncio
import json
import socket
import struct
import sys

import aliro
from bumble.controller import Controller
from bumble.core import UUID, AdvertisingData
from bumble.device import Device, Peer
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.hci import Address, HCI_AclDataPacket
from bumble.host import Host
from bumble.link import LocalLink
from bumble.transport.tcp_server import open_tcp_server_transport_with_socket
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESCCM

SERVICE = UUID.from_16_bits(0xFFF0)
WRITE = UUID("fe278a85-89ae-191f-5dde-841202693835")
NOTIFY = UUID("e5b1b3b5-3cca-3f76-cd86-a884cc239692")

# Both programs know these: keys that are their own byte thirty-two times, names that are one byte sixteen times.
SITE, LOCATION = bytes([0x10] * 16), bytes([0x30] * 16)
ISSUER, READER, PHONE = 0x44, 0x55, 0x66
VERSION = bytes([2, 0, 0, 0, 0, 1])
NOT_BEFORE, NOT_AFTER = 1_799_999_990, 1_800_000_010
NONCE = bytes([0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1])


def say(**what):
    print(json.dumps(what), flush=True)


# --- cryptography -----------------------------------------------------------------------------------------------------------------------------


def private(byte):
    return ec.derive_private_key(int.from_bytes(bytes([byte] * 32), "big"), ec.SECP256R1())


def point(key, compressed=False):
    form = serialization.PublicFormat.CompressedPoint if compressed else serialization.PublicFormat.UncompressedPoint
    return key.public_bytes(serialization.Encoding.X962, form)


def sign(key, message):
    r, s = utils.decode_dss_signature(key.sign(message, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def verify(key, message, signature):
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big")
    key.verify(utils.encode_dss_signature(r, s), message, ec.ECDSA(hashes.SHA256()))


def channel_key(mine, theirs):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(mine.exchange(ec.ECDH(), theirs))
    return digest.finalize()


def public(encoded):
    return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), encoded)


# --- messages ---------------------------------------------------------------------------------------------------------------------------------


def tlv(tag, value):
    length = len(value)
    head = bytes([length]) if length < 128 else bytes([0x81, length]) if length < 256 else bytes([0x82]) + length.to_bytes(2, "big")
    return bytes([tag]) + head + value


def fields(message):
    found, at = {}, 0
    while at < len(message):
        tag, length = message[at], message[at + 1]
        at += 2
        if length == 0x81:
            length, at = message[at], at + 1
        elif length == 0x82:
            length, at = int.from_bytes(message[at : at + 2], "big"), at + 2
        found[tag] = message[at : at + length]
        at += length
    return found


def certificate():
    body = bytes([1]) + LOCATION + SITE + struct.pack(">II", NOT_BEFORE, NOT_AFTER) + point(private(READER).public_key(), compressed=True)
    return body + sign(private(ISSUER), body)


class ReaderSide:
    """One transaction of a reader: `begin`, then `take` each message, until there is a result."""

    def __init__(self):
        self.session = ec.generate_private_key(ec.SECP256R1())
        self.state = 0

    def begin(self):
        session = point(self.session.public_key(), compressed=True)
        return tlv(0x0C, VERSION) + tlv(0x02, session) + tlv(0x0D, LOCATION) + tlv(0x0E, SITE) + tlv(0x10, certificate())

    def take(self, message):
        got = fields(message)
        if self.state == 0:
            assert got[0x0C] == VERSION
            device = public(got[0x07])
            self.key = channel_key(self.session, device)
            self.signed = SITE + LOCATION + got[0x07][1:33] + point(self.session.public_key())[1:33]
            self.state = 1
            return tlv(0x03, sign(private(READER), self.signed)), None
        inside = fields(AESCCM(self.key, tag_length=16).decrypt(NONCE, got[0x40], None))
        assert inside[0x0C] == VERSION
        verify(public(inside[0x01]), self.signed, inside[0x03])
        self.state = 2
        return tlv(0x04, bytes([3])), {"proven": inside[0x01].hex(), "extension": inside.get(0x80, b"").hex()}


class PhoneSide:
    """One transaction of a phone."""

    def __init__(self, extension):
        self.extension = extension
        self.state = 0

    def take(self, message):
        got = fields(message)
        if self.state == 0:
            body, signature = got[0x10][:74], got[0x10][74:]
            verify(private(ISSUER).public_key(), body, signature)
            assert body[1:17] == got[0x0D] == LOCATION and body[17:33] == got[0x0E] == SITE
            self.reader = public(body[41:74])
            self.version = got[0x0C]
            session = ec.generate_private_key(ec.SECP256R1())
            mine = point(session.public_key())
            self.key = channel_key(session, public(got[0x02]))
            self.signed = got[0x0E] + got[0x0D] + mine[1:33] + got[0x02][1:33]
            self.state = 1
            return tlv(0x07, mine) + tlv(0x0C, self.version), None
        if self.state == 1:
            verify(self.reader, self.signed, got[0x03])
            plain = tlv(0x01, point(private(PHONE).public_key())) + tlv(0x03, sign(private(PHONE), self.signed))
            plain += tlv(0x09, struct.pack(">I", NOT_BEFORE)) + tlv(0x0C, self.version) + tlv(0x80, self.extension)
            self.state = 2
            return tlv(0x40, AESCCM(self.key, tag_length=16).encrypt(NONCE, plain, None)), None
        return None, {"response": got[0x04][0]}


# --- radio ------------------------------------------------------------------------------------------------------------------------------------


# What a link layer carries at once (Core specification, Vol 6 Part B, 2.4): no real controller hands more to its host.
LARGEST_PACKET = 251


class FragmentingController(Controller):
    """bumble's controller hands a whole message of any length to the host at once, for which no host has room."""

    def on_link_acl_data(self, sender_address, transport, data):
        connection = self.le_connections.get(sender_address)
        if connection is None:
            return
        for at in range(0, len(data), LARGEST_PACKET):
            part = data[at : at + LARGEST_PACKET]
            self.send_hci_packet(HCI_AclDataPacket(connection.handle, 2 if at == 0 else 1, 0, len(part), part))


class Link(LocalLink):
    """The air. The connection breaks with the packet on which `left` reaches zero."""

    left = None

    def send_acl_data(self, sender_controller, destination_address, transport, data):
        if self.left is not None:
            self.left -= 1
            if self.left == 0:
                self.left = None
                say(broken=True)
                for controller in self.controllers:
                    for connection in list(controller.le_connections.values()):
                        controller.on_le_disconnected(connection, 0x08)
                return
        super().send_acl_data(sender_controller, destination_address, transport, data)


async def controller_on_tcp(link, name):
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    transport = await open_tcp_server_transport_with_socket(listener)
    controller = FragmentingController(name, host_source=transport.source, host_sink=transport.sink, link=link)
    return listener.getsockname()[1], controller, transport


async def device_in_here(link, name, address):
    controller = FragmentingController(name, link=link, public_address=address)
    host = Host()
    host.controller = controller
    device = Device(name=name, address=Address(address), host=host)
    await device.power_on()
    return device


async def lock(link):
    device = await device_in_here(link, "lock", "C0:00:00:00:00:0A")
    session, queue = {}, asyncio.Queue()
    notify = Characteristic(NOTIFY, Characteristic.Properties.NOTIFY, Characteristic.READABLE, b"")

    def written(_connection, value):
        queue.put_nowait(bytes(value))

    write = Characteristic(
        WRITE,
        Characteristic.Properties.WRITE | Characteristic.Properties.WRITE_WITHOUT_RESPONSE,
        Characteristic.WRITEABLE,
        CharacteristicValue(write=written),
    )
    device.add_service(Service(SERVICE, [write, notify]))

    def subscribed(_connection, enabled, _indicate):
        if enabled:
            session["reader"] = ReaderSide()
            queue.put_nowait(None)

    notify.on("subscription", lambda connection, enabled, indicate: subscribed(connection, enabled, indicate))
    data = AdvertisingData([
        (AdvertisingData.FLAGS, bytes([6])),
        (AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS, bytes.fromhex("f0ff")),
    ])
    await device.start_advertising(advertising_data=bytes(data), auto_restart=True)
    while True:
        message = await queue.get()
        reader = session["reader"]
        answer, seen = (reader.begin(), None) if message is None else reader.take(message)
        await device.notify_subscribers(notify, answer)
        if seen:
            say(**seen)


async def phone(link):
    device = await device_in_here(link, "phone", "C0:00:00:00:00:0B")
    found = asyncio.get_running_loop().create_future()

    def advertised(advertisement):
        services = advertisement.data.get(AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS) or []
        if SERVICE in services and not found.done():
            found.set_result(advertisement.address)

    device.on("advertisement", advertised)
    await device.start_scanning()
    address = await found
    await device.stop_scanning()
    connection = await device.connect(address)
    peer = Peer(connection)
    await peer.request_mtu(505)
    await peer.discover_services()
    for service in peer.services:
        await service.discover_characteristics()
    write = peer.get_characteristics_by_uuid(WRITE)[0]
    notify = peer.get_characteristics_by_uuid(NOTIFY)[0]
    side, queue = PhoneSide(b"a grant"), asyncio.Queue()
    await notify.discover_descriptors()
    await notify.subscribe(lambda value: queue.put_nowait(bytes(value)))
    while True:
        answer, seen = side.take(await queue.get())
        if seen:
            say(**seen)
            await connection.disconnect()
            return
        await write.write_value(answer, with_response=True)


async def listen(link, visits):
    while line := await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
        if line.startswith("visit "):
            visits.put_nowait(line.split()[1])
            continue
        link.left = int(line) or None
        say(armed=int(line))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--controllers", type=int, default=2)
    parser.add_argument("--lock", action="store_true")
    parser.add_argument("--phone", action="store_true")
    parser.add_argument("--aliro-lock", action="store_true")
    parser.add_argument("--aliro-phone", action="store_true")
    arguments = parser.parse_args()
    link = Link()
    controllers = [await controller_on_tcp(link, f"controller {n}") for n in range(arguments.controllers)]
    say(ports=[port for port, _, _ in controllers])
    peers = []
    if arguments.lock:
        peers.append(asyncio.create_task(lock(link)))
    if arguments.phone:
        peers.append(asyncio.create_task(phone(link)))
    visits = asyncio.Queue()
    if arguments.aliro_lock or arguments.aliro_phone:
        aliro.self_test()
    if arguments.aliro_lock:
        await aliro.lock(await device_in_here(link, "aliro lock", "C0:00:00:00:00:0C"), say)
    if arguments.aliro_phone:
        device = await device_in_here(link, "aliro phone", "C0:00:00:00:00:0D")
        peers.append(asyncio.create_task(aliro.phone(device, say, visits)))
    closed = asyncio.create_task(listen(link, visits))
    for peer in asyncio.as_completed([closed, *peers]):
        await peer
        if closed.done():
            break


if __name__ == "__main__":
    asyncio.run(main())
