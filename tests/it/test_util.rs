//! What programs need for their own tests, and what every public type promises.

use std::sync::Arc;

use synerise_auth::token::TokenProvider;
use synerise_auth::{ErrorKind, Result, Session, Token, WorkspaceSession, kind};

use crate::support::{TestEnv, secs};

/// Code that needs a token, and does not care whose.
struct Gateway(Arc<dyn TokenProvider>);

impl Gateway {
    async fn authorization(&self) -> Result<String> {
        Ok(self.0.token().await?.expose().to_owned())
    }
}

#[tokio::test]
async fn every_session_provides_tokens() {
    let env = TestEnv::new().await;
    let providers: [Arc<dyn TokenProvider>; 5] = [
        Arc::new(env.workspace()),
        Arc::new(env.visitor()),
        Arc::new(env.profile().await.unwrap()),
        Arc::new(env.user().await.unwrap()),
        Arc::new(env.user_in_workspace().await.unwrap()),
    ];
    for provider in providers {
        assert!(!Gateway(provider).authorization().await.unwrap().is_empty());
    }
    let workspace = env.workspace();
    let gateway = Gateway(Arc::new(workspace.clone()));
    let first = gateway.0.token().await.unwrap();
    assert!(
        gateway
            .0
            .allows_url(&format!("{}/v4/clients", env.emulator.base_url()))
    );
    assert!(!gateway.0.allows_url("https://api.synerise.com/v4/clients"));
    assert!(gateway.0.token_refused(&first));
    let second = gateway.0.token().await.unwrap();
    assert_ne!(second.expose(), first.expose());
    assert!(
        gateway.0.token_refused(&first),
        "a late refusal of the token before"
    );
    assert_eq!(gateway.0.token().await.unwrap().generation(), 2);
    assert_eq!(env.logins(), 2);
    assert!(
        !gateway.0.token_refused(&second),
        "the server may refuse every token"
    );
    gateway.0.token_accepted(&second);
    assert!(gateway.0.token_refused(&second), "it does not");
    assert_eq!(gateway.0.token().await.unwrap().generation(), 3);
}

/// A user's token can't be replaced, and endpoints that take no users refuse it as well.
#[tokio::test]
async fn refused_token_of_a_user_is_kept() {
    let env = TestEnv::new().await;
    let user = env.user().await.unwrap();
    let token = user.token().await.unwrap();
    assert!(!user.token_refused(&token));
    assert_eq!(user.token().await.unwrap().generation(), token.generation());
}

#[tokio::test]
async fn fixed_session_needs_no_server() {
    let session = WorkspaceSession::fixed(Token::for_tests("fake-token", secs(60)));
    let gateway = Gateway(Arc::new(session.clone()));
    assert_eq!(gateway.authorization().await.unwrap(), "fake-token");
    assert_eq!(session.token().await.unwrap().header(), "Bearer fake-token");
    assert!(session.status().is_ready());
    session.invalidate();
    let error = session.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
    let error = Session::<kind::Profile>::fixed(Token::for_tests("fake-token", secs(60)))
        .get("/v4/clients")
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connection);
}

fn assert_send_sync<T: Send + Sync>() {}

#[test]
fn every_public_type_is_send_and_sync() {
    use synerise_auth::account::*;
    use synerise_auth::client::*;
    use synerise_auth::clock::*;
    use synerise_auth::error::*;
    use synerise_auth::lifecycle::*;
    use synerise_auth::model::*;
    use synerise_auth::random::*;
    use synerise_auth::session::*;
    use synerise_auth::settings::*;
    use synerise_auth::store::*;
    use synerise_auth::token::*;
    use synerise_auth::usage::*;
    use synerise_auth::{ApiKey, Region, Secret, Visitor, raw};

    macro_rules! all {
        ($($name:ty),+ $(,)?) => { $(assert_send_sync::<$name>();)+ };
    }
    all![
        Client,
        ClientBuilder,
        RetryPolicy,
        ApiKey,
        Secret,
        Region,
        Visitor,
        SystemClock,
        ManualClock,
        Reading,
        SleepPurpose,
        SystemRandom,
        FixedRandom,
        Error,
        ErrorKind,
        ApiError,
        FieldError,
        ActivationMethod,
        RefreshPolicy,
        KeepAlive,
        Status,
        TokenState,
        Event,
        Events,
        Identity,
        LoginId,
        ProfileUuid,
        Agreements,
        Attributes,
        UserInfo,
        WorkspaceSummary,
        WorkspaceDetails,
        WorkspaceRestrictions,
        TrackerKey,
        TokenOrigin,
        MfaMethod,
        ConditionalLoginStatus,
        Session<kind::Workspace>,
        Session<kind::Profile>,
        Session<kind::Anonymous>,
        Session<kind::User>,
        Session<kind::WorkspaceUser>,
        Request<'static>,
        Response,
        PermissionCheck,
        SavedSession,
        ProfileLogins,
        ProfileLoginRequest<login_mode::Direct>,
        ProfileLoginRequest<login_mode::Conditional>,
        ProfileLoginRequest<login_mode::ServerSide>,
        ConditionalLoginOutcome,
        UserLogins,
        UserLoginRequest,
        UserLoginOutcome,
        MfaChallenge,
        MemoryStore,
        StoredToken,
        StoreKey,
        StoreError,
        Saved,
        Token,
        Claims,
        UsageQuery,
        DailyUsage,
        NewDataPoints,
        RetentionDataPoints,
        raw::Client,
        raw::ClientState,
        raw::Operation,
        raw::Call<'static, ()>,
        raw::ResponseValue<()>,
    ];
    all![
        AccountDevice,
        NewAccount,
        Pin,
        Registration,
        ProfileSettings,
        IpPolicy,
        Change,
        ProfileSettingsApi<'static, kind::Workspace>,
        IpPolicyApi<'static, kind::Workspace>
    ];
}
