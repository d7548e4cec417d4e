//! A key that the program replaces while it runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use super::ApiKey;
use super::source::{ApiKeyFuture, ApiKeyProvider, ApiKeySource};

/// A key that you replace while the service runs, for all sessions that use it.
///
/// A session keeps its token, and uses the new key at its next login or refresh. A session that waits after its old key was
/// refused tries the new one at the next call. Clones share the key.
///
/// ```no_run
/// # fn run(client: synerise_auth::Client, first: synerise_auth::ApiKey, second: synerise_auth::ApiKey) {
/// use synerise_auth::api_key::RotatingApiKey;
///
/// let key = RotatingApiKey::new(first);
/// let workspace = client.workspace(&key); // the same session for each call with this key
/// // … when the key was replaced in Synerise …
/// key.rotate(second);
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct RotatingApiKey {
    current: Arc<Current>,
    source: ApiKeySource,
}

#[derive(Debug)]
struct Current {
    key: ArcSwap<ApiKey>,
    version: AtomicU64,
}

impl RotatingApiKey {
    /// Starts with this key.
    pub fn new(key: ApiKey) -> Self {
        let current = Arc::new(Current {
            key: ArcSwap::from_pointee(key),
            version: AtomicU64::new(0),
        });
        let source = ApiKeySource::new(Provider(Arc::clone(&current)));
        Self { current, source }
    }

    /// Replaces the key. Nothing is sent: the current tokens are served until they are due or refused.
    pub fn rotate(&self, key: ApiKey) {
        self.current.key.store(Arc::new(key));
        self.current.version.fetch_add(1, Ordering::Release);
    }

    /// Returns the current key.
    pub fn current(&self) -> ApiKey {
        ApiKey::clone(&self.current.key.load())
    }
}

impl From<&RotatingApiKey> for ApiKeySource {
    fn from(key: &RotatingApiKey) -> Self {
        key.source.clone()
    }
}

impl From<RotatingApiKey> for ApiKeySource {
    fn from(key: RotatingApiKey) -> Self {
        key.source
    }
}

#[derive(Debug)]
struct Provider(Arc<Current>);

impl ApiKeyProvider for Provider {
    fn api_key(&self) -> ApiKeyFuture<'_> {
        let key = ApiKey::clone(&self.0.key.load());
        Box::pin(async move { Ok(key) })
    }

    fn version(&self) -> u64 {
        self.0.version.load(Ordering::Acquire)
    }
}
