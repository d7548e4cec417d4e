//! What an operation takes and what it answers.

use serde_json::Value;

use super::operation::{Place, is_true};
use super::schema;
use super::{Changes, Severity, Side};
use crate::spec::preflight::resolved;
use crate::spec::shape::step;

use Severity::{Additive, Breaking, Documentation};

pub(super) fn body(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
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

pub(super) fn responses(changes: &mut Changes<'_>, old: &Place<'_>, new: &Place<'_>) {
    let of = |place: &Place<'_>| {
        place
            .value
            .get("responses")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_default()
    };
    let (before, after) = (of(old), of(new));
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
