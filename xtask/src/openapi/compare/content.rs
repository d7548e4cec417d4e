//! What an operation takes and what it answers.

use std::collections::BTreeMap;

use serde_json::Value;

use super::operation::{Place, is_true};
use super::schema;
use super::{Changes, Severity, Side};
use crate::openapi::grammar::step;
use crate::openapi::reference::located;

use Severity::{Additive, Breaking, Documentation};

pub(super) fn body<'a>(changes: &mut Changes<'a>, old: &Place<'a>, new: &Place<'a>) {
    let of = |document, place: &Place<'a>| {
        let body = place.value.get("requestBody")?;
        Some(located(document, body, place.at("requestBody")))
    };
    match (of(changes.before, old), of(changes.after, new)) {
        (None, None) => {}
        (Some((_, at)), None) => changes.add(Breaking, Side::Request, "body removed", Some(&at), None),
        (None, Some((body, to))) if is_true(body, "required") => {
            changes.add(Breaking, Side::Request, "required body added", None, Some(&to));
        }
        (None, Some((_, to))) => {
            changes.add(Additive, Side::Request, "optional body added", None, Some(&to));
        }
        (Some((a, at)), Some((b, to))) => {
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

pub(super) fn responses<'a>(changes: &mut Changes<'a>, old: &Place<'a>, new: &Place<'a>) {
    let (before, after) = (members(old.value, "responses"), members(new.value, "responses"));
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
        let (a, at) = located(changes.before, response, at);
        let (b, to) = located(changes.after, other, to);
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

fn members<'a>(owner: &'a Value, key: &str) -> BTreeMap<&'a str, &'a Value> {
    let members = owner.get(key).and_then(Value::as_object).into_iter().flatten();
    members.map(|(name, member)| (name.as_str(), member)).collect()
}

/// Bodies by media type, of a request or of an answer.
fn content<'a>(
    changes: &mut Changes<'a>,
    side: Side,
    name: &str,
    (a, at): (&'a Value, &str),
    (b, to): (&'a Value, &str),
) {
    let (before, after) = (members(a, "content"), members(b, "content"));
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
                let (at, to) = (step(&place, "schema"), step(&other_place, "schema"));
                schema::compare(changes, side, (a, &at), (b, &to));
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
