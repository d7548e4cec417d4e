//! Parses JSON and YAML within fixed bounds, because the text is untrusted.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::failure::{Failure, Result};

/// Deeper than any `OpenAPI` document that people write, shallow enough for every recursion over the tree.
const MAX_DEPTH: usize = 64;
/// Counts what aliases expand to, so that a few hundred bytes of YAML cannot fill the memory.
const MAX_NODES: usize = 500_000;

/// The first bytes of files that are not UTF-8 text, and what to call them.
const NOT_TEXT: [(&[u8], &str); 8] = [
    (b"\x1f\x8b", "is gzip-compressed; decompress it first"),
    (b"\x28\xb5\x2f\xfd", "is zstd-compressed; decompress it first"),
    (b"\xfd7zXZ", "is xz-compressed; decompress it first"),
    (b"BZh", "is bzip2-compressed; decompress it first"),
    (
        b"PK\x03\x04",
        "is a ZIP archive; take the document out of it first",
    ),
    (b"%PDF", "is a PDF, not an OpenAPI document"),
    (b"\xff\xfe", "is UTF-16 text, not UTF-8; convert it first"),
    (b"\xfe\xff", "is UTF-16 text, not UTF-8; convert it first"),
];

fn text(bytes: &[u8]) -> Result<&str> {
    if let Some((_, what)) = NOT_TEXT.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        return Err(Failure::failed(format!("the document {what}")));
    }
    std::str::from_utf8(bytes).map_err(|_| Failure::failed("the document is not UTF-8 text"))
}

/// Reads a TOML file; an error is one line.
pub(crate) fn toml<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    toml::from_str(text(bytes)?).map_err(|error| {
        let lines: Vec<String> = error
            .to_string()
            .lines()
            .map(|line| line.trim().to_owned())
            .collect();
        Failure::failed(lines.join(" "))
    })
}

/// Reads a document; JSON if it begins as JSON does, YAML otherwise.
pub(crate) fn bytes(bytes: &[u8]) -> Result<Value> {
    let text = text(bytes)?.trim_start_matches('\u{feff}');
    if text.trim_start().starts_with('<') {
        return Err(Failure::failed(
            "this is HTML, not an OpenAPI document (a login or error page?)",
        ));
    }
    let value = if text.trim_start().starts_with('{') {
        json(text)?
    } else {
        yaml(text)?
    };
    if value.is_object() {
        Ok(value)
    } else {
        Err(Failure::failed(
            "this is not an OpenAPI document: its top level is not an object",
        ))
    }
}

fn json(text: &str) -> Result<Value> {
    let left = Cell::new(MAX_NODES);
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = Tree {
        left: &left,
        depth: 0,
    }
    .deserialize(&mut deserializer)
    .and_then(|value| deserializer.end().map(|()| value));
    value.map_err(|error| {
        let hint = if error.is_eof() { " (truncated?)" } else { "" };
        Failure::failed(format!("not valid JSON{hint}: {error}"))
    })
}

fn yaml(text: &str) -> Result<Value> {
    let left = Cell::new(MAX_NODES);
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! { max_depth: MAX_DEPTH, max_nodes: MAX_NODES, max_documents: 1 },
        strict_booleans: true,
        reject_unsupported_tags: true,
        with_snippet: false,
    };
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |deserializer| {
        Tree {
            left: &left,
            depth: 0,
        }
        .deserialize(deserializer)
    })
    .map_err(|error| {
        let first = error.to_string().lines().next().unwrap_or_default().to_owned();
        Failure::failed(format!("not valid YAML: {first}"))
    })
}

/// A JSON value that refuses duplicate keys (two parsers would disagree about them) and keeps to the bounds.
#[derive(Clone, Copy)]
struct Tree<'a> {
    left: &'a Cell<usize>,
    depth: usize,
}

impl Tree<'_> {
    fn spend<E: de::Error>(self) -> Result<(), E> {
        let left = self.left.get().checked_sub(1);
        self.left
            .set(left.ok_or_else(|| E::custom(format!("the document has more than {MAX_NODES} nodes")))?);
        if self.depth > MAX_DEPTH {
            return Err(E::custom(format!(
                "the document is nested more than {MAX_DEPTH} levels deep"
            )));
        }
        Ok(())
    }

    fn below(self) -> Self {
        Self {
            depth: self.depth + 1,
            ..self
        }
    }
}

impl<'de> DeserializeSeed<'de> for Tree<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.spend()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Tree<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| E::custom("a number that JSON cannot hold"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self.below())? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key_seed(self.below())? {
            // YAML reads `200:` as a number; as a key it is the text.
            let key = match key {
                Value::String(key) => key,
                Value::Array(_) | Value::Object(_) => {
                    return Err(de::Error::custom("a key that is not text"));
                }
                other => other.to_string(),
            };
            let value = members.next_value_seed(self.below())?;
            if map.contains_key(&key) {
                return Err(de::Error::custom(format!(
                    "the key `{key}` occurs twice in one object"
                )));
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
