//! The project's commands: `cargo xtask <verb>`.

mod ci;
mod command;
mod figures;
mod fuzz;
mod openapi;
mod redis_server;
mod test;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(
    name = "cargo xtask",
    bin_name = "cargo xtask",
    about = "The project's commands",
    version
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Run all the tests; a fresh machine needs nothing else first
    Test,
    /// Run every gate: the tests, and all that must hold beside them
    Ci(ci::Ci),
    /// Feed everything that reads foreign bytes with what libFuzzer comes up with
    Fuzz(fuzz::Fuzz),
    /// Measure the library beside its peers, and print the table of docs/figures.md
    Figures(figures::Figures),
    /// Write how the work of a fleet grows with its size: the table and the picture of the guide to many processes
    SimulateFleet,
    #[command(flatten)]
    Spec(openapi::Verb),
}

fn main() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Test => conclude(test::test()),
        Verb::Ci(arguments) => conclude(ci::ci(&arguments)),
        Verb::Fuzz(arguments) => conclude(fuzz::fuzz(&arguments)),
        Verb::Figures(arguments) => conclude(figures::figures(&arguments)),
        Verb::SimulateFleet => conclude(test::simulate_fleet()),
        Verb::Spec(verb) => openapi::run(verb),
    }
}

fn conclude(outcome: command::Result) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            anstream::eprintln!("{problem}");
            ExitCode::FAILURE
        }
    }
}
