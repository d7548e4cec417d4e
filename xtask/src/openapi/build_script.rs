//! The code that a user's build runs on the document: `build.rs` includes the same files.

#[path = "../../../build/bindings.rs"]
mod bindings;
#[path = "../../../build/debug.rs"]
mod debug;
#[path = "../../../build/document.rs"]
mod document;
#[path = "../../../build/enums.rs"]
mod enums;
#[path = "../../../build/operations.rs"]
mod operations;
#[path = "../../../build/shapes.rs"]
mod shapes;
#[path = "../../../build/simplify.rs"]
pub(super) mod simplify;

/// Everything that a user's build would write, or what it would fail with.
pub(super) fn generate(text: &str) -> Result<Vec<String>, String> {
    let document = document::Document::parse(text)?;
    // With the feature that adds most to the code.
    let bindings = bindings::generate(&document, true)?;
    Ok(vec![
        bindings,
        operations::generate(&document)?,
        enums::generate(&document)?,
    ])
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;

    /// A document whose only response has 30 schemas in a chain, each of which refers to the next one three times, and the
    /// last one to the first.
    fn chain() -> Value {
        let mut schemas = Map::new();
        for number in 0..30 {
            let next = json!({ "$ref": format!("#/components/schemas/Link{}", (number + 1) % 30) });
            let link = json!({ "type": "object", "properties": { "a": next, "b": next, "c": next } });
            schemas.insert(format!("Link{number}"), link);
        }
        schemas.insert(
            "Loop".into(),
            json!({ "allOf": [{ "$ref": "#/components/schemas/Loop" }] }),
        );
        let schema = json!({ "$ref": "#/components/schemas/Link0" });
        json!({
            "openapi": "3.0.3",
            "info": { "title": "t", "version": "1" },
            "paths": { "/links": { "get": {
                "operationId": "getLinks", "x-evidence": "stated", "x-source": "s", "x-consumers": ["none"],
                "x-idempotent": true, "security": [],
                "responses": { "200": { "description": "d", "content": { "application/json": { "schema": schema } } } }
            } } },
            "components": { "schemas": schemas }
        })
    }

    #[test]
    fn nested_and_recursive_schemas_are_written_once_each() {
        let text = chain().to_string();
        let document = document::Document::parse(&text).unwrap();
        let operations = operations::generate(&document).unwrap();
        assert!(operations.len() < 50_000, "{} bytes", operations.len());
        assert_eq!(operations.matches("static SHAPE_").count(), 30);
    }
}
