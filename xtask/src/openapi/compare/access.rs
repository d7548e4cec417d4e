//! Who may call an operation, with what credential, and whether the client repeats the call.

use std::collections::BTreeSet;

use serde_json::Value;

use super::operation::{Place, is_true};
use super::{Changes, Severity, Side};

use Severity::{Additive, Breaking};

pub(super) fn security(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
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

pub(super) fn consumers(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
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

/// How often the client sends a call: `x-idempotent` lets it repeat one that failed, `x-send-once` forbids even that
/// which would be safe for others.
pub(super) fn repetition(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
    for (key, repeats) in [("x-idempotent", true), ("x-send-once", false)] {
        let (at, to) = (old.at(key), new.at(key));
        let at = old.value.get(key).map(|_| at.as_str());
        let to = new.value.get(key).map(|_| to.as_str());
        match (
            is_true(old.value, key) == repeats,
            is_true(new.value, key) == repeats,
        ) {
            (false, true) => changes.add(Breaking, Side::Call, "may now be sent twice", at, to),
            (true, false) => changes.add(Additive, Side::Call, "is never sent twice any more", at, to),
            _ => {}
        }
    }
}
