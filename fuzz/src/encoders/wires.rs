//! Wires to encoders and readers.
use super::{joined, messages};
use crate::hex::all;
use crate::mutate::pieces;
use osdp::command::{Command, CommandCode};
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Sqn};
use osdp::reply::{Reply, ReplyCode};
use seam_encoders::dialogue::SystemRandom;
use seam_encoders::osdp::{Panel, Security, Times};
use seam_encoders::pms::onity::{Eject, Hour, NewKey};
use seam_encoders::pms::{Decoder, Event, Frame, FrameError, Line, Timeouts};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A line on which comes what the input says, in pieces, and that ends then. What is written is taken.
struct Wire<'a> {
    pieces: Vec<&'a [u8]>,
}

impl<'a> Wire<'a> {
    fn new(input: &'a [u8]) -> Self {
        let mut pieces: Vec<_> = pieces(input).collect();
        pieces.reverse();
        Self { pieces }
    }
}

impl AsyncRead for Wire<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(piece) = self.pieces.pop() {
            let (now, later) = piece.split_at(piece.len().min(buffer.remaining()));
            buffer.put_slice(now);
            if !later.is_empty() {
                self.pieces.push(later);
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// Runs to the end what waits for nothing but such a line. Its clock jumps to what is waited for.
pub(crate) fn run<T>(what: impl Future<Output = T>) -> T {
    thread_local! {
        static RUNTIME: tokio::runtime::Runtime =
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime of one thread");
    }
    RUNTIME.with(|runtime| runtime.block_on(what))
}

/// Sources: a client of Onity's program (requests, answers, error codes); check bytes worked out by hand.
pub(super) fn onity_seeds() -> Vec<Vec<u8>> {
    let frame = |text: &str| {
        let body: Vec<u8> = text.bytes().map(|b| if b == b'|' { 0xB3 } else { b }).chain([3]).collect();
        let check = body.iter().fold(0, |sum, b| sum ^ b);
        [&[6, 6, 2], &body[..], &[check]].concat()
    };
    let texts = [
        "|CN|3|0423AB5A9C2F80|",
        "|LT|3|101||||CI|0|36|15221126|11241126|front|0423AB5A9C2F80|",
        "|LT|3|LM|",
        "|CO|3|101|",
        "|EX|3|",
        "|TD|3|",
        "|ES|",
    ];
    let mut seeds: Vec<_> = texts.iter().map(|text| frame(text)).collect();
    seeds.extend(all(&["05061502B3434FB330B3313031B3030F06", "02B34C54B331B352656EE9030D", "0202B303B3"]));
    seeds
}

/// Frames: the same however they are cut, and what we could have sent is written again as it came.
pub(super) fn onity_frames(input: &[u8]) {
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let (mut decoder, mut events) = (Decoder::default(), Vec::new());
        pieces.for_each(|piece| events.extend(piece.iter().filter_map(|byte| decoder.take(*byte))));
        (events, decoder.is_inside())
    };
    let whole = read(&mut std::iter::once(input));
    assert_eq!(read(&mut pieces(input)), whole);
    assert!(whole.0.len() <= input.len());
    for event in whole.0 {
        match event {
            Event::Frame(Ok(frame)) => {
                // Only what has no letter of another code page can be sent.
                let fields: Vec<String> = (0..64).map(|n| frame.field(n).to_owned()).collect();
                match Frame::new(fields) {
                    Ok(sent) => {
                        let again = read(&mut std::iter::once(&sent.to_bytes()[..])).0;
                        assert_eq!(again, [Event::Frame(Ok(sent))]);
                    }
                    Err(refused) => assert!(matches!(refused, FrameError::Text | FrameError::TooLong), "{refused:?}"),
                }
            }
            Event::Control(control) => assert!([5, 6, 0x15].contains(&control.byte())),
            Event::Frame(Err(_)) => {}
        }
    }
}

/// What an encoder answers to a request for a key, to reading one, and to a check-out.
pub(super) fn onity_answers(input: &[u8]) {
    let hour = "2026-11-24T11:00:00".parse().ok().and_then(Hour::of_end);
    let key = NewKey::new(3, "101", hour.expect("a whole hour"));
    let short = Duration::from_secs(5);
    let mut timeouts = Timeouts::default();
    (timeouts.control, timeouts.answer) = (short, short);
    run(async {
        match Line::new(Wire::new(input), timeouts).make_key(&key).await {
            Ok(_) => {}
            Err(error) => drop(error.card_failure()),
        }
        let _ = Line::new(Wire::new(input), timeouts).read_key(3, Eject::Front).await;
        let _ = Line::new(Wire::new(input), timeouts).check_out(3, "101").await;
    });
}

/// Source: a wire trace of libosdp 3.2.7 as panel and as reader. Each is one message of [`messages`]; the first is a whole packet.
pub(super) fn osdp_seeds() -> Vec<Vec<u8>> {
    let mut seeds = all(&[
        "536513000E03110176D764C8CCE93255C4F105",
        "53E52B000E031201760000000000000000478D7AA05D83F3EACFD8A5FF085A4B952EA7E6DE57D532C6E1E8",
        "53651B000F03130177CC6710380B9450F974D23B9575684315EC13",
        "53E51B000F031401788A9EDF6F88215C63E1A04EF8041E3CB478F2",
        "53650E000D0215605A8090662F5C",
        "53E50E000D0216404BD17AF7DD7B",
        "FF536509000461 00D97A",
    ]);
    // Code and data of answers: a card, keys, local status, a refusal, busy, an acknowledgement.
    seeds.push(joined(&["40", "50 00 00 1A 00 DEADBE80", "53 00 04 31323334", "48 00 01", "41 05", "79", "40"]));
    seeds.push(joined(&["45 5B25BA0101 01 02 00 00 00 00 01 02", "46 01 01 08", "40", "57 01 02"]));
    seeds
}

/// Packets both ways, in clear: what was read is written again as it came.
pub(super) fn osdp_packets(input: &[u8]) {
    if let Ok((packet, length)) = ParsedPacket::parse(input) {
        assert!(length <= input.len());
        if let Ok(code) = ReplyCode::from_byte(packet.code)
            && let Ok(reply) = Reply::decode(code, packet.data)
            && let Ok(written) = reply.encode_data()
        {
            assert_eq!(Reply::decode(code, &written).ok().and_then(|reply| reply.encode_data().ok()), Some(written));
        }
        if let Ok(code) = CommandCode::from_byte(packet.code) {
            let _ = Command::decode(code, packet.data);
        }
    }
    for message in messages(input) {
        let Some((code, data)) = message.split_first() else { continue };
        if let Ok(code) = ReplyCode::from_byte(*code) {
            let _ = Reply::decode(code, data);
        }
        if let Ok(code) = CommandCode::from_byte(*code) {
            let _ = Command::decode(code, data);
        }
    }
}

/// Our panel with a reader that answers anything: raw bytes; and whole packets, each in its turn, around any code and data.
pub(super) fn osdp_panel(input: &[u8]) {
    const ADDRESS: u8 = 101;
    let times = Times { answer: Duration::from_secs(5), poll: Duration::ZERO, sends: 2 };
    let listen = |bytes: Vec<u8>, security: Security| {
        run(async move {
            let mut panel = Panel::new(Wire::new(&bytes), ADDRESS, security, times, SystemRandom);
            for _ in 0..64 {
                match panel.event().await {
                    Ok(event) => drop(format!("{event:?}")),
                    Err(seam_encoders::osdp::OsdpError::Io(_)) => return,
                    Err(_) => {}
                }
            }
        });
    };
    listen(input.to_vec(), Security::None);
    listen(input.to_vec(), Security::InstallKey);
    let mut sqn = Sqn::ZERO;
    let mut bytes = Vec::new();
    for message in messages(input).take(32) {
        let Some((code, data)) = message.split_first() else { continue };
        let Ok(addr) = Address::reply(ADDRESS) else { return };
        let packet = PacketBuilder { addr, ctrl: ControlByte::new(sqn, CtrlFlags::USE_CRC), scb: None, code: *code, data: data.to_vec() };
        bytes.extend(packet.encode().unwrap_or_default());
        sqn = sqn.next();
    }
    listen(bytes, Security::None);
}
