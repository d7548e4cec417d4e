//! A back end for a shop's front end: customers log in once and stay logged in, over refreshes, restarts and replicas.
//!
//! The browser gets a random id in a cookie, and never a token. The sessions themselves are in a store on the server, as
//! `SavedSession` writes them. It starts the emulator and the service in this process, and calls the service as a browser
//! would.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows what it does")]

use std::collections::HashMap;
use std::error::Error;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::extract::State;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use synerise_auth::clock::{Clock, ManualClock};
use synerise_auth::session::SavedSession;
use synerise_auth::uuid::Uuid;
use synerise_auth::{ApiKey, Client, ErrorKind, Identity, LoginId, ProfileSession, Secret, reqwest};
use synerise_auth_emulator::Emulator;
use tokio::net::TcpListener;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

const COOKIE_NAME: &str = "shop_session";

/// A token that is valid for less than this is refreshed before it is used.
const MARGIN: Duration = Duration::from_secs(300);

/// The sessions, by the id in the cookie. It stands for your database: all replicas share it, and it outlives them. There,
/// encrypt the texts, and delete them at `SavedSession::expires_at`.
#[derive(Clone, Default)]
struct Sessions(Arc<Mutex<HashMap<String, Secret>>>);

impl Sessions {
    fn load(&self, id: &str) -> Option<SavedSession> {
        let text = self.locked().get(id).cloned()?;
        text.expose().parse().ok()
    }

    /// Keeps the newer of two values: concurrent requests may end in any order.
    fn save(&self, id: &str, saved: &SavedSession) {
        let mut sessions = self.locked();
        let kept = sessions.get(id).and_then(|text| text.expose().parse().ok());
        if kept.is_none_or(|kept: SavedSession| kept.generation() < saved.generation()) {
            sessions.insert(id.to_owned(), saved.to_secret());
        }
    }

    fn remove(&self, id: &str) {
        self.locked().remove(id);
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<String, Secret>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone)]
struct Shop {
    client: Client,
    profile_key: ApiKey,
    sessions: Sessions,
}

impl Shop {
    /// The customer of a request. `None` when nobody is logged in any more.
    fn customer(&self, headers: &HeaderMap) -> Option<(String, ProfileSession)> {
        let id = cookie(headers)?;
        let saved = self.sessions.load(&id)?;
        match self.client.profile(self.profile_key.clone()).resume(&saved) {
            Ok(customer) => Some((id, customer)),
            Err(error) => {
                // Expired, or of a key that was replaced: the customer has to log in again.
                println!("   (log: {error})");
                self.sessions.remove(&id);
                None
            }
        }
    }
}

async fn log_in(State(shop): State<Shop>, Json(form): Json<Value>) -> Response {
    let text = |field: &str| form[field].as_str().unwrap_or_default().to_owned();
    let identity = Identity::synerise(LoginId::email(text("email")), text("password"), text("uuid"));
    let login = shop.client.profile(shop.profile_key.clone()).login(identity);
    let saved = match login.await {
        Ok(customer) => customer.export().await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(saved) => {
            // A new id for each login, so that an id from before the login is worth nothing.
            let id = Uuid::new_v4().to_string();
            shop.sessions.save(&id, &saved);
            let cookie = format!("{COOKIE_NAME}={id}; HttpOnly; Secure; SameSite=Lax; Path=/");
            (StatusCode::NO_CONTENT, [(SET_COOKIE, cookie)]).into_response()
        }
        Err(error) if error.status() == Some(401) => StatusCode::UNAUTHORIZED.into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn account(State(shop): State<Shop>, headers: HeaderMap) -> Response {
    let Some((id, customer)) = shop.customer(&headers) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    // Waits for the refresh of a token that is nearly over. One in the background would end with this request's session.
    if let Err(error) = customer.token_valid_for(MARGIN).await {
        println!("   (log: {error})");
    }
    let account = customer.get("/v4/my-account/personal-information").await;
    // After a refresh the session has another token. Whoever comes next goes on with that one.
    match customer.export().await {
        Ok(saved) => shop.sessions.save(&id, &saved),
        Err(error) if error.kind() == ErrorKind::SessionExpired => shop.sessions.remove(&id),
        Err(_) => {}
    }
    match account {
        Ok(account) => (StatusCode::OK, account.bytes().clone()).into_response(),
        Err(error) if error.kind() == ErrorKind::SessionExpired => StatusCode::UNAUTHORIZED.into_response(),
        Err(error) => unavailable(&error),
    }
}

async fn log_out(State(shop): State<Shop>, headers: HeaderMap) -> StatusCode {
    if let Some(id) = cookie(&headers) {
        shop.sessions.remove(&id);
    }
    StatusCode::NO_CONTENT
}

fn unavailable(error: &synerise_auth::Error) -> Response {
    println!("   (log: {error})");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let pairs = headers.get(COOKIE)?.to_str().ok()?.split(';');
    let mut values = pairs.filter_map(|pair| pair.trim().split_once('='));
    values
        .find(|(name, _)| *name == COOKIE_NAME)
        .map(|(_, value)| value.to_owned())
}

/// Starts the service. Each start is another replica, or the same one after a restart.
async fn start(shop: Shop) -> Result<String> {
    let service = Router::new()
        .route("/login", post(log_in))
        .route("/account", get(account))
        .route("/logout", post(log_out))
        .with_state(shop);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async { axum::serve(listener, service).await });
    Ok(url)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("customer_sessions_axum: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<()> {
    // A clock that this example moves. A service does not need it.
    let clock = ManualClock::new();
    let emulator = Emulator::builder().clock_at(clock.now().wall()).start().await?;
    emulator.add_account("jane.doe@example.com", "Not-a-real-1");
    emulator.stub(
        "GET",
        "/v4/my-account/personal-information",
        json!({ "firstName": "Jane" }),
    );
    let sessions = Sessions::default();
    let replica = async || {
        let client = Client::builder()
            .base_url(emulator.base_url())
            .clock(clock.clone())
            .build()?;
        let profile_key = ApiKey::new(&emulator.workspace().profile_api_key)?;
        let sessions = sessions.clone();
        start(Shop {
            client,
            profile_key,
            sessions,
        })
        .await
    };
    let pass = |seconds| {
        emulator.clock().advance(Duration::from_secs(seconds));
        clock.advance(Duration::from_secs(seconds));
    };
    let browser = reqwest::Client::new();
    let first = replica().await?;

    let form = |password: &str| {
        json!({
            "email": "jane.doe@example.com", "password": password, "uuid": "00000000-0000-4000-8000-000000000001"
        })
    };
    let wrong = browser
        .post(format!("{first}/login"))
        .json(&form("wrong"))
        .send()
        .await?;
    println!("1. a wrong password: {}", wrong.status());
    let login = browser
        .post(format!("{first}/login"))
        .json(&form("Not-a-real-1"))
        .send()
        .await?;
    println!("2. logged in: {}", login.status());
    let cookie = login.headers().get(SET_COOKIE).ok_or("no cookie")?.to_str()?;
    let cookie = cookie.split(';').next().unwrap_or_default().to_owned();
    let account = async |base: &str| -> Result<String> {
        let request = browser.get(format!("{base}/account")).header(COOKIE, &cookie);
        let response = request.send().await?;
        Ok(format!("{} {}", response.status(), response.text().await?))
    };
    println!("3. the account: {}", account(&first).await?);

    let second = replica().await?;
    println!("4. after a restart: {}", account(&second).await?);
    pass(3500);
    account(&second).await?;
    println!("5. when the token is nearly over: {}", account(&second).await?);
    pass(3000);
    println!(
        "6. on the other replica, long after the first token: {}",
        account(&first).await?
    );
    println!(
        "7. logins: {}, refreshes: {}",
        emulator.count("authenticateProfile"),
        emulator.count("refreshProfileToken")
    );
    browser
        .post(format!("{first}/logout"))
        .header(COOKIE, &cookie)
        .send()
        .await?;
    println!("8. after logging out: {}", account(&second).await?);
    Ok(())
}
