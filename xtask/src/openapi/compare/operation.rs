//! Operations: what can be called, with what parameters, by whom, and with which answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Changes, Severity, Side};
use super::{access, content, schema};
use crate::openapi::grammar::operations;
use crate::openapi::grammar::step;
use crate::openapi::reference::located;

use Severity::{Additive, Breaking};

/// An operation and where it is.
#[derive(Clone)]
pub(super) struct Place<'a> {
    id: &'a str,
    key: String,
    pointer: String,
    pub(super) value: &'a Value,
}

impl Place<'_> {
    fn name(&self) -> String {
        if self.id.is_empty() {
            self.key.clone()
        } else {
            self.id.to_owned()
        }
    }

    pub(super) fn at(&self, member: &str) -> String {
        step(&self.pointer, member)
    }
}

/// Compares all operations: paired by method and path, else by their id.
pub(super) fn all(changes: &mut Changes<'_>) {
    let (before, after) = (places(changes.before), places(changes.after));
    let same_call = |a: &Place<'_>, b: &Place<'_>| a.key == b.key;
    let moved = |a: &Place<'_>, b: &Place<'_>| !a.id.is_empty() && a.id == b.id;
    for old in &before {
        let partner = after.iter().find(|new| same_call(old, new)).or_else(|| {
            after
                .iter()
                .find(|new| moved(old, new) && !before.iter().any(|other| same_call(other, new)))
        });
        changes.operation = Some(old.name());
        changes.seen.clear();
        match partner {
            Some(new) => operation(changes, old, new),
            None => changes.add(
                Breaking,
                Side::Call,
                "operation removed",
                Some(&old.pointer),
                None,
            ),
        }
    }
    for new in &after {
        let known = before.iter().any(|old| same_call(old, new))
            || before
                .iter()
                .any(|old| moved(old, new) && !after.iter().any(|other| same_call(old, other)));
        if !known {
            changes.operation = Some(new.name());
            changes.add(Additive, Side::Call, "operation added", None, Some(&new.pointer));
        }
    }
    changes.operation = None;
}

fn places(document: &Value) -> Vec<Place<'_>> {
    operations(document)
        .map(|(path, method, value)| Place {
            id: value
                .get("operationId")
                .and_then(Value::as_str)
                .unwrap_or_default(),
            key: format!("{} {path}", method.to_ascii_uppercase()),
            pointer: step(&step("/paths", path), method),
            value,
        })
        .collect()
}

fn operation<'a>(changes: &mut Changes<'a>, old: &Place<'a>, new: &Place<'a>) {
    let (a, b) = (old.pointer.as_str(), new.pointer.as_str());
    if old.key != new.key {
        changes.add(
            Breaking,
            Side::Call,
            format!("moved from {} to {}", old.key, new.key),
            Some(a),
            Some(b),
        );
    }
    if old.id != new.id {
        let what = format!("renamed from `{}` to `{}`", old.id, new.id);
        changes.add(
            Breaking,
            Side::Call,
            what,
            Some(&old.at("operationId")),
            Some(&new.at("operationId")),
        );
    }
    parameters(changes, old, new);
    content::body(changes, old, new);
    content::responses(changes, old, new);
    access::security(changes, old, new);
    access::consumers(changes, old, new);
    access::repetition(changes, old, new);
    let texts = [
        "summary",
        "description",
        "tags",
        "deprecated",
        "x-evidence",
        "x-source",
        "x-permission",
        "x-vendor-operation-id",
    ];
    for key in texts {
        changes.text(
            key,
            old.value.get(key),
            new.value.get(key),
            (&old.at(key), &new.at(key)),
        );
    }
}

fn parameters<'a>(changes: &mut Changes<'a>, old: &Place<'a>, new: &Place<'a>) {
    let before = parameter_map(changes.before, old);
    let after = parameter_map(changes.after, new);
    for (key, (at, parameter)) in &before {
        let Some((to, other)) = after.get(key) else {
            changes.add(
                Breaking,
                Side::Request,
                format!("{} parameter `{}` removed", key.0, key.1),
                Some(at),
                None,
            );
            continue;
        };
        let name = format!("{} parameter `{}`", key.0, key.1);
        match (is_true(parameter, "required"), is_true(other, "required")) {
            (false, true) => changes.add(
                Breaking,
                Side::Request,
                format!("{name} is now required"),
                Some(at),
                Some(to),
            ),
            (true, false) => changes.add(
                Additive,
                Side::Request,
                format!("{name} is now optional"),
                Some(at),
                Some(to),
            ),
            _ => {}
        }
        if ["style", "explode"]
            .iter()
            .any(|member| parameter.get(member) != other.get(member))
        {
            changes.add(
                Breaking,
                Side::Request,
                format!("{name} is written in another way"),
                Some(at),
                Some(to),
            );
        }
        for text in ["description", "example", "deprecated"] {
            changes.text(text, parameter.get(text), other.get(text), (at, to));
        }
        if let (Some(a), Some(b)) = (parameter.get("schema"), other.get("schema")) {
            schema::compare(
                changes,
                Side::Request,
                (a, &step(at, "schema")),
                (b, &step(to, "schema")),
            );
        }
    }
    for (key, (to, parameter)) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        let (severity, kind) = if is_true(parameter, "required") {
            (Breaking, "required")
        } else {
            (Additive, "optional")
        };
        let what = format!("{kind} {} parameter `{}` added", key.0, key.1);
        changes.add(severity, Side::Request, what, None, Some(to));
    }
}

type Parameters<'a> = BTreeMap<(String, String), (String, &'a Value)>;

fn parameter_map<'a>(document: &'a Value, place: &Place<'a>) -> Parameters<'a> {
    let list = place
        .value
        .get("parameters")
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let text = |value: &Value, key: &str| {
        value
            .get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    list.enumerate()
        .map(|(index, parameter)| {
            let at = step(&place.at("parameters"), &index.to_string());
            let (parameter, at) = located(document, parameter, at);
            let (location, mut name) = (text(parameter, "in"), text(parameter, "name"));
            if location == "header" {
                name.make_ascii_lowercase();
            }
            ((location, name), (at, parameter))
        })
        .collect()
}

pub(super) fn is_true(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}
