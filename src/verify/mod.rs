//! Verifies tokens that your service receives: whether Synerise issued them, and what they claim.
//!
//! Use it in a service that receives Synerise tokens from elsewhere, such as a backend called by an app whose user is
//! logged in. A session's own tokens do not need it. It requires the feature `verify`.
//!
//! ```no_run
//! # async fn run(authorization: &str) -> synerise_auth::Result<()> {
//! use synerise_auth::{Client, ErrorKind, Region};
//!
//! let verifier = Client::builder().region(Region::AzureEu).build()?.verifier();
//!
//! match verifier.verify(authorization).await {
//!     Ok(claims) => println!("a {:?} of workspace {:?}", claims.realm, claims.workspace_id),
//!     Err(error) if matches!(error.kind(), ErrorKind::InvalidToken(_)) => println!("answer 401: {error}"),
//!     Err(error) => println!("answer 503, the key could not be had: {error}"),
//! }
//! # Ok(()) }
//! ```
//!
//! # What is checked
//!
//! In this order, so that the cheap checks come first and junk never causes a request:
//!
//! 1. The form: three parts in strict base64url, 64 KiB at the most, JSON objects in which no name occurs twice.
//! 2. The header: `alg` is RS512, and there is nothing in it that must not be ignored (`crit`, `b64`, `zip`, `enc`, another
//!    `typ`). The header chooses nothing: a key that it names (`kid`) or includes (`jwk`, `jku`, `x5c`) is ignored.
//! 3. The claims: `iss` is `Synerise`, `aud` is `API` or [what you expect](Verifier::with_audience), `exp` is there and
//!    ahead, `ctd`, `iat` and `nbf` are not ahead where they are there. A clock may be wrong by a minute, or by
//!    [another leeway](Verifier::with_leeway). `rlm` is checked if you [name the realms](Verifier::with_realms) that you let in.
//! 4. The signature, by the RSA keys that Synerise publishes, of 2048 to 8192 bits.
//!
//! That `iss` and `aud` are required is a rule of this crate. Their values come from Synerise's published sample.
//!
//! # What is not checked
//!
//! - **Whether the token was revoked.** Synerise publishes no way to ask. A token is accepted until it expires.
//! - **What its owner may do.** [`VerifiedClaims::authorities`] returns Synerise's list. Judging it is up to you.
//! - **Encrypted tokens.** Profiles' tokens may be encrypted. Only Synerise can read those, so they are refused as
//!   [`Unsupported`](crate::error::TokenProblem::Unsupported).
//!
//! # The key, its rotation, and outages
//!
//! A [`Client`](crate::Client)'s verifiers share the keys. They are fetched (`GET /v4/public.pem`) for the first token, or
//! by [`Verifier::warm_up`]. After that, verifying sends nothing, takes no lock, and costs one RSA operation: about 100 µs
//! with a key of 4096 bits.
//!
//! Synerise's tokens do not name their key, so a signature that does not fit may mean that there is a new key. The keys are
//! then fetched again, by one request that all callers wait for, for at most 10 seconds. This happens [at most every 30
//! seconds](REFETCH_FLOOR), however many forged tokens arrive. After a rotation, tokens of the old key are refused, unless
//! Synerise still publishes it beside the new one. In addition, the keys are fetched again in the background once they are
//! an hour old.
//!
//! | `/v4/public.pem` can't be reached | what happens |
//! |---|---|
//! | keys are known | they stay in use, and tokens that fit are accepted as before. A token that does not fit gets the fetch's error, because a rotation can't be told from a forgery: answer 503 |
//! | none was ever fetched | every token gets the fetch's error, with at most one request a second |
//!
//! A service that must start without Synerise keeps a copy of the PEM and uses [`Verifier::from_pem`], which never sends
//! anything. After a rotation it needs a new copy.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::error::{Error, Result, TokenProblem};

mod claims;
mod json;
mod key;
mod published;
mod signed_token;

pub use claims::VerifiedClaims;
pub(crate) use published::PublishedKeys;

use key::KeySet;
use signed_token::SignedToken;

/// The minimum time between two fetches that signatures which did not fit have caused.
pub const REFETCH_FLOOR: Duration = Duration::from_secs(30);

/// Verifies tokens that your service receives. It is cheap to clone. [`Client::verifier`](crate::Client::verifier) returns
/// one that fetches Synerise's keys.
///
/// ```
/// # fn run(pem: &str, token: &str) -> synerise_auth::Result<()> {
/// use std::time::Duration;
/// use synerise_auth::verify::Verifier;
///
/// let verifier = Verifier::from_pem(pem)?
///     .with_realms(["client"]) // customers who are logged in, and nobody else
///     .with_leeway(Duration::from_secs(5));
/// let claims = verifier.verify_now(token)?;
/// println!("profile {:?}", claims.profile_id);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Verifier {
    keys: Keys,
    rules: Rules,
    clock: Arc<dyn Clock>,
}

#[derive(Debug, Clone)]
enum Keys {
    Fixed(Arc<KeySet>),
    Published(Arc<PublishedKeys>),
}

/// The required contents of a token.
#[derive(Debug, Clone)]
struct Rules {
    audience: Option<String>,
    realms: Option<Vec<String>>,
    leeway: Duration,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            audience: Some("API".to_owned()),
            realms: None,
            leeway: Duration::from_secs(60),
        }
    }
}

impl Verifier {
    /// Creates a verifier with the keys of this PEM text. It never sends anything.
    ///
    /// The text may contain several keys (`PUBLIC KEY` or `RSA PUBLIC KEY`), a byte order mark, either kind of line end,
    /// and other text around the keys.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when the text contains no key, or one that can't be
    /// used: it is not an RSA key, it is a private key, or it has fewer than 2048 or more than 8192 bits.
    pub fn from_pem(pem: impl AsRef<[u8]>) -> Result<Self> {
        Ok(Self {
            keys: Keys::Fixed(Arc::new(KeySet::read(pem.as_ref())?)),
            rules: Rules::default(),
            clock: Arc::new(SystemClock::default()),
        })
    }

    pub(crate) fn published(keys: Arc<PublishedKeys>) -> Self {
        Self {
            clock: keys.clock(),
            keys: Keys::Published(keys),
            rules: Rules::default(),
        }
    }

    /// Sets by how much this machine's clock may differ from Synerise's. The default is one minute.
    #[must_use]
    #[doc(alias("clock skew", "maxClockSkew"))]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.rules.leeway = leeway;
        self
    }

    /// Sets the audience that tokens must be for (`aud`). The default is `API`, as in Synerise's published sample.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.rules.audience = Some(audience.into());
        self
    }

    /// Accepts tokens for any audience, and tokens without one.
    #[must_use]
    pub fn with_any_audience(mut self) -> Self {
        self.rules.audience = None;
        self
    }

    /// Accepts only tokens of these realms (`rlm`), such as `client`. By default, any realm is accepted.
    ///
    /// Synerise signs the tokens of visitors, customers, backends and users with the same key. A service for one kind of
    /// consumer should name its realm.
    #[must_use]
    pub fn with_realms<R: Into<String>>(mut self, realms: impl IntoIterator<Item = R>) -> Self {
        self.rules.realms = Some(realms.into_iter().map(Into::into).collect());
        self
    }

    /// Sets the source of the time. The default is the client's clock, or the machine's.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Fetches the keys if there are none yet, so that the first token does not wait for them.
    ///
    /// Operation [`getPublicKey`](crate::raw::Client::get_public_key) (`GET /v4/public.pem`).
    ///
    /// # Errors
    /// Returns the error of the fetch, or [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when no published key can
    /// be used.
    pub async fn warm_up(&self) -> Result<()> {
        match &self.keys {
            Keys::Fixed(_) => Ok(()),
            Keys::Published(keys) => keys.warm_up().await,
        }
    }

    /// Verifies a token, with or without `Bearer` in front. The value of an `Authorization` header can be passed unchanged.
    ///
    /// It waits only when the keys have to be fetched (see the [module](self)). It is safe to cancel.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidToken`](crate::ErrorKind::InvalidToken) when the token must not be accepted. Any other
    /// error means that the token could not be verified, because the key could not be fetched or can't be used.
    pub async fn verify(&self, bearer: impl AsRef<[u8]>) -> Result<VerifiedClaims> {
        let now = self.clock.now();
        let token = SignedToken::read(bearer.as_ref())?;
        let claims = VerifiedClaims::read(&token, &self.rules, now.wall)?;
        match &self.keys {
            Keys::Fixed(keys) => check(keys, &token)?,
            Keys::Published(keys) => keys.check(&token, now).await?,
        }
        Ok(claims)
    }

    /// Verifies a token without waiting and without sending anything. It uses the keys of [`from_pem`](Self::from_pem), or
    /// those fetched last.
    ///
    /// # Errors
    /// Fails like [`verify`](Self::verify), and with [`ErrorKind::InvalidKey`](crate::ErrorKind::InvalidKey) when no key
    /// has been fetched yet. A client's verifier does not notice a rotation here: only [`verify`](Self::verify) does.
    pub fn verify_now(&self, bearer: impl AsRef<[u8]>) -> Result<VerifiedClaims> {
        let token = SignedToken::read(bearer.as_ref())?;
        let claims = VerifiedClaims::read(&token, &self.rules, self.clock.now().wall)?;
        match &self.keys {
            Keys::Fixed(keys) => check(keys, &token)?,
            Keys::Published(keys) => {
                let keys = keys.cached().ok_or_else(|| {
                    Error::invalid_key("it has not been fetched yet", "await Verifier::warm_up before")
                })?;
                check(&keys, &token)?;
            }
        }
        Ok(claims)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier")
            .field("keys", &self.keys)
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

fn check(keys: &KeySet, token: &SignedToken<'_>) -> Result<()> {
    if keys.fits(token) {
        Ok(())
    } else {
        Err(does_not_fit())
    }
}

fn does_not_fit() -> Error {
    Error::invalid_token(
        TokenProblem::Signature,
        "its signature was not made with the published key",
    )
}
