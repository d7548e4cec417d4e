//! HTTP Basic authentication: a workspace's GUID and API key in each request.

use std::sync::Arc;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use http::HeaderValue;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::api_key::ApiKey;
use crate::error::{Error, Redactor, Result};
use crate::secret::{Secret, secret_header};

const SCHEME: &str = "Basic ";

/// A workspace's GUID and API key, ready to send. Cloning it copies a pointer.
#[derive(Clone)]
pub(crate) struct BasicCredential(Arc<Inner>);

struct Inner {
    guid: Secret,
    key: ApiKey,
    /// `Basic …`, marked as sensitive.
    header: HeaderValue,
}

impl BasicCredential {
    /// The GUID is sent as it is written. Its errors don't quote it: a key may stand there by mistake.
    pub(crate) fn new(guid: Secret, key: ApiKey) -> Result<Self> {
        let refuse = || {
            Error::invalid_input(
                "workspace",
                "is not a GUID",
                "copy the workspace's GUID alone, like 00000000-0000-4000-8000-000000000000",
            )
        };
        // The parser takes other forms as well, which Synerise doesn't write. With this one, nothing in it can end the
        // user name or the header.
        let is_guid = Uuid::try_parse(guid.expose()).is_ok() && guid.expose().len() == 36;
        if !is_guid {
            return Err(refuse());
        }
        let pair = wiped(&[guid.expose(), ":", key.expose()]);
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(&*pair));
        let header = secret_header(wiped(&[SCHEME, &encoded])).map_err(|_| refuse())?;
        Ok(Self(Arc::new(Inner { guid, key, header })))
    }

    pub(super) fn header(&self) -> &HeaderValue {
        &self.0.header
    }

    /// Tells a redactor what a server may quote: the parts, and what they are sent as.
    pub(super) fn add_to(&self, redactor: &mut Redactor) {
        redactor.add(self.0.guid.expose());
        redactor.add(self.0.key.expose());
        let header = str::from_utf8(self.0.header.as_bytes()).unwrap_or_default();
        redactor.add(header.get(SCHEME.len()..).unwrap_or_default());
    }
}

/// The parts as one text. It is allocated once, so that nothing of it stays behind.
fn wiped(parts: &[&str]) -> Zeroizing<Vec<u8>> {
    let length = parts.iter().map(|part| part.len()).sum();
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    for part in parts {
        text.extend_from_slice(part.as_bytes());
    }
    text
}
