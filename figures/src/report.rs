//! A row of the table, as JSON.

use std::collections::BTreeMap;
use std::io::Write;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::stopwatch::Summary;

/// One figure, ours and the peers'.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Row {
    /// The row of the design that it belongs to.
    pub row: String,
    /// What is measured.
    pub what: String,
    /// Our figure; `None` when it could not be measured.
    pub ours: Option<f64>,
    /// The peers' figures by their names; `None` for one that could not be measured.
    pub peers: BTreeMap<String, Option<f64>>,
    /// What the figures are counted in.
    pub unit: String,
    /// What the target is about, where that is a comparison.
    pub ratio: Option<f64>,
    /// The middle half of the measured ratios.
    pub spread: Option<(f64, f64)>,
    /// What is to be reached.
    pub target: String,
    /// Whether it is; `None` when there is no target, or it could not be measured.
    pub met: Option<bool>,
    /// What one has to know to read the figures.
    pub note: Option<String>,
}

impl Row {
    /// A row that has to be filled.
    pub fn new(row: &str, what: impl Into<String>, unit: &str) -> Self {
        Self {
            row: row.to_owned(),
            what: what.into(),
            unit: unit.to_owned(),
            ..Self::default()
        }
    }

    /// A row that can't be measured, and why.
    pub fn not_measured(row: &str, what: &str, target: &str, why: &str) -> Self {
        Self {
            target: target.to_owned(),
            note: Some(format!("not measured: {why}")),
            ..Self::new(row, what, "")
        }
    }

    /// With our figure.
    #[must_use]
    pub fn ours(mut self, figure: f64) -> Self {
        self.ours = Some(figure);
        self
    }

    /// With a peer's figure.
    #[must_use]
    pub fn peer(mut self, name: &str, figure: f64) -> Self {
        self.peers.insert(name.to_owned(), Some(figure));
        self
    }

    /// With a ratio that was measured many times.
    #[must_use]
    pub fn ratio(mut self, ratio: Summary) -> Self {
        self.ratio = Some(ratio.median);
        self.spread = Some((ratio.low, ratio.high));
        self
    }

    /// With a target, and whether it is reached.
    #[must_use]
    pub fn target(mut self, target: &str, met: bool) -> Self {
        target.clone_into(&mut self.target);
        self.met = Some(met);
        self
    }

    /// With a remark.
    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Prints what a program found, as one JSON document.
pub fn print(document: &impl Serialize) -> Result {
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, document)?;
    writeln!(out)?;
    Ok(())
}

/// Says on standard error what is going on.
pub fn progress(what: &str) {
    let _ = writeln!(std::io::stderr(), "  {what}");
}
