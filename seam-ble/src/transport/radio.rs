//! Bluetooth LE by `trouble-host` over an HCI controller that is reached through TCP (H4): a virtual one in tests, or a bridge to a real one.
//!
//! The stack keeps its state on the stack of one future and nothing of it may leave the thread. So the radio runs as a future of its own, and
//! each connection appears outside as one end of a [`MemoryLink`]: dropping it ends the connection, and a lost connection closes it.
//!
//! Here a connection is a GATT session of PKOC: the reader is the peripheral, notifies on one characteristic, and is written to on the other.
use std::vec::Vec;

use bt_hci::controller::ExternalController;
use bt_hci::param::{LeAdvReportsIter, LeExtAdvReportsIter};
use bt_hci_serial::SerialTransport;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use trouble_host::prelude::*;

use super::memory::{self, MemoryLink};
use super::{Link, LinkError};
use crate::pkoc::{MAX_MESSAGE, NOTIFY, SERVICE, WRITE};

type Hci = ExternalController<SerialTransport<NoopRawMutex, FromTokio<OwnedReadHalf>, FromTokio<OwnedWriteHalf>>, 10>;
type Value = heapless::Vec<u8, MAX_MESSAGE>;

const CONNECTIONS: usize = 1;
const CHANNELS: usize = 1;
const ATTRIBUTES: usize = 16;
/// How long the side that has said its last word leaves the other one to hear it and hang up.
const LAST_WORD: core::time::Duration = core::time::Duration::from_secs(2);

/// Somebody wants to be connected to a door, and waits for the link.
pub type Wanted = oneshot::Sender<Result<MemoryLink, LinkError>>;

fn controller(hci: TcpStream) -> Result<Hci, LinkError> {
    hci.set_nodelay(true).map_err(|_| LinkError::Radio("setting up the connection to the controller"))?;
    let (read, write) = hci.into_split();
    Ok(ExternalController::new(SerialTransport::new(FromTokio::new(read), FromTokio::new(write))))
}

fn uuid(number: u128) -> Uuid {
    Uuid::new_long(number.to_le_bytes())
}

/// A door: advertises, takes one phone after the other, and hands each session's link to `sessions`. Ends only with an error, or when nobody
/// takes sessions any more. `address` is the random static address, most significant byte first.
///
/// # Errors
/// [`LinkError::Radio`] when the controller fails.
pub async fn door(hci: TcpStream, address: [u8; 6], sessions: UnboundedSender<MemoryLink>) -> Result<(), LinkError> {
    let mut resources: HostResources<DefaultPacketPool, CONNECTIONS, CHANNELS> = HostResources::new();
    let stack = trouble_host::new(controller(hci)?, &mut resources).set_random_address(random(address)).build();
    let (mut runner, mut peripheral) = (stack.runner(), stack.peripheral());

    let (mut write_space, mut notify_space) = ([0; MAX_MESSAGE], [0; MAX_MESSAGE]);
    let mut table: AttributeTable<'_, NoopRawMutex, ATTRIBUTES> = AttributeTable::new();
    table.add_service(Service::new(0x1800_u16)).add_characteristic_ro(0x2A00_u16, b"door").build();
    table.add_service(Service::new(0x1801_u16));
    let mut service = table.add_service(Service::new(SERVICE));
    let written = service
        .add_characteristic(
            uuid(WRITE),
            [CharacteristicProp::Write, CharacteristicProp::WriteWithoutResponse],
            Value::new(),
            &mut write_space,
        )
        .build();
    let notified = service.add_characteristic(uuid(NOTIFY), [CharacteristicProp::Notify], Value::new(), &mut notify_space).build();
    service.build();
    let server = AttributeServer::<NoopRawMutex, DefaultPacketPool, ATTRIBUTES, CONNECTIONS>::new(table);

    let serve = async {
        let mut data = [0; 31];
        let ads = [
            AdStructure::Flags(LE_GENERAL_DISCOVERABLE | BR_EDR_NOT_SUPPORTED),
            AdStructure::CompleteServiceUuids16(&[SERVICE.to_le_bytes()]),
        ];
        let length = AdStructure::encode_slice(&ads, &mut data).map_err(|_| LinkError::Radio("making the advertisement"))?;
        while !sessions.is_closed() {
            let ad = Advertisement::ConnectableScannableUndirected { adv_data: &data[..length], scan_data: &[] };
            let acceptor =
                peripheral.advertise(&AdvertisementParameters::default(), ad).await.map_err(|_| LinkError::Radio("advertising"))?;
            let Ok(connection) = acceptor.accept().await else { continue };
            let Ok(connection) = connection.with_attribute_server(&server) else { continue };
            serve_phone(&connection, &written, &notified, &sessions).await;
        }
        Ok(())
    };
    tokio::select! {
        biased;
        served = serve => served,
        _ = runner.run() => Err(LinkError::Radio("the controller")),
    }
}

/// Which advertisers were heard, newest last.
struct Heard(tokio::sync::mpsc::UnboundedSender<Address>);

impl Heard {
    fn report(&self, kind: AddrKind, address: BdAddr, data: &[u8]) {
        let offers = AdStructure::decode(data).flatten().any(|ad| match ad {
            AdStructure::CompleteServiceUuids16(list) | AdStructure::IncompleteServiceUuids16(list) => {
                list.contains(&SERVICE.to_le_bytes())
            }
            _ => false,
        });
        if offers {
            // Nobody scans any more: the report is of no use.
            let _ = self.0.send(Address { kind, addr: address });
        }
    }
}

impl EventHandler for Heard {
    fn on_adv_reports(&self, reports: LeAdvReportsIter<'_>) {
        reports.flatten().for_each(|report| self.report(report.addr_kind, report.addr, report.data));
    }

    // Some controllers report plain advertisements this way as soon as they may.
    fn on_ext_adv_reports(&self, reports: LeExtAdvReportsIter<'_>) {
        reports.flatten().for_each(|report| self.report(report.addr_kind, report.addr, report.data));
    }
}

/// A phone: for each one who wants a door it looks for a reader, connects, and hands over the link. Ends when nobody can want one any more.
///
/// # Errors
/// [`LinkError::Radio`] when the controller fails.
pub async fn phone(hci: TcpStream, address: [u8; 6], mut wanted: UnboundedReceiver<Wanted>) -> Result<(), LinkError> {
    let mut resources: HostResources<DefaultPacketPool, CONNECTIONS, CHANNELS> = HostResources::new();
    let stack = trouble_host::new(controller(hci)?, &mut resources).set_random_address(random(address)).build();
    let (mut runner, mut central) = (stack.runner(), stack.central());
    let (heard, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let heard = Heard(heard);
    let connect = async {
        while let Some(wanted) = wanted.recv().await {
            while reports.try_recv().is_ok() {}
            visit(&stack, &mut central, &mut reports, wanted).await;
        }
        Ok(())
    };
    tokio::select! {
        biased;
        done = connect => done,
        _ = runner.run_with_handler(&heard) => Err(LinkError::Radio("the controller")),
    }
    connection.disconnect();
    while connection.is_connected() {
        tokio::task::yield_now().await;
    }
}

async fn talk(client: &GattClient<'_, Hci, DefaultPacketPool, 4>, wanted: Wanted) {
    let found = async {
        let services = client.services_by_uuid(&Uuid::new_short(SERVICE)).await.ok()?;
        let service = services.first()?;
        let write: Characteristic<[u8]> = client.characteristic_by_uuid(service, &uuid(WRITE)).await.ok()?;
        let notify: Characteristic<[u8]> = client.characteristic_by_uuid(service, &uuid(NOTIFY)).await.ok()?;
        // The reader speaks as soon as the subscription is there, which may be before its confirmation: listen first, then subscribe.
        let notifications = client.listen(&notify).ok()?;
        client.write_handle(notify.cccd_handle?, &[1, 0]).await.ok()?;
        Some((write, notifications))
    };
    let Some((write, mut notifications)) = found.await else {
        let _ = wanted.send(Err(LinkError::Radio("finding the reader's service")));
        return;
    };
    let (app, mut link) = memory::pair(MAX_MESSAGE);
    if wanted.send(Ok(app)).is_err() {
        return;
    }
    let mut incoming = [0; MAX_MESSAGE];
    loop {
        let message: Result<Vec<u8>, Result<Vec<u8>, LinkError>> = tokio::select! {
            biased;
            notification = notifications.next() => Ok(notification.as_ref().to_vec()),
            message = link.receive(&mut incoming) => Err(message.map(<[u8]>::to_vec)),
        };
        let passed = match message {
            Ok(notification) => link.send(&notification).await.is_ok(),
            Err(Ok(message)) => client.write_characteristic(&write, &message).await.is_ok(),
            Err(Err(_)) => false,
        };
        if !passed {
            return;
        }
    }
}

fn random(mut address: [u8; 6]) -> Address {
    address.reverse();
    Address::random(address)
}
