//! `update-spec`: what it takes, what it says, what it writes, and how it exits.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use serde_json::{Value, json};
use support::{OVERLAY, Tree, changed, document, selection, sha256};

#[test]
fn the_first_run_writes_the_result_the_lock_and_the_copy() {
    let tree = Tree::new();
    tree.update(&document())
        .expect(0, "Wrote synerise-auth.json, spec.lock, upstream/service.json");
    assert_eq!(tree.read("upstream/service.json"), document().to_string());
    tree.run("verify-spec", &[]).expect(0, "Verified");
}

#[test]
fn the_same_document_again_changes_no_byte() {
    let tree = Tree::vendored();
    let before = tree.content();
    tree.update(&document()).expect(0, "up to date");
    assert_eq!(tree.content(), before);
}

#[test]
fn only_the_chosen_operations_and_what_they_reach_are_taken() {
    let result = Tree::vendored().result();
    assert_eq!(
        result["paths"].as_object().unwrap().keys().collect::<Vec<_>>(),
        ["/auth/login", "/items/{id}"]
    );
    let schemas: Vec<_> = result["components"]["schemas"]
        .as_object()
        .unwrap()
        .keys()
        .cloned()
        .collect();
    assert_eq!(schemas, ["Item", "LoginRequest"]);
    let get = &result["paths"]["/items/{id}"]["get"];
    assert_eq!(get["operationId"], "getItem");
    assert_eq!(get["x-vendor-operation-id"], "getItemUsingGET");
    assert_eq!(
        get["parameters"][0]["name"], "id",
        "the parameters of the path are the operation's"
    );
    assert_eq!(
        get["security"],
        json!([{"JWT": []}]),
        "what the document requires of all is said by each"
    );
}

#[test]
fn an_upstream_that_lists_things_in_another_order_changes_nothing_for_users() {
    let tree = Tree::vendored();
    let shuffled = changed(|document| {
        let paths = document["paths"].as_object_mut().unwrap();
        let reversed: Vec<_> = std::mem::take(paths).into_iter().rev().collect();
        paths.extend(reversed);
        let schemas = document["components"]["schemas"].as_object_mut().unwrap();
        let reversed: Vec<_> = std::mem::take(schemas).into_iter().rev().collect();
        schemas.extend(reversed);
    });
    let before = tree.read("synerise-auth.json");
    tree.update(&shuffled)
        .expect(0, "0 breaking, 0 additive, 0 in the documentation");
    assert_eq!(tree.read("synerise-auth.json"), before);
}

#[test]
fn an_additive_change_is_written_and_told() {
    let tree = Tree::vendored();
    let run = tree.update(&changed(|document| {
        document["components"]["schemas"]["Item"]["properties"]["colour"] = json!({"type": "string"});
    }));
    run.expect(0, "1 additive");
    assert!(run.stdout.contains("field `colour` added"), "{}", run.stdout);
    assert!(
        run.stdout.contains("/components/schemas/Item/properties/colour"),
        "{}",
        run.stdout
    );
    tree.run("verify-spec", &[]).expect(0, "Verified");
}

fn without_size(document: &mut Value) {
    document["components"]["schemas"]["Item"]["properties"]
        .as_object_mut()
        .unwrap()
        .remove("size");
}

#[test]
fn a_breaking_change_is_refused_until_it_is_allowed() {
    let tree = Tree::vendored();
    let before = tree.content();
    let run = tree.update(&changed(without_size));
    run.expect(4, "nothing was written");
    assert!(run.stdout.contains("field `size` removed"), "{}", run.stdout);
    assert_eq!(tree.content(), before);
    tree.update_with(&changed(without_size), &["--allow-breaking"])
        .expect(0, "Wrote");
    assert!(
        tree.result()["components"]["schemas"]["Item"]["properties"]
            .get("size")
            .is_none()
    );
}

#[test]
fn check_exits_with_3_on_drift_and_0_without() {
    let tree = Tree::vendored();
    let before = tree.content();
    tree.update_with(&document(), &["--check"])
        .expect(0, "up to date");
    tree.update_with(&changed(without_size), &["--check"])
        .expect(3, "would write");
    assert_eq!(tree.content(), before);
}

#[test]
fn check_sees_a_copy_that_differs_even_if_the_result_does_not() {
    let tree = Tree::vendored();
    let reworded = changed(|document| document["info"]["title"] = json!("Another"));
    tree.update_with(&reworded, &["--check"])
        .expect(3, "upstream/service.json");
}

#[test]
fn a_dry_run_shows_everything_and_writes_nothing() {
    let tree = Tree::vendored();
    let before = tree.content();
    let run = tree.update_with(&changed(without_size), &["--dry-run", "--allow-breaking"]);
    run.expect(0, "nothing was written");
    assert!(run.stdout.contains("BREAKING"), "{}", run.stdout);
    tree.update_with(&changed(without_size), &["--dry-run"])
        .expect(4, "refused");
    assert_eq!(tree.content(), before);
}

#[test]
fn an_unknown_flag_is_a_usage_error() {
    Tree::new().run("update-spec", &["--fro", "x"]).expect(2, "--fro");
}

#[test]
fn the_report_is_markdown_that_a_vendor_cannot_write_into() {
    let tree = Tree::vendored();
    let report = tree.path().join("report.md");
    let hostile = changed(|document| {
        document["components"]["schemas"]["Item"]["properties"]["a`|b\\[x\\](http://x.example) @someone #1\n<img src=x>"] =
            json!({"type": "string"});
    });
    tree.update_with(&hostile, &["--dry-run", "--report", report.to_str().unwrap()])
        .expect(0, "1 additive");
    let text = std::fs::read_to_string(report).unwrap();
    assert!(text.contains("## Additive"), "{text}");
    // All of it is in one code span of one cell, where nothing becomes a link, a mention or an image.
    assert!(
        text.contains("| `field 'a'¦b⧵[x⧵](http://x.example) @someone #1<img src=x>' added` |"),
        "{text}"
    );
    let rows: Vec<_> = text.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(rows.len(), 3, "{text}");
    assert!(rows.iter().all(|row| row.matches('|').count() == 6), "{text}");
}

#[test]
fn output_without_a_terminal_has_no_colours() {
    let run = Tree::new().update(&document());
    assert!(
        !run.stderr.contains('\u{1b}') && !run.stdout.contains('\u{1b}'),
        "{run:?}"
    );
}

#[test]
fn an_operation_that_looks_like_authentication_and_was_not_decided_about_is_reported() {
    let tree = Tree::vendored();
    let more = changed(|document| {
        document["paths"]["/auth/passkey/login"] =
            json!({"post": {"responses": {"200": {"description": "New."}}}});
    });
    let more = [
        "/v5/sso/saml",
        "/v5/sign-in",
        "/v5/otp",
        "/v5/webauthn",
        "/v5/jwks",
    ]
    .iter()
    .fold(more, |mut document, path| {
        document["paths"][path] = json!({"post": {}});
        document
    });
    let mut more = more;
    // Its path says nothing, but its name does.
    more["paths"]["/v5/customers/enter"] = json!({"post": {"operationId": "loginCustomerUsingPOST"}});
    let run = tree.update_with(&more, &["--dry-run"]);
    for path in [
        "/auth/passkey/login",
        "/v5/sso/saml",
        "/v5/sign-in",
        "/v5/otp",
        "/v5/webauthn",
        "/v5/jwks",
        "/v5/customers/enter",
    ] {
        run.expect(0, &format!("POST {path} looks like authentication"));
    }
    assert!(
        !run.stderr.contains("/auth/old-login"),
        "left out with a reason: {}",
        run.stderr
    );
    assert!(
        !run.stderr.contains("/shop/orders"),
        "no authentication: {}",
        run.stderr
    );
}

#[test]
fn an_operation_that_upstream_dropped_is_named() {
    let tree = Tree::vendored();
    let fewer = changed(|document| {
        document["paths"].as_object_mut().unwrap().remove("/auth/login");
    });
    tree.update(&fewer)
        .expect(1, "POST /auth/login is in none of the documents");
}

#[test]
fn an_operation_id_that_upstream_renames_stays_ours() {
    let tree = Tree::vendored();
    let renamed =
        changed(|document| document["paths"]["/auth/login"]["post"]["operationId"] = json!("loginV9"));
    let run = tree.update(&renamed);
    run.expect(0, "0 breaking, 0 additive, 1 in the documentation");
    assert_eq!(
        tree.result()["paths"]["/auth/login"]["post"]["operationId"],
        "logIn"
    );
}

#[test]
fn an_overlay_action_that_matches_nothing_is_an_error() {
    let overlay = format!(
        "{OVERLAY}\n  - {{target: \"$.components.schemas.Gone\", description: Why., x-evidence: How., remove: true}}\n"
    );
    let tree = Tree::with(&selection("http://127.0.0.1:1"), &overlay);
    tree.update(&document()).expect(
        1,
        "action 5 ($.components.schemas.Gone) matches nothing: vendor fixed it?",
    );
}

#[test]
fn an_overlay_action_that_changes_nothing_is_an_error() {
    let tree = Tree::vendored();
    let before = tree.content();
    let fixed = changed(|document| {
        document["components"]["schemas"]["svc-LoginRequest"]["properties"]["password"]["format"] =
            json!("password");
    });
    tree.update(&fixed).expect(1, "changes nothing: vendor fixed it?");
    assert_eq!(tree.content(), before);
}

#[test]
fn an_overlay_action_without_a_reason_or_evidence_is_an_error() {
    for (missing, said) in [
        ("description: Our name.", "does not say why"),
        ("x-evidence: The test.", "how we know"),
    ] {
        let tree = Tree::with(
            &selection("http://127.0.0.1:1"),
            &OVERLAY.replacen(missing, "", 1),
        );
        tree.update(&document()).expect(1, said);
    }
}

#[test]
fn one_document_split_over_several_files_is_one_result() {
    let tree = Tree::vendored();
    let folder = tempfile::tempdir().unwrap();
    let part = |name: &str, path: &str| {
        let part = changed(|document| {
            document["paths"]
                .as_object_mut()
                .unwrap()
                .retain(|key, _| key == path);
        });
        let file = folder.path().join(name);
        std::fs::write(&file, part.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (a, b) = (part("A.json", "/auth/login"), part("b.json", "/items/{id}"));
    // `Item` is in both files, and the same in both.
    tree.run("update-spec", &["--from", &a, "--from", &b])
        .expect(0, "0 breaking, 0 additive, 0 in the documentation");
    assert!(tree.path().join("upstream/a.json").exists() && tree.path().join("upstream/b.json").exists());
    assert!(
        !tree.path().join("upstream/service.json").exists(),
        "a copy that nothing uses goes away"
    );
    tree.run("verify-spec", &[]).expect(0, "Verified 2 source(s)");
}

fn two_items() -> (tempfile::TempDir, String, String) {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, path: &str, kind: &str| {
        let part = changed(|document| {
            document["paths"]
                .as_object_mut()
                .unwrap()
                .retain(|key, _| key == path);
            document["components"]["schemas"]["Item"]["properties"]["size"]["type"] = json!(kind);
        });
        let file = folder.path().join(name);
        std::fs::write(&file, part.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let (a, b) = (
        write("a.json", "/auth/login", "integer"),
        write("b.json", "/items/{id}", "string"),
    );
    (folder, a, b)
}

#[test]
fn the_same_name_for_two_different_schemas_asks_for_a_new_name() {
    let (_folder, a, b) = two_items();
    let tree = Tree::new();
    tree.run("update-spec", &["--from", &a, "--from", &b])
        .expect(1, "\"b:Item\" = \"…\"");
    let renamed = selection("http://127.0.0.1:1").replace("[rename]", "[rename]\n\"b:Item\" = \"Thing\"");
    let tree = Tree::with(&renamed, OVERLAY);
    tree.run("update-spec", &["--from", &a, "--from", &b])
        .expect(0, "Wrote");
    let schemas = &tree.result()["components"]["schemas"];
    assert_eq!(schemas["Item"]["properties"]["size"]["type"], "integer");
    assert_eq!(schemas["Thing"]["properties"]["size"]["type"], "string");
}

#[test]
fn a_security_scheme_may_be_described_in_other_words_by_each_source() {
    let tree = Tree::new();
    let part = |name: &str, path: &str, words: &str, scheme: &str| {
        let part = changed(|document| {
            document["paths"]
                .as_object_mut()
                .unwrap()
                .retain(|key, _| key == path);
            document["components"]["securitySchemes"]["JWT"]["description"] = json!(words);
            document["components"]["securitySchemes"]["JWT"]["scheme"] = json!(scheme);
            if path == "/auth/login" {
                document["paths"][path]["post"]["security"] = json!([{}, {"JWT": []}]);
            }
        });
        tree.write(&format!("in/{name}"), &part.to_string())
            .to_str()
            .unwrap()
            .to_owned()
    };
    let a = part("a.json", "/auth/login", "A token.", "bearer");
    let b = part("b.json", "/items/{id}", "The token.", "bearer");
    tree.run("update-spec", &["--from", &a, "--from", &b])
        .expect(0, "Wrote");
    let c = part("c.json", "/items/{id}", "The token.", "basic");
    tree.run("update-spec", &["--from", &a, "--from", &c])
        .expect(1, "components/securitySchemes/JWT is not the same");
}

#[test]
fn a_damaged_result_is_told_with_what_to_do() {
    let tree = Tree::vendored();
    tree.write("synerise-auth.json", "{");
    tree.update(&document())
        .expect(1, "synerise-auth.json is damaged (restore it, or delete it");
    std::fs::remove_file(tree.path().join("synerise-auth.json")).unwrap();
    tree.update(&document()).expect(0, "Wrote");
}

#[test]
fn two_sources_of_one_name_are_refused() {
    let tree = Tree::new();
    let first = tree.write("one/service.json", &document().to_string());
    let second = tree.write("two/service.json", &document().to_string());
    let run = tree.run(
        "update-spec",
        &[
            "--from",
            first.to_str().unwrap(),
            "--from",
            second.to_str().unwrap(),
        ],
    );
    run.expect(1, "two sources would both be kept as `service`");
}

#[test]
fn a_path_that_the_servers_begin_is_found_with_it() {
    let tree = Tree::new();
    let short = changed(|document| {
        document["servers"] = json!([{"url": "https://a.example/auth"}, {"url": "https://b.example/auth/"}]);
        let paths = document["paths"].as_object_mut().unwrap();
        let login = paths.remove("/auth/login").unwrap();
        paths.insert("/login".to_owned(), login);
        paths.remove("/items/{id}");
    });
    let rest = changed(|document| {
        document["paths"].as_object_mut().unwrap().remove("/auth/login");
    });
    let a = tree.write("in/a.json", &short.to_string());
    let b = tree.write("in/b.json", &rest.to_string());
    tree.run(
        "update-spec",
        &["--from", a.to_str().unwrap(), "--from", b.to_str().unwrap()],
    )
    .expect(0, "Wrote");
    assert_eq!(
        tree.result()["paths"]["/auth/login"]["post"]["operationId"],
        "logIn"
    );
}

#[test]
fn verify_finds_every_file_that_was_edited_by_hand() {
    for (file, said) in [
        (
            "synerise-auth.json",
            "synerise-auth.json is not what spec.lock says",
        ),
        ("overlay.yaml", "overlay.yaml is not what spec.lock says"),
        ("selection.toml", "selection.toml is not what spec.lock says"),
        (
            "upstream/service.json",
            "upstream/service.json is not what spec.lock says",
        ),
    ] {
        let tree = Tree::vendored();
        let text = tree.read(file);
        tree.write(file, &format!("{text}\n"));
        tree.run("verify-spec", &[]).expect(1, said);
    }
}

#[test]
fn verify_finds_a_file_that_nobody_knows_and_one_that_is_missing() {
    let tree = Tree::vendored();
    tree.write("upstream/stranger.yaml", "x: 1");
    tree.run("verify-spec", &[])
        .expect(1, "upstream/stranger.yaml is not in spec.lock");
    let tree = Tree::vendored();
    std::fs::remove_file(tree.path().join("upstream/service.json")).unwrap();
    tree.run("verify-spec", &[]).expect(1, "service.json");
}

#[test]
fn verify_does_not_trust_a_lock_that_was_made_to_agree() {
    let tree = Tree::vendored();
    let forged = tree
        .read("synerise-auth.json")
        .replace("Returns an item.", "Returns nothing.");
    let lock = tree.read("spec.lock");
    let old = lock
        .lines()
        .find(|line| line.starts_with("result_sha256"))
        .unwrap()
        .to_owned();
    tree.write("synerise-auth.json", &forged);
    let digest = sha256(forged.as_bytes());
    tree.write(
        "spec.lock",
        &lock.replace(&old, &format!("result_sha256 = \"{digest}\"")),
    );
    tree.run("verify-spec", &[]).expect(1, "give another result");
}

#[test]
fn the_vendored_document_verifies() {
    let openapi = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi");
    let copy = Tree::new();
    for file in [
        "selection.toml",
        "overlay.yaml",
        "synerise-auth.json",
        "spec.lock",
        "upstream/transcription.yaml",
    ] {
        copy.write(file, &std::fs::read_to_string(openapi.join(file)).unwrap());
    }
    copy.run("verify-spec", &[]).expect(0, "Verified");
}

#[test]
fn null_beside_a_reference_is_an_alternative_to_it() {
    let nullable = |wrapped: Value| {
        changed(|document| {
            document["components"]["schemas"]["Item"]["properties"]["owner"] = wrapped;
            document["components"]["schemas"]["Unused"] =
                json!({"type": "object", "properties": {"x": {"type": "string"}}});
        })
    };
    let owner = json!({"$ref": "#/components/schemas/Unused"});
    let tree = Tree::new();
    tree.update(&nullable(
        json!({"type": "object", "nullable": true, "allOf": [owner]}),
    ))
    .expect(0, "Wrote");
    assert_eq!(
        tree.result()["components"]["schemas"]["Item"]["properties"]["owner"],
        json!({"anyOf": [owner, {"type": "object", "nullable": true, "enum": [null]}]})
    );
    let run = tree.update(&nullable(json!({"allOf": [owner], "description": "Whose."})));
    run.expect(0, "additive");
    assert!(
        run.stdout.contains("field `owner`: is never null any more"),
        "{}",
        run.stdout
    );
}

#[test]
fn the_emulator_has_its_own_copy_of_the_result() {
    let tree = Tree::new();
    let copy = tree.write("../emulator/openapi/synerise-auth.json", "old");
    tree.update(&document()).expect(
        0,
        "Wrote synerise-auth.json, ../emulator/openapi/synerise-auth.json",
    );
    assert_eq!(
        std::fs::read_to_string(&copy).unwrap(),
        tree.read("synerise-auth.json")
    );
    tree.run("verify-spec", &[]).expect(0, "Verified");
    std::fs::write(&copy, "edited").unwrap();
    tree.run("verify-spec", &[]).expect(
        1,
        "../emulator/openapi/synerise-auth.json is not what spec.lock says",
    );
    tree.update_with(&document(), &["--check"])
        .expect(3, "would write ../emulator/openapi/synerise-auth.json");
    std::fs::remove_file(&copy).unwrap();
    tree.run("verify-spec", &[])
        .expect(1, "emulator/openapi/synerise-auth.json");
    tree.update(&document()).expect(0, "Wrote");
    tree.run("verify-spec", &[]).expect(0, "Verified");
}
