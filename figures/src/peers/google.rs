//! google-cloud-auth: user account credentials, whose token endpoint may be anywhere.

use google_cloud_auth::credentials::{CacheableResource, Credentials, EntityTag, user_account};
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, HeaderValue};
use serde_json::json;
use tokio::sync::OnceCell;

use crate::Result;
use crate::cache::Cache;
use crate::login_server::LoginServer;

/// Every read asks for the headers.
#[derive(Debug)]
pub struct Google(Credentials);

impl Cache for Google {
    const NAME: &'static str = "google-cloud-auth";
    const LOGIN: &'static str = "/google/token";
    type Ready = HeaderMap;

    fn cold(server: &LoginServer) -> Result<Self> {
        let user = json!({
            "type": "authorized_user",
            "client_id": "fake-client",
            "client_secret": "fake-secret",
            "refresh_token": "fake-refresh-token",
            "token_uri": format!("{}{}", server.base_url(), Self::LOGIN),
        });
        Ok(Self(user_account::Builder::new(user).build()?))
    }

    async fn read(&self) -> Result<HeaderMap> {
        match self.0.headers(Extensions::new()).await? {
            CacheableResource::New { data, .. } => Ok(data),
            CacheableResource::NotModified => Err("headers that were never given are not modified".into()),
        }
    }

    fn header(ready: &HeaderMap) -> Option<&HeaderValue> {
        ready.get(AUTHORIZATION)
    }
}

/// The caller keeps the header, and every read asks whether it is still the right one: the fastest that the crate offers.
#[derive(Debug)]
pub struct GoogleTagged {
    inner: Google,
    kept: OnceCell<(EntityTag, HeaderValue)>,
}

impl Cache for GoogleTagged {
    const NAME: &'static str = "google-cloud-auth, by tag";
    const LOGIN: &'static str = Google::LOGIN;
    /// A copy of the header that was kept, or a new one.
    type Ready = HeaderValue;

    fn cold(server: &LoginServer) -> Result<Self> {
        Ok(Self {
            inner: Google::cold(server)?,
            kept: OnceCell::new(),
        })
    }

    async fn read(&self) -> Result<HeaderValue> {
        let mut extensions = Extensions::new();
        if let Some((tag, _)) = self.kept.get() {
            extensions.insert(tag.clone());
        }
        match (self.inner.0.headers(extensions).await?, self.kept.get()) {
            (CacheableResource::NotModified, Some((_, header))) => Ok(header.clone()),
            (CacheableResource::New { entity_tag, data }, _) => {
                let header = data.get(AUTHORIZATION).ok_or("there is no header")?.clone();
                let _ = self.kept.set((entity_tag, header.clone()));
                Ok(header)
            }
            (CacheableResource::NotModified, None) => {
                Err("headers that were never given are not modified".into())
            }
        }
    }

    fn header(ready: &HeaderValue) -> Option<&HeaderValue> {
        Some(ready)
    }
}
