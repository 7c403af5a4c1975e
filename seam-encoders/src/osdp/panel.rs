//! The panel's side of the bus: the handshake of the secure channel, commands and polls.
use super::event::Event;
use crate::dialogue::Random;
use osdp::command::{BuzzerControl, BuzzerTone, Chlng, Command, LedColor, LedControl, LedPermanent, LedTemporary, Poll, SCrypt};
use osdp::packet::{Address, ControlByte, CtrlFlags, PacketBuilder, ParsedPacket, Scb, ScsType, Sqn};
use osdp::reply::{NakErrorCode, Reply, ReplyCode};
use osdp::secure::{Direction, Disconnected, SCBK_D, Secure, Session, seal, unseal};
use std::fmt;
use std::io;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

/// The first byte of a packet.
const SOM: u8 = 0x53;
/// The longest packet that is read.
const LONGEST: usize = 1440;

/// How the bus is protected.
#[derive(Clone)]
pub enum Security {
    /// With the key of this reader.
    Key(Zeroizing<[u8; 16]>),
    /// With the key that every new reader has and everybody knows: to try a reader out. This panel does not give it one of its own.
    InstallKey,
    /// Not at all: whoever is on the wire reads every card and every PIN.
    None,
}

impl fmt::Debug for Security {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Key(_) => "Key(..)",
            Self::InstallKey => "InstallKey",
            Self::None => "None",
        })
    }
}

/// How long things take on the bus.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until a reader answers: 200 ms by the standard.
    pub answer: Duration,
    /// Between two polls: 100 ms.
    pub poll: Duration,
    /// How often a packet is sent before the reader counts as gone: 3.
    pub sends: u32,
}

impl Default for Times {
    fn default() -> Self {
        Self { answer: Duration::from_millis(200), poll: Duration::from_millis(100), sends: 3 }
    }
}

/// What is wrong on the bus.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OsdpError {
    /// The wire.
    #[error("the wire to the reader fails")]
    Io(#[from] io::Error),
    /// The reader does not answer.
    #[error("the reader does not answer")]
    Silent,
    /// The reader does not prove that it knows the key, or has another one.
    #[error("the reader does not know the key of the secure channel")]
    Key,
    /// A packet does not belong to the secure channel: it was changed, comes from somebody else, or the reader was restarted. The channel is
    /// opened again by the next call.
    #[error("the secure channel is broken")]
    Channel,
    /// The reader refuses the command.
    #[error("the reader refuses the command: {0:?}")]
    Refused(NakErrorCode),
    /// The answer is not one to what was asked, or makes no sense.
    #[error("the answer of the reader makes no sense")]
    Strange,
    /// There is no such address (0 to 126), or a value does not fit.
    #[error("the command cannot be said")]
    Invalid,
    /// No random numbers.
    #[error("no random numbers")]
    NoRandom,
}

/// The panel of one reader. A call that is dropped in the middle costs the secure channel, and the next call opens it again; an event that the
/// reader told then may be lost.
pub struct Panel<S> {
    io: S,
    address: u8,
    security: Security,
    times: Times,
    random: Box<dyn Random>,
    received: Vec<u8>,
    sqn: Sqn,
    link: Link,
}

/// Where the conversation stands.
enum Link {
    /// Nothing was said, or something went wrong.
    Closed,
    Plain,
    Secure(Box<Session<Secure>>),
}

impl<S> fmt::Debug for Panel<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = match self.link {
            Link::Closed => "closed",
            Link::Plain => "plain",
            Link::Secure(_) => "secure",
        };
        f.debug_struct("Panel").field("address", &self.address).field("link", &link).finish_non_exhaustive()
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Panel<S> {
    /// The panel of the reader with this address (0 to 126) on a bus. Nothing is said yet.
    pub fn new(io: S, address: u8, security: Security, times: Times, random: impl Random + 'static) -> Self {
        Self { io, address, security, times, random: Box::new(random), received: Vec::new(), sqn: Sqn::ZERO, link: Link::Closed }
    }

    /// Whether cards and keys come through a secure channel now.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        matches!(self.link, Link::Secure(_))
    }

    /// Begins the conversation, with a secure channel unless there is to be none. Every other call does so too when it must.
    ///
    /// # Errors
    /// [`OsdpError`].
    pub async fn open(&mut self) -> Result<(), OsdpError> {
        self.link = Link::Closed;
        self.sqn = Sqn::ZERO;
        self.received.clear();
        self.handshake().await
    }

    async fn handshake(&mut self) -> Result<(), OsdpError> {
        let (key, is_own) = match &self.security {
            Security::None => {
                self.plain(None, &Command::Poll(Poll)).await?;
                self.link = Link::Plain;
                return Ok(());
            }
            Security::InstallKey => (SCBK_D, false),
            Security::Key(key) => (**key, true),
        };
        let mut challenge = [0; 8];
        self.random.fill(&mut challenge).map_err(|_| OsdpError::NoRandom)?;
        let session = Session::<Disconnected>::new(key).challenge(challenge);
        let scb = |ty| Some(Scb::new(ty, [u8::from(is_own)]));
        let answer = self.plain(scb(ScsType::Scs11), &Command::Chlng(Chlng::new(challenge))).await?;
        let Reply::CCrypt(proof) = answer else { return Err(OsdpError::Strange) };
        let session = session.receive_ccrypt(&proof).map_err(|_| OsdpError::Key)?;
        let ours = Command::SCrypt(SCrypt::new(session.server_cryptogram()));
        let answer = self.plain(scb(ScsType::Scs13), &ours).await?;
        let Reply::RMacI(mac) = answer else { return Err(OsdpError::Strange) };
        let session = session.confirm_rmac_i(&mac.r_mac_i).map_err(|_| OsdpError::Key)?;
        self.link = Link::Secure(Box::new(session));
        Ok(())
    }

    /// The next thing that happens at the reader. It polls until then, and opens the conversation again when the reader was restarted.
    ///
    /// # Errors
    /// [`OsdpError`]; after `Silent` and `Channel` it may be called again.
    pub async fn event(&mut self) -> Result<Event, OsdpError> {
        loop {
            let reply = self.ask(&Command::Poll(Poll)).await?;
            if let Some(event) = Event::of(reply)? {
                return Ok(event);
            }
            tokio::time::sleep(self.times.poll).await;
        }
    }

    /// Lights the first light of the reader in a colour for a time in tenths of a second, or from now on with `None`.
    ///
    /// # Errors
    /// [`OsdpError`].
    pub async fn light(&mut self, color: LedColor, tenths: Option<u16>) -> Result<(), OsdpError> {
        let off = LedColor::Black;
        let for_a_time = u8::from(tenths.is_some());
        let temporary = LedTemporary {
            control: 2 * for_a_time,
            on_time: 1,
            off_time: 0,
            on_color: color,
            off_color: off,
            timer: tenths.unwrap_or_default(),
        };
        let permanent = LedPermanent { control: 1 - for_a_time, on_time: 1, off_time: 0, on_color: color, off_color: off };
        let record = osdp::command::led::LedRecord { reader: 0, led: 0, temporary, permanent };
        self.done(&Command::Led(LedControl::new(vec![record]))).await
    }

    /// Sounds the buzzer: so many times, each for so many tenths of a second, with as long a pause.
    ///
    /// # Errors
    /// [`OsdpError`].
    pub async fn buzz(&mut self, times: u8, tenths: u8) -> Result<(), OsdpError> {
        let buzzer = BuzzerControl { reader: 0, tone: BuzzerTone::Default, on_time: tenths, off_time: tenths, count: times };
        self.done(&Command::Buzzer(buzzer)).await
    }

    async fn done(&mut self, command: &Command) -> Result<(), OsdpError> {
        match self.ask(command).await? {
            Reply::Ack(_) => Ok(()),
            _ => Err(OsdpError::Strange),
        }
    }

    /// One command and its answer, in the conversation as it stands; it is opened first where it must be.
    async fn ask(&mut self, command: &Command) -> Result<Reply, OsdpError> {
        if matches!(self.link, Link::Closed) {
            self.open().await?;
        }
        // Whatever goes wrong, or if this is dropped: the next call begins anew.
        match std::mem::replace(&mut self.link, Link::Closed) {
            Link::Secure(mut session) => {
                let reply = self.secured(&mut session, command).await;
                if matches!(reply, Ok(_) | Err(OsdpError::Refused(_))) {
                    self.link = Link::Secure(session);
                }
                reply
            }
            _ => {
                let reply = self.plain(None, command).await;
                if matches!(reply, Ok(_) | Err(OsdpError::Refused(_))) {
                    self.link = Link::Plain;
                }
                reply
            }
        }
    }

    async fn secured(&mut self, session: &mut Session<Secure>, command: &Command) -> Result<Reply, OsdpError> {
        let data = command.encode_data().map_err(|_| OsdpError::Invalid)?;
        let address = self.address()?;
        let code = command.code().as_byte();
        // A repeat is the same packet: it must not move the chain of MACs on.
        let packet = seal(session, address, self.sqn, Direction::AcuToPd, !data.is_empty(), code, &data).map_err(|_| OsdpError::Invalid)?;
        let answer = self.exchange(&packet).await?;
        let (parsed, _) = ParsedPacket::parse(&answer).map_err(|_| OsdpError::Strange)?;
        // Nothing outside the channel is believed, not even a refusal.
        if !parsed.scb.is_some_and(|scb| matches!(scb.ty, ScsType::Scs16 | ScsType::Scs18)) {
            return Err(OsdpError::Channel);
        }
        let plain = Zeroizing::new(unseal(session, &parsed, &answer).map_err(|_| OsdpError::Channel)?);
        reply(parsed.code, &plain)
    }

    async fn plain(&mut self, scb: Option<Scb>, command: &Command) -> Result<Reply, OsdpError> {
        let data = command.encode_data().map_err(|_| OsdpError::Invalid)?;
        let flags = if scb.is_some() { CtrlFlags::USE_CRC | CtrlFlags::HAS_SCB } else { CtrlFlags::USE_CRC };
        let wanted = scb.as_ref().map(|scb| if scb.ty == ScsType::Scs11 { ScsType::Scs12 } else { ScsType::Scs14 });
        let packet =
            PacketBuilder { addr: self.address()?, ctrl: ControlByte::new(self.sqn, flags), scb, code: command.code().as_byte(), data };
        let packet = packet.encode().map_err(|_| OsdpError::Invalid)?;
        let answer = self.exchange(&packet).await?;
        let (parsed, _) = ParsedPacket::parse(&answer).map_err(|_| OsdpError::Strange)?;
        let reply = reply(parsed.code, parsed.data)?;
        if parsed.scb.map(|scb| scb.ty) != wanted {
            return Err(OsdpError::Channel);
        }
        Ok(reply)
    }

    fn address(&self) -> Result<Address, OsdpError> {
        Address::pd(self.address).map_err(|_| OsdpError::Invalid)
    }

    /// Sends a packet, again under the same number while no answer comes, and gives the answer.
    async fn exchange(&mut self, packet: &[u8]) -> Result<Vec<u8>, OsdpError> {
        for _ in 0..self.times.sends {
            self.io.write_all(packet).await?;
            self.io.flush().await?;
            match tokio::time::timeout(self.times.answer, self.answer()).await {
                Ok(answer) => {
                    let answer = answer?;
                    // A busy reader has not taken the command and says so under number 0: it is asked again.
                    if answer.get(4).is_some_and(|ctrl| ctrl & 3 == 0) && ReplyCode::Busy.as_byte() == code(&answer) {
                        tokio::time::sleep(self.times.poll).await;
                        continue;
                    }
                    self.sqn = self.sqn.next();
                    return Ok(answer);
                }
                Err(_) => self.received.clear(),
            }
        }
        Err(OsdpError::Silent)
    }

    /// The next packet of our reader under our number, whatever noise comes before it.
    async fn answer(&mut self) -> Result<Vec<u8>, OsdpError> {
        loop {
            while let Some(packet) = next_packet(&mut self.received) {
                let ours = |p: &ParsedPacket<'_>| p.addr.is_reply() && p.addr.pd_addr() == self.address;
                let is_ours = ParsedPacket::parse(&packet)
                    .is_ok_and(|(p, _)| ours(&p) && (p.ctrl.sqn == self.sqn || p.code == ReplyCode::Busy.as_byte()));
                if is_ours {
                    return Ok(packet);
                }
            }
            let mut chunk = [0; 256];
            match self.io.read(&mut chunk).await? {
                0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                length => self.received.extend_from_slice(&chunk[..length]),
            }
        }
    }
}

fn code(packet: &[u8]) -> u8 {
    ParsedPacket::parse(packet).map_or(0, |(packet, _)| packet.code)
}

fn reply(code: u8, data: &[u8]) -> Result<Reply, OsdpError> {
    let code = ReplyCode::from_byte(code).map_err(|_| OsdpError::Strange)?;
    match Reply::decode(code, data).map_err(|_| OsdpError::Strange)? {
        Reply::Nak(nak) => Err(OsdpError::Refused(nak.error)),
        reply => Ok(reply),
    }
}

/// Takes the first whole packet out of what was received; noise before it, such as the mark byte that some stacks send, is dropped.
fn next_packet(received: &mut Vec<u8>) -> Option<Vec<u8>> {
    loop {
        let start = received.iter().position(|byte| *byte == SOM).unwrap_or(received.len());
        received.drain(..start);
        let [_, _, low, high, ..] = received[..] else { return None };
        let length = usize::from(u16::from_le_bytes([low, high]));
        if (8..=LONGEST).contains(&length) {
            if received.len() < length {
                return None;
            }
            if ParsedPacket::parse(&received[..length]).is_ok() {
                return Some(received.drain(..length).collect());
            }
        }
        // It only looked like a beginning.
        received.drain(..1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hex_literal::hex;
    use proptest::prelude::*;

    /// Source: a wire trace of libosdp 3.2.7; recomputed independently.
    #[test]
    fn packets_of_another_stack_are_found_in_noise() {
        let poll = hex!("FF 53 65 09 00 04 61 00 D9 7A");
        let mut received = [&hex!("00 53 11")[..], &poll, &hex!("53 65")].concat();
        assert_eq!(next_packet(&mut received).unwrap(), poll[1..]);
        assert_eq!((next_packet(&mut received), received.as_slice()), (None, &hex!("53 65")[..]));
        let who_am_i = hex!("53E514000445000000000000000000000000AD5C");
        assert_eq!(next_packet(&mut who_am_i.to_vec()).unwrap(), who_am_i);
    }

    /// The secure channel byte for byte. Source: a wire trace of libosdp 3.2.7 as panel and as reader; recomputed independently.
    #[tokio::test]
    async fn the_channel_of_another_stack_replays() {
        assert!(matches!(replay(&TRACE).await, Ok(Reply::Ack(_))));
    }

    /// The MACs of the four packets of that channel, one after the other: each begins with the one before, its last block has a key of its own, and
    /// four bytes of it travel. Source: the same trace, with the keys of the session that were recomputed for it.
    #[test]
    fn the_macs_of_the_channel_byte_for_byte() {
        use crate::crypto::BlockCipher;
        let scbk = BlockCipher::aes(&hex!("944B8EDDCBAA2B5FE2B0148D1B2F95C9"));
        let (s_mac1, s_mac2) = (hex!("D5A7408C6076E44DCEFC7CDBBC2682F3"), hex!("F9A977C8DC789E8170E05BC006F4FA63"));
        assert_eq!(scbk.encrypted_block(hex!("0101 D764C8CCE932 0000000000000000")), s_mac1);
        assert_eq!(scbk.encrypted_block(hex!("0102 D764C8CCE932 0000000000000000")), s_mac2);
        let mut before = hex!("8A9EDF6F88215C63E1A04EF8041E3CB4");
        for (packet, whole) in [
            (hex!("53650E000D021560"), hex!("5A8090666EB23DDA2C6575026F4A024C").as_slice()),
            (hex!("53E50E000D021640"), &hex!("4BD17AF77DE3AEDEC3B0F6DDC6FDDCA5")),
            (hex!("53650E000E021560"), &hex!("FEEDA0010B23F0A995A209D3AEC77206")),
            (hex!("53E50E000E021640"), &hex!("D6CBC6FC")),
        ] {
            // Eight bytes and their padding are one block, which is the last.
            let mut block = [0; 16];
            block[..8].copy_from_slice(&packet);
            block[8] = 0x80;
            crate::crypto::xor(&mut block, &before);
            before = BlockCipher::aes(&s_mac2).encrypted_block(block);
            assert_eq!(before[..whole.len()], *whole);
            assert!(
                TRACE.iter().any(|(asked, answer)| [asked, answer].iter().any(|said| said[..12] == [&packet[..], &whole[..4]].concat()))
            );
        }
    }

    /// Answers in which a bit of a proof, or of a MAC, is another one. Their check sums are right, as whoever sits on the line would make them.
    #[tokio::test]
    async fn an_answer_that_is_not_of_the_channel_is_found_out() {
        for (at, byte) in [(0, 20), (0, 30), (1, 12), (2, 8), (2, 11), (3, 8), (3, 11)] {
            let mut answers = TRACE.map(|(asked, answer)| (asked, answer.to_vec()));
            let answer = &mut answers[at].1;
            answer[byte] ^= 0x10;
            let end = answer.len() - 2;
            let sum = crc::Crc::<u16>::new(&crc::CRC_16_SPI_FUJITSU).checksum(&answer[..end]);
            answer[end..].copy_from_slice(&sum.to_le_bytes());
            let trace = answers.each_ref().map(|(asked, answer)| (*asked, answer.as_slice()));
            let e = replay(&trace).await.unwrap_err();
            let wanted = if at < 2 { matches!(e, OsdpError::Key) } else { matches!(e, OsdpError::Channel) };
            assert!(wanted, "answer {at}, byte {byte}: {e:?}");
        }
    }

    /// Whoever sits on the line cannot make a MAC, but plain packets: that all is well, or that the reader refuses.
    #[tokio::test]
    async fn an_answer_outside_of_the_channel_is_not_believed() {
        for said in [&hex!("53E50800 05 40")[..], &hex!("53E50900 05 41 06")] {
            let sum = crc::Crc::<u16>::new(&crc::CRC_16_SPI_FUJITSU).checksum(said);
            let plain = [said, &sum.to_le_bytes()].concat();
            let mut trace = TRACE;
            trace[2].1 = &plain;
            let e = replay(&trace).await.unwrap_err();
            assert!(matches!(e, OsdpError::Channel), "{e:?}");
        }
    }

    /// On a bus without protection, too: an answer that comes late has another number, and one of another reader another address.
    #[tokio::test]
    async fn only_the_answer_of_this_reader_to_this_packet_is_taken() {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let times = Times { answer: Duration::from_secs(20), ..Times::default() };
        let mut panel = Panel::new(ours, 0x65, Security::None, times, crate::dialogue::SystemRandom);
        let reader = async {
            let mut asked = [0; 8];
            theirs.read_exact(&mut asked).await.unwrap();
            // A refusal under another number, one of another reader, and then the answer.
            for said in [&hex!("53E50900 06 41 03")[..], &hex!("53E40900 04 41 03"), &hex!("53E50800 04 40")] {
                let sum = crc::Crc::<u16>::new(&crc::CRC_16_SPI_FUJITSU).checksum(said);
                theirs.write_all(&[said, &sum.to_le_bytes()].concat()).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        tokio::select! { biased; opened = panel.open() => opened.unwrap(), () = reader => unreachable!("it waits in the end") }
    }

    /// What a panel asks, and what the reader answers.
    type Exchange<'t> = (&'t [u8], &'t [u8]);

    const TRACE: [Exchange<'static>; 4] = [
        (
            &hex!("536513000E03110176D764C8CCE93255C4F105"),
            &hex!("53E52B000E031201760000000000000000478D7AA05D83F3EACFD8A5FF085A4B952EA7E6DE57D532C6E1E8"),
        ),
        (&hex!("53651B000F03130177CC6710380B9450F974D23B9575684315EC13"), &hex!("53E51B000F031401788A9EDF6F88215C63E1A04EF8041E3CB478F2")),
        (&hex!("53650E000D0215605A8090662F5C"), &hex!("53E50E000D0216404BD17AF7DD7B")),
        (&hex!("53650E000E021560FEEDA0013374"), &hex!("53E50E000E021640D6CBC6FC1822")),
    ];

    /// The handshake and two polls; the last answer, or the first error.
    async fn replay(trace: &[Exchange<'_>]) -> Result<Reply, OsdpError> {
        let (ours, mut theirs) = tokio::io::duplex(1024);
        let key = Zeroizing::new(hex!("944B8EDDCBAA2B5FE2B0148D1B2F95C9"));
        let random = crate::dialogue::RecordedRandom::new(hex!("D764C8CCE93255C4"));
        let mut panel = Panel::new(ours, 0x65, Security::Key(key), Times { answer: Duration::from_secs(20), ..Times::default() }, random);
        // There the panel had asked other things before.
        panel.sqn = Sqn::ZERO.next().next();
        let reader = async {
            for (asked, answer) in trace {
                let mut came = vec![0; asked.len()];
                theirs.read_exact(&mut came).await.unwrap();
                assert_eq!(came, *asked);
                theirs.write_all(&[&[0xFF], *answer].concat()).await.unwrap();
            }
            std::future::pending::<()>().await;
        };
        let talk = async {
            panel.handshake().await?;
            let first = panel.ask(&Command::Poll(Poll)).await?;
            assert!(matches!(first, Reply::Ack(_)));
            panel.ask(&Command::Poll(Poll)).await
        };
        tokio::select! { biased; done = talk => done, () = reader => unreachable!("it waits in the end") }
    }

    proptest! {
        #[test]
        fn any_bytes_are_packets_or_noise(mut bytes in prop::collection::vec(prop_oneof![Just(SOM), any::<u8>()], 0..600)) {
            while let Some(packet) = next_packet(&mut bytes) {
                prop_assert!(ParsedPacket::parse(&packet).is_ok());
            }
        }
        #[test]
        fn any_answer_is_an_event_or_refused(code: u8, data in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(reply) = reply(code, &data) {
                let _ = Event::of(reply);
            }
        }
    }
}
