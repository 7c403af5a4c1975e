//! What a person sees while a job is under way.
use indicatif::{ProgressBar, ProgressStyle};
use seam_core::encoder::Progress;
use std::io::IsTerminal;
use std::time::Duration;

/// Shows progress: a line that changes on a terminal, lines elsewhere.
pub(crate) struct Shown {
    bar: ProgressBar,
    is_terminal: bool,
    last: String,
}

impl Shown {
    pub(crate) fn new() -> Self {
        let is_terminal = std::io::stderr().is_terminal();
        let bar = if is_terminal { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        bar.enable_steady_tick(Duration::from_millis(100));
        Self { bar, is_terminal, last: String::new() }
    }
    pub(crate) fn take(&mut self, step: Progress) {
        let line = line(step);
        if line != self.last {
            if !self.is_terminal {
                eprintln!("{line}");
            }
            self.bar.set_message(line.clone());
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
