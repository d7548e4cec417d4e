//! The parts that all sessions of a client share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bindings;
use crate::fingerprint::{fingerprint, hexadecimal};
use crate::lifecycle::registry::{Registry, Retention, SessionKey};
use crate::lifecycle::{Lifecycle, LifecycleConfig, SharedStore, StoredTokenSource, TokenSource};
use crate::secret::Secret;
use crate::store::StoreKey;
use crate::transport::Transport;

/// The parts that all sessions of a client share: the transport, the lifecycles' settings, and the list of sessions.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) transport: Arc<Transport>,
    pub(crate) config: Arc<LifecycleConfig>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Option<Arc<SharedStore>>,
    /// How many sessions began with a login.
    pub(crate) logins: AtomicU64,
}

impl Context {
    /// The shared lifecycle of a session: the same for all callers with the same key and identity.
    pub(super) fn shared_lifecycle<S: TokenSource + 'static>(
        &self,
        key: SessionKey,
        retention: Retention,
        source: impl FnOnce(&Arc<Transport>) -> S,
    ) -> Arc<Lifecycle> {
        let create = || {
            let source = source(&self.transport);
            let source: Box<dyn TokenSource> = match &self.store {
                Some(store) => Box::new(StoredTokenSource::new(
                    source,
                    Arc::clone(store),
                    StoreKey::new(key.as_bytes()),
                    Arc::clone(&self.config),
                )),
                None => Box::new(source),
            };
            (Arc::clone(&self.config), source)
        };
        Registry::get_or_create(&self.registry, key, retention, create)
    }

    /// The identity of a session: the server, the kind of consumer, its key and its identity.
    pub(crate) fn session_key(&self, kind: &str, key: &Secret, identity: &[&str]) -> SessionKey {
        SessionKey::new(self.transport.base().as_str(), kind, key, identity)
    }

    /// What identifies a session that begins with this token. Nobody can guess it who doesn't have the token, and two logins
    /// differ even if their tokens don't.
    pub(super) fn new_session_id(&self, token: &str) -> Box<str> {
        let login = self.logins.fetch_add(1, Ordering::Relaxed).to_string();
        hexadecimal(&fingerprint(["session", token, &login])).into()
    }

    /// The bindings without a session, for calls such as a login.
    pub(crate) fn raw(&self) -> bindings::Client {
        bindings::Client::open(&self.transport, None)
    }
}
