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

/// Begins and ends one job.
#[test]
#[ignore = "is watched by the test below, which starts it"]
fn a_program_with_one_entry() {
    let folder = std::env::var_os(FOLDER).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let journal = FileJournal::open(Path::new(&folder)).unwrap();
    runtime.block_on(journal.begin(&technology(), &card(0), &entry(1))).unwrap();
    std::fs::metadata("/begun").unwrap_err();
    runtime.block_on(journal.end(&technology(), &card(0))).unwrap();
    std::fs::metadata("/ended").unwrap_err();
}

/// That an entry outlasts a loss of power rests on the disk being asked for it before the call returns: the kernel is watched for that.
#[test]
fn the_disk_is_asked_to_keep_file_and_folder_before_a_call_returns() {
    let folder = tempfile::tempdir().unwrap();
    let (path, trace) = (folder.path().join("journal"), folder.path().join("trace"));
    let mut strace = Command::new("strace");
    strace.args(["-f", "-y", "-e", "trace=fsync,fdatasync,rename,renameat,renameat2,unlink,unlinkat,stat,newfstatat,statx", "-o"]);
    strace.arg(&trace).arg(std::env::current_exe().unwrap());
    strace.args(["--ignored", "--exact", "a_program_with_one_entry"]).env(FOLDER, &path);
    match strace.output() {
        Ok(output) => assert!(output.status.success(), "{output:?}"),
        Err(e) => {
            let line = format!("to watch what the disk is asked for needs strace ({e}); get it with: apt-get install strace");
            assert!(std::env::var_os("CI").is_none(), "{line}");
            println!("skipped: {line}");
            return;
        }
    }
    let (file, path) = (path.join("desfire-04010203040500"), path.to_str().unwrap().to_owned());
    let file = file.to_str().unwrap();
    let steps: Vec<&str> = std::fs::read_to_string(&trace)
        .unwrap()
        .lines()
        .filter_map(|line| match line {
            _ if line.contains("sync(") && line.contains(&format!("<{file}.new>")) => Some("the file"),
            _ if line.contains("sync(") && line.contains(&format!("<{path}>")) => Some("the folder"),
            _ if line.contains("rename") && line.contains(file) => Some("renamed"),
            _ if line.contains("unlink") && line.contains(file) => Some("removed"),
            _ if line.contains("\"/begun\"") => Some("begun"),
            _ if line.contains("\"/ended\"") => Some("ended"),
            _ => None,
        })
        .collect();
    assert_eq!(steps, ["the file", "renamed", "the folder", "begun", "removed", "the folder", "ended"]);
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
