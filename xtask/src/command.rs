//! Programs that the project's commands run, always from the root of the repository.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fmt};

use anstyle::{AnsiColor, Style};

const DIM: Style = AnsiColor::BrightBlack.on_default();

/// Why a command did not do what it should, in one line.
#[derive(Debug)]
pub(crate) struct Failed(String);

pub(crate) type Result<T = ()> = std::result::Result<T, Failed>;

impl Failed {
    pub(crate) fn new(problem: impl Into<String>) -> Self {
        Self(problem.into())
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    let xtask = Path::new(env!("CARGO_MANIFEST_DIR"));
    xtask.parent().unwrap_or(xtask).to_owned()
}

/// Where everything is built, and where the tools are kept.
pub(crate) fn target() -> PathBuf {
    env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), |target| root().join(target))
}

/// A call of cargo.
pub(crate) fn cargo<I: AsRef<OsStr>>(arguments: impl IntoIterator<Item = I>) -> Command {
    let mut command = program(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments);
    command
}

/// A program at the repository's root, without standard input.
pub(crate) fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.current_dir(root()).stdin(Stdio::null());
    // `cargo run` tells xtask about its own package in these. Build scripts that watch them would run again, and all
    // that depends on them would be built again, whenever the same is built without xtask in between.
    for (name, _) in env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_")
            || text.starts_with("CARGO_MANIFEST_")
            || text.starts_with("CARGO_BIN_")
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Says what is run, runs it, and lets it print for itself.
pub(crate) fn run(command: &mut Command) -> Result {
    announce(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failed::new(format!("`{}`: {status}", shown(command)))),
        Err(error) => Err(missing(command, &error)),
    }
}

/// Says what is run, runs it, and takes what it prints.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    announce(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| missing(command, &error))?;
    if !output.status.success() {
        return Err(Failed::new(format!("`{}`: {}", shown(command), output.status)));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failed::new(format!("`{}`: its output is not UTF-8", shown(command))))
}

/// One outcome for several commands that all ran, whatever failed.
pub(crate) fn all(outcomes: impl IntoIterator<Item = Result>) -> Result {
    let problems: Vec<String> = outcomes
        .into_iter()
        .filter_map(Result::err)
        .map(|problem| problem.0)
        .collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failed(problems.join("; ")))
    }
}

fn announce(command: &Command) {
    anstream::eprintln!("{DIM}$ {}{DIM:#}", shown(command));
}

fn missing(command: &Command, error: &std::io::Error) -> Failed {
    Failed::new(format!(
        "`{}` can't be started: {error}",
        command.get_program().to_string_lossy()
    ))
}

fn shown(command: &Command) -> String {
    let variables = command.get_envs().filter_map(|(name, value)| {
        Some(format!(
            "{}={:?}",
            name.to_string_lossy(),
            value?.to_string_lossy()
        ))
    });
    let program = Path::new(command.get_program());
    let program = program.strip_prefix(root()).unwrap_or(program);
    let program = match program.file_stem() {
        Some(name) if name == "cargo" => Path::new("cargo"),
        _ => program,
    };
    let words = std::iter::once(program.as_os_str()).chain(command.get_args());
    let words = words.map(|word| word.to_string_lossy().into_owned());
    variables.chain(words).collect::<Vec<_>>().join(" ")
}
