//! What a normalised document must be before the generator sees it: every problem at once, with its place and remedy.

mod generator;
mod project;
mod structure;

use serde_json::Value;

use super::failure::{self, Result};

/// Checks a normalised document.
pub(crate) fn check(document: &mut Value) -> Result<()> {
    let mut problems = Vec::new();
    structure::member_types(document, &mut problems)?;
    structure::invisible_characters(document, &mut problems);
    structure::circles(document, &mut problems);
    generator::check(document, &mut problems);
    project::check(document, &mut problems)?;
    failure::all("lint", &problems)
}
