//! The comparison's verdicts against cases written by hand: what a change means for the users of the crate.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::process::Command;

use serde_json::{Value, json};

/// A small document with one of everything that the comparison knows.
fn base() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "4.4"},
        "servers": [{"url": "https://a.example"}],
        "paths": {
            "/items/{id}": {
                "post": {
                    "operationId": "saveItem",
                    "description": "Saves.",
                    "parameters": [
                        {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                        {"name": "mode", "in": "query", "required": false, "schema": {"$ref": "#/components/schemas/Mode"}},
                        {"name": "X-Trace", "in": "header", "required": true, "schema": {"type": "string"}}
                    ],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Input"}}}},
                    "responses": {
                        "200": {"description": "Saved.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Output"}}}},
                        "404": {"description": "Unknown.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
                    },
                    "security": [{"JWT": []}],
                    "x-consumers": ["user", "workspace"],
                    "x-idempotent": false,
                    "x-evidence": "inferred"
                }
            },
            "/ping": {"get": {"operationId": "ping", "responses": {"204": {"description": "Here."}}, "security": [], "x-consumers": ["none"], "x-idempotent": true}}
        },
        "components": {
            "schemas": {
                "Mode": {"type": "string", "enum": ["FAST", "SLOW"], "x-open": true},
                "Level": {"type": "string", "enum": ["LOW", "HIGH"]},
                "Input": {
                    "type": "object",
                    "required": ["name"],
                    "properties": {
                        "name": {"type": "string", "maxLength": 10},
                        "level": {"$ref": "#/components/schemas/Level"},
                        "count": {"type": "integer", "format": "int32", "minimum": 1},
                        "tags": {"type": "array", "items": {"type": "string"}},
                        "extra": {"$ref": "#/components/schemas/Extra"},
                        "flag": {"oneOf": [{"type": "boolean"}, {"type": "string"}]}
                    }
                },
                "Extra": {"type": "object", "additionalProperties": true, "x-reserved-names": ["id"]},
                "Output": {
                    "type": "object",
                    "required": ["token"],
                    "properties": {
                        "token": {"type": "string", "format": "password"},
                        "expires": {"type": "integer", "format": "int64", "x-unit": "seconds"},
                        "mode": {"$ref": "#/components/schemas/Mode"},
                        "level": {"$ref": "#/components/schemas/Level"},
                        "owner": {"allOf": [{"$ref": "#/components/schemas/Owner"}], "description": "Who."},
                        "counts": {"type": "object", "additionalProperties": {"type": "integer"}},
                        "either": {"oneOf": [{"type": "boolean"}, {"type": "string"}]}
                    }
                },
                "Owner": {"type": "object", "properties": {"id": {"type": "integer"}, "parent": {"$ref": "#/components/schemas/Owner"}}},
                "Problem": {"type": "object", "additionalProperties": true, "properties": {"message": {"type": "string"}}}
            },
            "securitySchemes": {"JWT": {"type": "http", "scheme": "bearer"}}
        }
    })
}

const OP: &str = "/paths/~1items~1{id}/post";

/// One change of the document.
enum Edit {
    Set(String, Value),
    Delete(String),
}

fn set(pointer: &str, value: Value) -> Edit {
    Edit::Set(pointer.replace("$OP", OP), value)
}

fn delete(pointer: &str) -> Edit {
    Edit::Delete(pointer.replace("$OP", OP))
}

fn edited(edits: &[Edit]) -> Value {
    let mut document = base();
    for edit in edits {
        let (pointer, value) = match edit {
            Edit::Set(pointer, value) => (pointer, Some(value)),
            Edit::Delete(pointer) => (pointer, None),
        };
        let (parent, key) = pointer.rsplit_once('/').unwrap();
        let key = key.replace("~1", "/").replace("~0", "~");
        match (
            document
                .pointer_mut(parent)
                .unwrap_or_else(|| panic!("{parent} exists")),
            value,
        ) {
            (Value::Object(members), Some(value)) => {
                members.insert(key, value.clone());
            }
            (Value::Object(members), None) => {
                assert!(members.remove(&key).is_some(), "{pointer} exists");
            }
            (Value::Array(items), Some(value)) if key == "-" => items.push(value.clone()),
            (Value::Array(items), Some(value)) => items[key.parse::<usize>().unwrap()] = value.clone(),
            (Value::Array(items), None) => {
                items.remove(key.parse().unwrap());
            }
            _ => panic!("{pointer} cannot be edited"),
        }
    }
    document
}

/// The verdicts as `severity side: what (operations)`, in the order of the report.
fn verdicts(before: &Value, after: &Value) -> Vec<String> {
    changes(before, after)
        .iter()
        .map(|change| {
            let text = |key: &str| change[key].as_str().unwrap_or_default().to_owned();
            let operations: Vec<&str> = change["operations"]
                .as_array()
                .unwrap()
                .iter()
                .map(|name| name.as_str().unwrap())
                .collect();
            let suffix = if operations.is_empty() {
                String::new()
            } else {
                format!(" ({})", operations.join(", "))
            };
            format!("{} {}: {}{suffix}", text("severity"), text("side"), text("what"))
        })
        .collect()
}

fn changes(before: &Value, after: &Value) -> Vec<Value> {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, document: &Value| {
        let path = folder.path().join(name);
        std::fs::write(&path, document.to_string()).unwrap();
        path
    };
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["diff-spec", "--json"])
        .arg(write("before.json", before))
        .arg(write("after.json", after))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn every_hand_written_case_gets_its_verdict() {
    let mut wrong = Vec::new();
    let cases = cases();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    for (name, edits, expected) in &cases {
        let found = verdicts(&base(), &edited(edits));
        for change in changes(&base(), &edited(edits)) {
            let exists = |document: &Value, key: &str| {
                change[key]
                    .as_str()
                    .is_none_or(|pointer| document.pointer(pointer).is_some())
            };
            if !exists(&base(), "before") || !exists(&edited(edits), "after") {
                wrong.push(format!("{name}: a place that does not exist: {change}"));
            }
        }
        if found != *expected {
            wrong.push(format!(
                "{name}:\n  expected {expected:#?}\n  found    {found:#?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

type Case = (&'static str, Vec<Edit>, Vec<&'static str>);

#[rustfmt::skip]
fn cases() -> Vec<Case> {
    vec![
        ("nothing changes", vec![], vec![]),
        // Operations
        ("an operation is removed", vec![delete("/paths/~1ping")], vec!["breaking call: operation removed (ping)"]),
        ("an operation is added", vec![set("/paths/~1pong", json!({"get": {"operationId": "pong", "responses": {"204": {"description": ""}}, "security": []}}))], vec!["additive call: operation added (pong)"]),
        ("an operation is renamed", vec![set("$OP/operationId", json!("storeItem"))], vec!["breaking call: renamed from `saveItem` to `storeItem` (saveItem)"]),
        ("an operation moves to another path", vec![delete("/paths/~1ping"), set("/paths/~1v2~1ping", base()["paths"]["/ping"].clone())], vec!["breaking call: moved from GET /ping to GET /v2/ping (ping)"]),
        ("an operation changes its method", vec![set("/paths/~1ping", json!({"head": base()["paths"]["/ping"]["get"]}))], vec!["breaking call: moved from GET /ping to HEAD /ping (ping)"]),
        ("an operation is reworded", vec![set("$OP/description", json!("Stores."))], vec!["documentation text: description reworded (saveItem)"]),
        ("an operation is deprecated", vec![set("$OP/deprecated", json!(true))], vec!["documentation text: deprecated reworded (saveItem)"]),
        ("the evidence gets better", vec![set("$OP/x-evidence", json!("stated"))], vec!["documentation text: x-evidence reworded (saveItem)"]),
        // Parameters
        ("a parameter is removed", vec![delete("$OP/parameters/1")], vec!["breaking request: query parameter `mode` removed (saveItem)"]),
        ("an optional parameter is added", vec![set("$OP/parameters/-", json!({"name": "q", "in": "query", "schema": {"type": "string"}}))], vec!["additive request: optional query parameter `q` added (saveItem)"]),
        ("a required parameter is added", vec![set("$OP/parameters/-", json!({"name": "q", "in": "query", "required": true, "schema": {"type": "string"}}))], vec!["breaking request: required query parameter `q` added (saveItem)"]),
        ("a parameter becomes required", vec![set("$OP/parameters/1/required", json!(true))], vec!["breaking request: query parameter `mode` is now required (saveItem)"]),
        ("a parameter becomes optional", vec![set("$OP/parameters/2/required", json!(false))], vec!["additive request: header parameter `x-trace` is now optional (saveItem)"]),
        ("a parameter changes its type", vec![set("$OP/parameters/0/schema/type", json!("integer"))], vec!["breaking request: type changed from string to integer (saveItem)"]),
        ("a header is spelt in other case", vec![set("$OP/parameters/2/name", json!("x-trace"))], vec![]),
        ("parameters change their order", vec![set("$OP/parameters/0", base()["paths"]["/items/{id}"]["post"]["parameters"][1].clone()), set("$OP/parameters/1", base()["paths"]["/items/{id}"]["post"]["parameters"][0].clone())], vec![]),
        ("a parameter is reworded", vec![set("$OP/parameters/0/description", json!("Which."))], vec!["documentation text: description reworded (saveItem)"]),
        // Bodies of requests
        ("the body is removed", vec![delete("$OP/requestBody")], vec!["breaking request: body removed (saveItem)"]),
        ("a required body is added", vec![set("/paths/~1ping/get/requestBody", json!({"required": true, "content": {"application/json": {"schema": {"type": "string"}}}}))], vec!["breaking request: required body added (ping)"]),
        ("an optional body is added", vec![set("/paths/~1ping/get/requestBody", json!({"content": {"application/json": {"schema": {"type": "string"}}}}))], vec!["additive request: optional body added (ping)"]),
        ("the body becomes optional", vec![set("$OP/requestBody/required", json!(false))], vec!["additive request: body is now optional (saveItem)"]),
        ("the body becomes another media type", vec![set("$OP/requestBody/content", json!({"text/plain": {"schema": {"$ref": "#/components/schemas/Input"}}}))], vec!["breaking request: body is no longer `application/json` (saveItem)", "additive request: body may be `text/plain` (saveItem)"]),
        // Fields of requests
        ("a field of a request is removed", vec![delete("/components/schemas/Input/properties/count")], vec!["breaking request: field `count` removed (saveItem)"]),
        ("an optional field of a request is added", vec![set("/components/schemas/Input/properties/note", json!({"type": "string"}))], vec!["additive request: optional field `note` added (saveItem)"]),
        ("a required field of a request is added", vec![set("/components/schemas/Input/properties/note", json!({"type": "string"})), set("/components/schemas/Input/required/-", json!("note"))], vec!["breaking request: required field `note` added (saveItem)"]),
        ("a field of a request becomes required", vec![set("/components/schemas/Input/required/-", json!("count"))], vec!["breaking request: field `count` is now required (saveItem)"]),
        ("a field of a request becomes optional", vec![set("/components/schemas/Input/required", json!([]))], vec!["additive request: field `name` is now optional (saveItem)"]),
        ("a field of a request changes its type", vec![set("/components/schemas/Input/properties/name", json!({"type": "boolean"}))], vec!["breaking request: field `name`: type changed from string to boolean (saveItem)"]),
        ("a field of a request may be null", vec![set("/components/schemas/Input/properties/name/nullable", json!(true))], vec!["additive request: field `name`: may be null now (saveItem)"]),
        ("a field of a request gets a stricter limit", vec![set("/components/schemas/Input/properties/name/maxLength", json!(5))], vec!["breaking request: field `name`: limit `maxLength` is stricter now (saveItem)"]),
        ("a field of a request gets a looser limit", vec![set("/components/schemas/Input/properties/count/minimum", json!(0))], vec!["additive request: field `count`: limit `minimum` is looser now (saveItem)"]),
        ("a field of a request gets a limit", vec![set("/components/schemas/Input/properties/tags/maxItems", json!(3))], vec!["breaking request: field `tags`: limit `maxItems` is stricter now (saveItem)"]),
        ("the items of a request change their type", vec![set("/components/schemas/Input/properties/tags/items/type", json!("integer"))], vec!["breaking request: type changed from string to integer (saveItem)"]),
        ("a request takes one variant more", vec![set("/components/schemas/Input/properties/flag/oneOf/-", json!({"type": "integer"}))], vec!["additive request: variant integer added (saveItem)"]),
        ("a request takes one variant less", vec![delete("/components/schemas/Input/properties/flag/oneOf/1")], vec!["breaking request: variant string removed (saveItem)"]),
        ("a request takes no further fields", vec![set("/components/schemas/Extra/additionalProperties", json!(false))], vec!["breaking request: further fields are not allowed any more (saveItem)"]),
        ("a name becomes reserved", vec![set("/components/schemas/Extra/x-reserved-names/-", json!("email"))], vec!["breaking request: the name `email` is reserved now (saveItem)"]),
        ("a reserved name becomes free", vec![set("/components/schemas/Extra/x-reserved-names", json!([]))], vec!["additive request: the name `id` is free now (saveItem)"]),
        // Values
        ("a listed value is added to both directions", vec![set("/components/schemas/Level/enum/-", json!("MID"))], vec!["breaking response: value \"MID\" added (saveItem)", "additive request: value \"MID\" added (saveItem)"]),
        ("an open value is added to both directions", vec![set("/components/schemas/Mode/enum/-", json!("IDLE"))], vec!["additive request: value \"IDLE\" added (saveItem)", "additive response: value \"IDLE\" added (saveItem)"]),
        ("a value is removed", vec![delete("/components/schemas/Level/enum/0")], vec!["breaking request: value \"LOW\" removed (saveItem)", "breaking response: value \"LOW\" removed (saveItem)"]),
        ("values are closed", vec![delete("/components/schemas/Mode/x-open")], vec!["breaking request: values are closed now (saveItem)", "breaking response: values are closed now (saveItem)"]),
        ("values are no longer listed", vec![delete("/components/schemas/Level/enum")], vec!["breaking request: any value now, listed ones before (saveItem)", "breaking response: any value now, listed ones before (saveItem)"]),
        // Fields of answers
        ("a field of an answer is removed", vec![delete("/components/schemas/Output/properties/expires")], vec!["breaking response: field `expires` removed (saveItem)"]),
        ("a field of an answer is added", vec![set("/components/schemas/Output/properties/realm", json!({"type": "string"}))], vec!["additive response: field `realm` added (saveItem)"]),
        ("a required field of an answer is added", vec![set("/components/schemas/Output/properties/realm", json!({"type": "string"})), set("/components/schemas/Output/required/-", json!("realm"))], vec!["additive response: field `realm` added (saveItem)"]),
        ("a field of an answer may be missing", vec![set("/components/schemas/Output/required", json!([]))], vec!["breaking response: field `token` may be missing now (saveItem)"]),
        ("a field of an answer is always there", vec![set("/components/schemas/Output/required/-", json!("mode"))], vec!["additive response: field `mode` is always there now (saveItem)"]),
        ("a field of an answer may be null", vec![set("/components/schemas/Output/properties/expires/nullable", json!(true))], vec!["breaking response: field `expires`: may be null now (saveItem)"]),
        ("a field of an answer changes its format", vec![set("/components/schemas/Output/properties/expires/format", json!("int32"))], vec!["breaking response: field `expires`: type changed from integer (int64) to integer (int32) (saveItem)"]),
        ("a secret stops being one", vec![delete("/components/schemas/Output/properties/token/format")], vec!["breaking response: field `token`: type changed from string (password) to string (saveItem)"]),
        ("a time changes its unit", vec![set("/components/schemas/Output/properties/expires/x-unit", json!("milliseconds"))], vec!["breaking response: field `expires`: in milliseconds now, in seconds before (saveItem)"]),
        ("the values of a map change their type", vec![set("/components/schemas/Output/properties/counts/additionalProperties/type", json!("number"))], vec!["breaking response: type changed from integer to number (saveItem)"]),
        ("an answer may be one variant more", vec![set("/components/schemas/Output/properties/either/oneOf/-", json!({"type": "integer"}))], vec!["breaking response: variant integer added (saveItem)"]),
        ("an answer keeps no further fields", vec![delete("/components/schemas/Problem/additionalProperties")], vec!["breaking response: further fields are not kept any more (saveItem)"]),
        ("a nested field changes in a circular type", vec![delete("/components/schemas/Owner/properties/id")], vec!["breaking response: field `id` removed (saveItem)"]),
        ("a description of a field's use changes", vec![set("/components/schemas/Output/properties/owner/description", json!("Whose."))], vec!["documentation text: description reworded (saveItem)"]),
        ("a type is renamed", vec![set("/components/schemas/Person", base()["components"]["schemas"]["Owner"].clone()), set("/components/schemas/Person/properties/parent/$ref", json!("#/components/schemas/Person")), set("/components/schemas/Output/properties/owner/allOf/0/$ref", json!("#/components/schemas/Person")), delete("/components/schemas/Owner")], vec!["breaking response: type `Owner` is called `Person` now (saveItem)"]),
        ("a wrapper of one `allOf` appears", vec![set("/components/schemas/Output/properties/mode", json!({"allOf": [{"$ref": "#/components/schemas/Mode"}]}))], vec![]),
        // Statuses
        ("an error status is listed", vec![set("$OP/responses/423", json!({"description": "Locked."}))], vec!["additive response: status 423 listed (saveItem)"]),
        ("an error status is no longer listed", vec![delete("$OP/responses/404")], vec!["documentation text: status 404 no longer listed (saveItem)"]),
        ("a success is no longer listed", vec![delete("$OP/responses/200"), set("$OP/responses/201", base()["paths"]["/items/{id}"]["post"]["responses"]["200"].clone())], vec!["breaking response: status 200 no longer listed (saveItem)", "additive response: status 201 listed (saveItem)"]),
        ("an answer gets a body", vec![set("/paths/~1ping/get/responses/204/content", json!({"application/json": {"schema": {"type": "string"}}}))], vec!["breaking response: status 204 has a body now (ping)"]),
        ("an answer loses its body", vec![delete("$OP/responses/200/content")], vec!["breaking response: status 200 has no body any more (saveItem)"]),
        // Security and consumers
        ("a call needs a token", vec![set("/paths/~1ping/get/security", json!([{"JWT": []}]))], vec!["breaking call: needs JWT now, nothing before (ping)"]),
        ("a call no longer needs a token", vec![set("$OP/security", json!([]))], vec!["additive call: needs nothing now, JWT before (saveItem)"]),
        ("a token becomes optional", vec![set("$OP/security", json!([{}, {"JWT": []}]))], vec!["additive call: needs nothing or JWT now, JWT before (saveItem)"]),
        ("a call needs another credential", vec![set("$OP/security", json!([{"Basic": []}]))], vec!["breaking call: needs Basic now, JWT before (saveItem)"]),
        ("a consumer may no longer call", vec![set("$OP/x-consumers", json!(["workspace"]))], vec!["breaking call: no longer for the consumer `user` (saveItem)"]),
        ("a consumer may call too", vec![set("$OP/x-consumers/-", json!("profile"))], vec!["additive call: for the consumer `profile` too (saveItem)"]),
        ("a call may be repeated", vec![set("$OP/x-idempotent", json!(true))], vec!["breaking call: may now be sent twice (saveItem)"]),
        ("a call is sent once only", vec![set("$OP/x-send-once", json!(true))], vec!["additive call: is never sent twice any more (saveItem)"]),
        ("a security scheme changes", vec![set("/components/securitySchemes/JWT/scheme", json!("basic"))], vec!["breaking call: security scheme `JWT`: `scheme` changed"]),
        ("a security scheme is added", vec![set("/components/securitySchemes/Key", json!({"type": "apiKey", "in": "query", "name": "token"}))], vec!["additive call: security scheme `Key` added"]),
        // The document
        ("the API version changes", vec![set("/info/version", json!("4.5"))], vec!["breaking request: `api-version` \"4.4\" is now \"4.5\""]),
        ("a server is removed", vec![set("/servers", json!([]))], vec!["breaking call: server https://a.example removed"]),
        ("a server is added", vec![set("/servers/-", json!({"url": "https://b.example"}))], vec!["additive call: server https://b.example added"]),
    ]
}

#[test]
fn a_change_tells_where_it_was_and_where_it_is() {
    let after = edited(&[
        delete("/components/schemas/Output/properties/expires"),
        set(
            "/components/schemas/Input/properties/note",
            json!({"type": "string"}),
        ),
    ]);
    let changes = changes(&base(), &after);
    assert_eq!(
        changes[0]["before"],
        "/components/schemas/Output/properties/expires"
    );
    assert_eq!(changes[0]["after"], Value::Null);
    assert_eq!(changes[1]["before"], Value::Null);
    assert_eq!(changes[1]["after"], "/components/schemas/Input/properties/note");
}

#[test]
fn the_changes_are_json_whatever_the_names_hold() {
    let name = "a\u{200b}b\u{e0041}\n\u{7f}";
    let mut after = base();
    after["components"]["schemas"]["Problem"]["properties"][name] = json!({"type": "string"});
    let found = changes(&base(), &after);
    assert_eq!(found[0]["what"], format!("field `{name}` added"));
}

#[test]
fn a_shared_type_is_reported_once_with_all_operations_that_reach_it() {
    let mut before = base();
    before["paths"]["/ping"]["get"]["responses"]["404"] =
        before["paths"]["/items/{id}"]["post"]["responses"]["404"].clone();
    let mut after = before.clone();
    after["components"]["schemas"]["Problem"]["properties"] = json!({});
    assert_eq!(
        verdicts(&before, &after),
        ["breaking response: field `message` removed (ping, saveItem)"]
    );
}
