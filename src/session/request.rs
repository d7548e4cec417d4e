//! Any endpoint of Synerise, called as a session.

use std::fmt;
use std::future::IntoFuture;

use bytes::Bytes;
use reqwest::header::{ACCEPT, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{Error, Result, error_chain};
use crate::transport::BufferedResponse;
use crate::transport::{Authenticator, BoxFuture, RequestInfo, Transport};

use super::Session;
use super::kind::Kind;

impl<K: Kind> Session<K> {
    /// A `GET` of any path on the session's host.
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::Session<synerise_auth::kind::Workspace>) -> synerise_auth::Result<()> {
    /// let clients = workspace.get("/v4/clients").query(&[("limit", "10")]).await?;
    /// let clients: serde_json::Value = clients.json()?;
    /// # Ok(()) }
    /// ```
    pub fn get(&self, path: &str) -> Request<'_> {
        self.request(Method::GET, path)
    }

    /// A `POST` to any path on the session's host.
    pub fn post(&self, path: &str) -> Request<'_> {
        self.request(Method::POST, path)
    }

    /// A request of any method to any path on the session's host.
    ///
    /// What is wrong with the path, a header, the query or the body is an error when the request is awaited, before anything is sent.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        let transport = &self.context.transport;
        let info = RequestInfo::endpoint(&method, path);
        let builder = transport.base().join(path).map(|url| {
            transport
                .http()
                .request(method, url)
                .header(ACCEPT, HeaderValue::from_static("application/json"))
        });
        Request {
            transport,
            authenticator: &*self.lifecycle,
            info,
            builder,
        }
    }
}

/// A request that is being put together. It is sent when it is awaited, as a login is.
///
/// It is sent with the session's token. When the server answers 401, the token is dropped and the request sent once more with a
/// new one. A user's token is not dropped: there is no other, and endpoints that take no users answer 401 as well.
///
/// Whatever is not a success (2xx) is an error.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
/// let response = workspace.post("/v4/clients").json(&serde_json::json!({ "email": "a@b.example" })).await?;
/// println!("{}", response.status());
/// # Ok(()) }
/// ```
#[must_use = "a request does nothing until it is awaited: add `.await`"]
pub struct Request<'a> {
    transport: &'a Transport,
    authenticator: &'a dyn Authenticator,
    info: RequestInfo,
    builder: Result<RequestBuilder>,
}

impl Request<'_> {
    /// Adds pairs to the query.
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        self.change(|builder| builder.query(query))
    }

    /// Adds a header. `Authorization` and `Api-Version` are set by the session, whatever is given here.
    pub fn header(self, name: impl TryInto<HeaderName>, value: impl TryInto<HeaderValue>) -> Self {
        let pair = name.try_into().ok().zip(value.try_into().ok());
        match pair {
            Some((name, value)) => self.change(|builder| builder.header(name, value)),
            None => self.refuse(Error::invalid_input(
                "header",
                "has a name or a value that HTTP does not allow",
                "mend it",
            )),
        }
    }

    /// Sends a value as JSON.
    pub fn json<T: Serialize + ?Sized>(self, value: &T) -> Self {
        self.change(|builder| builder.json(value))
    }

    /// Sends a body as it is. One that is a stream can't be sent twice, so that such a request is never repeated: neither
    /// after a failure nor after a 401.
    pub fn body(self, body: impl Into<reqwest::Body>) -> Self {
        self.change(|builder| builder.body(body))
    }

    async fn send(self) -> Result<Response> {
        let label = self.info.label().to_owned();
        let request = self.builder?.build().map_err(|error| {
            Error::invalid_input(
                label.clone(),
                format!("can't be sent: {}", error_chain(&error.without_url())),
                "check its query and body",
            )
        })?;
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

/// A successful answer, read whole.
pub struct Response {
    label: String,
    response: BufferedResponse,
}

impl Response {
    /// The HTTP status: always a success.
    pub fn status(&self) -> u16 {
        self.response.status()
    }

    /// The headers.
    pub fn headers(&self) -> &HeaderMap {
        &self.response.headers
    }

    /// The body.
    pub fn bytes(&self) -> &Bytes {
        &self.response.body
    }

    /// Reads the body as JSON.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) when it is no JSON, or of another type. The error does not quote it.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        self.response.json(&self.label)
    }

    /// Reads the body as text.
    ///
    /// # Errors
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) when it is not UTF-8.
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
