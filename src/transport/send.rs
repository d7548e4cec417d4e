//! The one place that sends: headers, authentication, timeouts, retries, traces; and every failure becomes an [`Error`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use reqwest::{Request, StatusCode};
use tracing::Instrument;

use crate::clock::{Clock, SleepPurpose, timeout};
use crate::error::{ApiError, Error, Redactor, Result, error_chain};
use crate::operation::{Evidence, Operation, Security};
use crate::random::Random;
use crate::token::Token;

use super::base_url::BaseUrl;
use super::error_in_success::{Verdict, judge};
use super::response::BufferedResponse;
use super::retry::{RetryBudget, RetryPolicy, retry_after};

const API_VERSION: (HeaderName, HeaderValue) = (
    HeaderName::from_static("api-version"),
    HeaderValue::from_static("4.4"),
);

/// How much memory is reserved for an answer by what it announces. The limit may be as large as a user likes.
const MOST_RESERVED: usize = 1024 * 1024;

/// A future of the crate's own traits.
pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Whom a request is authenticated as.
pub(crate) trait Authenticator: Send + Sync {
    /// The token to send.
    fn token(&self) -> BoxFuture<'_, Result<Token>>;

    /// The server answered 401 to `token`, to a call of an operation or of another endpoint. Returns whether another token can
    /// be had, so that another attempt makes sense.
    fn on_unauthorized(&self, token: &Token, operation: Option<&'static Operation>) -> bool;

    /// The server accepted `token`, after it had refused the one before.
    fn on_refresh_helped(&self, _token: &Token) {}
}

/// A token that is sent as it is: there is no other one.
impl Authenticator for Token {
    fn token(&self) -> BoxFuture<'_, Result<Token>> {
        Box::pin(std::future::ready(Ok(self.clone())))
    }

    fn on_unauthorized(&self, _: &Token, _: Option<&'static Operation>) -> bool {
        false
    }
}

/// What is sent, as far as sending needs to know.
#[derive(Debug, Clone)]
pub(crate) struct RequestInfo {
    label: Cow<'static, str>,
    template: Cow<'static, str>,
    operation: Option<&'static Operation>,
    idempotent: bool,
    send_once: bool,
}

impl RequestInfo {
    pub(crate) fn operation(operation: &'static Operation) -> Self {
        Self {
            label: operation.id.into(),
            template: operation.path.into(),
            operation: Some(operation),
            idempotent: operation.idempotent,
            send_once: operation.send_once,
        }
    }

    /// Any other endpoint. Its query is left out of errors and traces: there may be a tracker key in it.
    pub(crate) fn endpoint(method: &reqwest::Method, path: &str) -> Self {
        let path = path.split(['?', '#']).next().unwrap_or_default();
        Self {
            label: format!("{method} {path}").into(),
            template: path.to_owned().into(),
            operation: None,
            idempotent: method.is_idempotent(),
            send_once: false,
        }
    }

    pub(crate) fn label(&self) -> &str {
        &self.label
    }

    fn hint(&self, status: u16) -> Option<&'static str> {
        let operation = self.operation?;
        match (status, operation.evidence, operation.security) {
            (404, Evidence::Inferred, _) => Some(
                "its path is not published and was inferred: give the right one to ClientBuilder::server_side_login_path",
            ),
            (400 | 401, _, Security::None) => Some(
                "check that the key or password is right, active, of the kind that this login takes, and of this region",
            ),
            _ => None,
        }
    }
}

/// The limits of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) attempt: Duration,
    pub(crate) call: Duration,
    pub(crate) body: usize,
}

/// Sends requests.
#[derive(Debug)]
pub(crate) struct Transport {
    pub(crate) http: reqwest::Client,
    pub(crate) base: BaseUrl,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn Random>,
    pub(crate) limits: Limits,
    pub(crate) retry: RetryPolicy,
    pub(crate) budget: RetryBudget,
    /// Paths that the builder was given in place of the document's, by operation id.
    pub(crate) paths: HashMap<&'static str, String>,
}

/// Why one attempt came to nothing.
struct Failure {
    error: Error,
    /// The request can't have left.
    unsent: bool,
}

impl Transport {
    pub(crate) fn base(&self) -> &BaseUrl {
        &self.base
    }

    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.http
    }

    /// Sends a request until it succeeds, or until trying again makes no sense.
    pub(crate) async fn send(
        &self,
        info: &RequestInfo,
        mut request: Request,
        authenticator: Option<&dyn Authenticator>,
    ) -> Result<BufferedResponse> {
        // Told here, because the timers and the sockets below would panic, or wait for ever.
        if tokio::runtime::Handle::try_current().is_err() {
            return Err(Error::no_runtime());
        }
        let (name, value) = API_VERSION;
        // progenitor appends a version of its own, and two values would be sent.
        request.headers_mut().insert(name, value);
        if let Some(path) = info.operation.and_then(|operation| self.paths.get(operation.id)) {
            *request.url_mut() = self.base.join(path)?;
        }
        let sending = self.send_until_settled(info, request, authenticator);
        timeout(&*self.clock, self.limits.call, sending)
            .await
            .unwrap_or_else(|| {
                Err(Error::timeout(
                    info.label.clone(),
                    "the call with its retries",
                    self.limits.call,
                ))
            })
    }

    async fn send_until_settled(
        &self,
        info: &RequestInfo,
        request: Request,
        authenticator: Option<&dyn Authenticator>,
    ) -> Result<BufferedResponse> {
        let mut current = request;
        let mut attempt = 1;
        let mut renewed = false;
        let mut refused = None;
        loop {
            // A body that is a stream can't be sent twice: such a request is sent as it is, once.
            let again = current.try_clone();
            let token = match authenticator {
                Some(authenticator) => {
                    let token = authenticator.token().await;
                    Some(token.map_err(|error| error.caused_by(refused.take()))?)
                }
                None => None,
            };
            if let Some(token) = &token {
                current
                    .headers_mut()
                    .insert(AUTHORIZATION, token.header().clone());
            }
            let (error, unsent, status) = match self.attempt(info, current, attempt).await {
                Ok(response) if response.status.is_success() => {
                    if renewed && let Some((authenticator, token)) = authenticator.zip(token.as_ref()) {
                        authenticator.on_refresh_helped(token);
                    }
                    self.budget.earn();
                    return self.judged(info, response, token.as_ref(), again.as_ref());
                }
                Ok(response) => {
                    let error = self.refusal(info, &response, token.as_ref(), again.as_ref());
                    (error, false, Some(response.status))
                }
                Err(failure) => (failure.error, failure.unsent, None),
            };
            // Told whether or not this request can be sent again: the next one must not get the same token.
            let refreshable = status == Some(StatusCode::UNAUTHORIZED)
                && !renewed
                && authenticator
                    .zip(token.as_ref())
                    .is_some_and(|(authenticator, token)| {
                        authenticator.on_unauthorized(token, info.operation)
                    });
            let Some(again) = again else { return Err(error) };
            if refreshable && !info.send_once {
                renewed = true;
                refused = Some(error);
            } else if let Some(wait) = self.wait(info, attempt, &error, unsent, status) {
                self.clock.sleep_for(wait, SleepPurpose::Backoff).await;
                attempt += 1;
            } else {
                return Err(error);
            }
            current = again;
        }
    }

    /// How long to wait before the next attempt; `None` when there is to be none.
    fn wait(
        &self,
        info: &RequestInfo,
        attempt: u32,
        error: &Error,
        unsent: bool,
        status: Option<StatusCode>,
    ) -> Option<Duration> {
        let safe = match status.map(|status| status.as_u16()) {
            // The server says that it did nothing.
            Some(429 | 503) => !info.send_once,
            Some(408 | 500..=599) => info.idempotent,
            Some(_) => false,
            None => unsent || info.idempotent,
        };
        if !safe || attempt >= self.retry.max_attempts {
            return None;
        }
        let wait = self.retry.delay(attempt, error.retry_after(), &*self.random)?;
        self.budget.spend().then_some(wait)
    }

    async fn attempt(
        &self,
        info: &RequestInfo,
        request: Request,
        attempt: u32,
    ) -> Result<BufferedResponse, Failure> {
        let span = tracing::debug_span!(
            "synerise.request",
            operation = %info.label,
            http.request.method = %request.method(),
            http.request.resend_count = attempt - 1,
            server.address = self.base.host(),
            server.port = self.base.port(),
            url.template = %info.template,
            http.response.status_code = tracing::field::Empty,
            error.type = tracing::field::Empty,
        );
        let call = self.call(info, request).instrument(span.clone());
        let outcome = timeout(&*self.clock, self.limits.attempt, call)
            .await
            .unwrap_or_else(|| {
                let error = Error::timeout(info.label.clone(), "the answer", self.limits.attempt);
                Err(Failure { error, unsent: false })
            });
        match &outcome {
            Ok(response) => span.record("http.response.status_code", response.status.as_u16()),
            Err(failure) => span.record("error.type", failure.error.kind().as_str()),
        };
        outcome
    }

    async fn call(&self, info: &RequestInfo, request: Request) -> Result<BufferedResponse, Failure> {
        let failure = |error| Failure { error, unsent: false };
        let sent = self.clock.now();
        let mut response = self.http.execute(request).await.map_err(|error| {
            let unsent = error.is_connect() || error.is_builder();
            Failure {
                error: self.connection_error(info, error),
                unsent,
            }
        })?;
        let arrived = self.clock.now();
        let status = response.status();
        let too_large = || {
            let problem = format!("it is larger than {} bytes", self.limits.body);
            failure(Error::unexpected_response(
                info.label.clone(),
                status.as_u16(),
                problem,
            ))
        };
        let announced = response
            .content_length()
            .and_then(|length| usize::try_from(length).ok())
            .unwrap_or_default();
        if announced > self.limits.body {
            return Err(too_large());
        }
        let mut body = BytesMut::with_capacity(announced.min(MOST_RESERVED));
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| failure(self.connection_error(info, error)))?
        {
            if body.len() + chunk.len() > self.limits.body {
                return Err(too_large());
            }
            body.extend_from_slice(&chunk);
        }
        let headers = std::mem::take(response.headers_mut());
        Ok(BufferedResponse {
            status,
            headers,
            body: body.freeze(),
            sent,
            arrived,
        })
    }

    fn connection_error(&self, info: &RequestInfo, error: reqwest::Error) -> Error {
        let error = error.without_url();
        let host = format!("{}:{}", self.base.host(), self.base.port());
        Error::connection(
            info.label.clone(),
            &host,
            error_chain(&error, &Redactor::default()),
        )
    }

    fn refusal(
        &self,
        info: &RequestInfo,
        response: &BufferedResponse,
        token: Option<&Token>,
        request: Option<&Request>,
    ) -> Error {
        let status = response.status.as_u16();
        if response.status.is_redirection() || response.status.is_informational() {
            let target = response
                .headers
                .get(reqwest::header::LOCATION)
                .and_then(|value| value.to_str().ok());
            let host = target
                .and_then(|target| url::Url::parse(target).ok())
                .and_then(|url| url.host_str().map(str::to_owned));
            let problem = match host {
                Some(host) => format!("it redirects to {host}, where no credential is sent"),
                None => "it is a redirect, which is not followed with a credential".to_owned(),
            };
            return Error::unexpected_response(info.label.clone(), status, problem);
        }
        self.api_error(info, response, token, request)
    }

    /// The response of a success, unless its body says that it is an error.
    fn judged(
        &self,
        info: &RequestInfo,
        response: BufferedResponse,
        token: Option<&Token>,
        request: Option<&Request>,
    ) -> Result<BufferedResponse> {
        let Some(operation) = info.operation else {
            // Nothing is known of what another endpoint answers.
            return Ok(response);
        };
        match judge(operation, &response.body) {
            Verdict::Success => Ok(response),
            Verdict::Error => Err(self.api_error(info, &response, token, request)),
            Verdict::NotJson => Err(Error::unexpected_response(
                info.label.clone(),
                response.status(),
                response.not_json(),
            )),
        }
    }

    /// The error that the server describes in the body.
    fn api_error(
        &self,
        info: &RequestInfo,
        response: &BufferedResponse,
        token: Option<&Token>,
        request: Option<&Request>,
    ) -> Error {
        let status = response.status.as_u16();
        let mut redactor = request.map(Redactor::for_request).unwrap_or_default();
        if let Some(token) = token {
            redactor.add(token.expose());
        }
        let wait = retry_after(&response.headers, self.clock.now().wall);
        ApiError::read(info.label.clone(), status, wait, &response.body, &redactor)
            .with_hint(info.hint(status))
            .into()
    }
}
