//! Aliro's Bluetooth: an advertisement that only the group can make and only the group can tell, a characteristic that says where the L2CAP
//! channel is, one that takes the phone's choice of version, and the channel itself.
//!
//! What goes through the channel is a stream of frames: [`transport::aliro`](crate::transport::aliro) puts the messages together again.
use core::time::Duration;
use std::vec::Vec;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use tokio::net::TcpStream;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use trouble_host::prelude::*;

use super::super::aliro::{Agreed, MAX_MESSAGE, VERSIONS};
use super::super::memory::{self, MemoryLink};
use super::{
    ATTRIBUTES, CHANNELS, CONNECTIONS, Ear, FIND_WITHIN, Hci, Heard, LAST_WORD, LISTEN_WITHIN, accept, controller, find, hang_up, leave,
    random, uuid,
};
use crate::aliro::ble::advert;
use crate::aliro::ble::gatt::{DEVICE_CHARACTERISTIC, DeviceInfo, READER_CHARACTERISTIC, ReaderInfo, SERVICE};
use crate::aliro::{ReaderId, Version};
use crate::bytes::Writer;
use crate::crypto::{Crypto, Secret};
use crate::transport::LinkError;

/// Where a lock's channel is unless it is told otherwise: the first of the dynamic ones.
pub const SPSM: u16 = 0x0080;

/// The longest piece that goes through the channel at once, if the other side takes as much: one packet of the host's pool.
const PIECE: usize = 480;
/// The shortest that the Bluetooth specification lets a side ask for (Core, Vol 3 Part A, 4.22). Whoever asks for less is not served.
const SHORTEST: u16 = 23;

/// What a lock advertises and offers.
pub struct Door<'a> {
    /// Its group and itself.
    pub reader: ReaderId,
    /// The group's resolving key: those who have it tell this lock from others, and nobody else does.
    pub resolving_key: &'a Secret<16>,
    /// Until when an advertisement is good, in seconds since 1970, asked for each new one; [`advert::NO_CLOCK`] when the lock has no clock.
    pub expiry: &'a dyn Fn() -> u32,
    /// Transmission power at the antenna in dBm.
    pub tx_power: i8,
    /// Where its channel is, `0x0080` to `0x00FF`.
    pub spsm: u16,
}

impl core::fmt::Debug for Door<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Door").field("reader", &self.reader).field("spsm", &self.spsm).finish_non_exhaustive()
    }
}

/// A phone whose channel is open.
#[derive(Debug)]
pub struct Session {
    /// The channel.
    pub link: MemoryLink,
    /// What the phone chose.
    pub agreed: Agreed,
}

/// A lock: advertises, takes one phone after the other, and hands each session to `sessions`. Ends only with an error, or when nobody takes
/// sessions any more. `address` is the random static address, most significant byte first.
///
/// # Errors
/// [`LinkError::Radio`] when the controller fails.
pub async fn door<C: Crypto>(
    hci: TcpStream,
    address: [u8; 6],
    crypto: &C,
    offer: &Door<'_>,
    sessions: UnboundedSender<Session>,
) -> Result<(), LinkError> {
    let mut resources: HostResources<DefaultPacketPool, CONNECTIONS, CHANNELS> = HostResources::new();
    let stack =
        trouble_host::new(controller(hci)?, &mut resources).set_random_address(random(address)).register_l2cap_spsm(offer.spsm).build();
    let (mut runner, mut peripheral) = (stack.runner(), stack.peripheral());

    let mut info = [0; 8];
    let mut out = Writer::new(&mut info);
    ReaderInfo::new(offer.spsm, &VERSIONS, None)
        .and_then(|read| Ok(read.write(&mut out)?))
        .map_err(|_| LinkError::Radio("making the characteristic"))?;
    let info = out.finish();
    let mut chosen_space = [0; 32];
    let mut table: AttributeTable<'_, NoopRawMutex, ATTRIBUTES> = AttributeTable::new();
    table.add_service(Service::new(0x1800_u16)).add_characteristic_ro(0x2A00_u16, b"door").build();
    table.add_service(Service::new(0x1801_u16));
    let mut service = table.add_service(Service::new(SERVICE));
    service.add_characteristic_ro(uuid(READER_CHARACTERISTIC), &*info).build();
    let chosen = service
        .add_characteristic(uuid(DEVICE_CHARACTERISTIC), [CharacteristicProp::Write], heapless::Vec::<u8, 32>::new(), &mut chosen_space)
        .build();
    service.build();
    let server = AttributeServer::<NoopRawMutex, DefaultPacketPool, ATTRIBUTES, CONNECTIONS>::new(table);

    let serve = async {
        while !sessions.is_closed() {
            let ad = advert::Advertisement::new(
                crypto,
                &offer.reader,
                offer.resolving_key,
                advert::Address(address),
                (offer.expiry)(),
                offer.tx_power,
            );
            let mut data = [0; advert::ADVERTISEMENT];
            ad.write_whole(&mut Writer::new(&mut data)).map_err(|_| LinkError::Radio("making the advertisement"))?;
            let Some(connection) = accept(&mut peripheral, &data).await? else { continue };
            let Ok(connection) = connection.with_attribute_server(&server) else { continue };
            let listener = L2capChannel::listen(&stack, connection.raw());
            let channel = tokio::time::timeout(LISTEN_WITHIN, open(&stack, &connection, &listener, offer.spsm, chosen.handle)).await;
            let Ok(Some((channel, selected))) = channel else {
                hang_up(&connection).await;
                continue;
            };
            let (app, link) = memory::pair(MAX_MESSAGE);
            // Nobody there to serve: the phone sees the connection end.
            if sessions.send(Session { link: app, agreed: Agreed { offered: VERSIONS.to_vec(), selected } }).is_err() {
                hang_up(&connection).await;
                return Ok(());
            }
            tokio::select! {
                biased;
                () = answer(&connection) => {}
                () = pump(&stack, channel, link, LAST_WORD) => hang_up(&connection).await,
            }
        }
        Ok(())
    };
    tokio::select! {
        biased;
        served = serve => served,
        _ = runner.run() => Err(LinkError::Radio("the controller")),
    }
}

/// Answers what a phone asks of the attributes until it has chosen a version and opens the channel; none when it is gone or does something else.
async fn open<'s>(
    stack: &'s Stack<'_, Hci, DefaultPacketPool>,
    connection: &GattConnection<'_, '_, DefaultPacketPool>,
    listener: &L2capChannelListener<'s, Hci, DefaultPacketPool>,
    spsm: u16,
    chosen: u16,
) -> Option<(L2capChannel<'s, DefaultPacketPool>, Version)> {
    let mut selected = None;
    loop {
        let event = tokio::select! {
            biased;
            event = connection.next() => event,
            pending = listener.next() => {
                let pending = pending.ok()?;
                // The version enters the keys: without it there is nothing to say.
                let Some(selected) = selected.filter(|_| pending.spsm() == spsm) else {
                    let _ = pending.reject(stack, LeCreditConnResultCode::UnacceptableParameters).await;
                    return None;
                };
                let channel = pending.accept(stack, &L2capChannelConfig::default()).await.ok()?;
                return (channel.peer_mps() >= SHORTEST && channel.peer_mtu() >= SHORTEST).then_some((channel, selected));
            }
        };
        match event {
            GattConnectionEvent::Disconnected { .. } => return None,
            GattConnectionEvent::Gatt { event: GattEvent::Write(event) } if event.handle() == chosen => {
                let version = event.with_data(|_, data| DeviceInfo::parse(data).map(|info| info.version));
                if version != Ok(Version::V1_0) {
                    if let Ok(reply) = event.reject(AttErrorCode::VALUE_NOT_ALLOWED) {
                        reply.send().await;
                    }
                    continue;
                }
                selected = Some(Version::V1_0);
                if let Ok(reply) = event.accept() {
                    reply.send().await;
                }
            }
            GattConnectionEvent::Gatt { event } => {
                if let Ok(reply) = event.accept() {
                    reply.send().await;
                }
            }
            _ => {}
        }
    }
}

/// Answers what a phone asks of the attributes while its channel is open, until it is gone. Its choice stands: another one changes nothing.
async fn answer(connection: &GattConnection<'_, '_, DefaultPacketPool>) {
    loop {
        match connection.next().await {
            GattConnectionEvent::Disconnected { .. } => return,
            GattConnectionEvent::Gatt { event } => {
                if let Ok(reply) = event.accept() {
                    reply.send().await;
                }
            }
            _ => {}
        }
    }
}

/// Carries between the channel and a link until the channel is closed, or so long after the link: the other side may still be reading the last
/// message, and a closed channel forgets what nobody has read. Each direction is a loop of its own: a piece that was taken is passed on before
/// anything else can end its future.
async fn pump(stack: &Stack<'_, Hci, DefaultPacketPool>, channel: L2capChannel<'_, DefaultPacketPool>, link: MemoryLink, linger: Duration) {
    let (writer, reader) = channel.split();
    let (to_app, from_app) = link.split();
    tokio::select! {
        biased;
        () = inwards(stack, reader, to_app) => {}
        () = outwards(stack, writer, from_app, linger) => {}
    }
}

async fn inwards(
    stack: &Stack<'_, Hci, DefaultPacketPool>,
    mut reader: L2capChannelReader<'_, DefaultPacketPool>,
    to_app: Option<Sender<Vec<u8>>>,
) {
    let Some(to_app) = to_app else { return };
    let mut space = [0; 512];
    while let Ok(length) = reader.receive(stack, &mut space).await {
        match to_app.try_send(space[..length].to_vec()) {
            // The app has ended its session; whoever waits for the last word sends on.
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            // Who sends more than anybody reads is disconnected.
            Err(TrySendError::Full(_)) => return,
        }
    }
}

async fn outwards(
    stack: &Stack<'_, Hci, DefaultPacketPool>,
    mut writer: L2capChannelWriter<'_, DefaultPacketPool>,
    mut from_app: Receiver<Vec<u8>>,
    linger: Duration,
) {
    // Of one packet each: a side that lets only one come at a time would wait for the rest of a longer one for ever.
    let piece = PIECE.min(writer.peer_mtu().min(writer.peer_mps() - 2).into());
    while let Some(message) = from_app.recv().await {
        for part in message.chunks(piece) {
            if writer.send(stack, part).await.is_err() {
                return;
            }
        }
    }
    tokio::time::sleep(linger).await;
}

/// Which lock a phone looks for.
#[derive(Debug)]
pub struct Search {
    /// The group of the credential.
    pub group: [u8; 16],
    /// Its resolving key.
    pub resolving_key: Secret<16>,
    /// The phone's time in seconds since 1970, to pass over advertisements that are over; none takes them.
    pub now: Option<u32>,
}

/// Somebody wants to be connected to a lock, and waits for the session.
pub type Wanted = (Search, oneshot::Sender<Result<Session, LinkError>>);

/// A phone: for each one who wants a lock it looks for one of the group, connects, reads where the channel is, chooses the version, opens the
/// channel and hands over the session. Ends when nobody can want one any more.
///
/// # Errors
/// [`LinkError::Radio`] when the controller fails.
pub async fn phone<C: Crypto>(
    hci: TcpStream,
    address: [u8; 6],
    crypto: &C,
    mut wanted: UnboundedReceiver<Wanted>,
) -> Result<(), LinkError> {
    let mut resources: HostResources<DefaultPacketPool, CONNECTIONS, CHANNELS> = HostResources::new();
    let stack = trouble_host::new(controller(hci)?, &mut resources).set_random_address(random(address)).build();
    let (mut runner, mut central) = (stack.runner(), stack.central());
    let (ear, mut heard) = tokio::sync::mpsc::unbounded_channel();
    let ear = Ear(ear);
    let connect = async {
        while let Some((search, answer)) = wanted.recv().await {
            match find(&mut central, &mut heard, |heard| is_of(crypto, &search, heard)).await {
                Ok(connection) => {
                    visit(&stack, &connection, answer).await;
                    leave(&connection).await;
                }
                Err(error) => {
                    let _ = answer.send(Err(error));
                }
            }
        }
        Ok(())
    };
    tokio::select! {
        biased;
        done = connect => done,
        _ = runner.run_with_handler(&ear) => Err(LinkError::Radio("the controller")),
    }
}

fn is_of<C: Crypto>(crypto: &C, search: &Search, heard: &Heard) -> bool {
    let mut address = [0; 6];
    address.copy_from_slice(heard.address.addr.raw());
    address.reverse();
    AdStructure::decode(&heard.data).flatten().any(|ad| match ad {
        AdStructure::ServiceData16 { uuid, data } if uuid == SERVICE.to_le_bytes() => advert::Advertisement::parse(data)
            .is_ok_and(|told| told.is_of(crypto, &search.group, &search.resolving_key, advert::Address(address), search.now)),
        _ => false,
    })
}

async fn visit<'s>(
    stack: &'s Stack<'_, Hci, DefaultPacketPool>,
    connection: &Connection<'s, DefaultPacketPool>,
    answer: oneshot::Sender<Result<Session, LinkError>>,
) {
    let ready = async {
        let client = GattClient::<Hci, DefaultPacketPool, 4>::new(stack, connection).await.map_err(|_| LinkError::Closed)?;
        tokio::select! {
            biased;
            // It ends when the connection does.
            _ = client.task() => Err(LinkError::Closed),
            agreed = agree(&client) => agreed,
        }
    };
    let opened = async {
        let (spsm, agreed) = ready.await?;
        let channel = L2capChannel::create(stack, connection, spsm, &L2capChannelConfig::default())
            .await
            .map_err(|_| LinkError::Radio("opening the channel"))?;
        if channel.peer_mps() < SHORTEST || channel.peer_mtu() < SHORTEST {
            return Err(LinkError::Radio("opening the channel"));
        }
        Ok((channel, agreed))
    };
    let gone = async {
        while connection.is_connected() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(LinkError::Closed)
    };
    let opened = async {
        tokio::select! {
            biased;
            opened = opened => opened,
            gone = gone => gone,
        }
    };
    let (channel, agreed) = match tokio::time::timeout(FIND_WITHIN, opened).await.unwrap_or(Err(LinkError::Radio("opening the channel"))) {
        Ok(opened) => opened,
        Err(error) => {
            let _ = answer.send(Err(error));
            return;
        }
    };
    let (app, link) = memory::pair(MAX_MESSAGE);
    if answer.send(Ok(Session { link: app, agreed })).is_ok() {
        // A phone hangs up as soon as it has nothing more to say.
        pump(stack, channel, link, Duration::ZERO).await;
    }
}

/// Reads where the channel is and which versions there are, and chooses.
async fn agree(client: &GattClient<'_, Hci, DefaultPacketPool, 4>) -> Result<(u16, Agreed), LinkError> {
    let missing = LinkError::Radio("finding the lock's service");
    let services = client.services_by_uuid(&Uuid::new_short(SERVICE)).await.map_err(|_| missing)?;
    let service = services.first().ok_or(missing)?;
    let told: Characteristic<[u8]> = client.characteristic_by_uuid(service, &uuid(READER_CHARACTERISTIC)).await.map_err(|_| missing)?;
    let chosen: Characteristic<[u8]> = client.characteristic_by_uuid(service, &uuid(DEVICE_CHARACTERISTIC)).await.map_err(|_| missing)?;
    let mut space = [0; 128];
    let length = client.read_characteristic(&told, &mut space).await.map_err(|_| LinkError::Radio("reading where the channel is"))?;
    let strange = LinkError::Radio("understanding where the channel is");
    let info = ReaderInfo::parse(space.get(..length).ok_or(strange)?).map_err(|_| strange)?;
    if !info.speaks(Version::V1_0) {
        return Err(LinkError::Radio("finding a common version"));
    }
    let mut choice = [0; 4];
    let mut out = Writer::new(&mut choice);
    DeviceInfo { version: Version::V1_0, features: None }.write(&mut out).map_err(|_| strange)?;
    client.write_characteristic(&chosen, out.as_slice()).await.map_err(|_| LinkError::Radio("choosing the version"))?;
    Ok((info.spsm, Agreed { offered: info.version_bytes().to_vec(), selected: Version::V1_0 }))
}
