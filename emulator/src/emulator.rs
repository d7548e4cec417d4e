//! The handle that a test holds.

mod test_data;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::http::Method;
use serde_json::Value;

use crate::builder::EmulatorBuilder;
use crate::clock::{EmulatorClock, unix_seconds};
use crate::fault_script::Faults;
use crate::fixtures::{Fixtures, UserFixture, WorkspaceFixture};
use crate::log::RecordedRequest;
use crate::operations;
use crate::outbox::Message;
use crate::pipeline::Shared;
use crate::server::Server;
use crate::state::users::SecondFactor;
use crate::sync::lock;

/// A running Synerise authentication server. It stops when it is dropped.
///
/// It starts with one workspace, which has a key of each kind with every permission, and one user, who belongs to it
/// and needs a TOTP code to log in.
pub struct Emulator {
    server: Server,
    base_url: String,
    pub(crate) shared: Arc<Shared>,
    fixtures: Fixtures,
}

// Its state is long and full of secrets.
impl std::fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Emulator")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// An emulator to be.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// An emulator with every default: `Emulator::builder().start()`.
    ///
    /// # Errors
    /// As [`EmulatorBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    pub(crate) fn new(server: Server, shared: Arc<Shared>, fixtures: Fixtures) -> Self {
        let base_url = format!("http://{}", server.address);
        Self {
            server,
            base_url,
            shared,
            fixtures,
        }
    }

    /// Where the emulator listens, as a URL without a slash at its end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Where the emulator listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// The workspace that the emulator started with.
    pub fn workspace(&self) -> &WorkspaceFixture {
        &self.fixtures.workspace
    }

    /// The GUID of the workspace that the emulator started with.
    pub fn workspace_guid(&self) -> &str {
        &self.fixtures.workspace.guid
    }

    /// The workspace API key of that workspace, with every permission.
    pub fn workspace_api_key(&self) -> &str {
        &self.fixtures.workspace.workspace_api_key
    }

    /// The profile API key of that workspace, with every permission.
    pub fn profile_api_key(&self) -> &str {
        &self.fixtures.workspace.profile_api_key
    }

    /// The tracker key of that workspace.
    pub fn tracker_key(&self) -> &str {
        &self.fixtures.workspace.tracker_key
    }

    /// The user that the emulator started with.
    pub fn user(&self) -> &UserFixture {
        &self.fixtures.user
    }

    /// The code that the user's authenticator shows now, by the emulator's clock. A code is taken once: to log in
    /// again, advance the clock by its 30 seconds.
    pub fn totp_code(&self) -> String {
        self.totp_code_of(&self.fixtures.user.username)
            .unwrap_or_default()
    }

    /// The code that this user's authenticator shows now; `None` for a user who has none.
    pub fn totp_code_of(&self, username: &str) -> Option<String> {
        let now = unix_seconds(self.clock().now());
        let state = lock(&self.shared.state);
        match &state
            .users
            .iter()
            .find(|user| user.username == username)?
            .second_factor
        {
            SecondFactor::Totp(totp) => Some(totp.generate(now).to_string()),
            SecondFactor::None | SecondFactor::Email => None,
        }
    }

    /// The clock that everything goes by.
    pub fn clock(&self) -> &EmulatorClock {
        &self.shared.clock
    }

    /// What is to go wrong, by operation.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Answers `METHOD path` with this JSON and status 200 to the bearer of any token that is good, and 401 to others:
    /// a stand-in for the rest of Synerise. Counters and faults know it as `METHOD /path`.
    ///
    /// # Panics
    /// If the method is none, or the path does not start with `/`.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a test's typo must fail that test, not pass in silence"
    )]
    pub fn stub(&self, method: &str, path: &str, answer: Value) {
        let Ok(method) = Method::from_bytes(method.as_bytes()) else {
            panic!("{method:?} is no method")
        };
        assert!(path.starts_with('/'), "the path {path:?} must start with /");
        lock(&self.shared.stubs).insert(format!("{method} {path}"), answer);
    }

    /// How many requests reached this operation, those that met a fault included.
    ///
    /// # Panics
    /// If the document has no operation of that id; `METHOD /path` counts a path outside the document.
    #[track_caller]
    pub fn count(&self, operation: &str) -> u64 {
        operations::assert_known(operation);
        self.shared.log.count(operation)
    }

    /// Every request, in the order of arrival, without secrets.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.log.all()
    }

    /// Empties the log: counters start from nothing.
    pub fn forget_requests(&self) {
        self.shared.log.clear();
    }

    /// Where the emulator's own answers depart from the document. Always empty, unless the emulator has a bug or a
    /// [choice](crate::Assumptions) asks for such an answer; scripted faults do not count.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.violations).clone()
    }

    /// Every e-mail that would have been sent, oldest first.
    pub fn outbox(&self) -> Vec<Message> {
        lock(&self.shared.state).outbox.clone()
    }

    /// The last e-mail to this address.
    pub fn last_message(&self, to: &str) -> Option<Message> {
        lock(&self.shared.state)
            .outbox
            .iter()
            .rfind(|message| message.to == to)
            .cloned()
    }

    /// Revokes every token that was issued so far: each is answered 401 from now on.
    pub fn revoke_tokens(&self) {
        lock(&self.shared.state).tokens.revoke_where(|_| true);
    }

    /// Revokes one token. False if it was not issued here or is revoked already.
    pub fn revoke_token(&self, token: &str) -> bool {
        lock(&self.shared.state).tokens.revoke(token)
    }

    /// How many tokens were issued.
    pub fn tokens_issued(&self) -> u64 {
        lock(&self.shared.state).tokens.issued()
    }

    /// Signs with another key from now on, and publishes that one. Tokens of the former key are answered 401, as
    /// nothing published verifies them.
    pub fn rotate_signing_key(&self) {
        lock(&self.shared.state).tokens.rotate_key();
    }

    /// The published key, as `GET /v4/public.pem` answers it.
    pub fn public_key_pem(&self) -> &'static str {
        lock(&self.shared.state).tokens.public_key_pem()
    }
}
