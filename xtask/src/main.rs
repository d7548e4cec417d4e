//! The project's commands: `cargo xtask <verb>`.

mod spec;

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
    #[command(flatten)]
    Spec(spec::Verb),
}

fn main() -> ExitCode {
    match Arguments::parse().verb {
        Verb::Spec(verb) => spec::run(verb),
    }
}
