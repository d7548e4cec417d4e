//! From the bytes of the sources to the bytes of the result: the same for `update-spec` and `verify-spec`, and offline.

use std::path::Path;

use super::config::Selection;
use super::failure::{Result, fail};
use super::fetch::{self, Limits};
use super::select::Source;
use super::{dry_run, lint, normalise, overlay, parse, select};

/// Larger than a document of a hundred operations.
const MAX_RESULT: usize = 4 << 20;

/// The two files that maintainers edit.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) selection: Selection,
    pub(crate) selection_bytes: Vec<u8>,
    actions: Vec<overlay::Action>,
    pub(crate) overlay_bytes: Vec<u8>,
}

impl Rules {
    pub(crate) fn read(root: &Path, limits: Limits) -> Result<Self> {
        let selection = fetch::file(&root.join("selection.toml"), limits)?;
        Self::parse(selection, fetch::file(&root.join("overlay.yaml"), limits)?)
    }

    pub(crate) fn parse(selection_bytes: Vec<u8>, overlay_bytes: Vec<u8>) -> Result<Self> {
        Ok(Self {
            selection: Selection::parse(&selection_bytes)?,
            actions: overlay::parse(&overlay_bytes)?,
            selection_bytes,
            overlay_bytes,
        })
    }
}

/// The bytes of a source under its name.
#[derive(Debug)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
}

/// The resulting document, and what a maintainer should know about it.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) result: Vec<u8>,
    pub(crate) notices: Vec<String>,
}

/// Select, convert, overlay, normalise, lint.
pub(crate) fn run(rules: &Rules, upstream: &[Upstream]) -> Result<Outcome> {
    let mut notices = Vec::new();
    let sources = upstream
        .iter()
        .map(|source| {
            let document = parse::bytes(&source.bytes).map_err(|failure| failure.within(&source.name))?;
            Ok(Source {
                name: source.name.clone(),
                document,
            })
        })
        .collect::<Result<Vec<Source>>>()?;
    let mut document = select::select(sources, &rules.selection, &mut notices)?;
    overlay::apply(&mut document, &rules.actions)?;
    normalise::normalise(&mut document, &rules.selection)?;
    let result = normalise::to_bytes(&document)?;
    if result.len() > MAX_RESULT {
        fail!("the result has {} bytes, more than {MAX_RESULT}", result.len());
    }
    lint::check(&mut document)?;
    Ok(Outcome { result, notices })
}

/// Proves that a user's build takes the result.
pub(crate) fn dry_run(result: &[u8], limits: Limits) -> Result<()> {
    dry_run::run(result, limits.time)
}
