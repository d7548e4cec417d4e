//! The way of one request: counted, perhaps held or spoiled by a fault, checked, served, checked again.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::Value;

use crate::assumptions::Assumptions;
use crate::authorize::{authorize, bearer};
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
use crate::sync::lock;

/// The longest request body that is read.
const LONGEST_REQUEST: usize = 1 << 20;

/// What the server and the handle that tests hold both use.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) clock: Arc<EmulatorClock>,
    pub(crate) state: Mutex<State>,
    pub(crate) assumptions: Assumptions,
    pub(crate) document: Document,
    pub(crate) faults: Faults,
    pub(crate) log: RequestLog,
    pub(crate) violations: Mutex<Vec<String>>,
    /// Answers of paths that the document does not have, by `METHOD /path`.
    pub(crate) stubs: Mutex<BTreeMap<String, Value>>,
}

/// Where a request goes.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    Operation(&'static Operation),
    /// A path that the document does not have; perhaps a stub's.
    Elsewhere,
    /// A path of the document, with a method that it does not have.
    OtherMethod,
}

pub(crate) async fn serve(
    shared: &Shared,
    target: Target,
    path_parameters: HashMap<String, String>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let name = match target {
        Target::Operation(operation) => operation.id.to_owned(),
        Target::Elsewhere | Target::OtherMethod => format!("{} {}", parts.method, parts.uri.path()),
    };
    let entry = shared.log.arrived(RecordedRequest::new(
        name.clone(),
        &parts.method,
        &parts.uri,
        &parts.headers,
    ));
    let (gate, fault) = shared.faults.next(&name);
    // The body is read before the gate, so that a test that holds a request can already look at it.
    let body = to_bytes(body, LONGEST_REQUEST).await;
    let json = body
        .as_ref()
        .ok()
        .and_then(|body| serde_json::from_slice::<Value>(body).ok());
    if let Some(json) = &json {
        shared.log.read_body(entry, json);
    }
    if let Some(gate) = gate {
        gate.pass().await;
    }
    if let Some(deadline) = fault
        .delay
        .and_then(|delay| shared.clock.now().checked_add(delay))
    {
        shared.clock.wait_until(deadline).await;
    }
    let path = parts.uri.path();
    let (status, content) = match &fault.reply {
        Reply::Hang => std::future::pending().await,
        Reply::Reset => return ResetConnection::response(parts.extensions.get::<ResetSwitch>()),
        Reply::Replacement {
            status,
            content_type,
            body,
        } => (*status, Some((content_type.clone(), body.clone()))),
        Reply::ApiError(status) => json_of(&error_response(
            shared,
            &ApiError::new(*status, "A scripted fault"),
            path,
        )),
        Reply::Normal => {
            let answer = match body {
                Ok(body) => handle(
                    shared,
                    target,
                    &name,
                    &parts,
                    path_parameters,
                    &body,
                    json,
                    &fault,
                ),
                Err(_) => Err(ApiError::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "The request body is too large",
                )),
            };
            let answer = answer.unwrap_or_else(|error| error_response(shared, &error, path));
            check(shared, target, &answer);
            json_of(&answer)
        }
    };
    shared.log.answered(entry, status);
    deliver(shared, &parts, fault, status, content)
}

type Content = Option<(HeaderValue, Bytes)>;

fn json_of(answer: &ApiResponse) -> (StatusCode, Content) {
    let content = answer.content.as_ref();
    (
        answer.status,
        content.map(|(media, body)| (HeaderValue::from_static(media), body.clone())),
    )
}

fn error_response(shared: &Shared, error: &ApiError, path: &str) -> ApiResponse {
    ApiResponse::json_with_status(error.status, &error.body(path, shared.clock.now()))
}

/// Notes where the emulator itself departs from the document.
fn check(shared: &Shared, target: Target, answer: &ApiResponse) {
    let Target::Operation(operation) = target else {
        return;
    };
    let (media, body) = answer
        .content
        .as_ref()
        .map_or((None, &[] as &[u8]), |(media, body)| (Some(*media), body));
    if let Err(violation) = shared
        .document
        .check_answer(operation.id, answer.status, media, body)
    {
        lock(&shared.violations).push(violation);
    }
}

#[expect(
    clippy::too_many_arguments,
    reason = "the one caller above has them all apart"
)]
fn handle(
    shared: &Shared,
    target: Target,
    name: &str,
    parts: &Parts,
    path_parameters: HashMap<String, String>,
    body: &Bytes,
    json: Option<Value>,
    fault: &Fault,
) -> Result<ApiResponse, ApiError> {
    check_headers(&parts.headers)?;
    let now = shared.clock.now();
    let mut state = lock(&shared.state);
    let operation = match target {
        Target::Operation(operation) => operation,
        Target::OtherMethod => {
            return Err(ApiError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "The path has no such method",
            ));
        }
        Target::Elsewhere => {
            let stub = lock(&shared.stubs).get(name).cloned();
            let stub = stub.ok_or_else(|| ApiError::not_found("There is nothing at this path"))?;
            bearer(&parts.headers, &state, &shared.assumptions, now)?;
            return Ok(ApiResponse::json(&stub));
        }
    };
    let consumer = authorize(operation, &parts.headers, &state, &shared.assumptions, now)?;
    let body = if operation.takes_body() {
        json_body(&parts.headers, body, json)?
    } else {
        None
    };
    let query = query_of(parts);
    shared
        .document
        .check_request(operation.id, &path_parameters, &query, body.as_ref())?;
    let mut context = RequestContext {
        state: &mut state,
        assumptions: &shared.assumptions,
        consumer,
        path_parameters,
        query,
        body: body.unwrap_or_default(),
        now,
        token_shape: fault.token,
        reserved_attributes: shared.document.reserved_attributes(),
    };
    (operation.serve)(&mut context)
}

/// Headers of which a client must send one at most.
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

fn deliver(shared: &Shared, parts: &Parts, fault: Fault, status: StatusCode, content: Content) -> Response {
    let Fault {
        delivery,
        headers,
        date,
        ..
    } = fault;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    if let Some((media, body)) = content {
        let switch = parts.extensions.get::<ResetSwitch>().cloned().unwrap_or_default();
        let (body, length) = body_with_delivery(body, delivery, switch, &shared.clock);
        *response.body_mut() = body;
        response.headers_mut().insert(header::CONTENT_TYPE, media);
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
