//! Synerise authentication: give it an API key, and never think about tokens again.
//!
//! A token is fetched once, refreshed before it expires, shared by all callers, replaced after a revocation, and never printed. Every
//! authentication operation of Synerise is a typed method, and any other Synerise endpoint can be called with the same session.
//!
//! ```no_run
//! use synerise_auth::{ApiKey, Client, Region};
//!
//! #[tokio::main]
//! async fn main() -> synerise_auth::Result<()> {
//!     let client = Client::builder().region(Region::AzureEu).build()?; // sends nothing, spawns nothing
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
//!
//! # Whose session?
//!
//! | consumer | session | obtained by |
//! |---|---|---|
//! | a backend of a workspace | [`WorkspaceSession`] | [`Client::workspace`] |
//! | a visitor who is not known yet | [`AnonymousSession`] | [`Client::anonymous`] |
//! | a recognized customer (a *profile*) | [`ProfileSession`] | [`Client::profile`], then a login |
//! | a person in the Synerise portal | [`UserSession`], [`WorkspaceUserSession`] | [`Client::user`], then a login and [`Session::select_workspace`] |
//!
//! Each session has only the calls that Synerise lets its consumer make. A call that belongs to another consumer does not
//! compile.
//!
//! # A token's life
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
//!
//! # I want to …
//!
//! | … | |
//! |---|---|
//! | call any Synerise endpoint | [`Session::get`], [`Session::post`], [`Session::request`] |
//! | log customers in | [`Client::profile`], [`Identity`] |
//! | register and activate accounts | [`account`] |
//! | log a user in with a second factor | [`Client::user`], [`session::MfaChallenge`] |
//! | read and change a workspace's settings | [`settings`] |
//! | know a token's state, and when it is refreshed | [`lifecycle`] |
//! | share tokens between clients | [`store`] |
//! | know what an error means | [`ErrorKind`]; every error is printed on one line with its remedy |
//! | set time limits, retries, a proxy, certificates | [`ClientBuilder`] |
//! | test my service without an account | the crate `synerise-auth-emulator`; with the feature `test-util`: `clock::ManualClock`, `random::FixedRandom`, `Session::fixed` |
//! | call an operation as the document has it | [`raw`] |
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
//! | `verify` | no | `Client::verifier`: verifies tokens that your service receives, with the key that Synerise publishes |
//!
//! Without a TLS feature only plain HTTP to this machine works. Plain HTTP to other hosts is refused. The crate builds with Rust 1.89 or later,
//! and runs on Tokio.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod account;
mod backoff;
mod bindings;
mod byte_order_mark;
pub mod client;
pub mod clock;
pub mod error;
mod exact_url;
#[cfg(fuzzing)]
#[doc(hidden)]
pub mod fuzzing;
pub mod lifecycle;
pub mod model;
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

pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind, Result};
pub use model::{Identity, LoginId, ProfileUuid, Visitor};
pub use region::Region;
pub use secret::{ApiKey, Secret};
pub use session::{ConditionalLoginOutcome, Session, UserLoginOutcome, kind};
pub use token::{Token, TokenProvider};

/// A backend's session: [`Client::workspace`].
pub type WorkspaceSession = Session<kind::Workspace>;
/// A visitor's session: [`Client::anonymous`].
pub type AnonymousSession = Session<kind::Anonymous>;
/// A customer's session: [`Client::profile`].
pub type ProfileSession = Session<kind::Profile>;
/// A portal user's session before a workspace is selected: [`Client::user`].
pub type UserSession = Session<kind::User>;
/// A portal user's session in a workspace: [`Session::select_workspace`].
pub type WorkspaceUserSession = Session<kind::WorkspaceUser>;

/// The generated bindings: every operation and type of the vendored document, as progenitor generates them.
///
/// This is the escape hatch below the facade. [`Session::raw`] returns a client whose calls authenticate, retry, time out
/// and trace like the facade's, and fail with the same [`Error`]. The types here follow the document and change with it;
/// the facade's types do not.
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
