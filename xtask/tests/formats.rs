//! The forms in which a document may come: JSON, YAML with anchors, `OpenAPI` 3.0 and 3.1.

mod support;

use serde_json::{Value, json};
use support::{Tree, changed, document};

/// A 3.1 document with a given `Item`.
fn newer(item: Value) -> Value {
    changed(|document| {
        document["openapi"] = json!("3.1.0");
        document["components"]["schemas"]["Item"] = item;
    })
}

/// `Item` after it was brought down to 3.0.
#[track_caller]
fn downgraded(item: Value) -> Value {
    let tree = Tree::new();
    tree.update(&newer(item)).expect(0, "Wrote");
    tree.run("verify-spec", &[]).expect(0, "Verified");
    tree.result()["components"]["schemas"]["Item"].clone()
}

#[test]
fn what_3_0_can_say_of_3_1_is_said_in_3_0() {
    for (newer, older) in [
        (
            json!({"type": ["string", "null"]}),
            json!({"type": "string", "nullable": true}),
        ),
        (
            json!({"type": ["null", "object"], "properties": {}}),
            json!({"type": "object", "nullable": true, "properties": {}}),
        ),
        (
            json!({"type": ["string", "integer"]}),
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}]}),
        ),
        (json!({"const": "A"}), json!({"type": "string", "enum": ["A"]})),
        (
            json!({"type": "string", "examples": ["one", "two"]}),
            json!({"type": "string", "example": "one"}),
        ),
        (
            json!({"type": "number", "exclusiveMinimum": 3}),
            json!({"type": "number", "minimum": 3, "exclusiveMinimum": true}),
        ),
        (
            json!({"type": "number", "exclusiveMaximum": 3, "maximum": 2}),
            json!({"type": "number", "maximum": 2}),
        ),
        (
            json!({"type": "number", "exclusiveMaximum": 3, "maximum": 5}),
            json!({"type": "number", "maximum": 3, "exclusiveMaximum": true}),
        ),
        (
            json!({"type": "string", "contentEncoding": "base64"}),
            json!({"type": "string", "format": "byte"}),
        ),
        (json!({"type": "array"}), json!({"type": "array", "items": {}})),
        (
            json!({"type": ["string", "null"], "enum": ["A", null]}),
            json!({"type": "string", "nullable": true, "enum": ["A"]}),
        ),
        (
            json!({"type": "object", "properties": {"any": true}}),
            json!({"type": "object", "properties": {"any": {}}}),
        ),
        (
            json!({"type": "object", "properties": {"x": {"anyOf": [{"type": "string", "format": "date"}, {"type": "null"}]}}}),
            json!({"type": "object", "properties": {"x": {"type": "string", "format": "date", "nullable": true}}}),
        ),
        (
            json!({"type": "object", "properties": {"x": {"anyOf": [{"$ref": "#/components/schemas/svc-LoginRequest"}, {"type": "null"}]}}}),
            json!({"type": "object", "properties": {"x": {"anyOf": [
                {"$ref": "#/components/schemas/LoginRequest"}, {"type": "object", "nullable": true, "enum": [null]}
            ]}}}),
        ),
        (
            json!({"type": "object", "properties": {"user": {"$ref": "#/components/schemas/svc-LoginRequest", "description": "Whose."}}}),
            json!({"type": "object", "properties": {"user": {"description": "Whose.", "allOf": [{"$ref": "#/components/schemas/LoginRequest"}]}}}),
        ),
    ] {
        assert_eq!(downgraded(newer.clone()), older, "{newer}");
    }
}

#[test]
fn what_3_0_cannot_say_is_listed_with_its_place() {
    for (item, said) in [
        (
            json!({"if": {"type": "string"}, "then": {}}),
            "/components/schemas/Item: `if` cannot be said",
        ),
        (
            json!({"type": "object", "patternProperties": {"^x": {}}}),
            "`patternProperties` cannot be said",
        ),
        (
            json!({"type": "array", "prefixItems": [{}]}),
            "`prefixItems` cannot be said",
        ),
        (json!({"type": "null"}), "only ever null"),
        (
            json!({"type": ["string", "integer", "null"]}),
            "a list of several types",
        ),
        (json!({"const": null}), "`const: null`"),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "integer"}, {"type": "null"}]}),
            "`null` among several",
        ),
        (
            json!({"type": "object", "properties": {"deep": {"$defs": {"x": {}}}}}),
            "/components/schemas/Item/properties/deep: `$defs`",
        ),
    ] {
        Tree::new().update(&newer(item)).expect(1, said);
    }
}

#[test]
fn all_places_are_listed_at_once() {
    let item = json!({"type": "object", "properties": {"a": {"if": {}}, "b": {"type": "null"}}});
    Tree::new()
        .update(&newer(item))
        .expect(1, "2 problems")
        .expect(1, "properties/a")
        .expect(1, "properties/b");
}

#[test]
fn what_is_not_taken_need_not_be_sayable() {
    let document = changed(|document| {
        document["openapi"] = json!("3.1.1");
        document["webhooks"] = json!({"x": {}});
        document["components"]["schemas"]["Unused"] = json!({"if": {}});
    });
    Tree::new().update(&document).expect(0, "Wrote");
}

#[test]
fn other_versions_are_refused() {
    for version in ["2.0", "3.2.0", "4.0.0", "3", ""] {
        let other = changed(|document| document["openapi"] = json!(version));
        Tree::new()
            .update(&other)
            .expect(1, "only 3.0 and 3.1 are understood");
    }
}

const YAML: &str = r##"
openapi: 3.0.0
info: {title: Service, version: 1.0}
x-shared:
  ok: &ok
    description: Fine.
    content:
      application/json: &json
        schema: {$ref: "#/components/schemas/Item"}
paths:
  /auth/login:
    post:
      operationId: loginUsingPOST
      summary: Log in
      description: |
        Logs in.

        Twice, if need be.
      security: []
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/svc-LoginRequest"}}}
      responses:
        200: *ok
  /items/{id}:
    get:
      operationId: getItemUsingGET
      summary: Get an item
      description: Returns an item.
      security: [{JWT: []}]
      parameters: [{name: id, in: path, required: true, schema: {type: string}}]
      responses:
        200:
          description: Another.
          content: {application/json: *json}
components:
  schemas:
    svc-LoginRequest: {type: object, required: [password], properties: {password: {type: string}}}
    Item:
      type: object
      properties:
        on: {type: string, enum: [no, "yes", 1.0, 12:30]}
  securitySchemes: {JWT: {type: http, scheme: bearer}}
"##;

#[test]
fn yaml_with_anchors_and_numeric_statuses_is_understood() {
    let tree = Tree::new();
    let text = YAML.replace("[no, \"yes\", 1.0, 12:30]", "[\"no\", \"yes\"]");
    tree.update_text(&text, &[]).expect(0, "upstream/service.yaml");
    let result = tree.result();
    let answer = &result["paths"]["/auth/login"]["post"]["responses"]["200"];
    assert_eq!(answer["description"], "Fine.");
    assert_eq!(
        answer["content"]["application/json"]["schema"]["$ref"],
        "#/components/schemas/Item"
    );
    assert_eq!(
        result["paths"]["/auth/login"]["post"]["description"],
        "Logs in.\n\nTwice, if need be."
    );
    assert_eq!(
        result["components"]["schemas"]["Item"]["properties"]["on"]["enum"],
        json!(["no", "yes"])
    );
}

#[test]
fn yaml_says_no_only_where_json_says_false() {
    // In YAML 1.1 `no` is false, and a country code is gone.
    let tree = Tree::new();
    tree.update_text(
        &YAML.replace("[no, \"yes\", 1.0, 12:30]", "[no, off, 12:30]"),
        &[],
    )
    .expect(0, "Wrote");
    let values = &tree.result()["components"]["schemas"]["Item"]["properties"]["on"]["enum"];
    assert_eq!(*values, json!(["no", "off", "12:30"]));
}

#[test]
fn a_byte_order_mark_is_no_error() {
    Tree::new()
        .update_text(&format!("\u{feff}{}", document()), &[])
        .expect(0, "Wrote");
}
