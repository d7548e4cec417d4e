//! A document is untrusted input: it may not reach a file, an address, the crate's code, or all of the memory.

mod support;

use serde_json::{Value, json};
use support::{OVERLAY, Run, Server, Tree, changed, document, selection};

fn item(schema: &Value) -> Value {
    changed(|document| document["components"]["schemas"]["Item"] = schema.clone())
}

#[track_caller]
fn refused(document: &Value, said: &str) {
    let tree = Tree::vendored();
    let before = tree.content();
    tree.update(document).expect(1, said);
    assert_eq!(tree.content(), before);
}

#[test]
fn a_reference_to_elsewhere_is_never_followed() {
    let server = Server::start();
    let targets = [
        server.url("/schema.json"),
        "/etc/passwd".to_owned(),
        "../../secret.yaml#/x".to_owned(),
        "file:///etc/passwd".to_owned(),
        "other.yaml#/components/schemas/Item".to_owned(),
    ];
    for target in targets {
        refused(
            &item(&json!({"$ref": target})),
            "is refused: only `#/components/…`",
        );
    }
    assert!(server.requests().is_empty());
}

#[test]
fn a_reference_that_is_no_component_is_refused() {
    for (target, said) in [
        ("#/paths/~1auth~1login", "is refused"),
        (
            "#/components/schemas/Item/properties/size",
            "only whole components",
        ),
        ("#/components/callbacks/x", "only whole components"),
        ("#/components/schemas/..~1..~1x", "is not a component's name"),
        ("#/components/schemas/%2e%2e%2fx", "is not a component's name"),
        ("#/components/schemas/Missing", "the document does not define it"),
    ] {
        refused(
            &item(&json!({"type": "object", "properties": {"x": {"$ref": target}}})),
            said,
        );
    }
    refused(&item(&json!({"$ref": 5})), "`$ref` must be a string");
}

#[test]
fn a_schema_that_consists_of_itself_is_refused_in_good_time() {
    let own = "#/components/schemas/Item";
    for schema in [
        json!({"$ref": own}),
        json!({"allOf": [{"$ref": own}, {"type": "object"}]}),
        json!({"oneOf": [{"$ref": own}]}),
    ] {
        refused(&item(&schema), "it consists of itself");
    }
    let pair = changed(|document| {
        document["components"]["schemas"]["Item"] = json!({"$ref": "#/components/schemas/Unused"});
        document["components"]["schemas"]["Unused"] = json!({"$ref": own});
    });
    refused(&pair, "it consists of itself");
}

#[test]
fn a_schema_that_holds_itself_is_fine() {
    let tree = Tree::new();
    let schema = json!({"type": "object", "properties": {"child": {"$ref": "#/components/schemas/Item"}}});
    tree.update(&item(&schema)).expect(0, "Wrote");
}

#[test]
fn no_extension_reaches_the_result() {
    let tree = Tree::new();
    let document = changed(|document| {
        let rust = json!({"crate": "evil", "version": "*", "path": "evil::run"});
        document["components"]["schemas"]["Item"]["x-rust-type"] = rust.clone();
        document["components"]["schemas"]["Item"]["properties"]["size"]["x-rust-type"] = rust;
        document["paths"]["/auth/login"]["post"]["x-consumers"] = json!(["organization"]);
        document["paths"]["/auth/login"]["x-anything"] = json!(1);
        document["x-anything"] = json!(1);
        let login = &mut document["paths"]["/auth/login"]["post"];
        login.as_object_mut().unwrap().remove("operationId");
        login["x-vendor-operation-id"] = json!({"evil": true});
    });
    tree.update(&document)
        .expect(0, "not taken over")
        .expect(0, "`x-rust-type` (2)");
    assert!(!tree.read("synerise-auth.json").contains("x-rust-type"));
    assert!(!tree.read("synerise-auth.json").contains("evil"));
    assert_eq!(
        tree.result()["paths"]["/auth/login"]["post"]["x-consumers"],
        json!(["none"])
    );
}

#[test]
fn not_even_the_overlay_may_name_a_rust_type() {
    let overlay = format!(
        "{OVERLAY}\n  - target: $.components.schemas.Item\n    description: Why.\n    x-evidence: How.\n    update: {{x-rust-type: {{crate: evil}}}}\n"
    );
    let tree = Tree::with(&selection("http://127.0.0.1:1"), &overlay);
    tree.update(&document())
        .expect(1, "the overlay adds `x-rust-type`");
}

#[test]
fn nothing_that_would_run_in_a_users_program_reaches_the_result() {
    let tree = Tree::new();
    let schema = json!({
        "type": "object", "title": "fn main() {}", "default": {"size": 1},
        "properties": {"size": {"type": "string", "pattern": "(a+)+$", "default": "x"}},
        "xml": {"name": "x"}, "externalDocs": {"url": "https://evil.example"}
    });
    tree.update(&item(&schema)).expect(0, "Wrote");
    let result = &tree.result()["components"]["schemas"]["Item"];
    assert_eq!(
        *result,
        json!({"type": "object", "properties": {"size": {"type": "string"}}})
    );
}

#[test]
fn a_property_may_be_called_like_a_keyword() {
    let tree = Tree::new();
    let schema = json!({"type": "object", "properties": {
        "default": {"type": "string"}, "x-rust-type": {"type": "string"}, "pattern": {"type": "integer"}, "$ref": {"type": "string"}
    }});
    tree.update(&item(&schema)).expect(0, "Wrote");
    assert_eq!(tree.result()["components"]["schemas"]["Item"], schema);
}

#[test]
fn prose_becomes_no_doctest_no_html_and_no_end_of_a_comment() {
    let tree = Tree::new();
    let prose = "First.\n\n```\nstd::process::exit(1)\n```\n\n    indented();\n\n<script>alert(1)</script> */ fn evil() {} /* [x](javascript:x) \u{202e}";
    let document = changed(|document| {
        document["paths"]["/items/{id}"]["get"]["description"] = json!(prose);
        document["paths"]["/items/{id}"]["get"]["summary"] = json!(prose);
        document["components"]["schemas"]["Item"]["description"] = json!(prose);
        document["components"]["schemas"]["Item"]["properties"]["size"]["description"] = json!(prose);
    });
    tree.update(&document).expect(0, "Wrote");
    let result = tree.result();
    let texts = [
        &result["paths"]["/items/{id}"]["get"]["description"],
        &result["paths"]["/items/{id}"]["get"]["summary"],
        &result["components"]["schemas"]["Item"]["description"],
        &result["components"]["schemas"]["Item"]["properties"]["size"]["description"],
    ];
    for text in texts {
        let text = text.as_str().unwrap();
        assert!(text.starts_with("First."), "{text}");
        for bad in ["```", "    ", "<", "[x]", "\u{202e}"] {
            assert!(!text.contains(bad), "{bad:?} in {text}");
        }
    }
    // The generator ran on it, its code parsed, and its comments were looked through: `*/` closed none.
    tree.run("verify-spec", &[]).expect(0, "Verified");
}

#[test]
fn names_that_are_no_rust_are_taken_as_names_or_refused() {
    let tree = Tree::new();
    let schema = json!({"type": "object", "properties": {
        "fn main() {}": {"type": "string"}, "type": {"type": "string"}, "a\"b\\c": {"type": "string"}, "*/": {"type": "integer"}
    }});
    tree.update(&item(&schema)).expect(0, "Wrote");
    for (id, said) in [
        ("fn evil() {}", "is not a camelCase name"),
        ("", "is not a camelCase name"),
    ] {
        let overlay = OVERLAY.replace("operationId: getItem", &format!("operationId: \"{id}\""));
        Tree::with(&selection("http://127.0.0.1:1"), &overlay)
            .update(&document())
            .expect(1, said);
    }
}

#[test]
fn two_names_that_become_one_in_rust_are_an_error() {
    let text = || json!({"type": "string"});
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {"type": "string"}});
    for (document, said) in [
        (
            item(&json!({"type": "string", "enum": ["a-b", "a_b", "a b", "A-B"]})),
            "generate: schema Item: its values \"a-b\" and \"a_b\" both become `AB`",
        ),
        (
            changed(|document| {
                let schemas = &mut document["components"]["schemas"];
                schemas["a-mode"] = json!({"type": "string", "enum": ["x"]});
                schemas["AMode"] = json!({"type": "object", "properties": {"y": text()}});
                schemas["Item"] = json!({"type": "object", "properties": {
                    "x": {"$ref": "#/components/schemas/a-mode"}, "y": {"$ref": "#/components/schemas/AMode"}
                }});
            }),
            "schema a-mode: it and the schema AMode both become the type `AMode`",
        ),
        (
            item(&json!({"type": "object", "properties": {"a-b": text(), "a_b": text()}})),
            "become the field `a_b` of `Item`",
        ),
        (
            changed(|document| {
                let schemas = &mut document["components"]["schemas"];
                schemas["foo-bar"] = json!({"type": "object", "properties": {"x": text()}});
                schemas["FooBar"] = json!({"type": "object", "properties": {"y": text()}});
                schemas["Item"] = json!({"type": "object", "properties": {
                    "x": {"$ref": "#/components/schemas/foo-bar"}, "y": {"$ref": "#/components/schemas/FooBar"}
                }});
            }),
            "become the type `FooBar`",
        ),
        (
            changed(|document| {
                document["paths"]["/items/{id}"]["get"]["parameters"] = json!([query("a-b"), query("a_b")]);
            }),
            "become the parameter `a_b` of `get_item`",
        ),
    ] {
        refused(&document, said);
        let run = Tree::new().update(&document);
        assert!(!run.stderr.contains("panicked at"), "{run:?}");
    }
}

#[test]
fn enum_takes_any_value_that_a_service_may_invent() {
    let values = json!([
        "",
        "Self",
        "self-service",
        "Unknown",
        "2fa",
        ">=",
        "<=",
        "it's",
        "\"quoted\"",
        "</b>",
        "```",
        "Zażółć",
        "fn",
        "\\"
    ]);
    let document = item(&json!({"type": "object", "properties": {
        "named": {"$ref": "#/components/schemas/Unused"},
        "inline": {"type": "string", "enum": values},
        "number": {"type": "integer", "enum": [1, 2]},
    }}));
    for named in [
        json!({"type": "string", "enum": values}),
        json!({"type": "string", "nullable": true, "enum": ["a", null]}),
        json!({"type": "integer", "enum": [1, 2]}),
    ] {
        let mut document = document.clone();
        document["components"]["schemas"]["Unused"] = named;
        Tree::new().update(&document).expect(0, "Wrote");
    }
}

#[test]
fn names_and_descriptions_of_enum_values_are_checked() {
    for (extension, said) in [
        (
            "x-enum-names: {b: B}",
            "schema Item: x-enum-names speaks of \"b\", which is not one of its values",
        ),
        (
            "x-enum-names: {a: Unknown}",
            "schema Item: x-enum-names has \"Unknown\", which is not a name in PascalCase",
        ),
        (
            "x-enum-names: {a: 1}",
            "schema Item: x-enum-names is not a map of values to texts",
        ),
        (
            "x-enum-descriptions: {a: \"```\"}",
            "a comment that is more than text",
        ),
    ] {
        let overlay = format!(
            "{OVERLAY}\n  - target: $.components.schemas.Item\n    description: Why.\n    x-evidence: How.\n    update: {{{extension}}}\n"
        );
        Tree::with(&selection("http://127.0.0.1:1"), &overlay)
            .update(&item(&json!({"type": "string", "enum": ["a"]})))
            .expect(1, said);
    }
}

#[test]
fn a_secret_in_an_example_does_not_reach_the_result() {
    let tree = Tree::new();
    let token = "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";
    let document = changed(|document| {
        let media =
            &mut document["paths"]["/auth/login"]["post"]["requestBody"]["content"]["application/json"];
        media["examples"] =
            json!({"real": {"value": {"password": "hunter2", "nested": [token], "user": "someone"}}});
        let password = &mut document["components"]["schemas"]["svc-LoginRequest"]["properties"]["password"];
        password["example"] = json!("hunter2");
    });
    tree.update(&document).expect(0, "Wrote");
    let text = tree.read("synerise-auth.json");
    assert!(
        !text.contains("hunter2") && !text.contains(token) && text.contains("someone"),
        "{text}"
    );
}

#[test]
fn a_deep_document_is_refused() {
    let deep = |levels: usize| {
        let schema = (0..levels).fold(
            json!({"type": "string"}),
            |inner, _| json!({"type": "array", "items": inner}),
        );
        item(&schema)
    };
    refused(&deep(70), "levels deep");
    // Built as text: a tree of this depth could not even be dropped.
    let text = document().to_string().replace(
        "\"Unused\":{",
        &format!(
            "\"Unused\":{}{},\"X\":{{",
            "[".repeat(100_000),
            "]".repeat(100_000)
        ),
    );
    Tree::new().update_text(&text, &[]).expect(1, "not valid JSON");
    let yaml = format!("a: {}{}", "[".repeat(100_000), "]".repeat(100_000));
    Tree::new().update_text(&yaml, &[]).expect(1, "not valid YAML");
}

#[test]
fn a_billion_laughs_are_not_laughed() {
    let mut yaml = String::from("openapi: 3.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        yaml = format!("{yaml}a{level}: &a{level} [{aliases}]\n");
    }
    Tree::new().update_text(&yaml, &[]).expect(1, "not valid YAML");
}

#[test]
fn a_schema_that_keeps_the_generator_busy_is_given_up() {
    let choices = |part: usize| {
        let one = |choice: usize| json!({"type": "object", "properties": {format!("p{part}x{choice}"): {"type": "string"}}});
        json!({"oneOf": (0..12).map(one).collect::<Vec<_>>()})
    };
    let schema = json!({"allOf": (0..8).map(choices).collect::<Vec<_>>()});
    let run = Tree::new().update_with(&item(&schema), &["--max-seconds", "3"]);
    run.expect(1, "generate: ");
}

#[test]
fn more_components_than_anybody_needs_are_refused() {
    let document = changed(|document| {
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        for index in 0..1_200 {
            let next =
                json!({"type": "array", "items": {"$ref": format!("#/components/schemas/N{}", index + 1)}});
            schemas.insert(format!("N{index}"), next);
        }
        schemas.insert("N1200".to_owned(), json!({"type": "string"}));
        schemas.insert("Item".to_owned(), json!({"$ref": "#/components/schemas/N0"}));
    });
    Tree::new()
        .update(&document)
        .expect(1, "more than 1000 components");
}

#[test]
fn a_long_chain_of_types_is_compared_without_an_end_of_the_stack() {
    let chain = |last: &str| {
        changed(|document| {
            let schemas = document["components"]["schemas"].as_object_mut().unwrap();
            for index in 0..900 {
                let next = json!({"type": "object", "properties": {"x": {"$ref": format!("#/components/schemas/N{}", index + 1)}}});
                schemas.insert(format!("N{index}"), next);
            }
            schemas.insert("N900".to_owned(), json!({"type": last}));
            schemas.insert(
                "Item".to_owned(),
                json!({"allOf": [{"$ref": "#/components/schemas/N0"}]}),
            );
        })
    };
    let tree = Tree::new();
    tree.update(&chain("string")).expect(0, "Wrote");
    tree.update(&chain("integer"))
        .expect(4, "breaking change(s) refused");
}

#[test]
fn parts_that_are_made_of_each_other_many_times_over_are_compared_in_good_time() {
    let tower = |last: &str| {
        changed(|document| {
            let schemas = document["components"]["schemas"].as_object_mut().unwrap();
            for index in 0..7 {
                let part = json!({"$ref": format!("#/components/schemas/N{}", index + 1)});
                schemas.insert(format!("N{index}"), json!({"allOf": vec![part; 8]}));
            }
            schemas.insert(
                "N7".to_owned(),
                json!({"type": "object", "properties": {last: {"type": "string"}}}),
            );
            schemas.insert(
                "Item".to_owned(),
                json!({"type": "object", "properties": {"n": {"$ref": "#/components/schemas/N0"}}}),
            );
        })
    };
    let tree = Tree::new();
    tree.update(&tower("x")).expect(0, "Wrote");
    let run = tree.update(&tower("y"));
    run.expect(4, "1 breaking");
    assert!(run.stdout.contains("field `y` added"), "{}", run.stdout);
}

#[test]
fn part_that_is_made_of_its_own_type_is_compared_in_good_time() {
    let own = json!({"$ref": "#/components/schemas/Item"});
    let nested = |kind: &str| {
        item(&json!({"type": "object", "properties": {
            "x": {"allOf": [own, {"type": "object", "properties": {"y": {"type": kind}}}]},
            "z": {"allOf": [own, {"type": "object"}]}
        }}))
    };
    let tree = Tree::new();
    let (before, after) = (
        tree.write("before.json", &nested("string").to_string()),
        tree.write("after.json", &nested("integer").to_string()),
    );
    let run = Run::verb("diff-spec", &[before.to_str().unwrap(), after.to_str().unwrap()]);
    assert!(
        run.stdout
            .contains("field `y`: type changed from string to integer"),
        "{run:?}"
    );
    // The generator ends on it, in the process that is kept apart.
    tree.update(&nested("string")).expect(1, "generate: ");
}

#[test]
fn a_document_of_countless_nodes_is_refused() {
    let text = format!("{{\"openapi\": \"3.0.0\", \"x\": [{}0]}}", "0,".repeat(600_000));
    Tree::new().update_text(&text, &[]).expect(1, "nodes");
}

#[test]
fn a_key_that_occurs_twice_is_refused() {
    let text = document()
        .to_string()
        .replacen("\"openapi\":", "\"openapi\":\"3.1.0\",\"openapi\":", 1);
    Tree::new().update_text(&text, &[]).expect(1, "occurs twice");
    Tree::new()
        .update_text("openapi: 3.0.0\nopenapi: 3.1.0\n", &[])
        .expect(1, "not valid YAML");
}

#[test]
fn members_of_the_wrong_kind_are_named() {
    for (schema, said) in [
        (
            json!({"type": "object", "required": "size"}),
            "`required` must be",
        ),
        (
            json!({"type": "object", "properties": []}),
            "an object is expected here",
        ),
        (json!({"type": ["string"]}), "`type` must be a string"),
        (json!({"type": "string", "enum": {}}), "`enum` must be"),
        (json!({"allOf": {}}), "a list is expected here"),
        (json!({"type": "text"}), "`type: text` is not a type"),
        (
            json!({"type": "integer", "minimum": "1"}),
            "`minimum` must be a number",
        ),
        (json!("x"), "an object is expected here"),
    ] {
        refused(&item(&schema), said);
    }
}

#[test]
fn what_the_generator_would_panic_on_is_told_with_the_operation_and_the_remedy() {
    let get = |change: &dyn Fn(&mut Value)| {
        changed(|document| change(&mut document["paths"]["/items/{id}"]["get"]))
    };
    let json_of =
        |schema: Value| json!({"description": "", "content": {"application/json": {"schema": schema}}});
    let cases: Vec<(Value, &str)> = vec![
        (
            get(&|get| get["responses"]["204"] = json!({"description": ""})),
            "success: 200 and 204 differ in shape",
        ),
        (
            get(&|get| get["responses"]["default"] = json!({"description": ""})),
            "`default` is an answer of every kind",
        ),
        (
            get(&|get| get["responses"]["400"] = json_of(json!({"type": "string"}))),
            "error: 400 and 4XX differ in shape",
        ),
        (
            get(&|get| get["responses"]["302"] = json!({"description": ""})),
            "no use for the status 302",
        ),
        (
            get(&|get| get["responses"]["200"]["content"] = json!({"application/json": {}})),
            "JSON without a schema",
        ),
        (
            get(&|get| get["responses"]["200"]["content"] = json!({"*/*": {"schema": {}}})),
            "is `*/*`",
        ),
        (get(&|get| get["responses"] = json!({})), "no success is listed"),
        (
            get(&|get| {
                get["parameters"] =
                    json!([{"name": "Api-Version", "in": "header", "schema": {"type": "string"}}]);
            }),
            "would be sent twice",
        ),
        (
            get(&|get| {
                get["parameters"] = json!([{"name": "c", "in": "cookie", "schema": {"type": "string"}}]);
            }),
            "no cookie parameters",
        ),
        (
            get(&|get| {
                get["parameters"] =
                    json!([{"name": "q", "in": "query", "style": "deepObject", "schema": {}}]);
            }),
            "`deepObject`",
        ),
        (
            get(&|get| get["parameters"] = json!([{"name": "q", "in": "query", "content": {}}])),
            "`content`",
        ),
        (
            get(&|get| get["parameters"] = json!([{"name": "id", "in": "path", "schema": {}}])),
            "is not `required: true`",
        ),
        (
            get(&|get| {
                get["parameters"] = json!([{"name": "ix", "in": "path", "required": true, "schema": {}}]);
            }),
            "disagree about `ix`",
        ),
        (
            get(&|get| get["requestBody"] = json!({"content": {"application/json": {"schema": {}}}})),
            "the body is optional",
        ),
        (
            get(
                &|get| get["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": {}}, "text/plain": {"schema": {}}}}),
            ),
            "two media types",
        ),
        (
            get(&|get| {
                get["requestBody"] =
                    json!({"required": true, "content": {"multipart/form-data": {"schema": {}}}});
            }),
            "is `multipart/form-data`",
        ),
        (
            item(&json!({"oneOf": [{"type": "string"}], "discriminator": {"propertyName": "x"}})),
            "ignores `discriminator`",
        ),
        (
            changed(|document| document["paths"]["/items/{id}"]["$ref"] = json!("#/paths/x")),
            "the path is a `$ref`",
        ),
    ];
    for (document, said) in cases {
        let run = Tree::new().update(&document);
        run.expect(1, said);
        assert!(
            said.contains("discriminator") || run.stderr.contains("GET /items/{id}"),
            "{run:?}"
        );
    }
}

#[test]
fn what_the_project_asks_of_an_operation_is_told_when_it_is_missing() {
    for (part, said) in [
        ("operationId: getItem, ", "is not a camelCase name"),
        ("x-evidence: stated, ", "`x-evidence` must be"),
        ("x-source: The test., ", "`x-source` is missing"),
        ("x-consumers: [user], ", "`x-consumers` must be"),
        ("x-idempotent: true", "`x-idempotent` must be"),
    ] {
        let at = OVERLAY.find("operationId: getItem").unwrap();
        let overlay = format!("{}{}", &OVERLAY[..at], OVERLAY[at..].replacen(part, "", 1));
        let overlay = overlay.replace(", }", "}");
        let document =
            changed(|document| document["paths"]["/items/{id}"]["get"]["operationId"] = json!("Get Item"));
        Tree::with(&selection("http://127.0.0.1:1"), &overlay)
            .update(&document)
            .expect(1, said);
    }
    for (once, said) in [
        ("\"yes\"", "`x-send-once` must be"),
        ("true", "`x-send-once` and `x-idempotent` contradict"),
    ] {
        let overlay = OVERLAY.replace(
            "x-idempotent: true",
            &format!("x-idempotent: true, x-send-once: {once}"),
        );
        Tree::with(&selection("http://127.0.0.1:1"), &overlay)
            .update(&document())
            .expect(1, said);
    }
    let basic = "
  - target: $.components
    description: A scheme.
    x-evidence: The test.
    update: {securitySchemes: {basicAuth: {type: http, scheme: basic}}}
";
    let ungraded = OVERLAY.replace(
        "x-idempotent: true",
        "x-idempotent: true, security: [{ basicAuth: [] }]",
    ) + basic.trim_start_matches('\n');
    Tree::with(&selection("http://127.0.0.1:1"), &ungraded)
        .update(&document())
        .expect(1, "`basicAuth` needs an `x-basic-evidence`");
    let needless = OVERLAY.replace(
        "x-idempotent: true",
        "x-idempotent: true, x-basic-evidence: stated",
    );
    Tree::with(&selection("http://127.0.0.1:1"), &needless)
        .update(&document())
        .expect(1, "`x-basic-evidence` is there without `basicAuth`");
    let open = OVERLAY.replace("x-consumers: [user]", "x-consumers: [none]");
    Tree::with(&selection("http://127.0.0.1:1"), &open)
        .update(&document())
        .expect(1, "disagree about calls without a token");
    let at = OVERLAY.find("  - target: $.components").unwrap();
    Tree::with(&selection("http://127.0.0.1:1"), &OVERLAY[..at])
        .update(&document())
        .expect(1, "a secret must be `format: password`");
}

#[test]
fn a_name_cannot_command_the_terminal() {
    let name = "\u{1b}]0;owned\u{7}";
    let shown = "\\u{1b}]0;owned\\u{7}";
    let named = |name: &str| {
        changed(|document| {
            document["components"]["schemas"]["Item"]["properties"][name] = json!({"type": "string"});
        })
    };
    let tree = Tree::vendored();
    let report = tree.path().join("report.md");
    let run = tree.update_with(&named(name), &["--dry-run", "--report", report.to_str().unwrap()]);
    run.expect(0, "1 additive");
    assert!(run.stdout.contains(shown), "{}", run.stdout);
    let text = std::fs::read_to_string(report).unwrap();
    assert!(
        text.contains("owned") && !text.contains(['\u{1b}', '\u{7}']),
        "{text:?}"
    );
    // One that turns the direction of the text is refused, and shown to whoever compares documents by hand.
    let turned = named(&format!("{name}\u{202e}"));
    let shown = format!("{shown}\\u{{202e}}");
    tree.update(&turned).expect(1, &shown);
    let (before, after) = (
        tree.write("before.json", &document().to_string()),
        tree.write("after.json", &turned.to_string()),
    );
    let run = Run::verb("diff-spec", &[before.to_str().unwrap(), after.to_str().unwrap()]);
    assert!(run.stdout.contains(&shown), "{}", run.stdout);
}

#[test]
fn a_name_cannot_begin_a_line_of_its_own() {
    let run = Tree::vendored().update_with(
        &changed(|document| {
            let properties = &mut document["components"]["schemas"]["Item"]["properties"];
            properties["x\n     Wrote everything"] = json!({"type": "string"});
        }),
        &["--dry-run"],
    );
    run.expect(0, "1 additive");
    let forged = |text: &str| text.lines().any(|line| line.trim_start().starts_with("Wrote"));
    assert!(!forged(&run.stdout) && !forged(&run.stderr), "{run:?}");
    assert!(
        run.stdout.contains("field `x\\n     Wrote everything` added"),
        "{run:?}"
    );
}

#[test]
fn countless_operations_that_look_like_authentication_are_counted() {
    let many = changed(|document| {
        let paths = document["paths"].as_object_mut().unwrap();
        for index in 0..500 {
            paths.insert(format!("/auth/{index}"), json!({"get": {}}));
        }
    });
    let run = Tree::new().update(&many);
    run.expect(0, "and 470 more like it");
    assert!(run.stderr.lines().count() < 50, "{}", run.stderr);
}
