//! The text of a foreign error, including its causes.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::Redactor;

/// How much of the causes' text is collected. The peer controls part of it (HTTP/2 has text in its GOAWAY).
const COLLECTED: usize = 64 * 1024;

/// The text of an HTTP client error, including its causes. On its own, the error prints only its kind. Pass it without its
/// URL.
///
/// The text can contain the peer's own words, which can quote what was sent. Pass the request's redactor.
pub(crate) fn error_chain(error: &reqwest::Error, redactor: &Redactor) -> String {
    foreign_error_chain(error, redactor)
}

/// The text of an error of any other code, including its causes.
pub(crate) fn foreign_error_chain(error: &(dyn std::error::Error + 'static), redactor: &Redactor) -> String {
    let mut text = Zeroizing::new(String::new());
    let mut source = Some(error);
    while let Some(cause) = source.filter(|_| text.len() < COLLECTED) {
        let mut line = Zeroizing::new(String::new());
        // Writing to a String can't fail. If an error's `Display` fails, the text ends there.
        let _ = write!(line, "{cause}");
        if !text.contains(&*line) {
            if !text.is_empty() {
                text.push_str(": ");
            }
            text.push_str(&line);
        }
        source = cause.source();
    }
    redactor.clean(&text)
}
