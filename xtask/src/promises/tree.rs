//! What comes along with seam-core, as cargo resolves it.
use crate::commands::{cargo, shown};
use std::collections::BTreeSet;

/// What seam-core must not bring along by default; `*` stands for any ending. An integrator who keeps state elsewhere,
/// or brings a client of her own, pays for none of it.
const NOT_IN_CORE: &[&str] = &[
    "rusqlite",
    "libsqlite3-sys",
    "sqlx*",
    "tokio-postgres",
    "postgres",
    "reqwest",
    "ureq",
    "curl*",
    "hyper*",
    "h2",
    "rustls*",
    "ring",
    "aws-lc*",
    "openssl*",
    "native-tls",
    // The arrows of the workspace point the other way.
    "seam-providers",
    "seam-encoders",
    "seam-ble",
];

/// The crates of seam-core's tree with its default features, itself included.
pub(super) fn core_tree() -> Result<BTreeSet<String>, String> {
    let mut command = cargo(["tree", "-p", "seam-core", "-e", "normal", "--prefix", "none", "--color", "never"]);
    println!("{}", shown(&command));
    let output = command.output().map_err(|e| format!("cannot start ({e}): {}", shown(&command)))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let tree = parse_tree(&String::from_utf8_lossy(&output.stdout));
    // Without this, a change of cargo's output would turn the promise into one that cannot be broken.
    if tree.iter().any(|krate| name_of(krate) == "seam-core") {
        Ok(tree)
    } else {
        Err("`cargo tree` printed something else than a tree of seam-core".into())
    }
}

/// The crates of `cargo tree --prefix none`, each once, as `name version`.
fn parse_tree(output: &str) -> BTreeSet<String> {
    output
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_whitespace();
            let (name, version) = (columns.next()?, columns.next()?);
            version.starts_with('v').then(|| format!("{name} {version}"))
        })
        .collect()
}

fn name_of(krate: &str) -> &str {
    krate.split_once(' ').map_or(krate, |(name, _)| name)
}

/// The crates that break the promise.
pub(super) fn not_in_core(tree: &BTreeSet<String>) -> Vec<String> {
    let matches = |name: &str, pattern: &str| match pattern.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => name == pattern,
    };
    tree.iter()
        .filter(|krate| NOT_IN_CORE.iter().any(|pattern| matches(name_of(krate), pattern)))
        .map(|krate| format!("{krate}; find out why with: cargo tree -p seam-core -e normal -i {}", name_of(krate)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As cargo prints it: a path crate, a proc macro, a repeated crate, an empty line.
    const TREE: &str = "\
seam-core v0.1.0 (/home/me/seam/seam-core)
async-trait v0.1.92 (proc-macro)
syn v2.0.119
serde v1.0.229 (*)
serde v1.0.229

syn v3.0.9
";

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_tree_counts_each_crate_and_version_once() {
        assert_eq!(parse_tree(TREE), set(&["async-trait v0.1.92", "seam-core v0.1.0", "serde v1.0.229", "syn v2.0.119", "syn v3.0.9"]));
    }

    #[test]
    fn a_clean_tree_breaks_nothing() {
        assert_eq!(not_in_core(&parse_tree(TREE)), Vec::<String>::new());
        // Longer names that begin or end like a banned one.
        assert_eq!(not_in_core(&set(&["ringbuf v0.4.0", "stringprep v0.1.5"])), Vec::<String>::new());
    }

    #[test]
    fn each_database_and_client_is_noticed() {
        for krate in [
            "rusqlite v0.41.1",
            "libsqlite3-sys v0.39.0",
            "sqlx v0.9.0",
            "sqlx-core v0.9.0",
            "reqwest v0.13.5",
            "hyper v1.8.0",
            "hyper-util v0.1.0",
            "rustls v0.23.0",
            "rustls-webpki v0.103.0",
            "ring v0.17.0",
            "aws-lc-rs v1.15.0",
            "aws-lc-sys v0.33.0",
            "openssl v0.10.0",
            "openssl-sys v0.9.0",
            "seam-ble v0.1.0",
        ] {
            assert_eq!(not_in_core(&set(&[krate])).len(), 1, "{krate}");
        }
    }
}
