//! The generator's dry run: a document that it cannot take must fail here, not in a user's build.
//!
//! It runs in a process of its own, because progenitor panics, and because a hostile document could keep it busy.

use std::io::{Read, Write};
use std::process::{Command, ExitCode, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use proc_macro2::{Spacing, TokenStream, TokenTree};

use super::failure::{Failure, Result, fail};

const TIME_LIMIT: Duration = Duration::from_secs(60);
/// Far more than the code of 26 operations.
const MAX_CODE: usize = 16 << 20;

/// The crates that generated code may name; everything else would be code that the document brought in.
const CRATES: [&str; 12] = [
    "serde",
    "serde_json",
    "std",
    "reqwest",
    "progenitor_client",
    "chrono",
    "uuid",
    "bytes",
    "futures",
    "crate",
    "core",
    "alloc",
];

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
pub(crate) fn dry_run(document: &[u8]) -> Result<()> {
    let program = std::env::current_exe().map_err(|error| Failure::failed(format!("generate: {error}")))?;
    let mut child = Command::new(program)
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
    let Ok(text) = finished.recv_timeout(TIME_LIMIT) else {
        let _ = child.kill();
        let _ = child.wait();
        fail!(
            "generate: the generator did not end within {} seconds",
            TIME_LIMIT.as_secs()
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
    let whole: openapiv3::OpenAPI =
        serde_json::from_str(text).map_err(|error| format!("the document is not OpenAPI 3.0: {error}"))?;
    let code = match quietly(|| tokens(&whole)) {
        Some(outcome) => outcome?,
        // Find out which operation it is, by giving the generator one at a time.
        None => return Err(culprit(&whole)),
    };
    foreign_code(code.clone())?;
    let file = syn::parse2(code).map_err(|error| format!("the generated code does not parse: {error}"))?;
    let code = prettyplease::unparse(&file);
    if code.len() > MAX_CODE {
        return Err(format!("the generated code has {} bytes", code.len()));
    }
    Ok(())
}

fn tokens(document: &openapiv3::OpenAPI) -> Result<TokenStream, String> {
    let mut settings = progenitor::GenerationSettings::default();
    settings.with_interface(progenitor::InterfaceStyle::Positional);
    progenitor::Generator::new(&settings)
        .generate_tokens(document)
        .map_err(|error| format!("the generator refuses: {error}"))
}

fn culprit(whole: &openapiv3::OpenAPI) -> String {
    for (path, item) in whole.paths.iter() {
        let mut alone = whole.clone();
        alone.paths.paths.clear();
        alone.paths.paths.insert(path.clone(), item.clone());
        if quietly(|| tokens(&alone)).is_none() {
            return format!("the generator panics on {path}; mend the operation in the overlay");
        }
    }
    "the generator panics on the components; mend them in the overlay".to_owned()
}

/// Runs something that may panic without letting it write to stderr.
fn quietly<T>(run: impl FnOnce() -> T) -> Option<T> {
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(run));
    let _ = std::panic::take_hook();
    outcome.ok()
}

/// The second wall behind the stripped extensions: absolute paths into crates that the client does not use.
fn foreign_code(code: TokenStream) -> Result<(), String> {
    // Whether the token before could be the left side of `::`, and whether a `::` without one was just read.
    let (mut continues, mut half, mut absolute) = (false, false, false);
    for token in code {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ':' => {
                if half {
                    absolute = !continues;
                    half = false;
                } else if punct.spacing() == Spacing::Joint {
                    half = true;
                } else {
                    continues = false;
                }
                continue;
            }
            TokenTree::Ident(ident) => {
                if absolute && !CRATES.contains(&ident.to_string().as_str()) {
                    return Err(format!("the document brings in code: `::{ident}`"));
                }
                continues = true;
            }
            TokenTree::Group(group) => {
                foreign_code(group.stream())?;
                continues = true;
            }
            // `Vec<T>::new`: what stands before the colons ends in `>`.
            TokenTree::Punct(punct) => continues = punct.as_char() == '>',
            TokenTree::Literal(_) => continues = true,
        }
        (half, absolute) = (false, false);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::foreign_code;

    fn verdict(code: &str) -> Result<(), String> {
        foreign_code(code.parse().expect("the test's code parses"))
    }

    #[test]
    fn a_path_into_an_unknown_crate_is_found_wherever_it_stands() {
        assert!(verdict("struct A { x: ::evil::Type }").is_err());
        assert!(verdict("fn a() { b(::evil::run()) }").is_err());
        assert!(verdict("type A = Vec<::evil::Type>;").is_err());
    }

    #[test]
    fn the_paths_of_ordinary_code_are_left_alone() {
        assert!(verdict("struct A { x: ::std::option::Option<types::B> }").is_ok());
        assert!(verdict("fn a() { Vec::<u8>::new(); types::evil::x(); <u8 as Into<u16>>::into(1) }").is_ok());
    }
}
