//! The login server of the figures: every cache logs in at a path of its own, and gets the same answer after the same
//! delay.
//!
//! It is not the emulator: that one signs with RSA and checks every body against the document, which would be a large
//! part of what is measured.

use std::collections::HashMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::extract::State;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};

use crate::Result;

/// The operation that `facade_overhead` calls; it is answered to any token.
pub const PERMISSION_CHECK: &str = "/uauth/api-key/permission-check";

/// How the logins at a path are answered.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// How long a login takes.
    pub delay: Duration,
    /// How long the token lives.
    pub lifetime: Duration,
    /// Whether the credential is refused.
    pub refused: bool,
}

impl Default for Answer {
    fn default() -> Self {
        Self {
            delay: Duration::ZERO,
            lifetime: Duration::from_hours(1),
            refused: false,
        }
    }
}

/// A server on loopback, in a thread and a runtime of its own. It ends when it is dropped.
#[derive(Debug)]
pub struct LoginServer {
    address: SocketAddr,
    shared: Arc<Shared>,
    _stop: oneshot::Sender<()>,
}

#[derive(Debug)]
struct Shared {
    paths: Mutex<HashMap<String, Path>>,
    arrivals: watch::Sender<u64>,
    held: watch::Sender<bool>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Path {
    answer: Answer,
    logins: u64,
}

impl LoginServer {
    /// Starts it at a free port.
    pub fn start() -> Result<Self> {
        let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            paths: Mutex::default(),
            arrivals: watch::channel(0).0,
            held: watch::channel(false).0,
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let (stop, stopped) = oneshot::channel::<()>();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        std::thread::Builder::new()
            .name("login-server".into())
            .spawn(move || {
                runtime.block_on(async move {
                    let Ok(listener) = TcpListener::from_std(listener) else {
                        return;
                    };
                    tokio::select! {
                        _ = axum::serve(listener, app) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(Self {
            address,
            shared,
            _stop: stop,
        })
    }

    /// `http://127.0.0.1:PORT`.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How the logins at `path` are answered from now on.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.shared.paths().entry(path.to_owned()).or_default().answer = answer;
    }

    /// How many logins came in at `path`.
    pub fn logins(&self, path: &str) -> u64 {
        self.shared.paths().get(path).map_or(0, |path| path.logins)
    }

    /// Lets logins wait (or no longer) before they are answered.
    pub fn hold(&self, held: bool) {
        self.shared.held.send_replace(held);
    }

    /// Waits until more than `seen` logins have come in at `path`.
    pub async fn login_after(&self, path: &str, seen: u64) {
        let mut arrivals = self.shared.arrivals.subscribe();
        while self.logins(path) <= seen {
            if arrivals.changed().await.is_err() {
                return;
            }
        }
    }
}

impl Shared {
    fn paths(&self) -> MutexGuard<'_, HashMap<String, Path>> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(shared): State<Arc<Shared>>, uri: Uri) -> Response {
    if uri.path() == PERMISSION_CHECK {
        return Json(
            json!({"businessProfileName": "Figures", "permissions": {"READ": true, "WRITE": false}}),
        )
        .into_response();
    }
    let answer = {
        let mut paths = shared.paths();
        let path = paths.entry(uri.path().to_owned()).or_default();
        path.logins += 1;
        path.answer
    };
    shared.arrivals.send_modify(|arrivals| *arrivals += 1);
    if !answer.delay.is_zero() {
        tokio::time::sleep(answer.delay).await;
    }
    let mut held = shared.held.subscribe();
    let _ = held.wait_for(|held| !held).await;
    if answer.refused {
        let body = json!({"error": "invalid_grant", "message": "the credential is refused"});
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    Json(grant(answer.lifetime)).into_response()
}

/// An answer that holds what each of the caches reads. The token is as long as one that Synerise issues.
fn grant(lifetime: Duration) -> serde_json::Value {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let end = (now + lifetime).as_secs();
    let created = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"RS512"}"#);
    let claims = json!({
        "sub": "figures", "aud": "API", "iss": "Figures", "rlm": "anonymous_client", "bpi": 48,
        "exp": end, "ctd": created, "ath": "x".repeat(120),
    });
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    // Not signed: nobody here verifies it. An RS512 signature of a 2048-bit key is as long.
    let token = format!("{header}.{claims}.{}", "A".repeat(342));
    json!({
        "token": token, "expiration": end, "created": created, "origin": "ANONYMOUS", "realm": "anonymous_client",
        "access_token": token, "token_type": "Bearer", "expires_in": lifetime.as_secs(),
    })
}
