//! What a new document changes for the users of the crate.
//!
//! The measure is what their programs see: what a call accepts may grow, what an answer holds may grow, and neither may
//! shrink or change its type. Requests and answers are judged apart, because the same change can break the one and not
//! the other.

mod access;
mod content;
mod limits;
mod operation;
mod schema;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::{Map, Value};

/// What a change means for a program that uses the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Severity {
    /// It may stop compiling, or stop working.
    Breaking,
    /// It can do more than before.
    Additive,
    /// It works as before; only the words differ.
    Documentation,
}

/// Which direction of a call a change is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Side {
    Call,
    Request,
    Response,
    Text,
}

/// One change, with the places in the old and the new document.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Change {
    pub(crate) severity: Severity,
    pub(crate) side: Side,
    pub(crate) what: String,
    pub(crate) before: Option<String>,
    pub(crate) after: Option<String>,
    pub(crate) operations: BTreeSet<String>,
}

/// All changes between two documents, the worst first.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) changes: Vec<Change>,
}

impl Comparison {
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.changes
            .iter()
            .filter(|change| change.severity == severity)
            .count()
    }

    pub(crate) fn summary(&self) -> String {
        format!(
            "{} breaking, {} additive, {} in the documentation",
            self.count(Severity::Breaking),
            self.count(Severity::Additive),
            self.count(Severity::Documentation)
        )
    }
}

/// Compares two normalised `OpenAPI` 3.0 documents.
pub(crate) fn compare(before: &Value, after: &Value) -> Comparison {
    let mut changes = Changes {
        before,
        after,
        found: BTreeMap::new(),
        operation: None,
        seen: BTreeSet::new(),
        depth: 0,
    };
    document(&mut changes);
    operation::all(&mut changes);
    let found = changes.found.into_iter();
    Comparison {
        changes: found
            .map(|((severity, side, what, before, after), operations)| Change {
                severity,
                side,
                what,
                before,
                after,
                operations,
            })
            .collect(),
    }
}

/// What makes a change one: severity, side, words, and the two places, in the order of the report.
type Key = (Severity, Side, String, Option<String>, Option<String>);

/// The changes while they are being collected.
struct Changes<'a> {
    before: &'a Value,
    after: &'a Value,
    /// Each change with the operations that it is in.
    found: BTreeMap<Key, BTreeSet<String>>,
    operation: Option<String>,
    /// The pairs of schemas that the current operation has been through: schemas may be circular.
    seen: BTreeSet<(String, String, Side)>,
    /// How many schemas deep the comparison is.
    depth: usize,
}

impl Changes<'_> {
    fn add(
        &mut self,
        severity: Severity,
        side: Side,
        what: impl Into<String>,
        before: Option<&str>,
        after: Option<&str>,
    ) {
        let side = if severity == Severity::Documentation {
            Side::Text
        } else {
            side
        };
        let key = (
            severity,
            side,
            what.into(),
            before.map(str::to_owned),
            after.map(str::to_owned),
        );
        self.found
            .entry(key)
            .or_default()
            .extend(self.operation.iter().cloned());
    }

    /// Reports that a text differs.
    fn text(&mut self, name: &str, before: Option<&Value>, after: Option<&Value>, at: (&str, &str)) {
        if before != after {
            let what = format!("{name} reworded");
            let (before, after) = (before.map(|_| at.0), after.map(|_| at.1));
            self.add(Severity::Documentation, Side::Text, what, before, after);
        }
    }
}

/// What the document says of itself, and its security schemes.
fn document(changes: &mut Changes<'_>) {
    let (before, after) = (changes.before, changes.after);
    if before["info"]["version"] != after["info"]["version"] {
        let what = format!(
            "`api-version` {} is now {}",
            before["info"]["version"], after["info"]["version"]
        );
        changes.add(
            Severity::Breaking,
            Side::Request,
            what,
            Some("/info/version"),
            Some("/info/version"),
        );
    }
    for key in ["title", "description", "contact", "license"] {
        let at = format!("/info/{key}");
        changes.text(key, before["info"].get(key), after["info"].get(key), (&at, &at));
    }
    servers(changes);
    schemes(changes);
    changes.text("tags", before.get("tags"), after.get("tags"), ("/tags", "/tags"));
}

fn servers(changes: &mut Changes<'_>) {
    let urls = |document: &Value| -> Vec<(String, Value)> {
        let list = document["servers"].as_array().cloned().unwrap_or_default();
        list.into_iter()
            .map(|server| (server["url"].as_str().unwrap_or_default().to_owned(), server))
            .collect()
    };
    let (before, after) = (urls(changes.before), urls(changes.after));
    for (index, (url, server)) in before.iter().enumerate() {
        let at = format!("/servers/{index}");
        match after.iter().position(|(other, _)| other == url) {
            None => changes.add(
                Severity::Breaking,
                Side::Call,
                format!("server {url} removed"),
                Some(&at),
                None,
            ),
            Some(index) => {
                changes.text(
                    "server",
                    Some(server),
                    Some(&after[index].1),
                    (&at, &format!("/servers/{index}")),
                );
            }
        }
    }
    for (index, (url, _)) in after.iter().enumerate() {
        if !before.iter().any(|(other, _)| other == url) {
            let at = format!("/servers/{index}");
            changes.add(
                Severity::Additive,
                Side::Call,
                format!("server {url} added"),
                None,
                Some(&at),
            );
        }
    }
}

fn schemes(changes: &mut Changes<'_>) {
    let empty = Map::new();
    let of = |document: &'_ Value| -> Map<String, Value> {
        let schemes = document
            .pointer("/components/securitySchemes")
            .and_then(Value::as_object);
        schemes.unwrap_or(&empty).clone()
    };
    let (before, after) = (of(changes.before), of(changes.after));
    for (name, scheme) in &before {
        let at = format!("/components/securitySchemes/{name}");
        let Some(other) = after.get(name) else {
            changes.add(
                Severity::Breaking,
                Side::Call,
                format!("security scheme `{name}` removed"),
                Some(&at),
                None,
            );
            continue;
        };
        for key in ["type", "scheme", "in", "name", "flows", "openIdConnectUrl"] {
            if scheme.get(key) != other.get(key) {
                let what = format!("security scheme `{name}`: `{key}` changed");
                changes.add(Severity::Breaking, Side::Call, what, Some(&at), Some(&at));
            }
        }
        for key in ["description", "bearerFormat"] {
            changes.text(key, scheme.get(key), other.get(key), (&at, &at));
        }
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        let at = format!("/components/securitySchemes/{name}");
        changes.add(
            Severity::Additive,
            Side::Call,
            format!("security scheme `{name}` added"),
            None,
            Some(&at),
        );
    }
}
