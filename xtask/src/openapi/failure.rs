//! What ends a run early, and with which exit code.

use std::fmt;

/// One line for the maintainer, and the exit code that scripts rely on.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) line: String,
}

pub(crate) type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// Something went wrong and nothing was written.
    pub(crate) fn failed(line: impl Into<String>) -> Self {
        Self {
            code: 1,
            line: one_line(&line.into()),
        }
    }

    /// `--check` found that the vendored files are not what a run would write.
    pub(crate) fn drift(line: impl Into<String>) -> Self {
        Self {
            code: 3,
            line: line.into(),
        }
    }

    /// The update would break users and nobody allowed it.
    pub(crate) fn breaking(line: impl Into<String>) -> Self {
        Self {
            code: 4,
            line: line.into(),
        }
    }

    /// The same failure, with the place where it happened in front.
    pub(crate) fn within(mut self, place: impl fmt::Display) -> Self {
        self.line = format!("{place}: {}", self.line);
        self
    }
}

/// Ends the function with a one-line failure.
macro_rules! fail {
    ($($text:tt)*) => { return Err($crate::openapi::failure::Failure::failed(format!($($text)*))) };
}
pub(crate) use fail;

/// The text as one line: a line break in a vendor's name could forge a line of output.
pub(crate) fn one_line(text: &str) -> String {
    text.replace('\n', "\\n")
}

/// The findings of one stage as one failure, one line for each.
pub(crate) fn all(stage: &str, findings: &[String]) -> Result<()> {
    match findings {
        [] => Ok(()),
        [one] => Err(Failure::failed(format!("{stage}: {one}"))),
        many => {
            let list = many
                .iter()
                .map(|finding| one_line(finding))
                .collect::<Vec<_>>()
                .join("\n  - ");
            Err(Failure {
                code: 1,
                line: format!("{stage}: {} problems\n  - {list}", many.len()),
            })
        }
    }
}
