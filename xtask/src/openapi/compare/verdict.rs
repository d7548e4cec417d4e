//! The table of verdicts: what a difference between two facts means for users.

use std::collections::BTreeSet;

use serde_json::Value;

use super::facts::{Entry, Fact};
use super::{Severity, Side};

use Severity::{Additive, Breaking, Documentation};

type Verdict = (Severity, String);

/// The meaning of a fact that is `old` before and `new` after; nothing if it is the same.
pub(super) fn of(fact: &Fact, side: Side, old: Option<&Entry>, new: Option<&Entry>) -> Option<Verdict> {
    let (a, b) = (old.map(|entry| &entry.value), new.map(|entry| &entry.value));
    // Whether the list is open is a fact of its own.
    let listed_twice = matches!(fact, Fact::Value(_)) && a.is_some() && b.is_some();
    if a == b || listed_twice {
        return None;
    }
    let name = old
        .or(new)
        .and_then(Entry::place)
        .map(name_of)
        .unwrap_or_default();
    let on = b.is_some_and(|value| *value != false);
    if let Fact::Part(label) = fact {
        return Some(part(label, side, a, b));
    }
    if let Some((gained, lost)) = flag(fact, side, &name, a.or(b).unwrap_or(&Value::Null)) {
        return Some(if on { gained } else { lost });
    }
    let (a, b) = (a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null));
    let (before, after) = (plain(a), plain(b));
    Some(match fact {
        Fact::Version => (Breaking, format!("`api-version` {a} is now {b}")),
        Fact::Text(name) => (Documentation, format!("{name} reworded")),
        Fact::SchemeMember(scheme, key) => (Breaking, format!("security scheme `{scheme}`: `{key}` changed")),
        Fact::Path => (Breaking, format!("moved from {before} to {after}")),
        Fact::Id => (Breaking, format!("renamed from `{before}` to `{after}`")),
        Fact::Style(label) => (Breaking, format!("{label} is written in another way")),
        Fact::Kind => (Breaking, format!("{name}type changed from {before} to {after}")),
        Fact::Unit => (
            Breaking,
            format!("{name}in {} now, in {} before", unit(b), unit(a)),
        ),
        Fact::TypeName if b.is_null() => (
            Breaking,
            format!("type `{before}` has no name of its own any more"),
        ),
        Fact::TypeName if a.is_null() => (Breaking, format!("type has the name `{after}` now")),
        Fact::TypeName => (Breaking, format!("type `{before}` is called `{after}` now")),
        Fact::Security => security(a, b),
        Fact::Additional => additional(side, a, b),
        Fact::Limit(key) => {
            let higher = b.as_f64() > a.as_f64();
            let stricter = !b.is_null() && (a.is_null() || higher == key.starts_with("min"));
            let severity = if stricter {
                by(side, Breaking, Additive)
            } else {
                Additive
            };
            let how = if stricter { "stricter" } else { "looser" };
            (severity, format!("{name}limit `{key}` is {how} now"))
        }
        Fact::Rule(key) if *b == false => (Additive, format!("{name}limit `{key}` changed")),
        Fact::Rule(key) => (
            by(side, Breaking, Additive),
            format!("{name}limit `{key}` changed"),
        ),
        other => (Breaking, format!("{other:?} changed")),
    })
}

/// The verdicts for a fact that appears or becomes true, and for one that disappears or becomes false.
fn flag(fact: &Fact, side: Side, name: &str, value: &Value) -> Option<(Verdict, Verdict)> {
    let (gained, lost): ((Severity, String), (Severity, String)) = match fact {
        Fact::Server(url) => (
            (Additive, format!("server {url} added")),
            (Breaking, format!("server {url} removed")),
        ),
        Fact::Scheme(name) => (
            (Additive, format!("security scheme `{name}` added")),
            (Breaking, format!("security scheme `{name}` removed")),
        ),
        Fact::Consumer(name) => (
            (Additive, format!("for the consumer `{name}` too")),
            (Breaking, format!("no longer for the consumer `{name}`")),
        ),
        Fact::Repeats(_) => (
            (Breaking, "may now be sent twice".to_owned()),
            (Additive, "is never sent twice any more".to_owned()),
        ),
        Fact::Status(status) => (
            (Additive, format!("status {status} listed")),
            (
                if status.starts_with('2') {
                    Breaking
                } else {
                    Documentation
                },
                format!("status {status} no longer listed"),
            ),
        ),
        Fact::Content(label) => (
            (Breaking, format!("{label} has a body now")),
            (Breaking, format!("{label} has no body any more")),
        ),
        Fact::Media(label, media_type) => (
            (Additive, format!("{label} may be `{media_type}`")),
            (Breaking, format!("{label} is no longer `{media_type}`")),
        ),
        Fact::Schema(label) => (
            (Breaking, format!("{label}: type changed")),
            (Breaking, format!("{label}: type changed")),
        ),
        Fact::Nullable => (
            (by(side, Additive, Breaking), format!("{name}may be null now")),
            match side {
                Side::Request => (Breaking, format!("{name}may not be null any more")),
                _ => (Additive, format!("{name}is never null any more")),
            },
        ),
        Fact::Open => (
            (Additive, "values are open now".to_owned()),
            (Breaking, "values are closed now".to_owned()),
        ),
        Fact::Listed => (
            (Breaking, "only listed values now".to_owned()),
            (Breaking, "any value now, listed ones before".to_owned()),
        ),
        Fact::Value(listed) => (
            (
                if value["open"] == true {
                    Additive
                } else {
                    by(side, Additive, Breaking)
                },
                format!("value {listed} added"),
            ),
            (Breaking, format!("value {listed} removed")),
        ),
        Fact::Variant(label) => (
            (by(side, Additive, Breaking), format!("variant {label} added")),
            (Breaking, format!("variant {label} removed")),
        ),
        Fact::Reserved(name) => (
            (
                by(side, Breaking, Documentation),
                format!("the name `{name}` is reserved now"),
            ),
            (
                by(side, Additive, Documentation),
                format!("the name `{name}` is free now"),
            ),
        ),
        _ => return None,
    };
    Some((gained, lost))
}

/// A parameter, a body or a field, by whether it is required.
fn part(label: &str, side: Side, a: Option<&Value>, b: Option<&Value>) -> Verdict {
    let required = b.is_some_and(|required| *required == true);
    match (a.is_some(), b.is_some(), side) {
        (_, false, _) => (Breaking, format!("{label} removed")),
        (false, true, Side::Request) if required => (Breaking, format!("required {label} added")),
        (false, true, Side::Request) => (Additive, format!("optional {label} added")),
        (false, true, _) => (Additive, format!("{label} added")),
        (true, true, Side::Request) if required => (Breaking, format!("{label} is now required")),
        (true, true, Side::Request) => (Additive, format!("{label} is now optional")),
        (true, true, _) if required => (Additive, format!("{label} is always there now")),
        (true, true, _) => (Breaking, format!("{label} may be missing now")),
    }
}

fn additional(side: Side, a: &Value, b: &Value) -> Verdict {
    let (severity, what) = match (a, b) {
        (Value::String(_), _) | (_, Value::String(_)) => (Breaking, "have another type"),
        (Value::Bool(false), _) => (Additive, "are allowed now"),
        (_, Value::Bool(false)) => (by(side, Breaking, Additive), "are not allowed any more"),
        (Value::Bool(true), _) => (Breaking, "are not kept any more"),
        _ => (Additive, "are kept now"),
    };
    (severity, format!("further fields {what}"))
}

fn security(a: &Value, b: &Value) -> Verdict {
    let sets = |value: &Value| -> BTreeSet<Vec<String>> {
        serde_json::from_value(value.clone()).unwrap_or_default()
    };
    let (before, after) = (sets(a), sets(b));
    let say = |alternatives: &BTreeSet<Vec<String>>| {
        let one = |set: &Vec<String>| {
            if set.is_empty() {
                "nothing".to_owned()
            } else {
                set.join(" and ")
            }
        };
        alternatives.iter().map(one).collect::<Vec<_>>().join(" or ")
    };
    let is_open = after.contains(&Vec::new());
    let narrower = !is_open && before.iter().any(|one| !after.contains(one));
    let what = format!("needs {} now, {} before", say(&after), say(&before));
    (if narrower { Breaking } else { Additive }, what)
}

/// A verdict that depends on the direction.
fn by(side: Side, in_request: Severity, in_response: Severity) -> Severity {
    if side == Side::Request {
        in_request
    } else {
        in_response
    }
}

fn plain(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn unit(value: &Value) -> &str {
    value.as_str().unwrap_or("no unit")
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
