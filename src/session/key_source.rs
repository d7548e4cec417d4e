//! A source of tokens that takes its API key from an [`ApiKeySource`] at each login.

use std::future::ready;
use std::time::Duration;

use crate::api_key::{ApiKey, ApiKeySource, SourceIdentity};
use crate::error::{Error, Result};
use crate::lifecycle::registry::SessionKey;
use crate::lifecycle::{
    Event, LifecycleConfig, Previous, SessionIdentity, SharedStore, StoredTokenSource, TokenSource,
};
use crate::secret::Secret;
use crate::store::StoreKey;
use crate::sync::{Arc, Mutex, lock};
use crate::token::{Token, TokenResponse};
use crate::transport::{BoxFuture, Transport};

/// A login by an API key.
pub(super) trait KeyLogin: Clone + Send + Sync + 'static {
    /// The kind of consumer that logs in.
    fn kind(&self) -> &'static str;

    fn transport(&self) -> &Transport;

    /// What tells the sessions of one key apart, if it has several.
    fn identity(&self) -> [&str; 2];

    /// Whom its tokens belong to, apart from the key.
    fn owner(&self) -> SessionIdentity {
        SessionIdentity::default()
    }

    /// Fetches a token with this key.
    fn fetch(&self, key: ApiKey, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>>;

    /// Identifies the session among those of the client: by its key, or by the place where that comes from.
    fn session_key(&self, keys: &ApiKeySource) -> SessionKey {
        match keys.identity() {
            SourceIdentity::Key(key) => self.session_key_by(key),
            SourceIdentity::File(path) => self.key_of("file", path),
            SourceIdentity::Provider(address) => self.key_of("provider", &address.to_string()),
        }
    }

    /// Identifies the session among those of all processes: by the key that it logs in with. A file of the same name may hold
    /// another workspace's key elsewhere.
    fn session_key_by(&self, key: &ApiKey) -> SessionKey {
        SessionKey::new(
            self.transport().base().as_str(),
            self.kind(),
            key.secret(),
            &self.identity(),
        )
    }

    fn key_of(&self, place: &str, name: &str) -> SessionKey {
        let [first, second] = self.identity();
        let identity = [place, name, first, second];
        let no_key = Secret::new("");
        SessionKey::new(self.transport().base().as_str(), self.kind(), &no_key, &identity)
    }
}

/// Logs in with the current key, and once more when the key was replaced in the meantime.
#[derive(Clone)]
pub(super) struct KeyedTokenSource<L> {
    login: L,
    keys: ApiKeySource,
    config: Arc<LifecycleConfig>,
    stored: Option<Arc<StoredByKey<L>>>,
}

/// The entry of the current key in the client's store.
struct StoredByKey<L> {
    store: Arc<SharedStore>,
    current: Mutex<Option<(ApiKey, Arc<Stored<L>>)>>,
}

type Stored<L> = StoredTokenSource<OneKey<L>>;

impl<L: KeyLogin> KeyedTokenSource<L> {
    pub(super) fn new(
        login: L,
        keys: ApiKeySource,
        store: Option<&Arc<SharedStore>>,
        config: Arc<LifecycleConfig>,
    ) -> Self {
        let stored = store.map(|store| {
            Arc::new(StoredByKey {
                store: Arc::clone(store),
                current: Mutex::new(None),
            })
        });
        Self {
            login,
            keys,
            config,
            stored,
        }
    }

    /// Fetches a token with this key, by way of the store if there is one.
    fn fetch_with(
        &self,
        key: ApiKey,
        previous: Option<Previous>,
    ) -> BoxFuture<'static, Result<TokenResponse>> {
        match &self.stored {
            None => self.login.fetch(key, previous),
            Some(stored) => self.stored_source(stored, key).fetch(previous),
        }
    }

    /// The source for this key. Another key has another entry in the store.
    fn stored_source(&self, stored: &StoredByKey<L>, key: ApiKey) -> Arc<Stored<L>> {
        let mut current = lock(&stored.current);
        if let Some((known, source)) = &*current
            && *known == key
        {
            return Arc::clone(source);
        }
        let place = StoreKey::new(self.login.session_key_by(&key).as_bytes());
        let login = OneKey {
            login: self.login.clone(),
            key: key.clone(),
        };
        let store = Arc::clone(&stored.store);
        let source = StoredTokenSource::new(login, store, place, Arc::clone(&self.config));
        let source = Arc::new(source);
        *current = Some((key, Arc::clone(&source)));
        source
    }

    /// The source of the last key that was used with the store.
    fn last_stored(&self) -> Option<Arc<Stored<L>>> {
        let stored = self.stored.as_ref()?;
        lock(&stored.current)
            .as_ref()
            .map(|(_, source)| Arc::clone(source))
    }
}

impl<L: KeyLogin> TokenSource for KeyedTokenSource<L> {
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let this = self.clone();
        Box::pin(async move {
            let clock = &*this.config.clock;
            let key = this.keys.current(clock).await?;
            match this.fetch_with(key.clone(), previous.clone()).await {
                Err(error) if is_refused(&error) => match this.keys.changed_from(&key, clock).await {
                    Some(new) => this.fetch_with(new, previous).await,
                    None => Err(error),
                },
                outcome => outcome,
            }
        })
    }

    fn extra_time(&self) -> Duration {
        let stored = self.stored.as_ref();
        stored
            .map(|stored| StoredTokenSource::<OneKey<L>>::longest_use(&stored.store, &self.config))
            .unwrap_or_default()
    }

    fn share(&self, response: &TokenResponse) -> BoxFuture<'static, ()> {
        match self.last_stored() {
            Some(source) => source.share(response),
            None => Box::pin(ready(())),
        }
    }

    fn share_later(&self) -> Option<Duration> {
        self.last_stored()?.share_later()
    }

    fn offer(&self, token: &Token) -> BoxFuture<'static, bool> {
        match self.last_stored() {
            Some(source) => source.offer(token),
            None => Box::pin(ready(true)),
        }
    }

    fn forget(&self) -> Option<BoxFuture<'static, ()>> {
        self.last_stored()?.forget()
    }

    fn take_news(&self) -> Vec<Event> {
        self.last_stored()
            .map(|source| source.take_news())
            .unwrap_or_default()
    }

    fn kind(&self) -> &'static str {
        self.login.kind()
    }

    fn identity(&self) -> SessionIdentity {
        SessionIdentity {
            key: self.keys.last_known(),
            ..self.login.owner()
        }
    }

    fn key_version(&self) -> u64 {
        self.keys.version()
    }

    fn has_changeable_key(&self) -> bool {
        self.keys.is_changeable()
    }
}

/// A login with one key.
struct OneKey<L> {
    login: L,
    key: ApiKey,
}

impl<L: KeyLogin> TokenSource for OneKey<L> {
    fn fetch(&self, previous: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        self.login.fetch(self.key.clone(), previous)
    }

    fn kind(&self) -> &'static str {
        self.login.kind()
    }
}

/// Whether a login or refresh was refused, rather than just impossible at present.
pub(super) fn is_refused(error: &Error) -> bool {
    error.api().is_some() && !error.is_retryable()
}
