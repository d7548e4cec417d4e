//! A file with a key in it, as secrets are mounted.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

/// A file of its own for each test. It is removed at the end.
pub(crate) struct KeyFile(PathBuf);

static NEXT: AtomicU32 = AtomicU32::new(0);

impl KeyFile {
    pub(crate) fn new(content: impl AsRef<str>) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("key-{}-{number}", std::process::id());
        let file = Self(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name));
        file.write(content.as_ref());
        file
    }

    pub(crate) fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }

    pub(crate) fn write(&self, content: &str) {
        std::fs::write(&self.0, content).unwrap();
    }

    pub(crate) fn remove(&self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
