//! Our panel and a reader of another stack: libosdp, over a socket of this process.
#![cfg(feature = "osdp")]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

use libosdp::{
    Channel, ChannelError, OsdpCommand, OsdpEvent, OsdpEventCardRead, OsdpEventKeyPress, PdCapEntity, PdCapability, PdInfoBuilder,
};
use seam_encoders::dialogue::SystemRandom;
use seam_encoders::osdp::{Event, LedColor, OsdpError, Panel, Security, Times};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::Duration;
use zeroize::Zeroizing;

const ADDRESS: i32 = 101;
const KEY: [u8; 16] = [0x94, 0x4b, 0x8e, 0xdd, 0xcb, 0xaa, 0x2b, 0x5f, 0xe2, 0xb0, 0x14, 0x8d, 0x1b, 0x2f, 0x95, 0xc9];

struct Wire(UnixStream);

impl Channel for Wire {
    fn get_id(&self) -> i32 {
        1
    }
    fn read(&mut self, buf: &mut [u8]) -> Result<usize, ChannelError> {
        self.0.read(buf).map_err(ChannelError::from)
    }
    fn write(&mut self, buf: &[u8]) -> Result<usize, ChannelError> {
        self.0.write(buf).map_err(ChannelError::from)
    }
    fn flush(&mut self) -> Result<(), ChannelError> {
        Ok(())
    }
    fn close(&mut self) -> Result<(), ChannelError> {
        Ok(())
    }
}

/// A reader of libosdp on a thread of its own.
struct Device {
    commands: mpsc::Receiver<OsdpCommand>,
    events: mpsc::Sender<Option<OsdpEvent>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Device {
    fn drop(&mut self) {
        let _ = self.events.send(None);
        self.thread.take().unwrap().join().unwrap();
    }
}

impl Device {
    fn on(wire: UnixStream, key: [u8; 16]) -> Self {
        wire.set_nonblocking(true).unwrap();
        let (told, commands) = mpsc::channel();
        let (events, to_tell) = mpsc::channel();
        let thread = thread::spawn(move || {
            let info = PdInfoBuilder::new().name("reader").unwrap().address(ADDRESS).unwrap().baud_rate(115_200).unwrap();
            let info = info
                .capability(PdCapability::CommunicationSecurity(PdCapEntity::new(1, 1)))
                .capability(PdCapability::AudibleOutput(PdCapEntity::new(1, 1)))
                .capability(PdCapability::LedControl(PdCapEntity::new(1, 1)))
                .secure_channel_key(key);
            let mut device = libosdp::PeripheralDevice::new(info, Box::new(Wire(wire))).unwrap();
            device.set_command_callback(move |command| {
                let _ = told.send(command.clone());
                0
            });
            loop {
                device.refresh();
                match to_tell.try_recv() {
                    Ok(Some(event)) => device.notify_event(event).unwrap(),
                    Ok(None) | Err(mpsc::TryRecvError::Disconnected) => return,
                    Err(mpsc::TryRecvError::Empty) => thread::sleep(Duration::from_millis(2)),
                }
            }
        });
        Self { commands, events, thread: Some(thread) }
    }
    fn tell(&self, event: OsdpEvent) {
        self.events.send(Some(event)).unwrap();
    }
    fn told(&self) -> OsdpCommand {
        self.commands.recv_timeout(Duration::from_secs(20)).unwrap()
    }
}

fn panel(wire: UnixStream, key: [u8; 16]) -> Panel<tokio::net::UnixStream> {
    wire.set_nonblocking(true).unwrap();
    let wire = tokio::net::UnixStream::from_std(wire).unwrap();
    // Long enough for a busy machine; what is proved here is not how fast it is.
    let times = Times { answer: Duration::from_secs(2), poll: Duration::from_millis(5), sends: 3 };
    Panel::new(wire, ADDRESS as u8, Security::Key(Zeroizing::new(key)), times, SystemRandom)
}

#[tokio::test]
async fn cards_and_keys_come_through_the_secure_channel_of_another_stack() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let device = Device::on(theirs, KEY);
    let mut panel = panel(ours, KEY);
    panel.open().await.unwrap();
    assert!(panel.is_secure());

    device.tell(OsdpEvent::CardRead(OsdpEventCardRead::new_raw(vec![0x55, 0xAA])));
    let Event::Card(card) = panel.event().await.unwrap() else { panic!() };
    assert_eq!((card.bits, card.data.as_slice()), (16, &[0x55, 0xAA][..]));
    device.tell(OsdpEvent::KeyPress(OsdpEventKeyPress::new(b"1234#".to_vec())));
    let Event::Keys(keys) = panel.event().await.unwrap() else { panic!() };
    assert_eq!(keys.keys.as_str(), "1234#");
    assert!(!format!("{card:?} {keys:?}").contains("1234") && !format!("{card:?}").contains("85"));

    panel.buzz(2, 3).await.unwrap();
    let OsdpCommand::Buzzer(buzzer) = device.told() else { panic!() };
    assert_eq!((buzzer.rep_count, buzzer.on_count, buzzer.off_count), (2, 3, 3));
    panel.light(LedColor::Green, Some(20)).await.unwrap();
    let OsdpCommand::Led(led) = device.told() else { panic!() };
    assert_eq!((led.temporary.timer_count, format!("{:?}", led.temporary.on_color)), (20, "Green".to_owned()));
    // Many packets on: the numbers and the chain of MACs still agree.
    for n in 0..20 {
        device.tell(OsdpEvent::CardRead(OsdpEventCardRead::new_raw(vec![n; 7])));
        let Event::Card(card) = panel.event().await.unwrap() else { panic!() };
        assert_eq!(card.data.as_slice(), [n; 7]);
    }
}

#[tokio::test]
async fn a_reader_with_another_key_is_not_believed() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let _device = Device::on(theirs, [7; 16]);
    let mut panel = panel(ours, KEY);
    let e = panel.event().await.unwrap_err();
    assert!(matches!(e, OsdpError::Key), "{e:?}");
    assert!(!panel.is_secure());
}

#[tokio::test]
async fn a_reader_that_was_restarted_is_talked_to_again() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let device = Device::on(theirs.try_clone().unwrap(), KEY);
    let mut panel = panel(ours, KEY);
    panel.open().await.unwrap();
    drop(device);
    let device = Device::on(theirs, KEY);
    // The first packet belongs to the old channel.
    let e = panel.buzz(1, 1).await.unwrap_err();
    assert!(matches!(e, OsdpError::Channel | OsdpError::Silent | OsdpError::Refused(_)), "{e:?}");
    while panel.buzz(1, 1).await.is_err() {}
    assert!(panel.is_secure() && matches!(device.told(), OsdpCommand::Buzzer(_)));
}
