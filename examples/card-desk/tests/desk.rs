//! The program at its simulated reader, as a person runs it.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

fn desk(args: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_card-desk"));
    let Output { status, stdout, stderr } = command.args(args).env_remove("CARD_DESK_KEY").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

#[test]
fn a_new_card_is_written_and_proved() {
    let url = "https://door.example/t?p={picc}&m={mac}";
    let read = "written     and read back with the door's key, in ";
    let tapped = "written     and tapped and believed as a backend would, in ";
    for (technology, more, number, proof) in [
        ("desfire", &["--app", "F532F0", "--text", "room 101"][..], "045EA801020304", read),
        ("desfire", &["--access", "--site", "7", "--credential", "4711"], "045EA801020304", read),
        ("ntag424", &["--url", url], "045EA80A0B0C0D", tapped),
        ("classic", &["--app", "3821", "--text", "room 101"], "5EA80102", read),
        // Its pages are of no key: anybody reads them.
        ("ultralight", &["--data", "00112233445566778899AABBCCDDEEFF"], "045EA811121314", "written     and read back, in "),
    ] {
        let (done, out, err) = desk(&[&["--virtual", "encode", "--technology", technology], more].concat());
        assert!(done && out.contains(number) && out.contains(proof), "{out}{err}");
        for step in ["waiting for a card", "a card is there", "writing 1/", "reading it back", "done: take the card"] {
            assert!(err.contains(step), "{step}: {err}");
        }
        assert_eq!(err.contains("warning"), technology == "classic");
    }
}

#[test]
fn a_card_that_is_pulled_away_is_finished_when_it_comes_back() {
    let (done, out, err) = desk(&["--virtual", "encode", "--data", "C0FFEE", "--pull-at", "18"]);
    assert!(done && out.contains("written"), "{out}{err}");
    assert_eq!(err.matches("waiting for a card").count(), 2, "{err}");
    // Nobody waits for it: the failure says how the card was left.
    let (done, _, err) = desk(&["--virtual", "encode", "--data", "C0FFEE", "--pull-at", "18", "--patience", "0"]);
    assert!(!done && err.contains("the card was taken away; the card is half written and opens nothing new"), "{err}");
}

#[test]
fn what_is_no_data_is_refused_before_anybody_waits_for_a_card() {
    let (done, _, err) = desk(&["--virtual", "encode", "--data", "ABC"]);
    assert!(!done && err.contains("--data is hexadecimal") && !err.contains("waiting"), "{err}");
}

#[test]
fn what_is_there_is_listed_and_read() {
    let (done, out, _) = desk(&["--virtual", "list"]);
    assert_eq!((done, out.as_str()), (true, "Simulated reader\n"));
    for (technology, called) in
        [("desfire", "desfire"), ("ntag424", "ntag424"), ("classic", "mifare_classic"), ("ultralight", "mifare_ultralight_ev1")]
    {
        let (done, out, err) = desk(&["--virtual", "read", "--technology", technology]);
        assert!(done && out.contains(&format!("technology  {called}\n")) && out.contains("nothing of ours"), "{out}{err}");
    }
}

#[test]
fn cards_are_watched_as_they_come_and_go_until_somebody_stops_it() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_card-desk"));
    let mut watch = command.args(["--virtual", "watch"]).env_remove("CARD_DESK_KEY").stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let told: Vec<String> = lines.take(16).collect();
    let card = |number: &str, technology: &str| {
        [format!("card        {number}"), format!("technology  {technology}"), "content     nothing of ours".to_owned(), "gone".to_owned()]
    };
    let cards = [
        card("045EA801020304", "desfire"),
        card("045EA80A0B0C0D", "ntag424"),
        card("5EA80102", "mifare_classic"),
        card("045EA811121314", "mifare_ultralight_ev1"),
    ];
    assert_eq!(told, cards.concat());
    // As Ctrl-C does.
    assert!(Command::new("kill").args(["-INT", &watch.id().to_string()]).status().unwrap().success());
    assert!(watch.wait().unwrap().success());
}

/// What a card is after one run, it is before the next: written, read, watched.
#[test]
fn a_card_in_a_file_is_written_read_and_watched() {
    let folder = tempfile::tempdir().unwrap();
    let image = "00112233445566778899AABBCCDDEEFF";
    for (technology, more, stands) in [
        ("desfire", &["--text", "room 101"][..], "as text     room 101"),
        ("desfire", &["--access", "--site", "7", "--credential", "4711"], "\"site\":7"),
        ("ntag424", &["--url", "https://door.example/t?p={picc}&m={mac}"], "url         https://door.example/t?p="),
        ("classic", &["--text", "room 101"], "as text     room 101"),
        ("ultralight", &["--data", image], image),
    ] {
        let file = folder.path().join(format!("{technology}-{}", more[0]));
        let at = ["--virtual", "--virtual-card", file.to_str().unwrap()];
        let (done, out, err) = desk(&[&at[..], &["encode", "--technology", technology], more].concat());
        assert!(done && out.contains("written"), "{out}{err}");
        // Access data are read by who knows that they are some.
        let known = if more[0] == "--access" { &["read", "--access"][..] } else { &["read"] };
        let (done, out, err) = desk(&[&at[..], known].concat());
        assert!(done && out.contains(stands), "{technology}: {out}{err}");
        if more[0] != "--access" {
            let mut command = Command::new(env!("CARGO_BIN_EXE_card-desk"));
            let mut watch = command.args(at).arg("watch").env_remove("CARD_DESK_KEY").stdout(Stdio::piped()).spawn().unwrap();
            let lines = BufReader::new(watch.stdout.take().unwrap()).lines().map_while(Result::ok);
            let told: Vec<String> = lines.take_while(|line| line != "gone").collect();
            watch.kill().unwrap();
            watch.wait().unwrap();
            assert!(told.iter().any(|line| line.contains(stands)), "{technology}: {told:?}");
        }
    }
    // A card of another technology than was asked for is told, and left as it is.
    let file = folder.path().join("classic---text");
    let before = std::fs::read(&file).unwrap();
    let (done, _, err) = desk(&["--virtual", "--virtual-card", file.to_str().unwrap(), "encode", "--text", "x"]);
    assert!(!done && err.contains("technology that this encoder does not write"), "{err}");
    assert_eq!(std::fs::read(&file).unwrap(), before);
}

/// Half written in one run and finished in the next, which learns from the journal what stands there.
#[test]
fn a_card_that_was_left_half_written_is_finished_by_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let (card, journal) = (folder.path().join("card"), folder.path().join("journal"));
    let run = |more: &[&str]| {
        let at =
            ["--virtual", "--virtual-card", card.to_str().unwrap(), "encode", "--data", "C0FFEE", "--journal", journal.to_str().unwrap()];
        desk(&[&at[..], more].concat())
    };
    let entries = || std::fs::read_dir(&journal).unwrap().count();
    let (done, _, err) = run(&["--pull-at", "20", "--patience", "0"]);
    assert!(!done && err.contains("half written") && entries() == 1, "{err}");
    let (_, out, _) = desk(&["--virtual", "--virtual-card", card.to_str().unwrap(), "read"]);
    assert!(out.contains("nothing of ours"), "{out}");
    let (done, out, err) = run(&[]);
    assert!(done && out.contains("written") && entries() == 0, "{out}{err}");
}

/// What is no card of this program is told as such, and stays as it is.
#[test]
fn a_file_that_is_no_card_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("card");
    let at = ["--virtual", "--virtual-card", file.to_str().unwrap(), "encode", "--text", "room 101"];
    assert!(desk(&at).0);
    let whole = std::fs::read(&file).unwrap();
    for broken in [&whole[..whole.len() / 2], b"", b"\xff\xfe", b"00000000 {}\n", &[&whole[..], b" "].concat()] {
        std::fs::write(&file, broken).unwrap();
        let (done, _, err) = desk(&at);
        assert!(!done && err.contains("is not a card of this program"), "{err}");
        assert_eq!(std::fs::read(&file).unwrap(), broken);
    }
}

/// On a terminal a bar is shown while a card is written. `script` lends one.
#[test]
fn a_terminal_shows_a_bar() {
    let desk = format!("{} --virtual encode --text 'room 101'", env!("CARGO_BIN_EXE_card-desk"));
    let mut script = Command::new("script");
    let output = match script.args(["-qec", &desk, "/dev/null"]).env_remove("CARD_DESK_KEY").env("TERM", "xterm").output() {
        Ok(output) => output,
        Err(e) => {
            assert!(std::env::var_os("CI").is_none(), "script (Debian package bsdutils): {e}");
            println!("skipped: a terminal of its own; get it with: apt-get install bsdutils");
            return;
        }
    };
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    for wanted in ["waiting for a card", "[====", "5/5", "read back with the door's key"] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
}

#[test]
fn what_cannot_be_is_said() {
    for (args, said) in [
        (&["--virtual", "encode", "--app", "12"][..], "six hexadecimal digits"),
        (&["--virtual", "--reader", "Other", "read"], "no such reader"),
        (&["--virtual", "encode", "--data", "XY"], "is hexadecimal"),
        (&["encode", "--pull-at", "3"], "--virtual"),
        (&["--virtual-card", "x", "encode", "--data", "00"], "--virtual"),
        (&["--virtual", "encode", "--technology", "ultralight", "--data", "0011"], "not whole"),
        (&["--virtual", "read", "--technology", "ultralight", "--app", "3821"], "leave --app out"),
        (&["--virtual", "encode", "--technology", "ntag424", "--text", "x"], "--url"),
        (&["--virtual", "encode", "--technology", "ntag424", "--url", "https://door.example"], "not a template"),
        (&["--virtual", "encode", "--url", "https://door.example"], "--technology ntag424"),
        (&["--virtual", "encode", "--access", "--site", "7"], "--credential"),
        (&["--virtual", "encode", "--technology", "classic", "--access", "--site", "7", "--credential", "8"], "--access"),
    ] {
        let (done, _, err) = desk(args);
        assert!(!done && err.contains(said), "{args:?}: {err}");
    }
}
