//! What a journal in a folder said that it keeps is there after the program was killed.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

use seam_core::encoder::Technology;
use seam_encoders::job::{CardNumber, Entry, FileJournal, Journal};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

const FOLDER: &str = "SEAM_TEST_JOURNAL";
/// Cards that are written in turn.
const CARDS: u8 = 3;

fn technology() -> Technology {
    Technology("desfire".to_owned())
}

fn card(n: u8) -> CardNumber {
    CardNumber(vec![4, 1, 2, 3, 4, 5, n])
}

/// The `n`-th entry of a card; each differs from the one before.
fn entry(n: u32) -> Entry {
    Entry { to: (n % 250) as u8 + 1, or: vec![(n / 250) as u8; 3], begun_at: "2026-03-01T08:00:00Z".parse().unwrap() }
}

/// Begins and ends jobs without an end, and says each before and after.
#[test]
#[ignore = "is killed by the test below, which starts it"]
fn a_program_with_a_journal() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut out = std::io::stdout();
    let mut say = move |what: String| {
        out.write_all(what.as_bytes()).unwrap();
        out.flush().unwrap();
    };
    let journal = FileJournal::open(Path::new(&folder)).unwrap();
    for n in 0_u32.. {
        let number = (n % u32::from(CARDS)) as u8;
        say(format!("@ begins {number} {n}\n"));
        runtime.block_on(journal.begin(&technology(), &card(number), &entry(n))).unwrap();
        say(format!("@ begun {number} {n}\n"));
        if n % 7 == 3 {
            say(format!("@ ends {number} {n}\n"));
            runtime.block_on(journal.end(&technology(), &card(number))).unwrap();
            say(format!("@ ended {number} {n}\n"));
        }
    }
}

#[tokio::test]
async fn nothing_that_was_acknowledged_is_lost_when_the_program_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    for lines in (0..24).map(|round| 1 + round * 5) {
        let path = folder.path().join(lines.to_string());
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--ignored", "--exact", "a_program_with_a_journal", "--nocapture"]).env(FOLDER, &path).stdout(Stdio::piped());
        let mut program = program.spawn().unwrap();
        let mut said = BufReader::new(program.stdout.take().unwrap()).lines().map_while(Result::ok);
        let mut told: Vec<String> = said.by_ref().filter(|line| line.contains("@ ")).take(lines).collect();
        program.kill().unwrap();
        program.wait().unwrap();
        // What was said until it died.
        told.extend(said.filter(|line| line.contains("@ ")));

        // Per card: what surely stands, and what may stand because it was under way.
        let mut sure: BTreeMap<u8, Option<Entry>> = (0..CARDS).map(|n| (n, None)).collect();
        let mut under_way: BTreeMap<u8, Option<Entry>> = BTreeMap::new();
        for line in &told {
            let words: Vec<&str> = line[line.find("@ ").unwrap()..].split(' ').collect();
            let [_, what, number, n] = words[..] else { continue };
            let (Ok(number), Ok(n)) = (number.parse::<u8>(), n.parse::<u32>()) else { continue };
            match what {
                "begins" => drop(under_way.insert(number, Some(entry(n)))),
                "ends" => drop(under_way.insert(number, None)),
                _ => drop(under_way.remove(&number).map(|now| sure.insert(number, now))),
            }
        }
        let journal = FileJournal::open(&path).unwrap();
        for (number, sure) in sure {
            let found = journal.find(&technology(), &card(number)).await.unwrap();
            assert!(found == sure || under_way.get(&number) == Some(&found), "{lines}: card {number}: {found:?} and not {sure:?}");
        }
    }
}
