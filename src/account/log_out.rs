//! The end of a customer's sessions: by the customer, or by a backend.

use std::fmt;
use std::future::IntoFuture;

use crate::bindings::types;
use crate::error::Result;
use crate::lifecycle::EndCause;
use crate::model::LogoutAction;
use crate::session::Session;
use crate::session::authentication::{Authentication, Tokens};
use crate::session::kind::{Customer, Kind, WorkspaceAdmin};
use crate::transport::BoxFuture;

impl<K: Customer> Session<K> {
    /// Logs the customer out **on all devices**. The log-out is sent when the returned value is awaited.
    ///
    /// Afterwards this session has ended, with all its clones. [`token`](Self::token) and every request fail with
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired), subscribers get
    /// [`Event::Ended`](crate::lifecycle::Event::Ended) once, and [`keep_alive`](Self::keep_alive) stops. The token is not
    /// sent again, and a refresh or login that is under way does not revive the session. Requests that are under way keep
    /// their results. For a visitor, [`Client::anonymous`](crate::Client::anonymous) then returns a new session.
    ///
    /// To log out on this device only, drop the session: Synerise's own apps send nothing for that either.
    ///
    /// Operation [`logOut`](crate::raw::Client::log_out) (`POST /sauth/v3/my-account/logout`, observed). The API key needs the permission
    /// `SAUTH_LOGOUT_CLIENT_CREATE`.
    ///
    /// ```no_run
    /// # async fn run(profile: synerise_auth::ProfileSession) -> synerise_auth::Result<()> {
    /// profile.log_out().await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request). The session then goes on, unless the error is
    /// [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired): then it had ended already.
    pub fn log_out(&self) -> LogOutRequest<'_, K> {
        LogOutRequest {
            session: self,
            action: LogoutAction::Logout,
        }
    }
}

/// A log-out under construction. Await it to send it.
#[must_use = "a log-out does nothing until it is awaited"]
pub struct LogOutRequest<'a, K> {
    session: &'a Session<K>,
    action: LogoutAction,
}

impl<K> LogOutRequest<'_, K> {
    /// Clears the sessions on the other devices as well. Synerise's own apps then also give up the visitor's session and
    /// UUID that they had before the login.
    pub fn clear_sessions(mut self) -> Self {
        self.action = LogoutAction::LogoutWithSessionClearing;
        self
    }
}

impl<'a, K: Customer> IntoFuture for LogOutRequest<'a, K> {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'a, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let body = types::LogoutRequest { action: self.action };
            self.session.raw().log_out(&body).response().await?;
            self.session.end(EndCause::LoggedOut).await;
            Ok(())
        })
    }
}

impl<K> fmt::Debug for LogOutRequest<'_, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogOutRequest")
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}

impl<K: WorkspaceAdmin, A: Authentication> Session<K, A> {
    /// Logs a customer out **on all devices**, from a backend. The log-out is sent when the returned value is awaited.
    ///
    /// `profile_id` is Synerise's numeric id of the profile: [`Token::profile_id`](crate::Token::profile_id) of the
    /// customer's session, or the `clientId` of Synerise's other endpoints. The customer's tokens are refused for the rest
    /// of their lifetime.
    ///
    /// Operation [`logOutProfile`](crate::raw::Client::log_out_profile) (`POST /sauth/management/client/{clientID}/logout`; the beginning of the path was inferred:
    /// see [`ClientBuilder::operation_path`](crate::ClientBuilder::operation_path)).
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
    /// workspace.log_out_profile(433_230_297).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request).
    pub fn log_out_profile(&self, profile_id: i64) -> ProfileLogOutRequest<'_, K, A> {
        ProfileLogOutRequest {
            session: self,
            profile_id,
            action: LogoutAction::Logout,
        }
    }
}

/// A log-out of a customer by a backend, under construction. Await it to send it.
#[must_use = "a log-out does nothing until it is awaited"]
pub struct ProfileLogOutRequest<'a, K, A = Tokens> {
    session: &'a Session<K, A>,
    profile_id: i64,
    action: LogoutAction,
}

impl<K, A> ProfileLogOutRequest<'_, K, A> {
    /// Clears the sessions on the customer's devices as well, as [`LogOutRequest::clear_sessions`] does.
    pub fn clear_sessions(mut self) -> Self {
        self.action = LogoutAction::LogoutWithSessionClearing;
        self
    }
}

impl<'a, K: Kind, A: Authentication> IntoFuture for ProfileLogOutRequest<'a, K, A> {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'a, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let body = types::LogoutRequest { action: self.action };
            let id = self.profile_id.to_string();
            let raw = self.session.raw();
            raw.log_out_profile(&id, &body).response().await.map(drop)
        })
    }
}

impl<K, A> fmt::Debug for ProfileLogOutRequest<'_, K, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProfileLogOutRequest")
            .field("profile_id", &self.profile_id)
            .field("action", &self.action)
            .finish_non_exhaustive()
    }
}
