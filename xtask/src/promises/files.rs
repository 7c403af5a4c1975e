//! The files of the repository: where they are and how long they grow.
use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The folders of the house. A new one is a decision, not an accident.
const HOUSE: &[(&str, Presence)] = &[
    ("benches", Presence::Always),
    ("docs", Presence::Always),
    ("examples", Presence::Always),
    ("fuzz", Presence::Maybe),
    ("seam-ble", Presence::Always),
    ("seam-core", Presence::Always),
    ("seam-encoders", Presence::Always),
    ("seam-providers", Presence::Always),
    ("xtask", Presence::Always),
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Presence {
    Always,
    Maybe,
}

/// Longer files are asked about, not forbidden.
const LINES: usize = 600;

/// Files that may be longer, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

/// Every file of the repository below `folder`, relative to its root. What is hidden and build output is passed over.
pub(super) fn walk(root: &Path, folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut entries = fs::read_dir(root.join(folder))?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let path = folder.join(name);
        let kind = entry.file_type()?;
        if kind.is_file() {
            files.push(path);
        } else if kind.is_dir() && !is_build_output(&entry.path()) {
            walk(root, &path, files)?;
        }
    }
    Ok(())
}

fn is_build_output(folder: &Path) -> bool {
    folder.ends_with("target") || folder.join("CACHEDIR.TAG").exists()
}

/// The top-level folders that hold a file; an empty one does not exist in a clone.
pub(super) fn top_folders(files: &[PathBuf]) -> BTreeSet<String> {
    files
        .iter()
        .filter(|file| file.components().count() > 1)
        .filter_map(|file| file.components().next())
        .map(|folder| folder.as_os_str().to_string_lossy().into_owned())
        .collect()
}

/// How the top-level folders differ from the house.
pub(super) fn house(folders: &BTreeSet<String>) -> Vec<String> {
    let unknown = folders
        .iter()
        .filter(|folder| HOUSE.iter().all(|(name, _)| name != folder))
        .map(|folder| format!("`{folder}` is not part of the house"));
    let missing = HOUSE
        .iter()
        .filter(|(name, presence)| *presence == Presence::Always && !folders.contains(*name))
        .map(|(name, _)| format!("`{name}` is missing"));
    unknown.chain(missing).collect()
}

/// The source files that are longer than the house likes.
pub(super) fn long_files(root: &Path, files: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut notes = Vec::new();
    for file in files.iter().filter(|file| file.extension().is_some_and(|end| end == "rs")) {
        let text = fs::read_to_string(root.join(file)).map_err(|e| format!("{}: {e}", file.display()))?;
        notes.extend(too_long(&file.to_string_lossy(), text.lines().count()));
    }
    Ok(notes)
}

fn too_long(file: &str, lines: usize) -> Option<String> {
    let excused = LONG_FILES.iter().any(|(name, _)| *name == file);
    (lines > LINES && !excused)
        .then(|| format!("{file} has {lines} lines; above {LINES} a file is split, or listed in LONG_FILES with a reason"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_house_is_complete_and_has_no_annexe() {
        let all: Vec<_> = HOUSE.iter().map(|(name, _)| *name).collect();
        assert_eq!(house(&set(&all)), Vec::<String>::new());
        let without_fuzz: Vec<_> = all.iter().copied().filter(|name| *name != "fuzz").collect();
        assert_eq!(house(&set(&without_fuzz)), Vec::<String>::new());
        let without_docs: Vec<_> = all.iter().copied().filter(|name| *name != "docs").collect();
        assert_eq!(house(&set(&without_docs)), ["`docs` is missing"]);
        let with_annexe: Vec<_> = all.iter().copied().chain(["crates"]).collect();
        assert_eq!(house(&set(&with_annexe)), ["`crates` is not part of the house"]);
    }

    #[test]
    fn a_top_folder_is_one_that_holds_a_file() {
        let files = ["Cargo.toml", "docs/concepts.md", "seam-core/src/lib.rs"].map(PathBuf::from);
        assert_eq!(top_folders(&files), set(&["docs", "seam-core"]));
    }

    #[test]
    fn a_file_is_long_from_one_line_above_the_limit() {
        assert_eq!(too_long("a.rs", LINES), None);
        assert!(too_long("a.rs", LINES + 1).is_some_and(|note| note.contains("a.rs has 601 lines")));
    }

    #[test]
    fn the_walk_finds_this_file_and_no_build_output() {
        let mut files = Vec::new();
        walk(&crate::commands::root(), Path::new(""), &mut files).unwrap();
        assert!(files.contains(&PathBuf::from("xtask/src/promises/files.rs")));
        assert!(files.iter().all(|file| !file.starts_with("target") && !file.starts_with(".git")));
    }
}
