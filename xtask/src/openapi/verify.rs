//! `cargo xtask verify-spec`: upstream + overlay + selection give the result, and the generator takes it. Offline.

use std::collections::BTreeSet;
use std::path::Path;

use super::console::{self, GOOD};
use super::failure::{self, Result};
use super::fetch::{self, Limits};
use super::pipeline::{self, Rules, Upstream};
use super::spec_lock::{SpecLock, sha256};
use super::update_lock::UpdateLock;
use super::{dry_run, update_lock};

/// Checks the vendored files against each other.
pub(crate) fn verify(root: &Path, limits: Limits) -> Result<()> {
    let _guard = UpdateLock::take(root)?;
    let rules = Rules::read(root, limits)?;
    let lock = SpecLock::parse(&fetch::file(&root.join("spec.lock"), limits)?)?;
    let result = fetch::file(&root.join("synerise-auth.json"), limits)?;
    let mut problems = Vec::new();
    let mut agree = |what: &str, bytes: &[u8], locked: &str| {
        if sha256(bytes) != locked {
            problems.push(format!(
                "{what} is not what spec.lock says; run `cargo xtask update-spec`, never edit the result"
            ));
        }
    };
    agree("selection.toml", &rules.selection_bytes, &lock.selection_sha256);
    agree("overlay.yaml", &rules.overlay_bytes, &lock.overlay_sha256);
    for path in update_lock::results(root) {
        agree(path, &fetch::file(&root.join(path), limits)?, &lock.result_sha256);
    }
    let mut upstream = Vec::new();
    for source in &lock.sources {
        let bytes = fetch::file(&root.join("upstream").join(&source.file), limits)?;
        agree(&format!("upstream/{}", source.file), &bytes, &source.sha256);
        upstream.push(Upstream {
            name: source.name.clone(),
            bytes,
        });
    }
    if dry_run::version() != lock.generator {
        problems.push(format!(
            "spec.lock was made with {}, and Cargo.lock has {}; run `cargo xtask update-spec`",
            lock.generator,
            dry_run::version()
        ));
    }
    problems.extend(untracked_files(root, &lock));
    failure::all("verify-spec", &problems)?;
    let outcome = pipeline::run(&rules, &upstream)?;
    if outcome.result != result {
        return Err(failure::Failure::failed(
            "verify-spec: upstream, overlay and selection give another result than synerise-auth.json; run `cargo xtask update-spec`",
        ));
    }
    pipeline::dry_run(&result, limits)?;
    console::say(
        GOOD,
        "Verified",
        &format!(
            "{} source(s), overlay, selection and result agree",
            upstream.len()
        ),
    );
    Ok(())
}

/// Files in `upstream/` that the lock does not know.
fn untracked_files(root: &Path, lock: &SpecLock) -> Vec<String> {
    let known: BTreeSet<&str> = lock.sources.iter().map(|source| source.file.as_str()).collect();
    let entries = std::fs::read_dir(root.join("upstream"))
        .into_iter()
        .flatten()
        .flatten();
    let mut untracked_files: Vec<String> = entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| !known.contains(name.as_str()))
        .map(|name| format!("upstream/{name} is not in spec.lock"))
        .collect();
    untracked_files.sort();
    untracked_files
}
