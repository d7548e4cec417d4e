//! A service that is called with Synerise tokens: an extractor verifies them, and handlers get what they say.
//!
//! It starts the emulator and the service in this process, and calls the service as its users would.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows what it does")]

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::extract::{FromRef, FromRequestParts};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use synerise_auth::client::RetryPolicy;
use synerise_auth::clock::{Clock, ManualClock};
use synerise_auth::verify::{REFETCH_FLOOR, VerifiedClaims, Verifier};
use synerise_auth::{ApiKey, Client, ErrorKind, reqwest};
use synerise_auth_emulator::{Emulator, Fault};
use tokio::net::TcpListener;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A caller with a verified token. A handler with this argument refuses all other callers.
struct Caller(VerifiedClaims);

/// The reason why a caller is refused.
enum Refusal {
    /// No token: the response names the expected kind, and nothing else (RFC 6750, section 3.1).
    NoToken,
    /// One response for every problem of a token. The log names the problem.
    InvalidToken,
    /// The key could not be fetched, which is not the caller's fault: a 4xx would tell it never to try again.
    Unavailable,
}

impl<S> FromRequestParts<S> for Caller
where
    Verifier: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> std::result::Result<Self, Refusal> {
        let mut headers = parts.headers.get_all(AUTHORIZATION).iter();
        let header = match (headers.next(), headers.next()) {
            (Some(header), None) => header,
            (None, _) => return Err(Refusal::NoToken),
            // Two servers in a row may read two different ones.
            (Some(_), Some(_)) => return Err(Refusal::InvalidToken),
        };
        match Verifier::from_ref(state).verify(header).await {
            Ok(claims) => Ok(Self(claims)),
            Err(error) => {
                println!("   (log: {error})");
                Err(match error.kind() {
                    ErrorKind::InvalidToken(_) => Refusal::InvalidToken,
                    _ => Refusal::Unavailable,
                })
            }
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::NoToken => (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response(),
            Self::InvalidToken => {
                let challenge = r#"Bearer error="invalid_token""#;
                (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
            }
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, [(RETRY_AFTER, "1")]).into_response(),
        }
    }
}

async fn whoami(Caller(claims): Caller) -> String {
    let realm = claims.realm.as_deref().unwrap_or("nobody");
    format!("{realm} of workspace {}", claims.workspace_id.unwrap_or_default())
}

fn service(verifier: Verifier) -> Router {
    Router::new().route("/whoami", get(whoami)).with_state(verifier)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("verify_axum: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    // A clock that this example moves. A service does not need these three lines.
    let clock = ManualClock::new();
    let emulator = Emulator::builder().clock_at(clock.now().wall());
    let emulator = emulator.start().await?;
    let client = Client::builder()
        .base_url(emulator.base_url())
        .retry_policy(RetryPolicy::never())
        .clock(clock.clone())
        .build()?;
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}/whoami", listener.local_addr()?);
    let service = service(client.verifier());
    tokio::spawn(async { axum::serve(listener, service).await });

    // The token that an app of this workspace sends.
    let key = ApiKey::new(&emulator.workspace().profile_api_key)?;
    let visitor = client.anonymous(key, "00000000-0000-4000-8000-000000000001");
    let token = visitor.token().await?;
    let (message, _) = token.expose().rsplit_once('.').unwrap_or_default();
    let forged = format!("{message}.{}", "A".repeat(683));

    let fetches = emulator.faults().on("getPublicKey");
    fetches.then(Fault::status(503));
    show(
        "1. a visitor, but the key can't be had",
        call(&url, Some(token.expose())).await?,
    )
    .await?;
    clock.advance(Duration::from_secs(1));
    show(
        "2. the same a second later",
        call(&url, Some(token.expose())).await?,
    )
    .await?;
    show("3. no token", call(&url, None).await?).await?;
    for _ in 0..3 {
        show("4. a forged one", call(&url, Some(&forged)).await?).await?;
    }
    println!(
        "5. the key was asked for {} times",
        emulator.count("getPublicKey")
    );
    clock.advance(REFETCH_FLOOR);
    for _ in 0..3 {
        show("6. a forged one", call(&url, Some(&forged)).await?).await?;
    }
    println!(
        "7. the key was asked for {} times",
        emulator.count("getPublicKey")
    );
    Ok(())
}

async fn call(url: &str, token: Option<&str>) -> Result<reqwest::Response> {
    let mut request = reqwest::Client::new().get(url);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    Ok(request.send().await?)
}

async fn show(what: &str, response: reqwest::Response) -> Result<()> {
    let status = response.status();
    let challenge = response.headers().get(WWW_AUTHENTICATE);
    let challenge = challenge.and_then(|value| value.to_str().ok());
    let challenge = challenge.unwrap_or_default().to_owned();
    println!("{what}: {status} {challenge}{}", response.text().await?);
    Ok(())
}
