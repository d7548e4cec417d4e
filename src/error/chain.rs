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

#[cfg(test)]
mod tests {
    use std::fmt;

    use super::*;

    #[derive(Debug)]
    struct Cause(&'static str, Option<Box<Cause>>);

    impl fmt::Display for Cause {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }
    }

    impl std::error::Error for Cause {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            self.1.as_deref().map(|cause| cause as _)
        }
    }

    #[test]
    fn each_cause_is_told_once() {
        let refused = Cause("connection refused", None);
        let connect = Cause("connect error: connection refused", Some(Box::new(refused)));
        let top = Cause("can't send", Some(Box::new(connect)));
        assert_eq!(
            foreign_error_chain(&top, &Redactor::default()),
            "can't send: connect error: connection refused"
        );
    }
}
