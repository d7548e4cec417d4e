//! A JSON object that is read, changed in places and sent back.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;
use serde_json::value::RawValue;

/// A JSON object that keeps the order of its fields, and each value byte for byte as it was written.
///
/// Fields that are not set stay unchanged, including numbers that no Rust type can hold, the spelling of a fraction, and
/// the order inside a value.
///
/// ```
/// use synerise_auth::raw::RawObject;
///
/// let mut settings: RawObject = serde_json::from_str(r#"{"limit": 18446744073709551616, "mode": "A"}"#).unwrap();
/// settings.set("mode", "B".into());
/// assert_eq!(settings.get("limit"), Some("18446744073709551616"));
/// assert_eq!(serde_json::to_string(&settings).unwrap(), r#"{"limit":18446744073709551616,"mode":"B"}"#);
/// ```
#[derive(Clone, Default)]
pub struct RawObject(Vec<(String, Box<RawValue>)>);

impl RawObject {
    /// An object without fields.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the names of the fields, in their order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns a field's value as JSON text. If a name occurs twice, the last one counts.
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut fields = self.0.iter().rev();
        fields
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.get())
    }

    /// Returns a field's value. Numbers that `serde_json` can't hold exactly are rounded.
    pub fn value(&self, name: &str) -> Option<Value> {
        // The text was parsed before, so only numbers out of range can fail.
        Some(serde_json::from_str(self.get(name)?).unwrap_or_default())
    }

    /// Sets a field in its place, or adds it at the end.
    #[allow(
        clippy::needless_pass_by_value,
        reason = "so that `true.into()` can stand in the call"
    )]
    pub fn set(&mut self, name: &str, value: Value) {
        // A Value is always valid JSON.
        let Ok(value) = RawValue::from_string(value.to_string()) else {
            return;
        };
        let place = self.0.iter().position(|(field, _)| field == name);
        self.0.retain({
            let mut first = true;
            move |(field, _)| field != name || std::mem::replace(&mut first, false)
        });
        match place.and_then(|place| self.0.get_mut(place)) {
            Some((_, old)) => *old = value,
            None => self.0.push((name.to_owned(), value)),
        }
    }
}

impl PartialEq for RawObject {
    /// Compares names and texts in their order. Two spellings of a number are not equal.
    fn eq(&self, other: &Self) -> bool {
        let fields = |object: &Self| object.0.len();
        let pairs = self.0.iter().zip(&other.0);
        fields(self) == fields(other)
            && pairs
                .into_iter()
                .all(|((name, value), (other_name, other))| name == other_name && value.get() == other.get())
    }
}

impl Eq for RawObject {}

impl fmt::Debug for RawObject {
    /// Shows only the names, because the values may hold anything.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.names()).finish()
    }
}

impl Serialize for RawObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de> Deserialize<'de> for RawObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = RawObject;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a JSON object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<RawObject, A::Error> {
                let mut fields = Vec::with_capacity(entries.size_hint().unwrap_or_default().min(64));
                while let Some(field) = entries.next_entry()? {
                    fields.push(field);
                }
                Ok(RawObject(fields))
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for RawObject {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RawObject".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object" })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(text: &str) -> RawObject {
        serde_json::from_str(text).unwrap()
    }

    fn text(object: &RawObject) -> String {
        serde_json::to_string(object).unwrap()
    }

    #[test]
    fn values_keep_every_byte() {
        let odd = r#"{"z":1.10,"a":18446744073709551616,"e":1E400,"s":"\u00e9\/","n":{ "b" : [1, null] , "a":-0.0},"z":2}"#;
        assert_eq!(text(&object(odd)), odd);
        assert_eq!(object(odd).get("z"), Some("2"));
        assert_eq!(object(odd).value("e"), Some(Value::Null));
    }

    #[test]
    fn field_is_set_in_its_place_and_once() {
        let mut changed = object(r#"{"a":1,"b":1.0,"a":3,"c":null}"#);
        changed.set("a", json!("x"));
        changed.set("d", json!(true));
        assert_eq!(text(&changed), r#"{"a":"x","b":1.0,"c":null,"d":true}"#);
    }

    #[test]
    fn what_is_not_an_object_is_refused() {
        for text in ["[]", "null", "1", "\"x\"", "{\"a\":}", "{} x"] {
            assert!(serde_json::from_str::<RawObject>(text).is_err(), "{text}");
        }
        assert!(serde_json::from_value::<RawObject>(json!({ "a": [1] })).is_ok());
    }
}
