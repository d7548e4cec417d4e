//! Tokens: their claims, and how long they are valid.
//!
//! ```no_run
//! # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
//! let token = workspace.token().await?;
//! println!("valid for {:?}", token.lifetime());
//! if let Some(claims) = token.claims() {
//!     println!("of workspace {:?}, expires at {:?}", claims.workspace_id, claims.expires_at());
//! }
//! let mut request = synerise_auth::http::Request::get("https://api.synerise.com/v4/clients");
//! if let Some(headers) = request.headers_mut() {
//!     headers.insert("authorization", token.header().clone()); // marked as sensitive
//! }
//! # Ok(()) }
//! ```

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http::HeaderValue;
use zeroize::Zeroizing;

use crate::clock::Reading;
use crate::model::{ProfileUuid, TokenOrigin};
use crate::secret::secret_header;

mod claims;
mod provider;
mod response;
mod saved;
mod timestamp;

pub use claims::Claims;
pub use provider::{TokenFuture, TokenProvider};

pub(crate) use response::TokenResponse;
pub(crate) use saved::SavedToken;
pub(crate) use timestamp::{Timestamp, TokenTimes};

const SCHEME: &str = "Bearer ";

/// A bearer token. Cloning it copies a pointer; printing it never shows its value.
#[doc(alias("JWT", "access token"))]
#[derive(Clone)]
pub struct Token(Arc<TokenInner>);

/// What a [`Token`] points to.
pub(crate) struct TokenInner {
    /// `Bearer …`, marked as sensitive. The only place in memory that keeps the token's text.
    header: HeaderValue,
    generation: u64,
    validity: Validity,
    details: Option<Box<Details>>,
}

/// What the response said besides the token.
#[derive(Clone, Default)]
pub(crate) struct Details {
    pub(crate) origin: Option<TokenOrigin>,
    pub(crate) custom_id: Option<String>,
    pub(crate) realm: Option<String>,
    pub(crate) profile_id: Option<i64>,
    pub(crate) profile_uuid: Option<ProfileUuid>,
}

/// Omits what identifies the profile.
impl fmt::Debug for Details {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Details")
            .field("origin", &self.origin)
            .field("realm", &self.realm)
            .finish_non_exhaustive()
    }
}

/// When a token was issued, when its refresh is due, and when it expires, on the local clocks.
#[derive(Debug, Clone, Copy)]
#[allow(
    clippy::struct_field_names,
    reason = "the names of the field: issued at, expires at"
)]
pub(crate) struct Validity {
    pub(crate) issued_at: Reading,
    pub(crate) refresh_at: Reading,
    pub(crate) expires_at: Reading,
}

impl Token {
    /// Creates a token with this text. The error says why the text can't be a token.
    pub(crate) fn new(
        text: &str,
        generation: u64,
        validity: Validity,
        details: Option<Box<Details>>,
    ) -> Result<Self, &'static str> {
        check_text(text)?;
        let text = Zeroizing::new(format!("{SCHEME}{text}").into_bytes());
        let header = secret_header(text).map_err(|_| INVALID_CHARACTERS)?;
        Ok(Self(Arc::new(TokenInner {
            header,
            generation,
            validity,
            details,
        })))
    }

    /// Creates a token for tests, valid for `lifetime` from now.
    ///
    /// Only with the feature `test-util`.
    ///
    /// ```
    /// use std::time::Duration;
    /// use synerise_auth::Token;
    ///
    /// let token = Token::for_tests("not-a-real-token", Duration::from_secs(60));
    /// assert_eq!(token.expose(), "not-a-real-token");
    /// assert_eq!(token.lifetime(), Duration::from_secs(60));
    /// ```
    ///
    /// # Panics
    /// When `text` can't be a token: it is empty, or contains blanks or characters outside of ASCII.
    #[cfg(any(test, feature = "test-util"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    #[allow(clippy::expect_used, reason = "a test is told at once what is wrong with it")]
    pub fn for_tests(text: &str, lifetime: Duration) -> Self {
        use crate::clock::{Clock, SystemClock};

        let now = SystemClock::default().now();
        let expires_at = now.after(lifetime);
        let validity = Validity {
            issued_at: now,
            refresh_at: expires_at,
            expires_at,
        };
        Self::new(text, 1, validity, None).expect("the text can be a token")
    }

    /// Returns the token itself, without `Bearer`.
    pub fn expose(&self) -> &str {
        let text = str::from_utf8(self.0.header.as_bytes()).unwrap_or_default();
        text.get(SCHEME.len()..).unwrap_or_default()
    }

    /// Returns the value of the `Authorization` header, marked as sensitive. Cloning it copies no text.
    #[doc(alias("Authorization", "Bearer"))]
    pub fn header(&self) -> &HeaderValue {
        &self.0.header
    }

    /// Returns the token's number in its session. Each new token gets the next number.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Returns how long the token is valid, counted from when it was received.
    pub fn lifetime(&self) -> Duration {
        self.0
            .validity
            .expires_at
            .monotonic
            .saturating_sub(self.0.validity.issued_at.monotonic)
    }

    /// Returns how the login was authenticated, such as by a password or by an identity provider. `None` if the service
    /// does not say.
    pub fn origin(&self) -> Option<&TokenOrigin> {
        self.0.details.as_ref()?.origin.as_ref()
    }

    /// Returns the profile's custom identifier, if the service sent it.
    pub fn custom_id(&self) -> Option<&str> {
        self.0.details.as_ref()?.custom_id.as_deref()
    }

    /// Returns the numeric id of the profile that the token is for. `None` for a token that is not a profile's, or if the
    /// service does not say.
    ///
    /// It comes from the response (`clientId`), or else from the token's claims (`clId`), unverified.
    #[doc(alias("clientId", "clId"))]
    pub fn profile_id(&self) -> Option<i64> {
        let stated = self.0.details.as_ref().and_then(|details| details.profile_id);
        stated.or_else(|| self.claims()?.profile_id)
    }

    /// Returns the UUID of the profile that the token is for. `None` for a token that is not a profile's, or if the service
    /// does not say.
    ///
    /// It comes from the response (`clientUuid`), or else from the token's claims (`uuid`), unverified.
    pub fn profile_uuid(&self) -> Option<ProfileUuid> {
        let stated = self.0.details.as_ref();
        let stated = stated.and_then(|details| details.profile_uuid.clone());
        stated.or_else(|| self.claims()?.profile_uuid)
    }

    /// Returns the realm of the token, such as `client`, if the service sent it.
    pub fn realm(&self) -> Option<&str> {
        self.0.details.as_ref()?.realm.as_deref()
    }

    /// Returns the token's claims, unverified. `None` if they can't be read: profiles' tokens may be encrypted.
    pub fn claims(&self) -> Option<Claims> {
        Claims::decode(self.expose())
    }

    pub(crate) fn details(&self) -> Option<&Details> {
        self.0.details.as_deref()
    }

    pub(crate) fn validity(&self) -> &Validity {
        &self.0.validity
    }

    pub(crate) fn is_live(&self, now: Reading) -> bool {
        !now.reached(self.0.validity.expires_at)
    }
}

/// The longest token, in bytes. A longer one would be refused with each request until it expires.
const LONGEST: usize = 64 * 1024;

const INVALID_CHARACTERS: &str = "its token contains characters that a token can't contain";

/// The reason why `text` can't be a token, if there is one.
fn check_text(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        return Err("the field `token` is empty");
    }
    if text.len() > LONGEST {
        return Err("its token is longer than any server accepts in a header");
    }
    let separates = |byte: u8| b"\"'(),;<>[\\]{}".contains(&byte);
    if text
        .bytes()
        .all(|byte| byte.is_ascii_graphic() && !separates(byte))
    {
        Ok(())
    } else {
        Err(INVALID_CHARACTERS)
    }
}

impl From<Arc<TokenInner>> for Token {
    fn from(inner: Arc<TokenInner>) -> Self {
        Self(inner)
    }
}

impl From<Token> for Arc<TokenInner> {
    fn from(token: Token) -> Self {
        token.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("generation", &self.generation())
            .field("lifetime", &self.lifetime())
            .finish_non_exhaustive()
    }
}
