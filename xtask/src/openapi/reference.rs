//! `$ref`: only to a component of the same document, never to a file or an address.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::failure::{Result, fail};
use super::grammar::{self, Kind, Visit};

/// A component by its section (`schemas`, `responses`, …) and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Reference {
    pub(crate) section: String,
    pub(crate) name: String,
}

impl Reference {
    pub(crate) fn new(section: &str, name: &str) -> Self {
        Self {
            section: section.to_owned(),
            name: name.to_owned(),
        }
    }

    /// Reads the `$ref` of an object, if it has one.
    pub(crate) fn of(object: &Map<String, Value>, pointer: &str) -> Result<Option<Self>> {
        match object.get("$ref") {
            None => Ok(None),
            Some(Value::String(text)) => Self::parse(text, pointer).map(Some),
            Some(_) => fail!("{pointer}: `$ref` must be a string"),
        }
    }

    fn parse(text: &str, pointer: &str) -> Result<Self> {
        let Some(path) = text.strip_prefix("#/components/") else {
            fail!(
                "{pointer}: `$ref: {}` is refused: only `#/components/…` of the same document is followed",
                text.escape_debug()
            );
        };
        match path.split('/').collect::<Vec<_>>()[..] {
            [section, name] if grammar::section(section).is_some() => {
                let name = percent_decoded(name).replace("~1", "/").replace("~0", "~");
                if name.is_empty() || !name.bytes().all(is_name_byte) || name.len() > 128 {
                    fail!("{pointer}: `{}` is not a component's name", name.escape_debug());
                }
                Ok(Self::new(section, &name))
            }
            _ => fail!(
                "{pointer}: `$ref: {}` points into a component; only whole components can be taken",
                text.escape_debug()
            ),
        }
    }

    pub(crate) fn kind(&self) -> Kind {
        // `new` and `parse` know only sections that the grammar has.
        grammar::section(&self.section).unwrap_or(Kind::Schema)
    }

    /// Where it is in a document.
    pub(crate) fn pointer(&self) -> String {
        grammar::step(&format!("/components/{}", self.section), &self.name)
    }

    pub(crate) fn text(&self) -> String {
        format!("#{}", self.pointer())
    }

    pub(crate) fn get<'a>(&self, document: &'a Value) -> Option<&'a Value> {
        document.get("components")?.get(&self.section)?.get(&self.name)
    }
}

/// The target of an object's `$ref`, or the object itself.
pub(crate) fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    located(document, value, String::new()).0
}

/// [`resolved`], with the place of what it found.
pub(crate) fn located<'a>(document: &'a Value, value: &'a Value, pointer: String) -> (&'a Value, String) {
    let (mut value, mut pointer) = (value, pointer);
    // Bounded: a chain of references may be a circle.
    for _ in 0..16 {
        let target = value
            .as_object()
            .and_then(|object| Reference::of(object, "").ok().flatten());
        let Some(target) = target else { break };
        let Some(next) = target.get(document) else { break };
        (value, pointer) = (next, target.pointer());
    }
    (value, pointer)
}

/// The characters that `OpenAPI` allows in a component's name.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-')
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let decoded = match (first, tail) {
            (b'%', [high, low, ..]) => std::str::from_utf8(&[*high, *low])
                .ok()
                .and_then(|digits| u8::from_str_radix(digits, 16).ok()),
            _ => None,
        };
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Far more than any selection of operations needs; it bounds the work of every later stage.
const MAX_COMPONENTS: usize = 1_000;

/// Components in the order in which they were found.
#[derive(Default)]
struct Found {
    order: Vec<Reference>,
    known: BTreeSet<Reference>,
}

impl Found {
    fn add(&mut self, reference: Reference) -> Result<()> {
        if self.known.insert(reference.clone()) {
            if self.order.len() == MAX_COMPONENTS {
                fail!("the chosen operations reach more than {MAX_COMPONENTS} components");
            }
            self.order.push(reference);
        }
        Ok(())
    }
}

impl Visit for Found {
    fn object(&mut self, kind: Kind, pointer: &str, object: &mut Map<String, Value>) -> Result<()> {
        if let Some(reference) = Reference::of(object, pointer)? {
            self.add(reference)?;
        }
        if kind == Kind::Operation {
            let requirements = object
                .get("security")
                .and_then(Value::as_array)
                .into_iter()
                .flatten();
            for scheme in requirements.filter_map(Value::as_object).flat_map(Map::keys) {
                self.add(Reference::new("securitySchemes", scheme))?;
            }
        }
        Ok(())
    }
}

/// Collects what operations reach: components and security schemes.
pub(crate) fn reachable(document: &mut Value, paths: &mut Value) -> Result<Vec<Reference>> {
    let mut found = Found::default();
    let Value::Object(items) = paths else {
        fail!("/paths: an object is expected here")
    };
    for (path, item) in items.iter_mut() {
        grammar::walk(item, Kind::PathItem, &grammar::step("/paths", path), &mut found)?;
    }
    let mut done = 0;
    while let Some(reference) = found.order.get(done).cloned() {
        done += 1;
        let Some(component) = document
            .get_mut("components")
            .and_then(|components| components.get_mut(&reference.section))
            .and_then(|section| section.get_mut(&reference.name))
        else {
            fail!(
                "{} is used, but the document does not define it",
                reference.text()
            );
        };
        grammar::walk(component, reference.kind(), &reference.pointer(), &mut found)?;
    }
    Ok(found.order)
}
