//! Several files change together or not at all, whatever happens in between.
//!
//! New files are written beside the old ones, in `openapi/.update/`. A journal that lists them is put in place by one
//! rename: before it nothing has happened, after it everything will, because whoever comes next finishes what the
//! journal says. An operating system's lock keeps a second run out, and is gone with the process that held it.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::config::is_source_name;
use super::failure::{Failure, Result, fail};
use super::spec_lock::sha256;

const DIRECTORY: &str = ".update";
const UPSTREAM: &str = "upstream";
/// The emulator is a crate of its own and packs its own copy of the result.
const COPY: &str = "../emulator/openapi/synerise-auth.json";
const JOURNAL: &str = "journal.json";
const STAGED: &str = "staged";
const LOCK_ATTEMPTS: u32 = 20;
const LOCK_PAUSE: Duration = Duration::from_millis(25);

/// The right to change `openapi/`, held by one process at a time.
#[derive(Debug)]
pub(crate) struct UpdateLock {
    root: PathBuf,
    _lock: File,
}

/// A file of `openapi/` and what it shall hold; nothing means that it goes away.
#[derive(Debug)]
pub(crate) struct Change {
    pub(crate) path: String,
    pub(crate) bytes: Option<Vec<u8>>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Journal {
    entries: Vec<Entry>,
}

#[derive(Debug, Deserialize, Serialize)]
struct Entry {
    path: String,
    sha256: Option<String>,
}

impl UpdateLock {
    /// Takes the lock, and finishes or discards what an earlier run left behind.
    pub(crate) fn take(root: &Path) -> Result<Self> {
        refuse_links(root)?;
        let directory = root.join(DIRECTORY);
        fs::create_dir_all(&directory).map_err(|error| broken(&directory, &error))?;
        let path = directory.join("lock");
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(|error| broken(&path, &error))?;
        hold(&lock, &path)?;
        let guard = Self {
            root: root.to_owned(),
            _lock: lock,
        };
        guard.recover()?;
        Ok(guard)
    }

    /// Writes all of the changes, or none.
    pub(crate) fn write(&self, changes: Vec<Change>) -> Result<()> {
        let outcome = self.stage(changes).and_then(|journal| self.finish(&journal));
        outcome.map_err(|error| broken(&self.root, &error))
    }

    fn recover(&self) -> Result<()> {
        let path = self.own(JOURNAL);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map_err(io::Error::other)
                .and_then(|journal| self.finish(&journal))
                .map_err(|error| {
                    Failure::failed(format!(
                        "what a killed run had begun cannot be finished ({error}): restore {} from version control and delete {}",
                        self.root.display(),
                        self.root.join(DIRECTORY).display()
                    ))
                }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.clear().map_err(|error| broken(&self.root, &error))
            }
            Err(error) => Err(broken(&path, &error)),
        }
    }

    fn own(&self, name: &str) -> PathBuf {
        self.root.join(DIRECTORY).join(name)
    }

    fn staged(&self, index: usize) -> PathBuf {
        self.own(STAGED).join(index.to_string())
    }

    /// Everything up to the rename that decides.
    fn stage(&self, changes: Vec<Change>) -> io::Result<Journal> {
        self.clear()?;
        fs::create_dir(self.own(STAGED))?;
        let mut entries = Vec::new();
        for (index, change) in changes.into_iter().enumerate() {
            if let Some(bytes) = &change.bytes {
                write_through(&self.staged(index), bytes)?;
            }
            entries.push(Entry {
                path: change.path,
                sha256: change.bytes.as_deref().map(sha256),
            });
        }
        sync(&self.own(STAGED))?;
        let journal = Journal { entries };
        let next = self.own("journal.next");
        write_through(&next, &serde_json::to_vec(&journal)?)?;
        // Find out now whether the places can be written, while nothing has happened yet.
        fs::create_dir_all(self.root.join("upstream"))?;
        for entry in &journal.entries {
            let target = self.root.join(&entry.path);
            if target.exists() && !target.is_file() {
                return Err(io::Error::other(format!("{} is in the way", target.display())));
            }
        }
        fs::rename(next, self.own(JOURNAL))?;
        sync(&self.own(""))?;
        Ok(journal)
    }

    /// Carries the journal out. Every step may be repeated, because a killed run is finished by the next one.
    fn finish(&self, journal: &Journal) -> io::Result<()> {
        for (index, entry) in journal.entries.iter().enumerate() {
            self.carry_out(index, entry)?;
        }
        sync(&self.root.join("upstream"))?;
        sync(&self.root)?;
        fs::remove_file(self.own(JOURNAL))?;
        self.clear()
    }

    fn carry_out(&self, index: usize, entry: &Entry) -> io::Result<()> {
        if !is_ours(&entry.path) {
            return Err(io::Error::other(format!(
                "the journal names `{}`, which is not ours",
                entry.path
            )));
        }
        let target = self.root.join(&entry.path);
        let Some(expected) = &entry.sha256 else {
            return match fs::remove_file(target) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
                _ => Ok(()),
            };
        };
        match fs::read(self.staged(index)) {
            Ok(bytes) if sha256(&bytes) == *expected => fs::rename(self.staged(index), target),
            Err(error)
                if error.kind() == io::ErrorKind::NotFound && sha256(&fs::read(&target)?) == *expected =>
            {
                Ok(())
            }
            Ok(_) => Err(io::Error::other(format!(
                "the staged `{}` is damaged",
                entry.path
            ))),
            Err(error) => Err(error),
        }
    }

    fn clear(&self) -> io::Result<()> {
        match fs::remove_dir_all(self.own(STAGED)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

/// The files that hold the result: `synerise-auth.json`, and the emulator's copy where the emulator is.
pub(crate) fn results(root: &Path) -> Vec<&'static str> {
    let emulator = root.join(COPY).parent().is_some_and(Path::is_dir);
    let copy = emulator.then_some(COPY);
    ["synerise-auth.json"].into_iter().chain(copy).collect()
}

/// A link would have the files read and written where it leads to, outside of what is under version control.
fn refuse_links(root: &Path) -> Result<()> {
    let copies = fs::read_dir(root.join(UPSTREAM)).into_iter().flatten().flatten();
    let copies = copies.map(|entry| format!("{UPSTREAM}/{}", entry.file_name().display()));
    let own = [DIRECTORY, UPSTREAM, "spec.lock", "synerise-auth.json", COPY].map(str::to_owned);
    for path in own.into_iter().chain(copies) {
        if root.join(&path).is_symlink() {
            fail!("{path} is a symbolic link: put the file or folder itself there");
        }
    }
    Ok(())
}

/// Takes the lock. A run that was killed while it started the generator leaves the lock to that process for the moment
/// until it is another program, so one refusal does not mean that somebody is at work.
fn hold(lock: &File, path: &Path) -> Result<()> {
    for _ in 0..LOCK_ATTEMPTS {
        match lock.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(broken(path, &error)),
        }
    }
    fail!("another update-spec or verify-spec is running here; wait for it to end")
}

/// The files that a run may write: the journal is a file too, and could have been tampered with.
fn is_ours(path: &str) -> bool {
    let copy = path
        .strip_prefix("upstream/")
        .and_then(|name| name.rsplit_once('.'));
    matches!(path, "spec.lock" | "synerise-auth.json" | COPY)
        || copy.is_some_and(|(stem, extension)| is_source_name(stem) && matches!(extension, "yaml" | "json"))
}

fn write_through(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes renames in a directory survive a power cut, where directories can be opened.
fn sync(directory: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(directory)?.sync_all()
    } else {
        Ok(())
    }
}

fn broken(place: &Path, error: &io::Error) -> Failure {
    Failure::failed(format!("{}: {error}", place.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str, text: &str) -> Change {
        Change {
            path: path.to_owned(),
            bytes: Some(text.as_bytes().to_vec()),
        }
    }

    fn old_tree() -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(root.path().join("upstream")).expect("a folder");
        for path in ["spec.lock", "synerise-auth.json", "upstream/a.yaml"] {
            fs::write(root.path().join(path), "old").expect("a file");
        }
        root
    }

    fn content(root: &Path) -> Vec<Option<String>> {
        [
            "spec.lock",
            "synerise-auth.json",
            "upstream/a.yaml",
            "upstream/b.yaml",
        ]
        .iter()
        .map(|path| fs::read_to_string(root.join(path)).ok())
        .collect()
    }

    fn changes() -> Vec<Change> {
        vec![
            change("spec.lock", "new"),
            change("synerise-auth.json", "new"),
            change("upstream/b.yaml", "new"),
            Change {
                path: "upstream/a.yaml".to_owned(),
                bytes: None,
            },
        ]
    }

    fn all_new() -> Vec<Option<String>> {
        vec![
            Some("new".to_owned()),
            Some("new".to_owned()),
            None,
            Some("new".to_owned()),
        ]
    }

    #[test]
    fn a_run_that_stops_before_the_journal_leaves_everything_as_before() {
        let root = old_tree();
        let before = content(root.path());
        let guard = UpdateLock::take(root.path()).expect("the lock");
        guard.stage(changes()).expect("staged");
        fs::remove_file(guard.own(JOURNAL)).expect("as if the rename had not happened");
        drop(guard);
        UpdateLock::take(root.path()).expect("recovers");
        assert_eq!(content(root.path()), before);
    }

    #[test]
    fn a_run_that_stops_after_any_step_behind_the_journal_is_finished_by_the_next() {
        for steps in 0..=4 {
            let root = old_tree();
            let guard = UpdateLock::take(root.path()).expect("the lock");
            let journal = guard.stage(changes()).expect("staged");
            for (index, entry) in journal.entries.iter().enumerate().take(steps) {
                guard.carry_out(index, entry).expect("a step");
            }
            drop(guard);
            UpdateLock::take(root.path()).expect("recovers");
            assert_eq!(content(root.path()), all_new(), "killed after {steps} steps");
        }
    }

    #[test]
    fn something_in_the_way_is_found_before_anything_happens() {
        let root = old_tree();
        let before = content(root.path());
        fs::create_dir_all(root.path().join("upstream/b.yaml/x")).expect("a folder");
        let guard = UpdateLock::take(root.path()).expect("the lock");
        assert!(guard.write(changes()).is_err());
        assert_eq!(content(root.path()), before);
        drop(guard);
        UpdateLock::take(root.path()).expect("nothing is left to finish");
    }

    #[test]
    fn a_journal_cannot_make_recovery_write_elsewhere() {
        for path in [
            "../x.yaml",
            "upstream/../../x.yaml",
            "/etc/x.yaml",
            "overlay.yaml",
            "upstream/.yaml",
        ] {
            assert!(!is_ours(path), "{path}");
        }
        assert!(is_ours("upstream/profile-management.yaml"));
    }
}
