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

use crate::reply::Reply;
use crate::shape;
use crate::transport::{Authorize, Purpose, Transport};

mod bindings {
    include!(concat!(env!("OUT_DIR"), "/bindings.rs"));
}

mod operations {
    use crate::operation::{Consumer, Evidence, Operation, Security};
    use crate::shape::{Field, Shape};

    include!(concat!(env!("OUT_DIR"), "/operations.rs"));
}

pub use bindings::{ByteStream, Client, ClientInfo, Error, ResponseValue, types};
pub use operations::*;
pub(crate) use operations::{RESERVED_ATTRIBUTES, SECRET_FIELDS};

pub use crate::operation::{Consumer, Evidence, Operation, Security};

/// What carries the calls of a [`Client`]: the transport, and whom it authenticates as.
#[derive(Clone)]
pub struct Caller {
    transport: Arc<Transport>,
    authorize: Option<Arc<dyn Authorize>>,
    /// Where the facade finds the outcome of its one call, which progenitor's errors can't carry. A client that is handed
    /// out has none: its calls may run side by side.
    outcome: Option<Arc<Mutex<Option<crate::Result<Reply>>>>>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Caller")
            .field("authenticated", &self.authorize.is_some())
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client to hand out.
    pub(crate) fn open(transport: Arc<Transport>, authorize: Option<Arc<dyn Authorize>>) -> Self {
        Self::with(Caller {
            transport,
            authorize,
            outcome: None,
        })
    }

    fn with(caller: Caller) -> Self {
        let base = caller.transport.base().as_str().to_owned();
        let http = caller.transport.http().clone();
        Self::new_with_client(&base, http, caller)
    }
}

impl progenitor_client::ClientHooks<Caller> for Client {
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
        let authorize = match operation.security {
            Security::None => None,
            Security::OptionalBearer | Security::Bearer => caller.authorize.as_deref(),
        };
        let mut result = caller
            .transport
            .send(&Purpose::operation(operation), request, authorize)
            .await;
        if caller.outcome.is_none() {
            result = result.and_then(|reply| fitting(operation, reply));
        }
        let response = match &result {
            Ok(reply) => reply.to_response(),
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

/// The reply with its body in the document's shape, or an error that names the field.
fn fitting(operation: &Operation, reply: Reply) -> crate::Result<Reply> {
    if matches!(operation.response, shape::Shape::Any) {
        return Ok(reply);
    }
    let value = fitted(operation, &reply)?;
    Ok(reply.with_body(value.to_string()))
}

fn fitted(operation: &Operation, reply: &Reply) -> crate::Result<serde_json::Value> {
    let refuse =
        |problem: String| crate::Error::unexpected_response(operation.id.into(), reply.status(), problem);
    let value = serde_json::from_slice(&reply.body).map_err(|_| refuse(reply.not_json()))?;
    shape::fit(value, &operation.response).map_err(|misfit| refuse(misfit.to_string()))
}

/// One call of the facade: the client to make it with, and its outcome as the facade's types.
pub(crate) struct Exchange {
    pub(crate) raw: Client,
    operation: &'static Operation,
    outcome: Arc<Mutex<Option<crate::Result<Reply>>>>,
}

impl Exchange {
    pub(crate) fn new(
        transport: &Arc<Transport>,
        operation: &'static Operation,
        authorize: Option<Arc<dyn Authorize>>,
    ) -> Self {
        let outcome = Arc::default();
        let caller = Caller {
            transport: Arc::clone(transport),
            authorize,
            outcome: Some(Arc::clone(&outcome)),
        };
        Self {
            raw: Client::with(caller),
            operation,
            outcome,
        }
    }

    /// What came of the call: the typed value, and the reply that it was read from.
    pub(crate) fn finish<T: DeserializeOwned, E>(
        self,
        result: Result<ResponseValue<T>, Error<E>>,
    ) -> crate::Result<(T, Reply)> {
        let (operation, reply) = (self.operation, self.reply()?);
        let value = match result {
            Ok(value) => value.into_inner(),
            Err(_) => serde_json::from_value(fitted(operation, &reply)?).map_err(|_| {
                let problem = "its fields have other types than the document says";
                crate::Error::unexpected_response(operation.id.into(), reply.status(), problem)
            })?,
        };
        Ok((value, reply))
    }

    /// The reply of a call whose answer is read as it is.
    pub(crate) fn finish_untyped<T, E>(self, _: Result<ResponseValue<T>, Error<E>>) -> crate::Result<Reply> {
        self.reply()
    }

    fn reply(&self) -> crate::Result<Reply> {
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
