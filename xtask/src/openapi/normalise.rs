//! The canonical form of a document, whatever order and wording it came in.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::config::Selection;
use super::failure::{self, Failure, Result};
use super::grammar::{self, Holds, Kind};
use super::invisible::for_json;
use super::plain_text;
use super::reference::{self, Reference, resolved};

/// The extensions that the crate reads; any other is a mistake, or an attack.
const EXTENSIONS: [&str; 16] = [
    "x-vendor-operation-id",
    "x-evidence",
    "x-basic-evidence",
    "x-source",
    "x-consumers",
    "x-idempotent",
    "x-send-once",
    "x-unauthorized",
    "x-forbidden",
    "x-permission",
    "x-open",
    "x-enum-names",
    "x-enum-descriptions",
    "x-unit",
    "x-if-unreadable",
    "x-reserved-names",
];

/// Brings a document into its final form: known members only, prose made plain, nothing unused, stable order.
pub(crate) fn normalise(document: &mut Value, selection: &Selection) -> Result<()> {
    let mut problems = Vec::new();
    let snapshot = document.clone();
    let mut visit = |kind: Kind, pointer: &str, object: &mut Map<String, Value>| -> Result<()> {
        for key in object.keys() {
            let known = grammar::members(kind).iter().any(|(member, _)| member == key)
                || EXTENSIONS.contains(&key.as_str());
            if !known {
                problems.push(format!(
                    "{pointer}: the overlay adds `{}`, which the crate does not read",
                    key.escape_debug()
                ));
            }
        }
        if Reference::of(object, pointer)?.is_some() && object.len() > 1 {
            problems.push(format!(
                "{pointer}: next to `$ref` everything else is ignored; wrap it in `allOf`"
            ));
        }
        if kind == Kind::Schema {
            null_beside_a_reference(object, &snapshot);
        }
        for key in ["summary", "description"] {
            if let Some(Value::String(text)) = object.get_mut(key) {
                *text = plain_text::plain(text);
            }
        }
        Ok(())
    };
    grammar::walk(document, Kind::Document, "", &mut visit)?;
    failure::all("normalise", &problems)?;
    prune(document, selection)?;
    order(document, Kind::Document);
    Ok(())
}

/// `nullable` adds null to the type beside it and to nothing else: a part in `allOf` still refuses null, so that
/// validators refuse what the document means to allow. A reference becomes an alternative to null, and anything else
/// is merged into the schema around it.
fn null_beside_a_reference(schema: &mut Map<String, Value>, document: &Value) {
    let Some([part]) = schema.get("allOf").and_then(Value::as_array).map(Vec::as_slice) else {
        return;
    };
    if schema.get("nullable") != Some(&Value::Bool(true)) {
        return;
    }
    let part = part.clone();
    schema.remove("allOf");
    if part.get("$ref").is_none() {
        for (key, value) in part.as_object().into_iter().flatten() {
            schema.entry(key).or_insert_with(|| value.clone());
        }
        return;
    }
    let kind = schema
        .remove("type")
        .or_else(|| resolved(document, &part).get("type").cloned());
    let nothing = json!({"type": kind.unwrap_or_else(|| json!("object")), "nullable": true, "enum": [null]});
    schema.remove("nullable");
    schema.insert("anyOf".to_owned(), json!([part, nothing]));
}

/// The document as it is written to the file.
pub(crate) fn to_bytes(document: &Value) -> Result<Vec<u8>> {
    let json = serde_json::to_string_pretty(document)
        .map_err(|error| Failure::failed(format!("the document cannot be written as JSON: {error}")))?;
    Ok((for_json(&json) + "\n").into_bytes())
}

/// Removes the components and tags that nothing uses, which the overlay may have made so.
fn prune(document: &mut Value, selection: &Selection) -> Result<()> {
    let mut paths = document["paths"].clone();
    let used: BTreeSet<String> = reference::reachable(document, &mut paths)?
        .iter()
        .map(Reference::pointer)
        .collect();
    let kept = &selection.document.keep_security_schemes;
    if let Some(components) = document["components"].as_object_mut() {
        for (section, entries) in components.iter_mut() {
            let Some(entries) = entries.as_object_mut() else {
                continue;
            };
            entries.retain(|name, _| {
                used.contains(&Reference::new(section, name).pointer())
                    || (section == "securitySchemes" && kept.contains(name))
            });
            entries.sort_keys();
        }
        components.retain(|_, entries| entries.as_object().is_some_and(|entries| !entries.is_empty()));
    }
    let tags: BTreeSet<String> = paths
        .as_object()
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flat_map(Map::values)
        .filter_map(|operation| operation.get("tags").and_then(Value::as_array))
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if let Some(list) = document["tags"].as_array_mut() {
        list.retain(|tag| tag["name"].as_str().is_some_and(|name| tags.contains(name)));
    }
    Ok(())
}

/// Sorts the members of every object by the grammar; names that the document chose keep their order.
fn order(value: &mut Value, kind: Kind) {
    let Some(object) = value.as_object_mut() else {
        return;
    };
    let rank = |key: &str| {
        let listed = grammar::members(kind)
            .iter()
            .position(|(member, _)| *member == key);
        listed
            .or_else(|| {
                EXTENSIONS
                    .iter()
                    .position(|known| *known == key)
                    .map(|at| at + 100)
            })
            .unwrap_or(usize::MAX)
    };
    let mut members: Vec<(String, Value)> = std::mem::take(object).into_iter().collect();
    members.sort_by(|(a, _), (b, _)| rank(a).cmp(&rank(b)).then_with(|| a.cmp(b)));
    object.extend(members);
    for (key, holds) in grammar::members(kind) {
        let Some(member) = object.get_mut(*key) else {
            continue;
        };
        match holds {
            Holds::Leaf => {}
            Holds::One(kind) => order(member, *kind),
            Holds::SchemaOrFlag => order(member, Kind::Schema),
            Holds::List(kind) => member
                .as_array_mut()
                .into_iter()
                .flatten()
                .for_each(|item| order(item, *kind)),
            Holds::Map(kind) => {
                let Some(entries) = member.as_object_mut() else {
                    continue;
                };
                // Statuses sort: 200, 2XX, 400, 4XX.
                if *kind == Kind::Response {
                    entries.sort_keys();
                }
                entries.values_mut().for_each(|item| order(item, *kind));
            }
        }
    }
}
