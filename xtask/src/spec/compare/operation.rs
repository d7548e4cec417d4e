//! Operations: what can be called, with what parameters, by whom, and with which answers.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::schema;
use super::{Changes, Severity, Side};
use crate::spec::preflight::{operations, resolved};
use crate::spec::shape::step;

use Severity::{Additive, Breaking, Documentation};

/// An operation and where it is.
#[derive(Clone)]
struct Place<'a> {
    id: &'a str,
    key: String,
    pointer: String,
    value: &'a Value,
}

impl Place<'_> {
    fn name(&self) -> String {
        if self.id.is_empty() {
            self.key.clone()
        } else {
            self.id.to_owned()
        }
    }

    fn at(&self, member: &str) -> String {
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

fn operation(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
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
    body(changes, old, new);
    responses(changes, old, new);
    security(changes, old, new);
    consumers(changes, old, new);
    idempotence(changes, old, new);
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

fn parameters(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
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
            let parameter = resolved(document, parameter);
            let (location, mut name) = (text(parameter, "in"), text(parameter, "name"));
            if location == "header" {
                name.make_ascii_lowercase();
            }
            (
                (location, name),
                (step(&place.at("parameters"), &index.to_string()), parameter),
            )
        })
        .collect()
}

fn is_true(value: &Value, key: &str) -> bool {
    value.get(key) == Some(&Value::Bool(true))
}

fn body(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
    let (at, to) = (old.at("requestBody"), new.at("requestBody"));
    let a = old
        .value
        .get("requestBody")
        .map(|body| resolved(changes.before, body));
    let b = new
        .value
        .get("requestBody")
        .map(|body| resolved(changes.after, body));
    match (a, b) {
        (None, None) => {}
        (Some(_), None) => changes.add(Breaking, Side::Request, "body removed", Some(&at), None),
        (None, Some(body)) if is_true(body, "required") => {
            changes.add(Breaking, Side::Request, "required body added", None, Some(&to));
        }
        (None, Some(_)) => changes.add(Additive, Side::Request, "optional body added", None, Some(&to)),
        (Some(a), Some(b)) => {
            match (is_true(a, "required"), is_true(b, "required")) {
                (false, true) => changes.add(
                    Breaking,
                    Side::Request,
                    "body is now required",
                    Some(&at),
                    Some(&to),
                ),
                (true, false) => changes.add(
                    Additive,
                    Side::Request,
                    "body is now optional",
                    Some(&at),
                    Some(&to),
                ),
                _ => {}
            }
            changes.text(
                "body's description",
                a.get("description"),
                b.get("description"),
                (&at, &to),
            );
            content(changes, Side::Request, "body", (a, &at), (b, &to));
        }
    }
}

fn responses(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
    let empty = Map::new();
    let of = |place: &Place<'_>| {
        place
            .value
            .get("responses")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (of(old), of(new));
    let _ = &empty;
    for (status, response) in &before {
        let at = step(&old.at("responses"), status);
        let Some(other) = after.get(status) else {
            let severity = if status.starts_with('2') {
                Breaking
            } else {
                Documentation
            };
            changes.add(
                severity,
                Side::Response,
                format!("status {status} no longer listed"),
                Some(&at),
                None,
            );
            continue;
        };
        let to = step(&new.at("responses"), status);
        let (a, b) = (resolved(changes.before, response), resolved(changes.after, other));
        changes.text(
            &format!("status {status}"),
            a.get("description"),
            b.get("description"),
            (&at, &to),
        );
        content(
            changes,
            Side::Response,
            &format!("status {status}"),
            (a, &at),
            (b, &to),
        );
    }
    for status in after.keys().filter(|status| !before.contains_key(*status)) {
        let to = step(&new.at("responses"), status);
        changes.add(
            Additive,
            Side::Response,
            format!("status {status} listed"),
            None,
            Some(&to),
        );
    }
}

/// Bodies by media type, of a request or of an answer.
fn content(
    changes: &mut Changes<'_>,
    side: Side,
    name: &str,
    (a, at): (&Value, &str),
    (b, to): (&Value, &str),
) {
    let of = |owner: &Value| {
        owner
            .get("content")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (of(a), of(b));
    match (before.is_empty(), after.is_empty()) {
        (true, false) => {
            return changes.add(
                Breaking,
                side,
                format!("{name} has a body now"),
                Some(at),
                Some(to),
            );
        }
        (false, true) => {
            return changes.add(
                Breaking,
                side,
                format!("{name} has no body any more"),
                Some(at),
                Some(to),
            );
        }
        _ => {}
    }
    for (media_type, media) in &before {
        let place = step(&step(at, "content"), media_type);
        let Some(other) = after.get(media_type) else {
            changes.add(
                Breaking,
                side,
                format!("{name} is no longer `{media_type}`"),
                Some(&place),
                None,
            );
            continue;
        };
        let other_place = step(&step(to, "content"), media_type);
        changes.text(
            "example",
            media.get("example"),
            other.get("example"),
            (&place, &other_place),
        );
        match (media.get("schema"), other.get("schema")) {
            (Some(a), Some(b)) => {
                schema::compare(
                    changes,
                    side,
                    (a, &step(&place, "schema")),
                    (b, &step(&other_place, "schema")),
                );
            }
            (None, None) => {}
            _ => changes.add(
                Breaking,
                side,
                format!("{name}: type changed"),
                Some(&place),
                Some(&other_place),
            ),
        }
    }
    for media_type in after
        .keys()
        .filter(|media_type| !before.contains_key(*media_type))
    {
        let place = step(&step(to, "content"), media_type);
        changes.add(
            Additive,
            side,
            format!("{name} may be `{media_type}`"),
            None,
            Some(&place),
        );
    }
}

fn security(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
    let (before, after) = (alternatives(old.value), alternatives(new.value));
    if before == after {
        return;
    }
    let (at, to) = (old.at("security"), new.at("security"));
    let open = BTreeSet::new();
    let (was_open, is_open) = (before.contains(&open), after.contains(&open));
    let say = |set: &BTreeSet<BTreeSet<String>>| {
        let names = set.iter().map(|one| {
            if one.is_empty() {
                "nothing".to_owned()
            } else {
                one.iter().cloned().collect::<Vec<_>>().join(" and ")
            }
        });
        names.collect::<Vec<_>>().join(" or ")
    };
    let what = format!("needs {} now, {} before", say(&after), say(&before));
    let narrower = before.iter().any(|one| !after.contains(one) && !is_open) || (was_open && !is_open);
    changes.add(
        if narrower { Breaking } else { Additive },
        Side::Call,
        what,
        Some(&at),
        Some(&to),
    );
}

fn alternatives(operation: &Value) -> BTreeSet<BTreeSet<String>> {
    let list = operation
        .get("security")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let mut alternatives: BTreeSet<BTreeSet<String>> = list
        .iter()
        .filter_map(Value::as_object)
        .map(|one| one.keys().cloned().collect())
        .collect();
    if alternatives.is_empty() {
        alternatives.insert(BTreeSet::new());
    }
    alternatives
}

fn consumers(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
    let of = |place: &Place<'_>| -> BTreeSet<String> {
        let list = place
            .value
            .get("x-consumers")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        list.filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let (before, after) = (of(old), of(new));
    let (at, to) = (old.at("x-consumers"), new.at("x-consumers"));
    for consumer in before.difference(&after) {
        changes.add(
            Breaking,
            Side::Call,
            format!("no longer for the consumer `{consumer}`"),
            Some(&at),
            Some(&to),
        );
    }
    for consumer in after.difference(&before) {
        changes.add(
            Additive,
            Side::Call,
            format!("for the consumer `{consumer}` too"),
            Some(&at),
            Some(&to),
        );
    }
}

/// A call that counted as safe to repeat is repeated by the client; one that did not, is not.
fn idempotence(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
    let (at, to) = (old.at("x-idempotent"), new.at("x-idempotent"));
    match (
        is_true(old.value, "x-idempotent"),
        is_true(new.value, "x-idempotent"),
    ) {
        (false, true) => changes.add(
            Breaking,
            Side::Call,
            "may now be sent twice",
            Some(&at),
            Some(&to),
        ),
        (true, false) => changes.add(
            Additive,
            Side::Call,
            "is never sent twice any more",
            Some(&at),
            Some(&to),
        ),
        _ => {}
    }
}
