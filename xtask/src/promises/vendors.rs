//! Names of makers and products, found where they do not belong.
use std::fs;
use std::path::{Path, PathBuf};

/// Makers and products of access systems. seam-core speaks of access systems in general; what is special about one
/// lives with its provider.
const VENDORS: &[&str] =
    &["akiles", "ambiance", "avigilon", "brivo", "dormakaba", "hotek", "kisi", "latch", "salto", "vingcard", "visionline", "vostio"];

/// Where seam-core names a vendor, in a path or in a text.
pub(super) fn vendor_names(root: &Path, files: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.starts_with("seam-core")) {
        let shown = file.display();
        found.extend(vendors_in(&file.to_string_lossy()).map(|name| format!("{shown}: its name says `{name}`")));
        // A file that is no text names nobody.
        let text = fs::read(root.join(file)).map_err(|e| format!("{shown}: {e}"))?;
        for (i, line) in String::from_utf8_lossy(&text).lines().enumerate() {
            found.extend(vendors_in(line).map(|name| format!("{shown}:{}: `{name}`", i + 1)));
        }
    }
    Ok(found)
}

/// Where something outside of seam-providers does one thing for one vendor and another for the rest: an arm of a `match`, or a comparison.
pub(super) fn vendor_cases(root: &Path, files: &[PathBuf]) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let code =
        |file: &&PathBuf| file.extension().is_some_and(|e| e == "rs") && !file.starts_with("seam-providers") && !file.starts_with("xtask");
    for file in files.iter().filter(code) {
        let shown = file.display();
        let text = fs::read_to_string(root.join(file)).map_err(|e| format!("{shown}: {e}"))?;
        for (i, line) in text.lines().enumerate() {
            found.extend(cases_in(line).map(|name| format!("{shown}:{}: a case for `{name}`", i + 1)));
        }
    }
    Ok(found)
}

/// Vendors whose name a line compares with, or is an arm for. Names of metadata are members of the public API, and no vendors.
fn cases_in(line: &str) -> impl Iterator<Item = &'static str> {
    let parts: Vec<&str> = line.split('"').collect();
    // Every other part stands between quotation marks.
    let literals = (1..parts.len()).step_by(2).filter(|n| {
        let (before, after) = (parts[n - 1].trim_end(), parts.get(n + 1).map_or("", |after| after.trim_start()));
        let compared = before.ends_with("==") || before.ends_with("!=") || after.starts_with("==") || after.starts_with("!=");
        compared || after.starts_with("=>") || after.starts_with('|') || before.ends_with('|') && after.is_empty()
    });
    let literals: Vec<&str> = literals.map(|n| parts[n]).filter(|literal| !literal.contains("_metadata")).collect();
    VENDORS.iter().copied().filter(move |vendor| literals.iter().any(|literal| words(literal).iter().any(|word| word == vendor)))
}

fn vendors_in(text: &str) -> impl Iterator<Item = &'static str> {
    let words = words(text);
    VENDORS.iter().copied().filter(move |vendor| words.iter().any(|word| word == vendor))
}

/// The words of a text in lower case: letters and digits, cut where a name in camel case begins its next part, so that
/// a name is found in `a_name`, `AName` and "A name", and not inside a longer word.
fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).map(|j| chars[j]);
        let after = chars.get(i + 1).copied();
        if !c.is_alphanumeric() || begins_part(before, c, after) {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// `KeyCard` is cut before `C`, `PINCode` before `C`, `PIN` nowhere.
fn begins_part(before: Option<char>, c: char, after: Option<char>) -> bool {
    c.is_uppercase() && before.is_some_and(|b| b.is_lowercase() || b.is_uppercase() && after.is_some_and(char::is_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vendor_is_found_however_it_is_written() {
        let found = |text: &str| vendors_in(text).collect::<Vec<_>>();
        let vendor = VENDORS[3];
        let capital = vendor[..1].to_uppercase() + &vendor[1..];
        for text in [
            vendor.to_owned(),
            vendor.to_uppercase(),
            format!("// like {capital}, say"),
            format!("{vendor}_metadata"),
            format!("struct {capital}Client;"),
            format!("seam-core/src/{vendor}.rs"),
        ] {
            assert_eq!(found(&text), [vendor], "{text}");
        }
        assert_eq!(found(&format!("x{vendor}x")), Vec::<&str>::new());
    }

    #[test]
    fn a_case_for_a_vendor_is_found_and_its_mention_is_not() {
        let found = |text: &str| cases_in(text).count();
        let vendor = VENDORS[8];
        for case in [
            format!("\"{vendor}\" => 1,"),
            format!("\"{vendor}_ks\" | \"other\" => 1,"),
            format!("if kind == \"{vendor}\" {{"),
            format!("if \"{vendor}_space\" != kind {{"),
            format!("kind.filter(|k| *k == \"{vendor}\")"),
        ] {
            assert_eq!(found(&case), 1, "{case}");
        }
        for mention in [
            format!("connect(\"{vendor}\", &settings)"),
            format!("// like {vendor} => this"),
            format!("c == \"{vendor}_metadata.is_valid\""),
            format!("Self::Other => \"{vendor}\","),
            format!("use crate::{vendor};"),
        ] {
            assert_eq!(found(&mention), 0, "{mention}");
        }
    }

    #[test]
    fn names_are_cut_at_their_parts() {
        assert_eq!(words("KeyCard key_card PINCode"), ["key", "card", "key", "card", "pin", "code"]);
        assert_eq!(words("a door's lock-plate"), ["a", "door", "s", "lock", "plate"]);
        assert_eq!(words("HTTP"), ["http"]);
        assert_eq!(words(" -- "), Vec::<String>::new());
    }

    #[test]
    fn a_longer_word_stays_whole() {
        assert_eq!(words("unlatched"), ["unlatched"]);
    }
}
