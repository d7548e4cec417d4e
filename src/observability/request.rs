//! The spans of requests, by OpenTelemetry's conventions for HTTP clients.

use http::Method;
use tracing::Span;
use tracing::field::Empty;

use crate::error::Error;

use super::HTTP;

/// Where a request goes. The URL itself is left out: it may contain a key, or say who the customer is.
#[derive(Clone, Copy)]
pub(crate) struct Endpoint<'a> {
    /// The operation's id, or the method and path of another endpoint.
    pub(crate) label: &'a str,
    /// For metrics, which must not have a value for each path.
    #[cfg_attr(not(feature = "metrics"), expect(dead_code, reason = "it is for metrics"))]
    pub(crate) operation: &'static str,
    pub(crate) method: &'a Method,
    /// The path, with the names of its parameters.
    pub(crate) template: &'a str,
    pub(crate) host: &'a str,
    pub(crate) port: u16,
}

/// The fields of a call's span and of an attempt's span are the same.
macro_rules! span {
    ($name:literal, $kind:literal, $endpoint:ident, $($title:tt)+) => {
        tracing::info_span!(
            target: HTTP,
            $name,
            otel.name = $($title)+,
            otel.kind = $kind,
            otel.status_code = Empty,
            http.request.method = $endpoint.method.as_str(),
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            url.template = $endpoint.template,
            server.address = $endpoint.host,
            server.port = $endpoint.port,
            error.type = Empty,
        )
    };
}

fn record_error(span: &Span, error: &Error) {
    if let Some(status) = error.status() {
        span.record("http.response.status_code", status);
    }
    span.record("error.type", error.kind().as_str());
    span.record("otel.status_code", "ERROR");
}

/// The span of a call with all its attempts.
pub(crate) struct CallSpan(pub(crate) Span);

impl CallSpan {
    pub(crate) fn new(endpoint: Endpoint<'_>) -> Self {
        Self(span!("synerise.call", "internal", endpoint, endpoint.label))
    }

    /// The call has ended. If its future is dropped instead, nothing is recorded, because that is not an error.
    pub(crate) fn end(&self, outcome: Result<u16, &Error>, resends: u32) {
        if resends > 0 {
            self.0.record("http.request.resend_count", resends);
        }
        match outcome {
            Ok(status) => {
                self.0.record("http.response.status_code", status);
            }
            Err(error) => record_error(&self.0, error),
        }
    }
}

/// The span of one attempt: one request on the wire.
pub(crate) struct AttemptSpan {
    pub(crate) span: Span,
    #[cfg(feature = "metrics")]
    watch: crate::clock::Stopwatch,
}

impl AttemptSpan {
    /// `resends` is how many attempts there were before.
    pub(crate) fn new(endpoint: Endpoint<'_>, resends: u32) -> Self {
        let span = span!(
            "synerise.request",
            "client",
            endpoint,
            %format_args!("{} {}", endpoint.method, endpoint.template)
        );
        if resends > 0 {
            span.record("http.request.resend_count", resends);
        }
        Self {
            span,
            #[cfg(feature = "metrics")]
            watch: crate::clock::Stopwatch::start(),
        }
    }

    /// The attempt has ended, with a response or without one.
    #[cfg_attr(
        not(feature = "metrics"),
        expect(unused_variables, reason = "the endpoint is for metrics")
    )]
    pub(crate) fn end(self, endpoint: Endpoint<'_>, outcome: Result<u16, &Error>) {
        match outcome {
            Ok(status) => {
                self.span.record("http.response.status_code", status);
                if status >= 400 {
                    // By the conventions, the status is the type of such an error.
                    self.span.record("error.type", tracing::field::display(status));
                    self.span.record("otel.status_code", "ERROR");
                }
            }
            Err(error) => record_error(&self.span, error),
        }
        #[cfg(feature = "metrics")]
        super::metrics::request_ended(endpoint, outcome, self.watch.elapsed());
    }
}
