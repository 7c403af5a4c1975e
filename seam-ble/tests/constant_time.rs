//! Where something is compared that must not be guessed byte by byte, it is compared in a time that depends on its length only.
//!
//! A test that takes the time would depend on the machine: `seam-bench --only mobile-keys` does. This one reads the sources, and fails when a comparison is
//! written otherwise.
#![expect(clippy::unwrap_used, reason = "a failed test is a failed test, with its line")]

use std::path::{Path, PathBuf};

fn source(file: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(file)).unwrap()
}

fn files(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("tests") {
            files(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            into.push(path);
        }
    }
}

/// The comparisons: in which file, and how they begin.
const COMPARED: &[(&str, &str)] = &[
    ("crypto/mod.rs", "pub fn equal(a: &[u8], b: &[u8]) -> bool {\n    a.ct_eq(b).into()\n}"),
    ("crypto/mod.rs", "fn eq(&self, other: &Self) -> bool {\n        self.0.ct_eq(&other.0).into()\n    }"),
    ("aliro/ble/advert.rs", "equal(&self.tag, "),
    ("aliro/document.rs", "equal(signed, &crypto.sha256("),
    ("lock/clock.rs", "challenge.ct_eq(&token.challenge)"),
    ("nuki/pairing.rs", "equal(proof, &crypto.hmac_sha256("),
    ("nuki/sim.rs", "equal(proof, &self.crypto.hmac_sha256("),
    ("pkoc/reader.rs", "equal(version."),
];

#[test]
fn secrets_and_what_is_made_of_them_are_compared_in_constant_time() {
    for (file, how) in COMPARED {
        assert!(source(file).contains(how), "{file}: {how}");
    }
    let mut all = Vec::new();
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    assert!(all.len() > 50);
    for file in all {
        let text = std::fs::read_to_string(&file).unwrap();
        // Tests may compare what they like.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for (n, line) in code.lines().enumerate() {
            let compares = line.contains("==") || line.contains("!=");
            let secret = [".expose()", "hmac_sha256(", "_seal("].iter().any(|what| line.contains(what));
            assert!(!(compares && secret), "{}:{}: {line}", file.display(), n + 1);
        }
    }
}
