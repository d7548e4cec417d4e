//! The grammar of `OpenAPI` 3.0: which member of which object holds what.
//!
//! Every stage walks documents through it, so that a property that happens to be called `$ref`, `default` or
//! `x-rust-type` is never taken for the keyword, and no keyword is ever looked for inside an example.

use serde_json::{Map, Value, json};

use super::failure::{Result, fail};

/// What an object of a document is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Document,
    Components,
    PathItem,
    Operation,
    Parameter,
    RequestBody,
    Response,
    Header,
    MediaType,
    Schema,
    SecurityScheme,
    Tag,
}

/// What a member of an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Data that is not looked into.
    Leaf,
    One(Kind),
    List(Kind),
    Map(Kind),
    /// `additionalProperties`: a boolean or a schema.
    SchemaOrFlag,
}

use Holds::{Leaf, List, Map as Members, One, SchemaOrFlag};

/// The members that are taken over from a document, in the order in which the result lists them.
/// What is not listed here does not reach the result.
pub(crate) fn members(kind: Kind) -> &'static [(&'static str, Holds)] {
    match kind {
        Kind::Document => &[
            ("openapi", Leaf),
            ("info", Leaf),
            ("servers", Leaf),
            ("tags", List(Kind::Tag)),
            ("paths", Members(Kind::PathItem)),
            ("components", One(Kind::Components)),
        ],
        Kind::Components => &[
            ("schemas", Members(Kind::Schema)),
            ("responses", Members(Kind::Response)),
            ("parameters", Members(Kind::Parameter)),
            ("requestBodies", Members(Kind::RequestBody)),
            ("headers", Members(Kind::Header)),
            ("securitySchemes", Members(Kind::SecurityScheme)),
        ],
        Kind::PathItem => &[
            ("get", One(Kind::Operation)),
            ("put", One(Kind::Operation)),
            ("post", One(Kind::Operation)),
            ("delete", One(Kind::Operation)),
            ("options", One(Kind::Operation)),
            ("head", One(Kind::Operation)),
            ("patch", One(Kind::Operation)),
            ("trace", One(Kind::Operation)),
            ("parameters", List(Kind::Parameter)),
        ],
        Kind::Operation => &[
            ("operationId", Leaf),
            ("tags", Leaf),
            ("summary", Leaf),
            ("description", Leaf),
            ("deprecated", Leaf),
            ("parameters", List(Kind::Parameter)),
            ("requestBody", One(Kind::RequestBody)),
            ("responses", Members(Kind::Response)),
            ("security", Leaf),
        ],
        Kind::Parameter | Kind::Header => &[
            ("$ref", Leaf),
            ("name", Leaf),
            ("in", Leaf),
            ("description", Leaf),
            ("required", Leaf),
            ("deprecated", Leaf),
            ("allowEmptyValue", Leaf),
            ("style", Leaf),
            ("explode", Leaf),
            ("allowReserved", Leaf),
            ("schema", One(Kind::Schema)),
            ("content", Members(Kind::MediaType)),
            ("example", Leaf),
        ],
        Kind::RequestBody => &[
            ("$ref", Leaf),
            ("description", Leaf),
            ("required", Leaf),
            ("content", Members(Kind::MediaType)),
        ],
        Kind::Response => &[
            ("$ref", Leaf),
            ("description", Leaf),
            ("headers", Members(Kind::Header)),
            ("content", Members(Kind::MediaType)),
        ],
        Kind::MediaType => &[("schema", One(Kind::Schema)), ("example", Leaf)],
        Kind::Schema => SCHEMA,
        Kind::SecurityScheme => &[
            ("$ref", Leaf),
            ("type", Leaf),
            ("description", Leaf),
            ("name", Leaf),
            ("in", Leaf),
            ("scheme", Leaf),
            ("bearerFormat", Leaf),
            ("flows", Leaf),
            ("openIdConnectUrl", Leaf),
        ],
        Kind::Tag => &[("name", Leaf), ("description", Leaf)],
    }
}

const SCHEMA: &[(&str, Holds)] = &[
    ("$ref", Leaf),
    ("type", Leaf),
    ("format", Leaf),
    ("nullable", Leaf),
    ("description", Leaf),
    ("deprecated", Leaf),
    ("readOnly", Leaf),
    ("writeOnly", Leaf),
    ("enum", Leaf),
    ("required", Leaf),
    ("properties", Members(Kind::Schema)),
    ("additionalProperties", SchemaOrFlag),
    ("items", One(Kind::Schema)),
    ("allOf", List(Kind::Schema)),
    ("oneOf", List(Kind::Schema)),
    ("anyOf", List(Kind::Schema)),
    ("not", One(Kind::Schema)),
    ("discriminator", Leaf),
    ("minimum", Leaf),
    ("exclusiveMinimum", Leaf),
    ("maximum", Leaf),
    ("exclusiveMaximum", Leaf),
    ("multipleOf", Leaf),
    ("minLength", Leaf),
    ("maxLength", Leaf),
    ("minItems", Leaf),
    ("maxItems", Leaf),
    ("uniqueItems", Leaf),
    ("minProperties", Leaf),
    ("maxProperties", Leaf),
    ("example", Leaf),
];

/// The operations of a document as (path, method, operation).
pub(crate) fn operations(document: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let paths = document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    paths.flat_map(|(path, item)| {
        item.as_object()
            .into_iter()
            .flatten()
            .filter_map(move |(method, operation)| {
                (method != "parameters").then_some((path.as_str(), method.as_str(), operation))
            })
    })
}

/// The kind of the entries of a section of `components`.
pub(crate) fn section(name: &str) -> Option<Kind> {
    members(Kind::Components)
        .iter()
        .find(|(member, _)| *member == name)
        .and_then(|(_, holds)| match holds {
            Members(kind) => Some(*kind),
            _ => None,
        })
}

/// Adds a step to a JSON pointer.
pub(crate) fn step(pointer: &str, key: &str) -> String {
    format!("{pointer}/{}", key.replace('~', "~0").replace('/', "~1"))
}

/// Something that happens at each object of a document.
pub(crate) trait Visit {
    /// Called before the object's members are visited.
    fn object(&mut self, kind: Kind, pointer: &str, object: &mut Map<String, Value>) -> Result<()>;
}

impl<F: FnMut(Kind, &str, &mut Map<String, Value>) -> Result<()>> Visit for F {
    fn object(&mut self, kind: Kind, pointer: &str, object: &mut Map<String, Value>) -> Result<()> {
        self(kind, pointer, object)
    }
}

/// Visits `value`, which is a `kind`, and everything below it that the grammar knows.
pub(crate) fn walk(value: &mut Value, kind: Kind, pointer: &str, visit: &mut dyn Visit) -> Result<()> {
    if kind == Kind::Schema {
        // The two boolean schemas of JSON Schema, said as OpenAPI 3.0 can say them.
        match value {
            Value::Bool(true) => *value = json!({}),
            Value::Bool(false) => *value = json!({"not": {}}),
            _ => {}
        }
    }
    let Value::Object(object) = value else {
        fail!("{pointer}: an object is expected here");
    };
    visit.object(kind, pointer, object)?;
    for (key, holds) in members(kind) {
        let Some(member) = object.get_mut(*key) else {
            continue;
        };
        let at = step(pointer, key);
        match holds {
            Leaf => {}
            One(kind) => walk(member, *kind, &at, visit)?,
            SchemaOrFlag if member.is_boolean() => {}
            SchemaOrFlag => walk(member, Kind::Schema, &at, visit)?,
            List(kind) => {
                let Value::Array(list) = member else {
                    fail!("{at}: a list is expected here")
                };
                for (index, item) in list.iter_mut().enumerate() {
                    walk(item, *kind, &step(&at, &index.to_string()), visit)?;
                }
            }
            Members(kind) => {
                let Value::Object(map) = member else {
                    fail!("{at}: an object is expected here")
                };
                for (name, item) in map.iter_mut() {
                    walk(item, *kind, &step(&at, name), visit)?;
                }
            }
        }
    }
    Ok(())
}
