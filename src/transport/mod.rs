//! The one place that sends requests: headers, authentication, timeouts, retries, traces; every failure becomes an
//! [`Error`](crate::Error).

mod base_url;
mod error_in_success;
mod response;
mod retry;
mod send;

pub use retry::RetryPolicy;

pub(crate) use base_url::BaseUrl;
pub(crate) use response::BufferedResponse;
pub(crate) use retry::RetryBudget;
#[cfg(fuzzing)]
pub(crate) use retry::{retry_after, server_date};
pub(crate) use send::{Authenticator, BoxFuture, Limits, RequestInfo, Transport};
