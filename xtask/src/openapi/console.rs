//! What a maintainer sees: progress and notes on stderr, the result on stdout.

use std::io::IsTerminal;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::plain_text;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Says on stderr what happens; colours are left out where there is no terminal.
pub(crate) fn say(style: Style, word: &str, text: &str) {
    anstream::eprintln!("{style}{word:>10}{style:#} {}", harmless(text));
}

/// Prints a line of the result.
pub(crate) fn print(text: &str) {
    anstream::println!("{}", harmless(text));
}

/// A vendor's words without what a terminal would take for commands.
fn harmless(text: &str) -> String {
    let mut harmless = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' || plain_text::is_invisible(character) {
            harmless.extend(character.escape_unicode());
        } else {
            harmless.push(character);
        }
    }
    harmless
}

/// How far one fetch is: a bar on a terminal, one line elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn start(what: &str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        if !terminal {
            say(GOOD, "Fetching", what);
        }
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        bar.set_message(what.to_owned());
        bar.enable_steady_tick(Duration::from_millis(100));
        let progress = Self { bar };
        progress.style("{spinner} Fetching {msg} {bytes}");
        progress
    }

    fn style(&self, template: &str) {
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    pub(crate) fn length(&self, length: Option<u64>) {
        if let Some(length) = length {
            self.bar.set_length(length);
            self.style("{spinner} Fetching {msg} {bytes} of {total_bytes}");
        }
    }

    pub(crate) fn at(&self, position: u64) {
        self.bar.set_position(position);
    }

    pub(crate) fn end(self) {
        self.bar.finish_and_clear();
    }
}
