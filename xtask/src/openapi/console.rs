//! What a maintainer sees: progress and notes on stderr, the result on stdout.

use anstyle::{AnsiColor, Style};

use super::invisible::for_terminal;

pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const NOTE: Style = AnsiColor::Yellow.on_default();
pub(crate) const BAD: Style = AnsiColor::Red.on_default().bold();

/// Says on stderr what happens; colours are left out where there is no terminal.
pub(crate) fn say(style: Style, word: &str, text: &str) {
    anstream::eprintln!("{style}{word:>10}{style:#} {}", for_terminal(text));
}

/// Prints a line of the result.
pub(crate) fn print(text: &str) {
    anstream::println!("{}", for_terminal(text));
}
