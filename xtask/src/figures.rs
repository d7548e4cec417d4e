//! `cargo xtask figures`: builds and runs the measurements of `figures/`, and prints the table of `docs/figures.md`.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use clap::Args;
use serde::Deserialize;

use crate::command::{Failed, Result, cargo, output, program, run, target};
use crate::redis_server;

#[derive(Args)]
pub(crate) struct Figures {
    /// Measure this row only (may be repeated)
    #[arg(long, value_name = "ROW")]
    only: Vec<String>,
    /// Fewer rounds and fewer sessions: for a look, not for the README
    #[arg(long)]
    quick: bool,
    /// Write what was measured to this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Report {
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    #[serde(rename = "row")]
    name: String,
    what: String,
    ours: Option<f64>,
    peers: BTreeMap<String, Option<f64>>,
    unit: String,
    ratio: Option<f64>,
    spread: Option<(f64, f64)>,
    target: String,
    met: Option<bool>,
    note: Option<String>,
}

/// Measures; a target that is missed is shown, but is not a failure: the machine may have been busy.
pub(crate) fn figures(arguments: &Figures) -> Result {
    // The figures' own crate alone: its peers are nobody else's dependencies.
    run(&mut cargo([
        "build",
        "--release",
        "--package",
        "synerise-auth-figures",
    ]))?;
    if arguments.only.is_empty() || arguments.only.iter().any(|row| row == "fleet") {
        redis_server::provide()?;
        // A process of the fleet.
        run(&mut cargo([
            "build",
            "--release",
            "--package",
            "synerise-auth-redis",
            "--example",
            "fleet_member",
        ]))?;
    }
    let mut measure = program(target().join("release").join("figures"));
    if arguments.quick {
        measure.arg("--quick");
    }
    for row in &arguments.only {
        measure.args(["--only", row]);
    }
    let text = output(&mut measure)?;
    let report: Report = serde_json::from_str(&text).map_err(|error| {
        Failed::new(format!(
            "the figures' program printed something else than JSON: {error}"
        ))
    })?;
    anstream::println!("{}", table(&report.rows));
    if let Some(file) = &arguments.json {
        fs::write(file, text)
            .map_err(|error| Failed::new(format!("{} can't be written: {error}", file.display())))?;
    }
    Ok(())
}

/// In Markdown, as `docs/figures.md` shows it.
fn table(rows: &[Row]) -> String {
    let mut table = vec![["row", "what", "ours", "peers", "ratio", "target", "met"].map(str::to_owned)];
    let mut notes = Vec::new();
    for row in rows {
        let peers: Vec<_> = row
            .peers
            .iter()
            .map(|(name, figure)| format!("{name}: {}", number(*figure)))
            .collect();
        let ratio = match (row.ratio, row.spread) {
            (Some(ratio), Some((low, high))) => format!("{ratio:.2} ({low:.2} to {high:.2})"),
            (Some(ratio), None) => format!("{ratio:.2}"),
            _ => String::new(),
        };
        let met = match row.met {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "—",
        };
        let ours = match row.ours {
            Some(_) => format!("{} {}", number(row.ours), row.unit),
            None => number(None),
        };
        let mark = row.note.as_ref().map_or_else(String::new, |note| {
            notes.push(note);
            format!(" ({})", notes.len())
        });
        table.push([
            format!("`{}`", row.name),
            format!("{}{mark}", row.what),
            ours,
            peers.join("; "),
            ratio,
            row.target.clone(),
            met.to_owned(),
        ]);
    }
    let notes = notes
        .iter()
        .enumerate()
        .map(|(index, note)| format!("\n({}) {note}.", index + 1));
    format!("{}{}", aligned(&table), notes.collect::<String>())
}

/// The rows as Markdown, with the columns under each other.
fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> String {
    let widths: [usize; COLUMNS] = std::array::from_fn(|column| {
        rows.iter()
            .map(|row| row[column].chars().count())
            .max()
            .unwrap_or(0)
    });
    let mut text = String::new();
    for (index, row) in rows.iter().enumerate() {
        for (cell, width) in row.iter().zip(widths) {
            text.extend(["| ", cell, &" ".repeat(width + 1 - cell.chars().count())]);
        }
        text.push_str("|\n");
        if index == 0 {
            for width in widths {
                text.extend(["|", &"-".repeat(width + 2)]);
            }
            text.push_str("|\n");
        }
    }
    text
}

/// As many digits as mean something.
fn number(figure: Option<f64>) -> String {
    match figure {
        None => "—".to_owned(),
        Some(figure) if figure.fract() == 0.0 || figure >= 1000.0 => format!("{figure:.0}"),
        Some(figure) if figure >= 100.0 => format!("{figure:.0}"),
        Some(figure) if figure >= 10.0 => format!("{figure:.1}"),
        Some(figure) => format!("{figure:.2}"),
    }
}
