//! Turns `openapi/synerise-auth.json` into two files in `OUT_DIR`: `bindings.rs`, the client that progenitor
//! generates, and `operations.rs`, the table by which the facade authenticates, retries and names spans.
//!
//! It reads that one document, needs no network, and writes nowhere else. A document that can't be used is a build
//! error that names the operation and the remedy.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

#[path = "build/bindings.rs"]
mod bindings;
#[path = "build/document.rs"]
mod document;
#[path = "build/operations.rs"]
mod operations;

const DOCUMENT: &str = "openapi/synerise-auth.json";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    match generate() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={DOCUMENT}: {}", problem.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

fn generate() -> Result<(), String> {
    let text = fs::read_to_string(DOCUMENT).map_err(|error| format!("can't be read: {error}"))?;
    let document = document::Document::parse(&text)?;
    let bindings = bindings::generate(&document, env::var_os("CARGO_FEATURE_SCHEMARS").is_some())?;
    let operations = operations::generate(&document)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this by cargo")?;
    for (name, content) in [("bindings.rs", bindings), ("operations.rs", operations)] {
        let path = Path::new(&out).join(name);
        fs::write(&path, content).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    }
    Ok(())
}
