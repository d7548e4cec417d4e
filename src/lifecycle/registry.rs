//! The sessions of a client, by identity. Asking for the same session again returns the same lifecycle.

use std::collections::HashMap;
use std::fmt;
use std::sync::Weak;

use crate::fingerprint::{Fingerprint, fingerprint};
use crate::secret::Secret;

use super::source::TokenSource;
use super::{Lifecycle, LifecycleConfig};
use crate::sync::{Arc, Mutex, lock};

/// Identifies a session by a fingerprint of its kind, key and identity, none of which can be read from it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct SessionKey(Fingerprint);

impl SessionKey {
    pub(crate) fn new(base: &str, kind: &str, key: &Secret, identity: &[&str]) -> Self {
        let parts = [base, kind, key.expose()];
        Self(fingerprint(parts.iter().chain(identity).copied()))
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

/// How long the registry keeps a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retention {
    /// Until it is forgotten. For workspaces: a process has few keys, and a handler that asks for the session again in each
    /// request must not log in each time.
    UntilForgotten,
    /// As long as it is used. For visitors: there may be a million of them.
    WhileUsed,
}

/// The sessions of a client.
#[derive(Default)]
pub(crate) struct Registry(Mutex<HashMap<SessionKey, Slot>>);

struct Slot {
    session: Weak<Lifecycle>,
    /// Keeps the session from being dropped.
    _kept: Option<Arc<Lifecycle>>,
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("sessions", &lock(&self.0).len())
            .finish()
    }
}

impl Registry {
    /// The lifecycle of `key`: the existing one, or a new one from `parts`.
    pub(crate) fn get_or_create(
        this: &Arc<Self>,
        key: SessionKey,
        retention: Retention,
        parts: impl FnOnce() -> (Arc<LifecycleConfig>, Box<dyn TokenSource>),
    ) -> Arc<Lifecycle> {
        let mut sessions = lock(&this.0);
        if let Some(live) = sessions.get(&key).and_then(|slot| slot.session.upgrade()) {
            return live;
        }
        let (config, source) = parts();
        let entry = Entry {
            registry: Arc::downgrade(this),
            key,
        };
        let created = Lifecycle::new(config, source, Some(entry));
        let slot = Slot {
            session: Arc::downgrade(&created),
            _kept: (retention == Retention::UntilForgotten).then(|| Arc::clone(&created)),
        };
        sessions.insert(key, slot);
        created
    }

    /// Forgets the session of `key`. The next call for it returns a new one. Returns whether there was one.
    pub(crate) fn forget(&self, key: &SessionKey) -> bool {
        // Dropped after the lock is released: dropping the last reference to a session removes its entry.
        let slot = lock(&self.0).remove(key);
        slot.is_some_and(|slot| slot.session.strong_count() > 0)
    }

    /// Removes the entry of a dropped session, unless the session was asked for again in the meantime.
    fn remove_dropped(&self, key: &SessionKey) {
        let mut sessions = lock(&self.0);
        if sessions
            .get(key)
            .is_some_and(|slot| slot.session.strong_count() == 0)
        {
            sessions.remove(key);
            if sessions.capacity() > 64 && sessions.len() < sessions.capacity() / 4 {
                sessions.shrink_to_fit();
            }
        }
    }
}

/// A lifecycle's entry in the registry, which is removed when the lifecycle is dropped.
pub(crate) struct Entry {
    registry: Weak<Registry>,
    key: SessionKey,
}

impl Entry {
    /// Takes `session` out of the registry. The next call for it returns a new one.
    pub(crate) fn leave(&self, session: &Weak<Lifecycle>) {
        let Some(registry) = self.registry.upgrade() else {
            return;
        };
        let mut sessions = lock(&registry.0);
        let is_own = |slot: &Slot| slot.session.ptr_eq(session);
        let slot = match sessions.get(&self.key) {
            Some(slot) if is_own(slot) => sessions.remove(&self.key),
            _ => None,
        };
        drop(sessions);
        // Dropped after the lock is released, as in `forget`.
        drop(slot);
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if let Some(registry) = self.registry.upgrade() {
            registry.remove_dropped(&self.key);
        }
    }
}
