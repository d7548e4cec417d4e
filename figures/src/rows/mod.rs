//! The rows of the table: one file each.

use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::de::DeserializeOwned;

use crate::Result;
use crate::report::Row;

mod cached_read;
mod clean_build;
mod cold_stampede;
mod facade_overhead;
mod fleet;
mod idle_session;
mod renewal_waiters;
mod verify;

/// How much is measured.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Fewer rounds, shorter waits, fewer sessions.
    pub quick: bool,
}

impl Effort {
    /// The figure for a full run, or the one for a quick run.
    fn of<T>(self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }
}

/// Measures one row of the design; it may come to several rows of the table.
type Measure = fn(Effort) -> Result<Vec<Row>>;

/// The rows, in the order of the design.
pub const ROWS: [(&str, Measure); 8] = [
    ("cached_read", cached_read::measure),
    ("cold_stampede", cold_stampede::measure),
    ("renewal_waiters", renewal_waiters::measure),
    ("facade_overhead", facade_overhead::measure),
    ("idle_session", idle_session::measure),
    ("fleet", fleet::measure),
    ("clean_build", clean_build::measure),
    ("verify", verify::measure),
];

/// A program that was built beside this one.
fn sibling(name: &str) -> Result<PathBuf> {
    let path = env::current_exe()?.with_file_name(name);
    if path.exists() {
        Ok(path)
    } else {
        Err(format!(
            "{} is missing: run `cargo xtask figures`, which builds it",
            path.display()
        )
        .into())
    }
}

/// What such a program prints.
fn output_of<T: DeserializeOwned>(command: &mut Command) -> Result<T> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("{}: {}", command.get_program().display(), output.status).into());
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

/// The runtime of what is measured: as many workers as the target names threads.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?)
}
