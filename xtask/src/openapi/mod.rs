//! The vendored document: where it comes from, what it may hold, and what a new one changes.
//!
//! ```text
//! fetch → select → convert → overlay → normalise → lint → generate (dry run) → compare → write all or nothing
//! ```

mod build_script;
mod compare;
mod config;
mod console;
mod downgrade;
mod dry_run;
mod failure;
mod fetch;
#[cfg(test)]
mod fuzz;
mod generated_code_check;
mod grammar;
mod invisible;
mod lint;
mod merge;
mod name_collisions;
mod normalise;
mod overlay;
mod parse;
mod pipeline;
mod plain_text;
mod reference;
mod report;
mod sanitize;
mod select;
mod spec_lock;
mod update;
mod update_lock;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Args, Subcommand};

use failure::Result;
use fetch::Limits;

#[derive(Subcommand)]
#[expect(
    clippy::enum_variant_names,
    reason = "they stand among the other verbs of the project"
)]
pub(crate) enum Verb {
    /// Take the vendor's current documents and show what that changes
    ///
    /// Exit codes: 0 up to date or written, 1 failed and nothing written, 2 usage, 3 drift (with --check), 4 breaking changes refused.
    UpdateSpec(Update),
    /// Prove, offline, that upstream, overlay and selection give the vendored document
    VerifySpec(Place),
    /// Compare two documents: what changes for users of the crate
    DiffSpec(Diff),
    /// Read a document from stdin and run the generator on it
    #[command(hide = true)]
    GenerateSpec,
}

#[derive(Args)]
pub(crate) struct Update {
    /// Take this URL or file instead of the sources of selection.toml (may be repeated)
    #[arg(long, value_name = "URL|FILE")]
    from: Vec<String>,
    /// Write nothing; exit with 3 if a run would write something
    #[arg(long)]
    check: bool,
    /// Write nothing; show what a run would do
    #[arg(long)]
    dry_run: bool,
    /// Write even if the changes break users of the crate
    #[arg(long)]
    allow_breaking: bool,
    /// Write the comparison as Markdown to this file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(crate) struct Place {
    #[arg(long, hide = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../openapi"))]
    openapi_dir: PathBuf,
    #[arg(long, hide = true, default_value_t = 60.0)]
    max_seconds: f32,
    #[arg(long, hide = true, default_value_t = 16 << 20)]
    max_bytes: u64,
}

#[derive(Args)]
pub(crate) struct Diff {
    before: PathBuf,
    after: PathBuf,
    /// Print the changes as JSON
    #[arg(long)]
    json: bool,
}

impl Place {
    fn limits(&self) -> Result<Limits> {
        let time = Duration::try_from_secs_f32(self.max_seconds)
            .map_err(|error| failure::Failure::failed(format!("--max-seconds: {error}")))?;
        Ok(Limits {
            time,
            bytes: self.max_bytes,
        })
    }
}

/// Runs a verb and turns its outcome into the exit code that scripts rely on.
pub(crate) fn run(verb: Verb) -> ExitCode {
    let outcome = match verb {
        Verb::UpdateSpec(arguments) => update_spec(arguments),
        Verb::VerifySpec(place) => place
            .limits()
            .and_then(|limits| verify::verify(&place.openapi_dir, limits)),
        Verb::DiffSpec(arguments) => diff(&arguments),
        Verb::GenerateSpec => return dry_run::child(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            console::say(console::BAD, "Error", &failure.line);
            ExitCode::from(failure.code)
        }
    }
}

fn update_spec(arguments: Update) -> Result<()> {
    let limits = arguments.place.limits()?;
    let request = update::Request {
        from: arguments.from,
        check: arguments.check,
        dry_run: arguments.dry_run,
        allow_breaking: arguments.allow_breaking,
        report: arguments.report,
    };
    update::update(&arguments.place.openapi_dir, &request, limits)
}

fn diff(arguments: &Diff) -> Result<()> {
    let limits = Limits {
        time: Duration::from_secs(60),
        bytes: 16 << 20,
    };
    let read = |path: &PathBuf| {
        let bytes = fetch::file(path, limits)?;
        parse::bytes(&bytes).map_err(|failure| failure.within(path.display()))
    };
    let comparison = compare::compare(&read(&arguments.before)?, &read(&arguments.after)?);
    console::print(&if arguments.json {
        report::json(&comparison)?
    } else {
        report::lines(&comparison)
    });
    Ok(())
}
