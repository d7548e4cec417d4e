//! The repository's own files.

#![allow(dead_code, reason = "each test file uses another part of it")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

pub(crate) fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

pub(crate) fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn git(arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args(arguments)
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "the tests run in a git repository");
    String::from_utf8(output.stdout).unwrap()
}

/// The files under version control, or those that would be.
pub(crate) fn files() -> Vec<PathBuf> {
    let list = git(&["ls-files", "--cached", "--others", "--exclude-standard"]);
    let paths = list.lines().map(PathBuf::from);
    paths.filter(|path| root().join(path).is_file()).collect()
}
