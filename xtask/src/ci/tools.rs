//! The tools that the gates need beside Rust's own: each of one exact version, kept below the target folder.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::command::{Result, cargo, program, run, target};

const TYPOS: &str = "1.52.0";
const CARGO_DENY: &str = "0.20.2";
const CARGO_MACHETE: &str = "0.9.2";

/// The spelling checker, as it is packed for Python: ready-made, where cargo would build it for minutes.
pub(super) fn typos() -> Result<Command> {
    let home = folder("typos", TYPOS);
    let tool = home.join("bin").join("typos");
    if !starts(&tool) {
        run(program("python3")
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
            .args([
                "--no-deps".as_ref(),
                "--upgrade".as_ref(),
                "--target".as_ref(),
                home.as_os_str(),
                format!("typos=={TYPOS}").as_ref(),
            ]))?;
    }
    Ok(program(tool))
}

pub(super) fn cargo_deny() -> Result<Command> {
    built("cargo-deny", CARGO_DENY, &["--no-default-features"])
}

pub(super) fn cargo_machete() -> Result<Command> {
    built("cargo-machete", CARGO_MACHETE, &[])
}

/// A tool that cargo builds. Without optimisation: that takes a third of the time, and they have little to do.
fn built(name: &str, version: &str, features: &[&str]) -> Result<Command> {
    let home = folder(name, version);
    let tool = home.join("bin").join(name);
    if !starts(&tool) {
        let mut install = cargo(["install", "--quiet", "--locked", "--debug", "--force"]);
        install
            .arg("--root")
            .arg(&home)
            .arg("--target-dir")
            .arg(target().join("tools").join("build"));
        run(install.args(features).arg(format!("{name}@{version}")))?;
    }
    Ok(program(tool))
}

/// A folder for each version, so that a new one never finds the old one's files.
fn folder(name: &str, version: &str) -> PathBuf {
    target().join("tools").join(format!("{name}-{version}"))
}

fn starts(tool: &PathBuf) -> bool {
    let mut command = program(tool);
    command
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}
