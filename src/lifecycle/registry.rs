//! The sessions of a client by what they are for: whoever asks for the same one gets the same lifecycle.

use std::collections::HashMap;
use std::fmt;
use std::sync::Weak;

use sha2::{Digest, Sha256};

use crate::secret::Secret;

use super::sync::{Arc, Mutex, lock};
use super::{Acquire, Lifecycle, Surroundings};

/// What a session is for, as a fingerprint: kind, key and identity can't be read from it.
///
/// Half of a SHA-256: to find another's fingerprint still takes 2^128 tries, and it is kept twice for every session.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey([u8; 16]);

impl SessionKey {
    pub(crate) fn new(base: &str, kind: &str, key: &Secret, identity: &[&str]) -> Self {
        let mut hash = Sha256::new();
        for part in [base, kind, key.expose()].iter().chain(identity) {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        let hash: [u8; 32] = hash.finalize().into();
        Self(std::array::from_fn(|index| hash[index]))
    }

    /// The fingerprint itself.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SessionKey")
    }
}

/// The live sessions. It holds none of them: what nobody uses any more is freed, with its entry.
#[derive(Default)]
pub(crate) struct Registry(Mutex<HashMap<SessionKey, Weak<Lifecycle>>>);

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("sessions", &lock(&self.0).len())
            .finish()
    }
}

impl Registry {
    /// The lifecycle of `key`: the one that is in use, or a new one out of `parts`.
    pub(crate) fn get_or_create(
        this: &Arc<Self>,
        key: SessionKey,
        parts: impl FnOnce() -> (Arc<Surroundings>, Box<dyn Acquire>),
    ) -> Arc<Lifecycle> {
        let mut sessions = lock(&this.0);
        if let Some(live) = sessions.get(&key).and_then(Weak::upgrade) {
            return live;
        }
        let (surroundings, source) = parts();
        let mut created = Lifecycle::new(surroundings, source);
        created.entry = Some(Entry {
            registry: Arc::downgrade(this),
            key,
        });
        let created = Arc::new(created);
        sessions.insert(key, Arc::downgrade(&created));
        created
    }

    /// Forgets `key`, unless somebody has asked for it again in the meantime.
    fn forget(&self, key: &SessionKey) {
        let mut sessions = lock(&self.0);
        if sessions
            .get(key)
            .is_some_and(|session| session.strong_count() == 0)
        {
            sessions.remove(key);
            if sessions.capacity() > 64 && sessions.len() < sessions.capacity() / 4 {
                sessions.shrink_to_fit();
            }
        }
    }
}

/// A lifecycle's place in the registry, which is given up with it.
pub(super) struct Entry {
    registry: Weak<Registry>,
    key: SessionKey,
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.forget(&self.key);
        }
    }
}
