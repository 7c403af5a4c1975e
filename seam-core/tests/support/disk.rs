//! What a disk holds when the power fails: everything that was synced, and of the rest whatever it happened to write.
use seam_core::conformance::store::Random;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One call of the recorded process.
#[derive(Debug)]
pub(crate) enum Op {
    Write { offset: usize, data: Vec<u8> },
    Sync,
    Truncate { size: usize },
    Unlink,
}

/// A record: what was done to which file.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) file: String,
    pub(crate) op: Op,
}

/// Builds the recorder. `None` where there is no C compiler.
pub(crate) fn recorder(folder: &Path) -> Option<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/record.c");
    let library = folder.join("record.so");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let built = Command::new(compiler).args(["-O1", "-shared", "-fPIC", "-o"]).arg(&library).arg(source).arg("-ldl").status();
    built.is_ok_and(|status| status.success()).then_some(library)
}

/// Reads a record.
pub(crate) fn read(log: &Path) -> Vec<Recorded> {
    let bytes = std::fs::read(log).unwrap();
    let mut rest = &bytes[..];
    let mut ops = Vec::new();
    while !rest.is_empty() {
        let (head, tail) = rest.split_at(32);
        let number = |n: usize| u64::from_ne_bytes(head[n * 8..n * 8 + 8].try_into().unwrap()) as usize;
        let (name, tail) = tail.split_at(number(1));
        let (data, tail) = tail.split_at(number(3));
        let op = match number(0) {
            1 => Op::Write { offset: number(2), data: data.to_vec() },
            2 => Op::Sync,
            3 => Op::Truncate { size: number(2) },
            4 => Op::Unlink,
            other => panic!("operation {other}"),
        };
        ops.push(Recorded { file: String::from_utf8(name.to_vec()).unwrap(), op });
        rest = tail;
    }
    ops
}

/// A disk while the record is played.
#[derive(Default)]
pub(crate) struct Disk<'r> {
    synced: BTreeMap<&'r str, Vec<u8>>,
    pending: BTreeMap<&'r str, Vec<&'r Op>>,
    /// Files that were removed, as long as their folder is not synced: they may come back.
    removed: BTreeMap<&'r str, Vec<u8>>,
}

/// What of the un-synced calls the disk had written when the power failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kept {
    /// None.
    Nothing,
    /// The first few of each file, the last of them perhaps in part.
    Prefix,
    /// Any of them, each perhaps in part.
    Some,
    /// All: only the process was killed.
    All,
}

impl<'r> Disk<'r> {
    /// Plays one call.
    pub(crate) fn play(&mut self, recorded: &'r Recorded) {
        let file = recorded.file.as_str();
        match &recorded.op {
            Op::Sync if file.is_empty() => self.removed.clear(),
            Op::Sync => {
                let content = self.synced.entry(file).or_default();
                for op in self.pending.remove(file).unwrap_or_default() {
                    apply(content, op, None);
                }
            }
            Op::Unlink => {
                self.pending.remove(file);
                let content = self.synced.remove(file);
                self.removed.insert(file, content.unwrap_or_default());
            }
            op => self.pending.entry(file).or_default().push(op),
        }
    }

    /// Puts into `folder` what is found after the power has failed now.
    pub(crate) fn fail(&self, kept: Kept, random: &mut Random, folder: &Path) {
        let mut files = self.synced.clone();
        for (file, pending) in &self.pending {
            let content = files.entry(file).or_default();
            let first = if kept == Kept::Prefix { random.below(pending.len() as u64 + 1) as usize } else { pending.len() };
            for (n, op) in pending.iter().enumerate().take(first) {
                let whole = match kept {
                    Kept::Nothing => continue,
                    Kept::All => true,
                    Kept::Prefix => n + 1 < first || random.one_in(2),
                    Kept::Some if random.one_in(2) => continue,
                    Kept::Some => !random.one_in(4),
                };
                // A write in part is one of whole sectors of 512 bytes.
                let part = match op {
                    Op::Write { data, .. } if !whole => Some(random.below(data.len() as u64 / 512 + 1) as usize * 512),
                    _ => None,
                };
                apply(content, op, part);
            }
        }
        for (file, content) in &self.removed {
            let back = kept == Kept::Nothing || (kept != Kept::All && random.one_in(2));
            if back && !files.contains_key(file) {
                files.insert(file, content.clone());
            }
        }
        for (file, content) in files {
            std::fs::write(folder.join(file), content).unwrap();
        }
    }
}

fn apply(content: &mut Vec<u8>, op: &Op, part: Option<usize>) {
    match op {
        Op::Write { offset, data } => {
            let data = &data[..part.unwrap_or(data.len())];
            if content.len() < offset + data.len() {
                content.resize(offset + data.len(), 0);
            }
            content[*offset..offset + data.len()].copy_from_slice(data);
        }
        Op::Truncate { size } => content.resize(*size, 0),
        Op::Sync | Op::Unlink => {}
    }
}
