//! One call of an operation, through the library and by hand: both with a token that is there, both read the answer.

use std::collections::BTreeMap;

use http::header::AUTHORIZATION;
use serde::Deserialize;
use serde_json::json;
use synerise_auth::kind::Workspace;
use synerise_auth::{ApiKey, Client, Session};

use crate::Result;
use crate::cache::Cache;
use crate::login_server::PERMISSION_CHECK;
use crate::ours::Ours;
use crate::peers::rw_lock::log_in;

const PERMISSIONS: [&str; 2] = ["READ", "WRITE"];

/// Through the library.
#[derive(Debug)]
pub struct Facade(Session<Workspace>);

impl Facade {
    /// A session of that server.
    pub fn new(base_url: &str) -> Result<Self> {
        let client = Client::builder().base_url(base_url).build()?;
        Ok(Self(client.workspace(ApiKey::new("fake-workspace-key")?)))
    }

    /// Calls that often.
    pub async fn call(&self, times: u32) -> Result {
        for _ in 0..times {
            let check = self.0.check_permissions(PERMISSIONS).await?;
            if !check.has("READ") {
                return Err("the answer was not understood".into());
            }
        }
        Ok(())
    }
}

/// By hand, with the token in a constant: what somebody writes who needs this one call.
#[derive(Debug)]
pub struct ByHand {
    http: reqwest::Client,
    url: String,
    authorization: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Check {
    business_profile_name: String,
    permissions: BTreeMap<String, bool>,
}

impl ByHand {
    /// Logs in.
    pub async fn new(base_url: &str) -> Result<Self> {
        let http = reqwest::Client::new();
        let (token, _) = log_in(&http, &format!("{base_url}{}", Ours::LOGIN)).await?;
        Ok(Self {
            http,
            url: format!("{base_url}{PERMISSION_CHECK}"),
            authorization: format!("Bearer {token}"),
        })
    }

    /// Calls that often.
    pub async fn call(&self, times: u32) -> Result {
        for _ in 0..times {
            let response = self
                .http
                .post(&self.url)
                .header(AUTHORIZATION, &self.authorization)
                .header("api-version", "4.4")
                .json(&json!(PERMISSIONS))
                .send()
                .await?
                .error_for_status()?;
            let check: Check = response.json().await?;
            if check.business_profile_name.is_empty() || check.permissions.get("READ") != Some(&true) {
                return Err("the answer was not understood".into());
            }
        }
        Ok(())
    }
}
