//! All or nothing: two runs at once, and a run that is killed.

mod support;

use std::time::{Duration, Instant};

use serde_json::json;
use support::{Answer, OVERLAY, Server, Tree, changed, document, selection, sha256};

/// Kills spread over one run.
const ROUNDS: u32 = 20;

#[test]
fn a_second_run_at_the_same_time_says_so() {
    let server = Server::start();
    server.set(
        "/service.json",
        Answer {
            hang: true,
            ..Answer::ok("")
        },
    );
    let tree = Tree::with(&selection(&server.address), OVERLAY);
    let mut first = tree.spawn("update-spec", &[]);
    // The first run holds the lock once it has asked the server, which never answers.
    while server.requests().is_empty() {
        std::thread::yield_now();
    }
    tree.update(&document())
        .expect(1, "another update-spec or verify-spec is running");
    tree.run("verify-spec", &[])
        .expect(1, "another update-spec or verify-spec is running");
    first.kill().unwrap();
    first.wait().unwrap();
    tree.update(&document()).expect(0, "Wrote");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the moments of the kills are spread over a real run"
)]
#[test]
fn a_run_that_is_killed_at_any_moment_leaves_a_tree_that_verifies() {
    let tree = Tree::vendored();
    let folder = tempfile::tempdir().unwrap();
    let documents = [
        document(),
        changed(|document| {
            document["components"]["schemas"]["Item"]["properties"]["colour"] = json!({"type": "string"});
        }),
    ];
    let files: Vec<String> = documents
        .iter()
        .enumerate()
        .map(|(index, document)| {
            let file = folder.path().join(format!("service-{index}.json"));
            std::fs::write(&file, document.to_string()).unwrap();
            file.to_str().unwrap().to_owned()
        })
        .collect();
    let run = |index: usize| tree.spawn("update-spec", &["--allow-breaking", "--from", &files[index % 2]]);
    let begin = Instant::now();
    run(0).wait().unwrap();
    let whole = begin.elapsed();
    for round in 0..ROUNDS {
        let mut child = run(round as usize + 1);
        // The moments are spread over a whole run, and a little beyond; nothing is being waited for.
        std::thread::sleep(whole * round / ROUNDS + Duration::from_micros(u64::from(round) * 37));
        child.kill().unwrap();
        child.wait().unwrap();
        tree.run("verify-spec", &[]).expect(0, "Verified");
    }
}

#[test]
fn what_a_killed_run_had_decided_is_finished_by_the_next_command() {
    // A journal with its staged file, as a run leaves them that is killed between two renames.
    let tree = Tree::vendored();
    let before = tree.content();
    let upstream = tree.read("upstream/service.json");
    tree.write(".update/staged/0", &upstream);
    let digest = sha256(upstream.as_bytes());
    let journal = json!({"entries": [{"path": "upstream/service.json", "sha256": digest}]});
    tree.write(".update/journal.json", &journal.to_string());
    std::fs::remove_file(tree.path().join("upstream/service.json")).unwrap();
    tree.run("verify-spec", &[]).expect(0, "Verified");
    assert_eq!(tree.content(), before);
    assert!(!tree.path().join(".update/journal.json").exists());
}

#[test]
fn a_journal_that_cannot_be_carried_out_any_more_is_told_with_the_remedy() {
    // Somebody restored the files between the kill and the next command.
    let tree = Tree::vendored();
    let before = tree.content();
    let journal = json!({"entries": [{"path": "upstream/service.json", "sha256": sha256(b"another")}]});
    tree.write(".update/journal.json", &journal.to_string());
    let run = tree.run("verify-spec", &[]);
    run.expect(1, "a killed run had begun").expect(1, "and delete ");
    assert_eq!(tree.content(), before);
    std::fs::remove_dir_all(tree.path().join(".update")).unwrap();
    tree.run("verify-spec", &[]).expect(0, "Verified");
}

#[test]
fn a_journal_that_names_a_file_elsewhere_is_refused() {
    let tree = Tree::vendored();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("x.yaml");
    tree.write(".update/staged/0", "x");
    let journal = json!({"entries": [{"path": target.to_str().unwrap(), "sha256": "00"}]});
    tree.write(".update/journal.json", &journal.to_string());
    tree.run("verify-spec", &[]).expect(1, "which is not ours");
    assert!(!target.exists());
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_written_is_left_as_it_was() {
    use std::os::unix::fs::PermissionsExt;

    let tree = Tree::vendored();
    let before = tree.content();
    let staging = tree.path().join(".update");
    std::fs::set_permissions(&staging, std::fs::Permissions::from_mode(0o555)).unwrap();
    let may_write_anyway = std::fs::write(staging.join("probe"), "").is_ok();
    let more = changed(|document| {
        document["components"]["schemas"]["Item"]["properties"]["colour"] = json!({"type": "string"});
    });
    let run = tree.update(&more);
    std::fs::set_permissions(&staging, std::fs::Permissions::from_mode(0o755)).unwrap();
    // A superuser is not stopped by permissions; then there is nothing to see.
    if !may_write_anyway {
        run.expect(1, "Permission denied");
        assert_eq!(tree.content(), before);
    }
}
