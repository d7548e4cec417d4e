//! Reads the bodies of refusals: four documented shapes, and the shapes of other services, gateways and frameworks.

use serde_json::{Map, Value};

use crate::foreign_json::{self, is_same_name, without_mark};

use super::beginning::beginning;
use super::redact::{nested_json, wipe};
use super::{FieldError, Redactor};

/// How many field errors of a refusal are kept. A form has fewer fields.
const FIELD_ERRORS_KEPT: usize = 50;

/// The longest that a message's parts may be together, in bytes. Each part already has its own limit.
const LONGEST_MESSAGE: usize = 600;

/// How much is read of a body that is not JSON, in bytes. A message is much shorter.
const LONGEST_TEXT: usize = 64 * 1024;

/// Names are compared without letter case, `_` and `-`. The first field with a usable value counts.
const CODES: [&str; 2] = ["errorcode", "code"];
const TRACE_IDS: [&str; 5] = ["traceid", "requestid", "correlationid", "xtraceid", "xrequestid"];

/// The message consists of all of these fields that have a value.
const MESSAGES: [&str; 11] = [
    "error",
    "title",
    "message",
    "errormessage",
    "msg",
    "errordescription",
    "detail",
    "details",
    "description",
    "reason",
    "errors",
];

/// Lists of field errors, or objects of them by field.
const FIELD_ERRORS: [&str; 5] = ["errors", "fielderrors", "violations", "details", "invalidparams"];

const FIELDS: [&str; 7] = [
    "field",
    "path",
    "propertypath",
    "property",
    "pointer",
    "param",
    "name",
];
const FIELD_MESSAGES: [&str; 6] = [
    "message",
    "defaultmessage",
    "msg",
    "reason",
    "detail",
    "description",
];

/// The content of a refusal's body, redacted.
#[derive(Default)]
pub(super) struct ErrorBody {
    pub(super) code: Option<String>,
    pub(super) message: Option<String>,
    pub(super) field_errors: Vec<FieldError>,
    pub(super) trace_id: Option<String>,
}

impl ErrorBody {
    pub(super) fn read(body: &[u8], redactor: &Redactor) -> Self {
        let mut read = Self::default();
        let json = without_mark(body);
        if let Some(mut value) = foreign_json::parse(json) {
            read.value(&value, redactor);
            wipe(&mut value);
        }
        if read.message.is_none() && read.code.is_none() && read.field_errors.is_empty() {
            // Each byte that is not UTF-8 takes three in the text.
            let beginning = json.get(..LONGEST_TEXT).unwrap_or(json);
            read.message = said(redactor.clean(&String::from_utf8_lossy(beginning)));
        }
        read
    }

    fn value(&mut self, value: &Value, redactor: &Redactor) {
        match value {
            Value::Object(fields) => self.object(fields, redactor),
            Value::Array(items) if items.iter().any(Value::is_object) => self.list(items, redactor),
            // Some gateways send JSON as a text.
            Value::String(text) => match nested_json(text, 1) {
                Some(mut inner @ Value::Object(_)) => {
                    self.value(&inner, redactor);
                    wipe(&mut inner);
                }
                _ => self.message = said(redactor.clean(text)),
            },
            _ => {}
        }
    }

    fn codes(&mut self, fields: &Map<String, Value>, redactor: &Redactor) {
        let first = |names: &[&str]| named(fields, names).find_map(|value| scalar(value, redactor));
        self.code = self.code.take().or_else(|| first(&CODES));
        self.trace_id = self.trace_id.take().or_else(|| first(&TRACE_IDS));
    }

    fn object(&mut self, fields: &Map<String, Value>, redactor: &Redactor) {
        self.codes(fields, redactor);
        for (name, value) in known(fields, &MESSAGES) {
            match value {
                // `{"error": {"code": …, "message": …}}`
                Value::Object(inner) if name == "error" => self.object(inner, redactor),
                // `{"message": "{\"errorCode\": …}"}`
                Value::String(inner) => {
                    if let Some(mut inner) = nested_json(inner, 1) {
                        inner
                            .as_object()
                            .into_iter()
                            .for_each(|fields| self.codes(fields, redactor));
                        wipe(&mut inner);
                    }
                    self.say(scalar(value, redactor));
                }
                Value::Array(_) | Value::Object(_) if FIELD_ERRORS.contains(&name) => {}
                Value::Bool(_) => {}
                other => self.say(text(other, redactor)),
            }
        }
        for (_, value) in known(fields, &FIELD_ERRORS) {
            match value {
                Value::Array(items) => self.list(items, redactor),
                Value::Object(fields) => {
                    for (field, value) in fields.iter().take(FIELD_ERRORS_KEPT) {
                        let mut error = field_error(value, redactor);
                        error.field = error.field.or_else(|| said(redactor.clean(field)));
                        self.push(error);
                    }
                }
                _ => {}
            }
        }
    }

    fn list(&mut self, items: &[Value], redactor: &Redactor) {
        for item in items.iter().take(FIELD_ERRORS_KEPT) {
            self.push(field_error(item, redactor));
        }
    }

    fn push(&mut self, error: FieldError) {
        let says_something = error.field.is_some() || error.code.is_some() || error.message.is_some();
        if says_something && self.field_errors.len() < FIELD_ERRORS_KEPT {
            self.field_errors.push(error);
        }
    }

    /// Adds a part to the message, unless the message contains it already.
    fn say(&mut self, part: Option<String>) {
        let Some(part) = part else { return };
        self.message = Some(match self.message.take() {
            None => part,
            Some(message) if message.contains(&part) => message,
            Some(message) if part.contains(&message) => part,
            Some(message) if message.len() + part.len() > LONGEST_MESSAGE => message,
            Some(message) => format!("{message}: {part}"),
        });
    }
}

fn field_error(item: &Value, redactor: &Redactor) -> FieldError {
    let Value::Object(fields) = item else {
        return FieldError {
            field: None,
            code: None,
            message: text(item, redactor),
        };
    };
    let first = |names: &[&str]| named(fields, names).find_map(|value| scalar(value, redactor));
    let path = || {
        let parts = named(fields, &["path"]).find_map(Value::as_array)?;
        let parts = parts.iter().take(FIELD_ERRORS_KEPT);
        let parts: Vec<_> = parts.filter_map(|part| scalar(part, redactor)).collect();
        said(parts.join("."))
    };
    let error = FieldError {
        field: first(&FIELDS).or_else(path),
        code: first(&CODES),
        message: first(&FIELD_MESSAGES).or_else(|| first(&["error"])),
    };
    if error.field.is_none() && error.code.is_none() && error.message.is_none() {
        return FieldError {
            message: text(item, redactor),
            ..error
        };
    }
    error
}

/// The fields with these names, in the order of the names.
fn known<'a>(
    fields: &'a Map<String, Value>,
    names: &'a [&str],
) -> impl Iterator<Item = (&'a str, &'a Value)> {
    names.iter().flat_map(move |name| {
        let same = fields.iter().filter(move |(field, _)| is_same_name(field, name));
        same.take(FIELD_ERRORS_KEPT).map(move |(_, value)| (*name, value))
    })
}

fn named<'a>(fields: &'a Map<String, Value>, names: &'a [&str]) -> impl Iterator<Item = &'a Value> {
    known(fields, names).map(|(_, value)| value)
}

/// A scalar as text, because servers send codes as numbers and as strings.
fn scalar(value: &Value, redactor: &Redactor) -> Option<String> {
    match value {
        Value::String(text) => said(redactor.clean(text)),
        Value::Number(number) => said(redactor.clean(&number.to_string())),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// Any value as text.
fn text(value: &Value, redactor: &Redactor) -> Option<String> {
    match value {
        Value::Null => None,
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            let parts = items.iter().take(FIELD_ERRORS_KEPT);
            let parts: Vec<_> = parts.filter_map(|item| scalar(item, redactor)).collect();
            // Truncated like any other text from the server.
            said(redactor.clean(&parts.join("; ")))
        }
        Value::Array(_) | Value::Object(_) => said(redactor.clean(&beginning(value, LONGEST_TEXT))),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::String(_) | Value::Number(_) => scalar(value, redactor),
    }
}

fn said(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}
