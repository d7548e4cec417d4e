//! Schemas: the types of what is sent and of what comes back.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::view::{Fields, View, view};
use super::{Changes, Severity, Side};
use crate::spec::shape::step;

use Severity::{Additive, Breaking, Documentation};

/// Compares two schemas that stand in the same place of the same operation.
pub(super) fn compare(
    changes: &mut Changes<'_>,
    side: Side,
    (a, at): (&Value, &str),
    (b, to): (&Value, &str),
) {
    let (before, after) = (changes.before, changes.after);
    // Both come out of the documents, but through clones of responses: look them up again where they live.
    let a = before.pointer(at).unwrap_or(a);
    let b = after.pointer(to).unwrap_or(b);
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

struct Pair<'c, 'd, 'p> {
    changes: &'c mut Changes<'d>,
    side: Side,
    at: &'p str,
    to: &'p str,
}

impl Pair<'_, '_, '_> {
    fn add(&mut self, severity: Severity, what: String) {
        let (side, at, to) = (self.side, self.at, self.to);
        self.changes.add(severity, side, what, Some(at), Some(to));
    }

    /// A change whose verdict depends on the direction.
    fn directed(&mut self, in_request: Severity, in_response: Severity, what: String) {
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
        let values =
            |schema: &Map<String, Value>| -> Option<Vec<Value>> { schema.get("enum")?.as_array().cloned() };
        let open = |schema: &Map<String, Value>| schema.get("x-open") == Some(&Value::Bool(true));
        match (open(a), open(b)) {
            (true, false) => self.add(Breaking, "values are closed now".to_owned()),
            (false, true) => self.add(Additive, "values are open now".to_owned()),
            _ => {}
        }
        match (values(a), values(b)) {
            (Some(old), Some(new)) => {
                for value in old.iter().filter(|value| !new.contains(value)) {
                    self.add(Breaking, format!("value {value} removed"));
                }
                let in_response = if open(a) || open(b) { Additive } else { Breaking };
                for value in new.iter().filter(|value| !old.contains(value)) {
                    self.directed(Additive, in_response, format!("value {value} added"));
                }
            }
            (None, Some(_)) => self.add(Breaking, "only listed values now".to_owned()),
            (Some(_), None) => self.add(Breaking, "any value now, listed ones before".to_owned()),
            (None, None) => {}
        }
    }

    fn fields(&mut self, a: &Fields<'_>, b: &Fields<'_>) {
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

    fn additional(&mut self, a: &Map<String, Value>, b: &Map<String, Value>) {
        let (old, new) = (a.get("additionalProperties"), b.get("additionalProperties"));
        match (old, new) {
            (Some(Value::Object(_)), Some(Value::Object(_))) => {
                let (at, to) = (
                    step(self.at, "additionalProperties"),
                    step(self.to, "additionalProperties"),
                );
                if let (Some(old), Some(new)) = (old, new) {
                    compare(self.changes, self.side, (old, &at), (new, &to));
                }
            }
            (Some(Value::Object(_)), _) | (_, Some(Value::Object(_))) => {
                self.add(Breaking, "further fields have another type".to_owned());
            }
            (Some(Value::Bool(false)), Some(Value::Bool(true)) | None) => {
                self.add(Additive, "further fields are allowed now".to_owned());
            }
            (_, Some(Value::Bool(false))) if old != new => {
                self.directed(
                    Breaking,
                    Additive,
                    "further fields are not allowed any more".to_owned(),
                );
            }
            (Some(Value::Bool(true)), None) => {
                self.add(Breaking, "further fields are not kept any more".to_owned());
            }
            (None, Some(Value::Bool(true))) => self.add(Additive, "further fields are kept now".to_owned()),
            _ => {}
        }
    }

    fn variants(&mut self, a: &Map<String, Value>, b: &Map<String, Value>) {
        for keyword in ["oneOf", "anyOf"] {
            let (old, new) = (variants(a, keyword), variants(b, keyword));
            for (label, (index, variant)) in &old {
                let at = step(&step(self.at, keyword), &index.to_string());
                let Some((index, other)) = new.get(label) else {
                    self.changes.add(
                        Breaking,
                        self.side,
                        format!("variant {label} removed"),
                        Some(&at),
                        None,
                    );
                    continue;
                };
                let to = step(&step(self.to, keyword), &index.to_string());
                compare(self.changes, self.side, (variant, &at), (other, &to));
            }
            for (label, (index, _)) in new.iter().filter(|(label, _)| !old.contains_key(*label)) {
                let to = step(&step(self.to, keyword), &index.to_string());
                let severity = if self.side == Side::Request {
                    Additive
                } else {
                    Breaking
                };
                self.changes.add(
                    severity,
                    self.side,
                    format!("variant {label} added"),
                    None,
                    Some(&to),
                );
            }
        }
    }

    fn limits(&mut self, a: &Map<String, Value>, b: &Map<String, Value>) {
        for (key, higher_is_stricter) in [
            ("minimum", true),
            ("minLength", true),
            ("minItems", true),
            ("minProperties", true),
            ("maximum", false),
            ("maxLength", false),
            ("maxItems", false),
            ("maxProperties", false),
        ] {
            let number = |schema: &Map<String, Value>| schema.get(key).and_then(Value::as_f64);
            let stricter = match (number(a), number(b)) {
                (None, None) => continue,
                (None, Some(_)) => true,
                (Some(_), None) => false,
                (Some(old), Some(new)) if (old - new).abs() < f64::EPSILON => continue,
                (Some(old), Some(new)) => (new > old) == higher_is_stricter,
            };
            let what = format!(
                "{}limit `{key}` is {} now",
                name_of(self.at),
                if stricter { "stricter" } else { "looser" }
            );
            if stricter {
                self.directed(Breaking, Additive, what);
            } else {
                self.add(Additive, what);
            }
        }
        for key in [
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "uniqueItems",
        ] {
            let off = Value::Bool(false);
            let (old, new) = (a.get(key).unwrap_or(&off), b.get(key).unwrap_or(&off));
            if old != new {
                let what = format!("{}limit `{key}` changed", name_of(self.at));
                if *new == off {
                    self.add(Additive, what);
                } else {
                    self.directed(Breaking, Additive, what);
                }
            }
        }
    }

    fn reserved(&mut self, a: &Map<String, Value>, b: &Map<String, Value>) {
        let names = |schema: &Map<String, Value>| -> BTreeSet<String> {
            let list = schema
                .get("x-reserved-names")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            list.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let (old, new) = (names(a), names(b));
        for name in new.difference(&old) {
            self.directed(
                Breaking,
                Documentation,
                format!("the name `{name}` is reserved now"),
            );
        }
        for name in old.difference(&new) {
            self.directed(Additive, Documentation, format!("the name `{name}` is free now"));
        }
    }
}

fn variants<'a>(schema: &'a Map<String, Value>, keyword: &str) -> BTreeMap<String, (usize, &'a Value)> {
    let list = schema
        .get(keyword)
        .and_then(Value::as_array)
        .into_iter()
        .flatten();
    let mut variants = BTreeMap::new();
    for (index, variant) in list.enumerate() {
        let target = variant
            .get("$ref")
            .and_then(Value::as_str)
            .and_then(|target| target.rsplit('/').next());
        let label = match (target, variant.as_object()) {
            (Some(name), _) => format!("`{name}`"),
            (None, Some(variant)) => kind_of(variant),
            (None, None) => continue,
        };
        // Two of a kind are told apart by their order.
        let count = variants
            .keys()
            .filter(|known: &&String| known.starts_with(&label))
            .count();
        variants.insert(
            if count == 0 {
                label
            } else {
                format!("{label} ({})", count + 1)
            },
            (index, variant),
        );
    }
    variants
}

/// The type as the generated code has it.
fn kind_of(schema: &Map<String, Value>) -> String {
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
fn name_of(pointer: &str) -> String {
    match pointer.rsplit_once("/properties/") {
        Some((_, name)) if !name.contains('/') => {
            format!("field `{}`: ", name.replace("~1", "/").replace("~0", "~"))
        }
        _ => String::new(),
    }
}
