//! The access log, page by page.
use super::{Suite, Tried};
use crate::provider::{AccessLog, Handle, LogEntry, SystemRef};

/// Pages that are read before the suite gives up.
const MANY: usize = 10_000;

pub(super) async fn check(suite: &mut Suite<'_>) {
    let reported = suite.report.access_log_seconds.is_some();
    let Some(log) = suite.provider.access_log() else {
        return suite.must("a_log_that_is_reported_can_be_read", !reported, || "the report has one, the provider has none".to_owned());
    };
    if !reported {
        return suite.skip("access log: the report has none");
    }
    let system = suite.system.clone();
    let Some((mut seen, end)) = read_on(suite, log, &system, None).await else { return };
    let doors: Vec<Handle> = suite.doors.iter().filter(|(_, e)| e.code).map(|(d, _)| d.handle.clone()).take(3).collect();
    let mut tries = 0;
    for door in &doors {
        if suite.judge.try_pin(door, "00").await == Tried::Refused {
            tries += 1;
        }
    }
    let Some((new, last)) = read_on(suite, log, &system, end.clone()).await else { return };
    suite.must("the_log_goes_on_from_its_cursor", new.len() <= tries, || format!("{} lines after {tries} tries", new.len()));
    let Some((again, _)) = read_on(suite, log, &system, end).await else { return };
    suite.must("a_cursor_can_be_used_again", again == new, || format!("first {} lines, then {}", new.len(), again.len()));
    seen.extend(new);
    if let Some((rest, _)) = read_on(suite, log, &system, last).await {
        suite.must("the_log_goes_on_from_its_cursor", rest.is_empty(), || format!("{} lines came twice", rest.len()));
    }
    if let Some((all, _)) = read_on(suite, log, &system, None).await {
        let kept = all.iter().all(|line| seen.contains(line));
        suite.must("the_log_is_the_same_from_its_beginning", kept, || "lines that were not told when it was read on".to_owned());
    }
}

/// Reads to the end. `None`: it failed, or has no end; that was a breach.
async fn read_on(
    suite: &mut Suite<'_>,
    log: &dyn AccessLog,
    system: &SystemRef,
    from: Option<String>,
) -> Option<(Vec<LogEntry>, Option<String>)> {
    let (mut lines, mut cursor) = (Vec::new(), from);
    for _ in 0..MANY {
        match log.entries(system, cursor.as_deref()).await {
            Ok(page) => {
                let moved = page.next.is_some() && page.next != cursor;
                let done = page.entries.is_empty() || !moved;
                lines.extend(page.entries);
                cursor = page.next.or(cursor);
                if done {
                    return Some((lines, cursor));
                }
            }
            Err(failure) => {
                suite.breach("a_log_that_is_reported_can_be_read", failure.to_string());
                return None;
            }
        }
    }
    suite.breach("the_log_has_an_end", format!("{MANY} pages"));
    None
}
