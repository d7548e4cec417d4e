//! Reads responses that almost match the document: a number as a text, a boolean as `"TRUE"` or `1`, `null` for nothing,
//! one odd element in a list. Every conversion or omission is reported by a warning.
//!
//! An unreadable value never counts as missing where its absence would decide something. The document says where
//! (`x-if-unreadable`). There it is an error that names the field, or the earliest time.
//!
//! It runs after strict parsing has failed, and for responses with a decision in them or with lists. So most correct responses
//! cost nothing.

use std::fmt::{self, Write as _};

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Number, Value};

use crate::foreign_json::is_same_name;
use crate::observability::RESPONSE;
use crate::operation::{Field, IfUnreadable, Operation, Shape};

use super::scalar::{boolean, float, integer, parse_time, unix_time};
use super::unique::{self, Unparsable};

/// Stands for an unreadable end time: earlier than any time that a service can mean.
pub(crate) const UNREADABLE_TIME: i64 = i64::MIN;

/// The reason why a body can't be converted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// It is not JSON.
    NotJson,
    /// It is JSON, but of another shape than expected. The text names the field, and quotes nothing.
    Unfit(String),
}

/// Parses the body of an operation's success and converts it to the documented shape.
pub(crate) fn read(operation: &Operation, body: &[u8]) -> Result<Value, Unreadable> {
    Reader::new(operation.id).read(parse(body)?, &operation.response)
}

/// Parses a whole body that is one of the documented fields, and converts it to the field's shape. The absence of some fields in it
/// is `deciding`.
pub(crate) fn read_as_field(
    operation: &Operation,
    name: &str,
    deciding: &[&str],
    body: &[u8],
) -> Result<Value, Unreadable> {
    let value = parse(body)?;
    let fields = match operation.response.resolved() {
        Shape::Object(fields) => *fields,
        _ => &[],
    };
    let Some(field) = fields.iter().find(|field| field.name == name) else {
        return Ok(value);
    };
    let mut reader = Reader::new(operation.id);
    if let (Value::Object(values), Shape::Object(fields)) = (&value, field.shape.resolved()) {
        let present = fields.iter().filter(|field| deciding.contains(&field.name));
        for field in present {
            let value = values.get(field.name).filter(|value| !value.is_null());
            if let Some(value) = value {
                reader.at(Step::Field(field.name), |reader| {
                    reader.read(value.clone(), &field.shape)
                })?;
            }
        }
    }
    reader.read(value, &field.shape)
}

fn parse(body: &[u8]) -> Result<Value, Unreadable> {
    unique::parse(body).map_err(|problem| match problem {
        Unparsable::NotJson => Unreadable::NotJson,
        Unparsable::Repeated => Unreadable::Unfit("it has a field twice".into()),
    })
}

/// Converts one field to its shape. `None`, with a warning, if it can't be read.
pub(crate) fn field(operation: &Operation, name: &'static str, value: Value, shape: &Shape) -> Option<Value> {
    let mut reader = Reader::new(operation.id);
    reader.path.push(Step::Field(name));
    match reader.value(value, shape) {
        Ok(value) => Some(value),
        Err(unfit) => {
            reader.report(&unfit.path, unfit.problem, "left out");
            None
        }
    }
}

/// The place of a value that can't be converted.
#[derive(Debug)]
struct Unfit {
    path: String,
    problem: &'static str,
    /// Whether the absence of the value would decide more than just that it is missing.
    decides: bool,
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "it {}", self.problem),
            path => write!(f, "the field `{path}` {}", self.problem),
        }
    }
}

enum Step {
    Field(&'static str),
    Index(usize),
    /// A name in a map. It comes from the server and not from the document, so it may quote anything.
    Name,
}

struct Reader {
    operation: &'static str,
    path: Vec<Step>,
    /// A conversion or omission: the field, and what happened to it.
    #[cfg(test)]
    notes: Vec<String>,
}

impl Reader {
    fn new(operation: &'static str) -> Self {
        Self {
            operation,
            path: Vec::new(),
            #[cfg(test)]
            notes: Vec::new(),
        }
    }

    fn read(&mut self, value: Value, shape: &Shape) -> Result<Value, Unreadable> {
        self.value(value, shape)
            .map_err(|unfit| Unreadable::Unfit(unfit.to_string()))
    }

    fn value(&mut self, value: Value, shape: &Shape) -> Result<Value, Unfit> {
        match shape {
            Shape::Nothing | Shape::Any | Shape::Kept(_) => Ok(value),
            Shape::Secret => match value {
                Value::String(_) => Ok(value),
                Value::Null => Err(self.unfit("is null")),
                _ => Err(self.unfit("is not a text")),
            },
            Shape::Text => match value {
                Value::String(_) => Ok(value),
                Value::Number(number) => {
                    self.note("is a number, read as a text");
                    Ok(Value::String(number.to_string()))
                }
                Value::Null => Err(self.unfit("is null")),
                _ => Err(self.unfit("is not a text")),
            },
            Shape::Date => self.date(&value),
            Shape::DateTime => self.time(&value),
            Shape::Integer => self.number(&value, integer, "is not a whole number"),
            Shape::UnixTime => self.number(&value, unix_time, "is not a Unix time"),
            Shape::Number => self.number(&value, float, "is not a number"),
            Shape::Boolean => match boolean(&value) {
                Some(flag) => {
                    if !value.is_boolean() {
                        self.note("is not a boolean, but read as one");
                    }
                    Ok(Value::Bool(flag))
                }
                None => Err(self.unfit("is neither true nor false")),
            },
            Shape::List(items) => self.list(value, items),
            Shape::Map(values) => self.map(value, values),
            Shape::Object(fields) => self.object(value, fields),
            Shape::Named(shape) => self.value(value, shape),
        }
    }

    fn date(&mut self, value: &Value) -> Result<Value, Unfit> {
        let text = value.as_str().unwrap_or_default();
        let date = text.parse::<NaiveDate>().ok().or_else(|| {
            let time = parse_time(text)?;
            self.note("is a time, read as a day");
            Some(time.date_naive())
        });
        match date {
            Some(date) => Ok(Value::String(date.to_string())),
            None => Err(self.unfit("is not a date")),
        }
    }

    fn time(&mut self, value: &Value) -> Result<Value, Unfit> {
        match value.as_str().and_then(parse_time) {
            Some(time) => {
                let written = time.to_rfc3339();
                if DateTime::parse_from_rfc3339(value.as_str().unwrap_or_default()).is_err() {
                    self.note("has an offset without a colon");
                }
                Ok(Value::String(written))
            }
            None => Err(self.unfit("is not a time")),
        }
    }

    fn number<N: Into<Number>>(
        &mut self,
        value: &Value,
        read: fn(&Value) -> Option<N>,
        problem: &'static str,
    ) -> Result<Value, Unfit> {
        let number: Number = read(value).ok_or_else(|| self.unfit(problem))?.into();
        if value.is_string() {
            self.note("is a text, read as a number");
        } else if *value != Value::Number(number.clone()) {
            self.note("has a fraction, rounded down");
        }
        Ok(Value::Number(number))
    }

    fn list(&mut self, value: Value, items: &Shape) -> Result<Value, Unfit> {
        let values = match value {
            Value::Null => {
                self.note("is null, read as an empty list");
                Vec::new()
            }
            Value::Array(values) => values,
            _ => return Err(self.unfit("is not a list")),
        };
        let mut read = Vec::with_capacity(values.len());
        let mut unreadable = None;
        for (index, value) in values.into_iter().enumerate() {
            match self.at(Step::Index(index), |reader| reader.value(value, items)) {
                Ok(value) => read.push(value),
                Err(unfit) => self.leave_out(unfit, &mut unreadable)?,
            }
        }
        match unreadable {
            // A list that loses all of its elements would look like an empty one.
            Some(unfit) if read.is_empty() => Err(unfit),
            _ => Ok(Value::Array(read)),
        }
    }

    fn map(&mut self, value: Value, values: &Shape) -> Result<Value, Unfit> {
        let entries = match value {
            Value::Null => {
                self.note("is null, read as an empty map");
                Map::new()
            }
            Value::Object(entries) => entries,
            _ => return Err(self.unfit("is not an object")),
        };
        let mut read = Map::new();
        let mut unreadable = None;
        for (name, value) in entries {
            match self.at(Step::Name, |reader| reader.value(value, values)) {
                Ok(value) => {
                    read.insert(name, value);
                }
                Err(unfit) => self.leave_out(unfit, &mut unreadable)?,
            }
        }
        match unreadable {
            Some(unfit) if read.is_empty() => Err(unfit),
            _ => Ok(Value::Object(read)),
        }
    }

    /// An unreadable element is left out, unless it decides something.
    fn leave_out(&mut self, unfit: Unfit, first: &mut Option<Unfit>) -> Result<(), Unfit> {
        if unfit.decides {
            return Err(unfit);
        }
        self.report(&unfit.path, unfit.problem, "left out");
        first.get_or_insert(unfit);
        Ok(())
    }

    fn object(&mut self, value: Value, fields: &[Field]) -> Result<Value, Unfit> {
        let Value::Object(mut values) = value else {
            return Err(self.unfit("is not an object"));
        };
        for field in fields {
            let read = self.at(Step::Field(field.name), |reader| {
                let value = values
                    .remove(field.name)
                    .or_else(|| reader.misspelt(&mut values, field));
                match value {
                    None if field.required => Err(reader.unfit("is missing")),
                    None => Ok(None),
                    Some(Value::Null) if !field.required => Ok(None),
                    Some(value) => reader.value(value, &field.shape).map(Some),
                }
            });
            let value = match (read, field.if_unreadable) {
                (Ok(None), _) => continue,
                (Ok(Some(value)), _) => value,
                (Err(mut unfit), policy) if field.required || policy == IfUnreadable::Refuse => {
                    unfit.decides |= policy == IfUnreadable::Refuse;
                    return Err(unfit);
                }
                (Err(unfit), _) if unfit.decides => return Err(unfit),
                (Err(unfit), IfUnreadable::Earliest) => {
                    self.report(&unfit.path, unfit.problem, "taken for the earliest time");
                    UNREADABLE_TIME.into()
                }
                (Err(unfit), _) => {
                    self.report(&unfit.path, unfit.problem, "left out");
                    continue;
                }
            };
            values.insert(field.name.to_owned(), value);
        }
        Ok(Value::Object(values))
    }

    /// A field under its name in another spelling. Otherwise it would count as missing.
    fn misspelt(&mut self, values: &mut Map<String, Value>, field: &Field) -> Option<Value> {
        let name = values.keys().find(|name| is_same_name(name, field.name))?.clone();
        self.note("has its name in another spelling");
        values.remove(&name)
    }

    fn at<T>(&mut self, step: Step, read: impl FnOnce(&mut Self) -> T) -> T {
        self.path.push(step);
        let outcome = read(self);
        self.path.pop();
        outcome
    }

    fn unfit(&self, problem: &'static str) -> Unfit {
        Unfit {
            path: self.path(),
            problem,
            decides: false,
        }
    }

    fn note(&mut self, conversion: &'static str) {
        let path = self.path();
        self.report(&path, conversion, "converted");
    }

    fn report(&mut self, field: &str, problem: &'static str, outcome: &'static str) {
        tracing::warn!(
            target: RESPONSE,
            operation = self.operation,
            field,
            outcome,
            "a response differs from the documented one: a field {problem}"
        );
        #[cfg(test)]
        self.notes.push(format!("{field} {problem}: {outcome}"));
    }

    fn path(&self) -> String {
        let mut path = String::new();
        for step in &self.path {
            if !path.is_empty() {
                path.push('.');
            }
            // Writing to a String can't fail.
            let _ = match step {
                Step::Field(name) => path.write_str(name),
                Step::Index(index) => write!(path, "{index}"),
                Step::Name => path.write_char('*'),
            };
        }
        path
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const fn field(name: &'static str, required: bool, if_unreadable: IfUnreadable, shape: Shape) -> Field {
        Field {
            name,
            required,
            if_unreadable,
            shape,
        }
    }

    use IfUnreadable::{Earliest, LeaveOut, Refuse};

    const TOKEN: Shape = Shape::Object(&[
        field("token", true, LeaveOut, Shape::Secret),
        field("name", false, LeaveOut, Shape::Text),
        field("expiration", false, Earliest, Shape::UnixTime),
        field("created", false, LeaveOut, Shape::DateTime),
        field("ok", false, LeaveOut, Shape::Boolean),
        field("restricted", false, Refuse, Shape::Boolean),
        field("tags", false, LeaveOut, Shape::List(&Shape::Text)),
    ]);

    fn coerce(value: Value, shape: &Shape) -> (Result<Value, String>, Vec<String>) {
        let mut reader = Reader::new("op");
        let outcome = reader.value(value, shape).map_err(|unfit| unfit.to_string());
        (outcome, reader.notes)
    }

    #[test]
    fn nearly_right_values_are_converted_and_reported() {
        let value = json!({
            "token": "t", "name": 7, "expiration": "3600.9", "created": "2019-08-24T14:15:22.5+0000", "ok": "TRUE",
            "tags": [1, "b"], "new": {}
        });
        let (coerced, notes) = coerce(value, &TOKEN);
        assert_eq!(
            coerced.unwrap(),
            json!({
                "token": "t", "name": "7", "expiration": 3600, "created": "2019-08-24T14:15:22.500+00:00", "ok": true,
                "tags": ["1", "b"], "new": {}
            })
        );
        let fields: Vec<_> = notes.iter().filter_map(|note| note.split(' ').next()).collect();
        assert_eq!(fields, ["name", "expiration", "created", "ok", "tags.0"]);
    }

    #[test]
    fn correct_value_is_not_reported() {
        let value = json!({
            "token": "t", "name": "n", "expiration": 3600, "created": "2019-08-24T14:15:22Z", "ok": true, "tags": [], "restricted": null
        });
        assert_eq!(coerce(value, &TOKEN).1, Vec::<String>::new());
    }

    #[test]
    fn unreadable_optional_fields_are_left_out_and_reported() {
        let value = json!({ "token": "t", "name": true, "created": "soon", "ok": 2, "tags": [null, "b"] });
        let (coerced, notes) = coerce(value, &TOKEN);
        assert_eq!(coerced.unwrap(), json!({ "token": "t", "tags": ["b"] }));
        assert_eq!(notes.len(), 4, "{notes:?}");
    }

    #[test]
    fn unreadable_end_is_the_earliest_time() {
        let (coerced, notes) = coerce(json!({ "token": "t", "expiration": "soon" }), &TOKEN);
        assert_eq!(coerced.unwrap()["expiration"], UNREADABLE_TIME);
        assert_eq!(
            notes,
            ["expiration is not a Unix time: taken for the earliest time"]
        );
    }

    #[test]
    fn field_that_decides_is_named_from_inside_of_lists() {
        let list = Shape::List(&TOKEN);
        let value = json!([{ "token": "t" }, { "token": "t", "restricted": "maybe" }]);
        let problem = coerce(value, &list).0.unwrap_err();
        assert_eq!(problem, "the field `1.restricted` is neither true nor false");
        // An unreadable element is left out, unless it is the only one.
        let (coerced, notes) = coerce(json!([{ "token": "t" }, {}, null]), &list);
        assert_eq!(coerced.unwrap(), json!([{ "token": "t" }]));
        assert_eq!(
            notes,
            ["1.token is missing: left out", "2 is not an object: left out"]
        );
        assert_eq!(
            coerce(json!([7]), &list).0.unwrap_err(),
            "the field `0` is not an object"
        );
    }

    #[test]
    fn names_that_the_server_chose_are_not_quoted() {
        let name = format!("a\nb {}", "x".repeat(5000));
        let (outcome, _) = coerce(json!({ name: [] }), &Shape::Map(&Shape::Boolean));
        assert_eq!(outcome.unwrap_err(), "the field `*` is neither true nor false");
    }

    #[test]
    fn missing_required_field_is_named() {
        let problem = |value| coerce(value, &TOKEN).0.unwrap_err();
        assert_eq!(problem(json!({})), "the field `token` is missing");
        assert_eq!(problem(json!({ "token": null })), "the field `token` is null");
        assert_eq!(problem(json!({ "token": 7 })), "the field `token` is not a text");
        assert_eq!(problem(json!([])), "it is not an object");
    }
}
