//! Converts `OpenAPI` 3.1 to 3.0, where 3.0 can express the same.

use serde_json::{Map, Value, json};

use super::failure::{self, Result};
use super::grammar::{self, Kind};
use super::reference::Reference;

/// Keywords of JSON Schema 2020-12 that `OpenAPI` 3.0 lacks.
const UNSAYABLE: [&str; 20] = [
    "if",
    "then",
    "else",
    "patternProperties",
    "propertyNames",
    "prefixItems",
    "unevaluatedProperties",
    "unevaluatedItems",
    "dependentRequired",
    "dependentSchemas",
    "contains",
    "minContains",
    "maxContains",
    "$defs",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "contentSchema",
    "$vocabulary",
];

/// Keywords that only describe: they may stand next to anything.
const ANNOTATIONS: [&str; 7] = [
    "description",
    "deprecated",
    "readOnly",
    "writeOnly",
    "example",
    "examples",
    "title",
];

/// Rewrites a part of a 3.1 document; fails with the list of places that 3.0 cannot express.
pub(crate) fn to_3_0(part: &mut Value) -> Result<()> {
    let mut problems = Vec::new();
    let snapshot = part.clone();
    let mut visit = |kind: Kind, pointer: &str, object: &mut Map<String, Value>| -> Result<()> {
        match kind {
            Kind::Schema => schema(object, pointer, &snapshot, &mut problems),
            Kind::SecurityScheme if object.get("type") == Some(&json!("mutualTLS")) => {
                problems.push(format!("{pointer}: `mutualTLS` does not exist in OpenAPI 3.0"));
            }
            Kind::Operation => {
                object.entry("responses").or_insert_with(|| json!({}));
            }
            _ => {}
        }
        Ok(())
    };
    grammar::walk(part, Kind::Document, "", &mut visit)?;
    failure::all("convert from OpenAPI 3.1 to 3.0", &problems)
}

fn schema(object: &mut Map<String, Value>, pointer: &str, document: &Value, problems: &mut Vec<String>) {
    for keyword in UNSAYABLE {
        if object.contains_key(keyword) {
            problems.push(format!("{pointer}: `{keyword}` cannot be said in OpenAPI 3.0"));
        }
    }
    reference_with_siblings(object);
    constant(object, pointer, problems);
    types(object, pointer, problems);
    null_alternative(object, pointer, document, problems);
    bound(object, "exclusiveMinimum", "minimum", f64::max);
    bound(object, "exclusiveMaximum", "maximum", f64::min);
    first_example(object);
    content(object);
    if object.get("type") == Some(&json!("array")) {
        object.entry("items").or_insert_with(|| json!({}));
    }
}

/// 3.1 lets keywords stand next to `$ref`; 3.0 ignores them there, but not around an `allOf`.
fn reference_with_siblings(object: &mut Map<String, Value>) {
    if object.len() < 2 {
        return;
    }
    let Some(target) = object.remove("$ref") else {
        return;
    };
    let reference = json!({"$ref": target});
    match object.get_mut("allOf").and_then(Value::as_array_mut) {
        Some(all) => all.push(reference),
        None => {
            object.insert("allOf".to_owned(), json!([reference]));
        }
    }
}

fn constant(object: &mut Map<String, Value>, pointer: &str, problems: &mut Vec<String>) {
    match object.remove("const") {
        None => {}
        Some(Value::Null) => problems.push(format!("{pointer}: `const: null` cannot be said in OpenAPI 3.0")),
        Some(value) => {
            let kind = type_of(&value);
            object.entry("type").or_insert_with(|| json!(kind));
            object.insert("enum".to_owned(), json!([value]));
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn types(object: &mut Map<String, Value>, pointer: &str, problems: &mut Vec<String>) {
    let list = match object.get("type") {
        Some(Value::Array(list)) => list.clone(),
        Some(Value::String(only)) if only == "null" => vec![json!("null")],
        _ => return,
    };
    let (nulls, others): (Vec<Value>, Vec<Value>) = list.into_iter().partition(|name| name == "null");
    if !nulls.is_empty() {
        object.insert("nullable".to_owned(), json!(true));
        if let Some(Value::Array(values)) = object.get_mut("enum") {
            values.retain(|value| !value.is_null());
        }
    }
    match &others[..] {
        [] => problems.push(format!(
            "{pointer}: a value that is only ever null cannot be said in OpenAPI 3.0"
        )),
        [one] => {
            object.insert("type".to_owned(), one.clone());
        }
        many => {
            let plain = object.keys().all(|key| {
                ANNOTATIONS.contains(&key.as_str())
                    || key == "type"
                    || key == "nullable"
                    || key.starts_with("x-")
            });
            if plain && nulls.is_empty() {
                let any: Vec<Value> = many.iter().map(|name| json!({"type": name})).collect();
                object.remove("type");
                object.insert("anyOf".to_owned(), json!(any));
            } else {
                problems.push(format!(
                    "{pointer}: a list of several types together with `null` or with keywords that limit one of them \
                     cannot be said in OpenAPI 3.0"
                ));
            }
        }
    }
}

/// `anyOf: [X, null]` is how 3.1 says `nullable`.
fn null_alternative(
    object: &mut Map<String, Value>,
    pointer: &str,
    document: &Value,
    problems: &mut Vec<String>,
) {
    for keyword in ["anyOf", "oneOf"] {
        let Some(Value::Array(alternatives)) = object.get_mut(keyword) else {
            continue;
        };
        let before = alternatives.len();
        alternatives.retain(|alternative| alternative.get("type") != Some(&json!("null")));
        if alternatives.len() == before {
            continue;
        }
        let left = std::mem::take(alternatives);
        object.insert("nullable".to_owned(), json!(true));
        match &left[..] {
            [only] if !object.contains_key("allOf") => {
                // 3.0 knows `nullable` only next to `type`.
                match alternative_type(only, document) {
                    Some(name) => {
                        object.entry("type").or_insert(name);
                    }
                    None => problems.push(format!(
                        "{pointer}: `null` as an alternative to something without one type cannot be said in OpenAPI 3.0"
                    )),
                }
                object.remove(keyword);
                object.insert("allOf".to_owned(), json!([only]));
            }
            _ => {
                problems.push(format!(
                    "{pointer}: `null` among several alternatives cannot be said in OpenAPI 3.0"
                ));
                object.insert(keyword.to_owned(), Value::Array(left));
            }
        }
    }
}

fn alternative_type(schema: &Value, document: &Value) -> Option<Value> {
    let mut schema = schema;
    // Bounded: a chain of references may be a circle.
    for _ in 0..16 {
        let target = schema
            .as_object()
            .and_then(|object| Reference::of(object, "").ok().flatten());
        match target {
            Some(target) => schema = target.get(document)?,
            None => return schema.get("type").filter(|name| name.is_string()).cloned(),
        }
    }
    None
}

fn bound(object: &mut Map<String, Value>, exclusive: &str, inclusive: &str, stricter: fn(f64, f64) -> f64) {
    let Some(limit) = object.get(exclusive).filter(|limit| limit.is_number()).cloned() else {
        return;
    };
    let other = object.get(inclusive).and_then(Value::as_f64);
    let limit_number = limit.as_f64().unwrap_or_default();
    if let Some(other) = other
        && (stricter(limit_number, other) - limit_number).abs() > f64::EPSILON
    {
        object.remove(exclusive);
        return;
    }
    object.insert(inclusive.to_owned(), limit);
    object.insert(exclusive.to_owned(), json!(true));
}

fn first_example(object: &mut Map<String, Value>) {
    if let Some(Value::Array(examples)) = object.get("examples").cloned() {
        object.remove("examples");
        if let Some(first) = examples.into_iter().next() {
            object.entry("example").or_insert(first);
        }
    }
}

fn content(object: &mut Map<String, Value>) {
    let encoding = object.remove("contentEncoding");
    let media_type = object.remove("contentMediaType");
    let format = match (encoding.as_ref().and_then(Value::as_str), media_type) {
        (Some("base64"), _) => "byte",
        (None, Some(_)) => "binary",
        _ => return,
    };
    object.entry("format").or_insert_with(|| json!(format));
}
