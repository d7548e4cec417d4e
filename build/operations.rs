//! Writes the operation table: what the document says about each operation besides its types.

use std::collections::BTreeSet;

use openapiv3::SecurityRequirement;
use quote::{format_ident, quote};
use serde_json::Value;
use syn::{Expr, parse_quote};

use super::document::{Document, Located, method_name};
use super::shapes::Shapes;

pub(crate) fn generate(document: &Document) -> Result<String, String> {
    let mut shapes = Shapes::new(document);
    let mut tables = Vec::new();
    let mut names = Vec::new();
    for located in document.operations()? {
        let name = method_name(located.id);
        let constant = format_ident!("{}", name.to_uppercase());
        let doc = format!(" `{} {}`", located.method.to_uppercase(), located.path);
        let (id, path, method) = (located.id, located.path, located.method.to_uppercase());
        let (security, accepts_basic) = security(document, &located)?;
        let basic: Expr = if accepts_basic {
            let evidence = evidence(&located, "x-basic-evidence")?;
            parse_quote!(Some(#evidence))
        } else {
            parse_quote!(None)
        };
        let evidence = evidence(&located, "x-evidence")?;
        let source = located.extension("x-source").as_str().unwrap_or_default();
        let consumers = consumers(&located)?;
        let idempotent = located.extension("x-idempotent").as_bool().unwrap_or_default();
        let send_once = located.extension("x-send-once").as_bool().unwrap_or_default();
        let unauthorized: Expr = match located.extension("x-unauthorized") {
            Value::Null => parse_quote!(Unauthorized::Token),
            value => match value.as_str() {
                Some("token") => parse_quote!(Unauthorized::Token),
                Some("consumer") => parse_quote!(Unauthorized::Consumer),
                Some("credentials") => parse_quote!(Unauthorized::Credentials),
                _ => {
                    return Err(
                        located.refuse("has another x-unauthorized than token, consumer or credentials")
                    );
                }
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
        let permission: Expr = match located.extension("x-permission") {
            Value::Null => parse_quote!(None),
            value => match value.as_str() {
                Some(name) => parse_quote!(Some(#name)),
                None => return Err(located.refuse("has an x-permission that is not a text")),
            },
        };
        let response = shapes
            .response(&located)
            .map_err(|problem| located.refuse(&problem))?;
        tables.push(quote! {
            #[doc = #doc]
            pub static #constant: Operation = Operation {
                id: #id,
                name: #name,
                method: #method,
                path: #path,
                security: #security,
                basic: #basic,
                evidence: #evidence,
                source: #source,
                consumers: &[#(#consumers),*],
                idempotent: #idempotent,
                send_once: #send_once,
                unauthorized: #unauthorized,
                permission: #permission,
                forbidden: #forbidden,
                response: #response,
            };
        });
        names.push(constant);
    }
    let mut secrets = BTreeSet::new();
    secret_fields(&document.json["components"]["schemas"], &mut secrets);
    let reserved = reserved_names(document);
    let shapes = shapes.statics();
    let file: syn::File = parse_quote! {
        /// All operations, in the order of the document.
        pub static OPERATIONS: &[&Operation] = &[#(&#names),*];
        /// The names of the fields that contain a secret, in any request or response.
        pub(crate) static SECRET_FIELDS: &[&str] = &[#(#secrets),*];
        /// The attribute names that the service would silently drop.
        pub(crate) static RESERVED_ATTRIBUTES: &[&str] = &[#(#reserved),*];
        #(#tables)*
        #(#shapes)*
    };
    Ok(prettyplease::unparse(&file))
}

/// How the operation authenticates: the expression of its `Security`, and whether Basic authentication does as well.
fn security(document: &Document, located: &Located<'_>) -> Result<(Expr, bool), String> {
    let requirements = located
        .operation
        .security
        .as_ref()
        .or(document.api.security.as_ref());
    let requirements: &[SecurityRequirement] = requirements.map_or(&[], |list| list);
    let (mut open, mut bearer, mut basic) = (requirements.is_empty(), false, false);
    for requirement in requirements {
        let schemes: Vec<&str> = requirement.keys().map(String::as_str).collect();
        match schemes[..] {
            [] => open = true,
            ["JWT"] => bearer = true,
            ["basicAuth"] => basic = true,
            _ => return Err(located.refuse("asks for a security scheme other than JWT or basicAuth")),
        }
    }
    let security = match (bearer, open) {
        (true, true) => parse_quote!(Security::OptionalBearer),
        (true, false) => parse_quote!(Security::Bearer),
        (false, _) if basic => return Err(located.refuse("accepts basicAuth without JWT")),
        (false, _) => parse_quote!(Security::None),
    };
    Ok((security, basic))
}

/// The expression of an `Evidence`.
fn evidence(located: &Located<'_>, extension: &str) -> Result<Expr, String> {
    match located.extension(extension).as_str() {
        Some("stated") => Ok(parse_quote!(Evidence::Stated)),
        Some("observed") => Ok(parse_quote!(Evidence::Observed)),
        Some("inferred") => Ok(parse_quote!(Evidence::Inferred)),
        _ => Err(located.refuse(&format!(
            "has another {extension} than stated, observed or inferred"
        ))),
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
