//! Saves sessions, and goes on with saved ones.

use std::sync::Arc;

use crate::error::{Error, Result};
use crate::lifecycle::Lifecycle;
use crate::observability::Cause;

use super::kind::{Anonymous, Kind, MFA_CHALLENGE, Profile, Resumable, User, WorkspaceUser};
use super::profile_token::ProfileTokenSource;
use super::saved::{Challenge, ExpectedKey, INPUT, Owner, SavedSession};
use super::user::{Device, MfaChallenge, UserLogins, UserTokenSource};
use super::{Context, ProfileLogins, Session};

impl<K: Resumable> Session<K> {
    /// Saves the session as a value, to go on with it in another request or process. It contains the token, so it is a
    /// secret: see [`SavedSession`].
    ///
    /// If there is no valid token, it gets one first, like [`token`](Self::token). After each refresh the session has another
    /// token, so save it again: the old value works until its own token expires.
    ///
    /// A workspace's session can't be saved, and needs no saving: any process with the key has it. A user's session can be
    /// saved until its token expires, because it can't be refreshed. A password that
    /// [`keep_credentials`](super::ProfileLoginRequest::keep_credentials) keeps is not saved.
    ///
    /// ```no_run
    /// # async fn run(profile: synerise_auth::ProfileSession) -> synerise_auth::Result<()> {
    /// let saved = profile.export().await?;
    /// println!("valid until {:?}", saved.expires_at());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails like [`token`](Self::token).
    pub async fn export(&self) -> Result<SavedSession> {
        self.save(K::SAVED_AS, None).await
    }
}

impl<K> Session<K> {
    async fn save(&self, kind: &'static str, challenge: Option<Challenge>) -> Result<SavedSession> {
        let token = self.lifecycle().token().await?;
        let identity = self.lifecycle().identity();
        let owner = Owner {
            kind,
            base_url: self.context.transport.base().as_str(),
            key: identity.key,
            session: identity.session,
            uuid: identity.uuid,
            device_id: identity.device_id,
            user: self.user.as_deref(),
            challenge,
        };
        Ok(SavedSession::new(owner, &token))
    }
}

/// Gives a saved token to a session that has none, or an older one. If the saved token has expired, the session may still
/// have a newer one, or find it in the store.
fn offer(context: &Context, lifecycle: &Lifecycle, saved: &SavedSession, remedy: &'static str) -> Result<()> {
    let now = context.config.clock.now();
    let response = saved.token().response("SavedSession", now);
    // A token that expires between the two is expired as well.
    response
        .and_then(|response| lifecycle.offer(response, saved.generation(), Cause::Resumed).ok())
        .or_else(|| lifecycle.continue_after(saved.generation()).then_some(()))
        .ok_or_else(|| Error::session_expired("the saved session's token has expired", remedy, None))
}

impl ProfileLogins {
    /// Goes on with a customer's session that [`Session::export`] saved. Nothing is sent.
    ///
    /// The session refreshes its token like any other. While one exists in this client, resuming it again returns the same
    /// session with its newest token, so that concurrent requests of one customer cause one refresh. Clients with a
    /// [`TokenStore`](crate::store::TokenStore) share the refresh as well.
    ///
    /// **When the saved token has expired**, another request or replica may have refreshed it since. If this client has the
    /// session with a newer token, it is returned. A client with a store returns a session whose first call asks the
    /// store, and fails with [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when there is no newer token.
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey, cookie: &str) -> synerise_auth::Result<()> {
    /// let profile = client.profile(key).resume(&cookie.parse()?)?;
    /// let account = profile.get("/v4/my-account/personal-information").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when the token has expired, and this client
    /// has neither a newer one nor a store: an expired token can't be refreshed. Returns
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the value belongs to another kind of session, another API key (unless the key is one that can be replaced), or another region or base URL.
    pub fn resume(self, saved: &SavedSession) -> Result<Session<Profile>> {
        saved.check(
            Profile::SAVED_AS,
            self.context.transport.base().as_str(),
            &ExpectedKey::of(self.keys.last_known(), self.keys.is_changeable()),
        )?;
        let session = saved
            .session_id()
            .ok_or_else(|| Error::invalid_input(INPUT, "names no session", "log in again"))?;
        let source = ProfileTokenSource {
            transport: Arc::clone(&self.context.transport),
            keys: self.keys,
            config: Arc::clone(&self.context.config),
            session: session.into(),
            uuid: saved.profile_uuid(),
            device_id: saved.device_id().map(str::to_owned),
            login_again: None,
        };
        let lifecycle = source.lifecycle(&self.context);
        let remedy = "let the customer log in again; to keep a session for longer, save it again after each use, because a \
                      refresh changes its token";
        offer(&self.context, &lifecycle, saved, remedy)?;
        Ok(Session::new(self.context, lifecycle))
    }
}

impl Session<Anonymous> {
    /// Goes on with the visitor's session that [`Session::export`] saved, so that no login is necessary. Nothing is sent.
    ///
    /// If this session has a token that is as new already, it keeps it.
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey, uuid: &str, cookie: &str) -> synerise_auth::Result<()> {
    /// let visitor = client.anonymous(key, uuid).resume(&cookie.parse()?)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when the token has expired, and
    /// [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the value belongs to another kind of session, API
    /// key, region or base URL, UUID or device. The session without it logs in by itself in either case.
    pub fn resume(self, saved: &SavedSession) -> Result<Self> {
        let identity = self.lifecycle().identity();
        saved.check(
            Anonymous::SAVED_AS,
            self.context.transport.base().as_str(),
            &ExpectedKey::of(identity.key, self.lifecycle().has_changeable_key()),
        )?;
        if let Some(uuid) = &identity.uuid {
            saved.check_visitor(identity.session.as_deref(), uuid, identity.device_id.as_deref())?;
        }
        offer(
            &self.context,
            self.lifecycle(),
            saved,
            "use the session without it: a visitor's session logs in by itself",
        )?;
        Ok(self)
    }
}

impl UserLogins {
    /// Goes on with the session of a user who has not selected a workspace, as [`Session::export`] saved it. Nothing is sent.
    ///
    /// # Errors
    /// Returns [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when the token has expired: a user's token
    /// can't be refreshed. Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the value belongs to
    /// another kind of session, region or base URL.
    pub fn resume(self, saved: &SavedSession) -> Result<Session<User>> {
        saved.check(
            User::SAVED_AS,
            self.context.transport.base().as_str(),
            &ExpectedKey::None,
        )?;
        self.resumed(saved)
    }

    /// Goes on with the session of a user in a workspace, as [`Session::export`] saved it. Nothing is sent.
    ///
    /// # Errors
    /// Fails like [`resume`](Self::resume).
    pub fn resume_in_workspace(self, saved: &SavedSession) -> Result<Session<WorkspaceUser>> {
        saved.check(
            WorkspaceUser::SAVED_AS,
            self.context.transport.base().as_str(),
            &ExpectedKey::None,
        )?;
        self.resumed(saved)
    }

    /// Goes on with a login that waits for its second factor, as [`MfaChallenge::export`] saved it: the code arrives in
    /// another request, which another process may serve. Nothing is sent.
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, cookie: &str, code: &str) -> synerise_auth::Result<()> {
    /// use synerise_auth::model::MfaMethod;
    ///
    /// let challenge = client.user().resume_challenge(&cookie.parse()?)?;
    /// let user = challenge.verify(MfaMethod::Totp, code).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails like [`resume`](Self::resume).
    pub fn resume_challenge(self, saved: &SavedSession) -> Result<MfaChallenge> {
        saved.check(
            MFA_CHALLENGE,
            self.context.transport.base().as_str(),
            &ExpectedKey::None,
        )?;
        let challenge = saved.challenge().ok_or_else(|| {
            Error::invalid_input(INPUT, "holds no second factor", "let the user log in again")
        })?;
        let device = Device {
            id: challenge.device_id,
            provider: challenge.provider.zip(challenge.provider_token),
        };
        Ok(MfaChallenge {
            session: self.resumed(saved)?,
            methods: challenge.methods,
            device,
        })
    }

    fn resumed<K: Kind>(self, saved: &SavedSession) -> Result<Session<K>> {
        let config = Arc::clone(&self.context.config);
        let lifecycle = Lifecycle::new(config, Box::new(UserTokenSource { kind: K::NAME }), None);
        offer(
            &self.context,
            &lifecycle,
            saved,
            "let the user log in again, and select the workspace again",
        )?;
        Ok(Session {
            user: saved.user().map(Arc::new),
            ..Session::new(self.context, lifecycle)
        })
    }
}

impl MfaChallenge {
    /// Saves the login as a value, to go on with it in the request that brings the code. It contains the login's token, so
    /// it is a secret: see [`SavedSession`].
    ///
    /// A token of an external identity provider is part of it, because the second factor is sent with it.
    ///
    /// # Errors
    /// Returns [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired) when the login's token has expired.
    pub async fn export(&self) -> Result<SavedSession> {
        let (provider, provider_token) = self.device.provider.clone().unzip();
        let challenge = Challenge {
            methods: self.methods.clone(),
            device_id: self.device.id.clone(),
            provider,
            provider_token,
        };
        self.session.save(MFA_CHALLENGE, Some(challenge)).await
    }
}
