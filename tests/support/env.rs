//! An emulator for each test, a client of it, and a clock that moves only when the test says so.

use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::ManualClock;
use synerise_auth::kind::{Anonymous, Profile, User, Workspace, WorkspaceUser};
use synerise_auth::model::PinConfirmationType;
use synerise_auth::random::FixedRandom;
use synerise_auth::settings::{Pin, Registration};
use synerise_auth::{ApiKey, Client, ClientBuilder, Identity, LoginId, Result, Session, UserLoginOutcome};
use synerise_auth_emulator::{Assumptions, Emulator, EmulatorBuilder};

/// 2026-01-01 00:00 UTC, where both clocks begin.
pub(crate) const START: Duration = Duration::from_secs(1_767_225_600);

/// An endpoint outside of the document, with a stub in every emulator.
pub(crate) const CLIENTS: &str = "GET /v4/clients";

/// A user of the portal without a second factor.
pub(crate) const USER: &str = "user@example.com";
/// A customer with an account.
pub(crate) const CUSTOMER: &str = "jan@example.com";
/// A customer who has none yet.
pub(crate) const NEWCOMER: &str = "new@example.com";
pub(crate) const PASSWORD: &str = "Not-a-real-1";
pub(crate) const VISITOR: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const DEVICE: &str = "device-1";

pub(crate) struct TestEnv {
    pub(crate) emulator: Emulator,
    pub(crate) clock: ManualClock,
    pub(crate) client: Client,
}

impl TestEnv {
    /// Tokens of an hour, each request sent once, no jitter: tokens are refreshed 300 s before they expire.
    pub(crate) async fn new() -> Self {
        Self::build(|emulator| emulator, |client| client).await
    }

    pub(crate) async fn with_lifetime(lifetime: Duration) -> Self {
        Self::with_emulator(|emulator| emulator.token_lifetime(lifetime)).await
    }

    /// With other answers to what Synerise does not publish.
    pub(crate) async fn with_assumptions(assume: impl FnOnce(&mut Assumptions)) -> Self {
        let mut assumptions = Assumptions::default();
        assume(&mut assumptions);
        Self::with_emulator(|emulator| emulator.assumptions(assumptions)).await
    }

    pub(crate) async fn with_emulator(configure: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder) -> Self {
        Self::build(configure, |client| client).await
    }

    pub(crate) async fn with_client(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Self {
        Self::build(|emulator| emulator, configure).await
    }

    async fn build(
        emulator: impl FnOnce(EmulatorBuilder) -> EmulatorBuilder,
        client: impl FnOnce(ClientBuilder) -> ClientBuilder,
    ) -> Self {
        let builder = emulator(Emulator::builder().clock_at(UNIX_EPOCH + START));
        let emulator = builder.start().await.unwrap();
        emulator.stub("GET", "/v4/clients", serde_json::json!({ "data": [] }));
        emulator.add_user(USER, PASSWORD);
        emulator.add_account(CUSTOMER, PASSWORD);
        let clock = ManualClock::at(UNIX_EPOCH + START);
        let client = client(builder_for(&emulator, &clock)).build().unwrap();
        Self {
            emulator,
            clock,
            client,
        }
    }

    /// For one more client of this emulator, configured as the first one is by default.
    pub(crate) fn client_builder(&self) -> ClientBuilder {
        builder_for(&self.emulator, &self.clock)
    }

    /// Time passes, here and at the server.
    pub(crate) fn pass(&self, duration: Duration) {
        self.emulator.clock().advance(duration);
        self.clock.advance(duration);
    }

    pub(crate) fn workspace_key(&self) -> ApiKey {
        ApiKey::new(&self.emulator.workspace().workspace_api_key).unwrap()
    }

    pub(crate) fn profile_key(&self) -> ApiKey {
        ApiKey::new(&self.emulator.workspace().profile_api_key).unwrap()
    }

    pub(crate) fn workspace(&self) -> Session<Workspace> {
        self.client.workspace(self.workspace_key())
    }

    pub(crate) fn visitor(&self) -> Session<Anonymous> {
        self.client.anonymous(self.profile_key(), VISITOR)
    }

    pub(crate) async fn profile(&self) -> Result<Session<Profile>> {
        let access = self.client.profile(self.profile_key());
        access.login(customer(PASSWORD)).await
    }

    pub(crate) async fn user(&self) -> Result<Session<User>> {
        match self.client.user().login(USER, PASSWORD).await? {
            UserLoginOutcome::Complete(user) => Ok(user),
            other @ UserLoginOutcome::MfaRequired(_) => panic!("{other:?}"),
        }
    }

    pub(crate) async fn user_in_workspace(&self) -> Result<Session<WorkspaceUser>> {
        let user = self.user().await?;
        user.select_workspace(self.emulator.workspace().guid.as_str())
            .await
    }

    /// The logins of workspaces.
    pub(crate) fn logins(&self) -> u64 {
        self.emulator.count("workspaceLogin")
    }

    /// The calls of `GET /v4/clients`.
    pub(crate) fn calls(&self) -> u64 {
        self.emulator.count(CLIENTS)
    }

    /// The status of each request to an operation, in order.
    pub(crate) fn statuses(&self, operation: &str) -> Vec<u16> {
        let requests = self.emulator.requests().into_iter();
        requests
            .filter(|request| request.operation == operation)
            .filter_map(|request| request.status)
            .collect()
    }

    /// The PIN, token or code that was last sent to the newcomer.
    pub(crate) fn sent_to_newcomer(&self) -> String {
        self.emulator.last_message(NEWCOMER).unwrap().secret
    }
}

fn builder_for(emulator: &Emulator, clock: &ManualClock) -> ClientBuilder {
    Client::builder()
        .base_url(emulator.base_url())
        .clock(clock.clone())
        .random(FixedRandom(0.0))
        .retry_policy(RetryPolicy::never())
}

/// The customer with an account.
pub(crate) fn customer(password: &str) -> Identity {
    Identity::synerise(LoginId::email(CUSTOMER), password, VISITOR)
}

/// The customer who has to register first.
pub(crate) fn newcomer() -> Identity {
    Identity::synerise(LoginId::email(NEWCOMER), PASSWORD, VISITOR)
}

/// Everybody who registers has to confirm by PIN.
pub(crate) fn pin_for_everyone() -> Registration {
    let pin = Pin::new().with_length(6).with_valid_for(Duration::from_secs(300));
    Registration::Pin(pin.with_required_of(PinConfirmationType::Everyone))
}

impl Drop for TestEnv {
    /// Whatever a test is about: the emulator's own answers were those of the document.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.emulator.violations(), Vec::<String>::new());
        }
    }
}
