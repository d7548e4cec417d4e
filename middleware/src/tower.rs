//! The layer for tower.

use std::fmt;
use std::future::{Future, poll_fn};
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use synerise_auth::TokenProvider;
use tower_layer::Layer;
use tower_service::Service;

use crate::bearer::Bearer;

/// The error of a [`TokenService`]: a [`synerise_auth::Error`], or the error of the service inside.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Puts a session's token on the requests of a tower service for [`http::Request`].
///
/// A request gets the token when it goes to the session's base URL or a path below it, and has no `Authorization` header of
/// its own. All other requests are passed on as they are, also those without a host in their URI: only the service inside
/// knows where they go.
///
/// After a 401, the refused token is discarded and the request is sent once more with a new one, if its body can be cloned.
/// By default, that is an empty body, so that `GET` requests are sent again ([`EmptyBodies`]). Any other request gets the
/// 401, and the next request gets a new token. [`with_clone_body`](Self::with_clone_body) clones more bodies.
///
/// A gRPC server answers with HTTP status 200 and its own status 16. It counts as a 401 when it is in the response's
/// headers, as tonic sends it for an error without messages. A status after the messages is not seen here.
///
/// ```no_run
/// # async fn run(workspace: synerise_auth::WorkspaceSession) -> Result<(), synerise_auth_middleware::BoxError> {
/// use bytes::Bytes;
/// use http::Request;
/// use http_body_util::Full;
/// use hyper_util::{client::legacy::Client, rt::TokioExecutor};
/// use synerise_auth_middleware::TokenLayer;
/// use tower_layer::Layer;
/// use tower_service::Service;
///
/// let http = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
/// let layer = TokenLayer::new(workspace).with_clone_body(|body: &Full<Bytes>| Some(body.clone()));
/// let mut http = layer.layer(http);
///
/// let request = Request::post("http://127.0.0.1:8080/v4/clients").body(Full::from("{}"))?;
/// let response = http.call(request).await?;
/// # Ok(()) }
/// ```
///
/// # Errors
/// When there is no token, the request is not sent. The service's error is then a [`synerise_auth::Error`]; otherwise it is
/// the error of the service inside. Both can be downcast:
///
/// ```
/// use synerise_auth::ErrorKind;
/// use synerise_auth_middleware::BoxError;
///
/// fn has_to_log_in(error: &BoxError) -> bool {
///     let error = error.downcast_ref::<synerise_auth::Error>();
///     error.is_some_and(|error| error.kind() == ErrorKind::SessionExpired)
/// }
/// ```
#[derive(Debug, Clone)]
pub struct TokenLayer<C = EmptyBodies> {
    bearer: Bearer,
    clone_body: C,
}

impl TokenLayer {
    /// Creates a layer with a session, or with another provider of tokens.
    pub fn new(provider: impl TokenProvider + 'static) -> Self {
        Self {
            bearer: Bearer::new(provider),
            clone_body: EmptyBodies,
        }
    }
}

impl<C> TokenLayer<C> {
    /// Clones the bodies of requests with this function, so that the requests can be sent again. A body for which it returns
    /// `None` is sent once.
    pub fn with_clone_body<B, F>(self, clone_body: F) -> TokenLayer<F>
    where
        F: Fn(&B) -> Option<B>,
    {
        TokenLayer {
            bearer: self.bearer,
            clone_body,
        }
    }
}

impl<S, C: Clone> Layer<S> for TokenLayer<C> {
    type Service = TokenService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        TokenService {
            inner,
            bearer: self.bearer.clone(),
            clone_body: self.clone_body.clone(),
        }
    }
}

/// Clones the bodies of requests, so that the requests can be sent again.
///
/// Every function `Fn(&B) -> Option<B>` implements it.
pub trait CloneBody<B> {
    /// Clones a body. `None` when this body can't be sent twice.
    fn clone_body(&self, body: &B) -> Option<B>;
}

/// Clones empty bodies only, so that requests without a body are sent again.
#[derive(Debug, Clone, Copy)]
pub struct EmptyBodies;

impl<B: Body + Default> CloneBody<B> for EmptyBodies {
    fn clone_body(&self, body: &B) -> Option<B> {
        body.is_end_stream().then(B::default)
    }
}

impl<B, F: Fn(&B) -> Option<B>> CloneBody<B> for F {
    fn clone_body(&self, body: &B) -> Option<B> {
        self(body)
    }
}

/// The service of a [`TokenLayer`].
#[derive(Debug, Clone)]
pub struct TokenService<S, C = EmptyBodies> {
    inner: S,
    bearer: Bearer,
    clone_body: C,
}

impl<S, C, B, R> Service<Request<B>> for TokenService<S, C>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Error: Into<BoxError>,
    S::Future: Send + 'static,
    C: CloneBody<B>,
    B: Send + 'static,
    R: Send + 'static,
{
    type Response = Response<R>;
    type Error = BoxError;
    type Future = ResponseFuture<R>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.inner.poll_ready(context).map_err(Into::into)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        if !self.bearer.applies(&request.uri().to_string(), request.headers()) {
            let response = self.inner.call(request);
            return ResponseFuture(Box::pin(async { response.await.map_err(Into::into) }));
        }
        // A clone is not ready yet, so the request takes the service that was polled.
        let next = self.inner.clone();
        let ready = mem::replace(&mut self.inner, next);
        let again = self
            .clone_body
            .clone_body(request.body())
            .map(|body| with_body(&request, body));
        ResponseFuture(Box::pin(send(ready, self.bearer.clone(), request, again)))
    }
}

async fn send<S, B, R>(
    mut service: S,
    bearer: Bearer,
    mut request: Request<B>,
    again: Option<Request<B>>,
) -> Result<Response<R>, BoxError>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
{
    let token = {
        let mut authorized = pin!(bearer.authorize(request.headers_mut()));
        match poll_fn(|context| Poll::Ready(authorized.as_mut().poll(context))).await {
            Poll::Ready(token) => token?,
            Poll::Pending => {
                // A service that is ready may have a place at a limit. While this request waits, others get it.
                service = service.clone();
                let token = authorized.await?;
                poll_fn(|context| service.poll_ready(context))
                    .await
                    .map_err(Into::into)?;
                token
            }
        }
    };
    let response = service.call(request).await.map_err(Into::into)?;
    if !bearer.is_refused(&token, response.status(), response.headers()) {
        return Ok(response);
    }
    let Some(mut again) = again else {
        return Ok(response);
    };
    drop(response);
    let token = bearer.authorize(again.headers_mut()).await?;
    poll_fn(|context| service.poll_ready(context))
        .await
        .map_err(Into::into)?;
    let response = service.call(again).await.map_err(Into::into)?;
    bearer.tried_again(&token, response.status(), response.headers());
    Ok(response)
}

/// The same request with another body.
fn with_body<B>(request: &Request<B>, body: B) -> Request<B> {
    let mut again = Request::new(body);
    request.method().clone_into(again.method_mut());
    request.uri().clone_into(again.uri_mut());
    *again.version_mut() = request.version();
    request.headers().clone_into(again.headers_mut());
    request.extensions().clone_into(again.extensions_mut());
    again
}

/// The future of a [`TokenService`].
pub struct ResponseFuture<R>(Pin<Box<dyn Future<Output = Result<Response<R>, BoxError>> + Send>>);

impl<R> Future for ResponseFuture<R> {
    type Output = Result<Response<R>, BoxError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(context)
    }
}

impl<R> fmt::Debug for ResponseFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
