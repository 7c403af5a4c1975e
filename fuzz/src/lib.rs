//! Everything that reads what others send, against what nobody should send.
//!
//! Each [`Target`] is a plain function over bytes that panics when a promise is broken. The promises are more than "no panic": what was
//! accepted is written again as it was read, a stream gives the same messages however it is cut, a seal or a signature does not survive a
//! change, and no input makes a reader keep more memory than a multiple of its length ([`Target::run`] counts).
//!
//! Four ways to run them:
//! - `cargo nextest run -p seam-fuzz`: a fixed number of inputs for each, in the ordinary test command;
//! - `cargo run --release -p seam-fuzz -- ndef --inputs 1000000`: many more, with any compiler;
//! - `SEAM_FUZZ=ndef cargo +nightly fuzz run seam-fuzz -- -max_total_time=60`: guided by coverage (`cargo install cargo-fuzz` first);
//! - the same with the stable compiler, without `cargo fuzz` and its sanitizer: `RUSTFLAGS="--cfg fuzzing -Cpasses=sancov-module
//!   -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
//!   -Cllvm-args=-sanitizer-coverage-trace-compares" cargo build -p seam-fuzz --target x86_64-unknown-linux-gnu`, then
//!   `SEAM_FUZZ=ndef target/x86_64-unknown-linux-gnu/debug/seam-fuzz -max_total_time=60`.
//!
//! The seeds are worked examples of the references, as constants beside the targets, with their source.
mod ble;
mod encoders;
mod hex;
mod mutate;
mod providers;
mod stored;

pub use mutate::Mutator;

use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Memory that any reader may keep beside what the input explains, in bytes: buffers of a fixed size, tables, a runtime.
const KEPT: u64 = 512 << 10;
/// Memory that a reader may keep for each byte of its input: a number of one byte becomes a value of 32, an element of XML of four bytes a
/// node of some hundred, lists grow by doubling, and checks keep what they read again beside it.
const KEPT_PER_BYTE: u64 = 400;

/// A reader of bytes and what must hold of it.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Target {
    /// Its name, as it is asked for.
    pub name: &'static str,
    /// Worked examples to begin from.
    pub seeds: fn() -> Vec<Vec<u8>>,
    /// Inputs in the ordinary test run: fewer where each costs a signature.
    pub inputs: u32,
    check: fn(&[u8]),
}

impl Target {
    const fn new(name: &'static str, inputs: u32, seeds: fn() -> Vec<Vec<u8>>, check: fn(&[u8])) -> Self {
        Self { name, seeds, inputs, check }
    }

    /// One input.
    ///
    /// # Panics
    /// When a promise is broken.
    pub fn run(&self, input: &[u8]) {
        let kept = allocation_counter::measure(|| (self.check)(input)).bytes_max;
        let bound = KEPT + KEPT_PER_BYTE * input.len() as u64;
        assert!(kept <= bound, "{kept} bytes were kept for an input of {}, {bound} are allowed", input.len());
    }

    /// All seeds as they are, then so many inputs near to them. A panic is preceded by a line that says which input it was.
    ///
    /// # Panics
    /// When a promise is broken.
    pub fn run_many(&self, seed: u64, inputs: u64, within: Option<Duration>) -> u64 {
        let seeds = (self.seeds)();
        for input in &seeds {
            self.told(input);
        }
        let (mut mutator, begun) = (Mutator::new(seed), Instant::now());
        for done in 0..inputs {
            if done.is_multiple_of(64) && within.is_some_and(|within| begun.elapsed() > within) {
                return done;
            }
            self.told(&mutator.input(&seeds));
        }
        inputs
    }

    fn told(&self, input: &[u8]) {
        let teller = Teller { target: self.name, input };
        self.run(input);
        drop(teller);
    }
}

/// Says which input it was, while the panic goes by.
struct Teller<'a> {
    target: &'static str,
    input: &'a [u8],
}

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("target `{}`, input {}", self.target, hex::text(self.input));
        }
    }
}

/// All targets.
pub fn targets() -> impl Iterator<Item = &'static Target> {
    [encoders::TARGETS, ble::TARGETS, providers::TARGETS, stored::TARGETS].into_iter().flatten()
}

/// The target of this name.
#[must_use]
pub fn target(name: &str) -> Option<&'static Target> {
    targets().find(|target| target.name == name)
}

/// One input for the target that the environment names in `SEAM_FUZZ`: all that libFuzzer's wrapper calls, so that there is nothing in it
/// that could rot.
///
/// # Panics
/// When it names none, or a promise is broken.
pub fn run_named(input: &[u8]) {
    static TARGET: LazyLock<&Target> = LazyLock::new(|| {
        let name = std::env::var("SEAM_FUZZ").unwrap_or_default();
        target(&name).unwrap_or_else(|| panic!("SEAM_FUZZ names no target: {name:?}"))
    });
    TARGET.run(input);
}

/// The input that a line of a failed run tells.
#[must_use]
pub fn input_of(told: &str) -> Vec<u8> {
    hex::bytes(told)
}
