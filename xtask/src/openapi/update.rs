//! `cargo xtask update-spec`: take the current documents, show what changes, write all or nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::compare::{self, Comparison, Severity};
use super::console::{self, BAD, GOOD, NOTE};
use super::failure::{Failure, Result, fail};
use super::fetch::{self, Fetched, Limits};
use super::pipeline::{self, Outcome, Rules, Upstream};
use super::spec_lock::{LockedSource, SpecLock, sha256};
use super::update_lock::{Change, UpdateLock};
use super::{dry_run, parse, report, update_lock};

/// What the maintainer asked for.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) from: Vec<String>,
    pub(crate) check: bool,
    pub(crate) dry_run: bool,
    pub(crate) allow_breaking: bool,
    pub(crate) report: Option<PathBuf>,
}

/// One source as it was read, with what the lock will say of it.
struct Taken {
    locked: LockedSource,
    bytes: Vec<u8>,
}

/// Runs the pipeline and writes its result.
pub(crate) fn update(root: &Path, request: &Request, limits: Limits) -> Result<()> {
    let guard = UpdateLock::take(root)?;
    let rules = Rules::read(root, limits)?;
    let old_lock = read_lock(root, limits)?;
    let taken = take_sources(root, request, &rules, old_lock.as_ref(), limits)?;
    let upstream: Vec<Upstream> = taken
        .iter()
        .map(|taken| Upstream {
            name: taken.locked.name.clone(),
            bytes: taken.bytes.clone(),
        })
        .collect();
    let outcome = pipeline::run(&rules, &upstream)?;
    pipeline::dry_run(&outcome.result, limits)?;
    let comparison = compare_with_vendored(root, &outcome, limits)?;
    let sources: Vec<LockedSource> = taken.iter().map(|taken| taken.locked.clone()).collect();
    let lock = SpecLock::new(
        dry_run::version(),
        &rules.selection_bytes,
        &rules.overlay_bytes,
        &outcome.result,
        sources,
    );
    let changes = changes(root, &lock, &outcome, taken, old_lock.as_ref(), limits)?;
    show(&comparison, &outcome, request)?;
    conclude(&guard, request, &comparison, changes)
}

fn conclude(
    guard: &UpdateLock,
    request: &Request,
    comparison: &Comparison,
    changes: Vec<Change>,
) -> Result<()> {
    if changes.is_empty() {
        console::say(GOOD, "Unchanged", "everything is up to date");
        return Ok(());
    }
    let names: Vec<&str> = changes.iter().map(|change| change.path.as_str()).collect();
    let names = names.join(", ");
    if request.check {
        return Err(Failure::drift(format!(
            "a run of update-spec would write {names}"
        )));
    }
    let breaking = comparison.count(Severity::Breaking);
    if breaking > 0 && !request.allow_breaking {
        return Err(Failure::breaking(format!(
            "{breaking} breaking change(s) refused, nothing was written; read them, then repeat with --allow-breaking"
        )));
    }
    if request.dry_run {
        console::say(
            GOOD,
            "Dry run",
            &format!("would write {names}; nothing was written"),
        );
        return Ok(());
    }
    guard.write(changes)?;
    console::say(GOOD, "Wrote", &names);
    Ok(())
}

fn read_lock(root: &Path, limits: Limits) -> Result<Option<SpecLock>> {
    let path = root.join("spec.lock");
    if !path.exists() {
        return Ok(None);
    }
    SpecLock::parse(&fetch::file(&path, limits)?).map(Some)
}

fn take_sources(
    root: &Path,
    request: &Request,
    rules: &Rules,
    old: Option<&SpecLock>,
    limits: Limits,
) -> Result<Vec<Taken>> {
    let origins: Vec<(String, String)> = if request.from.is_empty() {
        rules
            .selection
            .sources
            .iter()
            .map(|source| (source.name.clone(), source.url.clone()))
            .collect()
    } else {
        request
            .from
            .iter()
            .map(|from| Ok((name_of(from)?, from.clone())))
            .collect::<Result<_>>()?
    };
    let mut names = BTreeSet::new();
    let mut taken = Vec::new();
    for (index, (name, origin)) in origins.iter().enumerate() {
        if !names.insert(name) {
            fail!("two sources would both be kept as `{name}`; rename one of the files");
        }
        let what = format!("{origin} ({} of {})", index + 1, origins.len());
        taken.push(take(root, name, origin, &what, old, limits)?);
    }
    Ok(taken)
}

fn take(
    root: &Path,
    name: &str,
    origin: &str,
    what: &str,
    old: Option<&SpecLock>,
    limits: Limits,
) -> Result<Taken> {
    let known = old.and_then(|lock| lock.sources.iter().find(|source| source.name == name));
    let (origin, bytes, etag) = if origin.contains("://") {
        let url = fetch::address(origin)?;
        let copy = known
            .filter(|known| known.origin == origin)
            .and_then(|known| Some((known, copy_of(root, known, limits)?)));
        let etag = copy.as_ref().and_then(|(known, _)| known.etag.clone());
        console::say(GOOD, "Fetching", what);
        match (fetch::url(&url, etag.as_deref(), limits)?, copy) {
            (Fetched::New { bytes, etag }, _) => (origin.to_owned(), bytes, etag),
            (Fetched::Unchanged, Some((_, bytes))) => {
                console::say(
                    GOOD,
                    "Current",
                    &format!("{name}: the server says that it has not changed"),
                );
                (origin.to_owned(), bytes, etag)
            }
            (Fetched::Unchanged, None) => fail!("{origin}: 304 without having been asked"),
        }
    } else {
        let path = Path::new(origin);
        let bytes = fetch::file(path, limits)?;
        // The folder that it lay in is nobody's business but this machine's.
        let file = path
            .file_name()
            .map(|file| file.to_string_lossy().into_owned())
            .unwrap_or_default();
        (file, bytes, None)
    };
    let extension = if is_json(&bytes) { "json" } else { "yaml" };
    let digest = sha256(&bytes);
    // Date and `ETag` are those of the first time that these bytes came, so that a re-sync of them changes nothing.
    let (date, etag) = match known {
        Some(known) if known.sha256 == digest && known.origin == origin => {
            (known.date.clone(), known.etag.clone().or(etag))
        }
        _ => (today(), etag),
    };
    let locked = LockedSource {
        name: name.to_owned(),
        origin,
        file: format!("{name}.{extension}"),
        date,
        etag,
        sha256: digest,
    };
    Ok(Taken { locked, bytes })
}

/// The vendored copy of a source, if it is what the lock says.
fn copy_of(root: &Path, known: &LockedSource, limits: Limits) -> Option<Vec<u8>> {
    let bytes = fetch::file(&root.join("upstream").join(&known.file), limits).ok()?;
    (sha256(&bytes) == known.sha256).then_some(bytes)
}

fn is_json(bytes: &[u8]) -> bool {
    bytes.trim_ascii_start().starts_with(b"{")
}

/// The name under which a source that was given on the command line is kept.
fn name_of(from: &str) -> Result<String> {
    let path = from.split(['?', '#']).next().unwrap_or_default();
    let last = path
        .trim_end_matches(['/', '\\'])
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or_default();
    let stem = last
        .rsplit_once('.')
        .map_or(last, |(stem, _)| if stem.is_empty() { last } else { stem });
    let name: String = stem
        .to_ascii_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(64)
        .collect();
    let name = name.trim_matches('-');
    if name.is_empty() {
        fail!("`{from}` has no name that its copy could be kept under");
    }
    Ok(name.to_owned())
}

#[expect(
    clippy::disallowed_methods,
    reason = "the lock records the real date; nothing else depends on it"
)]
fn today() -> String {
    DateTime::<Utc>::from(std::time::SystemTime::now())
        .format("%Y-%m-%d")
        .to_string()
}

fn compare_with_vendored(root: &Path, outcome: &Outcome, limits: Limits) -> Result<Comparison> {
    let path = root.join("synerise-auth.json");
    if !path.exists() {
        return Ok(Comparison::default());
    }
    let old = fetch::file(&path, limits)?;
    let old = parse::bytes(&old).map_err(|failure| {
        failure.within("synerise-auth.json is damaged (restore it, or delete it to have it written anew)")
    })?;
    Ok(compare::compare(&old, &parse::bytes(&outcome.result)?))
}

/// What has to be written for the tree to be that of the lock.
fn changes(
    root: &Path,
    lock: &SpecLock,
    outcome: &Outcome,
    taken: Vec<Taken>,
    old: Option<&SpecLock>,
    limits: Limits,
) -> Result<Vec<Change>> {
    let results = update_lock::results(root).into_iter();
    let mut wanted: Vec<(String, Vec<u8>)> = results
        .map(|path| (path.to_owned(), outcome.result.clone()))
        .collect();
    wanted.push(("spec.lock".to_owned(), lock.to_bytes()?));
    wanted.extend(
        taken
            .into_iter()
            .map(|taken| (format!("upstream/{}", taken.locked.file), taken.bytes)),
    );
    let kept: BTreeSet<String> = wanted.iter().map(|(path, _)| path.clone()).collect();
    let mut changes: Vec<Change> = wanted
        .into_iter()
        .filter(|(path, bytes)| fetch::file(&root.join(path), limits).ok().as_ref() != Some(bytes))
        .map(|(path, bytes)| Change {
            path,
            bytes: Some(bytes),
        })
        .collect();
    let gone = old
        .into_iter()
        .flat_map(|lock| &lock.sources)
        .map(|source| format!("upstream/{}", source.file));
    let gone = gone.filter(|path| !kept.contains(path) && root.join(path).exists());
    changes.extend(gone.map(|path| Change { path, bytes: None }));
    Ok(changes)
}

fn show(comparison: &Comparison, outcome: &Outcome, request: &Request) -> Result<()> {
    for notice in &outcome.notices {
        console::say(NOTE, "Note", notice);
    }
    let style = if comparison.count(Severity::Breaking) > 0 {
        BAD
    } else {
        GOOD
    };
    console::say(style, "Compared", &comparison.summary());
    if !comparison.changes.is_empty() {
        console::print(&report::lines(comparison));
    }
    if let Some(path) = &request.report {
        std::fs::write(path, report::markdown(comparison, &outcome.notices))
            .map_err(|error| Failure::failed(format!("{}: {error}", path.display())))?;
    }
    Ok(())
}
