//! The metrics, on the facade of the crate `metrics`: install a recorder of your choice, and set its histograms' buckets.
//!
//! ```
//! use synerise_auth::observability::metrics;
//!
//! metrics::describe(); // once a recorder is installed
//! assert_eq!(metrics::REQUEST_DURATION, "synerise_auth_request_duration_seconds");
//! for metric in metrics::ALL {
//!     println!("{} {:?}: {}", metric.name, metric.labels, metric.help);
//! }
//! ```
//!
//! Some exporters show histograms as summaries until they are told the buckets; dashboards that use `histogram_quantile` then show
//! nothing. With `metrics-exporter-prometheus`:
//!
//! ```
//! use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
//! use synerise_auth::observability::metrics::DURATION_BUCKETS;
//!
//! let recorder = PrometheusBuilder::new()
//!     .set_buckets_for_metric(Matcher::Prefix("synerise_auth_".into()), &DURATION_BUCKETS)
//!     .unwrap()
//!     .build_recorder();
//! # let _ = recorder;
//! ```

use std::time::Duration;

use ::metrics::Unit;

use crate::error::Error;

use super::request::Endpoint;
use super::session::Refreshed;

/// Seconds of each attempt of a request, until its whole response was read. A histogram.
pub const REQUEST_DURATION: &str = "synerise_auth_request_duration_seconds";
/// Tokens that sessions got by a login or a refresh at Synerise. A counter.
pub const LOGINS: &str = "synerise_auth_logins_total";
/// Refreshes that brought a token, from Synerise or from a store. A counter.
pub const REFRESHES: &str = "synerise_auth_refreshes_total";
/// Refreshes that failed. A counter.
pub const REFRESH_FAILURES: &str = "synerise_auth_refresh_failures_total";
/// Seconds of each refresh, with its retries. A histogram.
pub const REFRESH_DURATION: &str = "synerise_auth_refresh_duration_seconds";
/// When the session's token expires, in seconds since the Unix epoch. A gauge.
///
/// What is left is this minus the time now, which a dashboard computes: so no timer has to run in the service. There is one for each
/// session of a workspace that has an API key; visitors and customers have none, because there may be a million.
pub const TOKEN_EXPIRES_AT: &str = "synerise_auth_token_expires_at_seconds";
/// Tokens that a server refused before they expired. A counter.
pub const REJECTED_TOKENS: &str = "synerise_auth_rejected_tokens_total";
/// Calls of the token store. A counter.
pub const STORE_CALLS: &str = "synerise_auth_store_calls_total";

/// The histograms' buckets, in seconds: those that OpenTelemetry recommends for HTTP, and two more for refreshes with retries.
pub const DURATION_BUCKETS: [f64; 16] = [
    0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0, 30.0, 60.0,
];

/// What a metric counts or measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MetricKind {
    /// It only goes up.
    Counter,
    /// It has a current value.
    Gauge,
    /// It has a distribution.
    Histogram,
}

/// A metric of this crate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// Its name, with its unit at the end.
    pub name: &'static str,
    /// What it counts or measures.
    pub kind: MetricKind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it means.
    pub help: &'static str,
}

/// All metrics of this crate.
pub const ALL: &[Metric] = &[
    Metric {
        name: REQUEST_DURATION,
        kind: MetricKind::Histogram,
        labels: &["operation", "method", "status", "error_type"],
        help: "Seconds of each attempt of a request, until its whole response was read",
    },
    Metric {
        name: LOGINS,
        kind: MetricKind::Counter,
        labels: &["session_kind"],
        help: "Tokens that sessions got by a login or a refresh at Synerise",
    },
    Metric {
        name: REFRESHES,
        kind: MetricKind::Counter,
        labels: &["session_kind", "cause"],
        help: "Refreshes that brought a token, from Synerise or from a store",
    },
    Metric {
        name: REFRESH_FAILURES,
        kind: MetricKind::Counter,
        labels: &["session_kind", "error_type"],
        help: "Refreshes that failed",
    },
    Metric {
        name: REFRESH_DURATION,
        kind: MetricKind::Histogram,
        labels: &["session_kind", "outcome"],
        help: "Seconds of each refresh, with its retries",
    },
    Metric {
        name: TOKEN_EXPIRES_AT,
        kind: MetricKind::Gauge,
        labels: &["session_kind", "session_key"],
        help: "When the session's token expires, in seconds since the Unix epoch",
    },
    Metric {
        name: REJECTED_TOKENS,
        kind: MetricKind::Counter,
        labels: &["session_kind"],
        help: "Tokens that a server refused before they expired",
    },
    Metric {
        name: STORE_CALLS,
        kind: MetricKind::Counter,
        labels: &["method", "outcome"],
        help: "Calls of the token store",
    },
];

/// Describes all metrics to the recorder, for its help texts. Call it after the recorder was installed.
pub fn describe() {
    for metric in ALL {
        match metric.kind {
            MetricKind::Counter => ::metrics::describe_counter!(metric.name, Unit::Count, metric.help),
            MetricKind::Gauge => ::metrics::describe_gauge!(metric.name, Unit::Seconds, metric.help),
            MetricKind::Histogram => {
                ::metrics::describe_histogram!(metric.name, Unit::Seconds, metric.help);
            }
        }
    }
}

pub(super) fn request_ended(endpoint: Endpoint<'_>, outcome: Result<u16, &Error>, took: Duration) {
    let (status, error_type) = match outcome {
        Ok(status) if status >= 400 => (Some(status), "status"),
        Ok(status) => (Some(status), ""),
        Err(error) => (error.status(), error.kind().as_str()),
    };
    ::metrics::histogram!(
        REQUEST_DURATION,
        "operation" => endpoint.operation,
        "method" => method(endpoint.method),
        "status" => status.map(|status| status.to_string()).unwrap_or_default(),
        "error_type" => error_type,
    )
    .record(took.as_secs_f64());
}

/// The method's name, without an allocation. Whatever else a caller invents is one value.
fn method(method: &http::Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
    let known = KNOWN.into_iter().find(|known| method.as_str() == *known);
    known.unwrap_or("_OTHER")
}

pub(super) fn refreshed(kind: &'static str, token: &Refreshed) {
    if !token.stored {
        ::metrics::counter!(LOGINS, "session_kind" => kind).increment(1);
    }
    let cause = token.cause.as_str();
    ::metrics::counter!(REFRESHES, "session_kind" => kind, "cause" => cause).increment(1);
    if let Some(took) = token.took {
        refresh_took(kind, "token", took);
    }
}

pub(super) fn refresh_failed(kind: &'static str, error_type: &'static str, took: Duration) {
    ::metrics::counter!(REFRESH_FAILURES, "session_kind" => kind, "error_type" => error_type).increment(1);
    refresh_took(kind, "error", took);
}

fn refresh_took(kind: &'static str, outcome: &'static str, took: Duration) {
    ::metrics::histogram!(REFRESH_DURATION, "session_kind" => kind, "outcome" => outcome)
        .record(took.as_secs_f64());
}

pub(super) fn expires_at(kind: &'static str, key: &str, expires_at: Duration) {
    ::metrics::gauge!(TOKEN_EXPIRES_AT, "session_kind" => kind, "session_key" => key.to_owned())
        .set(expires_at.as_secs_f64());
}

pub(super) fn token_rejected(kind: &'static str) {
    ::metrics::counter!(REJECTED_TOKENS, "session_kind" => kind).increment(1);
}

pub(super) fn store_called(method: &'static str, outcome: &'static str) {
    ::metrics::counter!(STORE_CALLS, "method" => method, "outcome" => outcome).increment(1);
}
