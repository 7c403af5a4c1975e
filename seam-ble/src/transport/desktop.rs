//! A desktop or a gateway as the phone, through the Bluetooth of its operating system (`btleplug`: BlueZ, Core Bluetooth, WinRT).
//!
//! Central only: operating systems do not offer the reader's side in this way. It needs a Bluetooth service that runs; where there is none,
//! [`connect`] says so at once.
use core::pin::Pin;
use core::time::Duration;

use btleplug::api::{
    Central as _, CentralEvent, Characteristic, Manager as _, Peripheral as _, ScanFilter, ValueNotification, WriteType, bleuuid,
};
use btleplug::platform::{Adapter, Manager, Peripheral};
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt as _};
use uuid::Uuid;

use super::{Link, LinkError};
use crate::pkoc::{NOTIFY, SERVICE, WRITE};

type Events<T> = Pin<std::boxed::Box<dyn Stream<Item = T> + Send>>;

/// A connection to a PKOC reader.
pub struct DesktopLink {
    peripheral: Peripheral,
    write: Characteristic,
    notified: Events<ValueNotification>,
    /// Says when the connection is gone: the notifications just stop then.
    happened: Events<CentralEvent>,
    closed: bool,
}

impl core::fmt::Debug for DesktopLink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("DesktopLink(..)")
    }
}

/// How long a request to the operating system that only tidies up may take.
const TIDY_WITHIN: Duration = Duration::from_secs(2);

/// Looks for a reader for so long, connects to the first one, and subscribes: from here on the reader speaks. Reaching the Bluetooth service may take
/// as long, and connecting and subscribing together too.
///
/// # Errors
/// [`LinkError::Radio`] says at which step: no Bluetooth service, no adapter, no reader in reach, no connection, no such service.
pub async fn connect(limit: Duration) -> Result<DesktopLink, LinkError> {
    let adapter = in_time(limit, "reaching the Bluetooth service", adapter()).await?;
    let reader = in_time(limit, "finding a reader in reach", find(&adapter)).await;
    // A scan that goes on costs power and disturbs the connection; that it cannot be stopped is no reason to give up.
    let _ = tokio::time::timeout(TIDY_WITHIN, adapter.stop_scan()).await;
    let peripheral = reader?;
    let link = in_time(limit, "connecting", listen(&adapter, peripheral.clone())).await;
    if link.is_err() {
        let _ = tokio::time::timeout(TIDY_WITHIN, peripheral.disconnect()).await;
    }
    link
}

async fn in_time<T>(limit: Duration, step: &'static str, act: impl Future<Output = Result<T, LinkError>>) -> Result<T, LinkError> {
    tokio::time::timeout(limit, act).await.unwrap_or(Err(LinkError::Radio(step)))
}

async fn adapter() -> Result<Adapter, LinkError> {
    let at = |step: &'static str| move |_: btleplug::Error| LinkError::Radio(step);
    let manager = Manager::new().await.map_err(at("reaching the Bluetooth service"))?;
    let adapters = manager.adapters().await.map_err(at("listing the adapters"))?;
    adapters.into_iter().next().ok_or(LinkError::Radio("finding an adapter"))
}

async fn find(adapter: &Adapter) -> Result<Peripheral, LinkError> {
    let at = |step: &'static str| move |_: btleplug::Error| LinkError::Radio(step);
    let service = bleuuid::uuid_from_u16(SERVICE);
    let mut events = adapter.events().await.map_err(at("listening to the adapter"))?;
    adapter.start_scan(ScanFilter { services: std::vec![service] }).await.map_err(at("scanning"))?;
    while let Some(event) = events.next().await {
        // Not every system filters as it was asked to.
        if let CentralEvent::ServicesAdvertisement { id, services } = event
            && services.contains(&service)
        {
            return adapter.peripheral(&id).await.map_err(at("naming the reader"));
        }
    }
    Err(LinkError::Radio("scanning"))
}

async fn listen(adapter: &Adapter, peripheral: Peripheral) -> Result<DesktopLink, LinkError> {
    let at = |step: &'static str| move |_: btleplug::Error| LinkError::Radio(step);
    let happened = adapter.events().await.map_err(at("listening to the adapter"))?;
    peripheral.connect().await.map_err(at("connecting"))?;
    peripheral.discover_services().await.map_err(at("reading the reader's services"))?;
    let characteristics = peripheral.characteristics();
    let named = |number: u128| characteristics.iter().find(|c| c.uuid == Uuid::from_u128(number)).cloned();
    let missing = LinkError::Radio("finding the reader's service");
    let (write, notify) = (named(WRITE).ok_or(missing)?, named(NOTIFY).ok_or(missing)?);
    // Taken before the subscription: the reader speaks as soon as that is there.
    let notified = peripheral.notifications().await.map_err(at("listening to the reader"))?;
    peripheral.subscribe(&notify).await.map_err(at("subscribing"))?;
    Ok(DesktopLink { peripheral, write, notified, happened, closed: false })
}

impl DesktopLink {
    /// Ends the connection. Dropping the link without it leaves that to the operating system.
    pub async fn close(self) {
        let _ = self.peripheral.disconnect().await;
    }

    /// The next notification; none once the connection is gone.
    async fn notification(&mut self) -> Option<ValueNotification> {
        loop {
            // What was said before the connection went comes first.
            match select(self.notified.next(), self.happened.next()).await {
                Either::Left((notification, _)) => return notification,
                Either::Right((Some(CentralEvent::DeviceDisconnected(who)), _)) if who == self.peripheral.id() => return None,
                Either::Right((Some(_), _)) => {}
                Either::Right((None, _)) => return None,
            }
        }
    }
}

impl Link for DesktopLink {
    async fn send(&mut self, message: &[u8]) -> Result<(), LinkError> {
        if self.closed {
            return Err(LinkError::Closed);
        }
        let written = self.peripheral.write(&self.write, message, WriteType::WithResponse).await;
        self.closed = written.is_err();
        written.map_err(|_| LinkError::Closed)
    }

    async fn receive<'a>(&mut self, into: &'a mut [u8]) -> Result<&'a [u8], LinkError> {
        while !self.closed {
            let Some(notification) = self.notification().await else { break };
            if notification.uuid == Uuid::from_u128(NOTIFY) {
                let place = into.get_mut(..notification.value.len()).ok_or(LinkError::TooLong)?;
                place.copy_from_slice(&notification.value);
                return Ok(place);
            }
        }
        self.closed = true;
        Err(LinkError::Closed)
    }
}
