//! A whole service: settings with a key in a file, a warm-up, probes, verified callers, metrics, and a shutdown that lets requests end.
//!
//! It starts the emulator and the service in this process, and calls the service as its users and its cluster would.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows what it does")]

use std::error::Error;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde::Deserialize;
use serde_json::{Value, json};
use synerise_auth::observability::metrics::{DURATION_BUCKETS, describe};
use synerise_auth::verify::{VerifiedClaims, Verifier};
use synerise_auth::{ApiKey, Client, Config, ErrorKind, WorkspaceSession, reqwest};
use synerise_auth_emulator::Emulator;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The service's own settings. Those of Synerise stand among them.
#[derive(Deserialize)]
struct Settings {
    warm_up_seconds: u64,
    synerise: Config,
}

/// What every handler can use. Cloning it copies pointers.
#[derive(Clone)]
struct Service {
    workspace: WorkspaceSession,
    verifier: Verifier,
    metrics: PrometheusHandle,
    stopping: Arc<AtomicBool>,
}

impl Service {
    fn new(settings: &Settings, metrics: PrometheusHandle) -> Result<Self> {
        let client = Client::builder().config(&settings.synerise).build()?;
        Ok(Self {
            // The key's file is read at each login, so a new key needs no restart.
            workspace: client.workspace(settings.synerise.api_key()?),
            verifier: client.verifier(),
            metrics,
            stopping: Arc::default(),
        })
    }

    fn router(self) -> Router {
        Router::new()
            .route("/customers", get(customers))
            .route("/livez", get(|| async { "alive" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self)
    }
}

/// A caller with a verified token. A handler with this argument refuses all other callers.
struct Caller(VerifiedClaims);

impl FromRequestParts<Service> for Caller {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, service: &Service) -> std::result::Result<Self, Response> {
        let Some(header) = parts.headers.get(AUTHORIZATION) else {
            return Err((StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")]).into_response());
        };
        let claims = service.verifier.verify(header).await;
        claims.map(Self).map_err(|error| match error.kind() {
            ErrorKind::InvalidToken(_) => {
                let challenge = r#"Bearer error="invalid_token""#;
                (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, challenge)]).into_response()
            }
            // The key could not be fetched: not the caller's fault.
            _ => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        })
    }
}

async fn customers(State(service): State<Service>, Caller(caller): Caller) -> Response {
    match service.workspace.get("/v4/clients").await {
        Ok(answer) => Json(json!({
            "asked_by": caller.realm,
            "customers": answer.json::<Value>().unwrap_or_default(),
        }))
        .into_response(),
        Err(error) if error.is_retryable() => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

/// Ready while there is a token now, and the service is not about to stop. Liveness does not ask Synerise at all.
async fn readyz(State(service): State<Service>) -> Response {
    let status = service.workspace.status();
    let ready = status.is_ready() && !service.stopping.load(Ordering::Relaxed);
    let code = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (code, Json(status)).into_response()
}

async fn metrics(State(service): State<Service>) -> String {
    service.metrics.run_upkeep();
    service.metrics.render()
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("service_axum: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    // What a cluster provides: Synerise, a mounted secret, and the settings.
    let emulator = Emulator::builder().start().await?;
    emulator.stub("GET", "/v4/clients", json!({ "data": [] }));
    let secret = std::env::temp_dir().join(format!("synerise-api-key-{}", std::process::id()));
    std::fs::write(&secret, format!("{}\n", emulator.workspace().workspace_api_key))?;
    let settings: Settings = serde_json::from_value(json!({
        "warm_up_seconds": 10,
        "synerise": { "base_url": emulator.base_url(), "api_key_file": secret, "call_timeout": "20s" },
    }))?;

    tracing_subscriber::fmt().with_ansi(false).without_time().init();
    let metrics = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Prefix("synerise_auth_".into()), &DURATION_BUCKETS)?
        .install_recorder()?;
    describe();

    let service = Service::new(&settings, metrics)?;
    let (workspace, stopping) = (service.workspace.clone(), Arc::clone(&service.stopping));
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    // A service waits for SIGTERM here.
    let (stop, stopped) = oneshot::channel::<()>();
    let server = axum::serve(listener, service.router()).with_graceful_shutdown(async {
        let _ = stopped.await;
    });
    let server = tokio::spawn(async { server.await });

    show("1. alive before there is a token", &url, "/livez", None).await?;
    show("2. ready", &url, "/readyz", None).await?;
    if let Err(error) = workspace
        .warm_up(Duration::from_secs(settings.warm_up_seconds))
        .await
    {
        // The probe keeps requests away, and each call tries again.
        println!("   started without a token: {error}");
    }
    show("3. ready after the warm-up", &url, "/readyz", None).await?;

    let key = ApiKey::new(&emulator.workspace().profile_api_key)?;
    let app = Client::builder().base_url(emulator.base_url()).build()?;
    let visitor = app.anonymous(key, "00000000-0000-4000-8000-000000000001");
    let token = visitor.token().await?;
    show("4. a call without a token", &url, "/customers", None).await?;
    show("5. a call with one", &url, "/customers", Some(token.expose())).await?;

    // The key is replaced, and the service goes on.
    let new = emulator.add_workspace_api_key(&[]);
    std::fs::write(&secret, new)?;
    emulator.revoke_api_key(&emulator.workspace().workspace_api_key);
    workspace.invalidate();
    show(
        "6. a call after the key was replaced",
        &url,
        "/customers",
        Some(token.expose()),
    )
    .await?;

    let text = reqwest::get(format!("{url}/metrics")).await?.text().await?;
    for line in text
        .lines()
        .filter(|line| line.starts_with("synerise_auth_logins_total"))
    {
        println!("7. metrics: {line}");
    }

    stopping.store(true, Ordering::Relaxed);
    show("8. ready while stopping", &url, "/readyz", None).await?;
    let _ = stop.send(());
    server.await??;
    std::fs::remove_file(&secret)?;
    println!("9. stopped");
    Ok(())
}

async fn show(what: &str, url: &str, path: &str, token: Option<&str>) -> Result<()> {
    let mut request = reqwest::Client::new().get(format!("{url}{path}"));
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let response = request.send().await?;
    println!("{what}: {} {}", response.status(), response.text().await?);
    Ok(())
}
