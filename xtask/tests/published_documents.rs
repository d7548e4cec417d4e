//! From documents as Synerise publishes them, a crate comes out that builds and passes its tests.
//!
//! The fixture has several services in one file, `service-Schema` names, operations that are not taken, `default` and
//! differing error responses, and the header parameter `Api-Version`. `extra_overlay.json` and `rename.toml` are what a maintainer
//! would add to the overlay and the selection.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;
#[path = "support/repository.rs"]
mod tree;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::{Answer, Server, Tree};
use tree::{read, root};

fn fixture(name: &str) -> String {
    read(format!("xtask/tests/fixtures/vendor/{name}"))
}

/// The repository's own selection and overlay with the additions, the documents on a server, and today's result.
fn published() -> (Tree, Server) {
    let server = Server::start();
    for name in [
        "authorization",
        "organizations",
        "profile-management",
        "identity-and-access-management",
    ] {
        let answer = Answer::ok(fixture(&format!("{name}.yaml"))).header("Content-Type", "application/yaml");
        server.set(&format!("/api-reference/{name}.yaml"), answer);
    }
    let selection = read("openapi/selection.toml")
        .replace("https://hub.synerise.com", &server.address)
        .replace("[rename]\n", &format!("[rename]\n{}", fixture("rename.toml")));
    let mut overlay: Value = serde_json::from_str(&fixture("extra_overlay.json")).unwrap();
    let own: Value = serde_saphyr::from_str(&read("openapi/overlay.yaml")).unwrap();
    // The transcription has `default` in a few places only; here one action has removed them all.
    let own = own["actions"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|action| !action["target"].as_str().unwrap().ends_with(".responses.default"));
    overlay["actions"].as_array_mut().unwrap().extend(own.cloned());
    let tree = Tree::with(&selection, &overlay.to_string());
    tree.write("synerise-auth.json", &read("openapi/synerise-auth.json"));
    (tree, server)
}

#[test]
fn a_switch_to_the_published_documents_breaks_nobody() {
    let (tree, _server) = published();
    let run = tree.run("update-spec", &[]);
    run.expect(0, "0 breaking")
        .expect(0, "POST /uauth/auth/login/passkey looks like authentication");
    assert!(
        !run.stderr.contains("/v4/auth/login/profile looks"),
        "left out with a reason: {}",
        run.stderr
    );
    tree.run("verify-spec", &[]).expect(0, "Verified 4 source(s)");
    let text = tree.read("synerise-auth.json");
    for gone in [
        "\"Api-Version\"",
        "\"default\"",
        "x-codeSamples",
        "pattern",
        "\"title\": \"AuthenticationRequest\"",
        "<details",
        "problem+json",
    ] {
        assert!(!text.contains(gone), "{gone}");
    }
    assert_eq!(tree.run("update-spec", &["--check"]).code, 0);
}

#[test]
#[ignore = "builds the crate once more: the gate published-documents of `cargo xtask ci` runs it"]
fn the_crate_builds_from_the_published_documents_and_passes_its_tests() {
    let (tree, _server) = published();
    tree.run("update-spec", &[]).expect(0, "Wrote");
    let copy = tempfile::tempdir().unwrap();
    copy_repository(copy.path());
    std::fs::write(
        copy.path().join("openapi/synerise-auth.json"),
        tree.read("synerise-auth.json"),
    )
    .unwrap();
    // The dependencies that the outer build compiled are used again: only the crate itself is new.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["test", "--offline", "--package", "synerise-auth", "--lib"])
        .arg("--manifest-path")
        .arg(copy.path().join("Cargo.toml"))
        .env("CARGO_TARGET_DIR", target)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}{}",
        String::from_utf8_lossy(&output.stderr),
        String::from_utf8_lossy(&output.stdout)
    );
}

/// Copies what the crate is built from, without what was built.
fn copy_repository(to: &Path) {
    fn copy(from: &Path, to: &Path) {
        if from.is_file() {
            std::fs::copy(from, to).unwrap();
            return;
        }
        std::fs::create_dir_all(to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name();
            if name != "target" && !name.to_string_lossy().starts_with('.') {
                copy(&entry.path(), &to.join(name));
            }
        }
    }
    copy(root(), to);
}
