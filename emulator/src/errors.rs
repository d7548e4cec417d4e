//! Errors, and the body in which each service of Synerise sends them.

use std::time::SystemTime;

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

/// An error response.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub(crate) status: StatusCode,
    /// The short text in `error`: the reason phrase of the status, unless the service has a text of its own.
    pub(crate) error: Option<&'static str>,
    /// The service's own code, such as `SAU-302`.
    pub(crate) code: Option<&'static str>,
    pub(crate) message: String,
    pub(crate) fields: Vec<FieldProblem>,
}

/// One invalid field of the body, or one invalid parameter.
#[derive(Debug, Clone)]
pub(crate) struct FieldProblem {
    pub(crate) field: String,
    pub(crate) message: String,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            error: None,
            code: None,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(crate) fn forbidden(message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    pub(crate) fn with_error(self, error: &'static str) -> Self {
        Self {
            error: Some(error),
            ..self
        }
    }

    pub(crate) fn with_code(self, code: &'static str) -> Self {
        Self {
            code: Some(code),
            ..self
        }
    }

    pub(crate) fn with_field(mut self, field: impl Into<String>, message: impl Into<String>) -> Self {
        self.fields.push(FieldProblem {
            field: field.into(),
            message: message.into(),
        });
        self
    }

    /// The documented body. The first segment of the path tells the service.
    pub(crate) fn body(&self, path: &str, now: SystemTime) -> Value {
        let service = Service::of(path);
        let mut body = Map::new();
        body.insert("status".into(), self.status.as_u16().into());
        body.insert(
            "error".into(),
            self.error
                .or(self.status.canonical_reason())
                .unwrap_or("Error")
                .into(),
        );
        body.insert("message".into(), self.message.as_str().into());
        body.insert("path".into(), path.into());
        body.insert(
            "timestamp".into(),
            humantime::format_rfc3339_millis(now).to_string().into(),
        );
        if service != Service::Uauth {
            let errors: Vec<_> = self.fields.iter().map(field_error).collect();
            body.insert("errors".into(), errors.into());
        }
        if matches!(service, Service::Sauth | Service::Uauth) {
            body.insert(
                "traceId".into(),
                uuid::Uuid::new_v4().simple().to_string()[..16].into(),
            );
        }
        match self.code {
            Some(code) => _ = body.insert("errorCode".into(), code.into()),
            // The user service sends a code with every error, the profile service only a documented one.
            None if service == Service::Uauth => {
                body.insert("errorCode".into(), format!("UAU-{}", self.status.as_u16()).into());
            }
            None => {}
        }
        Value::Object(body)
    }
}

/// One field error, without the documented `rejectedValue`, which may be a secret.
fn field_error(problem: &FieldProblem) -> Value {
    json!({ "code": 400, "field": problem.field, "message": problem.message })
}

/// The services behind the gateway. Each has its own error body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Service {
    /// Profiles.
    Sauth,
    /// Users, workspaces and API keys.
    Uauth,
    /// Everything else, such as `/v4`.
    Gateway,
}

impl Service {
    fn of(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("sauth") => Self::Sauth,
            Some("uauth") => Self::Uauth,
            _ => Self::Gateway,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;

    #[test]
    fn each_service_has_its_own_body() {
        let error = ApiError::forbidden("confirm the e-mail address first").with_code("SAU-302");
        let profiles = error.body("/sauth/v3/auth/login/client", UNIX_EPOCH);
        assert_eq!(profiles["errorCode"], "SAU-302");
        assert_eq!(profiles["errors"], json!([]));
        assert_eq!(profiles["timestamp"], "1970-01-01T00:00:00.000Z");

        let users = ApiError::unauthorized("no").body("/uauth/v2/auth/login/profile", UNIX_EPOCH);
        assert_eq!(users["errorCode"], "UAU-401");
        assert!(users.get("errors").is_none());

        let gateway = ApiError::unauthorized("no").body("/v4/auth/refresh/profile", UNIX_EPOCH);
        assert!(gateway.get("traceId").is_none());
        assert_eq!(gateway["errors"], json!([]));
    }
}
