//! Fetching a document: what is refused, and what a maintainer sees.

mod support;

use support::{Answer, OVERLAY, Server, Tree, document, selection};

const PATH: &str = "/service.json";

/// A tree whose selection names a server, and that server.
fn served(answer: Answer) -> (Tree, Server) {
    let server = Server::start();
    server.set(PATH, answer);
    (Tree::with(&selection(&server.address), OVERLAY), server)
}

fn good() -> Answer {
    Answer::ok(document().to_string()).header("Content-Type", "application/json")
}

#[test]
fn the_sources_of_the_selection_are_fetched() {
    let (tree, server) = served(good().header("ETag", "\"one\""));
    let run = tree.run("update-spec", &[]);
    run.expect(0, "Wrote");
    assert!(
        run.stderr
            .contains(&format!("Fetching {} (1 of 1)", server.url(PATH))),
        "{}",
        run.stderr
    );
    let lock = tree.read("spec.lock");
    assert!(
        lock.contains(&server.url(PATH)) && lock.contains("etag = '\"one\"'"),
        "{lock}"
    );
    tree.run("verify-spec", &[]).expect(0, "Verified");
}

#[test]
fn an_unchanged_document_is_not_sent_again() {
    let (tree, server) = served(good().header("ETag", "\"one\""));
    tree.run("update-spec", &[]).expect(0, "Wrote");
    let before = tree.content();
    let run = tree.run("update-spec", &[]);
    run.expect(0, "the server says that it has not changed")
        .expect(0, "up to date");
    assert_eq!(tree.content(), before);
    assert!(
        server.requests()[1]
            .to_ascii_lowercase()
            .contains("if-none-match: \"one\"")
    );
}

#[test]
fn the_same_bytes_under_another_etag_change_nothing() {
    let (tree, server) = served(good().header("ETag", "\"one\""));
    tree.run("update-spec", &[]).expect(0, "Wrote");
    let before = tree.content();
    server.set(PATH, good().header("ETag", "\"two\""));
    tree.run("update-spec", &["--check"]).expect(0, "up to date");
    tree.run("update-spec", &[]).expect(0, "up to date");
    assert_eq!(tree.content(), before);
}

#[test]
fn a_copy_that_was_damaged_is_fetched_whole() {
    let (tree, server) = served(good().header("ETag", "\"one\""));
    tree.run("update-spec", &[]).expect(0, "Wrote");
    tree.write("upstream/service.json", "{}");
    tree.run("update-spec", &[])
        .expect(0, "Wrote upstream/service.json");
    assert!(
        !server.requests()[1]
            .to_ascii_lowercase()
            .contains("if-none-match")
    );
}

#[test]
fn every_bad_answer_has_its_own_line_and_changes_nothing() {
    let html = "<!DOCTYPE html><html><body>Please sign in</body></html>";
    let truncated = Answer {
        missing: 1_000,
        ..good()
    };
    for (answer, said) in [
        (Answer::status("404 Not Found"), "404, there is no document"),
        (
            Answer::status("503 Service Unavailable"),
            "the server answered 503",
        ),
        (Answer::status("304 Not Modified"), "the server answered 304"),
        (
            Answer::ok(html).header("Content-Type", "text/html; charset=utf-8"),
            "an HTML page instead of the document",
        ),
        (Answer::ok(html), "this is HTML, not an OpenAPI document"),
        (truncated, "the document is truncated"),
        (
            Answer::ok(&document().to_string()[..400]),
            "not valid JSON (truncated?)",
        ),
        (Answer::ok(""), "its top level is not an object"),
        (Answer::ok("[1, 2]"), "its top level is not an object"),
        (Answer::ok(vec![0xff, 0xfe, 0x00]), "not UTF-8"),
        (Answer::ok("{\"openapi\": \"2.0\"}"), "in none of the documents"),
    ] {
        let (tree, server) = served(good());
        tree.run("update-spec", &[]).expect(0, "Wrote");
        let before = tree.content();
        server.set(PATH, answer);
        tree.run("update-spec", &[]).expect(1, said);
        assert_eq!(tree.content(), before, "{said}");
        tree.run("verify-spec", &[]).expect(0, "Verified");
    }
}

#[test]
fn a_document_that_is_too_large_is_not_read_to_its_end() {
    let long = format!("{}{}", document(), " ".repeat(5_000));
    let (tree, server) = served(Answer::ok(long.clone()));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("service.json");
    std::fs::write(&file, long).unwrap();
    for from in [server.url(PATH), file.to_str().unwrap().to_owned()] {
        let run = tree.run("update-spec", &["--from", &from, "--max-bytes", "3000"]);
        run.expect(1, "larger than 3000 bytes");
    }
}

#[test]
fn a_server_that_does_not_answer_is_given_up() {
    let (tree, server) = served(Answer { hang: true, ..good() });
    let run = tree.run(
        "update-spec",
        &["--from", &server.url(PATH), "--max-seconds", "0.3"],
    );
    run.expect(1, "within 0.3 seconds");
}

#[test]
fn a_server_that_sends_a_byte_now_and_then_is_given_up() {
    let (tree, _server) = served(Answer {
        missing: 1_000_000,
        drip: true,
        ..good()
    });
    tree.run("update-spec", &["--max-seconds", "0.5"])
        .expect(1, "not complete within 0.5 seconds");
}

#[test]
fn a_redirect_within_the_host_is_followed() {
    let (tree, server) = served(Answer::status("302 Found").header("Location", "/elsewhere/service.json"));
    server.set("/elsewhere/service.json", good());
    tree.run("update-spec", &[]).expect(0, "Wrote");
}

#[test]
fn a_redirect_to_another_host_is_not_followed() {
    let other = Server::start();
    other.set(PATH, good());
    for target in [
        other.url(PATH),
        "http://localhost.example/x".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let (tree, _server) = served(Answer::status("302 Found").header("Location", target));
        let run = tree.run("update-spec", &[]);
        run.expect(1, "it redirects");
    }
    assert!(other.requests().is_empty(), "nothing was asked of the other host");
}

#[test]
fn a_circle_of_redirects_ends() {
    let (tree, _server) = served(Answer::status("302 Found").header("Location", PATH));
    tree.run("update-spec", &[])
        .expect(1, "redirects more than 5 times");
}

#[test]
fn a_name_that_nobody_knows_is_called_a_dns_failure() {
    let run = Tree::new().run(
        "update-spec",
        &["--from", "https://does-not-exist.invalid/service.yaml"],
    );
    run.expect(1, "does-not-exist.invalid cannot be found (DNS)");
}

#[test]
fn a_port_where_nobody_listens_is_no_connection() {
    Tree::new()
        .run("update-spec", &[])
        .expect(1, "no connection to 127.0.0.1");
}

#[test]
fn addresses_that_are_not_safe_are_refused_before_anything_is_sent() {
    for (address, said) in [
        (
            "http://hub.example.com/service.yaml",
            "plain HTTP is allowed to this machine only",
        ),
        (
            "http://127.0.0.1.example.com/service.yaml",
            "plain HTTP is allowed to this machine only",
        ),
        ("ftp://127.0.0.1/service.yaml", "`ftp` is not a scheme"),
        ("file:///etc/passwd", "`file` is not a scheme"),
        (
            "https://user:secret@hub.example.com/service.yaml",
            "holds a user name or password",
        ),
        ("https://", "is not a URL"),
    ] {
        let run = Tree::new().run("update-spec", &["--from", address]);
        run.expect(1, said);
        assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    }
}

#[test]
fn a_file_that_is_none_is_named() {
    let tree = Tree::new();
    tree.run("update-spec", &["--from", "no-such-file.yaml"])
        .expect(1, "no-such-file.yaml");
    tree.run("update-spec", &["--from", tree.path().to_str().unwrap()])
        .expect(1, "not a file");
}
