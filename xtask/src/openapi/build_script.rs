//! The code that a user's build runs on the document: `build.rs` includes the same files.

#[path = "../../../build/bindings.rs"]
mod bindings;
#[path = "../../../build/debug.rs"]
mod debug;
#[path = "../../../build/document.rs"]
mod document;
#[path = "../../../build/enums.rs"]
mod enums;
#[path = "../../../build/operations.rs"]
mod operations;
#[path = "../../../build/simplify.rs"]
pub(super) mod simplify;

/// Everything that a user's build would write, or what it would fail with.
pub(super) fn generate(text: &str) -> Result<Vec<String>, String> {
    let document = document::Document::parse(text)?;
    // With the feature that adds most to the code.
    let bindings = bindings::generate(&document, true)?;
    Ok(vec![
        bindings,
        operations::generate(&document)?,
        enums::generate(&document)?,
    ])
}
