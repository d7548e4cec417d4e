//! A shop's back end without a database: each customer's session is in an encrypted cookie of their own browser.
//!
//! Whoever has the cookie's key can read and write sessions, so keep it like an API key, the same one in all replicas. A
//! copy of a cookie works until its token expires, also after the customer has logged out here:
//! `ProfileSession::log_out` ends the customer's tokens at Synerise, on all devices.

use std::time::Duration;

use axum::extract::{FromRef, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use axum_extra::extract::PrivateCookieJar;
use axum_extra::extract::cookie::{Cookie, Key, SameSite};
use serde_json::Value;
use synerise_auth::session::SavedSession;
use synerise_auth::{ApiKey, Client, Error, ErrorKind, Identity, LoginId, ProfileSession};

const COOKIE: &str = "shop_session";

/// What browsers keep of one cookie, with its name and attributes. They drop a longer one without a word.
const LARGEST_COOKIE: usize = 4096;

/// A token that is valid for less than this is refreshed before it is used.
const MARGIN: Duration = Duration::from_secs(300);

/// What a replica needs. All replicas have the same keys.
#[derive(Debug, Clone)]
pub struct Shop {
    /// With a token store that all replicas share, they also share each refresh.
    pub client: Client,
    /// The shop's profile API key.
    pub profile_key: ApiKey,
    /// Encrypts the cookies.
    pub cookie_key: Key,
}

impl FromRef<Shop> for Key {
    fn from_ref(shop: &Shop) -> Self {
        shop.cookie_key.clone()
    }
}

/// The service's routes.
pub fn routes(shop: Shop) -> Router {
    Router::new()
        .route("/login", post(log_in))
        .route("/account", get(account))
        .route("/logout", post(log_out))
        .with_state(shop)
}

async fn log_in(
    State(shop): State<Shop>,
    jar: PrivateCookieJar,
    Json(form): Json<Value>,
) -> Result<(PrivateCookieJar, StatusCode), Problem> {
    let text = |field: &str| form[field].as_str().unwrap_or_default().to_owned();
    let identity = Identity::synerise(LoginId::email(text("email")), text("password"), text("uuid"));
    let customer = shop.client.profile(shop.profile_key).login(identity).await?;
    Ok((keep(jar, &customer).await?, StatusCode::NO_CONTENT))
}

async fn account(
    State(shop): State<Shop>,
    jar: PrivateCookieJar,
) -> Result<(PrivateCookieJar, Vec<u8>), Problem> {
    let customer = customer(&shop, &jar)?;
    // Waits for the refresh of a token that is nearly over. One in the background would end with this request's session.
    // If it fails, the token is still valid for a while.
    let _ = customer.token_valid_for(MARGIN).await;
    let account = customer.get("/v4/my-account/personal-information").await?;
    Ok((keep(jar, &customer).await?, account.bytes().to_vec()))
}

async fn log_out(jar: PrivateCookieJar) -> (PrivateCookieJar, StatusCode) {
    let cookie = Cookie::build(COOKIE).path("/");
    (jar.remove(cookie), StatusCode::NO_CONTENT)
}

/// The customer of a request. A cookie that was changed, or encrypted with another key, is not in the jar.
fn customer(shop: &Shop, jar: &PrivateCookieJar) -> Result<ProfileSession, Problem> {
    let cookie = jar.get(COOKIE).ok_or(Problem::LoggedOut)?;
    let saved: SavedSession = cookie.value().parse().map_err(|_| Problem::LoggedOut)?;
    // Fails when the token has expired, or belongs to a key that was replaced.
    let logins = shop.client.profile(shop.profile_key.clone());
    logins.resume(&saved).map_err(|_| Problem::LoggedOut)
}

/// Puts the customer's newest token into the cookie: a refresh has replaced the one that the browser has.
async fn keep(jar: PrivateCookieJar, customer: &ProfileSession) -> Result<PrivateCookieJar, Problem> {
    let text = customer.export().await?.to_secret();
    let cookie = Cookie::build((COOKIE, text.expose().to_owned()))
        .http_only(true)
        .secure(true)
        .same_site(SameSite::Lax)
        .path("/");
    let jar = jar.add(cookie);
    let response = jar.clone().into_response();
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let longest = cookies.map(HeaderValue::len);
    match longest.max() {
        Some(bytes) if bytes > LARGEST_COOKIE => Err(Problem::TooLarge(bytes)),
        _ => Ok(jar),
    }
}

/// Why there is no answer.
enum Problem {
    LoggedOut,
    Synerise(Error),
    TooLarge(usize),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error.kind() {
            ErrorKind::SessionExpired => Self::LoggedOut,
            // The login or the password is wrong.
            ErrorKind::Api if error.status() == Some(401) => Self::LoggedOut,
            _ => Self::Synerise(error),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // One line without secrets. A real service logs it instead.
        match self {
            Self::LoggedOut => StatusCode::UNAUTHORIZED.into_response(),
            Self::Synerise(error) => (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response(),
            Self::TooLarge(bytes) => {
                let text = format!(
                    "the session takes {bytes} bytes as a cookie, and browsers keep {LARGEST_COOKIE}: keep it in a store, \
                     and a random id in the cookie (see the example customer_sessions_axum)"
                );
                (StatusCode::INTERNAL_SERVER_ERROR, text).into_response()
            }
        }
    }
}
