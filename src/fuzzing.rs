//! What the fuzz targets of `fuzz/` feed: everything that reads foreign bytes. Only built with `--cfg fuzzing`.
//!
//! Each function takes any bytes, must not panic, and checks what must hold of the result.

#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a panic is how a fuzz target reports a fault"
)]

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::clock::Reading;
use crate::error::{ApiError, Error, Redactor};
use crate::secret::Secret;
use crate::token::{Token, TokenResponse, Validity};
use crate::transport::{retry_after, server_date};

const PLANTED: &str = "planted-secret-1";

/// A local time that no token of the fuzzer knows.
const NOW: Reading = Reading {
    monotonic: Duration::from_secs(3600),
    wall: Duration::from_secs(1_767_225_600),
};

/// The claims of a token.
pub fn claims(data: &[u8]) {
    let validity = Validity {
        issued_at: NOW,
        refresh_at: NOW,
        expires_at: NOW,
    };
    if let Ok(text) = str::from_utf8(data)
        && let Ok(token) = Token::new(&Secret::new(text), 1, validity, None)
    {
        let _ = format!("{token:?} {:?}", token.claims());
    }
}

/// The body of a refusal, of a request that carried a secret.
pub fn error_body(data: &[u8]) {
    let Some((&status, body)) = data.split_first() else {
        return;
    };
    let mut redactor = Redactor::default();
    redactor.add(PLANTED);
    let status = 400 + u16::from(status % 200);
    let error = Error::from(ApiError::read("operation".into(), status, None, body, &redactor));
    check_line(&error.to_string());
    check_line(&format!("{error:?}"));
    check_line(&format!("{:?}", error.api()));
}

/// What is printed is bounded, and shows no secret that the request carried.
fn check_line(line: &str) {
    assert!(line.len() < 64 * 1024, "{} bytes", line.len());
    assert!(!line.contains(PLANTED), "{line}");
}

/// `Retry-After` and `Date`, each of half of the bytes.
pub fn retry_after_header(data: &[u8]) {
    let (first, second) = data.split_at(data.len() / 2);
    let mut headers = HeaderMap::new();
    for (name, value) in [("retry-after", first), ("date", second)] {
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let _ = (retry_after(&headers, NOW.wall), server_date(&headers));
}

/// When a token expires: by its response, its claims and the server's clock.
pub fn token_lifetime(data: &[u8]) {
    let number = |index: usize| {
        let bytes = data.get(8 * index..8 * index + 8)?;
        bytes.try_into().ok().map(i64::from_le_bytes)
    };
    let response = TokenResponse {
        token: Secret::new(String::from_utf8_lossy(data.get(24..).unwrap_or_default())),
        expiration: number(0).filter(|number| *number != 0),
        created: number(1).filter(|number| *number != 0),
        details: None,
        server_date: number(2)
            .and_then(|seconds| u64::try_from(seconds).ok())
            .map(Duration::from_secs),
        sent: NOW,
        arrived: NOW,
    };
    if let Ok((_, lifetime)) = response.lifetime() {
        assert!(!lifetime.is_zero());
    }
}
