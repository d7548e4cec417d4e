//! The generator's dry run: a document that it cannot take must fail here, not in a user's build.
//!
//! It runs in a process of its own, because progenitor panics, and because a hostile document could keep it busy.

use std::io::{Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use quote::ToTokens;

use super::failure::{Failure, Result, fail};
use super::{build_script, generated_code_check, name_collisions};

/// Kilobytes that the generator may take: a schema can make it try every combination of its alternatives.
const MAX_MEMORY: &str = "4194304";
/// CPU seconds for a generator whose parent was killed, so that it ends by itself.
const MAX_CPU: u32 = 600;
/// Far more than the code of 26 operations.
const MAX_CODE: usize = 16 << 20;

/// The generator that the result is checked with, as Cargo resolved it.
pub(crate) fn version() -> String {
    let lock = include_str!("../../../Cargo.lock");
    let version = lock
        .split("[[package]]")
        .find(|package| package.lines().any(|line| line == "name = \"progenitor\""))
        .and_then(|package| package.lines().find_map(|line| line.strip_prefix("version = ")))
        .unwrap_or_default();
    format!("progenitor {}", version.trim_matches('"'))
}

/// Generates a client from the document and throws it away.
pub(crate) fn run(document: &[u8], time: Duration) -> Result<()> {
    let program = std::env::current_exe().map_err(|error| Failure::failed(format!("generate: {error}")))?;
    let mut child = limited(&program)
        .arg("generate-spec")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::failed(format!("generate: {error}")))?;
    let (done, finished) = mpsc::channel();
    let input = document.to_vec();
    let (stdin, stderr) = (child.stdin.take(), child.stderr.take());
    // A thread for each direction: neither side may wait for the other to read.
    std::thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(&input)));
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(stderr) = stderr {
            let _ = stderr.take(64 << 10).read_to_string(&mut text);
        }
        let _ = done.send(text);
    });
    let Ok(text) = finished.recv_timeout(time) else {
        let _ = child.kill();
        let _ = child.wait();
        fail!(
            "generate: the generator did not end within {} seconds",
            time.as_secs_f32()
        );
    };
    let status = child
        .wait()
        .map_err(|error| Failure::failed(format!("generate: {error}")))?;
    if status.success() {
        return Ok(());
    }
    let line: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect();
    fail!(
        "generate: {}",
        if line.is_empty() {
            status.to_string()
        } else {
            line.join(" ")
        }
    )
}

/// The program within limits of memory, where the system's shell can set them.
fn limited(program: &Path) -> Command {
    if !cfg!(unix) {
        return Command::new(program);
    }
    let mut command = Command::new("/bin/sh");
    command
        .args([
            "-c",
            &format!(
                "ulimit -v {MAX_MEMORY} 2>/dev/null; ulimit -t {MAX_CPU} 2>/dev/null; exec \"$0\" \"$@\""
            ),
        ])
        .arg(program);
    command
}

/// The child's side: reads the document from stdin.
pub(crate) fn child() -> ExitCode {
    let mut text = String::new();
    let outcome = std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| error.to_string())
        .and_then(|_| generate(&text));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(line) => {
            anstream::eprintln!("{line}");
            ExitCode::FAILURE
        }
    }
}

fn generate(text: &str) -> Result<(), String> {
    for code in build_script::generate(text)? {
        if code.len() > MAX_CODE {
            return Err(format!("the generated code has {} bytes", code.len()));
        }
        let file: syn::File =
            syn::parse_str(&code).map_err(|error| format!("the generated code does not parse: {error}"))?;
        generated_code_check::check(file.to_token_stream())?;
        name_collisions::check(&file.items)?;
    }
    Ok(())
}
