use super::*;
use crate::pms::Timeouts;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, duplex};

fn hour(text: &str) -> Hour {
    Hour::of_end(text.parse().unwrap()).unwrap()
}

fn key() -> NewKey {
    let mut key = NewKey::new(3, "101", hour("2026-11-24T11:00:00"));
    key.starts = Some(hour("2026-11-22T15:00:00"));
    key.granted = vec![3, 6];
    key.operator = "front".to_owned();
    key
}

/// The other side, written from the description and not from the codec: it takes what comes up to the check byte and says what a script says.
struct Peer<S = DuplexStream> {
    io: S,
}

impl Peer {
    fn pair() -> (Line<DuplexStream>, Self) {
        let (ours, io) = duplex(4096);
        (Line::new(ours, Timeouts::default()), Self { io })
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Peer<S> {
    async fn enquired(&mut self, answer: u8) {
        assert_eq!(self.io.read_u8().await.unwrap(), 5);
        self.io.write_all(&[answer]).await.unwrap();
    }
    async fn message(&mut self) -> String {
        let (mut text, mut check) = (Vec::new(), 0);
        assert_eq!(self.io.read_u8().await.unwrap(), 2);
        loop {
            let byte = self.io.read_u8().await.unwrap();
            check ^= byte;
            if byte == 3 {
                assert_eq!(self.io.read_u8().await.unwrap(), check);
                return String::from_utf8(text).unwrap();
            }
            text.push(if byte == 0xB3 { b'|' } else { byte });
        }
    }
    async fn says(&mut self, text: &str) {
        let mut bytes = vec![2];
        bytes.extend(text.bytes().map(|b| if b == b'|' { 0xB3 } else { b }));
        bytes.push(3);
        let check = bytes.iter().skip(1).fold(0, |a, b| a ^ b);
        bytes.push(check);
        self.io.write_all(&bytes).await.unwrap();
    }
    async fn serves(&mut self, asked: &str, answer: &str) {
        self.enquired(6).await;
        assert_eq!(self.message().await, asked);
        self.io.write_all(&[6]).await.unwrap();
        self.says(answer).await;
    }
}

#[tokio::test]
async fn a_key_is_made_and_read_back() {
    let (mut line, mut peer) = Peer::pair();
    let serve = async {
        peer.serves("|CN|3|E|101||||36||15221126|11241126|front|||", "|CN|3|0423AB5A9C2F80|").await;
        peer.serves("|LT|3|R|", "|LT|3|101||||CI|0|36|15221126|11241126|front|0423AB5A9C2F80|").await;
        peer.serves("|LT|3|E|", "|LT|3|LM|").await;
        peer.serves("|CO|3|101|", "|CO|3|101|").await;
        peer.serves("|EX|3|", "|EX|3|").await;
    };
    let ask = async {
        assert_eq!(line.make_key(&key()).await.unwrap().as_deref(), Some("0423AB5A9C2F80"));
        let CardRead::Guest(read) = line.read_key(3, Eject::Keep).await.unwrap() else { panic!() };
        assert_eq!((read.rooms.as_slice(), read.is_current, read.copy.as_str()), (&["101".to_owned()][..], true, "0"));
        assert_eq!((read.starts, read.ends), (key().starts, Some(key().ends)));
        assert_eq!(line.read_key(3, Eject::Front).await.unwrap(), CardRead::Other(Unreadable::Master));
        line.check_out(3, "101").await.unwrap();
        line.cancel(3).await.unwrap();
    };
    tokio::join!(serve, ask);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_to_listen_is_repeated_and_then_told() {
    let (mut line, mut peer) = Peer::pair();
    let serve = async {
        // Refused once, taken the second time.
        peer.enquired(6).await;
        peer.message().await;
        peer.io.write_all(&[0x15]).await.unwrap();
        peer.serves("|CO|3|101|", "|CO|").await;
        // Never taken.
        for _ in 0..3 {
            peer.enquired(6).await;
            peer.message().await;
            peer.io.write_all(&[0x15]).await.unwrap();
        }
        // Not ready. The line is as good as before.
        peer.enquired(0x15).await;
        peer.serves("|CO|3|101|", "|CO|").await;
    };
    let ask = async {
        line.check_out(3, "101").await.unwrap();
        for _ in 0..2 {
            let e = line.make_key(&key()).await.unwrap_err();
            assert!(matches!(e, OnityError::Line(LineError::NotReady)), "{e:?}");
            assert_eq!(e.card_failure(), CardFailure::new(CardProblem::Busy, CardState::Untouched));
        }
        line.check_out(3, "101").await.unwrap();
    };
    tokio::join!(serve, ask);
}

#[tokio::test(start_paused = true)]
async fn what_was_sent_and_not_answered_is_unknown_and_spends_the_line() {
    for wrong in [None, Some(&b"\x02\xb3CN\xb33\xb3\x03\x00"[..]), Some(b"\x02\xb3CN"), Some(b"noise\x06\x06")] {
        let (mut line, mut peer) = Peer::pair();
        let serve = async {
            peer.enquired(6).await;
            peer.message().await;
            peer.io.write_all(&[6]).await.unwrap();
            peer.io.write_all(wrong.unwrap_or_default()).await.unwrap();
            tokio::time::sleep(Duration::from_secs(3600)).await;
        };
        let ask = async {
            let e = line.make_key(&key()).await.unwrap_err();
            assert_eq!(e.card_failure(), CardFailure::new(CardProblem::Offline, CardState::Unknown), "{e:?}");
            // The late answer of that one must not be taken for the answer to this one.
            let e = line.make_key(&key()).await.unwrap_err();
            assert!(matches!(e, OnityError::Line(LineError::Spent)), "{e:?}");
        };
        tokio::select! { () = serve => panic!(), () = ask => {} }
    }
    // A dialogue that was dropped in the middle spends the line too.
    let (mut line, mut peer) = Peer::pair();
    let dropped = async {
        peer.enquired(6).await;
        peer.message().await;
    };
    tokio::select! { () = dropped => {}, _ = line.check_out(3, "101") => panic!() }
    assert!(matches!(line.check_out(3, "101").await, Err(OnityError::Line(LineError::Spent))));
    // Silence before anything was asked is sure.
    let (mut line, peer) = Peer::pair();
    let e = line.make_key(&key()).await.unwrap_err();
    assert_eq!(e.card_failure(), CardFailure::new(CardProblem::Offline, CardState::Untouched));
    drop(peer);
}

#[tokio::test]
async fn every_code_says_how_the_card_was_left() {
    use CardProblem::{Busy, None as NoCard, NotWritable, Offline};
    use CardState::{Unknown, Untouched};
    let codes = [
        ("ES", NotWritable, Untouched),
        ("NC", Offline, Untouched),
        ("NF", Offline, Untouched),
        ("OV", Busy, Untouched),
        ("EP", NotWritable, Untouched),
        ("EF", NotWritable, Unknown),
        ("EN", NotWritable, Unknown),
        ("ET", NotWritable, Unknown),
        ("TD", NotWritable, Untouched),
        ("ED", NoCard, Untouched),
        ("EA", NotWritable, Untouched),
        ("OS", NotWritable, Untouched),
        // An answer to something else.
        ("LT", Offline, Unknown),
    ];
    let (mut line, mut peer) = Peer::pair();
    let key = key();
    for (code, problem, card) in codes {
        let asked = "|CN|3|E|101||||36||15221126|11241126|front|||";
        let answer = format!("|{code}|3|");
        let (_, result) = tokio::join!(peer.serves(asked, &answer), line.make_key(&key));
        assert_eq!(result.unwrap_err().card_failure(), CardFailure::new(problem, card), "{code}");
    }
}

/// The second of three cards was not offered: the first one opens the room all the same.
#[tokio::test]
async fn a_refusal_among_several_cards_does_not_say_that_none_was_made() {
    use CardProblem::{Busy, None as NoCard, NotWritable};
    let (mut line, mut peer) = Peer::pair();
    let mut key = key();
    key.cards = 3;
    for (code, problem, card) in [
        ("ED", NoCard, CardState::Unknown),
        ("EP", NotWritable, CardState::Unknown),
        ("EA", NotWritable, CardState::Unknown),
        ("TD", NotWritable, CardState::Untouched),
        ("OV", Busy, CardState::Untouched),
    ] {
        let asked = "|CN3|3|E|101||||36||15221126|11241126|front|||";
        let answer = format!("|{code}|3|");
        let (_, result) = tokio::join!(peer.serves(asked, &answer), line.make_key(&key));
        assert_eq!(result.unwrap_err().card_failure(), CardFailure::new(problem, card), "{code}");
    }
}

#[test]
fn what_cannot_be_said_is_refused_before_the_line() {
    let bad: [fn(&mut NewKey); 8] = [
        |k| k.rooms.clear(),
        |k| k.rooms = vec!["1".to_owned(); 5],
        |k| k.rooms = vec!["LM".to_owned()],
        |k| k.cards = 0,
        |k| k.cards = 10,
        |k| k.granted = vec![9],
        |k| k.starts = Some(k.ends),
        |k| k.operator = "Zoë".to_owned(),
    ];
    for (n, spoil) in bad.iter().enumerate() {
        let mut key = key();
        spoil(&mut key);
        assert!(key.frame().is_err(), "{n}");
    }
    let mut nine = key();
    (nine.cards, nine.role) = (9, Role::Copy);
    assert_eq!(nine.frame().unwrap().word(), "CC9");
    assert!(!format!("{:?} {:?}", nine, nine.frame().unwrap()).contains("101"));
}

#[test]
fn a_window_is_rounded_inwards_to_whole_hours() {
    let start = |text: &str| Hour::of_start(text.parse().unwrap()).unwrap().text();
    let end = |text: &str| Hour::of_end(text.parse().unwrap()).unwrap().text();
    assert_eq!(
        [start("2026-12-31T23:00:00"), start("2026-12-31T23:00:01"), start("2026-02-28T22:59:59.5")],
        ["23311226", "00010127", "23280226"]
    );
    assert_eq!([end("2026-12-31T23:00:00"), end("2026-12-31T23:59:59")], ["23311226", "23311226"]);
    assert_eq!(Hour::of_end("2100-01-01T00:00:00".parse().unwrap()), None);
    assert_eq!(Hour::parse("15221126"), Some(hour("2026-11-22T15:00:00")));
    for wrong in ["1522112", "1500221126", "24221126", "15320126", "+5221126", "1é221126"] {
        assert_eq!(Hour::parse(wrong), None, "{wrong}");
    }
}

/// Over a serial port of the system: a pseudo-terminal in the place of the cable. The kernel is told to leave the bytes alone, of which several (03 is
/// what ^C sends) mean something to it.
#[cfg(all(feature = "serial", target_os = "linux"))]
mod serial {
    use super::*;
    use serial2_tokio::{Parity, SerialPort};
    use std::collections::BTreeSet;
    use std::path::PathBuf;
    use std::sync::Mutex;

    /// The names of the terminals that this process has open.
    fn terminals() -> BTreeSet<PathBuf> {
        let files = std::fs::read_dir("/proc/self/fd").unwrap().filter_map(|file| std::fs::read_link(file.ok()?.path()).ok());
        files.filter(|name| name.parent().is_some_and(|folder| folder.ends_with("dev/pts"))).collect()
    }

    fn cable() -> (Line<SerialPort>, Peer<SerialPort>) {
        static ONE_BY_ONE: Mutex<()> = Mutex::new(());
        let _one = ONE_BY_ONE.lock().unwrap();
        let before = terminals();
        let (io, _port) = SerialPort::pair().unwrap();
        let name = terminals().into_iter().find(|name| !before.contains(name) && !name.ends_with("ptmx")).unwrap();
        let line = Line::serial(name, 9600, Parity::None, Timeouts { answer: Duration::from_secs(20), ..Timeouts::default() }).unwrap();
        (line, Peer { io })
    }

    #[tokio::test]
    async fn a_key_is_made_and_read_back_over_a_serial_port() {
        let (mut line, mut peer) = cable();
        let serve = async {
            peer.serves("|CN|3|E|101||||36||15221126|11241126|front|||", "|CN|3|0423AB5A9C2F80|").await;
            peer.serves("|LT|3|R|", "|LT|3|101||||CI|0|36|15221126|11241126|front|0423AB5A9C2F80|").await;
            // Busy at first, then not taken once.
            peer.enquired(6).await;
            peer.message().await;
            peer.io.write_all(&[0x15]).await.unwrap();
            peer.serves("|CO|3|101|", "|CO|3|101|").await;
        };
        let ask = async {
            assert_eq!(line.make_key(&key()).await.unwrap().as_deref(), Some("0423AB5A9C2F80"));
            let CardRead::Guest(read) = line.read_key(3, Eject::Keep).await.unwrap() else { panic!() };
            assert_eq!((read.rooms.as_slice(), read.is_current), (&["101".to_owned()][..], true));
            line.check_out(3, "101").await.unwrap();
        };
        tokio::join!(serve, ask);
    }

    /// The check byte may be any; a terminal takes some for itself: ^C, ^D, line feed, carriage return, ^Q, ^S, ^U, ^Z, ^\\, delete.
    #[tokio::test]
    async fn every_check_byte_passes_as_it_is() {
        let (mut line, mut peer) = cable();
        for check in [0x03, 0x04, 0x0a, 0x0d, 0x11, 0x13, 0x15, 0x1a, 0x1c, 0x7f] {
            let rooms = (b' '..=b'~').flat_map(|a| (b' '..=b'~').map(move |b| format!("{}{}", char::from(a), char::from(b))));
            let mut frames = rooms.map(|room| Frame::new(["CO".to_owned(), "3".to_owned(), room]).unwrap());
            let frame = frames.find(|frame| frame.to_bytes().last() == Some(&check)).unwrap();
            let serve = async {
                peer.enquired(6).await;
                peer.message().await;
                peer.io.write_all(&[6]).await.unwrap();
                peer.io.write_all(&frame.to_bytes()).await.unwrap();
            };
            let (answer, ()) = tokio::join!(line.ask(&frame), serve);
            assert_eq!(answer.unwrap(), frame);
        }
    }

    #[tokio::test]
    async fn a_cable_that_is_pulled_after_the_request_leaves_it_open_what_was_done() {
        let (mut line, mut peer) = cable();
        let serve = async move {
            peer.enquired(6).await;
            peer.message().await;
            peer.io.write_all(&[6]).await.unwrap();
        };
        let asked = key();
        let (made, ()) = tokio::join!(line.make_key(&asked), serve);
        let failure = made.unwrap_err();
        assert!(matches!(&failure, OnityError::Line(e) if e.is_unknown()), "{failure:?}");
        let nowhere = Line::serial("/dev/seam-no-such-port", 9600, Parity::None, Timeouts::default());
        assert!(matches!(nowhere.unwrap_err(), LineError::Unreachable(_)));
    }
}
