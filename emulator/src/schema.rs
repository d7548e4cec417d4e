//! Schemas of the document, converted to JSON Schema.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::calendar::Day;
use crate::errors::FieldProblem;

/// A schema, compiled when it is first used: most tests use few operations, and compiling takes milliseconds.
#[derive(Debug)]
pub(crate) struct Schema {
    /// With the components that it refers to.
    source: Value,
    compiled: OnceLock<Validator>,
}

impl Schema {
    pub(crate) fn of(document: &Value, schema: Option<&Value>) -> Result<Self, String> {
        let schema = schema.ok_or("a schema is missing")?;
        let mut components = Map::new();
        collect_components(document, schema, &mut components);
        let source = json!({ "allOf": [schema], "components": { "schemas": components } });
        Ok(Self {
            source,
            compiled: OnceLock::new(),
        })
    }

    #[expect(
        clippy::expect_used,
        reason = "the document is compiled in, and a test compiles each of its schemas"
    )]
    fn validator(&self) -> &Validator {
        self.compiled.get_or_init(|| {
            self.compile()
                .expect("a schema of the embedded document compiles")
        })
    }

    pub(crate) fn compile(&self) -> Result<Validator, String> {
        let options = jsonschema::options()
            .with_draft(jsonschema::Draft::Draft202012)
            .should_validate_formats(true)
            // The validator's own check accepts signs in front of a year.
            .with_format("date", |text: &str| Day::parse(text).is_some());
        options.build(&self.source).map_err(|error| error.to_string())
    }

    /// The problems of `value`. `name` is the name of the value as a whole.
    pub(crate) fn problems(&self, value: &Value, name: &str) -> Vec<FieldProblem> {
        let problem = |error: jsonschema::ValidationError<'_>| {
            let pointer = error.instance_path().to_string();
            let field = format!("{name}{}", pointer.replace('/', "."))
                .trim_start_matches('.')
                .to_owned();
            // The value may be a secret, which the masked text omits.
            FieldProblem {
                field,
                message: error.masked().to_string(),
            }
        };
        self.validator().iter_errors(value).map(problem).collect()
    }
}

/// Adds the component schemas that `value` refers to, directly or indirectly.
fn collect_components(document: &Value, value: &Value, components: &mut Map<String, Value>) {
    match value {
        Value::Array(items) => items
            .iter()
            .for_each(|item| collect_components(document, item, components)),
        Value::Object(members) => {
            let reference = members.get("$ref").and_then(Value::as_str).unwrap_or_default();
            if let Some(name) = reference.strip_prefix("#/components/schemas/")
                && !components.contains_key(name)
            {
                let component = &document["components"]["schemas"][name];
                components.insert(name.to_owned(), component.clone());
                collect_components(document, component, components);
            }
            members
                .values()
                .for_each(|member| collect_components(document, member, components));
        }
        _ => {}
    }
}

/// How the schemas of the document are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// As the service reads requests: `null` wherever a schema is nullable, and open enums accept every value. Handlers
    /// refuse the values that they do not know.
    Lenient,
    /// As `OpenAPI` 3.0.3 defines them, and as other validators read them. The emulator's own responses must fit this.
    Strict,
}

/// Turns `OpenAPI` 3.0 schemas into JSON Schema, wherever they are in `value`.
pub(crate) fn to_json_schema(value: &mut Value, dialect: Dialect) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| to_json_schema(item, dialect)),
        Value::Object(members) => {
            members
                .values_mut()
                .for_each(|member| to_json_schema(member, dialect));
            let nullable = members.get("nullable") == Some(&Value::Bool(true));
            match dialect {
                Dialect::Lenient => {
                    if members.get("x-open") == Some(&Value::Bool(true)) {
                        members.remove("enum");
                    }
                    if nullable {
                        members.remove("nullable");
                        let schema = Value::Object(std::mem::take(members));
                        *members =
                            Map::from_iter([("anyOf".to_owned(), json!([{ "type": "null" }, schema]))]);
                    }
                }
                Dialect::Strict => {
                    // Next to a reference, every other keyword is ignored.
                    if let Some(Value::String(reference)) = members.get("$ref") {
                        *members = Map::from_iter([("$ref".to_owned(), reference.as_str().into())]);
                    }
                    // It adds to the type of its own schema, and does nothing without one.
                    if let Some(kind @ Value::String(_)) = members.get("type").cloned()
                        && nullable
                    {
                        members.insert("type".to_owned(), json!([kind, "null"]));
                    }
                }
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a value fits a schema, beside the components `Open` (an open enum) and `Object`.
    fn fits(schema: &Value, value: &Value, dialect: Dialect) -> bool {
        let mut document = json!({ "schema": schema, "components": { "schemas": {
            "Open": { "type": "string", "enum": ["OFF"], "x-open": true },
            "Object": { "type": "object" },
        } } });
        to_json_schema(&mut document, dialect);
        let schema = Schema::of(&document, document.get("schema")).unwrap();
        schema.problems(value, "").is_empty()
    }

    #[test]
    fn a_value_outside_of_an_enum_fits_only_a_request() {
        let reference = json!({ "$ref": "#/components/schemas/Open" });
        let wrapped = json!({ "allOf": [reference] });
        let list = json!({ "type": "array", "items": reference });
        for (schema, value) in [
            (reference, json!("ON")),
            (wrapped, json!("ON")),
            (list, json!(["ON"])),
        ] {
            assert!(fits(&schema, &value, Dialect::Lenient), "{schema}");
            assert!(!fits(&schema, &value, Dialect::Strict), "{schema}");
        }
    }

    #[test]
    fn null_fits_a_response_only_where_the_type_itself_is_nullable() {
        let nullable = |mut schema: Value| {
            schema["nullable"] = true.into();
            schema
        };
        for (schema, expected) in [
            (json!({ "type": "string" }), true),
            (json!({ "type": "integer", "format": "int64" }), true),
            (json!({ "type": "string", "enum": ["A", null] }), true),
            (json!({ "type": "string", "enum": ["A"] }), false),
            (
                json!({ "allOf": [{ "$ref": "#/components/schemas/Object" }] }),
                false,
            ),
            (
                json!({ "type": "object", "allOf": [{ "$ref": "#/components/schemas/Object" }] }),
                false,
            ),
            (json!({ "$ref": "#/components/schemas/Object" }), false),
        ] {
            let schema = nullable(schema);
            assert_eq!(fits(&schema, &Value::Null, Dialect::Strict), expected, "{schema}");
        }
    }
}
