//! What a new document changes for the users of the crate.
//!
//! The measure is what their programs see: what a call accepts may grow, what an answer holds may grow, and neither may
//! shrink or change its type. Requests and answers are judged apart, because the same change can break the one and not
//! the other.
//!
//! `facts` flattens each operation into a sorted map of facts, the maps are subtracted here, and the table in `verdict`
//! says what each difference means.

mod facts;
mod verdict;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use super::grammar::{operations, step};
use facts::{Aliases, Facts};

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
        let of_severity = self.changes.iter().filter(|change| change.severity == severity);
        of_severity.count()
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
    let mut changes = Changes::default();
    changes.subtract("", &Facts::of_document(before), &Facts::of_document(after));
    let (old, new) = (places(before), places(after));
    for place in &old {
        match partner(place, &old, &new) {
            Some(other) => changes.operation((before, place), (after, other)),
            None => changes.add(
                &place.name,
                (Severity::Breaking, "operation removed"),
                Side::Call,
                (Some(&place.pointer), None),
            ),
        }
    }
    for place in &new {
        if partner(place, &new, &old).is_none() {
            changes.add(
                &place.name,
                (Severity::Additive, "operation added"),
                Side::Call,
                (None, Some(&place.pointer)),
            );
        }
    }
    changes.into_comparison()
}

/// An operation and where it is.
struct Place<'a> {
    /// What the report calls it.
    name: String,
    id: &'a str,
    /// Method and path.
    call: String,
    pointer: String,
    value: &'a Value,
}

fn places(document: &Value) -> Vec<Place<'_>> {
    operations(document)
        .map(|(path, method, value)| {
            let id = value
                .get("operationId")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let call = format!("{} {path}", method.to_ascii_uppercase());
            Place {
                name: if id.is_empty() {
                    call.clone()
                } else {
                    id.to_owned()
                },
                id,
                call,
                pointer: step(&step("/paths", path), method),
                value,
            }
        })
        .collect()
}

/// The same operation among `others`: by method and path, else by an id that moved there.
fn partner<'p, 'a>(place: &Place<'_>, own: &[Place<'_>], others: &'p [Place<'a>]) -> Option<&'p Place<'a>> {
    others.iter().find(|other| other.call == place.call).or_else(|| {
        let moved = |other: &&Place<'_>| {
            !place.id.is_empty() && other.id == place.id && !own.iter().any(|one| one.call == other.call)
        };
        others.iter().find(moved)
    })
}

/// What makes a change one: severity, side, words, and the two places, in the order of the report.
type Key = (Severity, Side, String, Option<String>, Option<String>);

/// The changes while they are being collected, each with the operations that it is in.
#[derive(Default)]
struct Changes(BTreeMap<Key, BTreeSet<String>>);

impl Changes {
    fn operation(&mut self, (before, old): (&Value, &Place<'_>), (after, new): (&Value, &Place<'_>)) {
        let mut aliases = Aliases::new();
        let before = Facts::of_operation(before, old, &Aliases::new());
        loop {
            let facts = Facts::of_operation(after, new, &aliases);
            let found = before.renamed_in(&facts, &aliases);
            if found.is_empty() {
                return self.subtract(&old.name, &before, &facts);
            }
            aliases.extend(found);
        }
    }

    /// Reports the facts of `before` and `after` that differ, where both have what they are facts of.
    fn subtract(&mut self, operation: &str, before: &Facts<'_>, after: &Facts<'_>) {
        for (node, old) in &before.nodes {
            let Some(new) = after.nodes.get(node) else {
                continue;
            };
            for fact in old
                .keys()
                .chain(new.keys().filter(|fact| !old.contains_key(*fact)))
            {
                let (a, b) = (old.get(fact), new.get(fact));
                if let Some((severity, what)) = verdict::of(fact, node.side, a, b) {
                    let places = (a.and_then(facts::Entry::place), b.and_then(facts::Entry::place));
                    self.add(operation, (severity, &what), node.side, places);
                }
            }
        }
    }

    fn add(
        &mut self,
        operation: &str,
        (severity, what): (Severity, &str),
        side: Side,
        (before, after): (Option<&str>, Option<&str>),
    ) {
        let side = if severity == Severity::Documentation {
            Side::Text
        } else {
            side
        };
        let key = (
            severity,
            side,
            what.to_owned(),
            before.map(str::to_owned),
            after.map(str::to_owned),
        );
        let operation = Some(operation).filter(|operation| !operation.is_empty());
        self.0
            .entry(key)
            .or_default()
            .extend(operation.map(str::to_owned));
    }

    fn into_comparison(self) -> Comparison {
        let change = |((severity, side, what, before, after), operations)| Change {
            severity,
            side,
            what,
            before,
            after,
            operations,
        };
        Comparison {
            changes: self.0.into_iter().map(change).collect(),
        }
    }
}
