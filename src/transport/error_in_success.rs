//! Detects errors that come with a success status, as gateways and some services send them.

use serde_json::{Map, Value};

use crate::foreign_json::{self, is_same_name, without_mark};
use crate::operation::{Operation, Shape};

/// Error objects are short. A longer body is not parsed a second time to look for one.
const LONGEST: usize = 64 * 1024;

/// Names under which an error says what it is.
const ERRORS: [&str; 7] = [
    "error",
    "errors",
    "errorCode",
    "errorDescription",
    "errorMessage",
    "exception",
    "fault",
];

/// Names of what came of a request, and of its HTTP status.
const OUTCOMES: [&str; 4] = ["status", "statusCode", "httpStatus", "code"];

/// Names of flags, with the value that they have in an error.
const FLAGS: [(&str, bool); 4] = [
    ("success", false),
    ("succeeded", false),
    ("ok", false),
    ("failed", true),
];

/// The words of a failure, as the value of an outcome.
const FAILURES: [&str; 9] = [
    "badRequest",
    "conflict",
    "error",
    "fail",
    "failed",
    "failure",
    "forbidden",
    "internalServerError",
    "unauthorized",
];

/// The names in the documented error bodies. A documented response with one of these names is not an error because of it.
const ERROR_NAMES: [&str; 11] = [
    "code",
    "error",
    "errorCode",
    "error_description",
    "errors",
    "message",
    "path",
    "status",
    "success",
    "timestamp",
    "traceId",
];

/// What the body of a successful response turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A success.
    Success,
    /// An error after all.
    Error,
    /// Unreadable, although nothing or JSON was expected.
    NotJson,
}

/// Judges the body of a success by what the document says about it.
pub(super) fn judge(operation: &Operation, body: &[u8]) -> Verdict {
    match operation.response.resolved() {
        Shape::Nothing => match foreign_json::parse(body) {
            _ if without_mark(body).trim_ascii().is_empty() => Verdict::Success,
            None => Verdict::NotJson,
            Some(Value::Object(fields)) if is_error(&fields) => Verdict::Error,
            Some(Value::Array(items)) if items.iter().any(is_error_object) => Verdict::Error,
            Some(Value::Bool(false)) => Verdict::Error,
            Some(_) => Verdict::Success,
        },
        documented if body.len() <= LONGEST && mentions_an_error(body) => match foreign_json::parse(body) {
            Some(Value::Object(fields)) if is_error(&fields) && !has_documented(&fields, documented) => {
                Verdict::Error
            }
            _ => Verdict::Success,
        },
        _ => Verdict::Success,
    }
}

/// A quick check, so that other bodies are parsed only once. Each call pays for it, so it goes over the body a single time.
fn mentions_an_error(body: &[u8]) -> bool {
    const WORDS: [&[u8]; 8] = [
        b"error",
        b"status",
        b"code",
        b"success",
        b"fault",
        b"exception",
        b"failed",
        b"httpstatus",
    ];
    let mut quoted = body.split(|byte| *byte == b'"').skip(1);
    quoted.any(|text| {
        let Some(first) = text.first().map(u8::to_ascii_lowercase) else {
            return false;
        };
        let begins_with = |word: &[u8]| {
            text.get(..word.len())
                .is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
        };
        WORDS
            .into_iter()
            .any(|word| word.first() == Some(&first) && begins_with(word))
    })
}

fn is_error_object(value: &Value) -> bool {
    value.as_object().is_some_and(is_error)
}

fn is_error(fields: &Map<String, Value>) -> bool {
    fields.iter().any(|(name, value)| {
        let is = |known: &str| is_same_name(name, known);
        ERRORS.into_iter().any(is) && says_something(value)
            || OUTCOMES.into_iter().any(is) && is_failure(value)
            || is("code") && value.as_str().is_some_and(is_service_code)
            || FLAGS
                .iter()
                .any(|(known, failed)| is(known) && flag(value) == Some(*failed))
    })
}

/// A status of 400 to 599, also as a text with its reason, or a word.
fn is_failure(value: &Value) -> bool {
    match value {
        Value::Number(number) => number
            .as_f64()
            .is_some_and(|status| (400.0..600.0).contains(&status)),
        Value::String(text) => {
            let status = text.split_whitespace().next().unwrap_or_default();
            status
                .parse()
                .is_ok_and(|status: u16| (400..600).contains(&status))
                || FAILURES.iter().any(|word| is_same_name(text, word))
        }
        _ => false,
    }
}

fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_f64().map(|number| number != 0.0),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Some(false),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(true),
        _ => None,
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => false,
        Value::Bool(true) => true,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

/// A code as Synerise's services write it, such as `SAU-601`.
fn is_service_code(text: &str) -> bool {
    text.split_once('-').is_some_and(|(service, number)| {
        let letters = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphabetic());
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        letters(service) && digits(number)
    })
}

/// Whether the body has a field of the documented response that no error has.
fn has_documented(fields: &Map<String, Value>, shape: &Shape) -> bool {
    let has = |name: &str| !ERROR_NAMES.contains(&name) && fields.contains_key(name);
    match shape.resolved() {
        Shape::Object(documented) => documented.iter().any(|field| has(field.name)),
        Shape::Kept(documented) => documented.iter().any(|name| has(name)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_of_a_service_has_letters_and_then_a_number() {
        assert!(is_service_code("SAU-601") && is_service_code("a-1"));
        for other in [
            "SAU", "SAU-", "-601", "SAU-6x", "S4-601", "601-SAU", "PL-PL", "2026-01",
        ] {
            assert!(!is_service_code(other), "{other}");
        }
    }
}
