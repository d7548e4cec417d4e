//! Synerise authentication for Rust: give it an API key, and never think about tokens again. A token is fetched once, refreshed before
//! it expires, shared by all callers, replaced after a revocation, and never printed.
//!
//! Every authentication operation of Synerise is a typed method, and any other Synerise endpoint can be called with the same session.
//!
//! ```toml
//! [dependencies]
//! synerise-auth = { path = "../synerise-auth" } # a checkout; once it is on the registry: "0.1"
//! tokio = { version = "1", features = ["macros", "rt-multi-thread"] }
//! ```
//!
//! ```no_run
//! use synerise_auth::{ApiKey, Client, Region};
//!
//! #[tokio::main]
//! async fn main() -> synerise_auth::Result<()> {
//!     let client = Client::builder().region(Region::AzureEu).build()?; // sends nothing yet
//!     let workspace = client.workspace(ApiKey::from_env("SYNERISE_API_KEY")?);
//!
//!     let token = workspace.token().await?; // logs in once; from then on a read without a lock
//!     println!("a token that is valid for {:?}", token.lifetime());
//!
//!     let clients = workspace.get("/v4/clients").await?; // any endpoint of Synerise
//!     println!("{} bytes", clients.bytes().len());
//!     Ok(())
//! }
//! ```
//!
//! The API key comes from **Settings > API Keys** in Synerise. A *workspace* key belongs to a backend; a *profile* key logs customers in.
//! Without an account, the same program runs against the emulator: [guide to workspace services](guide::workspace_services).
//!
//! # I want to …
//!
//! | I want to … | guide | items |
//! |---|---|---|
//! | call Synerise from a backend | [workspace services](guide::workspace_services) | [`Client::workspace`], [`Session::get`], [`Session::post`], [`Session::request`] |
//! | log customers in, register and activate accounts | [profiles](guide::profiles) | [`Client::anonymous`], [`Client::profile`], [`Identity`], [`session::login_mode`], [`account`] |
//! | log a person of the portal in, with a second factor | [users](guide::users_and_second_factors) | [`Client::user`], [`session::MfaChallenge`], [`UserLoginOutcome`] |
#![cfg_attr(
    feature = "verify",
    doc = "| verify tokens that my service receives | [verifying tokens](guide::verifying_tokens) | [`Client::verifier`], [`verify`] |"
)]
#![cfg_attr(
    not(feature = "verify"),
    doc = "| verify tokens that my service receives | | `Client::verifier`, with the feature `verify` |"
)]
//! | send the token with an HTTP or gRPC client of my own | [workspace services](guide::workspace_services) | [`Session::cached_token`], [`TokenProvider`], [`ClientBuilder::http_client`]; the crate `synerise-auth-middleware` |
#![cfg_attr(feature = "blocking", doc = "| use it without async code | | [`blocking`] |")]
#![cfg_attr(
    not(feature = "blocking"),
    doc = "| use it without async code | | `blocking::Runtime`, with the feature `blocking` |"
)]
//! | test my service without an account | [testing](guide::testing) | the crate `synerise-auth-emulator`, [`clock`], [`random`], [`TokenProvider`] |
//! | know what an error means and what to do | [errors](guide::errors), [every error by its text](guide::troubleshooting) | [`Error`], [`ErrorKind`] |
#![cfg_attr(
    feature = "metrics",
    doc = "| see what it does: logs, traces, metrics | [observability](guide::observability) | [`observability`], [`observability::metrics`], [`Session::status`], [`Session::subscribe`] |"
)]
#![cfg_attr(
    not(feature = "metrics"),
    doc = "| see what it does: logs, traces, metrics | [observability](guide::observability) | [`observability`], [`Session::status`], [`Session::subscribe`] |"
)]
//! | answer my service's probes | [observability](guide::observability) | [`Session::warm_up`], [`lifecycle::Status::is_ready`] |
//! | configure a client from the environment or my own settings | [workspace services](guide::workspace_services) | [`Config`], [`Client::from_env`] |
//! | replace an API key without a restart | [workspace services](guide::workspace_services) | [`ApiKeySource`], [`api_key::RotatingApiKey`] |
//! | set time limits, retries, a proxy, certificates | [network](guide::network) | [`ClientBuilder`], [`client::RetryPolicy`], [`lifecycle::RefreshPolicy`] |
//! | replace what I wrote on reqwest | [from reqwest](guide::from_reqwest) | |
//! | keep customers logged in over a restart, on any replica | [profiles](guide::profiles) | [`Session::export`], [`session::SavedSession`] |
//! | share tokens between processes | [many processes](guide::fleet) | [`store`], the crate `synerise-auth-redis` |
//! | read and change a workspace's settings, see its usage | | [`settings`], [`usage`] |
//! | call an operation exactly as the document has it | | [`raw`] |
//!
//! # Whose session?
//!
//! | consumer | session | obtained by |
//! |---|---|---|
//! | a backend of a workspace | [`WorkspaceSession`] | [`Client::workspace`] |
//! | a backend of a workspace, without a token | [`BasicWorkspaceSession`] | [`Client::workspace_basic`] |
//! | a visitor who is not known yet | [`AnonymousSession`] | [`Client::anonymous`] |
//! | a recognized customer (a *profile*) | [`ProfileSession`] | [`Client::profile`], then a login |
//! | a person in the Synerise portal | [`UserSession`], [`WorkspaceUserSession`] | [`Client::user`], then a login and [`Session::select_workspace`] |
//!
//! Each session has only the calls that Synerise lets its consumer make. A call that belongs to another consumer does not
//! compile.
//!
//! # A token's life
//!
//! <div>
#![doc = include_str!("../docs/pictures/token-life.svg")]
//! </div>
//!
//! | state | what a caller gets |
//! |---|---|
//! | [`Empty`](lifecycle::TokenState::Empty) | the token, after waiting for the login that all callers share |
//! | [`Fresh`](lifecycle::TokenState::Fresh) | the token, without a lock or an allocation |
//! | [`Stale`](lifecycle::TokenState::Stale) | the token, while a refresh runs in the background |
//! | [`Expired`](lifecycle::TokenState::Expired) | the token, after waiting for the refresh that all callers share |
//! | [`SessionEnded`](lifecycle::TokenState::SessionEnded) | [`ErrorKind::SessionExpired`]: the session's owner has to log in again |
//!
//! A failed refresh never discards a token that is still valid. All callers get its error until a short backoff has passed;
//! then the next call tries again. A 401 discards the refused token and sends the request once more with a new one.
//! [`lifecycle`] has pictures of both.
//!
//! # Features, TLS, Rust
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `rustls` | yes | TLS by rustls with aws-lc-rs; certificates are checked by the platform's rules |
//! | `native-tls` | no | TLS by the platform's own library (OpenSSL on Linux) |
//! | `test-util` | no | for your own tests: a clock and jitter that a test controls, sessions and tokens without a server |
//! | `conformance` | no | for your own `TokenStore`: the rules that every store has to keep, as tests |
//! | `schemars` | no | `schemars::JsonSchema` for the generated types and the open enums |
//! | `metrics` | no | `observability::metrics`: metrics on the facade of the crate `metrics` |
//! | `blocking` | no | `blocking::Runtime`: waits for any call, for programs without async code |
//! | `verify` | no | `Client::verifier`: verifies tokens that your service receives, with the key that Synerise publishes |
//!
//! A service needs the default features. A library that offers this crate to others turns them off (`default-features = false`), and leaves the
//! choice of TLS to the program. Without a TLS feature only plain HTTP to this machine works; plain HTTP to other hosts is refused.
//!
//! The crate builds with Rust 1.89 or later, and runs on Tokio, on Linux, macOS and Windows. It does not build for WebAssembly. A raise of the
//! required Rust is a minor version.
//!
//! # Stability
//!
//! Before 1.0, a breaking change raises the minor version, and the [changelog](guide::changelog) names it. Enums that Synerise may extend are open:
//! a new value never breaks a build. The types of [`raw`] follow Synerise's document and may change with any minor version; the facade names none
//! of them. The re-exported [`reqwest`] is the only crate below 1.0 whose types you may need, in [`ClientBuilder::http`].
//!
//! # Licences
//!
//! MIT or Apache-2.0. Your licence check will also meet **MPL-2.0**: `progenitor-client` is linked, and `progenitor` and `progenitor-impl` run in the
//! build. MPL-2.0 is copyleft by the file: a user of unchanged crates owes nothing, and the code that they generate is not under it. The rest are
//! the usual permissive ones: MIT, MIT-0, Apache-2.0, BSD-3-Clause, ISC, Zlib, Unicode-3.0. With cargo-deny, the exception reads:
//!
//! ```toml
//! [licenses]
//! exceptions = [
//!     { crate = "progenitor", allow = ["MPL-2.0"] },
//!     { crate = "progenitor-client", allow = ["MPL-2.0"] },
//!     { crate = "progenitor-impl", allow = ["MPL-2.0"] },
//! ]
//! ```
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod account;
pub mod api_key;
mod backoff;
mod bindings;
#[cfg(feature = "blocking")]
pub mod blocking;
pub mod client;
pub mod clock;
pub mod config;
pub mod error;
mod exact_url;
mod fingerprint;
mod foreign_json;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod lifecycle;
pub mod model;
pub mod observability;
mod operation;
pub mod random;
mod region;
mod secret;
pub mod session;
pub mod settings;
pub mod store;
mod sync;
pub mod token;
mod transport;
pub mod usage;
#[cfg(feature = "verify")]
pub mod verify;

pub use api_key::{ApiKey, ApiKeySource};
pub use client::{Client, ClientBuilder};
pub use config::Config;
pub use error::{Error, ErrorKind, Result};
pub use model::{Identity, LoginId, ProfileUuid, Visitor};
pub use region::Region;
pub use secret::Secret;
pub use session::{ConditionalLoginOutcome, Session, UserLoginOutcome, kind};
pub use token::{Token, TokenProvider};

/// A backend's session: [`Client::workspace`].
#[doc(alias("workspace JWT", "workspace token", "backend"))]
pub type WorkspaceSession = Session<kind::Workspace>;
/// A backend's session without a token: [`Client::workspace_basic`].
#[doc(alias("Basic", "basic authentication"))]
pub type BasicWorkspaceSession = Session<kind::Workspace, session::authentication::Basic>;
/// A visitor's session: [`Client::anonymous`].
#[doc(alias("anonymous JWT"))]
pub type AnonymousSession = Session<kind::Anonymous>;
/// A customer's session: [`Client::profile`].
#[doc(alias("profile JWT", "customer"))]
pub type ProfileSession = Session<kind::Profile>;
/// A portal user's session before a workspace is selected: [`Client::user`].
#[doc(alias("user JWT"))]
pub type UserSession = Session<kind::User>;
/// A portal user's session in a workspace: [`Session::select_workspace`].
pub type WorkspaceUserSession = Session<kind::WorkspaceUser>;

/// The generated bindings: every operation and type of the vendored document, as progenitor generates them.
///
/// This is the escape hatch below the facade. [`Session::raw`] returns a client whose calls authenticate, retry, time out
/// and trace like the facade's, and fail with the same [`Error`]. The types here follow the document and change with it;
/// the facade's types do not.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
/// let current = workspace.raw().get_current_workspace().await?;
/// println!("{}: {:?}", current.status(), current.into_inner().selected);
/// # Ok(()) }
/// ```
pub mod raw {
    pub use crate::bindings::{Call, Client, ClientState, RawObject, ResponseValue, types};
    pub use crate::operation::*;
}

// The crates whose types appear in signatures here.
pub use {::http, bytes, chrono, reqwest, serde_json, url, uuid};

/// The code on the repository's front page compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
