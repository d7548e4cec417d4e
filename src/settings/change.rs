//! The fields that a write of settings changed.

use std::collections::BTreeMap;

use serde_json::Value;
use serde_json::value::RawValue;

use crate::bindings::RawObject;

/// One field that changed in a write of settings.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Change {
    /// The field's name in the service's document.
    pub field: String,
    /// Its value before. Null when it was missing.
    pub before: Value,
    /// Its value after, from the service's response. Null when it is missing.
    pub after: Value,
}

/// The fields in which two documents differ, by name.
pub(super) fn changes(before: &RawObject, after: &RawObject) -> Vec<Change> {
    let added = after.names().filter(|name| before.get(name).is_none());
    let mut names: Vec<&str> = Vec::new();
    for name in before.names().chain(added) {
        let text = |object: &RawObject| object.get(name).unwrap_or("null").to_owned();
        if !names.contains(&name) && !same(&text(before), &text(after)) {
            names.push(name);
        }
    }
    let changes = names.into_iter().map(|name| Change {
        field: name.to_owned(),
        before: before.value(name).unwrap_or_default(),
        after: after.value(name).unwrap_or_default(),
    });
    changes.collect()
}

/// Whether two JSON texts mean the same. White space and the order of fields don't count. Every digit of a number counts,
/// even those that an `f64` can't tell apart.
fn same(one: &str, other: &str) -> bool {
    if one == other {
        return true;
    }
    match (one.as_bytes().first(), other.as_bytes().first()) {
        (Some(b'{'), Some(b'{')) => {
            let fields = |text| serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(text).ok();
            fields(one).zip(fields(other)).is_some_and(|(one, other)| {
                one.len() == other.len()
                    && one
                        .iter()
                        .zip(&other)
                        .all(|((name, value), (other_name, other))| {
                            name == other_name && same(value.get(), other.get())
                        })
            })
        }
        (Some(b'['), Some(b'[')) => {
            let items = |text| serde_json::from_str::<Vec<Box<RawValue>>>(text).ok();
            items(one).zip(items(other)).is_some_and(|(one, other)| {
                let mut pairs = one.iter().zip(&other);
                one.len() == other.len() && pairs.all(|(one, other)| same(one.get(), other.get()))
            })
        }
        (Some(b'"'), Some(b'"')) => {
            let text = |text| serde_json::from_str::<String>(text).ok();
            text(one).is_some_and(|one| text(other) == Some(one))
        }
        _ => number(one).is_some_and(|one| number(other) == Some(one)),
    }
}

/// A number, if an `f64` holds every digit of it.
fn number(text: &str) -> Option<f64> {
    /// This many digits survive the conversion to an `f64` and back.
    const DIGITS: usize = 15;
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let number: f64 = text.parse().ok()?;
    (digits <= DIGITS && number.is_finite()).then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_name_what_differs_and_nothing_else() {
        let document = |text: &str| serde_json::from_str::<RawObject>(text).unwrap();
        let before =
            document(r#"{"a":1,"b":null,"gone":true,"same":{"x":[1.0, 2],"y":"\u00e9"},"null":null}"#);
        let after = document(r#"{"same":{"y":"é","x":[1,2e0]},"a":2,"b":null,"new":"x"}"#);
        let changes: Vec<_> = changes(&before, &after)
            .into_iter()
            .map(|change| (change.field, change.after))
            .collect();
        assert_eq!(
            changes,
            [
                ("a".into(), json!(2)),
                ("gone".into(), json!(null)),
                ("new".into(), json!("x"))
            ]
        );
    }

    #[test]
    fn large_numbers_differ_by_every_digit() {
        for (one, other, equal) in [
            ("18446744073709551616", "18446744073709551616", true),
            ("18446744073709551616", "18446744073709551617", false),
            ("18446744073709551616", "1.8446744073709552e19", false),
            ("0.10000000000000000001", "0.1", false),
            ("1e400", "2e400", false),
            ("1", "1.0", true),
            ("-0.5", "-5e-1", true),
            ("true", "false", false),
            ("null", "0", false),
            ("1", "\"1\"", false),
            ("[18446744073709551616]", "[18446744073709551617]", false),
            ("{\"a\":9007199254740993}", "{\"a\": 9007199254740993}", true),
        ] {
            assert_eq!(same(one, other), equal, "{one} {other}");
        }
    }
}
