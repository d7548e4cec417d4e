//! One attempt: sends a request once, and reads its whole response within the time limit.

use std::time::Duration;

use http::{HeaderMap, StatusCode, Version};
use reqwest::Request;
use tracing::Instrument;
use url::Url;

use crate::clock::{Reading, timeout};
use crate::error::Error;
use crate::observability::AttemptSpan;

use super::body::{Body, BodyError};
use super::failure::{Failure, Sent};
use super::pools::Lease;
use super::request_info::RequestInfo;
use super::response::BufferedResponse;
use super::send::Transport;

/// How long an attempt may take.
#[derive(Clone, Copy)]
pub(super) struct AttemptLimit {
    pub(super) time: Duration,
    /// This is what is left of the whole call's time.
    pub(super) ends_the_call: bool,
}

struct Head {
    status: StatusCode,
    headers: HeaderMap,
    version: Version,
    arrived: Reading,
}

enum Broken {
    Head(reqwest::Error),
    Body(BodyError),
    /// The caller's own client followed a redirect, and this is the response of another URL.
    Redirected(StatusCode, Url),
}

impl Transport {
    /// Sends a request once, after `resends` attempts. `sent` describes the request after it has left.
    pub(super) async fn attempt(
        &self,
        info: &RequestInfo,
        request: Request,
        sent: Sent<'_>,
        lease: &Lease,
        resends: u32,
        limit: AttemptLimit,
    ) -> Result<BufferedResponse, Failure> {
        let method = request.method().clone();
        let endpoint = self.endpoint(info, &method);
        let attempt = AttemptSpan::new(endpoint, resends);
        let outcome = self
            .exchange(info, request, sent, lease, limit)
            .instrument(attempt.span.clone())
            .await;
        let ended = outcome.as_ref();
        let ended = ended.map(|response| response.status.as_u16());
        attempt.end(endpoint, ended.map_err(|failure| &failure.error));
        outcome
    }

    async fn exchange(
        &self,
        info: &RequestInfo,
        mut request: Request,
        sent: Sent<'_>,
        lease: &Lease,
        limit: AttemptLimit,
    ) -> Result<BufferedResponse, Failure> {
        let left = self.clock.now();
        let own_url = lease.own_client.then(|| request.url().clone());
        if lease.own_client {
            // In place of a shorter limit in the client's settings. Ours comes first.
            *request.timeout_mut() = Some(limit.time.saturating_mul(2));
        }
        let (mut head, mut body) = (None, Body::new(info.answers_a_secret()));
        let reading = async {
            let mut response = lease.client.execute(request).await.map_err(Broken::Head)?;
            if own_url.is_some_and(|url| url != *response.url()) {
                return Err(Broken::Redirected(response.status(), response.url().clone()));
            }
            head = Some(Head {
                status: response.status(),
                headers: std::mem::take(response.headers_mut()),
                version: response.version(),
                arrived: self.clock.now(),
            });
            body.read(&mut response, self.limits.body)
                .await
                .map_err(Broken::Body)
        };
        let outcome = timeout(&*self.clock, limit.time, reading).await;
        if let Some(head) = &head {
            self.pools.answered(lease, head.version);
        }
        if !matches!(outcome, Some(Ok(()) | Err(Broken::Body(BodyError::TooLarge)))) {
            self.pools.leave(lease);
        }
        match (head, outcome) {
            (_, Some(Err(Broken::Redirected(status, url)))) => {
                Err(Self::redirected(info, sent, status, &url))
            }
            (Some(head), Some(Ok(()))) => Ok(head.with(body, left)),
            // The status and the headers count, whatever happens to the body.
            (Some(head), _) if !head.status.is_success() => Ok(head.with(body, left)),
            (Some(head), Some(Err(Broken::Body(error)))) => Err(self.unread(info, sent, head.status, error)),
            (_, Some(Err(Broken::Head(error)))) => Err(self.no_response(info, sent, error)),
            _ => Err(self.timed_out(info, limit)),
        }
    }

    fn timed_out(&self, info: &RequestInfo, limit: AttemptLimit) -> Failure {
        if limit.ends_the_call {
            Failure::permanent(self.call_timed_out(info))
        } else {
            Failure::sent(Error::timeout(info.label.clone(), "the response", limit.time))
        }
    }

    pub(super) fn call_timed_out(&self, info: &RequestInfo) -> Error {
        Error::timeout(info.label.clone(), "the call with its retries", self.limits.call)
    }
}

impl Head {
    fn with(self, body: Body, sent: Reading) -> BufferedResponse {
        BufferedResponse {
            status: self.status,
            headers: self.headers,
            body: body.freeze(),
            sent,
            arrived: self.arrived,
        }
    }
}
