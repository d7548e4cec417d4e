//! The way of one request: it is logged, meets its gate and its fault, is checked and handled, and the response is
//! checked against the document.

use std::collections::HashMap;
use std::sync::Mutex;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use crate::assumptions::Assumptions;
use crate::authorize::{authorize, caller, is_basic};
use crate::clock::EmulatorClock;
use crate::delivery::{ResetConnection, ResetSwitch, body_with_delivery};
use crate::document::Document;
use crate::errors::ApiError;
use crate::fault::{DateHeader, Fault, Reply};
use crate::fault_script::Faults;
use crate::log::{RecordedRequest, RequestLog};
use crate::operations::Operation;
use crate::request_context::{ApiResponse, RequestContext};
use crate::state::State;
use crate::stub::{Stub, Stubs};
use crate::sync::lock;

/// The longest request body that is read.
const MAX_REQUEST_BODY: usize = 1 << 20;

/// Shared by the server and by the handle that tests hold.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: EmulatorClock,
    pub(crate) state: Mutex<State>,
    pub(crate) assumptions: Assumptions,
    pub(crate) document: &'static Document,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) violations: Mutex<Vec<String>>,
    pub(crate) stubs: Mutex<Stubs>,
}

/// What the router found at the path of a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Operation(&'static Operation),
    /// A path that is not in the document.
    UnknownPath,
    /// A path of the document, with a method that it does not have.
    UnknownMethod,
}

/// What handles a request.
enum Handler {
    Operation(&'static Operation),
    Stub(Stub),
    None(ApiError),
}

/// A request whose body was read.
struct ReceivedRequest {
    parts: Parts,
    path_parameters: HashMap<String, String>,
    body: Bytes,
    /// The body, if it is JSON.
    json: Option<Value>,
}

pub(crate) async fn serve(
    shared: &Shared,
    target: Target,
    path_parameters: HashMap<String, String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let (name, handler) = handler_of(shared, target, &parts);
    let entry = shared.log.arrived(RecordedRequest::new(
        name.clone(),
        &parts.method,
        &parts.uri,
        &parts.headers,
        shared.document.secret_fields(),
    ));
    let (gate, fault) = shared.faults.next(&name);
    // The body is read before the gate, so that a test that holds a request can already look at it.
    let body = to_bytes(body, MAX_REQUEST_BODY).await;
    let json = body
        .as_ref()
        .ok()
        .and_then(|body| serde_json::from_slice::<Value>(body).ok());
    if let Some(json) = &json {
        shared.log.read_body(entry, json, shared.document.secret_fields());
    }
    if let Some(gate) = gate {
        gate.pass().await;
    }
    if let Some(delay) = fault.delay {
        shared.clock.sleep(delay).await;
    }
    let path = parts.uri.path().to_owned();
    let reset_switch = parts.extensions.get::<ResetSwitch>().cloned().unwrap_or_default();
    let (status, content) = match &fault.reply {
        Reply::Hang => std::future::pending().await,
        Reply::Reset => return ResetConnection::response(&reset_switch),
        Reply::Replacement {
            status,
            content_type,
            body,
        } => (*status, Some((content_type.clone(), body.clone()))),
        Reply::ErrorStatus(status) => {
            let response = error_response(shared, &ApiError::new(*status, "A scripted fault"), &path);
            (response.status, response.content)
        }
        Reply::Normal => {
            let response = match body {
                Ok(body) => {
                    let request = ReceivedRequest {
                        parts,
                        path_parameters,
                        body,
                        json,
                    };
                    handle(shared, &handler, request, &fault)
                }
                Err(_) => Err(ApiError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "The request body is too large",
                )),
            };
            let response = response.unwrap_or_else(|error| error_response(shared, &error, &path));
            check_response(shared, &handler, &response);
            (response.status, response.content)
        }
    };
    shared.log.responded(entry, status);
    deliver(shared, reset_switch, fault, status, content)
}

/// What handles the request, and the name by which the log and the faults know it.
fn handler_of(shared: &Shared, target: Target, parts: &Parts) -> (String, Handler) {
    let path = parts.uri.path();
    let error = match target {
        Target::Operation(operation) => return (operation.id.to_owned(), Handler::Operation(operation)),
        Target::UnknownPath => ApiError::not_found("Nothing is at this path"),
        Target::UnknownMethod => ApiError::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "The path does not have this method",
        ),
    };
    match lock(&shared.stubs).find(&parts.method, path) {
        Some((name, stub)) => (name, Handler::Stub(stub)),
        None => (format!("{} {path}", parts.method), Handler::None(error)),
    }
}

fn error_response(shared: &Shared, error: &ApiError, path: &str) -> ApiResponse {
    ApiResponse::json_with_status(error.status, &error.body(path, shared.clock.now()))
}

/// Records where the emulator's own response does not fit the document.
fn check_response(shared: &Shared, handler: &Handler, response: &ApiResponse) {
    let Handler::Operation(operation) = handler else {
        return;
    };
    let (content_type, body) = match &response.content {
        Some((content_type, body)) => (content_type.to_str().ok(), &body[..]),
        None => (None, &[][..]),
    };
    if let Err(violation) = shared
        .document
        .check_response(operation.id, response.status, content_type, body)
    {
        lock(&shared.violations).push(violation);
    }
}

fn handle(
    shared: &Shared,
    handler: &Handler,
    request: ReceivedRequest,
    fault: &Fault,
) -> Result<ApiResponse, ApiError> {
    let headers = &request.parts.headers;
    check_headers(headers)?;
    let now = shared.clock.now();
    let mut state = lock(&shared.state);
    let operation = match handler {
        Handler::Operation(operation) => operation,
        Handler::Stub(stub) => {
            if stub.needs_token {
                caller(headers, &state, &shared.assumptions, now)?;
            }
            return Ok(ApiResponse {
                status: stub.status,
                content: stub.content.clone(),
            });
        }
        Handler::None(error) => return Err(error.clone()),
    };
    let consumer = authorize(operation, headers, &state, &shared.assumptions, now)?;
    if consumer.is_some() {
        let scheme = if is_basic(headers) { "basic" } else { "bearer" };
        if let Err(violation) = shared.document.check_scheme(operation.id, scheme) {
            lock(&shared.violations).push(violation);
        }
    }
    let body = if operation.takes_body() {
        json_body(headers, &request.body, request.json)?
    } else {
        None
    };
    let query = query_of(&request.parts);
    shared
        .document
        .check_request(operation.id, &request.path_parameters, &query, body.as_ref())?;
    let mut context = RequestContext {
        state: &mut state,
        assumptions: &shared.assumptions,
        consumer,
        headers,
        path_parameters: request.path_parameters,
        query,
        body: body.unwrap_or_default(),
        now,
        token_shape: fault.token,
        reserved_attributes: shared.document.reserved_attributes(),
    };
    (operation.serve)(&mut context)
}

/// Refuses a request that sends one of these headers more than once.
fn check_headers(headers: &HeaderMap) -> Result<(), ApiError> {
    for name in ["authorization", "api-version", "content-type"] {
        if headers.get_all(name).iter().nth(1).is_some() {
            return Err(ApiError::bad_request(format!(
                "The header {name} was sent more than once"
            )));
        }
    }
    Ok(())
}

fn json_body(headers: &HeaderMap, body: &Bytes, json: Option<Value>) -> Result<Option<Value>, ApiError> {
    if body.is_empty() {
        return Ok(None);
    }
    let media = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim();
    if !media.eq_ignore_ascii_case("application/json") {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "The content type is not application/json",
        ));
    }
    json.map(Some)
        .ok_or_else(|| ApiError::bad_request("The request body is not JSON"))
}

fn query_of(parts: &Parts) -> HashMap<String, String> {
    axum::extract::Query::try_from_uri(&parts.uri)
        .map(|axum::extract::Query(query)| query)
        .unwrap_or_default()
}

fn deliver(
    shared: &Shared,
    reset_switch: ResetSwitch,
    fault: Fault,
    status: StatusCode,
    content: Option<(HeaderValue, Bytes)>,
) -> Response {
    let Fault {
        delivery,
        headers,
        date,
        ..
    } = fault;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Some((content_type, body)) = content {
        let (body, length) = body_with_delivery(body, delivery, reset_switch, &shared.clock);
        *response.body_mut() = body;
        response.headers_mut().insert(header::CONTENT_TYPE, content_type);
        if let Some(length) = length {
            response
                .headers_mut()
                .insert(header::CONTENT_LENGTH, length.into());
        }
    }
    let date = match date {
        DateHeader::Missing => None,
        DateHeader::Value(value) => Some(value),
        DateHeader::Clock => HeaderValue::from_str(&httpdate::fmt_http_date(shared.clock.now())).ok(),
    };
    if let Some(date) = date {
        response.headers_mut().insert(header::DATE, date);
    }
    for (name, value) in headers {
        response.headers_mut().insert(name, value);
    }
    response
}
