//! Reads answers that are nearly what the document says: a number where a string was, `null` where nothing was, a
//! missing optional field. What the call can do without is left out with a warning; what it can't is named.
//!
//! It runs only when the strict reading has failed, so a correct answer costs nothing.

use std::fmt;

use chrono::{DateTime, NaiveDate};
use serde_json::{Map, Number, Value};

use crate::operation::{Field, Shape};

/// Where a value can't be brought to its shape.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct ShapeError {
    path: String,
    problem: &'static str,
}

impl fmt::Display for ShapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.path.as_str() {
            "" => write!(f, "it {}", self.problem),
            path => write!(f, "the field `{path}` {}", self.problem),
        }
    }
}

impl ShapeError {
    fn new(problem: &'static str) -> Self {
        Self {
            path: String::new(),
            problem,
        }
    }

    fn inside(mut self, name: &str) -> Self {
        self.path = if self.path.is_empty() {
            name.to_owned()
        } else {
            format!("{name}.{}", self.path)
        };
        self
    }
}

/// Brings a value to its shape.
pub(crate) fn coerce(value: Value, shape: &Shape) -> Result<Value, ShapeError> {
    match shape {
        Shape::Any => Ok(value),
        Shape::Text => text(value).map(Value::String),
        Shape::Date => checked(value, "is no date", |text| {
            NaiveDate::parse_from_str(text.get(..10)?, "%Y-%m-%d")
                .ok()
                .map(|date| date.to_string())
        }),
        Shape::DateTime => checked(value, "is no time", |text| {
            let time = DateTime::parse_from_rfc3339(text)
                .or_else(|_| DateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f%z"));
            time.ok().map(|time| time.to_rfc3339())
        }),
        Shape::Integer => integer(&value).map(|number| Value::Number(number.into())),
        Shape::Number => number(&value).map(Value::Number),
        Shape::Boolean => boolean(&value).map(Value::Bool),
        Shape::List(items) => list(value, items),
        Shape::Map(values) => map(value, values),
        Shape::Object(fields) => object(value, fields),
    }
}

fn text(value: Value) -> Result<String, ShapeError> {
    match value {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Bool(flag) => Ok(flag.to_string()),
        Value::Null => Err(ShapeError::new("is null")),
        Value::Array(_) | Value::Object(_) => Err(ShapeError::new("is no text")),
    }
}

fn checked(
    value: Value,
    problem: &'static str,
    read: impl Fn(&str) -> Option<String>,
) -> Result<Value, ShapeError> {
    let text = text(value)?;
    read(&text).map(Value::String).ok_or(ShapeError::new(problem))
}

fn integer(value: &Value) -> Result<i64, ShapeError> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.ok_or(ShapeError::new("is no whole number"))
}

/// A number without a fraction that came as a floating-point one, like `3600.0`.
fn whole(number: f64) -> Option<i64> {
    const LARGEST_EXACT: f64 = 9_007_199_254_740_992.0;
    #[expect(
        clippy::cast_possible_truncation,
        reason = "no fraction, and inside of the range that is exact"
    )]
    (number.fract() == 0.0 && number.abs() <= LARGEST_EXACT).then_some(number as i64)
}

fn number(value: &Value) -> Result<Number, ShapeError> {
    let number = match value {
        Value::Number(number) => Some(number.clone()),
        Value::String(text) => text.trim().parse().ok().and_then(Number::from_f64),
        _ => None,
    };
    number.ok_or(ShapeError::new("is no number"))
}

fn boolean(value: &Value) -> Result<bool, ShapeError> {
    match value {
        Value::Bool(flag) => Ok(*flag),
        Value::Number(number) if number.as_i64() == Some(1) => Ok(true),
        Value::Number(number) if number.as_i64() == Some(0) => Ok(false),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Ok(false),
        _ => Err(ShapeError::new("is neither true nor false")),
    }
}

fn list(value: Value, items: &Shape) -> Result<Value, ShapeError> {
    match value {
        Value::Null => Ok(Value::Array(Vec::new())),
        Value::Array(values) => {
            let mut coerced = Vec::with_capacity(values.len());
            for (index, value) in values.into_iter().enumerate() {
                coerced.push(coerce(value, items).map_err(|error| error.inside(&index.to_string()))?);
            }
            Ok(Value::Array(coerced))
        }
        _ => Err(ShapeError::new("is no list")),
    }
}

fn map(value: Value, values: &Shape) -> Result<Value, ShapeError> {
    match value {
        Value::Null => Ok(Value::Object(Map::new())),
        Value::Object(fields) => {
            let mut coerced = Map::new();
            for (name, value) in fields {
                // The names in a map are the server's own, not the document's: they may quote anything.
                let value = coerce(value, values).map_err(|error| error.inside("*"))?;
                coerced.insert(name, value);
            }
            Ok(Value::Object(coerced))
        }
        _ => Err(ShapeError::new("is no object")),
    }
}

fn object(value: Value, fields: &[Field]) -> Result<Value, ShapeError> {
    let Value::Object(mut values) = value else {
        return Err(ShapeError::new("is no object"));
    };
    for field in fields {
        let coerced = match values.remove(field.name) {
            None if field.required => Err(ShapeError::new("is missing")),
            None => continue,
            Some(Value::Null) if !field.required => continue,
            Some(value) => coerce(value, &field.shape),
        };
        match coerced.map_err(|error| error.inside(field.name)) {
            Ok(value) => {
                values.insert(field.name.to_owned(), value);
            }
            Err(error) if field.required => return Err(error),
            Err(error) => {
                tracing::warn!(field = %error.path, "left out of an answer: it {}", error.problem);
            }
        }
    }
    Ok(Value::Object(values))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TOKEN: Shape = Shape::Object(&[
        Field {
            name: "token",
            required: true,
            shape: Shape::Text,
        },
        Field {
            name: "expiration",
            required: false,
            shape: Shape::Integer,
        },
        Field {
            name: "created",
            required: false,
            shape: Shape::DateTime,
        },
        Field {
            name: "ok",
            required: false,
            shape: Shape::Boolean,
        },
        Field {
            name: "tags",
            required: false,
            shape: Shape::List(&Shape::Text),
        },
    ]);

    #[test]
    fn what_is_nearly_right_is_read() {
        let value = json!({ "token": 7, "expiration": "3600", "created": "2019-08-24T14:15:22.5+0000", "ok": "TRUE", "tags": [1, "b"], "new": {} });
        let coerced = coerce(value, &TOKEN).unwrap();
        assert_eq!(
            coerced,
            json!({ "token": "7", "expiration": 3600, "created": "2019-08-24T14:15:22.500+00:00", "ok": true, "tags": ["1", "b"], "new": {} })
        );
    }

    #[test]
    fn what_the_call_can_do_without_is_left_out() {
        let value = json!({ "token": "t", "expiration": null, "created": "soon", "ok": 2, "tags": null });
        assert_eq!(coerce(value, &TOKEN).unwrap(), json!({ "token": "t" }));
    }

    #[test]
    fn a_name_that_the_server_chose_is_cut_and_on_one_line() {
        let name = format!("a\nb {}", "x".repeat(5000));
        let problem = coerce(json!({ name: [] }), &Shape::Map(&Shape::Boolean))
            .unwrap_err()
            .to_string();
        assert!(!problem.contains('\n') && problem.len() < 500, "{problem}");
    }

    #[test]
    fn what_it_cannot_do_without_is_named() {
        let problem = |value| coerce(value, &TOKEN).unwrap_err().to_string();
        assert_eq!(problem(json!({})), "the field `token` is missing");
        assert_eq!(problem(json!({ "token": null })), "the field `token` is null");
        assert_eq!(problem(json!([])), "it is no object");
        let list = Shape::List(&Shape::Object(&[Field {
            name: "id",
            required: true,
            shape: Shape::Integer,
        }]));
        assert_eq!(
            coerce(json!([{ "id": 1 }, { "id": {} }]), &list)
                .unwrap_err()
                .to_string(),
            "the field `1.id` is no whole number"
        );
    }
}
