//! A Synerise of its own for each test, with somebody of every kind to call it as.

use std::time::{Duration, UNIX_EPOCH};

use synerise_auth::clock::ManualClock;
use synerise_auth::random::FixedRandom;
use synerise_auth::{
    Anonymous, ApiKey, Client, Identity, LoginId, Pin, PinConfirmationType, Profile, Registration, Result,
    RetryPolicy, Session, User, UserLogin, Workspace, WorkspaceUser,
};
use synerise_auth_emulator::{Assumptions, Emulator};

/// Where both clocks begin.
const START: Duration = Duration::from_secs(1_767_225_600);

pub(crate) const USER: &str = "user@example.com";
pub(crate) const CUSTOMER: &str = "jan@example.com";
pub(crate) const PASSWORD: &str = "Not-a-real-1";
pub(crate) const VISITOR: &str = "00000000-0000-4000-8000-000000000001";
pub(crate) const DEVICE: &str = "device-1";

pub(crate) struct Scene {
    pub(crate) emulator: Emulator,
    pub(crate) client: Client,
    clock: ManualClock,
}

impl Scene {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    /// With other answers to what Synerise does not publish.
    pub(crate) async fn with(choose: impl FnOnce(&mut Assumptions)) -> Self {
        let mut choices = Assumptions::default();
        choose(&mut choices);
        let emulator = Emulator::builder()
            .clock_at(UNIX_EPOCH + START)
            .assumptions(choices)
            .start()
            .await
            .unwrap();
        emulator.add_user(USER, PASSWORD);
        emulator.add_account(CUSTOMER, PASSWORD);
        let clock = ManualClock::at(START);
        let client = Client::builder()
            .base_url(emulator.base_url())
            .clock(clock.clone())
            .random(FixedRandom(0.0))
            .retry(RetryPolicy::never())
            .build()
            .unwrap();
        Self {
            emulator,
            client,
            clock,
        }
    }

    /// Time passes, here and at the server.
    pub(crate) fn pass(&self, duration: Duration) {
        self.emulator.clock().advance(duration);
        self.clock.advance(duration);
    }

    pub(crate) fn workspace_key(&self) -> ApiKey {
        ApiKey::new(self.emulator.workspace_api_key()).unwrap()
    }

    pub(crate) fn profile_key(&self) -> ApiKey {
        ApiKey::new(self.emulator.profile_api_key()).unwrap()
    }

    pub(crate) fn workspace(&self) -> Session<Workspace> {
        self.client.workspace(self.workspace_key())
    }

    pub(crate) fn visitor(&self) -> Session<Anonymous> {
        self.client.anonymous(self.profile_key(), VISITOR)
    }

    pub(crate) async fn profile(&self) -> Result<Session<Profile>> {
        self.client
            .profile(self.profile_key())
            .login(customer(PASSWORD))
            .await
    }

    pub(crate) async fn user(&self) -> Result<Session<User>> {
        match self.client.user().login(USER, PASSWORD).await? {
            UserLogin::Complete(user) => Ok(user),
            other @ UserLogin::MfaRequired(_) => panic!("{other:?}"),
        }
    }

    pub(crate) async fn user_in_workspace(&self) -> Result<Session<WorkspaceUser>> {
        self.user()
            .await?
            .select_workspace(self.emulator.workspace_guid())
            .await
    }

    /// The status of each request to an operation, in their order.
    pub(crate) fn statuses(&self, operation: &str) -> Vec<u16> {
        let requests = self.emulator.requests().into_iter();
        requests
            .filter(|request| request.operation == operation)
            .filter_map(|request| request.status)
            .collect()
    }
}

/// The customer that every scene has.
pub(crate) fn customer(password: &str) -> Identity {
    Identity::synerise(LoginId::email(CUSTOMER), password, VISITOR)
}

/// Everybody who registers has to confirm by PIN.
pub(crate) fn pin_for_everyone() -> Registration {
    let mut pin = Pin::default();
    pin.length = Some(6);
    pin.valid_for = Some(Duration::from_secs(300));
    pin.required_of = Some(PinConfirmationType::Everyone);
    Registration::Pin(pin)
}

impl Drop for Scene {
    /// Whatever a test is about: the emulator's own answers were those of the document.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.emulator.violations(), Vec::<String>::new());
        }
    }
}
