//! The generated bindings: every operation and type of the vendored document, as progenitor writes them.
//!
//! This is the escape hatch below the facade: [`Session::raw`](crate::Session::raw) gives a [`Client`] that
//! authenticates, retries, times out and traces like the facade does. Its errors are one line of the facade's [`Error`]
//! as text: what progenitor would print of a body, a header or a token never gets that far.
//!
//! The types here follow the document and change with it; the facade's don't.
//!
//! [`Error`]: crate::Error

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    missing_docs,
    unreachable_patterns,
    unreachable_pub,
    unused_qualifications,
    rustdoc::bare_urls,
    rustdoc::invalid_html_tags,
    rustdoc::broken_intra_doc_links,
    reason = "generated code"
)]

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::transport::BufferedResponse;
use crate::transport::{Authenticator, RequestInfo, Transport};

pub(crate) mod coerce;
pub(crate) mod conversions;
mod unique;

mod generated {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

pub use generated::{ByteStream, Client, ClientInfo, Error, ResponseValue, types};

pub use crate::operation::*;

/// What carries the calls of a [`Client`]: the transport, and whom it authenticates as.
#[derive(Clone)]
pub struct ClientState {
    transport: Arc<Transport>,
    authenticator: Option<Arc<dyn Authenticator>>,
    /// Where the facade finds the outcome of its one call, which progenitor's errors can't carry. A client that is handed
    /// out has none: its calls may run side by side.
    outcome: Option<Arc<Mutex<Option<crate::Result<BufferedResponse>>>>>,
}

impl fmt::Debug for ClientState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientState")
            .field("authenticated", &self.authenticator.is_some())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client to hand out.
    pub(crate) fn open(transport: Arc<Transport>, authenticator: Option<Arc<dyn Authenticator>>) -> Self {
        Self::with(ClientState {
            transport,
            authenticator,
            outcome: None,
        })
    }

    fn with(caller: ClientState) -> Self {
        let base = caller.transport.base().as_str().to_owned();
        let http = caller.transport.http().clone();
        Self::new_with_client(&base, http, caller)
    }
}

impl progenitor_client::ClientHooks<ClientState> for Client {
    async fn exec(
        &self,
        request: reqwest::Request,
        info: &progenitor_client::OperationInfo,
    ) -> reqwest::Result<reqwest::Response> {
        let caller = self.inner();
        let Some(operation) = OPERATIONS
            .iter()
            .find(|operation| operation.name == info.operation_id)
        else {
            // build.rs checks that each generated method has its row.
            return self.client().execute(request).await;
        };
        // A login takes no token, so that none is fetched for it.
        let authenticator = match operation.security {
            Security::None => None,
            Security::OptionalBearer | Security::Bearer => caller.authenticator.as_deref(),
        };
        let mut result = caller
            .transport
            .send(&RequestInfo::operation(operation), request, authenticator)
            .await;
        if caller.outcome.is_none() {
            result = result.and_then(|response| coerce_body(operation, response));
        }
        let response = match &result {
            Ok(response) => response.to_response(),
            Err(error) => failure(error),
        };
        if let Some(outcome) = &caller.outcome {
            *outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(result);
        }
        Ok(response)
    }

    async fn post<E>(
        &self,
        result: &reqwest::Result<reqwest::Response>,
        _: &progenitor_client::OperationInfo,
    ) -> Result<(), Error<E>> {
        match result
            .as_ref()
            .ok()
            .and_then(|response| response.extensions().get::<crate::Error>())
        {
            Some(error) => Err(Error::Custom(error.to_string())),
            None => Ok(()),
        }
    }
}

/// An answer that takes an error to the `post` hook, where progenitor lets an error out.
fn failure(error: &crate::Error) -> reqwest::Response {
    let mut response = http::Response::new(reqwest::Body::default());
    *response.status_mut() = http::StatusCode::INTERNAL_SERVER_ERROR;
    response.extensions_mut().insert(error.clone());
    reqwest::Response::from(response)
}

/// The response with its body in the document's shape, or an error that names the field.
fn coerce_body(operation: &Operation, response: BufferedResponse) -> crate::Result<BufferedResponse> {
    if matches!(operation.response, Shape::Nothing | Shape::Any | Shape::Kept(_)) {
        return Ok(response);
    }
    let value = coerced(operation, &response)?;
    Ok(response.with_body(value.to_string()))
}

fn coerced(operation: &Operation, response: &BufferedResponse) -> crate::Result<serde_json::Value> {
    let refuse =
        |problem: String| crate::Error::unexpected_response(operation.id.into(), response.status(), problem);
    coerce::read(operation, &response.body).map_err(|problem| match problem {
        coerce::Unreadable::NotJson => refuse(response.not_json()),
        coerce::Unreadable::Unfit(problem) => refuse(problem),
    })
}

/// One call of the facade: the client to make it with, and its outcome as the facade's types.
pub(crate) struct Call {
    pub(crate) raw: Client,
    operation: &'static Operation,
    outcome: Arc<Mutex<Option<crate::Result<BufferedResponse>>>>,
}

impl Call {
    pub(crate) fn new(
        transport: &Arc<Transport>,
        operation: &'static Operation,
        authenticator: Option<Arc<dyn Authenticator>>,
    ) -> Self {
        let outcome = Arc::default();
        let caller = ClientState {
            transport: Arc::clone(transport),
            authenticator,
            outcome: Some(Arc::clone(&outcome)),
        };
        Self {
            raw: Client::with(caller),
            operation,
            outcome,
        }
    }

    /// What came of the call: the typed value, and the response that it was read from.
    pub(crate) fn finish<T: DeserializeOwned, E>(
        self,
        result: Result<ResponseValue<T>, Error<E>>,
    ) -> crate::Result<(T, BufferedResponse)> {
        let (operation, response) = (self.operation, self.response()?);
        let value = match result {
            Ok(value) => value.into_inner(),
            Err(_) => serde_json::from_value(coerced(operation, &response)?).map_err(|_| {
                let problem = "its fields have other types than the document says";
                crate::Error::unexpected_response(operation.id.into(), response.status(), problem)
            })?,
        };
        Ok((value, response))
    }

    /// The response of a call whose answer is read as it is.
    pub(crate) fn finish_untyped<T, E>(
        self,
        _: Result<ResponseValue<T>, Error<E>>,
    ) -> crate::Result<BufferedResponse> {
        self.response()
    }

    fn response(&self) -> crate::Result<BufferedResponse> {
        let outcome = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        // progenitor gives up before it sends only when a value can't be put into a request.
        outcome.unwrap_or_else(|| {
            let remedy = "check what is passed in";
            Err(crate::Error::invalid_input(
                self.operation.id,
                "can't be made into a request",
                remedy,
            ))
        })
    }
}
