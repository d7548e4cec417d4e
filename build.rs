//! Generates three files in `OUT_DIR` from `openapi/synerise-auth.json`: `bindings.rs`, the client that progenitor
//! generates; `operations.rs`, the table that tells the facade how to authenticate, retry and name spans; and `enums.rs`,
//! the enums that the service may extend.
//!
//! It reads only this document, needs no network, and writes nowhere else. If the document can't be used, the build error
//! names the operation or the schema, and the remedy. `cargo xtask update-spec` runs the same code before it accepts a
//! document.

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

#[path = "build/bindings.rs"]
mod bindings;
#[path = "build/debug.rs"]
mod debug;
#[path = "build/document.rs"]
mod document;
#[path = "build/enums.rs"]
mod enums;
#[path = "build/operations.rs"]
mod operations;
#[path = "build/shapes.rs"]
mod shapes;
#[path = "build/simplify.rs"]
mod simplify;

const DOCUMENT: &str = "openapi/synerise-auth.json";

fn main() -> ExitCode {
    println!("cargo::rerun-if-changed={DOCUMENT}");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=build");
    let outcome =
        refuse_web_assembly().and_then(|()| generate().map_err(|problem| format!("{DOCUMENT}: {problem}")));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            println!("cargo::error={}", problem.replace('\n', " "));
            ExitCode::FAILURE
        }
    }
}

/// Sockets, threads and clocks are not what WebAssembly has, and its browsers don't let a page send these requests.
fn refuse_web_assembly() -> Result<(), String> {
    let family = env::var("CARGO_CFG_TARGET_FAMILY").unwrap_or_default();
    if family.split(',').any(|name| name == "wasm") {
        return Err(
            "synerise-auth does not build for WebAssembly: it needs sockets, threads and a monotonic clock; \
             keep API keys on a server, and call that from the page"
                .into(),
        );
    }
    Ok(())
}

fn generate() -> Result<(), String> {
    let text = fs::read_to_string(DOCUMENT).map_err(|error| format!("can't be read: {error}"))?;
    let document = document::Document::parse(&text)?;
    let bindings = bindings::generate(&document, env::var_os("CARGO_FEATURE_SCHEMARS").is_some())?;
    let operations = operations::generate(&document)?;
    let enums = enums::generate(&document)?;
    let out = env::var_os("OUT_DIR").ok_or("OUT_DIR is not set: run this by cargo")?;
    let files = [
        ("bindings.rs", bindings),
        ("operations.rs", operations),
        ("enums.rs", enums),
    ];
    for (name, content) in files {
        let path = Path::new(&out).join(name);
        fs::write(&path, content).map_err(|error| format!("{} can't be written: {error}", path.display()))?;
    }
    Ok(())
}
