//! What the project promises about itself and a machine can check: what an integrator's build pays for, where things
//! are, and that the core knows no vendor.
mod files;
mod tree;
mod vendors;

use crate::commands::root;
use std::path::Path;

/// Checks every promise, so that one run shows all that are broken.
pub(crate) fn check() -> Result<(), String> {
    let root = root();
    let mut all = Vec::new();
    files::walk(&root, Path::new(""), &mut all).map_err(|e| format!("cannot read the sources: {e}"))?;
    let mut broken = 0;
    let mut report = |promise: &str, problems: Vec<String>| {
        let verdict = if problems.is_empty() { "kept  " } else { "BROKEN" };
        println!("{verdict} {promise}");
        for problem in &problems {
            println!("       {problem}");
        }
        broken += problems.len();
    };

    let crates = tree::core_tree()?;
    let promise =
        format!("seam-core by default: no database, no HTTP client, none of our other crates ({} crates in its tree)", crates.len());
    report(&promise, tree::not_in_core(&crates));
    report("the top-level folders are those of the house", files::house(&files::top_folders(&all)));
    report("seam-core names no vendor", vendors::vendor_names(&root, &all)?);
    report("nothing outside of seam-providers has a case for one vendor", vendors::vendor_cases(&root, &all)?);
    for note in files::long_files(&root, &all)? {
        println!("note   {note}");
    }
    match broken {
        0 => Ok(()),
        n => Err(format!("{n} broken promise(s), listed above")),
    }
}
