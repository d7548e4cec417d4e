//! JSON in which no name occurs twice. Otherwise two parsers could disagree about which value counts.

use std::collections::BTreeSet;
use std::fmt;

use serde::Deserializer;
use serde::de::{DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use crate::foreign_json::{repaired, without_mark};

/// The reason why a text is not such JSON.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unparsable {
    /// It is not JSON.
    NotJson,
    /// A name occurs twice in an object.
    Repeated,
}

/// Parses JSON, repaired if necessary.
pub(crate) fn parse(body: &[u8]) -> Result<Value, Unparsable> {
    let body = without_mark(body);
    match parse_exact(body) {
        Err(Unparsable::NotJson) => parse_exact(&repaired(body).ok_or(Unparsable::NotJson)?),
        parsed => parsed,
    }
}

fn parse_exact(body: &[u8]) -> Result<Value, Unparsable> {
    // Before there is a value, so that the names and the value are not in memory at the same time.
    let names = Names.deserialize(&mut serde_json::Deserializer::from_slice(body));
    if names.is_err_and(|error| error.is_data()) {
        return Err(Unparsable::Repeated);
    }
    serde_json::from_slice(body).map_err(|_| Unparsable::NotJson)
}

/// Checks the names of each object, and fails at one that occurs twice. It creates no values: how numbers reach a visitor
/// depends on `serde_json` features that any crate of a build can enable.
struct Names;

impl<'de> DeserializeSeed<'de> for Names {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Names)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        while let Some(name) = entries.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a name stands twice"));
            }
            entries.next_value_seed(Names)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_unique_is_read_like_any_json() {
        for text in [
            "null",
            "[1,-2,3.5,true,\"a\\n\",{}]",
            "{\"a\":{\"a\":18446744073709551615},\"b\":[{\"a\":1},{\"a\":2}]}",
        ] {
            let expected: Value = serde_json::from_str(text).unwrap();
            assert_eq!(parse(text.as_bytes()), Ok(expected.clone()));
            assert_eq!(parse(format!("\u{feff}{text} \n").as_bytes()), Ok(expected));
        }
    }

    #[test]
    fn repeated_name_is_told_from_text_that_is_not_json() {
        assert_eq!(parse(b"{\"a\":1,\"a\":1}"), Err(Unparsable::Repeated));
        assert_eq!(
            parse(b"[{\"b\":{\"a\":1,\"\\u0061\":2}}]"),
            Err(Unparsable::Repeated)
        );
        for text in ["", "{", "{\"a\":1} x", "<html>", "\u{feff}"] {
            assert_eq!(parse(text.as_bytes()), Err(Unparsable::NotJson), "{text}");
        }
    }
}
