//! PKOC's GATT session: the reader is the peripheral, notifies on one characteristic, and is written to on the other.
use std::vec::Vec;

use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;
use trouble_host::prelude::*;

use super::super::memory::{self, MemoryLink};
use super::super::{Link, LinkError};
use super::{
    ATTRIBUTES, CHANNELS, CONNECTIONS, Ear, FIND_WITHIN, Hci, Heard, LAST_WORD, LISTEN_WITHIN, accept, controller, ended, find, hang_up,
    leave, random, uuid,
};
use crate::pkoc::{MAX_MESSAGE, NOTIFY, SERVICE, WRITE};

type Value = heapless::Vec<u8, MAX_MESSAGE>;

/// Somebody wants to be connected to a door, and waits for the link.
pub type Wanted = oneshot::Sender<Result<MemoryLink, LinkError>>;

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
            let Some(connection) = accept(&mut peripheral, &data[..length]).await? else { continue };
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

async fn serve_phone(
    connection: &GattConnection<'_, '_, DefaultPacketPool>,
    written: &Characteristic<Value>,
    notified: &Characteristic<Value>,
    sessions: &UnboundedSender<MemoryLink>,
) {
    let (app, mut link) = memory::pair(MAX_MESSAGE);
    // The reader speaks first, but not before the phone listens: the session begins with the subscription.
    let mut waiting = Some(app);
    let mut incoming = [0; MAX_MESSAGE];
    let patience = tokio::time::sleep(LISTEN_WITHIN);
    tokio::pin!(patience);
    loop {
        let event = tokio::select! {
            biased;
            event = connection.next() => Ok(event),
            message = link.receive(&mut incoming), if waiting.is_none() => Err(message.map(<[u8]>::to_vec)),
            () = &mut patience, if waiting.is_some() => return hang_up(connection).await,
        };
        match event {
            Ok(GattConnectionEvent::Disconnected { .. }) => return,
            Ok(GattConnectionEvent::Gatt { event: GattEvent::Write(event) }) => {
                let message = (event.handle() == written.handle).then(|| event.with_data(|_, data| data.to_vec()));
                let subscribes = Some(event.handle()) == notified.cccd_handle;
                if let Ok(reply) = event.accept() {
                    reply.send().await;
                }
                if subscribes && let Some(app) = waiting.take() {
                    // Nobody there to serve: the phone sees the connection end.
                    if sessions.send(app).is_err() {
                        connection.raw().disconnect();
                    }
                }
                if let Some(message) = message
                    && link.send(&message).await.is_err()
                {
                    connection.raw().disconnect();
                }
            }
            Ok(GattConnectionEvent::Gatt { event }) => {
                if let Ok(reply) = event.accept() {
                    reply.send().await;
                }
            }
            Ok(_) => {}
            Err(Ok(message)) => {
                if notified.notify_raw(connection, &message, false).await.is_err() {
                    connection.raw().disconnect();
                }
            }
            Err(Err(_)) => {
                // The session is over here; the phone may still be reading the last message.
                if tokio::time::timeout(LAST_WORD, ended(connection)).await.is_err() {
                    hang_up(connection).await;
                }
                return;
            }
        }
    }
}

/// Whether an advertisement offers the service.
fn offers(heard: &Heard) -> bool {
    AdStructure::decode(&heard.data).flatten().any(|ad| match ad {
        AdStructure::CompleteServiceUuids16(list) | AdStructure::IncompleteServiceUuids16(list) => list.contains(&SERVICE.to_le_bytes()),
        _ => false,
    })
}

/// A phone: for each one who wants a door it looks for a reader, connects, and hands over the link. Ends when nobody can want one any more.
///
/// # Errors
/// [`LinkError::Radio`] when the controller fails.
pub async fn phone(hci: TcpStream, address: [u8; 6], mut wanted: UnboundedReceiver<Wanted>) -> Result<(), LinkError> {
    let mut resources: HostResources<DefaultPacketPool, CONNECTIONS, CHANNELS> = HostResources::new();
    let stack = trouble_host::new(controller(hci)?, &mut resources).set_random_address(random(address)).build();
    let (mut runner, mut central) = (stack.runner(), stack.central());
    let (ear, mut reports) = tokio::sync::mpsc::unbounded_channel();
    let ear = Ear(ear);
    let connect = async {
        while let Some(wanted) = wanted.recv().await {
            visit(&stack, &mut central, &mut reports, wanted).await;
        }
        Ok(())
    };
    tokio::select! {
        biased;
        done = connect => done,
        _ = runner.run_with_handler(&ear) => Err(LinkError::Radio("the controller")),
    }
}

async fn visit(
    stack: &Stack<'_, Hci, DefaultPacketPool>,
    central: &mut Central<'_, Hci, DefaultPacketPool>,
    reports: &mut UnboundedReceiver<Heard>,
    wanted: Wanted,
) {
    let connection = match find(central, reports, offers).await {
        Ok(connection) => connection,
        Err(error) => {
            let _ = wanted.send(Err(error));
            return;
        }
    };
    let client = tokio::time::timeout(FIND_WITHIN, GattClient::<Hci, DefaultPacketPool, 4>::new(stack, &connection)).await;
    if let Ok(Ok(client)) = client {
        tokio::select! {
            biased;
            // It ends when the connection does; the link is closed with what it holds.
            _ = client.task() => {}
            () = talk(&client, wanted) => {}
        }
    }
    leave(&connection).await;
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
    let Ok(Some((write, mut notifications))) = tokio::time::timeout(FIND_WITHIN, found).await else {
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
