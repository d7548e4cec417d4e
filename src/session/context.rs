//! The parts that all sessions of a client share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::api_key::ApiKeySource;
use crate::bindings;
use crate::fingerprint::{fingerprint, hexadecimal};
use crate::lifecycle::registry::{Registry, Retention, SessionKey};
use crate::lifecycle::{Lifecycle, LifecycleConfig, SharedStore, StoredTokenSource, TokenSource};
use crate::secret::Secret;
use crate::store::StoreKey;
use crate::transport::Transport;

use super::key_source::{KeyLogin, KeyedTokenSource};
use super::uuid_owners::UuidOwners;

/// The parts that all sessions of a client share: the transport, the lifecycles' settings, and the list of sessions.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) transport: Arc<Transport>,
    pub(crate) config: Arc<LifecycleConfig>,
    pub(crate) registry: Arc<Registry>,
    pub(crate) store: Option<Arc<SharedStore>>,
    /// How many sessions began with a login.
    pub(crate) logins: AtomicU64,
    pub(crate) uuid_owners: UuidOwners,
}

impl Context {
    /// The shared lifecycle of a session: the same for all callers with the same key and identity.
    pub(super) fn shared_lifecycle<L: KeyLogin>(
        &self,
        login: L,
        keys: ApiKeySource,
        retention: Retention,
    ) -> Arc<Lifecycle> {
        let key = login.session_key(&keys);
        let create = || {
            let store = self.store.as_ref();
            let source = KeyedTokenSource::new(login, keys, store, Arc::clone(&self.config));
            let source: Box<dyn TokenSource> = Box::new(source);
            (Arc::clone(&self.config), source)
        };
        Registry::get_or_create(&self.registry, key, retention, create)
    }

    /// The lifecycle of a session that begins with a login: the existing one, if the client has the session already. Its id is
    /// enough to find it, in a store as well: the key may be replaced.
    pub(super) fn lifecycle_of(
        &self,
        kind: &str,
        session: &str,
        source: impl TokenSource + 'static,
    ) -> Arc<Lifecycle> {
        let key = SessionKey::new(self.transport.base().as_str(), kind, &Secret::new(""), &[session]);
        let create = || {
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
        Registry::get_or_create(&self.registry, key, Retention::WhileUsed, create)
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
