//! The vendored document, and the facts that every operation in it must state.

use std::collections::BTreeSet;

use heck::ToPascalCase;
use openapiv3::{OpenAPI, Operation, PathItem, ReferenceOr};
use serde_json::Value;

use super::simplify::{open_values, simplified};

pub(crate) const REMEDY: &str =
    "fix it with an action in openapi/overlay.yaml and run `cargo xtask update-spec`";

pub(crate) struct Document {
    /// As openapiv3 parses it, simplified: progenitor's input.
    pub(crate) api: OpenAPI,
    /// As it was written, for fields that openapiv3 does not have.
    pub(crate) json: Value,
}

/// One operation with its place.
pub(crate) struct Located<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) operation: &'a Operation,
    pub(crate) id: &'a str,
}

impl Document {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let json: Value = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
        let api: OpenAPI = serde_json::from_value(simplified(json.clone()))
            .map_err(|error| format!("is not OpenAPI 3.0: {error}; {REMEDY}"))?;
        let document = Self { api, json };
        let mut seen = BTreeSet::new();
        for located in document.operations()? {
            if !seen.insert(located.id) {
                return Err(located.refuse("shares its operationId with another operation"));
            }
            for extension in ["x-evidence", "x-source", "x-consumers", "x-idempotent"] {
                if !located.operation.extensions.contains_key(extension) {
                    return Err(located.refuse(&format!("does not say its {extension}")));
                }
            }
        }
        Ok(document)
    }

    /// All operations, in the order of the document.
    pub(crate) fn operations(&self) -> Result<Vec<Located<'_>>, String> {
        let mut operations = Vec::new();
        for (path, item) in &self.api.paths.paths {
            let item: &PathItem = match item {
                ReferenceOr::Item(item) => item,
                ReferenceOr::Reference { .. } => {
                    return Err(format!("{path}: a path that is a $ref can't be used; {REMEDY}"));
                }
            };
            for (method, operation) in item.iter() {
                let id = operation.operation_id.as_deref().ok_or_else(|| {
                    format!("{} {path}: has no operationId; {REMEDY}", method.to_uppercase())
                })?;
                operations.push(Located {
                    method,
                    path,
                    operation,
                    id,
                });
            }
        }
        Ok(operations)
    }

    /// The same document with only one operation.
    pub(crate) fn only(&self, wanted: &str) -> OpenAPI {
        let mut api = self.api.clone();
        for item in api.paths.paths.values_mut() {
            let ReferenceOr::Item(item) = item else { continue };
            for slot in [
                &mut item.get,
                &mut item.post,
                &mut item.put,
                &mut item.delete,
                &mut item.patch,
            ] {
                if slot
                    .as_ref()
                    .is_some_and(|operation| operation.operation_id.as_deref() != Some(wanted))
                {
                    *slot = None;
                }
            }
        }
        api
    }

    /// A component's schema by its name.
    pub(crate) fn schema(&self, name: &str) -> Option<&Value> {
        self.json.pointer("/components/schemas")?.get(name)
    }

    /// The names of the schemas among the components.
    pub(crate) fn schemas(&self) -> impl Iterator<Item = &str> {
        let schemas = self.json.pointer("/components/schemas");
        let schemas = schemas.and_then(Value::as_object).into_iter().flatten();
        schemas.map(|(name, _)| name.as_str())
    }

    /// The components that become open enums, by name, with their values.
    pub(crate) fn enums(&self) -> impl Iterator<Item = (&str, &Value, Vec<&str>)> {
        let named = self.schemas().filter_map(|name| Some((name, self.schema(name)?)));
        named.filter_map(|(name, schema)| Some((name, schema, open_values(schema)?)))
    }

    /// The components that a request's body can contain. Only their secrets are written out.
    pub(crate) fn request_schemas(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for item in self.json["paths"]
            .as_object()
            .into_iter()
            .flat_map(|paths| paths.values())
        {
            for operation in item.as_object().into_iter().flat_map(|item| item.values()) {
                self.reach(&operation["requestBody"], &mut found);
            }
        }
        found
    }

    /// The operations whose request can contain a secret, by the names of their methods.
    pub(crate) fn operations_with_secrets(&self) -> Result<BTreeSet<String>, String> {
        let mut found = BTreeSet::new();
        for located in self.operations()? {
            let mut schemas = BTreeSet::new();
            let body = &self.json["paths"][located.path][located.method]["requestBody"];
            self.reach(body, &mut schemas);
            let is_secret = |schema: &Value| {
                let fields = schema["properties"].as_object().into_iter().flatten();
                fields.into_iter().any(|(_, field)| field["format"] == "password")
            };
            if schemas.iter().filter_map(|name| self.schema(name)).any(is_secret) {
                found.insert(method_name(located.id));
            }
        }
        Ok(found)
    }

    /// The components of a request that have their own fields and also accept any others.
    pub(crate) fn open_request_schemas(&self) -> Vec<String> {
        let is_open = |name: &String| {
            let schema = self.schema(name).unwrap_or(&Value::Null);
            schema["properties"].is_object() && schema["additionalProperties"] == true
        };
        self.request_schemas().into_iter().filter(is_open).collect()
    }

    fn reach(&self, value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(name) = fields
                    .get("$ref")
                    .and_then(Value::as_str)
                    .and_then(reference_name)
                    && found.insert(name.to_owned())
                    && let Some(schema) = self.schema(name)
                {
                    self.reach(schema, found);
                }
                fields.values().for_each(|value| self.reach(value, found));
            }
            Value::Array(items) => items.iter().for_each(|item| self.reach(item, found)),
            _ => {}
        }
    }
}

impl Located<'_> {
    pub(crate) fn refuse(&self, problem: &str) -> String {
        format!(
            "{} {} ({}): {problem}; {REMEDY}",
            self.method.to_uppercase(),
            self.path,
            self.id
        )
    }

    pub(crate) fn extension(&self, name: &str) -> &Value {
        self.operation.extensions.get(name).unwrap_or(&Value::Null)
    }
}

/// The name that typify gives to a component's type.
pub(crate) fn type_name(schema: &str) -> String {
    let word = |character: char| {
        if character.is_ascii_alphanumeric() {
            character
        } else {
            '-'
        }
    };
    schema.chars().map(word).collect::<String>().to_pascal_case()
}

/// The component that a `$ref` refers to.
pub(crate) fn reference_name(reference: &str) -> Option<&str> {
    reference.strip_prefix("#/components/schemas/")
}

/// An operationId in the form of progenitor's method names.
pub(crate) fn method_name(id: &str) -> String {
    let mut name = String::new();
    for character in id.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}
