//! One call of an operation: the generated client creates the request, and this module sends it and reads the response.

use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::Bytes;
use http::HeaderMap;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::{Error, Result, is_secret_name};
use crate::foreign_json::without_mark;
use crate::operation::{Operation, Security};
use crate::transport::{BoxFuture, BufferedResponse, RequestInfo, WipedBuffer};

use super::ClientState;
use super::coerce::{self, Unreadable};

/// A call of an operation. Await it to send it.
#[must_use = "a call does nothing until it is awaited"]
pub struct Call<'a, T> {
    state: &'a ClientState,
    operation: &'static Operation,
    request: Result<reqwest::Request>,
    read: fn(&'static Operation, &BufferedResponse) -> Result<T>,
}

impl<'a, T: DeserializeOwned> Call<'a, T> {
    /// A call whose response is JSON.
    pub(super) fn json(state: &'a ClientState, operation: &'static Operation, request: Built) -> Self {
        Self::new(state, operation, request, read_json)
    }
}

impl<'a> Call<'a, ()> {
    /// A call with no documented response except the status.
    pub(super) fn empty(state: &'a ClientState, operation: &'static Operation, request: Built) -> Self {
        Self::new(state, operation, request, |_, _| Ok(()))
    }
}

impl<'a> Call<'a, Bytes> {
    /// A call whose response is not JSON.
    pub(super) fn bytes(state: &'a ClientState, operation: &'static Operation, request: Built) -> Self {
        Self::new(state, operation, request, |_, response| Ok(response.body.clone()))
    }
}

/// Headers without a secret that the generated code sends with most requests. Judging their names costs each call some 3,000
/// instructions.
const WITHOUT_SECRET: [&str; 3] = ["accept", "api-version", "content-type"];

/// Marks the headers that hold a secret, so that nothing prints them.
fn mark_secrets(mut request: reqwest::Request) -> reqwest::Request {
    for (name, value) in request.headers_mut() {
        let name = name.as_str();
        if !WITHOUT_SECRET.contains(&name) && is_secret_name(name) {
            value.set_sensitive(true);
        }
    }
    request
}

/// The request from the generated code, or its error.
type Built = Result<reqwest::Request, progenitor_client::Error<()>>;

impl<'a, T> Call<'a, T> {
    fn new(
        state: &'a ClientState,
        operation: &'static Operation,
        request: Built,
        read: fn(&'static Operation, &BufferedResponse) -> Result<T>,
    ) -> Self {
        // The generated code's error is not printed, because it can quote a value.
        let request = request.map_err(|_| {
            Error::invalid_input(
                operation.id,
                "can't be made into a request",
                "check what is passed in",
            )
        });
        Self {
            state,
            operation,
            request: request.map(mark_secrets),
            read,
        }
    }

    /// Sends the request. Returns the typed value, and the response that it was read from.
    pub(crate) async fn read(self) -> Result<(T, BufferedResponse)> {
        let (operation, read) = (self.operation, self.read);
        let response = self.response().await?;
        Ok((read(operation, &response)?, response))
    }

    /// Sends the request. Returns the response, not yet parsed.
    pub(crate) async fn response(self) -> Result<BufferedResponse> {
        // A login takes no token, so none is fetched for it.
        let authenticator = match self.operation.security {
            Security::None => None,
            Security::OptionalBearer | Security::Bearer => self.state.authenticator.as_deref(),
        };
        let info = RequestInfo::operation(self.operation);
        let transport = &self.state.transport;
        transport.send(&info, self.request?, authenticator).await
    }
}

impl<'a, T: 'a> IntoFuture for Call<'a, T> {
    type Output = Result<ResponseValue<T>>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let (value, response) = self.read().await?;
            Ok(ResponseValue { value, response })
        })
    }
}

impl<T> fmt::Debug for Call<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Call").field(&self.operation).finish()
    }
}

/// The response of an operation: its value, with the status and headers.
pub struct ResponseValue<T> {
    value: T,
    response: BufferedResponse,
}

impl<T> ResponseValue<T> {
    /// Returns the HTTP status, which is always a success.
    pub fn status(&self) -> http::StatusCode {
        self.response.status
    }

    /// Returns the response's headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.response.headers
    }

    /// Returns the value alone.
    pub fn into_inner(self) -> T {
        self.value
    }
}

impl<T> Deref for ResponseValue<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for ResponseValue<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T: fmt::Debug> fmt::Debug for ResponseValue<T> {
    /// Omits the headers, because they can quote a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseValue")
            .field("value", &self.value)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// A body that fits the document's types is parsed as it is. Any other body is converted, or refused with the field's name.
///
/// serde is not strict enough for all of them. It reads a list as an object, element by element, and to it, a name in another
/// letter case is the name of nothing.
fn read_json<T: DeserializeOwned>(operation: &'static Operation, response: &BufferedResponse) -> Result<T> {
    let body = without_mark(&response.body);
    let shape = &operation.response;
    let needs_care = shape.holds_decision() || shape.holds_object() && body.contains(&b'[');
    if !needs_care && let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    converted(operation, response, coerce::read(operation, body))
}

/// Reads a whole body that is one of the operation's documented fields. The absence of some fields in it is `deciding`.
pub(crate) fn read_as_field<T: DeserializeOwned>(
    operation: &'static Operation,
    name: &str,
    deciding: &[&str],
    response: &BufferedResponse,
) -> Result<T> {
    converted(
        operation,
        response,
        coerce::read_as_field(operation, name, deciding, &response.body),
    )
}

fn converted<T: DeserializeOwned>(
    operation: &'static Operation,
    response: &BufferedResponse,
    value: Result<Value, Unreadable>,
) -> Result<T> {
    let refuse =
        |problem: String| Error::unexpected_response(operation.id.into(), response.status(), problem);
    let value = value.map_err(|problem| match problem {
        Unreadable::NotJson => refuse(response.not_json()),
        Unreadable::Unfit(problem) => refuse(problem),
    })?;
    serde_json::from_value(value)
        .map_err(|_| refuse("its fields have other types than the document says".to_owned()))
}

/// A request's body as JSON.
pub(crate) fn json_body<T: Serialize + ?Sized>(value: &T) -> BodyResult {
    serde_json::to_vec(value)
        .map(reqwest::Body::from)
        .map_err(unwritable)
}

/// A request's body as JSON that contains a secret. It is wiped from memory when the last copy of the request is dropped.
pub(crate) fn secret_json_body<T: Serialize + ?Sized>(value: &T) -> BodyResult {
    let mut json = WipedBuffer::with_capacity(256);
    serde_json::to_writer(&mut json, value).map_err(unwritable)?;
    Ok(json.freeze().into())
}

type BodyResult = Result<reqwest::Body, progenitor_client::Error<()>>;

/// serde's message is left out, because it can quote a value.
fn unwritable(_: serde_json::Error) -> progenitor_client::Error<()> {
    progenitor_client::Error::InvalidRequest("can't be written as JSON".into())
}
