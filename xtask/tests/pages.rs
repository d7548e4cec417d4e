//! The pages for users: their code is compiled, and their links lead somewhere wherever the page is read.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

#[path = "support/repository.rs"]
mod tree;

use tree::{files, read, root};

fn pages() -> Vec<PathBuf> {
    let own = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "md")
            && !path.starts_with("xtask/tests/fixtures")
    };
    files().into_iter().filter(own).collect()
}

/// The targets of a page's links and pictures.
fn links(text: &str) -> Vec<&str> {
    let targets = text.split("](").skip(1);
    targets.filter_map(|rest| rest.split(')').next()).collect()
}

/// The pages that rustdoc includes, where their code is compiled. In a list, a page is named without its folder.
fn included() -> BTreeSet<PathBuf> {
    let mut included = BTreeSet::new();
    for source in files() {
        if source.extension().is_none_or(|extension| extension != "rs") || source.starts_with("xtask") {
            continue;
        }
        let text = read(&source);
        let folder = source.parent().unwrap();
        for rest in text.split("include_str!(\"").skip(1) {
            let Some(path) = rest.split('"').next() else {
                continue;
            };
            included.insert(normal(&folder.join(path)));
        }
        if text.contains("include_str!(concat!(\"../docs/\"") {
            let names = text.split('"').filter(|part| part.strip_suffix(".md").is_some());
            included.extend(names.map(|name| Path::new("docs").join(name)));
        }
    }
    included
}

fn normal(path: &Path) -> PathBuf {
    let mut parts = Vec::new();
    for part in path.components() {
        match part {
            std::path::Component::ParentDir => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.into_iter().collect()
}

#[test]
fn code_of_every_page_is_compiled() {
    let included = included();
    let mut with_code = 0;
    for page in pages() {
        if read(&page).contains("```rust") {
            with_code += 1;
            assert!(
                included.contains(&page),
                "nothing compiles the code of {}",
                page.display()
            );
        }
    }
    assert!(
        with_code > 8,
        "only {with_code} pages have code: is the search broken?"
    );
}

/// Rustdoc shows these pages too, and there a link to a file of the repository is dead. Items are linked by `src/guide.rs`.
#[test]
fn pages_of_rustdoc_have_absolute_links_only() {
    for page in included() {
        let is_page = page.extension().is_some_and(|extension| extension == "md");
        if !is_page || page.ends_with("README.md") {
            continue;
        }
        for link in links(&read(&page)) {
            assert!(link.starts_with("https://"), "{}: {link}", page.display());
        }
    }
}

/// The registry resolves a README's links against `repository` and the package's folder.
#[test]
fn links_of_published_readmes_are_below_their_package() {
    for package in ["", "emulator", "middleware", "redis"] {
        let readme = Path::new(package).join("README.md");
        if !root().join(&readme).exists() {
            continue;
        }
        for link in links(&read(&readme)) {
            let outside = link.starts_with('/') || link.starts_with("..");
            assert!(!outside, "{}: {link}", readme.display());
        }
    }
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    let repository = manifest["workspace"]["package"]["repository"].as_str().unwrap();
    for page in pages() {
        for link in links(&read(&page))
            .into_iter()
            .filter(|link| link.contains("github.com"))
        {
            assert!(link.starts_with(repository), "{}: {link}", page.display());
        }
    }
}

/// A part of the page can be linked: the heading is there.
#[test]
fn linked_headings_exist() {
    for page in pages() {
        for link in links(&read(&page)) {
            let Some((file, heading)) = link.split_once('#').filter(|_| !link.contains("://")) else {
                continue;
            };
            let target = if file.is_empty() {
                page.clone()
            } else {
                page.with_file_name(file)
            };
            let headings = read(&target);
            let headings = headings.lines().filter(|line| line.starts_with('#')).map(slug);
            assert!(
                headings.into_iter().any(|slug| slug == heading),
                "{}: {link}",
                page.display()
            );
        }
    }
}

fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars()
        .filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// Each guide is in the README's table, and in rustdoc.
#[test]
fn every_guide_is_found() {
    let (readme, guide) = (read("README.md"), read("src/guide.rs"));
    for page in pages().into_iter().filter(|page| page.starts_with("docs")) {
        let path = page.display().to_string();
        assert!(
            readme.contains(&format!("({path})")),
            "README.md does not link {path}"
        );
        let name = page.file_name().unwrap().to_str().unwrap();
        assert!(
            name == "figures.md"
                || ["\"", "/"]
                    .iter()
                    .any(|before| guide.contains(&format!("{before}{name}\""))),
            "src/guide.rs lacks {name}"
        );
    }
}

#[test]
fn pictures_are_text_with_words_for_those_who_can_not_see_them() {
    for file in files()
        .into_iter()
        .filter(|path| path.starts_with("docs/pictures"))
    {
        let text = read(&file);
        for needed in ["<svg ", "<title", "<desc", "role=\"img\"", "</svg>"] {
            assert!(text.contains(needed), "{} has no {needed}", file.display());
        }
        // A blank line ends the block of HTML that rustdoc takes it for; a script would not run in an image.
        assert!(
            !text.trim_end().contains("\n\n") && !text.contains("<script"),
            "{}",
            file.display()
        );
    }
}
