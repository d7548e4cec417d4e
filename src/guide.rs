//! Guides: how to do a whole thing, from the first line to its failures. Their code is compiled and run by the crate's tests.
//!
//! Only in the documentation: nothing of this is in a program. The texts are in the repository's folder `docs/`. To run their code in a
//! project of your own:
//!
//! ```toml
//! [dependencies]
//! serde_json = "1"
//! # Not on the registry yet: with a checkout beside your project.
//! synerise-auth = { path = "../synerise-auth", features = ["test-util", "verify"] }
//! synerise-auth-emulator = { path = "../synerise-auth/emulator", default-features = false } # usually a dev-dependency
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use synerise_auth::{ApiKey, Client};
//! use synerise_auth_emulator::Emulator;
//!
//! // Most pages begin like this: against the emulator, which needs no account.
//! let emulator = Emulator::start().await?;
//! let client = Client::builder().base_url(emulator.base_url()).build()?;
//! let workspace = client.workspace(ApiKey::new(&emulator.workspace().workspace_api_key)?);
//! assert!(!workspace.token().await?.expose().is_empty());
//! # Ok(()) }
//! ```

/// A page of the folder `docs/`, followed by links to the items that it names.
macro_rules! page {
    ($(#[$attributes:meta])* $name:ident, $file:literal, $($link:literal),+ $(,)?) => {
        $(#[$attributes])*
        #[doc = include_str!(concat!("../docs/", $file))]
        ///
        /// # The items of this page
        ///
        $(#[doc = concat!("- ", $link)])+
        pub mod $name {}
    };
}

page!(
    workspace_services,
    "workspace-services.md",
    "[`Client`](crate::Client), [`Client::workspace`](crate::Client::workspace), [`ApiKey`](crate::ApiKey), [`WorkspaceSession`](crate::WorkspaceSession)",
    "[`Client::workspace_basic`](crate::Client::workspace_basic), [`BasicWorkspaceSession`](crate::BasicWorkspaceSession), [`session::authentication`](crate::session::authentication)",
    "[`Session::get`](crate::Session::get), [`Session::post`](crate::Session::post), [`Session::request`](crate::Session::request), [`Request::path_param`](crate::session::Request::path_param)",
    "[`Config`](crate::Config), [`Client::from_env`](crate::Client::from_env), [`ApiKeySource`](crate::ApiKeySource), [`Session::warm_up`](crate::Session::warm_up)",
    "[`Session::token`](crate::Session::token), [`Session::token_valid_for`](crate::Session::token_valid_for), [`Session::status`](crate::Session::status), [`Session::invalidate`](crate::Session::invalidate)",
    "[`Session::check_permissions`](crate::Session::check_permissions), [`settings`](crate::settings), [`usage`](crate::usage)",
);

page!(
    profiles,
    "profiles.md",
    "[`Client::anonymous`](crate::Client::anonymous), [`Client::profile`](crate::Client::profile), [`Visitor`](crate::Visitor), [`Identity`](crate::Identity), [`LoginId`](crate::LoginId)",
    "[`ProfileLogins`](crate::session::ProfileLogins), [`ProfileLoginRequest`](crate::session::ProfileLoginRequest), [`ConditionalLoginOutcome`](crate::ConditionalLoginOutcome)",
    "[`account`](crate::account): registration, activation, password, e-mail, telephone",
    "[`Session::keep_alive`](crate::Session::keep_alive)",
);

page!(
    users_and_second_factors,
    "users-and-second-factors.md",
    "[`Client::user`](crate::Client::user), [`UserLoginOutcome`](crate::UserLoginOutcome), [`MfaChallenge`](crate::session::MfaChallenge), [`MfaMethod`](crate::model::MfaMethod)",
    "[`UserSession`](crate::UserSession), [`Session::select_workspace`](crate::Session::select_workspace), [`WorkspaceUserSession`](crate::WorkspaceUserSession)",
);

page!(
    testing,
    "testing.md",
    "[`clock`](crate::clock) and [`random`](crate::random): what a test controls",
    "[`Session`](crate::Session)`::fixed`, [`Token`](crate::Token)`::for_tests`, with the feature `test-util`",
    "[`TokenProvider`](crate::TokenProvider)",
    "the crate [`synerise-auth-emulator`](https://docs.rs/synerise-auth-emulator)",
);

page!(
    #[cfg(feature = "verify")]
    verifying_tokens,
    "verifying-tokens.md",
    "[`Client::verifier`](crate::Client::verifier), [`Verifier`](crate::verify::Verifier), [`VerifiedClaims`](crate::verify::VerifiedClaims), [`TokenProblem`](crate::error::TokenProblem)",
);

page!(
    errors,
    "errors.md",
    "[`Error`](crate::Error), [`ErrorKind`](crate::ErrorKind), [`Result`](crate::Result), [`ApiError`](crate::error::ApiError), [`FieldError`](crate::error::FieldError)",
    "[`troubleshooting`]: every error by its text",
);

page!(
    observability,
    "observability.md",
    "[`observability`](crate::observability): every event, span and metric; [`Session::warm_up`](crate::Session::warm_up)",
    "[`Session::status`](crate::Session::status), [`Session::subscribe`](crate::Session::subscribe), [`lifecycle`](crate::lifecycle)",
);

page!(
    network,
    "network.md",
    "[`ClientBuilder`](crate::ClientBuilder), [`RetryPolicy`](crate::client::RetryPolicy), [`RefreshPolicy`](crate::lifecycle::RefreshPolicy), [`Region`](crate::Region)",
);

#[doc = include_str!("../docs/fleet.md")]
///
/// <div>
#[doc = include_str!("../docs/pictures/fleet.svg")]
#[doc = include_str!("../docs/pictures/fleet-growth.svg")]
/// </div>
///
/// # The items of this page
///
/// - [`store`](crate::store): [`TokenStore`](crate::store::TokenStore), [`MemoryStore`](crate::store::MemoryStore), [`StorePolicy`](crate::store::StorePolicy)
/// - [`ClientBuilder::store`](crate::ClientBuilder::store)
/// - the crate [`synerise-auth-redis`](https://docs.rs/synerise-auth-redis)
pub mod fleet {}

page!(
    from_reqwest,
    "from-reqwest.md",
    "[`Client`](crate::Client), [`Session::get`](crate::Session::get), [`Session::token`](crate::Session::token), [`TokenProvider`](crate::TokenProvider)",
);

#[doc = include_str!("../TROUBLESHOOTING.md")]
///
/// # The items of this page
///
/// - [`Error`](crate::Error), [`ErrorKind`](crate::ErrorKind), [`ClientBuilder`](crate::ClientBuilder), [`Request`](crate::session::Request)
pub mod troubleshooting {}

#[doc = include_str!("../CHANGELOG.md")]
pub mod changelog {}
