//! A key in a file, as Kubernetes and Docker mount secrets.

use std::borrow::Cow;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use tokio::task::spawn_blocking;
use zeroize::Zeroizing;

use crate::error::{Error, Result};

use super::ApiKey;
use super::source::{ApiKeyFuture, ApiKeyProvider};

/// A file that is longer holds no key.
const LONGEST: u64 = 16 * 1024;

/// A file with a key in it. Its path is never printed: a key may stand there by mistake.
#[derive(Clone)]
pub(crate) struct KeyFile {
    path: PathBuf,
    name: Cow<'static, str>,
}

impl KeyFile {
    pub(crate) fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            name: "the API key's file".into(),
        }
    }

    /// A file that errors call `name`.
    pub(crate) fn named(path: impl Into<PathBuf>, name: String) -> Self {
        Self {
            path: path.into(),
            name: name.into(),
        }
    }

    /// What tells this file from others: its path.
    pub(crate) fn identity(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }

    /// Reads the key. A file that is missing or empty for a moment is not an error for ever.
    pub(crate) fn read(&self) -> Result<ApiKey> {
        let mut bytes = Zeroizing::new(Vec::new());
        File::open(&self.path)
            .and_then(|file| file.take(LONGEST + 1).read_to_end(&mut bytes))
            .map_err(|error| self.unavailable(&format!("can't be read: {}", error.kind())))?;
        if bytes.len() as u64 > LONGEST {
            return Err(self.unavailable("is larger than any key"));
        }
        let text = str::from_utf8(&bytes).map_err(|_| self.unavailable("is not text"))?;
        let line = text.strip_suffix('\n').unwrap_or(text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        if line.is_empty() {
            return Err(self.unavailable("is empty"));
        }
        ApiKey::new(line).map_err(|error| error.in_input(&format!("the API key in {}", self.name)))
    }

    fn unavailable(&self, problem: &str) -> Error {
        Error::api_key_unavailable(format!("{} {problem}", self.name))
    }
}

impl std::fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KeyFile")
    }
}

impl ApiKeyProvider for KeyFile {
    fn api_key(&self) -> ApiKeyFuture<'_> {
        let file = self.clone();
        Box::pin(async move {
            // Reading may wait for a disk or a network, and must not hold up the runtime.
            let key = spawn_blocking(move || file.read()).await??;
            Ok(key)
        })
    }
}
