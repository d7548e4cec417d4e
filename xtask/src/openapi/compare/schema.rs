//! Schemas: the types of what is sent and of what comes back.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::view::{Fields, View, view};
use super::{Changes, Severity, Side};
use crate::openapi::grammar::step;

use Severity::{Additive, Breaking, Documentation};

/// Deeper than any type that people use; a hostile document could go on until the stack ends.
const MAX_DEPTH: usize = 200;

/// Compares two schemas that stand in the same place of the same operation.
pub(super) fn compare<'d>(
    changes: &mut Changes<'d>,
    side: Side,
    (a, at): (&'d Value, &str),
    (b, to): (&'d Value, &str),
) {
    if changes.depth == MAX_DEPTH {
        return changes.add(
            Breaking,
            side,
            "nested too deeply to be compared",
            Some(at),
            Some(to),
        );
    }
    changes.depth += 1;
    one_level(changes, side, (a, at), (b, to));
    changes.depth -= 1;
}

fn one_level<'d>(
    changes: &mut Changes<'d>,
    side: Side,
    (a, at): (&'d Value, &str),
    (b, to): (&'d Value, &str),
) {
    let (before, after) = (changes.before, changes.after);
    let (Some(a), Some(b)) = (view(before, a, at), view(after, b, to)) else {
        return;
    };
    let mut pair = Pair {
        changes,
        side,
        at: &a.pointer,
        to: &b.pointer,
    };
    if a.name != b.name {
        pair.types_renamed(a.name.as_deref(), b.name.as_deref());
    }
    pair.nullable(&a, &b, (at, to));
    pair.unit(&a, &b, (at, to));
    pair.changes
        .text("description", a.description, b.description, (at, to));
    if !pair
        .changes
        .seen
        .insert((a.pointer.clone(), b.pointer.clone(), side))
    {
        return;
    }
    if pair.kind(&a, &b) {
        return;
    }
    pair.enumeration(a.schema, b.schema);
    pair.fields(&Fields::of(before, &a), &Fields::of(after, &b));
    pair.additional(a.schema, b.schema);
    pair.variants(a.schema, b.schema);
    pair.limits(a.schema, b.schema);
    pair.reserved(a.schema, b.schema);
    for key in ["description", "example", "deprecated", "readOnly", "writeOnly"] {
        pair.changes.text(
            key,
            a.schema.get(key),
            b.schema.get(key),
            (&a.pointer, &b.pointer),
        );
    }
    if let (Some(items), Some(others)) = (a.schema.get("items"), b.schema.get("items")) {
        let (at, to) = (step(&a.pointer, "items"), step(&b.pointer, "items"));
        compare(pair.changes, side, (items, &at), (others, &to));
    }
}

pub(super) struct Pair<'c, 'd, 'p> {
    pub(super) changes: &'c mut Changes<'d>,
    pub(super) side: Side,
    pub(super) at: &'p str,
    pub(super) to: &'p str,
}

impl<'d> Pair<'_, 'd, '_> {
    pub(super) fn add(&mut self, severity: Severity, what: String) {
        let (side, at, to) = (self.side, self.at, self.to);
        self.changes.add(severity, side, what, Some(at), Some(to));
    }

    /// A change whose verdict depends on the direction.
    pub(super) fn directed(&mut self, in_request: Severity, in_response: Severity, what: String) {
        self.add(
            if self.side == Side::Request {
                in_request
            } else {
                in_response
            },
            what,
        );
    }

    fn types_renamed(&mut self, a: Option<&str>, b: Option<&str>) {
        let what = match (a, b) {
            (Some(a), Some(b)) => format!("type `{a}` is called `{b}` now"),
            (Some(a), None) => format!("type `{a}` has no name of its own any more"),
            (None, Some(b)) => format!("type has the name `{b}` now"),
            (None, None) => return,
        };
        self.add(Breaking, what);
    }

    fn nullable(&mut self, a: &View<'_>, b: &View<'_>, (at, to): (&str, &str)) {
        let (severity, what) = match (a.nullable, b.nullable, self.side) {
            (false, true, Side::Request) => (Additive, "may be null now"),
            (false, true, _) => (Breaking, "may be null now"),
            (true, false, Side::Request) => (Breaking, "may not be null any more"),
            (true, false, _) => (Additive, "is never null any more"),
            _ => return,
        };
        self.changes.add(
            severity,
            self.side,
            format!("{}{what}", name_of(at)),
            Some(at),
            Some(to),
        );
    }

    fn unit(&mut self, a: &View<'_>, b: &View<'_>, (at, to): (&str, &str)) {
        if a.unit != b.unit {
            let say = |unit: Option<&Value>| unit.and_then(Value::as_str).unwrap_or("no unit").to_owned();
            let what = format!("{}in {} now, in {} before", name_of(at), say(b.unit), say(a.unit));
            self.changes.add(Breaking, self.side, what, Some(at), Some(to));
        }
    }

    /// Whether the type is another one; then there is nothing more to compare.
    fn kind(&mut self, a: &View<'_>, b: &View<'_>) -> bool {
        let (old, new) = (kind_of(a.schema), kind_of(b.schema));
        if old != new {
            let what = format!("{}type changed from {old} to {new}", name_of(self.at));
            self.add(Breaking, what);
        }
        old != new
    }

    fn enumeration(&mut self, a: &Map<String, Value>, b: &Map<String, Value>) {
        // By their text: a hostile list is long.
        let values = |schema: &Map<String, Value>| -> Option<BTreeSet<String>> {
            let list = schema.get("enum")?.as_array()?;
            Some(list.iter().map(Value::to_string).collect())
        };
        let open = |schema: &Map<String, Value>| schema.get("x-open") == Some(&Value::Bool(true));
        match (open(a), open(b)) {
            (true, false) => self.add(Breaking, "values are closed now".to_owned()),
            (false, true) => self.add(Additive, "values are open now".to_owned()),
            _ => {}
        }
        match (values(a), values(b)) {
            (Some(old), Some(new)) => {
                for value in old.difference(&new) {
                    self.add(Breaking, format!("value {value} removed"));
                }
                let in_response = if open(a) || open(b) { Additive } else { Breaking };
                for value in new.difference(&old) {
                    self.directed(Additive, in_response, format!("value {value} added"));
                }
            }
            (None, Some(_)) => self.add(Breaking, "only listed values now".to_owned()),
            (Some(_), None) => self.add(Breaking, "any value now, listed ones before".to_owned()),
            (None, None) => {}
        }
    }

    fn fields(&mut self, a: &Fields<'d>, b: &Fields<'d>) {
        let side = self.side;
        for (name, (at, field)) in &a.all {
            let Some((to, other)) = b.all.get(name) else {
                self.changes
                    .add(Breaking, side, format!("field `{name}` removed"), Some(at), None);
                continue;
            };
            let (severity, what) = match (a.required.contains(name), b.required.contains(name), side) {
                (false, true, Side::Request) => (Breaking, "is now required"),
                (true, false, Side::Request) => (Additive, "is now optional"),
                (false, true, _) => (Additive, "is always there now"),
                (true, false, _) => (Breaking, "may be missing now"),
                _ => (Documentation, ""),
            };
            if !what.is_empty() {
                self.changes.add(
                    severity,
                    side,
                    format!("field `{name}` {what}"),
                    Some(at),
                    Some(to),
                );
            }
            compare(self.changes, side, (field, at), (other, to));
        }
        for (name, (to, _)) in b.all.iter().filter(|(name, _)| !a.all.contains_key(*name)) {
            let (severity, kind) = match (b.required.contains(name), side) {
                (true, Side::Request) => (Breaking, "required field"),
                (false, Side::Request) => (Additive, "optional field"),
                _ => (Additive, "field"),
            };
            self.changes
                .add(severity, side, format!("{kind} `{name}` added"), None, Some(to));
        }
    }
}

/// The type as the generated code has it.
pub(super) fn kind_of(schema: &Map<String, Value>) -> String {
    let text = |key: &str| schema.get(key).and_then(Value::as_str);
    match (text("type"), text("format")) {
        (Some(name), Some(format)) => format!("{name} ({format})"),
        (Some(name), None) => name.to_owned(),
        (None, _) if schema.contains_key("oneOf") || schema.contains_key("anyOf") => {
            "one of several".to_owned()
        }
        (None, _) if schema.contains_key("allOf") || schema.contains_key("properties") => "object".to_owned(),
        (None, _) => "anything".to_owned(),
    }
}

/// The name of a field from its place, for messages.
pub(super) fn name_of(pointer: &str) -> String {
    match pointer.rsplit_once("/properties/") {
        Some((_, name)) if !name.contains('/') => {
            format!("field `{}`: ", name.replace("~1", "/").replace("~0", "~"))
        }
        _ => String::new(),
    }
}
