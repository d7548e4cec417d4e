//! The handle through which a test controls the emulator.

mod test_data;

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

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
use crate::stub::Stub;
use crate::sync::lock;

/// A running Synerise authentication server. It stops when it is dropped.
///
/// It starts with one workspace, with a key of each kind that has every permission, and one user of that workspace, who
/// needs a TOTP code to log in.
pub struct Emulator {
    server: Server,
    base_url: String,
    pub(crate) shared: Arc<Shared>,
    fixtures: Fixtures,
}

// The state is long and contains secrets.
impl std::fmt::Debug for Emulator {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Emulator")
            .field("base_url", &self.base_url)
            .finish_non_exhaustive()
    }
}

impl Emulator {
    /// Starts configuring an emulator.
    pub fn builder() -> EmulatorBuilder {
        EmulatorBuilder::new()
    }

    /// Starts an emulator with the default configuration, like `Emulator::builder().start()`.
    ///
    /// # Errors
    /// Fails like [`EmulatorBuilder::start`].
    pub async fn start() -> io::Result<Self> {
        Self::builder().start().await
    }

    pub(crate) fn new(server: Server, shared: Arc<Shared>, fixtures: Fixtures) -> Self {
        let base_url = format!("http://{}", callable(server.address));
        Self {
            server,
            base_url,
            shared,
            fixtures,
        }
    }

    /// Returns the URL to call the emulator at, without a trailing slash. If it listens on every address of the machine,
    /// this is the loopback address.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// Returns the address that the emulator listens on.
    pub fn address(&self) -> SocketAddr {
        self.server.address
    }

    /// Returns the workspace that the emulator started with, and its keys.
    pub fn workspace(&self) -> &WorkspaceFixture {
        &self.fixtures.workspace
    }

    /// Returns the user that the emulator started with.
    pub fn user(&self) -> &UserFixture {
        &self.fixtures.user
    }

    /// Returns the code that the user's authenticator shows now, by the emulator's clock. A code is accepted once: to log
    /// in again, advance the clock by 30 seconds.
    pub fn totp_code(&self) -> String {
        self.totp_code_of(&self.fixtures.user.username)
            .unwrap_or_default()
    }

    /// Returns the code that this user's authenticator shows now. `None` for a user without one.
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

    /// Returns the clock that the emulator uses for everything.
    pub fn clock(&self) -> &EmulatorClock {
        &self.shared.clock
    }

    /// Returns the faults, to script them by operation.
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// Adds an endpoint that is not in the document, to stand in for the rest of Synerise. It responds with this JSON and
    /// status 200 (or as the [`Stub`] says) to callers with a valid token or Basic credential, and with 401 to all others.
    ///
    /// A path segment in braces, as in `/v4/clients/{id}`, stands for any segment. Counters and faults know the
    /// endpoint as `METHOD /path`, with the path as it is given here. A later stub of the same path replaces it.
    ///
    /// # Panics
    /// If no request could reach it: the method or the path is not valid, or the document has such an operation.
    #[track_caller]
    #[expect(clippy::panic, reason = "a typing error in a test must fail that test")]
    pub fn stub(&self, method: &str, path: &str, stub: impl Into<Stub>) {
        let added = lock(&self.shared.stubs).add(method, path, stub.into(), &self.shared.assumptions);
        if let Err(message) = added {
            panic!("{message}");
        }
    }

    /// Returns how many requests reached this operation, including those that met a fault. `METHOD /path` counts a path
    /// that is not in the document.
    ///
    /// # Panics
    /// If the document has no operation with that id.
    #[track_caller]
    pub fn count(&self, operation: &str) -> u64 {
        operations::assert_known(operation);
        self.shared.log.count(operation)
    }

    /// Waits until this many requests have reached this operation, as [`count`](Self::count) counts them.
    ///
    /// # Panics
    /// If the document has no operation with that id.
    pub async fn wait_for_count(&self, operation: &str, requests: u64) {
        operations::assert_known(operation);
        self.shared.log.wait_for(operation, requests).await;
    }

    /// Returns every request, in the order of arrival, with secrets redacted.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.shared.log.all()
    }

    /// Empties the log. Counters start again from zero.
    pub fn forget_requests(&self) {
        self.shared.log.clear();
    }

    /// Returns the emulator's own responses that do not fit the document. It is always empty, unless the emulator has a bug
    /// or an [assumption](crate::Assumptions) asks for such a response. Scripted faults do not count.
    pub fn violations(&self) -> Vec<String> {
        lock(&self.shared.violations).clone()
    }

    /// Returns every e-mail that a real service would have sent, oldest first.
    pub fn outbox(&self) -> Vec<Message> {
        lock(&self.shared.state).outbox.clone()
    }

    /// Returns the last e-mail to this address, for example with the code of a login:
    ///
    /// ```
    /// use serde_json::json;
    /// use synerise_auth_emulator::{Emulator, MessageKind};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let emulator = Emulator::start().await?;
    /// emulator.add_user_with_email_codes("ewa@example.com", "Fake-Passw0rd!");
    /// let login = reqwest::Client::new().post(format!("{}/uauth/auth/login/user", emulator.base_url()));
    /// let body = json!({ "username": "ewa@example.com", "password": "Fake-Passw0rd!" });
    /// login.json(&body).send().await?.error_for_status()?;
    /// let message = emulator.last_message("ewa@example.com").ok_or("no message")?;
    /// assert_eq!((message.kind, message.secret.len()), (MessageKind::LoginCode, 6));
    /// # Ok(())
    /// # }
    /// ```
    pub fn last_message(&self, to: &str) -> Option<Message> {
        lock(&self.shared.state)
            .outbox
            .iter()
            .rfind(|message| message.to == to)
            .cloned()
    }

    /// Revokes every token that was issued so far. A request with one of them gets 401.
    pub fn revoke_tokens(&self) {
        lock(&self.shared.state).tokens.revoke_where(|_| true);
    }

    /// Revokes one token. Returns false if this emulator did not issue it, or if it is already revoked.
    pub fn revoke_token(&self, token: &str) -> bool {
        lock(&self.shared.state).tokens.revoke(token)
    }

    /// Returns how many tokens were issued.
    pub fn tokens_issued(&self) -> u64 {
        lock(&self.shared.state).tokens.issued()
    }

    /// Signs with another key from now on, and publishes that one. Tokens of the old key get 401, because no published key
    /// verifies them.
    pub fn rotate_signing_key(&self) {
        lock(&self.shared.state).tokens.rotate_key();
    }

    /// Returns the published key, as `GET /v4/public.pem` returns it.
    pub fn public_key_pem(&self) -> &'static str {
        lock(&self.shared.state).tokens.public_key_pem()
    }
}

/// The address to call for a server that listens on `address`.
fn callable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip().to_canonical() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}
