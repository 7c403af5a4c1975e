//! The program at its simulated reader, as a person runs it.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]
use std::process::{Command, Output};

fn desk(args: &[&str]) -> (bool, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_card-desk"));
    let Output { status, stdout, stderr } = command.args(args).env_remove("CARD_DESK_KEY").output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.success(), text(stdout), text(stderr))
}

#[test]
fn a_new_card_is_written_and_proved() {
    for (technology, app, number) in [("desfire", "F532F0", "045EA801020304"), ("classic", "3821", "5EA80102")] {
        let (done, out, err) = desk(&["--virtual", "encode", "--technology", technology, "--app", app, "--text", "room 101"]);
        assert!(done && out.contains(number) && out.contains("read back with the door's key"), "{out}{err}");
        for step in ["waiting for a card", "a card is there", "writing ", "reading it back", "done: take the card"] {
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
fn what_is_there_is_listed_and_read() {
    let (done, out, _) = desk(&["--virtual", "list"]);
    assert_eq!((done, out.as_str()), (true, "Simulated reader\n"));
    let (done, out, err) = desk(&["--virtual", "read"]);
    assert!(done && out.contains("technology  desfire") && out.contains("nothing of ours"), "{out}{err}");
}

#[test]
fn what_cannot_be_is_said_before_a_card_is_asked_for() {
    for (args, said) in [
        (&["--virtual", "encode", "--app", "12"][..], "six hexadecimal digits"),
        (&["--virtual", "--reader", "Other", "read"], "no such reader"),
        (&["--virtual", "encode", "--data", "XY"], "not hexadecimal"),
        (&["encode", "--pull-at", "3"], "--virtual"),
    ] {
        let (done, _, err) = desk(args);
        assert!(!done && err.contains(said), "{args:?}: {err}");
    }
}
