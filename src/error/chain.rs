//! The text of a foreign error with its causes.

use super::Redactor;

/// What an error of the HTTP client says, with its error_chain: by itself it prints no more than its kind. Give it without its
/// URL.
pub(crate) fn error_chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut source: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = source {
        let clean = Redactor::default().clean(&cause.to_string());
        if !text.contains(&clean) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&clean);
        }
        source = cause.source();
    }
    text
}
