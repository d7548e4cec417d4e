//! Puts a Synerise session's token on the requests of an HTTP client that is not ours.
//!
//! [`synerise_auth`] sends requests itself, with [`Session::get`](synerise_auth::Session::get) and
//! [`Session::request`](synerise_auth::Session::request). Use this crate when your program has its own stack of clients and
//! layers, and only needs the token on it.
//!
//! | feature | what it adds |
//! |---|---|
//! | `reqwest-middleware` | [`TokenMiddleware`], for clients of the crate `reqwest-middleware` |
//! | `tower` | [`TokenLayer`], for tower services that take an [`http::Request`] |
//!
#![cfg_attr(
    feature = "reqwest-middleware",
    doc = r#"
```no_run
# async fn run(workspace: synerise_auth::WorkspaceSession) -> reqwest_middleware::Result<()> {
use synerise_auth_middleware::TokenMiddleware;

let http = reqwest_middleware::ClientBuilder::new(reqwest::Client::new())
    .with(TokenMiddleware::new(workspace))
    .build();
let clients = http.get("https://api.synerise.com/v4/clients").header("api-version", "4.4").send().await?;
# Ok(()) }
```
"#
)]
//!
//! # What both do
//!
//! - **The token stays on the session's host.** A request gets it when its URL is the base URL of the session's client or below:
//!   the same scheme, host and port, and a path that is sent as it is written. Other requests pass unchanged, so one client can
//!   call several services.
//! - **An `Authorization` header of your own wins.** Such a request passes unchanged, and its 401 does not concern the session.
//! - **The header is marked as sensitive**, so that layers further inside don't print it.
//! - **After a 401, the request is sent once more** with a new token. A hundred requests with the same revoked token cause one
//!   login. A request that can't be cloned is sent once, and gets the 401. In any case, the next request has a new token. When a
//!   server refuses new tokens too, a session asks for at most one a second, as for
//!   [its own requests](synerise_auth::session::Request).
//! - **No token, no request.** When the login fails, nothing is sent, and the error is a [`synerise_auth::Error`] that can be
//!   downcast.
//! - **Only this header.** Nothing else is added: set `api-version` yourself where Synerise's endpoints ask for it.
//!
//! # The order of layers
//!
//! | what | where | why |
//! |---|---|---|
//! | retries | outside | They call us for each attempt, and each attempt has a token that is valid then. Inside, one attempt may outlive its token, and a retry that counts 401 as a failure repeats it with the token that was just refused. |
//! | a time limit for the whole call | outside | It then includes the wait for a login. Inside, it limits each of the two attempts. |
//! | a limit on concurrent requests | inside | There, a request that waits for a login takes no place. Outside, it takes the place of another one. |
//! | redirects | outside, or off | We are then asked again for each hop, and another host gets no token. Inside, they must remove `Authorization` on the way to another host. reqwest does: it follows redirects further inside than any middleware. It keeps the header on the same host, also outside the base path. |
//! | traces, metrics | outside for the call, inside for each attempt | Our second attempt is only visible further inside. |
//! | caches | outside | A cache further inside must not share responses between sessions. |
//!
//! A middleware of `reqwest-middleware` is further outside the earlier it is added by `with`; so is a layer of tower's
//! `ServiceBuilder`.
//!
//! # gRPC
//!
//! Synerise's API is HTTP with JSON. A gRPC service of your own that accepts Synerise's tokens is on another host, so no token
//! goes there by itself. Send it with an interceptor, which can't await and need not:
//! [`Session::cached_token`](synerise_auth::Session::cached_token) returns the token if there is one. The example
//! `tonic_client` shows it.
//!
//! If the session's base URL is a gateway that also serves gRPC, use [`TokenLayer`] below a client with an origin
//! (`with_origin` of tonic's generated clients): a URI without a host gets no token. gRPC answers with HTTP status 200 and
//! its own status 16 in place of a 401. The layer treats that as a 401 if it is in the response's headers; a status in the
//! trailers comes too late for it. The messages of a call are a stream, so the call itself fails, and the next one has a new
//! token.
//!
//! # With a provider of your own
//!
//! Both take any [`TokenProvider`](synerise_auth::TokenProvider). Every session with a token is one, and a test can write its own.
//! A session by [Basic authentication](synerise_auth::Client::workspace_basic) has no token, and is not supported here: its key would
//! travel on another client's redirects and into its logs.
#![cfg_attr(
    not(feature = "reqwest-middleware"),
    doc = "\n[`TokenMiddleware`]: <https://docs.rs/synerise-auth-middleware>\n"
)]
#![cfg_attr(
    not(feature = "tower"),
    doc = "\n[`TokenLayer`]: <https://docs.rs/synerise-auth-middleware>\n"
)]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(any(feature = "reqwest-middleware", feature = "tower"))]
mod bearer;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
#[cfg(feature = "tower")]
mod tower;

#[cfg(feature = "reqwest-middleware")]
pub use self::reqwest_middleware::TokenMiddleware;
#[cfg(feature = "tower")]
pub use self::tower::{BoxError, CloneBody, EmptyBodies, ResponseFuture, TokenLayer, TokenService};
