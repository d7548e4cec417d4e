//! JSON as foreign software writes it: with a byte order mark, names in another letter case, half of an emoji where a text was cut,
//! numbers that no type can hold, bytes of another encoding.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Value, error::Category};
use zeroize::Zeroizing;

const MARK: &[u8] = "\u{feff}".as_bytes();

/// The longest body that is repaired, in bytes: repairing copies it. Logins and errors are much shorter.
const LONGEST: usize = 64 * 1024;

/// The bytes without byte order marks in front of them.
pub(crate) fn without_mark(mut bytes: &[u8]) -> &[u8] {
    while let Some(rest) = bytes.strip_prefix(MARK) {
        bytes = rest;
    }
    bytes
}

/// Parses JSON, repaired if necessary. `None` if it is not JSON even then.
pub(crate) fn parse(body: &[u8]) -> Option<Value> {
    let body = without_mark(body);
    match serde_json::from_slice(body) {
        Ok(value) => Some(value),
        Err(error) if error.classify() == Category::Syntax => serde_json::from_slice(&repaired(body)?).ok(),
        Err(_) => None,
    }
}

/// Whether two names are one, but for letter case, `_`, `-` and the like: `errorCode`, `ErrorCode`, `error_code`.
pub(crate) fn is_same_name(one: &str, other: &str) -> bool {
    plain(one).eq(plain(other))
}

/// ASCII's letters and digits in a text, in lower case.
pub(crate) fn plain(text: &str) -> impl Iterator<Item = char> {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|c| c.to_ascii_lowercase())
}

/// The JSON in which a parser can read what is readable. `None` if there is nothing to repair, or too much.
///
/// - Half of a surrogate pair, and a byte that is not UTF-8, become the replacement character.
/// - A control character in a text, and a backslash that escapes nothing, are escaped.
/// - A number that is too large, `NaN` and `Infinity` become a text, which counts as unreadable where a number is expected.
pub(crate) fn repaired(body: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    if body.len() > LONGEST {
        return None;
    }
    let text = String::from_utf8_lossy(body);
    let mut changed = matches!(text, Cow::Owned(_));
    let owned = Zeroizing::new(text.into_owned());
    let mut rest = owned.as_str();
    // What is written is never longer than this, so that no copy is left behind by growing.
    let mut repaired = Zeroizing::new(String::with_capacity(6 * owned.len() + 2));
    while let Some(c) = rest.chars().next() {
        let taken = match c {
            '"' => string(rest, &mut repaired, &mut changed),
            '-' | '0'..='9' | 'N' | 'I' => number(rest, &mut repaired, &mut changed),
            _ => {
                repaired.push(c);
                c.len_utf8()
            }
        };
        rest = rest.get(taken..).unwrap_or_default();
    }
    changed.then(|| Zeroizing::new(std::mem::take(&mut *repaired).into_bytes()))
}

/// Copies a text with its quotation marks. Returns how many bytes it took.
fn string(text: &str, repaired: &mut String, changed: &mut bool) -> usize {
    repaired.push('"');
    let mut at = 1;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        match c {
            '"' => {
                repaired.push('"');
                return at + 1;
            }
            '\\' => at += escape(rest, repaired, changed),
            c if c < ' ' => {
                *changed = true;
                // Writing to a String can't fail.
                let _ = write!(repaired, "\\u{:04x}", u32::from(c));
                at += 1;
            }
            c => {
                repaired.push(c);
                at += c.len_utf8();
            }
        }
    }
    at
}

/// Copies one escape, or the two of a surrogate pair. Returns how many bytes it took.
fn escape(text: &str, repaired: &mut String, changed: &mut bool) -> usize {
    let unit = |text: &str| u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
    let length = match (text.as_bytes().get(1), unit(text)) {
        (Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't'), _) => 2,
        (_, Some(0xd800..=0xdbff)) if matches!(text.get(6..).and_then(unit), Some(0xdc00..=0xdfff)) => 12,
        (_, Some(0xd800..=0xdfff)) => {
            *changed = true;
            repaired.push('\u{fffd}');
            return 6;
        }
        (_, Some(_)) => 6,
        _ => {
            *changed = true;
            repaired.push_str("\\\\");
            return 1;
        }
    };
    repaired.push_str(&text[..length]);
    length
}

/// Copies a number, in quotation marks if no type can hold it. Returns how many bytes it took.
fn number(text: &str, repaired: &mut String, changed: &mut bool) -> usize {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
    let end = text.find(|c| !is_part(c)).unwrap_or(text.len());
    let word = &text[..end];
    let not_finite = ["NaN", "Infinity", "-Infinity", "-NaN"].contains(&word);
    let starts_as_number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
    if not_finite || starts_as_number && word.parse().is_ok_and(|number: f64| !number.is_finite()) {
        *changed = true;
        let _ = write!(repaired, "\"{word}\"");
    } else {
        repaired.push_str(word);
    }
    end
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_that_is_nearly_right_is_read() {
        for (text, expected) in [
            (
                &br#"{"a":"cut \ud83d","b":1}"#[..],
                json!({ "a": "cut \u{fffd}", "b": 1 }),
            ),
            (
                br#"["\ude00\ud83d\ude00\\ud83d"]"#,
                json!(["\u{fffd}\u{1f600}\\ud83d"]),
            ),
            (
                br#"{"a":1e999,"b":-1E+400,"c":1e10}"#,
                json!({ "a": "1e999", "b": "-1E+400", "c": 1e10 }),
            ),
            (
                br#"{"a":NaN,"b":[-Infinity, Infinity],"c":"NaN"}"#,
                json!({ "a": "NaN", "b": ["-Infinity", "Infinity"], "c": "NaN" }),
            ),
            (b"{\"a\":\"b\xb3ad\"}", json!({ "a": "b\u{fffd}ad" })),
            (b"{\"a\":\"one\ntwo\tthree\"}", json!({ "a": "one\ntwo\tthree" })),
            (
                br#"{"a":"it\'s","b":"\"\\\/\n\u0041"}"#,
                json!({ "a": "it\\'s", "b": "\"\\/\nA" }),
            ),
            (b"\xef\xbb\xbf\xef\xbb\xbf{}", json!({})),
        ] {
            assert_eq!(parse(text), Some(expected), "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn what_is_not_json_stays_so() {
        for text in [
            "",
            "<html>",
            "{\"a\":",
            "{\"a\":\"\\",
            "NaNa",
            "{\"a\":\"\\ud8",
            "[1,]",
            "\"\\u12",
            "-",
            "I",
            "{'a':1}",
        ] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
        assert_eq!(
            repaired(br#"{"a":[1,-2.5e3,"\ud83d\ude00"]}"#),
            None,
            "nothing to repair"
        );
        assert_eq!(repaired(&vec![0xff; LONGEST + 1]), None, "too long");
    }

    #[test]
    fn names_are_compared_by_their_letters_and_digits() {
        for name in ["errorCode", "ErrorCode", "error_code", "ERROR-CODE"] {
            assert!(is_same_name(name, "errorCode"), "{name}");
        }
        assert!(!is_same_name("errorCodes", "errorCode") && !is_same_name("", "a"));
    }
}
