//! The issuer's records in a file: what was acknowledged is there after a start, for every process, and after a kill.
use crate::house::*;
use chrono::TimeDelta;
use seam_ble::lock::Refusal;
use seam_providers::open_lock::sim::Answer;
use seam_providers::open_lock::{MemoryRecords, Records, SqliteRecords};
use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::Arc;

const FROM: &str = "2026-03-01T14:00:00Z";
const TO: &str = "2026-03-05T10:00:00Z";

fn open(folder: &tempfile::TempDir) -> Arc<dyn Records> {
    Arc::new(SqliteRecords::open(folder.path().join("issuer.db")).unwrap())
}

#[tokio::test]
async fn every_kind_of_records_keeps_the_contract() {
    let folder = tempfile::tempdir().unwrap();
    for records in [Arc::new(MemoryRecords::new()) as Arc<dyn Records>, open(&folder)] {
        let text = |n: u8| Some(vec![n; 3]);
        assert_eq!(records.load("a/1").await.unwrap(), None);
        assert!(!records.swap("a/1", Some(1), text(1)).await.unwrap(), "it is not there");
        assert!(!records.swap("a/1", Some(1), None).await.unwrap());
        assert!(records.swap("a/1", None, text(1)).await.unwrap());
        assert!(!records.swap("a/1", None, text(2)).await.unwrap(), "it is there");
        let first = records.load("a/1").await.unwrap().unwrap();
        assert_eq!(first.content, [1; 3]);
        assert!(records.swap("a/1", Some(first.version), text(2)).await.unwrap());
        assert!(!records.swap("a/1", Some(first.version), text(3)).await.unwrap(), "somebody was first");
        let second = records.load("a/1").await.unwrap().unwrap();
        assert_eq!(second.content, [2; 3]);
        assert!(records.swap("a/1", Some(second.version), None).await.unwrap());
        assert_eq!(records.load("a/1").await.unwrap(), None);
        assert!(records.swap("a/1", None, text(4)).await.unwrap());
        let again = records.load("a/1").await.unwrap().unwrap();
        assert!(again.version != first.version && again.version != second.version, "made again it is another one");
        for name in ["a/3", "a/2", "b/1", "a", "a0"] {
            assert!(records.swap(name, None, text(0)).await.unwrap());
        }
        assert_eq!(records.names("a/", None, 10).await.unwrap(), ["a/1", "a/2", "a/3"]);
        assert_eq!(records.names("a/", None, 2).await.unwrap(), ["a/1", "a/2"]);
        assert_eq!(records.names("a/", Some("a/2"), 2).await.unwrap(), ["a/3"]);
        assert_eq!(records.names("a/", Some("a/3"), 2).await.unwrap(), [""; 0]);
        assert_eq!(records.names("c", None, 2).await.unwrap(), [""; 0]);
    }
}

#[tokio::test]
async fn a_stay_goes_on_after_the_issuer_was_started_anew() {
    let folder = tempfile::tempdir().unwrap();
    let h = house_of(|site| site.keeping(open(&folder)).unwrap()).await;
    let anna = h.grant(h.wish("Anna", &["101", "gym"], "stay-1", FROM, TO).await).await;
    let ben = h.grant(h.wish("Ben", &["101"], "stay-1", FROM, TO).await).await;
    let (mut a, b) = (h.phone(&anna).await, h.phone(&ben).await);
    h.go(at(FROM) + TimeDelta::minutes(1)).await;
    assert!(h.opens("101", &a) && h.opens("101", &b));
    assert_eq!(h.site.records.requests(), 0, "nothing is kept in memory");
    h.ws.access_grants().delete(ben.access_grant_id).await.unwrap();
    h.settle().await;
    let left = h.left(&ben).await;
    assert_eq!(left.len(), 1);

    let h = h.restart_with(open(&folder));
    // Enrolled phones are known, documents are renewed, and what was revoked stays on the list, under its number.
    h.go(at("2026-03-02T12:00:00Z")).await;
    a.sync(&h.desk()).await.unwrap();
    assert!(h.opens("101", &a));
    assert_eq!(h.try_door("101", &b), Answer::Refused(Refusal::Revoked));
    h.go(at("2026-03-03T01:00:00Z")).await;
    assert!(h.opens("gym", &a), "renewed after the start");
    assert!(h.method(&anna).await.is_issued);
}

#[tokio::test]
async fn two_processes_share_the_records() {
    let folder = tempfile::tempdir().unwrap();
    let h = house_of(|site| site.keeping(open(&folder)).unwrap()).await;
    let (other_engine, other_desk) = h.beside(open(&folder));
    let anna = h.ws.access_grants().create(h.wish("Anna", &["101"], "stay-1", FROM, TO).await).await.unwrap();
    // The one puts the key, the other enrols the phone; the first renews, the second hands out.
    h.settle().await;
    let tag = h.tag(&h.method(&anna).await).await;
    let mut a = seam_providers::open_lock::sim::Phone::new(1);
    a.enrol(&other_desk, &h.applicant(&anna), &tag).await.unwrap();
    a.sync(&other_desk).await.unwrap();
    h.go(at("2026-03-02T12:00:00Z")).await;
    a.sync(&other_desk).await.unwrap();
    h.go(at("2026-03-03T01:00:00Z")).await;
    assert!(h.opens("101", &a), "fetched thirteen hours ago at the other one");
    h.ws.access_grants().delete(anna.access_grant_id).await.unwrap();
    other_engine.round().await.unwrap();
    h.settle().await;
    a.sync(&other_desk).await.unwrap();
    assert_eq!(h.try_door("101", &a), Answer::Refused(Refusal::Revoked));

    // Many changes at once from two handles: none is lost.
    let counter = "shared/counter";
    let count = async |records: Arc<dyn Records>| {
        for _ in 0..100 {
            loop {
                let known = records.load(counter).await.unwrap();
                let number = known.as_ref().map_or(0, |r| u64::from_be_bytes(r.content.clone().try_into().unwrap()));
                let new = Some((number + 1).to_be_bytes().to_vec());
                if records.swap(counter, known.map(|r| r.version), new).await.unwrap() {
                    break;
                }
            }
        }
    };
    tokio::join!(count(open(&folder)), count(open(&folder)), count(open(&folder)));
    let sum = open(&folder).load(counter).await.unwrap().unwrap();
    assert_eq!(sum.content, 300_u64.to_be_bytes());
}

/// The file for the process that is killed.
const CHILD: &str = "SEAM_OPEN_LOCK_CHILD";

// Not a test of its own: the process that the next one kills.
#[tokio::test]
async fn child_that_writes_until_it_is_killed() {
    let Ok(path) = std::env::var(CHILD) else { return };
    let records = SqliteRecords::open(path).unwrap();
    for n in 0_u32.. {
        assert!(records.swap(&format!("key/{n:08}"), None, Some(n.to_be_bytes().to_vec())).await.unwrap());
        // Acknowledged from here on.
        println!("kept {n}");
    }
}

#[tokio::test]
async fn what_was_acknowledged_survives_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("issuer.db");
    let mut acknowledged = Vec::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "kept::child_that_writes_until_it_is_killed", "--nocapture"])
        .env(CHILD, &path)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    // The harness may write on the same line.
    let kept = |line: String| line.split_once("kept ").and_then(|(_, n)| n.trim().parse::<u32>().ok());
    for n in lines.map_while(Result::ok).filter_map(kept) {
        acknowledged.push(n);
        if acknowledged.len() == 40 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged.len() >= 40, "{acknowledged:?}");
    let records = SqliteRecords::open(&path).unwrap();
    for n in acknowledged {
        let record = records.load(&format!("key/{n:08}")).await.unwrap();
        assert_eq!(record.unwrap().content, n.to_be_bytes(), "{n} was acknowledged");
    }
    assert!(SqliteRecords::open(folder.path()).is_err(), "a folder is no file");
}
