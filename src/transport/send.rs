//! Sends a request until it succeeds, or until another attempt makes no sense.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use http::header::{AUTHORIZATION, HeaderName, HeaderValue, USER_AGENT};
use http::{Method, StatusCode};
use reqwest::Request;
use tracing::Instrument;

use crate::clock::{Clock, SleepPurpose, timeout};
use crate::error::{Error, Result};
use crate::observability::{CallSpan, Endpoint};
use crate::random::Random;

use super::attempt::AttemptLimit;
use super::authenticator::{Authenticator, Credential};
use super::base_url::BaseUrl;
use super::error_in_success::{Verdict, judge};
use super::failure::{Delivery, Failure, Sent};
use super::footprint::is_affordable;
use super::operation_path::OperationPath;
use super::pools::Pools;
use super::request_info::RequestInfo;
use super::response::BufferedResponse;
use super::retry::{RetryBudget, RetryPolicy};
use super::token_expired::says_token_expired;

const API_VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("api-version"),
    HeaderValue::from_static("4.4"),
);

/// The limits of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) connect: Duration,
    pub(crate) attempt: Duration,
    pub(crate) call: Duration,
    pub(crate) body: usize,
}

/// Sends requests.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) pools: Pools,
    pub(crate) base: BaseUrl,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) limits: Limits,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    /// The `User-Agent`, where the HTTP client does not set it.
    pub(crate) user_agent: Option<HeaderValue>,
    /// Paths from the builder that replace the document's, by operation id.
    pub(crate) paths: HashMap<&'static str, OperationPath>,
}

impl Transport {
    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    /// A client that creates requests. [`send`](Self::send) sends them.
    pub(crate) fn http(&self) -> &reqwest::Client {
        self.pools.http()
    }

    /// Sends a request until it succeeds, or until another attempt makes no sense.
    pub(crate) async fn send(
        &self,
        info: &RequestInfo,
        request: Request,
        authenticator: Option<&dyn Authenticator>,
    ) -> Result<BufferedResponse> {
        let call = CallSpan::new(self.endpoint(info, request.method()));
        let mut resends = 0;
        let outcome = self
            .send_repeatedly(info, request, authenticator, &mut resends)
            .instrument(call.0.clone())
            .await;
        let ended = outcome.as_ref().map(|response| response.status.as_u16());
        call.end(ended, resends);
        outcome
    }

    /// Where a request goes, for its spans and metrics.
    pub(super) fn endpoint<'a>(&'a self, info: &'a RequestInfo, method: &'a Method) -> Endpoint<'a> {
        Endpoint {
            label: &info.label,
            operation: info.operation.map_or("other", |operation| operation.id),
            method,
            template: &info.template,
            host: self.base.host(),
            port: self.base.port(),
        }
    }

    async fn send_repeatedly(
        &self,
        info: &RequestInfo,
        mut request: Request,
        authenticator: Option<&dyn Authenticator>,
        resends: &mut u32,
    ) -> Result<BufferedResponse> {
        let (name, value) = API_VERSION;
        request.headers_mut().insert(name, value);
        if let Some(user_agent) = &self.user_agent {
            request.headers_mut().insert(USER_AGENT, user_agent.clone());
        }
        if let Some(path) = info.operation.and_then(|operation| self.paths.get(operation.id)) {
            *request.url_mut() = path.replace(&self.base, request.url())?;
        }
        let end = self.clock.now().monotonic.saturating_add(self.limits.call);
        let mut current = request;
        let mut number = 1;
        let mut reauthenticated = false;
        let mut refused = None;
        loop {
            // Checked first: outside a runtime, timers and sockets would panic.
            let lease = self.pools.lease()?;
            // A stream can't be sent twice, so a request with one is sent only once.
            let again = current.try_clone();
            let credential = match authenticator {
                Some(authenticator) => {
                    let credential = timeout(&*self.clock, self.left(end), authenticator.credential()).await;
                    let credential = credential.unwrap_or_else(|| Err(self.call_timed_out(info)));
                    Some(credential.map_err(|error| error.caused_by(refused.take()))?)
                }
                None => None,
            };
            if let Some(credential) = &credential {
                current
                    .headers_mut()
                    .insert(AUTHORIZATION, credential.header().clone());
            }
            let token = credential.as_ref().and_then(Credential::token);
            let sent = Sent {
                credential: credential.as_ref(),
                request: again.as_ref(),
            };
            let limit = self.attempt_limit(end);
            let mut expired = false;
            let (failure, status) = match self.attempt(info, current, sent, &lease, *resends, limit).await {
                Ok(response) if response.status.is_success() => {
                    if reauthenticated && let Some((authenticator, token)) = authenticator.zip(token) {
                        authenticator.on_refresh_helped(token);
                    }
                    self.budget.earn();
                    return self.judged(info, sent, response);
                }
                Ok(response) => {
                    expired =
                        response.status == StatusCode::UNAUTHORIZED && says_token_expired(&response.body);
                    let error = self.refusal(info, sent, &response);
                    (Failure::sent(error), Some(response.status))
                }
                Err(failure) => (failure, None),
            };
            if status == Some(StatusCode::MISDIRECTED_REQUEST) {
                self.pools.leave(&lease);
            }
            // Reported whether or not this request can be sent again: the next one must not get the same token.
            let refreshable = status == Some(StatusCode::UNAUTHORIZED)
                && !reauthenticated
                && authenticator.zip(token).is_some_and(|(authenticator, token)| {
                    authenticator.on_unauthorized(token, info.refused(), expired)
                });
            let Some(again) = again else {
                return Err(failure.error);
            };
            if refreshable && !info.send_once && self.left(end) > Duration::ZERO {
                reauthenticated = true;
                refused = Some(failure.error);
            } else if let Some(backoff) = self.backoff(info, number, &failure, status) {
                let left = self.left(end);
                self.clock
                    .sleep_for(backoff.min(left), SleepPurpose::Backoff)
                    .await;
                if backoff >= left {
                    return Err(self.call_timed_out(info));
                }
                number += 1;
            } else {
                return Err(failure.error);
            }
            *resends += 1;
            current = again;
        }
    }

    /// How long to wait before the next attempt. `None` when there is none.
    fn backoff(
        &self,
        info: &RequestInfo,
        attempt: u32,
        failure: &Failure,
        status: Option<StatusCode>,
    ) -> Option<Duration> {
        let safe = match status.map(|status| status.as_u16()) {
            // The server says that it did not process the request.
            Some(421 | 425 | 429 | 503) => !info.send_once,
            Some(408 | 500..=599) => info.idempotent,
            Some(_) => false,
            None => match failure.delivery {
                Delivery::Unsent => true,
                Delivery::Unprocessed => !info.send_once,
                Delivery::Unknown => info.idempotent,
            },
        };
        if !safe || failure.permanent || attempt >= self.retry.max_attempts() {
            return None;
        }
        let wait = self
            .retry
            .delay(attempt, failure.error.retry_after(), &*self.random)?;
        self.budget.spend().then_some(wait)
    }

    /// What is left of a call's time.
    fn left(&self, end: Duration) -> Duration {
        end.saturating_sub(self.clock.now().monotonic)
    }

    fn attempt_limit(&self, end: Duration) -> AttemptLimit {
        let left = self.left(end);
        AttemptLimit {
            time: left.min(self.limits.attempt),
            ends_the_call: left <= self.limits.attempt,
        }
    }

    /// The response of a success, unless its body contains an error or can't be read.
    fn judged(
        &self,
        info: &RequestInfo,
        sent: Sent<'_>,
        response: BufferedResponse,
    ) -> Result<BufferedResponse> {
        if let Some(error) = Self::compressed(info, &response) {
            return Err(error);
        }
        let Some(operation) = info.operation else {
            // The responses of other endpoints are not documented here.
            return Ok(response);
        };
        if !is_affordable(&response.body, self.limits.body.saturating_mul(2)) {
            return Err(Error::unusable_response(
                info.label.clone(),
                response.status(),
                format!(
                    "its values take more memory than twice the limit of {} bytes",
                    self.limits.body
                ),
                "ask for less at a time, or allow more by ClientBuilder::max_response_bytes",
            ));
        }
        match judge(operation, &response.body) {
            Verdict::Success => Ok(response),
            Verdict::Error => Err(self.api_error(info, sent, &response)),
            Verdict::NotJson => Err(Error::unexpected_response(
                info.label.clone(),
                response.status(),
                response.not_json(),
            )),
        }
    }
}
