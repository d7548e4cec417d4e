//! The beginning of a value's text, without ever having the whole text in memory.

use std::fmt::{self, Display, Write};

/// The first `bytes` of a value's text, or a little less: nothing is cut inside of what the value writes at a time.
pub(crate) fn beginning(value: &impl Display, bytes: usize) -> String {
    let mut text = Beginning {
        text: String::new(),
        bytes,
    };
    // Fails when the text is long enough, or when the value can't be written.
    let _ = write!(text, "{value}");
    text.text
}

/// At most the first `bytes` of a text. No character is cut.
pub(super) fn cut(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

struct Beginning {
    text: String,
    bytes: usize,
}

impl Write for Beginning {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let kept = cut(part, self.bytes - self.text.len());
        self.text.push_str(kept);
        if kept.len() < part.len() {
            Err(fmt::Error)
        } else {
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_is_no_longer_than_asked_for() {
        assert_eq!(beginning(&"abc", 3), "abc");
        assert_eq!(beginning(&"abcd", 3), "abc");
        assert_eq!(beginning(&"ab\u{17c}", 3), "ab");
        assert_eq!(beginning(&serde_json::json!(["a", "b"]), 4), "[\"a\"");
        assert_eq!(beginning(&"", 0), "");
    }
}
