//! `cargo xtask ci`: every gate, named and timed. All of them run, whatever fails.

mod clippy;
mod dependencies;
mod package;
mod phrases;
mod rustdoc_links;
mod tools;

use std::env;
use std::time::{Duration, Instant};

use anstyle::{AnsiColor, Style};
use clap::Args;

use crate::command::{Failed, Result, all, cargo, program, root, run};
use crate::fuzz;
use crate::test::test;

const HEADING: Style = AnsiColor::Cyan.on_default().bold();
const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();

#[derive(Args)]
pub(crate) struct Ci {
    /// Run this gate only (may be repeated)
    #[arg(long, value_name = "GATE", value_parser = clap::builder::PossibleValuesParser::new(GATES.iter().map(|gate| gate.name)))]
    only: Vec<String>,
}

struct Gate {
    name: &'static str,
    run: fn() -> Result,
}

/// Quick ones first: nobody should wait for the tests to learn that a file is not formatted.
const GATES: [Gate; 13] = [
    Gate {
        name: "format",
        run: format,
    },
    Gate {
        name: "spelling",
        run: spelling,
    },
    Gate {
        name: "spec",
        run: spec,
    },
    Gate {
        name: "minimum-rust",
        run: dependencies::minimum_rust,
    },
    Gate {
        name: "lint",
        run: clippy::workspace,
    },
    Gate {
        name: "lint-features",
        run: clippy::features,
    },
    Gate {
        name: "test",
        run: test,
    },
    Gate {
        name: "published-documents",
        run: published_documents,
    },
    Gate {
        name: "fuzz",
        run: fuzz::gate,
    },
    Gate {
        name: "docs",
        run: docs,
    },
    Gate {
        name: "package",
        run: package::package,
    },
    Gate {
        name: "licences-and-bans",
        run: dependencies::licences_and_bans,
    },
    Gate {
        name: "unused-dependencies",
        run: dependencies::unused,
    },
];

/// Runs the gates, and says at the end how each of them went.
pub(crate) fn ci(arguments: &Ci) -> Result {
    let mut outcomes: Vec<(&str, Duration, Result)> = Vec::new();
    for gate in &GATES {
        if !arguments.only.is_empty() && arguments.only.iter().all(|name| name != gate.name) {
            continue;
        }
        anstream::eprintln!("\n{HEADING}==> {}{HEADING:#}", gate.name);
        let (took, outcome) = timed(gate.run);
        if let Err(problem) = &outcome {
            anstream::eprintln!("{BAD}{} failed{BAD:#}: {problem}", gate.name);
        }
        outcomes.push((gate.name, took, outcome));
    }
    anstream::eprintln!("\n{HEADING}==> summary{HEADING:#}");
    for (name, took, outcome) in &outcomes {
        let (style, verdict) = if outcome.is_ok() {
            (GOOD, "ok")
        } else {
            (BAD, "FAILED")
        };
        anstream::eprintln!("{style}{verdict:>6}{style:#} {name:<20} {:>4} s", took.as_secs());
    }
    let failed: Vec<&str> = outcomes
        .iter()
        .filter_map(|(name, _, outcome)| outcome.is_err().then_some(*name))
        .collect();
    match failed.as_slice() {
        [] => Ok(()),
        failed => Err(Failed::new(format!(
            "{} of {} gates failed: {}; run one of them alone with `cargo xtask ci --only {}`",
            failed.len(),
            outcomes.len(),
            failed.join(", "),
            failed.first().copied().unwrap_or_default()
        ))),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "measures this very run; nothing decides by it"
)]
fn timed(gate: fn() -> Result) -> (Duration, Result) {
    let start = Instant::now();
    let outcome = gate();
    (start.elapsed(), outcome)
}

fn format() -> Result {
    run(&mut cargo(["fmt", "--all", "--check"]))
}

fn spelling() -> Result {
    all([run(&mut tools::typos()?), phrases::check()])
}

fn spec() -> Result {
    let xtask =
        env::current_exe().map_err(|error| Failed::new(format!("xtask can't find itself: {error}")))?;
    run(program(xtask).arg("verify-spec"))
}

/// The crate, built from documents as the vendor publishes them: a cargo inside of a test, so not among the tests.
fn published_documents() -> Result {
    run(&mut cargo([
        "test",
        "--quiet",
        "--package=xtask",
        "--test=published_documents",
        "--",
        "--ignored",
    ]))
}

/// As docs.rs builds them, with every warning an error; then what was written is read: no link may be dead.
///
/// docs.rs uses a nightly compiler for `doc_cfg`. Here the stable one is allowed to use it, in rustdoc alone: a flag for
/// every crate would build every dependency once more.
fn docs() -> Result {
    let mut doc = cargo(["doc", "--quiet", "--no-deps", "--all-features"]);
    let published = package::published()?;
    for package in &published {
        doc.args(["--package", &package.name]);
    }
    // The wrapper is a shell script, which Windows can't start. The badges are checked on the other systems.
    if cfg!(windows) {
        doc.env("RUSTDOCFLAGS", "--deny warnings");
    } else {
        doc.env("RUSTDOC", root().join(".ci").join("rustdoc"));
        doc.env("RUSTDOCFLAGS", "--deny warnings --cfg docsrs");
    }
    run(&mut doc)?;
    all(published
        .iter()
        .map(|package| rustdoc_links::check(&package.name.replace('-', "_"))))
}
