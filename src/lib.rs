#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod account;
mod backoff;
mod bindings;
pub mod client;
pub mod clock;
pub mod error;
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
pub mod token;
mod transport;
pub mod usage;

pub use client::{Client, ClientBuilder};
pub use error::{Error, ErrorKind, Result};
pub use model::{Identity, LoginId, ProfileUuid, Visitor};
pub use region::Region;
pub use secret::{ApiKey, Secret};
pub use session::{ConditionalLoginOutcome, Session, UserLoginOutcome, kind};
pub use token::Token;

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

/// The generated bindings: every operation and type of the vendored document, as progenitor writes them.
///
/// This is the escape hatch below the facade: [`Session::raw`] gives a [`Client`](raw::Client) that authenticates, retries,
/// times out and traces as the facade does. Its errors are one line of the facade's [`Error`], as text: what progenitor
/// would print of a body, a header or a token never gets that far.
///
/// The types here follow the document and change with it; the facade's types don't.
pub mod raw {
    pub use crate::bindings::{ByteStream, Client, ClientInfo, ClientState, Error, ResponseValue, types};
    pub use crate::operation::*;
}

// The crates whose types appear in signatures here.
pub use {::http, bytes, chrono, reqwest, serde_json, url, uuid};
