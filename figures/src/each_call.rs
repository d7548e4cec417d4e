//! `figures-call KIND URL N`: makes N calls, through the library (`facade`) or `by-hand`. Run under valgrind, it shows
//! what a call costs in instructions.

use clap::{Parser, ValueEnum};
use synerise_auth_figures::Result;
use synerise_auth_figures::call::{ByHand, Facade};

#[derive(Parser)]
#[command(about = "Makes calls, one after the other")]
struct Arguments {
    /// How the calls are made
    kind: Kind,
    /// The server's base URL
    url: String,
    /// How many calls are made
    calls: u32,
}

#[derive(Clone, Copy, ValueEnum)]
enum Kind {
    Facade,
    ByHand,
}

fn main() -> Result {
    let Arguments { kind, url, calls } = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        match kind {
            Kind::Facade => Facade::new(&url)?.call(calls).await,
            Kind::ByHand => ByHand::new(&url).await?.call(calls).await,
        }
    })
}
