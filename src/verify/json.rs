//! Parses JSON objects that may come from an attacker.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// Returns the members of a JSON object that have these names, in the order of the names.
///
/// `None` when the text is not a single JSON object, or when any name occurs twice: two parsers of such an object may see
/// two different values.
pub(super) fn members<const N: usize>(json: &[u8], names: [&str; N]) -> Option<[Option<Value>; N]> {
    // serde_json does not check the encoding of skipped text.
    let json = str::from_utf8(json).ok()?;
    let mut reader = serde_json::Deserializer::from_str(json);
    let found = reader.deserialize_map(Members(names)).ok()?;
    reader.end().ok()?;
    Some(found)
}

struct Members<'a, const N: usize>([&'a str; N]);

#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de, const N: usize> Visitor<'de> for Members<'_, N> {
    type Value = [Option<Value>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [const { None }; N];
        let mut seen = Vec::with_capacity(16);
        while let Some(Name(name)) = map.next_key()? {
            match self.0.iter().position(|wanted| *wanted == name) {
                Some(index) => found[index] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            seen.push(name);
        }
        seen.sort_unstable();
        if seen.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(A::Error::custom("a name occurs twice"));
        }
        Ok(found)
    }
}
