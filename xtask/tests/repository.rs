//! What the pages of the repository say is checked against the repository.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[path = "support/repository.rs"]
mod tree;

use tree::{files, git, read, root};

/// The text files that are under version control, or would be.
fn texts() -> Vec<(PathBuf, String)> {
    let text = |path: PathBuf| {
        let text = fs::read_to_string(root().join(&path)).ok()?;
        Some((path, text))
    };
    files().into_iter().filter_map(text).collect()
}

fn has_extension(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

#[test]
fn every_dependency_has_its_reason() {
    let reasons = read("ARCHITECTURE.md");
    let mut unexplained = BTreeSet::new();
    for (path, text) in texts() {
        if path.file_name().is_none_or(|name| name != "Cargo.toml") {
            continue;
        }
        let manifest: toml::Table = text.parse().unwrap();
        let targets = manifest.get("target").and_then(toml::Value::as_table).into_iter();
        let targets = targets
            .flat_map(|targets| targets.values())
            .filter_map(toml::Value::as_table);
        for table in targets.chain([&manifest]) {
            for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
                let dependencies = table
                    .get(kind)
                    .and_then(toml::Value::as_table)
                    .into_iter()
                    .flatten();
                let missing = dependencies
                    .map(|(name, _)| name)
                    .filter(|name| !reasons.contains(&format!("`{name}`")));
                unexplained.extend(missing.map(|name| format!("{name} of {}", path.display())));
            }
        }
    }
    assert!(
        unexplained.is_empty(),
        "ARCHITECTURE.md does not say why: {unexplained:?}"
    );
}

#[test]
fn links_between_the_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for (path, text) in texts().into_iter().filter(|(path, _)| has_extension(path, "md")) {
        for target in text
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split([')', '#']).next())
        {
            let there = root().join(&path).with_file_name(target);
            if !target.is_empty() && !target.contains("://") && !there.exists() {
                broken.push(format!("{}: {target}", path.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:?}");
}

#[test]
fn the_commands_of_the_readme_exist() {
    let text = read("README.md");
    for rest in text.split("cargo run --example ").skip(1) {
        let name: String = rest
            .chars()
            .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
            .collect();
        assert!(
            root().join(format!("examples/{name}.rs")).is_file(),
            "examples/{name}.rs"
        );
    }
    for rest in text.split("cargo xtask ").skip(1) {
        let verb: String = rest
            .chars()
            .take_while(|c| c.is_ascii_lowercase() || *c == '-')
            .collect();
        let help = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .args([&verb, "--help"])
            .output()
            .unwrap();
        assert!(help.status.success(), "cargo xtask {verb}");
    }
}

/// The page is found by the error's text, so that the text on it has to be the error's.
#[test]
fn troubleshooting_quotes_the_errors_as_they_are() {
    let told_by_others = [
        "Could not find directory of OpenSSL installation",
        "No module named pip",
    ];
    let sources = ["src", "redis/src", "build", "build.rs", "xtask/src"];
    let sources: String = texts()
        .into_iter()
        .filter(|(path, _)| {
            has_extension(path, "rs") && sources.iter().any(|source| path.starts_with(source))
        })
        .map(|(_, text)| {
            text.split_whitespace()
                .collect::<Vec<_>>()
                .join(" ")
                .replace("\\ ", "")
        })
        .collect();
    for heading in read("TROUBLESHOOTING.md")
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
    {
        let quoted = heading.split('`').skip(1).step_by(2);
        // What has no space in it is the name of an operation or a gate.
        for text in quoted.filter(|text| text.contains(' ') && !told_by_others.contains(text)) {
            // The status, and the name of an operation, are put in when the error is printed.
            let text = text.trim_end_matches(|c: char| c.is_ascii_digit() || c == ' ');
            let text = text.find("was refused with").map_or(text, |at| &text[at..]);
            for part in text.split('…').map(str::trim) {
                assert!(
                    sources.contains(part),
                    "TROUBLESHOOTING.md: nothing says `{part}`"
                );
            }
        }
    }
}

/// The texts that the page's headings quote, apart from single words.
fn quoted_in_headings(page: &str) -> Vec<&str> {
    page.lines()
        .filter(|line| line.starts_with("### "))
        .flat_map(|heading| heading.split('`').skip(1).step_by(2))
        .filter(|part| part.contains(' '))
        .collect()
}

/// Each refused input in the library's sources: a part of its text is in a heading of the page.
#[test]
fn troubleshooting_has_an_entry_for_every_refused_input() {
    let page = read("TROUBLESHOOTING.md");
    let quoted = quoted_in_headings(&page);
    let mut seen = 0;
    let mut missing = BTreeSet::new();
    for (path, text) in texts() {
        if !path.starts_with("src") || !has_extension(&path, "rs") || path.ends_with("tests.rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        for call in code
            .split("invalid_input(")
            .skip(1)
            .chain(code.split("refuse(").skip(1))
        {
            // The problem is the first text of a call that reads as one; names of inputs and advice do not begin with such a verb.
            let arguments = call.split(')').next().unwrap_or_default();
            let problem = arguments.split('"').skip(1).step_by(2).find(|text| {
                [
                    "is ",
                    "has ",
                    "contains ",
                    "belongs ",
                    "does not ",
                    "was ",
                    "can't ",
                ]
                .iter()
                .any(|verb| text.starts_with(verb))
            });
            let Some(problem) = problem else { continue };
            seen += 1;
            if !quoted.iter().any(|part| problem.contains(part)) {
                missing.insert(problem.to_owned());
            }
        }
    }
    assert!(seen > 30, "only {seen} were found: is the search broken?");
    assert!(
        missing.is_empty(),
        "TROUBLESHOOTING.md has no heading for {missing:#?}"
    );
}

/// Each error of the store on Redis: a part of its text is in a heading of the page.
#[test]
fn troubleshooting_has_an_entry_for_every_error_of_the_redis_store() {
    let page = read("TROUBLESHOOTING.md");
    let quoted = quoted_in_headings(&page);
    let mut seen = 0;
    let mut missing = BTreeSet::new();
    for (path, text) in texts() {
        if !path.starts_with("redis/src") || !has_extension(&path, "rs") {
            continue;
        }
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let is_code = |line: &&str| !line.trim_start().starts_with("//");
        let code = code.lines().filter(is_code).collect::<Vec<_>>().join("\n");
        // In `problem.rs`, each text of several words is an error, apart from those that a server's answer is searched for.
        let is_problem = path.ends_with("problem.rs");
        let calls = ["StoreError::new(", "because(", "TOO_LONG: &str =", "failed("];
        let texts: Vec<&str> = if is_problem {
            let searched = [
                "max number of clients",
                "unknown command",
                "corrupt message",
                "failed to lookup address",
            ];
            let texts = code.split('"').skip(1).step_by(2);
            texts
                .filter(|text| text.contains(' ') && !searched.contains(text))
                .collect()
        } else {
            let after = calls.iter().flat_map(|call| code.split(call).skip(1));
            let statement = after.filter_map(|rest| rest.split(';').next());
            let begins = statement.filter_map(|rest| rest.trim_start().strip_prefix('"'));
            begins.filter_map(|rest| rest.split('"').next()).collect()
        };
        for text in texts {
            seen += 1;
            // What is put in when the error is printed.
            let text = text.split('{').next().unwrap_or_default();
            if !quoted.iter().any(|part| text.contains(part)) && !quoted.contains(&text.trim_end()) {
                missing.insert(text.to_owned());
            }
        }
    }
    assert!(seen > 30, "only {seen} were found: is the search broken?");
    assert!(
        missing.is_empty(),
        "TROUBLESHOOTING.md has no heading for {missing:#?}"
    );
}

#[test]
fn every_example_in_the_documentation_is_compiled() {
    // Written apart, so that this file holds none itself.
    let ignored = ["```", "ignore"].concat();
    let rust_ignored = ["```rust,", "ignore"].concat();
    for (path, text) in texts() {
        assert!(
            !text.contains(&ignored) && !text.contains(&rust_ignored),
            "{}",
            path.display()
        );
    }
}

#[test]
fn nothing_names_a_place_on_somebodys_machine() {
    for (path, text) in texts() {
        for place in ["/home/", "/root/", "/Users/", "C:\\Users"] {
            let place = place.to_owned();
            let own = path.ends_with("xtask/tests/repository.rs");
            assert!(own || !text.contains(&place), "{} holds {place}", path.display());
        }
    }
}

/// A link is a text file with a path in it where a checkout can't make links.
#[test]
fn no_file_is_a_link() {
    let list = git(&["ls-files", "--stage"]);
    let links: Vec<&str> = list.lines().filter(|line| line.starts_with("120000")).collect();
    assert!(links.is_empty(), "{links:?}");
}

#[test]
fn every_crate_has_the_licences_of_the_repository() {
    for licence in ["LICENSE-APACHE", "LICENSE-MIT"] {
        for (path, text) in texts() {
            if path.file_name().is_some_and(|name| name == licence) {
                assert!(text == read(licence), "{} differs from {licence}", path.display());
            }
        }
    }
}

/// Where git writes other line ends, hashes differ and the document does not verify.
#[test]
fn every_checkout_has_the_same_bytes() {
    let list = git(&["ls-files", "--eol"]);
    let open: Vec<&str> = list
        .lines()
        .filter(|line| !line.contains("attr/-text") && !line.contains("eol=lf"))
        .collect();
    assert!(open.is_empty(), "{open:?}");
}

/// The rooms of the library, from the door to the ground. `lib.rs` re-exports, and is in none.
const ROOMS: [&str; 27] = [
    "client",
    "blocking",
    "config",
    "account",
    "settings",
    "usage",
    "verify",
    "session",
    "lifecycle",
    "store",
    "bindings",
    "transport",
    "observability",
    "token",
    "model",
    "api_key",
    "secret",
    "region",
    "error",
    "backoff",
    "exact_url",
    "fingerprint",
    "clock",
    "random",
    "operation",
    "foreign_json",
    "sync",
];

#[test]
fn a_room_knows_only_those_below_it() {
    let floor = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut wrong = BTreeSet::new();
    let mut seen = 0;
    for (path, text) in texts() {
        let Some(inside) = path
            .strip_prefix("src")
            .ok()
            .filter(|_| has_extension(&path, "rs"))
        else {
            continue;
        };
        let room = inside.iter().next().unwrap_or_default().to_string_lossy();
        let room = room.strip_suffix(".rs").unwrap_or(&room);
        if ["lib", "fuzzing", "guide"].contains(&room) || inside.ends_with("tests.rs") {
            continue;
        }
        let own =
            floor(room).unwrap_or_else(|| panic!("{}: a room that ROOMS does not list", path.display()));
        for other in rooms_named_in(&text) {
            seen += 1;
            if floor(&other).is_none_or(|there| there < own) {
                wrong.insert(format!("{} knows `{other}`", path.display()));
            }
        }
    }
    assert!(seen > 50, "only {seen} paths were found: is the search broken?");
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The modules of the crate that code names, without its tests and comments: `crate::x`, and `crate::{x, y::z}`.
fn rooms_named_in(text: &str) -> BTreeSet<String> {
    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    let code = code.join(" ");
    let mut rooms = BTreeSet::new();
    for rest in code.split("crate::").skip(1) {
        let list = match rest.strip_prefix('{') {
            Some(list) => list.split(';').next().unwrap_or_default().split(',').collect(),
            None => vec![rest],
        };
        for name in list {
            let name: String = name
                .trim()
                .chars()
                .take_while(|c| c.is_ascii_alphanumeric() || *c == '_')
                .collect();
            // A capital begins a name that the root itself exports.
            rooms.extend(Some(name).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase())));
        }
    }
    rooms
}

#[test]
fn rooms_are_found_however_they_are_named() {
    let code = "//! crate::clock\nuse crate::error::{Error, Result};\nuse crate::{store, token::Token};\nfn a() { crate::model::b() }\n#[cfg(test)]\nmod tests { use crate::client; }";
    let expected = ["error", "model", "store", "token"].map(str::to_owned);
    assert_eq!(rooms_named_in(code), BTreeSet::from(expected));
}
