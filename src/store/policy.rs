//! How long sessions wait for a store, and for each other.

use std::time::Duration;

/// How long sessions wait for a store, and for the login of another client that shares it.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth::Client;
/// use synerise_auth::store::{MemoryStore, StorePolicy};
///
/// let policy = StorePolicy::default().with_timeout(Duration::from_millis(500));
/// let client = Client::builder().store(MemoryStore::new()).store_policy(policy).build()?;
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StorePolicy {
    timeout: Duration,
    max_wait: Duration,
}

impl Default for StorePolicy {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(2),
            max_wait: Duration::from_secs(10),
        }
    }
}

impl StorePolicy {
    /// Sets how long a store may take to answer. The default is 2 s.
    ///
    /// A store that takes longer, or fails, is not asked again for 5 s, and for up to a minute if that happens again and
    /// again. Meanwhile each client logs in for itself.
    #[must_use]
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sets how long a session without a valid token waits for the login of another client. The default is 10 s. After
    /// three quarters of it at the earliest, it logs in for itself.
    ///
    /// Nobody waits that long unless the other client has crashed, or its login takes that long. A session that still has a
    /// valid token waits until the other's lease has run out, which delays no caller.
    #[must_use]
    pub fn with_max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = wait;
        self
    }

    /// Returns how long a store may take to answer.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Returns how long a session without a valid token waits for the login of another client.
    pub fn max_wait(&self) -> Duration {
        self.max_wait
    }
}
