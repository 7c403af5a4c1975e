//! How much a lock's flash has to hold: the reader of `seam-ble/firmware-proof`, linked without std and without an allocator, with everything that it
//! reaches and nothing else.
use seam_bench::Failed;
use seam_bench::measure::Rounds;
use seam_bench::table::{Goal, Line};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A microcontroller as locks have it: Cortex-M4 and M7.
const MICROCONTROLLER: &str = "thumbv7em-none-eabihf";

pub(crate) fn measure() -> Result<Vec<Line>, Failed> {
    let sysroot = PathBuf::from(said(Command::new("rustc").args(["--print", "sysroot"]))?);
    let host = said(Command::new("rustc").args(["--print", "host-tuple"]))?;
    let linker = sysroot.join("lib/rustlib").join(&host).join("bin/rust-lld");
    let what = |target: &str| format!("KiB of code and constants of the no_std reader (Aliro, both phases), {target}");
    [MICROCONTROLLER, host.as_str()]
        .into_iter()
        .map(|target| {
            if !sysroot.join("lib/rustlib").join(target).join("lib").is_dir() {
                return Ok(Line::skipped(what(target), Goal::None, format!("rustup target add {target}")));
            }
            let bytes = linked(target, &linker)?;
            Ok(Line::new(what(target), Goal::None, Rounds::once(bytes as f64 / 1024.0))
                .digits(1)
                .remark("with its cryptography, opt-level s, no precomputed tables; no radio, no flash driver"))
        })
        .collect()
}

fn said(command: &mut Command) -> Result<String, Failed> {
    let output = command.output()?;
    if !output.status.success() {
        return Err(format!("{command:?}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?.trim().to_owned())
}

/// Builds the library for a target and links what `unlock` reaches; gives the bytes that are loaded.
fn linked(target: &str, linker: &Path) -> Result<u64, Failed> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let to = project.join("target/firmware");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut build = Command::new(cargo);
    build.args(["build", "--quiet", "--release", "--locked", "--target", target, "--manifest-path", "seam-ble/firmware-proof/Cargo.toml"]);
    said(build.arg("--target-dir").arg(&to).current_dir(&project))?;
    let folder = to.join(target).join("release");
    let program = folder.join("reader.elf");
    let mut link = Command::new(linker);
    // A host's copies of memory are in its libc, and not counted.
    link.args(["-flavor", "gnu", "--gc-sections", "--unresolved-symbols=ignore-all", "-e", "unlock", "-o"])
        .arg(&program)
        .arg(folder.join("libfirmware_proof.a"));
    said(&mut link)?;
    loaded(&std::fs::read(program)?).ok_or_else(|| "the linker wrote no ELF file".into())
}

/// The sum of the sections that are loaded from flash (System V ABI, chapter 4): allocated, and with content.
fn loaded(elf: &[u8]) -> Option<u64> {
    let wide = match elf.get(..6)? {
        [0x7F, b'E', b'L', b'F', 1, 1] => false,
        [0x7F, b'E', b'L', b'F', 2, 1] => true,
        _ => return None,
    };
    let number =
        |at: usize, length: usize| Some(elf.get(at..at + length)?.iter().rev().fold(0_u64, |sum, byte| sum << 8 | u64::from(*byte)));
    let (table, each, count) =
        if wide { (number(0x28, 8)?, number(0x3A, 2)?, number(0x3C, 2)?) } else { (number(0x20, 4)?, number(0x2E, 2)?, number(0x30, 2)?) };
    let mut sum = 0;
    for section in 0..count {
        let at = usize::try_from(table + section * each).ok()?;
        let kind = number(at + 4, 4)?;
        let (flags, size) = if wide { (number(at + 8, 8)?, number(at + 0x20, 8)?) } else { (number(at + 8, 4)?, number(at + 0x14, 4)?) };
        const NO_CONTENT: u64 = 8;
        const ALLOCATED: u64 = 2;
        if flags & ALLOCATED != 0 && kind != NO_CONTENT {
            sum += size;
        }
    }
    Some(sum)
}
