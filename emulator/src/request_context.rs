//! A request as its handler sees it, and the handler's response.

use std::collections::{BTreeSet, HashMap};
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use serde_json::{Map, Value};

use crate::assumptions::Assumptions;
use crate::consumer::{Consumer, WorkspaceId};
use crate::errors::ApiError;
use crate::state::State;
use crate::state::keys::{ApiKey, Scope};
use crate::tokens::{TokenRequest, TokenResponse, TokenShape};

/// A request that passed the checks: the caller is known, and the body fits the document.
#[derive(Debug)]
pub(crate) struct RequestContext<'a> {
    pub(crate) state: &'a mut State,
    pub(crate) assumptions: &'a Assumptions,
    pub(crate) consumer: Option<Consumer>,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) path_parameters: HashMap<String, String>,
    pub(crate) query: HashMap<String, String>,
    /// `Null` without a body.
    pub(crate) body: Value,
    pub(crate) now: SystemTime,
    pub(crate) token_shape: Option<TokenShape>,
    /// Names that `attributes` may not have.
    pub(crate) reserved_attributes: &'a BTreeSet<String>,
}

/// The response of a handler.
#[derive(Debug)]
pub(crate) struct ApiResponse {
    pub(crate) status: StatusCode,
    /// The content type and the body.
    pub(crate) content: Option<(HeaderValue, Bytes)>,
}

impl ApiResponse {
    pub(crate) fn json(body: &Value) -> Self {
        Self::json_with_status(StatusCode::OK, body)
    }

    pub(crate) fn json_with_status(status: StatusCode, body: &Value) -> Self {
        Self {
            status,
            content: Some((
                HeaderValue::from_static("application/json"),
                body.to_string().into(),
            )),
        }
    }

    pub(crate) fn text(content_type: &'static str, text: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            content: Some((
                HeaderValue::from_static(content_type),
                Bytes::from_static(text.as_bytes()),
            )),
        }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self {
            status: StatusCode::from_u16(status).unwrap_or(StatusCode::OK),
            content: None,
        }
    }
}

impl RequestContext<'_> {
    /// A string of the body. Empty if it is absent: the document check ensures that required fields are present.
    pub(crate) fn text(&self, field: &str) -> &str {
        self.body.get(field).and_then(Value::as_str).unwrap_or_default()
    }

    /// A string of the body, if it was sent and is not empty.
    pub(crate) fn optional_text(&self, field: &str) -> Option<&str> {
        Some(self.text(field)).filter(|text| !text.is_empty())
    }

    /// The workspace of the caller's token.
    pub(crate) fn workspace(&self) -> Result<WorkspaceId, ApiError> {
        let selected = self.consumer.as_ref().and_then(Consumer::workspace);
        selected.ok_or_else(|| ApiError::forbidden("Select a workspace first"))
    }

    /// The API key of the body, if it has the scope that the operation needs.
    pub(crate) fn api_key_of(&self, scope: Scope) -> Result<(String, ApiKey), ApiError> {
        let text = self.text("apiKey");
        match self.state.keys.get(text) {
            Some(key) if key.scope == scope => Ok((text.to_owned(), key.clone())),
            Some(_) => Err(ApiError::unauthorized(format!(
                "The API key is not a {} key",
                scope.name()
            ))),
            None => Err(ApiError::unauthorized("The API key is not valid")),
        }
    }

    pub(crate) fn issue_token(
        &mut self,
        consumer: Consumer,
        realm: &'static str,
        claims: Map<String, Value>,
        lifetime: Duration,
    ) -> TokenResponse {
        let encrypted = self.assumptions.encrypted_profile_tokens && consumer.profile().is_some();
        let shape = self.token_shape.or(encrypted.then_some(TokenShape::Undecodable));
        let now = self.now;
        self.state.tokens.issue(TokenRequest {
            consumer,
            realm,
            claims,
            lifetime,
            now,
            shape,
        })
    }
}
