//! Removes what would become code from a vendor's document.
//!
//! typify reads `x-rust-type` as a path to call, `pattern` as a regular expression to run in every user's program,
//! `default` as a value to send unasked, `title` as a type's name. None of them describes the wire format.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::failure::Result;
use super::grammar::{self, Kind};
use super::reference::Reference;

/// The one extension that the pipeline itself writes.
pub(crate) const VENDOR_ID: &str = "x-vendor-operation-id";

/// Members that hold a secret: what a document shows for them could be a real one.
pub(crate) const SECRETS: [&str; 10] = [
    "password",
    "oldPassword",
    "apiKey",
    "token",
    "identityProviderToken",
    "externalProviderToken",
    "verificationCode",
    "pinCode",
    "externalToken",
    "confirmationCode",
];

/// Removes every member that the grammar does not list, and every real-looking secret from the examples.
pub(crate) fn strip(part: &mut Value, source: &str, notices: &mut Vec<String>) -> Result<()> {
    let mut dropped: BTreeMap<String, usize> = BTreeMap::new();
    let mut visit = |kind: Kind, pointer: &str, object: &mut Map<String, Value>| -> Result<()> {
        if Reference::of(object, pointer)?.is_some() {
            // Next to `$ref`, OpenAPI 3.0 ignores everything.
            object.retain(|key, _| key == "$ref");
        }
        keep_first_example(object);
        object.retain(|key, _| {
            let keep = grammar::members(kind).iter().any(|(member, _)| member == key)
                || (kind == Kind::Operation && key == VENDOR_ID);
            if !keep {
                let key: String = key.chars().take(40).collect();
                *dropped.entry(key.escape_debug().to_string()).or_default() += 1;
            }
            keep
        });
        if let Some(example) = object.get_mut("example") {
            // The example of a property is a value of that name.
            let property = pointer.rsplit_once("/properties/").map_or("", |(_, name)| name);
            scrub(example, property);
        }
        Ok(())
    };
    grammar::walk(part, Kind::Document, "", &mut visit)?;
    if !dropped.is_empty() {
        let list: Vec<String> = dropped
            .iter()
            .take(20)
            .map(|(key, count)| format!("`{key}` ({count})"))
            .collect();
        notices.push(format!("{source}: not taken over: {}", list.join(", ")));
    }
    Ok(())
}

/// `examples` of `OpenAPI` 3.0 is a map of named ones; one is enough.
fn keep_first_example(object: &mut Map<String, Value>) {
    if object.contains_key("example") {
        return;
    }
    let first = object
        .get("examples")
        .and_then(Value::as_object)
        .and_then(|examples| examples.values().next())
        .and_then(|example| example.get("value"))
        .cloned();
    if let Some(value) = first {
        object.insert("example".to_owned(), value);
    }
}

fn scrub(example: &mut Value, name: &str) {
    match example {
        Value::String(text) => {
            let looks_real = text.starts_with("eyJ") || SECRETS.contains(&name);
            if looks_real && !text.to_ascii_lowercase().contains("fake") {
                *example = json!(format!("fake-{}", if name.is_empty() { "token" } else { name }));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| scrub(item, name)),
        Value::Object(members) => members
            .iter_mut()
            .for_each(|(name, member)| scrub(member, &name.clone())),
        _ => {}
    }
}
