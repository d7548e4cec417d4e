//! The document in the form that progenitor gets, without constraints whose types would refuse responses.
//!
//! If a type refuses a value, the whole response fails, for example after the service added a value or raised a limit. So
//! the service alone checks values and limits, and only the open enums keep their values.

use serde_json::{Map, Value};

/// Limits become separate types that check them.
const LIMITS: [&str; 13] = [
    "minimum",
    "exclusiveMinimum",
    "maximum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "enum",
];

pub(crate) fn simplified(mut json: Value) -> Value {
    let schemas = json
        .pointer_mut("/components/schemas")
        .and_then(Value::as_object_mut);
    let mut enums = Vec::new();
    for (name, schema) in schemas.into_iter().flatten() {
        if let Some(values) = open_values(schema) {
            enums.push((
                name.clone(),
                serde_json::json!({"type": "string", "enum": values}),
            ));
        }
    }
    simplify(&mut json);
    for (name, schema) in enums {
        json["components"]["schemas"][name] = schema;
    }
    json
}

fn simplify(value: &mut Value) {
    match value {
        Value::Object(schema) => {
            // A member with one of these names that contains an object is a field's schema, not a limit.
            schema.retain(|key, value| value.is_object() || !LIMITS.contains(&key.as_str()));
            if schema.get("format").is_some_and(|format| format == "password") {
                // progenitor takes a secret with an extension for another type, and would turn it into a String.
                schema.retain(|key, _| !key.starts_with("x-"));
            }
            if let Some(target) = nullable_target(schema).cloned() {
                schema.remove("anyOf");
                schema.insert("nullable".to_owned(), true.into());
                schema.insert("allOf".to_owned(), Value::Array(vec![target]));
            }
            schema.values_mut().for_each(simplify);
        }
        Value::Array(items) => items.iter_mut().for_each(simplify),
        _ => {}
    }
}

/// The values of a component that becomes an open enum: texts, without null. If other readers of the document should also
/// treat the list as open, it stands beside any other text, in `anyOf`.
pub(crate) fn open_values(schema: &Value) -> Option<Vec<&str>> {
    let schema = schema.as_object()?;
    let listed = open_alternative(schema).or(schema.get("enum"))?;
    let values: Option<Vec<&str>> = listed.as_array()?.iter().map(Value::as_str).collect();
    let texts = schema.get("type").is_none_or(|kind| kind == "string");
    let null = schema.get("nullable").is_some_and(|nullable| *nullable == true);
    values.filter(|values| !values.is_empty() && texts && !null)
}

/// The list of values in a schema that also allows any other value.
pub(crate) fn open_alternative(schema: &Map<String, Value>) -> Option<&Value> {
    let open = schema.get("x-open").is_some_and(|open| *open == true);
    match schema.get("anyOf")?.as_array()?.as_slice() {
        [listed, other] if open && other.get("enum").is_none() => listed.get("enum"),
        _ => None,
    }
}

/// The schema of a value that is not null, if the schema allows null with `anyOf`. Beside a reference, `nullable` alone
/// would have no effect, because the referenced schema still refuses null.
pub(crate) fn nullable_target(schema: &Map<String, Value>) -> Option<&Value> {
    match schema.get("anyOf")?.as_array()?.as_slice() {
        [target, null] if null["nullable"] == true && null.get("type").is_some() => Some(target),
        _ => None,
    }
}
