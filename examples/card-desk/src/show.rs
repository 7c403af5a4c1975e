//! What a person sees while a job is under way.
use indicatif::{ProgressBar, ProgressStyle};
use seam_core::encoder::Progress;
use std::io::IsTerminal;
use std::time::Duration;

/// What a step without a number of its own looks like.
const STEP: &str = "{spinner} {msg}";
/// What writing looks like.
const WRITING: &str = "{spinner} {msg:<12} [{bar:30}] {pos}/{len}";

/// Shows progress: a line that changes on a terminal, with a bar while something is written; lines elsewhere.
pub(crate) struct Shown {
    bar: ProgressBar,
    is_terminal: bool,
    last: String,
}

impl Shown {
    pub(crate) fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        bar.enable_steady_tick(Duration::from_millis(100));
        let shown = Self { bar, is_terminal, last: String::new() };
        shown.looks(STEP);
        shown
    }
    fn looks(&self, like: &str) {
        if let Ok(style) = ProgressStyle::with_template(like) {
            self.bar.set_style(style.progress_chars("=> "));
        }
    }
    pub(crate) fn take(&mut self, step: Progress) {
        let line = line(step);
        if line != self.last {
            if !self.is_terminal {
                eprintln!("{line}");
            }
            if let Progress::Writing { done, of } = step {
                self.looks(WRITING);
                self.bar.set_length(of.into());
                self.bar.set_position(done.saturating_add(1).min(of).into());
                self.bar.set_message("writing");
            } else {
                self.looks(STEP);
                self.bar.set_message(line.clone());
            }
            self.last = line;
        }
    }
}

impl Drop for Shown {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}

fn line(step: Progress) -> String {
    match step {
        Progress::WaitingForCard => "waiting for a card".to_owned(),
        Progress::CardSeen => "a card is there: leave it on the reader".to_owned(),
        Progress::Writing { done, of } => format!("writing {}/{of}", done.saturating_add(1).min(of)),
        Progress::Verifying => "reading it back".to_owned(),
        Progress::TakeCard => "done: take the card".to_owned(),
        _ => "working".to_owned(),
    }
}
