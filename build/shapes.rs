//! Writes the shapes of the responses: what is needed to read a response that almost matches the document.
//!
//! Each named schema is written once, and others refer to it. So a schema that contains itself causes no problem, and the code
//! does not grow with the number of ways in which schemas can be nested.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::{Span, TokenStream};
use quote::quote;
use serde_json::Value;
use syn::{Expr, Ident, parse_quote};

use super::document::{Document, Located, reference_name};
use super::simplify::nullable_target;

/// What happens to a response with an unreadable field: `refuse` if the field's absence decides something, and `earliest`
/// for a time at which something ends. Otherwise, the field is left out with a warning.
const IF_UNREADABLE: &str = "x-if-unreadable";

/// The shapes of the named schemas that were referred to so far.
pub(super) struct Shapes<'a> {
    document: &'a Document,
    /// `None` until the shape has been written.
    named: BTreeMap<&'a str, Option<Expr>>,
    /// The names that have no shape yet. A list, because schemas may refer to each other in a long chain.
    unwritten: Vec<&'a str>,
}

impl<'a> Shapes<'a> {
    pub(super) fn new(document: &'a Document) -> Self {
        Self {
            document,
            named: BTreeMap::new(),
            unwritten: Vec::new(),
        }
    }

    pub(super) fn statics(self) -> Vec<TokenStream> {
        let one = |(name, shape): (&str, Option<Expr>)| {
            let constant = constant(name);
            quote!(static #constant: Shape = #shape;)
        };
        self.named.into_iter().map(one).collect()
    }

    /// The shape of an operation's success.
    pub(super) fn response(&mut self, located: &Located<'_>) -> Result<Expr, String> {
        let document = self.document;
        let responses = &document.json["paths"][located.path][located.method]["responses"];
        let success = responses
            .as_object()
            .into_iter()
            .flatten()
            .find(|(status, _)| status.starts_with('2'));
        let Some(content) = success.and_then(|(_, response)| response.get("content")) else {
            return Ok(parse_quote!(Shape::Nothing));
        };
        let Some(schema) = content.pointer("/application~1json/schema") else {
            return Ok(parse_quote!(Shape::Any));
        };
        let shape = self.shape(schema)?;
        while let Some(name) = self.unwritten.pop() {
            let named = self.shape(document.schema(name).unwrap_or(&Value::Null))?;
            self.named.insert(name, Some(named));
        }
        Ok(shape)
    }

    fn shape(&mut self, schema: &'a Value) -> Result<Expr, String> {
        if let Some(name) = schema["$ref"].as_str().and_then(reference_name) {
            return Ok(self.reference(name));
        }
        if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
            return self.shape(only);
        }
        if let Some(target) = schema.as_object().and_then(nullable_target) {
            return self.shape(target);
        }
        Ok(match (schema["type"].as_str(), schema["format"].as_str()) {
            (Some("string"), Some("date-time")) => parse_quote!(Shape::DateTime),
            (Some("string"), Some("date")) => parse_quote!(Shape::Date),
            (Some("string"), Some("password")) => parse_quote!(Shape::Secret),
            (Some("string"), _) => parse_quote!(Shape::Text),
            (Some("integer"), _) if schema["x-unit"].is_string() => parse_quote!(Shape::UnixTime),
            (Some("integer"), _) => parse_quote!(Shape::Integer),
            (Some("number"), _) => parse_quote!(Shape::Number),
            (Some("boolean"), _) => parse_quote!(Shape::Boolean),
            (Some("array"), _) => {
                let items = self.shape(&schema["items"])?;
                parse_quote!(Shape::List(&#items))
            }
            (Some("object"), _) => match schema["properties"].as_object() {
                Some(properties) => {
                    let mut fields = Vec::new();
                    for (name, property) in properties {
                        let required = schema["required"]
                            .as_array()
                            .is_some_and(|required| required.iter().any(|field| field == name));
                        fields.push(self.field(name, property, required)?);
                    }
                    parse_quote!(Shape::Object(&[#(#fields),*]))
                }
                None if schema["additionalProperties"].is_object() => {
                    let values = self.shape(&schema["additionalProperties"])?;
                    parse_quote!(Shape::Map(&#values))
                }
                None => parse_quote!(Shape::Any),
            },
            _ => parse_quote!(Shape::Any),
        })
    }

    /// The shape of a named schema, which is to be written when it is needed for the first time.
    fn reference(&mut self, mut name: &'a str) -> Expr {
        let document = self.document;
        let mut seen = BTreeSet::new();
        let schema = loop {
            let schema = document.schema(name).unwrap_or(&Value::Null);
            match alias(schema) {
                Some(next) if seen.insert(name) => name = next,
                // A name for itself.
                Some(_) => return parse_quote!(Shape::Any),
                None => break schema,
            }
        };
        if document.open_request_schemas().iter().any(|open| open == name) {
            let fields = schema["properties"].as_object();
            let names = fields.into_iter().flatten().map(|(name, _)| name);
            return parse_quote!(Shape::Kept(&[#(#names),*]));
        }
        if !self.named.contains_key(name) {
            self.named.insert(name, None);
            self.unwritten.push(name);
        }
        let constant = constant(name);
        parse_quote!(Shape::Named(&#constant))
    }

    fn field(&mut self, name: &str, property: &'a Value, required: bool) -> Result<Expr, String> {
        let shape = self.shape(property)?;
        let if_unreadable: Expr = match property.get(IF_UNREADABLE).map(Value::as_str) {
            None if holds_decision(self.document, property, &mut BTreeSet::new()) => {
                parse_quote!(IfUnreadable::Refuse)
            }
            None => parse_quote!(IfUnreadable::LeaveOut),
            Some(Some("refuse")) => parse_quote!(IfUnreadable::Refuse),
            Some(Some("earliest")) if property["x-unit"].is_string() => {
                parse_quote!(IfUnreadable::Earliest)
            }
            Some(_) => {
                return Err(format!(
                    "the field {name} of its response has an {IF_UNREADABLE} other than `refuse` or, for a time, `earliest`"
                ));
            }
        };
        Ok(
            parse_quote!(Field { name: #name, required: #required, if_unreadable: #if_unreadable, shape: #shape }),
        )
    }
}

/// The name of another schema, if this one is only a name for it.
fn alias(schema: &Value) -> Option<&str> {
    let only = |schema: &Value| schema["allOf"].as_array().is_some_and(|list| list.len() == 1);
    match schema["$ref"].as_str() {
        Some(reference) => reference_name(reference),
        None if only(schema) => alias(&schema["allOf"][0]),
        None => alias(nullable_target(schema.as_object()?)?),
    }
}

/// A schema's name may contain what an identifier must not, and two names may differ in that alone.
fn constant(schema: &str) -> Ident {
    let letter = |character: char| match character {
        'a'..='z' | 'A'..='Z' | '0'..='9' => String::from(character),
        other => format!("_{:X}_", u32::from(other)),
    };
    let name: String = schema.chars().map(letter).collect();
    Ident::new(&format!("SHAPE_{name}"), Span::call_site())
}

/// Whether an object has a field that decides something. Without the object, that field is missing too.
fn holds_decision<'a>(document: &'a Document, schema: &'a Value, seen: &mut BTreeSet<&'a str>) -> bool {
    if let Some(name) = schema["$ref"].as_str().and_then(reference_name) {
        let schema = document.schema(name).unwrap_or(&Value::Null);
        return seen.insert(name) && holds_decision(document, schema, seen);
    }
    if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
        return holds_decision(document, only, seen);
    }
    if let Some(target) = schema.as_object().and_then(nullable_target) {
        return holds_decision(document, target, seen);
    }
    let fields = schema["properties"].as_object();
    fields.is_some_and(|fields| {
        fields
            .values()
            .any(|field| field[IF_UNREADABLE] == "refuse" || holds_decision(document, field, seen))
    })
}
