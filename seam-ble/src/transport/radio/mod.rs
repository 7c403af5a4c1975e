//! Bluetooth LE by `trouble-host` over an HCI controller that is reached through TCP (H4): a virtual one in tests, or a bridge to a real one.
//!
//! The stack keeps its state on the stack of one future and nothing of it may leave the thread. So the radio runs as a future of its own, and
//! each connection appears outside as one end of a [`MemoryLink`](super::memory::MemoryLink): dropping it ends the connection, and a lost
//! connection closes it.
//!
//! [`pkoc`] speaks through two characteristics, [`aliro`] through a connection-oriented channel.
use core::time::Duration;
use std::vec::Vec;

use bt_hci::controller::ExternalController;
use bt_hci::param::{LeAdvReportsIter, LeExtAdvReportsIter};
use bt_hci_serial::SerialTransport;
use embassy_sync::blocking_mutex::raw::NoopRawMutex;
use embedded_io_adapters::tokio_1::FromTokio;
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use trouble_host::prelude::*;

use super::LinkError;

pub mod aliro;
pub mod pkoc;

type Hci = ExternalController<SerialTransport<NoopRawMutex, FromTokio<OwnedReadHalf>, FromTokio<OwnedWriteHalf>>, 10>;

const CONNECTIONS: usize = 1;
const CHANNELS: usize = 1;
const ATTRIBUTES: usize = 16;
/// How long the side that has said its last word leaves the other one to hear it and hang up.
const LAST_WORD: Duration = Duration::from_secs(2);
/// How long an advertisement stands before it is made anew.
const ADVERTISE_FOR: Duration = Duration::from_secs(2);
/// How long a phone that is connected may take until it listens. One that never does would keep the door from everybody else.
const LISTEN_WITHIN: Duration = Duration::from_secs(10);
/// How long a phone looks for a reader, and how long it then takes to be connected and to know the service.
const FIND_WITHIN: Duration = Duration::from_secs(10);

fn controller(hci: TcpStream) -> Result<Hci, LinkError> {
    hci.set_nodelay(true).map_err(|_| LinkError::Radio("setting up the connection to the controller"))?;
    let (read, write) = hci.into_split();
    Ok(ExternalController::new(SerialTransport::new(FromTokio::new(read), FromTokio::new(write))))
}

fn uuid(number: u128) -> Uuid {
    Uuid::new_long(number.to_le_bytes())
}

/// From the most significant byte first to the other way around.
fn random(mut address: [u8; 6]) -> Address {
    address.reverse();
    Address::random(address)
}

/// Advertises until a phone is connected; none when there is to be another advertisement.
async fn accept<'s>(
    peripheral: &mut Peripheral<'s, Hci, DefaultPacketPool>,
    data: &[u8],
) -> Result<Option<Connection<'s, DefaultPacketPool>>, LinkError> {
    let ad = Advertisement::ConnectableScannableUndirected { adv_data: data, scan_data: &[] };
    let acceptor = peripheral.advertise(&AdvertisementParameters::default(), ad).await.map_err(|_| LinkError::Radio("advertising"))?;
    // A connection that is lost before it is taken leaves nothing to accept and an advertisement that has ended: begin again.
    Ok(tokio::time::timeout(ADVERTISE_FOR, acceptor.accept()).await.ok().and_then(Result::ok))
}

async fn ended(connection: &GattConnection<'_, '_, DefaultPacketPool>) {
    while !matches!(connection.next().await, GattConnectionEvent::Disconnected { .. }) {}
}

/// A controller that does not say that the connection ended is not waited for.
async fn hang_up(connection: &GattConnection<'_, '_, DefaultPacketPool>) {
    // The event of a connection that is gone may have been read already.
    if !connection.raw().is_connected() {
        return;
    }
    connection.raw().disconnect();
    let _ = tokio::time::timeout(LAST_WORD, ended(connection)).await;
}

/// What an advertiser was heard to say.
struct Heard {
    address: Address,
    data: Vec<u8>,
}

/// Passes on what is heard.
struct Ear(UnboundedSender<Heard>);

impl Ear {
    fn report(&self, kind: AddrKind, address: BdAddr, data: &[u8]) {
        // Nobody scans any more: the report is of no use.
        let _ = self.0.send(Heard { address: Address { kind, addr: address }, data: data.to_vec() });
    }
}

impl EventHandler for Ear {
    fn on_adv_reports(&self, reports: LeAdvReportsIter<'_>) {
        reports.flatten().for_each(|report| self.report(report.addr_kind, report.addr, report.data));
    }

    // Some controllers report plain advertisements this way as soon as they may.
    fn on_ext_adv_reports(&self, reports: LeExtAdvReportsIter<'_>) {
        reports.flatten().for_each(|report| self.report(report.addr_kind, report.addr, report.data));
    }
}

/// Scans for an advertiser that `is` the one, and connects to it.
async fn find<'s>(
    central: &mut Central<'s, Hci, DefaultPacketPool>,
    heard: &mut UnboundedReceiver<Heard>,
    is: impl Fn(&Heard) -> bool,
) -> Result<Connection<'s, DefaultPacketPool>, LinkError> {
    while heard.try_recv().is_ok() {}
    let door = {
        let mut scanner = Scanner::new(&mut *central);
        let interval = embassy_time::Duration::from_millis(60);
        let config = ScanConfig { active: false, interval, window: interval, ..Default::default() };
        let session = scanner.scan(&config).await.map_err(|_| LinkError::Radio("scanning"))?;
        let listen = async {
            loop {
                match heard.recv().await {
                    Some(heard) if is(&heard) => return Some(heard.address),
                    Some(_) => {}
                    None => return None,
                }
            }
        };
        let door = tokio::time::timeout(FIND_WITHIN, listen).await;
        session.stop().await;
        door
    };
    let Ok(Some(door)) = door else { return Err(LinkError::Radio("finding a reader in reach")) };
    let accept = [door];
    let config = ConnectConfig {
        connect_params: RequestedConnParams::default(),
        scan_config: ScanConfig { filter_accept_list: &accept, ..Default::default() },
    };
    match tokio::time::timeout(FIND_WITHIN, central.connect(&config)).await {
        Ok(Ok(connection)) => Ok(connection),
        _ => Err(LinkError::Radio("connecting")),
    }
}

/// Ends a phone's connection and waits until it is gone.
async fn leave(connection: &Connection<'_, DefaultPacketPool>) {
    connection.disconnect();
    let gone = async {
        while connection.is_connected() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // A controller that does not say that the connection ended is not waited for.
    let _ = tokio::time::timeout(LAST_WORD, gone).await;
}
