//! Schemas of the document, as JSON Schema.

use std::sync::OnceLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use crate::calendar::Day;
use crate::errors::FieldProblem;

/// A schema, compiled when it is first used: most tests use few operations, and compiling takes milliseconds.
#[derive(Debug)]
pub(crate) struct Schema {
    /// With the components that it reaches, where its references look for them.
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

    /// What of `value` does not fit; `name` is what the value as a whole is called.
    pub(crate) fn problems(&self, value: &Value, name: &str) -> Vec<FieldProblem> {
        let problem = |error: jsonschema::ValidationError<'_>| {
            let pointer = error.instance_path().to_string();
            let field = format!("{name}{}", pointer.replace('/', "."))
                .trim_start_matches('.')
                .to_owned();
            // The value may be a secret: the masked text leaves it out.
            FieldProblem {
                field,
                message: error.masked().to_string(),
            }
        };
        self.validator().iter_errors(value).map(problem).collect()
    }
}

/// Adds the component schemas that `value` refers to, and those that they refer to.
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

/// Turns `OpenAPI` 3.0 schemas into JSON Schema, wherever they are in `value`.
pub(crate) fn to_json_schema(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(to_json_schema),
        Value::Object(members) => {
            members.values_mut().for_each(to_json_schema);
            // Values that the service may add to are no closed list; handlers refuse what they do not know.
            if members.get("x-open").and_then(Value::as_bool) == Some(true) {
                members.remove("enum");
            }
            if members.get("nullable").and_then(Value::as_bool) == Some(true) {
                members.remove("nullable");
                let schema = Value::Object(std::mem::take(members));
                *members = Map::from_iter([("anyOf".to_owned(), json!([{ "type": "null" }, schema]))]);
            }
        }
        _ => {}
    }
}
