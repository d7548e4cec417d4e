//! A token cache as most people write it: a token and its end behind a Tokio `RwLock`, checked again under the write
//! lock, and refreshed a minute ahead.

use std::time::{Duration, Instant};

use http::HeaderValue;
use serde::Deserialize;
use tokio::sync::RwLock;

use crate::Result;
use crate::cache::Cache;
use crate::login_server::LoginServer;

/// How long before its end the token is refreshed.
pub const MARGIN: Duration = Duration::from_mins(1);

/// The cache.
#[derive(Debug)]
pub struct TokioRwLock {
    token: RwLock<Option<(String, Instant)>>,
    http: reqwest::Client,
    url: String,
}

impl TokioRwLock {
    async fn token(&self) -> Result<String> {
        if let Some((token, end)) = &*self.token.read().await
            && Instant::now() + MARGIN < *end
        {
            return Ok(token.clone());
        }
        let mut slot = self.token.write().await;
        if let Some((token, end)) = &*slot
            && Instant::now() + MARGIN < *end
        {
            return Ok(token.clone());
        }
        let (token, lifetime) = log_in(&self.http, &self.url).await?;
        *slot = Some((token.clone(), Instant::now() + lifetime));
        Ok(token)
    }
}

impl Cache for TokioRwLock {
    const NAME: &'static str = "tokio RwLock";
    const LOGIN: &'static str = "/rw-lock/token";
    type Ready = HeaderValue;

    fn cold(server: &LoginServer) -> Result<Self> {
        Ok(Self {
            token: RwLock::default(),
            http: reqwest::Client::new(),
            url: format!("{}{}", server.base_url(), Self::LOGIN),
        })
    }

    async fn read(&self) -> Result<HeaderValue> {
        let token = self.token().await?;
        Ok(HeaderValue::try_from(format!("Bearer {token}"))?)
    }

    fn header(ready: &HeaderValue) -> Option<&HeaderValue> {
        Some(ready)
    }
}

/// A login by hand.
pub(crate) async fn log_in(http: &reqwest::Client, url: &str) -> Result<(String, Duration)> {
    #[derive(Deserialize)]
    struct Grant {
        access_token: String,
        expires_in: u64,
    }
    let body = [
        ("grant_type", "client_credentials"),
        ("client_secret", "fake-secret"),
    ];
    let response = http.post(url).form(&body).send().await?.error_for_status()?;
    let grant: Grant = response.json().await?;
    Ok((grant.access_token, Duration::from_secs(grant.expires_in)))
}
