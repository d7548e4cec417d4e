//! What limits a schema's values: further fields, alternatives, bounds, reserved names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::schema::{Pair, compare, kind_of, name_of};
use super::{Severity, Side};
use crate::openapi::grammar::step;

use Severity::{Additive, Breaking, Documentation};

impl<'d> Pair<'_, 'd, '_> {
    pub(super) fn additional(&mut self, a: &'d Map<String, Value>, b: &'d Map<String, Value>) {
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

    pub(super) fn variants(&mut self, a: &'d Map<String, Value>, b: &'d Map<String, Value>) {
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

    pub(super) fn limits(&mut self, a: &'d Map<String, Value>, b: &'d Map<String, Value>) {
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

    pub(super) fn reserved(&mut self, a: &'d Map<String, Value>, b: &'d Map<String, Value>) {
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
    let (mut variants, mut counts) = (BTreeMap::new(), BTreeMap::new());
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
        let count = counts.entry(label.clone()).or_insert(0_usize);
        *count += 1;
        let label = match *count {
            1 => label,
            count => format!("{label} ({count})"),
        };
        variants.insert(label, (index, variant));
    }
    variants
}
