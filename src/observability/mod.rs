#![doc = include_str!("page.md")]
//!
//! [`ApiKey::fingerprint`]: crate::ApiKey::fingerprint
//! [`Session::refresh`]: crate::Session::refresh
//! [`ErrorKind::as_str`]: crate::ErrorKind::as_str
//! [`Request::path_param`]: crate::session::Request::path_param

use crate::api_key::ApiKey;

#[cfg(feature = "metrics")]
#[cfg_attr(docsrs, doc(cfg(feature = "metrics")))]
pub mod metrics;
mod request;
mod session;
mod store;

pub(crate) use request::{AttemptSpan, CallSpan, Endpoint};
#[cfg(feature = "metrics")]
pub(crate) use session::dropped;
pub(crate) use session::{
    Cause, Failed, Refreshed, SessionLabel, ended, refresh_span, rejected, shared_uuid,
};
pub(crate) use store::{StoreOutcome, store_called};

/// The target of what happens to sessions and their tokens.
pub const SESSION: &str = "synerise_auth::session";
/// The target of requests.
pub const HTTP: &str = "synerise_auth::http";
/// The target of token stores.
pub const STORE: &str = "synerise_auth::store";
/// The target of responses that differ from what Synerise documents.
pub const RESPONSE: &str = "synerise_auth::response";
/// The target of verified tokens' public keys.
pub const VERIFY: &str = "synerise_auth::verify";

/// The key's fingerprint, as a field of an event: empty when no key is known.
fn fingerprint(key: Option<&ApiKey>) -> String {
    key.map(ApiKey::fingerprint).unwrap_or_default()
}
