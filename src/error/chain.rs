//! The text of a foreign error with its causes.

use std::fmt::Write as _;

use zeroize::Zeroizing;

use super::Redactor;

/// How much of the causes' text is collected. A peer can put into it what it likes (HTTP/2 has text in its GOAWAY).
const COLLECTED: usize = 64 * 1024;

/// What an error of the HTTP client says, with its causes: by itself it prints no more than its kind. Give it without its URL.
///
/// The peer's own words can be in it, and can quote what was sent: give it the redactor of the request.
pub(crate) fn error_chain(error: &reqwest::Error, redactor: &Redactor) -> String {
    let mut text = Zeroizing::new(String::new());
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = source.filter(|_| text.len() < COLLECTED) {
        let mut line = Zeroizing::new(String::new());
        // Writing to a String can't fail; an error whose `Display` does is left where it stopped.
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
