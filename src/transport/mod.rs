//! The only place that sends requests: headers, authentication, timeouts, retries, traces. Every failure becomes an
//! [`Error`](crate::Error).

mod attempt;
mod authenticator;
mod base_url;
mod basic;
mod body;
mod error_in_success;
mod failure;
mod footprint;
mod http_client;
mod operation_path;
mod pools;
mod request_info;
mod response;
mod retry;
mod retry_after;
mod send;
mod token_expired;
mod wiped;

pub use retry::RetryPolicy;

pub(crate) use authenticator::{Authenticator, BoxFuture, Credential};
pub(crate) use base_url::BaseUrl;
pub(crate) use basic::BasicCredential;
pub(crate) use http_client::{HttpConfig, HttpSettings};
pub(crate) use operation_path::OperationPath;
#[cfg(feature = "blocking")]
pub(crate) use pools::BLOCKING_RUNTIME;
pub(crate) use pools::Pools;
pub(crate) use request_info::RequestInfo;
pub(crate) use response::BufferedResponse;
pub(crate) use retry::RetryBudget;
#[cfg(fuzzing)]
pub(crate) use retry_after::{retry_after, server_date};
pub(crate) use send::{Limits, Transport};
pub(crate) use wiped::WipedBuffer;
