//! A service that tells a shop's till how many points a member has.
//!
//! It asks Synerise for the member, with a session of the workspace that comes from outside. That is all it takes to test
//! it: see `tests/service.rs`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};
use synerise_auth::{Error, ErrorKind, WorkspaceSession};

/// The service's routes.
pub fn routes(synerise: WorkspaceSession) -> Router {
    Router::new()
        .route("/members/{id}/points", get(points))
        .route("/ready", get(ready))
        .with_state(synerise)
}

async fn points(
    State(synerise): State<WorkspaceSession>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Unavailable> {
    let member = synerise
        .get("/v4/clients/by-custom-id/{id}")
        .path_param("id", id)
        .await?;
    let member: Value = member.json()?;
    Ok(Json(
        json!({ "points": member.pointer("/attributes/points").and_then(Value::as_u64).unwrap_or(0) }),
    ))
}

/// Ready while there is a usable token. It asks nobody, so that an outage of Synerise restarts nothing.
async fn ready(State(synerise): State<WorkspaceSession>) -> StatusCode {
    if synerise.status().is_ready() {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    }
}

/// Why there are no points, for the till.
struct Unavailable(Error);

impl From<Error> for Unavailable {
    fn from(error: Error) -> Self {
        Self(error)
    }
}

impl IntoResponse for Unavailable {
    fn into_response(self) -> Response {
        let Self(error) = self;
        match error.kind() {
            ErrorKind::Api if error.status() == Some(404) => StatusCode::NOT_FOUND.into_response(),
            // The same call may succeed later, without anybody's help.
            _ if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE.into_response(),
            _ => {
                // One line without secrets. A real service logs it.
                let text = error.to_string();
                (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
            }
        }
    }
}
