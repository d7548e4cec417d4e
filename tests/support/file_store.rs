//! A store in a folder that the processes of one machine share.
//!
//! Tokens are written in clear text, so it is for tests. A file beside the entry is locked, never the entry itself, and
//! entries are replaced as a whole: a reader sees the old one or the new one.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use synerise_auth::clock::{Clock, SystemClock};
use synerise_auth::serde_json::{self, Value, json};
use synerise_auth::store::{
    Lease, LeaseOwner, LeaseRequest, Saved, StoreError, StoreFuture, StoreKey, StoredToken, TokenStore,
};
use tempfile::TempDir;

#[derive(Debug)]
pub(crate) struct FileStore {
    folder: Arc<TempDir>,
}

/// What a file holds. Whatever can't be read is not there.
#[derive(Default)]
struct Entry {
    token: Option<StoredToken>,
    /// The owner, and when it ends, in milliseconds since the epoch.
    lease: Option<(String, u64)>,
    latest: u64,
}

impl FileStore {
    pub(crate) fn new(folder: &Arc<TempDir>) -> Self {
        Self {
            folder: Arc::clone(folder),
        }
    }

    fn path(&self, key: &StoreKey, extension: &str) -> PathBuf {
        self.folder.path().join(key.as_str()).with_extension(extension)
    }

    /// Changes an entry under its lock.
    async fn change<T>(&self, key: &StoreKey, change: impl FnOnce(&mut Entry) -> T) -> Result<T, StoreError> {
        let lock = open(&self.path(key, "lock")).map_err(failed)?;
        while let Err(error) = lock.try_lock() {
            match error {
                TryLockError::WouldBlock => SystemClock::default().sleep(Duration::from_millis(1)).await,
                TryLockError::Error(error) => return Err(failed(error)),
            }
        }
        let mut entry = self.read(key);
        let result = change(&mut entry);
        self.write(key, &entry).map_err(failed)?;
        Ok(result)
    }

    fn read(&self, key: &StoreKey) -> Entry {
        let bytes = std::fs::read(self.path(key, "json")).unwrap_or_default();
        serde_json::from_slice(&bytes).map_or_else(|_| Entry::default(), |value| Entry::from_json(&value))
    }

    fn write(&self, key: &StoreKey, entry: &Entry) -> io::Result<()> {
        let aside = self.path(key, "new");
        let mut file = open(&aside)?;
        file.set_len(0)?;
        file.write_all(entry.to_json().to_string().as_bytes())?;
        file.sync_all()?;
        std::fs::rename(aside, self.path(key, "json"))
    }
}

fn open(path: &PathBuf) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

#[allow(clippy::needless_pass_by_value, reason = "for map_err")]
fn failed(error: io::Error) -> StoreError {
    StoreError::new(error.kind().to_string())
}

fn milliseconds(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn now() -> SystemTime {
    SystemClock::default().now().wall()
}

impl Entry {
    fn from_json(value: &Value) -> Self {
        let time = |name: &str| Some(UNIX_EPOCH + Duration::from_millis(value[name].as_u64()?));
        let token = || {
            let text = value["token"].as_str()?;
            let generation = value["generation"].as_u64()?;
            Some(StoredToken::new(
                text,
                generation,
                time("issued_at")?,
                time("expires_at")?,
            ))
        };
        let lease = || Some((value["owner"].as_str()?.to_owned(), value["lease_ends"].as_u64()?));
        Self {
            token: token(),
            lease: lease(),
            latest: value["latest"].as_u64().unwrap_or_default(),
        }
    }

    fn to_json(&self) -> Value {
        let mut value = json!({ "latest": self.latest });
        if let Some(token) = &self.token {
            value["token"] = token.token.expose().into();
            value["generation"] = token.generation.into();
            value["issued_at"] = milliseconds(token.issued_at).into();
            value["expires_at"] = milliseconds(token.expires_at).into();
        }
        if let Some((owner, ends)) = &self.lease {
            value["owner"] = owner.as_str().into();
            value["lease_ends"] = (*ends).into();
        }
        value
    }

    fn take(&mut self, request: &LeaseRequest) -> Lease {
        let stored = self.token.as_ref().map_or(0, |token| token.generation);
        if let Some(newer) = self.token.as_ref().filter(|_| stored > request.after) {
            return Lease::Newer(newer.clone());
        }
        let now = milliseconds(now());
        self.latest = self
            .latest
            .max(stored)
            .max(request.after)
            .saturating_add(1)
            .max(now * 1000);
        let generation = self.latest;
        let held = self
            .lease
            .as_ref()
            .filter(|(owner, ends)| owner != request.owner.as_str() && *ends > now);
        if let Some((_, ends)) = held {
            let remaining = Duration::from_millis(ends - now);
            return Lease::Held {
                remaining,
                generation,
            };
        }
        let ttl = u64::try_from(request.ttl.as_millis()).unwrap_or(u64::MAX);
        self.lease = Some((request.owner.as_str().to_owned(), now.saturating_add(ttl)));
        Lease::Acquired { generation }
    }

    fn release(&mut self, owner: &LeaseOwner) {
        self.lease.take_if(|(held, _)| held == owner.as_str());
    }

    fn save(&mut self, token: StoredToken, owner: Option<&LeaseOwner>) -> Saved {
        let is_later = self
            .token
            .as_ref()
            .is_none_or(|kept| kept.generation < token.generation);
        if is_later {
            self.token = Some(token);
        }
        if let Some(owner) = owner {
            self.release(owner);
        }
        if is_later { Saved::Kept } else { Saved::Outdated }
    }
}

impl TokenStore for FileStore {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(std::future::ready(Ok(self.read(key).token)))
    }

    fn take<'a>(&'a self, key: &'a StoreKey, request: &'a LeaseRequest) -> StoreFuture<'a, Lease> {
        Box::pin(self.change(key, |entry| entry.take(request)))
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        Box::pin(self.change(key, move |entry| entry.save(token, owner)))
    }

    fn release<'a>(&'a self, key: &'a StoreKey, owner: &'a LeaseOwner) -> StoreFuture<'a, ()> {
        Box::pin(self.change(key, |entry| entry.release(owner)))
    }
}
