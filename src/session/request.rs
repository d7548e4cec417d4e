//! Calls any endpoint of Synerise as a session.

use std::fmt;
use std::future::IntoFuture;

use bytes::Bytes;
use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::RequestBuilder;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Redactor, Result, error_chain, is_secret_name};
use crate::exact_url;
use crate::transport::{Authenticator, BoxFuture, BufferedResponse, RequestInfo, Transport};

use super::Session;
use super::authentication::Authentication;
use super::kind::Kind;

impl<K: Kind, A: Authentication> Session<K, A> {
    /// Starts a `GET` request to any path on the session's host.
    ///
    /// Values go into the path by name. Written into the path by hand, an id that contains `/`, `?`, `#` or `..` would lead
    /// to another resource. A path that would not be sent exactly as written is an error.
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::WorkspaceSession, id: &str) -> synerise_auth::Result<()> {
    /// let client = workspace.get("/v4/clients/by-custom-id/{id}").path_param("id", id).await?;
    /// let client: serde_json::Value = client.json()?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Fails, when it is awaited, like any [`Request`].
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// Starts a `POST` request to any path on the session's host. The path works as in [`get`](Self::get).
    ///
    /// # Errors
    /// Fails, when it is awaited, like any [`Request`].
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// Starts a request with any method to any path on the session's host. The path works as in [`get`](Self::get). It may
    /// contain a query for `GET` and `HEAD` only.
    ///
    /// # Errors
    /// Fails, when it is awaited, like any [`Request`]. An invalid path, header, query or body is reported before anything is sent.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let transport = &self.context.transport;
        let base = transport.base().url().clone();
        Request {
            transport,
            authenticator: self.authentication.borrowed(),
            info: RequestInfo::endpoint(&method, &printable(path)),
            template: path.to_owned(),
            params: Vec::new(),
            builder: Ok(transport
                .http()
                .request(method, base)
                .header(ACCEPT, HeaderValue::from_static("application/json"))),
        }
    }
}

/// A request under construction. Await it to send it.
///
/// It is sent with the session's token. When the server answers 401, the session discards the token and sends the request
/// once more with a new one. A user's token is not discarded: it can't be replaced, and endpoints that don't accept users
/// answer 401 as well. By [Basic authentication](crate::Client::workspace_basic) there is no token: the 401 is the result.
///
/// When the new token is refused as well, the result is the 401. For the next second, further refused requests get the 401
/// at once instead of a login each, because the endpoint is the problem and not the token.
///
/// Every status other than success (2xx) is an error.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
/// let response = workspace.post("/v4/clients").json(&serde_json::json!({ "email": "a@b.example" })).await?;
/// println!("{}", response.status());
/// # Ok(()) }
/// ```
///
/// # Errors
/// - [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput): the path, a header, the query or the body can't be sent, and nothing was sent.
/// - [`ErrorKind::Connection`](crate::ErrorKind::Connection), [`ErrorKind::Timeout`](crate::ErrorKind::Timeout),
///   [`ErrorKind::Certificate`](crate::ErrorKind::Certificate), [`ErrorKind::Proxy`](crate::ErrorKind::Proxy): there is no response.
/// - [`ErrorKind::Api`](crate::ErrorKind::Api): the server refused the request.
/// - [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse): the response is a redirect, too large or broken.
/// - The errors of [`token`](Session::token), when the session has no valid token: those of its login, and
///   [`ErrorKind::SessionExpired`](crate::ErrorKind::SessionExpired).
/// - [`ErrorKind::NoRuntime`](crate::ErrorKind::NoRuntime): it is awaited outside Tokio.
#[must_use = "a request does nothing until it is awaited: add `.await`"]
pub struct Request<'a> {
    transport: &'a Transport,
    authenticator: &'a dyn Authenticator,
    info: RequestInfo,
    template: String,
    params: Vec<(String, String)>,
    builder: Result<RequestBuilder>,
}

impl Request<'_> {
    /// Replaces `{name}` in the path with a percent-encoded value. The value stays one segment, whatever it contains.
    ///
    /// Errors and traces show the path with its placeholder, never the value.
    pub fn path_param(mut self, name: &str, value: impl fmt::Display) -> Self {
        let value = value.to_string();
        match self.params.iter_mut().find(|(known, _)| known == name) {
            Some((_, old)) => *old = value,
            None => self.params.push((name.to_owned(), value)),
        }
        self
    }

    /// Adds pairs to the query.
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        self.change(|builder| builder.query(query))
    }

    /// Sets a header. It replaces an earlier value, including the `Accept: application/json` that every request has.
    ///
    /// The session sets `Authorization` and `Api-Version`, and ignores values given here. Headers that belong to the
    /// connection (`Host`, `Content-Length`, `Transfer-Encoding`, `Connection` and similar ones) are refused.
    ///
    /// A header whose name indicates a secret (`Cookie`, `X-Api-Key`) is marked as sensitive, and its value is removed from
    /// server text that errors quote.
    pub fn header(mut self, name: impl TryInto<HeaderName>, value: impl TryInto<HeaderValue>) -> Self {
        let pair = name.try_into().ok().zip(value.try_into().ok());
        let Some((name, mut value)) = pair else {
            return self.refuse(Error::invalid_input(
                "header",
                "has a name or a value that HTTP does not allow",
                "fix it",
            ));
        };
        if CONNECTION_HEADERS.contains(&name.as_str()) {
            return self.refuse(Error::invalid_input(
                format!("header `{name}`"),
                "belongs to the connection, which the client manages",
                "leave it out",
            ));
        }
        if is_secret_name(name.as_str()) {
            value.set_sensitive(true);
        }
        let headers = HeaderMap::from_iter([(name, value)]);
        // This replaces, whereas the builder's `header` appends.
        self.builder = self.builder.map(|builder| builder.headers(headers));
        self
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.change(|builder| builder.json(value))
    }

    /// Sends a body unchanged: text, bytes, or a [`Body`] with a stream.
    pub fn body(self, body: impl Into<Body>) -> Self {
        self.change(|builder| builder.body(body.into().0))
    }

    async fn send(self) -> Result<Response> {
        let label = self.info.label().to_owned();
        let mut request = self.builder?.build().map_err(|error| {
            Error::invalid_input(
                label.clone(),
                format!(
                    "can't be sent: {}",
                    error_chain(&error.without_url(), &Redactor::default())
                ),
                "check its query and body",
            )
        })?;
        let path = fill(&self.template, &self.params)?;
        if self.template.contains('?') && !matches!(*request.method(), Method::GET | Method::HEAD) {
            return Err(Error::invalid_input(
                "path",
                "contains a `?`, which may belong to an id",
                "put an id in with Request::path_param, and a query with Request::query",
            ));
        }
        let mut url = self.transport.base().join(&path)?;
        if let Some(added) = request.url().query() {
            let query = match url.query() {
                Some(query) => format!("{query}&{added}"),
                None => added.to_owned(),
            };
            url.set_query(Some(&query));
        }
        *request.url_mut() = url;
        let response = self
            .transport
            .send(&self.info, request, Some(self.authenticator))
            .await?;
        Ok(Response { label, response })
    }

    fn change(mut self, change: impl FnOnce(RequestBuilder) -> RequestBuilder) -> Self {
        self.builder = self.builder.map(change);
        self
    }

    fn refuse(mut self, error: Error) -> Self {
        self.builder = self.builder.and(Err(error));
        self
    }
}

/// Headers that the HTTP client sets. Another value would change where a request goes, or where it ends.
const CONNECTION_HEADERS: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// A path as errors and traces may show it: without its query, and redacted.
fn printable(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    Redactor::default().clean(path)
}

/// The path with its values in place of `{name}`.
fn fill(template: &str, params: &[(String, String)]) -> Result<String> {
    let refuse = |what: String, problem: &'static str, remedy: &'static str| {
        Err(Error::invalid_input(what, problem, remedy))
    };
    let mut path = String::with_capacity(template.len());
    let mut used = Vec::new();
    let mut rest = template;
    while let Some((before, placeholder)) = rest.split_once('{') {
        path.push_str(before);
        let Some((name, after)) = placeholder.split_once('}') else {
            return refuse(
                "path".into(),
                "contains a `{` without a `}`",
                "close the placeholder",
            );
        };
        let Some((name, value)) = params.iter().find(|(known, _)| known == name) else {
            return refuse(
                "path".into(),
                "contains a placeholder that has no value",
                "give its value with Request::path_param",
            );
        };
        if value.is_empty() {
            return refuse(
                format!("path parameter `{name}`"),
                "is empty, so that the path would lead to another resource",
                "give its value",
            );
        }
        path.push_str(&exact_url::encoded(value));
        used.push(name);
        rest = after;
        // A whole segment of `.` or `..` is removed from a URL, however it is written.
        let segment = path.rsplit('/').next().unwrap_or_default();
        if matches!(segment, "." | "..") && (rest.is_empty() || rest.starts_with(['/', '?'])) {
            return refuse(
                format!("path parameter `{name}`"),
                "is `.` or `..`, which a URL can't hold as a segment",
                "check the value",
            );
        }
    }
    path.push_str(rest);
    match params.iter().find(|(name, _)| !used.contains(&name)) {
        Some((name, _)) => refuse(
            format!("path parameter `{name}`"),
            "is not in the path",
            "write it as a placeholder in braces, like /v4/clients/{id}",
        ),
        None => Ok(path),
    }
}

/// The body of a [`Request`].
///
/// Text and bytes convert into it. A stream can't be sent twice, so a request with a stream is never sent again, neither
/// after a failure nor after a 401.
pub struct Body(reqwest::Body);

impl Body {
    /// Creates a body that is read while it is sent.
    pub fn stream<B>(body: B) -> Self
    where
        B: http_body::Body + Send + Sync + 'static,
        B::Data: Into<Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        Self(reqwest::Body::wrap(body))
    }
}

macro_rules! body_from {
    ($($from:ty),+) => {
        $(impl From<$from> for Body {
            fn from(body: $from) -> Self {
                Self(body.into())
            }
        })+
    };
}

body_from!(Bytes, Vec<u8>, String, &'static [u8], &'static str);

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Request<'a> {
    type Output = Result<Response>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.send())
    }
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Request").field(&self.info.label()).finish()
    }
}

/// A successful response, read completely.
pub struct Response {
    label: String,
    response: BufferedResponse,
}

impl Response {
    /// Returns the HTTP status, which is always a success.
    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// Returns the headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.response.headers
    }

    /// Returns the body.
    pub fn bytes(&self) -> &Bytes {
        &self.response.body
    }

    /// Parses the body as JSON.
    ///
    /// # Errors
    /// Returns [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) when the body is not JSON, or does
    /// not match the type. The error names the field and never quotes a value.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        self.response.json(&self.label)
    }

    /// Returns the body as text.
    ///
    /// # Errors
    /// Returns [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) when the body is not UTF-8.
    pub fn text(&self) -> Result<&str> {
        str::from_utf8(&self.response.body).map_err(|_| {
            Error::unexpected_response(self.label.clone().into(), self.status(), "it is not UTF-8")
        })
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("request", &self.label)
            .field("status", &self.status())
            .field("bytes", &self.bytes().len())
            .finish_non_exhaustive()
    }
}
