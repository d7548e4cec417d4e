//! Stubs: fixed responses for endpoints outside of the document.

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use serde_json::Value;

use crate::assumptions::Assumptions;
use crate::fault::{header_value, status_code};
use crate::operations::OPERATIONS;

/// The response of an endpoint that the document does not have; see [`Emulator::stub`](crate::Emulator::stub).
///
/// A JSON value converts into a stub with status 200:
///
/// ```
/// use serde_json::json;
/// use synerise_auth_emulator::{Emulator, Stub};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let emulator = Emulator::start().await?;
/// emulator.stub("GET", "/v4/clients", json!({ "count": 3 }));
/// emulator.stub("DELETE", "/v4/clients/{id}", Stub::empty(204));
/// emulator.stub("GET", "/status", Stub::body(200, "text/plain", "up").without_token());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "a stub does nothing until it is given a path"]
pub struct Stub {
    pub(crate) status: StatusCode,
    pub(crate) content: Option<(HeaderValue, Bytes)>,
    pub(crate) needs_token: bool,
}

impl Stub {
    /// Responds with status 200 and this JSON.
    pub fn json(body: &Value) -> Self {
        Self::body(200, "application/json", body.to_string())
    }

    /// Responds with any status, content type and body.
    ///
    /// # Panics
    /// If `status` is not a valid HTTP status (100 to 999), or `content_type` is not a valid header value.
    #[track_caller]
    pub fn body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            content: Some((header_value(content_type), body.into())),
            ..Self::empty(status)
        }
    }

    /// Responds with any status, without a body.
    ///
    /// # Panics
    /// If `status` is not a valid HTTP status (100 to 999).
    #[track_caller]
    pub fn empty(status: u16) -> Self {
        Self {
            status: status_code(status),
            content: None,
            needs_token: true,
        }
    }

    /// Changes the status of the response.
    ///
    /// # Panics
    /// If `status` is not a valid HTTP status (100 to 999).
    #[track_caller]
    pub fn with_status(self, status: u16) -> Self {
        Self {
            status: status_code(status),
            ..self
        }
    }

    /// Responds to every caller. By default a caller without a valid token or Basic credential gets 401.
    pub fn without_token(self) -> Self {
        Self {
            needs_token: false,
            ..self
        }
    }
}

impl From<Value> for Stub {
    fn from(body: Value) -> Self {
        Self::json(&body)
    }
}

/// Every stub, in the order of definition.
#[derive(Debug, Default)]
pub(crate) struct Stubs(Vec<(Method, String, Stub)>);

impl Stubs {
    /// Adds a stub, or replaces the one of this method and path. The error says why no request could reach it.
    pub(crate) fn add(
        &mut self,
        method: &str,
        path: &str,
        stub: Stub,
        assumptions: &Assumptions,
    ) -> Result<(), String> {
        let method = Method::from_bytes(method.to_ascii_uppercase().as_bytes())
            .map_err(|_| format!("{method:?} is not a valid HTTP method"))?;
        check_path(path)?;
        let operation = OPERATIONS
            .iter()
            .find(|operation| operation.method == method && matches(operation.path_for(assumptions), path));
        if let Some(operation) = operation {
            return Err(format!(
                "{method} {path} is the operation {} of the document; use a fault to change its response",
                operation.id
            ));
        }
        self.0
            .retain(|(own_method, own_path, _)| *own_method != method || own_path != path);
        self.0.push((method, path.to_owned(), stub));
        Ok(())
    }

    /// The stub of a request, and its name in the log. An exact path is preferred to one with placeholders.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Option<(String, Stub)> {
        let of_method = || self.0.iter().filter(|(own, ..)| own == method);
        let exact = of_method().find(|(_, own, _)| own == path);
        let (_, own, stub) = exact.or_else(|| of_method().find(|(_, own, _)| matches(own, path)))?;
        Some((format!("{method} {own}"), stub.clone()))
    }
}

fn check_path(path: &str) -> Result<(), String> {
    if !path.starts_with('/') {
        return Err(format!("the path {path:?} must start with /"));
    }
    if path.contains('?') {
        return Err(format!(
            "the path {path:?} must not have a query: a stub responds to any query"
        ));
    }
    match path.parse::<Uri>() {
        Ok(uri) if uri.path() == path => Ok(()),
        _ => Err(format!("{path:?} is not a valid path")),
    }
}

/// Whether `path` fits `template`, in which `{name}` stands for any segment that is not empty.
fn matches(template: &str, path: &str) -> bool {
    let is_placeholder = |segment: &str| segment.starts_with('{') && segment.ends_with('}');
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    loop {
        match (template.next(), path.next()) {
            (None, None) => return true,
            (Some(expected), Some(segment))
                if expected == segment || (is_placeholder(expected) && !segment.is_empty()) => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn add(stubs: &mut Stubs, path: &str, status: u16) {
        let stub = Stub::empty(status);
        stubs.add("GET", path, stub, &Assumptions::default()).unwrap();
    }

    #[test]
    fn an_exact_path_is_preferred_to_a_placeholder() {
        let mut stubs = Stubs::default();
        add(&mut stubs, "/clients/{id}", 201);
        add(&mut stubs, "/clients/7", 202);
        let status = |path: &str| {
            stubs
                .find(&Method::GET, path)
                .map(|(_, stub)| stub.status.as_u16())
        };
        assert_eq!(status("/clients/7"), Some(202));
        assert_eq!(status("/clients/8"), Some(201));
        for none in ["/clients/", "/clients", "/clients/8/tags", "/clients/8/"] {
            assert_eq!(status(none), None, "{none}");
        }
    }

    #[test]
    fn a_later_stub_replaces_an_earlier_one() {
        let mut stubs = Stubs::default();
        add(&mut stubs, "/clients", 201);
        add(&mut stubs, "/clients", 202);
        assert_eq!(stubs.find(&Method::GET, "/clients").unwrap().1.status, 202);
    }
}
