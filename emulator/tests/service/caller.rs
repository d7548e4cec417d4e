//! A plain HTTP client of one emulator.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use synerise_auth_emulator::{Emulator, EmulatorBuilder};

pub(crate) const WORKSPACE_LOGIN: &str = "/uauth/v2/auth/login/profile";
pub(crate) const CURRENT: &str = "/uauth/business-profile/current";
pub(crate) const ANONYMOUS_LOGIN: &str = "/sauth/v3/auth/login/client/anonymous";
pub(crate) const PROFILE_LOGIN: &str = "/sauth/v3/auth/login/client";
pub(crate) const SETTINGS: &str = "/sauth/settings/general";
pub(crate) const UUID: &str = "07243772-008a-42e1-ba37-c3807cebde8f";
pub(crate) const PASSWORD: &str = "Fake-Passw0rd!";

/// When the clock of these tests stands still: 2026-01-01, half a second past.
pub(crate) fn start_time() -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(1_767_225_600_500)
}

/// An emulator and a client. At the end of the test, every response must have fitted the document.
pub(crate) struct Caller {
    pub(crate) emulator: Emulator,
    http: reqwest::Client,
}

/// A response. The body is `Null` if it was not JSON.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) text: String,
}

impl Reply {
    pub(crate) fn token(&self) -> String {
        self.body["token"].as_str().unwrap().to_owned()
    }

    /// The field that the first field error is about.
    pub(crate) fn field(&self) -> &str {
        self.body["errors"][0]["field"].as_str().unwrap_or_default()
    }
}

impl Caller {
    pub(crate) async fn start() -> Self {
        Self::with(Emulator::builder().clock_at(start_time())).await
    }

    pub(crate) async fn with(builder: EmulatorBuilder) -> Self {
        Self {
            emulator: builder.start().await.unwrap(),
            http: reqwest::Client::new(),
        }
    }

    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, format!("{}{path}", self.emulator.base_url()))
    }

    pub(crate) async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.text().await.unwrap();
        Reply {
            status,
            headers,
            body: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> Reply {
        self.send(self.request(Method::GET, path).bearer_auth(token))
            .await
    }

    pub(crate) async fn post(&self, path: &str, token: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).bearer_auth(token).json(body))
            .await
    }

    pub(crate) async fn post_openly(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub(crate) async fn get_status(&self, path: &str, token: &str) -> u16 {
        self.get(path, token).await.status
    }

    pub(crate) async fn post_status(&self, path: &str, token: &str, body: &Value) -> u16 {
        self.post(path, token, body).await.status
    }

    pub(crate) async fn post_openly_status(&self, path: &str, body: &Value) -> u16 {
        self.post_openly(path, body).await.status
    }

    pub(crate) async fn workspace_login(&self) -> Reply {
        self.post_openly(
            WORKSPACE_LOGIN,
            &json!({ "apiKey": self.emulator.workspace().workspace_api_key }),
        )
        .await
    }

    pub(crate) async fn workspace_token(&self) -> String {
        self.workspace_login().await.token()
    }

    pub(crate) async fn anonymous_token(&self) -> String {
        let body = json!({ "apiKey": self.emulator.workspace().profile_api_key, "uuid": UUID });
        self.post_openly(ANONYMOUS_LOGIN, &body).await.token()
    }

    /// The token of a user without a second factor, before a workspace is selected.
    pub(crate) async fn user_token(&self) -> String {
        self.emulator.add_user("jan@example.com", PASSWORD);
        let body = json!({ "username": "jan@example.com", "password": PASSWORD });
        self.post_openly("/uauth/auth/login/user", &body).await.token()
    }

    /// The token of a user in the workspace.
    pub(crate) async fn operator_token(&self) -> String {
        let user = self.user_token().await;
        let path = format!(
            "/uauth/auth/login/user/profile/{}",
            &self.emulator.workspace().guid
        );
        self.send(self.request(Method::POST, &path).bearer_auth(user))
            .await
            .token()
    }

    /// The body of a login by password.
    pub(crate) fn login_body(&self, email: &str, password: &str) -> Value {
        json!({
            "apiKey": self.emulator.workspace().profile_api_key, "identityProvider": "SYNERISE",
            "email": email, "password": password, "uuid": UUID,
        })
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.emulator.violations(), Vec::<String>::new());
        }
    }
}
