//! `figures [--only ROW]… [--quick]`: measures the rows, and prints them as one JSON document.

use clap::Parser;
use clap::builder::PossibleValuesParser;
use serde_json::json;
use synerise_auth_figures::Result;
use synerise_auth_figures::report::{self, Row};
use synerise_auth_figures::rows::{Effort, ROWS};

#[derive(Parser)]
#[command(about = "Measures the library beside its peers, and prints JSON")]
struct Arguments {
    /// Measure this row only (may be repeated)
    #[arg(long, value_name = "ROW", value_parser = PossibleValuesParser::new(ROWS.map(|(name, _)| name)))]
    only: Vec<String>,
    /// Fewer rounds and fewer sessions
    #[arg(long)]
    quick: bool,
}

fn main() -> Result {
    let Arguments { only, quick } = Arguments::parse();
    let mut rows = Vec::new();
    for (name, measure) in ROWS {
        if only.is_empty() || only.iter().any(|only| only == name) {
            match measure(Effort { quick }) {
                Ok(measured) => rows.extend(measured),
                // The others are measured all the same.
                Err(error) => rows.push(Row::not_measured(name, "all of it", "", &error.to_string())),
            }
        }
    }
    report::print(&json!({ "rows": rows }))
}
