//! The page that says which test shows what names tests that are there, and the page of systems claims no more than that.
use seam_core::provider::ProviderFactory;
use seam_providers::http::HttpClient;
use seam_providers::salto_ks::KsFactory;
use seam_providers::salto_space::SpaceFactory;
use seam_providers::visionline::VisionlineFactory;
use seam_providers::visionline::vision::VisionFactory;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

fn sources(folder: &Path, all: &mut String) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, all);
        } else if path.extension().is_some_and(|e| e == "rs") {
            all.push_str(&fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn every_test_that_the_page_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("../docs/evidence.md")).unwrap();
    let mut code = String::new();
    sources(&root.join("src"), &mut code);
    sources(&root.join("tests"), &mut code);
    let is_name = |text: &&str| text.contains('_') && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    let named: BTreeSet<&str> = page.split('`').skip(1).step_by(2).filter(is_name).collect();
    assert!(named.len() > 40, "{named:?}");
    for name in named {
        assert!(code.contains(&format!("fn {name}(")), "the page names `{name}`, which is not there");
    }
}

#[test]
fn each_vendor_has_a_row_and_nobody_claims_to_have_tried_it() {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/providers.md")).unwrap();
    let http = Arc::new(HttpClient::for_providers().unwrap());
    let factories: [&dyn ProviderFactory; 4] = [&VisionlineFactory::new(), &VisionFactory, &SpaceFactory::default(), &KsFactory::new(http)];
    for factory in factories {
        let kind = format!("`{}`", factory.kind());
        let rows: Vec<&str> = page.lines().filter(|line| line.split(" | ").nth(2) == Some(&kind)).collect();
        let [row] = rows.as_slice() else { panic!("{kind} {rows:?}") };
        assert!(
            row.ends_with("its fake; nobody has tried a real server |") || row.ends_with("its fake; nobody has tried the real cloud |"),
            "{row}"
        );
    }
    assert!(page.contains("Nothing here was tried with real hardware"));
}
