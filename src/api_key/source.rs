//! Where sessions take their API key from, each time they log in.

use std::fmt;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use crate::clock::{Clock, timeout};
use crate::error::{Error, Redactor, Result, foreign_error_chain};

use super::file::KeyFile;
use super::{ApiKey, Variables, environment};

/// An error of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What a provider returns.
pub type ApiKeyFuture<'a> = Pin<Box<dyn Future<Output = Result<ApiKey, BoxError>> + Send + 'a>>;

/// How long a provider may take when the last key is still known.
const PROVIDER_TIMEOUT: Duration = Duration::from_secs(5);

/// Provides the current API key, from a secret manager for example. It is asked before each login and refresh.
///
/// ```
/// use synerise_auth::ApiKey;
/// use synerise_auth::api_key::{ApiKeyFuture, ApiKeyProvider, ApiKeySource};
///
/// #[derive(Debug)]
/// struct SecretManager;
///
/// impl ApiKeyProvider for SecretManager {
///     fn api_key(&self) -> ApiKeyFuture<'_> {
///         Box::pin(async { Ok(ApiKey::new("not-a-real-key")?) })
///     }
/// }
///
/// let key = ApiKeySource::new(SecretManager);
/// # let _ = key;
/// ```
pub trait ApiKeyProvider: fmt::Debug + Send + Sync + 'static {
    /// Returns the current key.
    ///
    /// If it fails, or takes longer than 5 s, the last key is used; without one, the login fails with
    /// [`ErrorKind::ApiKeyUnavailable`](crate::ErrorKind::ApiKeyUnavailable). The error's text must not contain a secret.
    fn api_key(&self) -> ApiKeyFuture<'_>;

    /// Returns a number that changes when the key does, as far as that is known without asking for the key. A session that
    /// waits after a refused login tries again at once when it has changed.
    fn version(&self) -> u64 {
        0
    }
}

/// Where sessions take their API key from: a fixed key, a file, or an [`ApiKeyProvider`].
///
/// A key that is not fixed is asked for before each login and refresh, so a service need not restart when it was replaced. When
/// Synerise refuses a login, the key is asked for once more, and the login repeated if it has changed. When the key
/// can't be read for a moment (the file is missing or empty), the last one is used.
///
/// Clones are the same source, and lead to the same session. So create a source once and clone it, rather than once per request.
/// [`RotatingApiKey`](super::RotatingApiKey) is a source that your program changes.
///
/// With a token store, tokens are saved under the key that they were obtained with. So processes that have the new key don't take
/// over tokens of the old one.
///
/// ```no_run
/// # async fn run() -> synerise_auth::Result<()> {
/// use synerise_auth::{ApiKeySource, Client};
///
/// let client = Client::builder().build()?;
/// let workspace = client.workspace(ApiKeySource::file("/run/secrets/synerise-api-key"));
/// let token = workspace.token().await?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct ApiKeySource(Inner);

#[derive(Clone)]
enum Inner {
    Fixed(ApiKey),
    Provided(Arc<Provided>),
}

struct Provided {
    provider: Box<dyn ApiKeyProvider>,
    /// The path, for a file: all sources of one file are the same.
    file: Option<String>,
    last: ArcSwapOption<ApiKey>,
}

/// What tells a source from others.
pub(crate) enum SourceIdentity<'a> {
    Key(&'a ApiKey),
    File(&'a str),
    /// The address of a provider, which is in use as long as a session has it.
    Provider(usize),
}

impl ApiKeySource {
    /// Takes the key from a provider.
    pub fn new(provider: impl ApiKeyProvider) -> Self {
        Self::provided(provider, None, None)
    }

    /// Takes the key from a file, as Kubernetes and Docker mount secrets. It is read before each login, and one line end at its end
    /// is not part of the key. Nothing watches the file.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        Self::of_file(KeyFile::new(path), None)
    }

    /// Takes the key from the environment variable, or from the file that `{variable}_FILE` names. The file is read now, so that
    /// a wrong path shows at start-up, and again before each login.
    ///
    /// ```no_run
    /// # fn run() -> synerise_auth::Result<()> {
    /// use synerise_auth::{ApiKeySource, Client};
    ///
    /// let workspace = Client::from_env()?.workspace(ApiKeySource::from_env("SYNERISE_API_KEY")?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails like [`ApiKey::from_env`].
    pub fn from_env(variable: &str) -> Result<Self> {
        Self::from_variables(variable, Variables::of_the_process())
    }

    pub(crate) fn from_variables(variable: &str, variables: Variables<'_>) -> Result<Self> {
        match environment::find(variable, variables)? {
            environment::Found::Key(key) => Ok(key.into()),
            environment::Found::File(file) => {
                let key = file.read()?;
                Ok(Self::of_file(file, Some(key)))
            }
        }
    }

    fn of_file(file: KeyFile, key: Option<ApiKey>) -> Self {
        let path = file.identity();
        Self::provided(file, Some(path), key)
    }

    fn provided(provider: impl ApiKeyProvider, file: Option<String>, last: Option<ApiKey>) -> Self {
        Self(Inner::Provided(Arc::new(Provided {
            provider: Box::new(provider),
            file,
            last: ArcSwapOption::from(last.map(Arc::new)),
        })))
    }

    pub(crate) fn identity(&self) -> SourceIdentity<'_> {
        match &self.0 {
            Inner::Fixed(key) => SourceIdentity::Key(key),
            Inner::Provided(provided) => match &provided.file {
                Some(path) => SourceIdentity::File(path),
                None => SourceIdentity::Provider(Arc::as_ptr(provided).cast::<()>() as usize),
            },
        }
    }

    /// The key, as far as it is known without asking for it.
    pub(crate) fn last_known(&self) -> Option<ApiKey> {
        match &self.0 {
            Inner::Fixed(key) => Some(key.clone()),
            Inner::Provided(provided) => provided.last.load_full().map(|key| ApiKey::clone(&key)),
        }
    }

    /// Whether the key can change.
    pub(crate) fn is_changeable(&self) -> bool {
        matches!(self.0, Inner::Provided(_))
    }

    pub(crate) fn version(&self) -> u64 {
        match &self.0 {
            Inner::Fixed(_) => 0,
            Inner::Provided(provided) => provided.provider.version(),
        }
    }

    /// The current key: the one that the provider returns, or else the last one.
    pub(crate) async fn current(&self, clock: &dyn Clock) -> Result<ApiKey> {
        match &self.0 {
            Inner::Fixed(key) => Ok(key.clone()),
            Inner::Provided(provided) => provided.current(clock).await,
        }
    }

    /// The key, if it is no longer `used`. Asked after `used` was refused.
    pub(crate) async fn changed_from(&self, used: &ApiKey, clock: &dyn Clock) -> Option<ApiKey> {
        match &self.0 {
            Inner::Fixed(_) => None,
            Inner::Provided(provided) => {
                let key = provided.current(clock).await.ok()?;
                (key != *used).then_some(key)
            }
        }
    }
}

impl Provided {
    async fn current(&self, clock: &dyn Clock) -> Result<ApiKey> {
        let problem = match timeout(clock, PROVIDER_TIMEOUT, self.provider.api_key()).await {
            Some(Ok(key)) => {
                self.last.store(Some(Arc::new(key.clone())));
                return Ok(key);
            }
            Some(Err(error)) => match error.downcast::<Error>() {
                Ok(error) => *error,
                Err(error) => Error::api_key_unavailable(foreign_error_chain(&*error, &Redactor::default())),
            },
            None => Error::api_key_unavailable(format!("its provider took longer than {PROVIDER_TIMEOUT:?}")),
        };
        match self.last.load_full() {
            Some(last) => {
                tracing::warn!(
                    target: "synerise_auth::session",
                    { error.type = problem.kind().as_str() },
                    "the current API key can't be read; the last one is used: {problem}"
                );
                Ok(ApiKey::clone(&last))
            }
            None => Err(problem),
        }
    }
}

impl From<ApiKey> for ApiKeySource {
    fn from(key: ApiKey) -> Self {
        Self(Inner::Fixed(key))
    }
}

impl From<&ApiKey> for ApiKeySource {
    fn from(key: &ApiKey) -> Self {
        Self(Inner::Fixed(key.clone()))
    }
}

impl From<&ApiKeySource> for ApiKeySource {
    fn from(source: &ApiKeySource) -> Self {
        source.clone()
    }
}

impl fmt::Debug for ApiKeySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Inner::Fixed(_) => f.write_str("ApiKeySource([redacted])"),
            Inner::Provided(provided) => f.debug_tuple("ApiKeySource").field(&provided.provider).finish(),
        }
    }
}
