"""The Bluetooth service of a Linux desktop as its D-Bus shows it, with one adapter and at most one device: a PKOC reader.

    bluez.py CASE            on the bus that DBUS_SYSTEM_BUS_ADDRESS names

It is not BlueZ: there is no kernel under it and no air. Objects, properties and errors are those of BlueZ's D-Bus interface (doc/org.bluez.*.rst of its
sources). The reader is the one of `radio.py`. Prints `{"ready": true}`, then what the reader has seen, and ends when its input is closed.

CASE
absent         no adapter
off            the adapter cannot be given power
deaf           nothing is in reach
strange        a device of another service is
refusing       it does not let anybody connect
stalling       a connection is never established
other          it has another service than it advertised
unsubscribable it has one without notifications
leaving        it leaves after its first message
reader         it is one
"""
import asyncio
import sys

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus
from radio import NOTIFY, WRITE, ReaderSide, say

ADAPTER = "/org/bluez/hci0"
DEVICE = f"{ADAPTER}/dev_C0_00_00_00_00_0A"
SERVICE = f"{DEVICE}/service0010"
PKOC = "0000fff0-0000-1000-8000-00805f9b34fb"
BATTERY = "0000180f-0000-1000-8000-00805f9b34fb"


def long_form(uuid):
    return "-".join([(h := uuid.to_hex_str().lower())[:8], h[8:12], h[12:16], h[16:20], h[20:]])


def of(**properties):
    signatures = {bool: "b", int: "q", str: "s", list: "as", bytes: "ay"}
    return {name: Variant(signatures[type(value)], value) for name, value in properties.items()}


class Service:
    def __init__(self, bus, case):
        self.bus, self.case = bus, case
        self.side = ReaderSide()
        self.objects = {}
        if case != "absent":
            named = dict(Address="C0:00:00:00:00:01", AddressType="public", Name="desk", Alias="desk", Modalias="usb:v1D6Bp0246d0542")
            self.objects[ADAPTER] = {"org.bluez.Adapter1": of(**named, Powered=case != "off", Discovering=False)}

    # --- signals ------------------------------------------------------------------------------------------------------------------------------

    def tell(self, path, interface, member, signature, body):
        self.bus.send(Message(message_type=MessageType.SIGNAL, path=path, interface=interface, member=member, signature=signature, body=body))

    def appear(self, path, interface, properties):
        self.objects[path] = {interface: properties}
        self.tell("/", "org.freedesktop.DBus.ObjectManager", "InterfacesAdded", "oa{sa{sv}}", [path, self.objects[path]])

    def change(self, path, interface, **properties):
        changed = of(**properties)
        self.objects[path][interface].update(changed)
        self.tell(path, "org.freedesktop.DBus.Properties", "PropertiesChanged", "sa{sv}as", [interface, changed, []])

    # --- the device ---------------------------------------------------------------------------------------------------------------------------

    def discover(self):
        self.change(ADAPTER, "org.bluez.Adapter1", Discovering=True)
        if self.case == "deaf":
            return
        flags = dict(Paired=False, Connected=False, ServicesResolved=False, Trusted=False, Blocked=False, LegacyPairing=False)
        uuids = [BATTERY if self.case == "strange" else PKOC]
        named = dict(Address="C0:00:00:00:00:0A", AddressType="random", Alias="C0-00-00-00-00-0A")
        self.appear(DEVICE, "org.bluez.Device1", of(**named, **flags, UUIDs=uuids))

    def connect(self):
        self.change(DEVICE, "org.bluez.Device1", Connected=True)
        other = self.case == "other"
        self.appear(SERVICE, "org.bluez.GattService1", of(UUID=BATTERY if other else PKOC, Primary=True))
        if not other:
            self.appear(f"{SERVICE}/char0011", "org.bluez.GattCharacteristic1", of(UUID=long_form(WRITE), Flags=["write"], MTU=512))
            self.appear(f"{SERVICE}/char0013", "org.bluez.GattCharacteristic1", of(UUID=long_form(NOTIFY), Flags=["notify"], MTU=512))
        self.change(DEVICE, "org.bluez.Device1", ServicesResolved=True)

    def disconnect(self):
        self.change(DEVICE, "org.bluez.Device1", Connected=False, ServicesResolved=False)
        say(disconnected=True)

    def notify(self, value):
        self.change(f"{SERVICE}/char0013", "org.bluez.GattCharacteristic1", Value=bytes(value))

    def written(self, value):
        if self.case == "leaving":
            self.disconnect()
            return
        answer, seen = self.side.take(bytes(value))
        self.notify(answer)
        if seen:
            say(**seen)

    # --- calls --------------------------------------------------------------------------------------------------------------------------------

    def answer(self, call):
        if call.message_type != MessageType.METHOD_CALL:
            return None
        failed = lambda name: Message.new_error(call, f"org.bluez.Error.{name}", name)  # noqa: E731
        match (call.path, call.member, self.case):
            case (_, "GetManagedObjects", _):
                return Message.new_method_return(call, "a{oa{sa{sv}}}", [self.objects])
            case (path, "GetAll", _) if path in self.objects:
                return Message.new_method_return(call, "a{sv}", [self.objects[path][call.body[0]]])
            case (path, "Get", _) if path in self.objects:
                return Message.new_method_return(call, "v", [self.objects[path][call.body[0]][call.body[1]]])
            case (_, "Set", "off"):
                # As with a switch on the machine, or an adapter that hangs.
                return failed("Failed")
            case (path, "Set", _) if path in self.objects:
                _, name, value = call.body
                after = lambda: self.change(path, call.body[0], **{name: value.value})  # noqa: E731
            case (path, "Introspect", _):
                below = sorted({p[len(path) + 1 :].split("/")[0] for p in self.objects if p.startswith(path + "/")})
                nodes = "".join(f'<node name="{name}"/>' for name in below)
                return Message.new_method_return(call, "s", [f"<node>{nodes}</node>"])
            case (_, "StartDiscovery", _):
                after = self.discover
            case (_, "StopDiscovery", _):
                after = lambda: say(stopped=True)  # noqa: E731
            case (_, "Connect", "refusing"):
                return failed("Failed")
            case (_, "Connect", "stalling"):
                return True
            case (_, "Connect", _):
                after = self.connect
            case (_, "Disconnect", _):
                after = self.disconnect
            case (_, "StartNotify", "unsubscribable"):
                return failed("NotSupported")
            case (_, "StartNotify", _):
                after = lambda: self.notify(self.side.begin())  # noqa: E731
            case (_, "WriteValue", _):
                after = lambda: self.written(call.body[0])  # noqa: E731
            case (_, "SetDiscoveryFilter", _):
                after = lambda: None  # noqa: E731
            case _:
                return Message.new_error(call, "org.freedesktop.DBus.Error.UnknownMethod", str(call.member))
        # What follows a call is told after its answer, as by a service that has to wait for the air.
        asyncio.get_running_loop().call_soon(after)
        return Message.new_method_return(call)


async def main():
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    service = Service(bus, sys.argv[1])
    bus.add_message_handler(service.answer)
    await bus.request_name("org.bluez")
    say(ready=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main())
