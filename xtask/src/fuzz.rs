//! `cargo xtask fuzz`: coverage-guided fuzzing of everything that reads foreign bytes, with the ordinary compiler.
//!
//! libFuzzer needs its counters compiled in. The compiler's flags for that are stable; only the sanitizers, which a crate
//! without `unsafe` gains little from, are not.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::command::{Failed, Result, all, cargo, program, root, run, target};

#[derive(Args)]
pub(crate) struct Fuzz {
    /// Run this target only (may be repeated)
    #[arg(long, value_name = "TARGET")]
    only: Vec<String>,
    /// How long each target runs
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    seconds: u64,
}

/// How long each target runs in the gate.
const GATE_SECONDS: u64 = 5;

/// What each target may take: more is a fault of the code that is fuzzed.
const LIMITS: [&str; 4] = [
    "-timeout=10",
    "-rss_limit_mb=1024",
    "-max_len=8192",
    "-verbosity=0",
];

const INSTRUMENTED: &str = "--cfg fuzzing -Cpasses=sancov-module -Cdebug-assertions -Ccodegen-units=1 \
    -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares";

pub(crate) fn gate() -> Result {
    fuzz(&Fuzz {
        only: Vec::new(),
        seconds: GATE_SECONDS,
    })
}

pub(crate) fn fuzz(arguments: &Fuzz) -> Result {
    let targets = targets()?;
    if let Some(unknown) = arguments.only.iter().find(|name| !targets.contains(name)) {
        return Err(Failed::new(format!(
            "`{unknown}` is not a fuzz target; there are {}",
            targets.join(", ")
        )));
    }
    let programs = build()?;
    let wanted = targets
        .iter()
        .filter(|name| arguments.only.is_empty() || arguments.only.contains(name));
    all(wanted.map(|name| run_target(&programs, name, arguments.seconds)))
}

/// The programs of `fuzz/src/bin/`, by name.
fn targets() -> Result<Vec<String>> {
    let folder = root().join("fuzz/src/bin");
    let entries =
        fs::read_dir(&folder).map_err(|error| Failed::new(format!("{}: {error}", folder.display())))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| Some(entry.path().file_stem()?.to_str()?.to_owned()))
        .collect();
    names.sort();
    Ok(names)
}

/// Builds the targets for this machine, and says where they are. `--target` keeps the counters out of build scripts.
fn build() -> Result<PathBuf> {
    let folder = target().join("fuzz");
    let host = host()?;
    let mut build = cargo([
        "build",
        "--release",
        "--package",
        "synerise-auth-fuzz",
        "--bins",
        "--target",
        &host,
    ]);
    run(build
        .arg("--target-dir")
        .arg(&folder)
        .env("RUSTFLAGS", INSTRUMENTED))?;
    Ok(folder.join(host).join("release"))
}

fn host() -> Result<String> {
    let version = crate::command::output(program("rustc").arg("-vV"))?;
    version
        .lines()
        .find_map(|line| line.strip_prefix("host: "))
        .map(str::to_owned)
        .ok_or_else(|| Failed::new("`rustc -vV` names no host"))
}

fn run_target(programs: &Path, name: &str, seconds: u64) -> Result {
    let folder = |kind: &str| -> Result<PathBuf> {
        let folder = target().join("fuzz").join(kind).join(name);
        fs::create_dir_all(&folder).map_err(|error| Failed::new(format!("{}: {error}", folder.display())))?;
        Ok(folder)
    };
    let (corpus, artifacts) = (folder("corpus")?, folder("artifacts")?);
    let log = target().join("fuzz").join(format!("{name}.log"));
    let stderr = File::create(&log).map_err(|error| Failed::new(format!("{}: {error}", log.display())))?;
    let mut fuzz = program(programs.join(name));
    fuzz.args(LIMITS).arg(format!("-max_total_time={seconds}"));
    fuzz.arg(format!("-artifact_prefix={}/", artifacts.display()))
        .arg(corpus);
    let seeds = root().join("fuzz/seeds").join(name);
    if seeds.is_dir() {
        fuzz.arg(seeds);
    }
    // libFuzzer prints a page even when all is well.
    run(fuzz.stderr(stderr)).map_err(|problem| {
        let text = fs::read_to_string(&log).unwrap_or_default();
        let found: Vec<&str> = text
            .lines()
            .filter(|line| line.contains("panicked") || line.starts_with("SUMMARY"))
            .collect();
        Failed::new(format!(
            "{name}: {} (all of it is in {}); {problem}",
            found.join("; "),
            log.display()
        ))
    })
}
