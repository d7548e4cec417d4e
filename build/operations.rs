//! Writes the operation table: what the document says about each operation besides its types.

use std::collections::BTreeSet;

use openapiv3::SecurityRequirement;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Expr, parse_quote};

use super::document::{Document, Located, method_name, reference_name};
use super::simplify::nullable_target;

/// How deep a response's schema is described. Deeper parts are read unchanged. A schema that contains itself ends here.
const DEEPEST: usize = 12;

/// What happens to a response with an unreadable field: `refuse` if the field's absence decides something, and `earliest`
/// for a time at which something ends. Otherwise, the field is left out with a warning.
const IF_UNREADABLE: &str = "x-if-unreadable";

pub(crate) fn generate(document: &Document) -> Result<String, String> {
    let mut tables = Vec::new();
    let mut names = Vec::new();
    for located in document.operations()? {
        let name = method_name(located.id);
        let constant = format_ident!("{}", name.to_uppercase());
        let doc = format!(" `{} {}`", located.method.to_uppercase(), located.path);
        let (id, path, method) = (located.id, located.path, located.method.to_uppercase());
        let security = security(document, &located)?;
        let evidence: Expr = match located.extension("x-evidence").as_str() {
            Some("stated") => parse_quote!(Evidence::Stated),
            Some("observed") => parse_quote!(Evidence::Observed),
            Some("inferred") => parse_quote!(Evidence::Inferred),
            _ => return Err(located.refuse("has another x-evidence than stated, observed or inferred")),
        };
        let source = located.extension("x-source").as_str().unwrap_or_default();
        let consumers = consumers(&located)?;
        let idempotent = located.extension("x-idempotent").as_bool().unwrap_or_default();
        let send_once = located.extension("x-send-once").as_bool().unwrap_or_default();
        let unauthorized: Expr = match located.extension("x-unauthorized") {
            Value::Null => parse_quote!(Unauthorized::Token),
            value => match value.as_str() {
                Some("token") => parse_quote!(Unauthorized::Token),
                Some("consumer") => parse_quote!(Unauthorized::Consumer),
                _ => return Err(located.refuse("has another x-unauthorized than token or consumer")),
            },
        };
        let forbidden: Expr = match located.extension("x-forbidden") {
            Value::Null => parse_quote!(Forbidden::Consumer),
            value => match value.as_str() {
                Some("consumer") => parse_quote!(Forbidden::Consumer),
                Some("old-password") => parse_quote!(Forbidden::OldPassword),
                Some("password-or-token") => parse_quote!(Forbidden::PasswordOrToken),
                Some("sent-token") => parse_quote!(Forbidden::SentToken),
                _ => return Err(located.refuse("has an unknown x-forbidden")),
            },
        };
        let response = response(document, &located).map_err(|problem| located.refuse(&problem))?;
        tables.push(quote! {
            #[doc = #doc]
            pub static #constant: Operation = Operation {
                id: #id,
                name: #name,
                method: #method,
                path: #path,
                security: #security,
                evidence: #evidence,
                source: #source,
                consumers: &[#(#consumers),*],
                idempotent: #idempotent,
                send_once: #send_once,
                unauthorized: #unauthorized,
                forbidden: #forbidden,
                response: #response,
            };
        });
        names.push(constant);
    }
    let mut secrets = BTreeSet::new();
    secret_fields(&document.json["components"]["schemas"], &mut secrets);
    let reserved = reserved_names(document);
    let file: syn::File = parse_quote! {
        /// All operations, in the order of the document.
        pub static OPERATIONS: &[&Operation] = &[#(&#names),*];
        /// The names of the fields that contain a secret, in any request or response.
        pub(crate) static SECRET_FIELDS: &[&str] = &[#(#secrets),*];
        /// The attribute names that the service would silently drop.
        pub(crate) static RESERVED_ATTRIBUTES: &[&str] = &[#(#reserved),*];
        #(#tables)*
    };
    Ok(prettyplease::unparse(&file))
}

fn security(document: &Document, located: &Located<'_>) -> Result<Expr, String> {
    let requirements = located
        .operation
        .security
        .as_ref()
        .or(document.api.security.as_ref());
    let requirements: &[SecurityRequirement] = requirements.map_or(&[], |list| list);
    let open = requirements.iter().any(SecurityRequirement::is_empty);
    let schemes: BTreeSet<&str> = requirements
        .iter()
        .flat_map(|one| one.keys())
        .map(String::as_str)
        .collect();
    match (schemes.iter().copied().collect::<Vec<_>>().as_slice(), open) {
        ([], _) => Ok(parse_quote!(Security::None)),
        (["JWT"], true) => Ok(parse_quote!(Security::OptionalBearer)),
        (["JWT"], false) => Ok(parse_quote!(Security::Bearer)),
        _ => Err(located.refuse("asks for a security scheme other than JWT")),
    }
}

fn consumers(located: &Located<'_>) -> Result<Vec<Expr>, String> {
    let list = located
        .extension("x-consumers")
        .as_array()
        .ok_or_else(|| located.refuse("has an x-consumers that is not a list"))?;
    let one = |value: &Value| -> Result<Expr, String> {
        Ok(match value.as_str().unwrap_or_default() {
            "none" => parse_quote!(Consumer::Nobody),
            "workspace" => parse_quote!(Consumer::Workspace),
            "profile" => parse_quote!(Consumer::Profile),
            "anonymous" => parse_quote!(Consumer::Anonymous),
            "user" => parse_quote!(Consumer::User),
            "user-in-workspace" => parse_quote!(Consumer::WorkspaceUser),
            "organization" => parse_quote!(Consumer::Organization),
            other => return Err(located.refuse(&format!("has an unknown consumer {other:?}"))),
        })
    };
    list.iter().map(one).collect()
}

/// The shape of a success, for responses that almost match the document.
fn response(document: &Document, located: &Located<'_>) -> Result<Expr, String> {
    let responses = &document.json["paths"][located.path][located.method]["responses"];
    let success = responses
        .as_object()
        .into_iter()
        .flatten()
        .find(|(status, _)| status.starts_with('2'));
    let Some(content) = success.and_then(|(_, response)| response.get("content")) else {
        return Ok(parse_quote!(Shape::Nothing));
    };
    match content.pointer("/application~1json/schema") {
        Some(schema) => shape(document, schema, DEEPEST),
        None => Ok(parse_quote!(Shape::Any)),
    }
}

fn shape(document: &Document, schema: &Value, depth: usize) -> Result<Expr, String> {
    let Some(depth) = depth.checked_sub(1) else {
        return Ok(parse_quote!(Shape::Any));
    };
    if let Some(name) = schema["$ref"].as_str().and_then(reference_name) {
        if document.open_request_schemas().iter().any(|open| open == name) {
            let fields = document
                .schema(name)
                .and_then(|schema| schema["properties"].as_object());
            let names = fields.into_iter().flatten().map(|(name, _)| name);
            return Ok(parse_quote!(Shape::Kept(&[#(#names),*])));
        }
        return shape(document, document.schema(name).unwrap_or(&Value::Null), depth);
    }
    if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
        return shape(document, only, depth);
    }
    if let Some(target) = schema.as_object().and_then(nullable_target) {
        return shape(document, target, depth);
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
            let items = shape(document, &schema["items"], depth)?;
            parse_quote!(Shape::List(&#items))
        }
        (Some("object"), _) => match schema["properties"].as_object() {
            Some(properties) => {
                let mut fields = Vec::new();
                for (name, property) in properties {
                    let required = schema["required"]
                        .as_array()
                        .is_some_and(|required| required.iter().any(|field| field == name));
                    fields.push(field(document, name, property, required, depth)?);
                }
                parse_quote!(Shape::Object(&[#(#fields),*]))
            }
            None if schema["additionalProperties"].is_object() => {
                let values = shape(document, &schema["additionalProperties"], depth)?;
                parse_quote!(Shape::Map(&#values))
            }
            None => parse_quote!(Shape::Any),
        },
        _ => parse_quote!(Shape::Any),
    })
}

fn field(
    document: &Document,
    name: &str,
    property: &Value,
    required: bool,
    depth: usize,
) -> Result<Expr, String> {
    let shape = shape(document, property, depth)?;
    let if_unreadable: Expr = match property.get(IF_UNREADABLE).map(Value::as_str) {
        None if holds_decision(document, property, depth) => parse_quote!(IfUnreadable::Refuse),
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
    Ok(parse_quote!(Field { name: #name, required: #required, if_unreadable: #if_unreadable, shape: #shape }))
}

/// Whether an object has a field that decides something. Without the object, that field is missing too.
fn holds_decision(document: &Document, schema: &Value, depth: usize) -> bool {
    let Some(depth) = depth.checked_sub(1) else {
        return false;
    };
    if let Some(name) = schema["$ref"].as_str().and_then(reference_name) {
        return holds_decision(document, document.schema(name).unwrap_or(&Value::Null), depth);
    }
    if let Some([only]) = schema["allOf"].as_array().map(Vec::as_slice) {
        return holds_decision(document, only, depth);
    }
    if let Some(target) = schema.as_object().and_then(nullable_target) {
        return holds_decision(document, target, depth);
    }
    let fields = schema["properties"].as_object();
    fields.is_some_and(|fields| {
        fields
            .values()
            .any(|field| field[IF_UNREADABLE] == "refuse" || holds_decision(document, field, depth))
    })
}

fn secret_fields(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if value["format"] == "password" {
                    found.insert(name.clone());
                }
                secret_fields(value, found);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| secret_fields(item, found)),
        _ => {}
    }
}

fn reserved_names(document: &Document) -> Vec<&str> {
    let schemas = document
        .json
        .pointer("/components/schemas")
        .and_then(Value::as_object);
    let lists = schemas
        .into_iter()
        .flatten()
        .filter_map(|(_, schema)| schema["x-reserved-names"].as_array());
    lists.flatten().filter_map(Value::as_str).collect()
}
