//! Whether the document is well-formed: members of the right types, no schema that consists of itself, visible names.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::openapi::failure::Result;
use crate::openapi::grammar::{self, Kind, step};
use crate::openapi::invisible::{for_terminal, is_invisible};

/// Members of a wrong type, which the generator's reader reports without saying where.
pub(super) fn member_types(document: &mut Value, problems: &mut Vec<String>) -> Result<()> {
    let mut visit = |kind: Kind, pointer: &str, object: &mut Map<String, Value>| -> Result<()> {
        for (key, value) in object.iter() {
            let (fits, expected) = match (kind, key.as_str()) {
                (
                    _,
                    "description" | "summary" | "operationId" | "name" | "in" | "type" | "format" | "style",
                ) => (value.is_string(), "a string"),
                (Kind::Schema, "required") | (Kind::Operation, "tags") => {
                    (is_list_of(value, Value::is_string), "a list of names")
                }
                (Kind::Schema, "enum") => (
                    value.as_array().is_some_and(|list| !list.is_empty()),
                    "a list of values",
                ),
                (_, "security") => (is_list_of(value, Value::is_object), "a list of objects"),
                (
                    _,
                    "required" | "deprecated" | "nullable" | "readOnly" | "writeOnly" | "explode"
                    | "uniqueItems" | "exclusiveMinimum" | "exclusiveMaximum",
                ) => (value.is_boolean(), "true or false"),
                (_, "minimum" | "maximum" | "multipleOf") => (value.is_number(), "a number"),
                (
                    _,
                    "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties" | "maxProperties",
                ) => (value.is_u64(), "a number of things"),
                _ => (true, ""),
            };
            if !fits {
                problems.push(format!(
                    "{pointer}: `{key}` must be {expected}; fix it in the overlay"
                ));
            }
        }
        if kind == Kind::Schema && object.contains_key("discriminator") {
            problems.push(format!(
                "{pointer}: the generator ignores `discriminator`; remove it in the overlay"
            ));
        }
        if kind == Kind::Schema
            && let Some(format) = object.get("type").and_then(Value::as_str)
            && !["string", "integer", "number", "boolean", "object", "array"].contains(&format)
        {
            problems.push(format!(
                "{pointer}: `type: {}` is not a type",
                format.escape_debug()
            ));
        }
        Ok(())
    };
    grammar::walk(document, Kind::Document, "", &mut visit)
}

fn is_list_of(value: &Value, fits: impl Fn(&Value) -> bool) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(fits))
}

/// Components that consist of themselves, through `$ref`, `allOf`, `anyOf` or `oneOf`: the generator would never finish.
pub(super) fn circles(document: &Value, problems: &mut Vec<String>) {
    fn direct<'a>(schema: &'a Value, found: &mut Vec<&'a str>) {
        if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
            found.push(target.rsplit('/').next().unwrap_or_default());
        }
        for keyword in ["allOf", "anyOf", "oneOf"] {
            schema
                .get(keyword)
                .and_then(Value::as_array)
                .into_iter()
                .flatten()
                .for_each(|part| direct(part, found));
        }
    }
    let schemas = document.pointer("/components/schemas").and_then(Value::as_object);
    for name in schemas.into_iter().flat_map(Map::keys) {
        let mut seen = BTreeSet::new();
        let mut queue = vec![name.as_str()];
        while let Some(next) = queue.pop() {
            let mut targets = Vec::new();
            schemas
                .and_then(|schemas| schemas.get(next))
                .into_iter()
                .for_each(|schema| direct(schema, &mut targets));
            if targets.contains(&name.as_str()) {
                problems.push(format!(
                    "/components/schemas/{name}: it consists of itself; break the circle in the overlay"
                ));
                break;
            }
            queue.extend(targets.into_iter().filter(|target| seen.insert(*target)));
        }
    }
}

/// The rest is counted.
const MAX_INVISIBLE: usize = 20;

/// Names and values with characters that nobody sees: they are not what they look like, and could pass for another one
/// that the crate treats with care. Descriptions have none left, and examples are only shown.
pub(super) fn invisible_characters(document: &Value, problems: &mut Vec<String>) {
    let mut found = Vec::new();
    look(document, "", "", &mut found);
    let more = found.len().saturating_sub(MAX_INVISIBLE);
    problems.extend(found.into_iter().take(MAX_INVISIBLE));
    if more > 0 {
        problems.push(format!(
            "and {more} more names and values with an invisible character"
        ));
    }
}

fn look(value: &Value, parent: &str, pointer: &str, found: &mut Vec<String>) {
    let mut refuse = |what: &str, text: &str| {
        if text.contains(is_invisible) {
            let shown = for_terminal(text);
            found.push(format!(
                "{pointer}: the {what} `{shown}` holds an invisible character; replace or remove it in the overlay"
            ));
        }
    };
    match value {
        Value::String(text) => refuse("value", text),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                look(item, "", &step(pointer, &index.to_string()), found);
            }
        }
        Value::Object(members) => {
            members.keys().for_each(|name| refuse("name", name));
            for (name, member) in members {
                if name == "example" && parent != "properties" {
                    continue;
                }
                look(member, name, &step(pointer, name), found);
            }
        }
        _ => {}
    }
}
