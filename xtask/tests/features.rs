//! A feature that is off costs nothing: what each feature adds to a user's tree, and that the rest of it stays the same.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::process::Command;

/// What each feature adds to the crate without features, on Linux.
const ADDED: [(&str, &str); 6] = [
    ("blocking", ""),
    ("conformance", ""),
    ("test-util", ""),
    ("metrics", "metrics rapidhash"),
    (
        "schemars",
        "dyn-clone ref-cast ref-cast-impl schemars schemars_derive serde_derive_internals",
    ),
    (
        "verify",
        "adler2 aws-lc-rs aws-lc-sys crc32fast flate2 miniz_oxide simd-adler32",
    ),
];

/// The crates that a program with `synerise-auth` links, or runs as macros. Those of the build alone are not among them.
fn linked(arguments: &[&str]) -> BTreeSet<String> {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "--locked",
            "--offline",
            "--package=synerise-auth",
            "--edges=normal",
        ])
        .args([
            "--target=x86_64-unknown-linux-gnu",
            "--prefix=none",
            "--format={p}",
        ])
        .args(arguments)
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8(output.stdout).unwrap();
    let names = text.lines().filter_map(|line| line.split(' ').next());
    names.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn a_feature_adds_its_own_crates_and_no_others() {
    let bare = linked(&["--no-default-features"]);
    assert!(bare.contains("reqwest"), "{bare:?}");
    for (feature, added) in ADDED {
        let with = linked(&["--no-default-features", "--features", feature]);
        let added: BTreeSet<String> = added.split_whitespace().map(str::to_owned).collect();
        let more: BTreeSet<String> = with.difference(&bare).cloned().collect();
        assert_eq!(more, added, "{feature}");
        assert!(bare.is_subset(&with), "{feature}");
    }
}

#[test]
fn the_default_features_add_tls_alone() {
    let (bare, default) = (linked(&["--no-default-features"]), linked(&[]));
    let more: BTreeSet<&String> = default.difference(&bare).collect();
    let of_tls = |name: &String| {
        ["rustls", "aws-lc", "openssl-probe", "subtle", "untrusted"]
            .iter()
            .any(|part| name.contains(part))
    };
    assert!(
        !more.is_empty() && more.iter().all(|name| of_tls(name)),
        "{more:?}"
    );
}
