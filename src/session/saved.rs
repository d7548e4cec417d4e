//! A session as a value that outlives its process.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::error::{Error, Result};
use crate::lifecycle::MOST_GENERATIONS;
use crate::model::{ConsumerType, ExternalProviderType, MfaMethod, ProfileUuid, TokenOrigin, UserInfo};
use crate::secret::{Secret, wire};
use crate::token::{Details, SavedToken, Token};

use super::kind;

/// The format that this version writes, and the only one that it reads.
const VERSION: u32 = 1;

/// Longer than any session with the longest token that a header can carry.
const LONGEST: usize = 64 * 1024;

/// A session as a value, to go on with it in another request, in another process, or after a restart.
///
/// [`Session::export`](crate::Session::export) and [`MfaChallenge::export`](super::MfaChallenge::export) create it. It holds
/// the token, its lifetime by the wall clock, and what the session belongs to: the server, a fingerprint of the API key, the
/// profile's UUID and device. It never holds an API key or a password.
///
/// **It is a secret.** Whoever has it can act as the session's owner until the token expires, and refresh it. With a client
/// that has a token store, even an expired value leads to the session's newest token, until the owner logs out. Keep it in a
/// store on your server, or in an encrypted cookie. For that reason it has no `Serialize`: [`to_secret`](Self::to_secret)
/// writes it out, and [`FromStr`] reads it. Its memory is wiped when it is dropped, and `Debug` shows neither the token nor
/// who it belongs to.
///
/// ```no_run
/// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey, profile: synerise_auth::ProfileSession) -> synerise_auth::Result<()> {
/// use synerise_auth::session::SavedSession;
///
/// let text = profile.export().await?.to_secret(); // into an encrypted cookie, say: `text.expose()`
///
/// // In the next request, perhaps in another process:
/// let saved: SavedSession = text.expose().parse()?;
/// let profile = client.profile(key).resume(&saved)?;
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct SavedSession(Box<Contents>);

/// What is written out.
#[derive(Clone, Serialize, Deserialize)]
struct Contents {
    v: u32,
    kind: String,
    base_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<String>,
    #[serde(serialize_with = "wire::reveal")]
    token: Secret,
    generation: u64,
    /// In milliseconds since the epoch, like the next one.
    issued_at: u64,
    expires_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uuid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    device_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    profile_id: Option<i64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    custom_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    origin: Option<TokenOrigin>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    realm: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<User>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    challenge: Option<Challenge>,
}

#[derive(Clone, Serialize, Deserialize)]
struct User(#[serde(with = "UserFields")] UserInfo);

/// How a user is written, which the user's own type does not say: what it has is personal.
#[derive(Serialize, Deserialize)]
#[serde(remote = "UserInfo")]
struct UserFields {
    kind: Option<ConsumerType>,
    id: Option<i64>,
    name: Option<String>,
    workspace_id: Option<i64>,
    authorities: Vec<String>,
    roles: Option<String>,
}

/// What a login that waits for its second factor holds besides its token.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Challenge {
    pub(super) methods: Vec<MfaMethod>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) device_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) provider: Option<ExternalProviderType>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        serialize_with = "wire::reveal_option"
    )]
    pub(super) provider_token: Option<Secret>,
}

/// Whom a session belongs to.
pub(super) struct Owner<'a> {
    pub(super) kind: &'static str,
    pub(super) base_url: &'a str,
    pub(super) key: Option<ApiKey>,
    /// What identifies the session itself, over all of its tokens.
    pub(super) session: Option<String>,
    pub(super) uuid: Option<ProfileUuid>,
    pub(super) device_id: Option<String>,
    pub(super) user: Option<&'a UserInfo>,
    pub(super) challenge: Option<Challenge>,
}

/// The API key that a saved session has to belong to.
pub(super) enum ExpectedKey {
    /// None: sessions of users have no key.
    None,
    This(ApiKey),
    /// Any: the key may have been replaced since.
    Any,
}

impl ExpectedKey {
    /// Any key, if it can be replaced.
    pub(super) fn of(key: Option<ApiKey>, changeable: bool) -> Self {
        match key {
            _ if changeable => Self::Any,
            Some(key) => Self::This(key),
            None => Self::None,
        }
    }

    fn is(&self, fingerprint: Option<&str>) -> bool {
        match self {
            Self::None => fingerprint.is_none(),
            Self::This(key) => fingerprint == Some(&*key.long_fingerprint()),
            Self::Any => fingerprint.is_some(),
        }
    }
}

impl SavedSession {
    pub(super) fn new(owner: Owner<'_>, token: &Token) -> Self {
        let details = token.details().cloned().unwrap_or_default();
        let validity = token.validity();
        Self(Box::new(Contents {
            v: VERSION,
            kind: owner.kind.to_owned(),
            base_url: owner.base_url.to_owned(),
            key: owner.key.as_ref().map(ApiKey::long_fingerprint),
            session: owner.session,
            token: Secret::new(token.expose()),
            generation: token.generation(),
            issued_at: milliseconds(validity.issued_at.wall),
            expires_at: milliseconds(validity.expires_at.wall),
            uuid: token
                .profile_uuid()
                .or(owner.uuid)
                .map(|uuid| uuid.as_str().to_owned()),
            device_id: owner.device_id,
            profile_id: details.profile_id,
            custom_id: details.custom_id,
            origin: details.origin,
            realm: details.realm,
            user: owner.user.cloned().map(User),
            challenge: owner.challenge,
        }))
    }

    /// Writes the session out, as a text that [`FromStr`] reads. The text is the secret itself: see
    /// [`SavedSession`].
    ///
    /// It contains the format's version. A later version of this crate may refuse a text of this one; let the owner log in
    /// again then.
    pub fn to_secret(&self) -> Secret {
        // Large enough to never grow, which would leave a copy behind.
        let mut text = Zeroizing::new(Vec::with_capacity(
            LONGEST.min(1024 + 8 * self.0.token.expose().len()),
        ));
        match serde_json::to_writer(&mut *text, &self.0) {
            Ok(()) => Secret::new(String::from_utf8_lossy(&text)),
            // Texts and numbers can always be written to memory.
            Err(_) => Secret::new(""),
        }
    }

    /// Returns when the token expires, by the wall clock of the process that saved it. A store can drop it then.
    pub fn expires_at(&self) -> SystemTime {
        UNIX_EPOCH
            .checked_add(Duration::from_millis(self.0.expires_at))
            .unwrap_or(UNIX_EPOCH)
    }

    /// Returns the number of the token in its session. Of two values of one session, the one with the higher number is
    /// newer.
    pub fn generation(&self) -> u64 {
        self.0.generation
    }

    /// Returns the UUID of the profile that the session belongs to, as far as it is known.
    pub fn profile_uuid(&self) -> Option<ProfileUuid> {
        self.0.uuid.as_deref().map(ProfileUuid::from)
    }

    /// Returns the device that the session was started on, if the login named it.
    pub fn device_id(&self) -> Option<&str> {
        self.0.device_id.as_deref()
    }

    /// Refuses a session of another kind, server or API key.
    pub(super) fn check(&self, kind: &'static str, base_url: &str, key: &ExpectedKey) -> Result<()> {
        let contents = &self.0;
        let differs = if contents.kind != kind {
            Some((
                "is of another kind of session",
                "resume it with the method that belongs to its kind",
            ))
        } else if contents.base_url != base_url {
            Some((
                "belongs to another region or base URL",
                "resume it with a client of the region or base URL that it was saved with",
            ))
        } else if !key.is(contents.key.as_deref()) {
            Some((
                "belongs to another API key",
                "resume it with the key of its login; after a change of keys, log in again",
            ))
        } else {
            None
        };
        differs.map_or(Ok(()), |(problem, remedy)| {
            Err(Error::invalid_input(INPUT, problem, remedy))
        })
    }

    /// Refuses the session of another visitor.
    pub(super) fn check_visitor(
        &self,
        visit: Option<&str>,
        uuid: &ProfileUuid,
        device_id: Option<&str>,
    ) -> Result<()> {
        let problem = if self.session_id() != visit {
            "belongs to a visit of another kind (anonymous or incognito)"
        } else if self.0.uuid.as_deref() != Some(uuid.as_str()) {
            "belongs to another UUID"
        } else if self.0.device_id.as_deref() != device_id {
            "belongs to another device"
        } else {
            return Ok(());
        };
        Err(Error::invalid_input(
            INPUT,
            problem,
            "drop it: this visitor's session logs in by itself",
        ))
    }

    pub(super) fn session_id(&self) -> Option<&str> {
        self.0.session.as_deref()
    }

    pub(super) fn challenge(&self) -> Option<Challenge> {
        self.0.challenge.clone()
    }

    pub(super) fn user(&self) -> Option<UserInfo> {
        self.0.user.clone().map(|User(user)| user)
    }

    pub(super) fn token(&self) -> SavedToken {
        let contents = &self.0;
        SavedToken {
            token: contents.token.clone(),
            issued_at: Duration::from_millis(contents.issued_at),
            expires_at: Duration::from_millis(contents.expires_at),
            details: Some(Box::new(Details {
                origin: contents.origin.clone(),
                custom_id: contents.custom_id.clone(),
                realm: contents.realm.clone(),
                profile_id: contents.profile_id,
                profile_uuid: self.profile_uuid(),
            })),
        }
    }
}

/// What the errors call it.
pub(super) const INPUT: &str = "saved session";

impl FromStr for SavedSession {
    type Err = Error;

    /// Reads what [`to_secret`](SavedSession::to_secret) wrote.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the text is not a saved session, or was
    /// written in the format of another version.
    fn from_str(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            v: u32,
        }
        let refused = || {
            Error::invalid_input(
                INPUT,
                "can't be read",
                "check where it was kept (the text has to come back unchanged), or log in again",
            )
        };
        if text.len() > LONGEST {
            return Err(refused());
        }
        // serde's own errors quote values, so they are not shown.
        let Version { v } = serde_json::from_str(text).map_err(|_| refused())?;
        if v != VERSION {
            return Err(Error::invalid_input(
                INPUT,
                format!("has the format {v} of another version, and this one reads the format {VERSION}"),
                "log in again",
            ));
        }
        let contents: Contents = serde_json::from_str(text).map_err(|_| refused())?;
        let saved = Self(Box::new(contents));
        if saved.is_sound() {
            Ok(saved)
        } else {
            Err(refused())
        }
    }
}

impl SavedSession {
    /// Whether the values are ones that this crate writes.
    fn is_sound(&self) -> bool {
        let contents = &self.0;
        let claimed = self.token().claimed_uuid();
        (1..=MOST_GENERATIONS).contains(&contents.generation)
            && contents.issued_at < contents.expires_at
            && self.token().is_exact()
            // A token of another profile than the one that the value names is a mix of two sessions.
            && (claimed.is_none() || claimed == self.profile_uuid())
            && (contents.kind != kind::MFA_CHALLENGE || contents.challenge.is_some())
    }
}

/// Shows neither the token nor whom it belongs to.
impl fmt::Debug for SavedSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SavedSession")
            .field("generation", &self.generation())
            .field("expires_at", &self.expires_at())
            .finish_non_exhaustive()
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Everything that is done to a value before its token is served.
#[cfg(fuzzing)]
pub(crate) fn judge(saved: &SavedSession, now: crate::clock::Reading) {
    let _ = saved.check("profile", "https://api.synerise.com", &ExpectedKey::None);
    let _ = saved.check_visitor(None, &ProfileUuid::from("u-1"), None);
    let _ = (
        saved.user(),
        saved.challenge().map(|challenge| challenge.methods.len()),
    );
    if let Some(response) = saved.token().response("SavedSession", now) {
        assert!(response.lifetime(Duration::MAX).is_ok());
    }
}
