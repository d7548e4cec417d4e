//! The functions that the targets of `fuzz/` call: everything that parses foreign bytes. Only built with `--cfg fuzzing`.
//!
//! Each function accepts any bytes, must not panic, and checks invariants of the result.

#![allow(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a panic is how a fuzz target reports a fault"
)]

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::bindings::{RawObject, coerce};
use crate::clock::Reading;
use crate::error::{ApiError, Error, Redactor};
use crate::model::TrackerKey;
use crate::operation::OPERATIONS;
use crate::secret::Secret;
use crate::session::SavedSession;
use crate::settings::{IpPolicy, ProfileSettings, rewritten};
use crate::token::{Token, TokenResponse, TokenTimes, Validity};
use crate::transport::{BaseUrl, retry_after, server_date};

/// A key whose private half is in the repository's test data, but unknown to the fuzzer.
const TEST_KEY: &[u8] = include_bytes!("../emulator/keys/test-only-1.public.pem");

/// The longest lifetime that the fuzzed client believes.
const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

const PLANTED: &str = "planted-secret-1";

/// A local time that the fuzzer's tokens don't know.
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
        && let Ok(token) = Token::new(text, 1, validity, None)
    {
        let _ = format!("{token:?} {:?}", token.claims());
    }
}

/// The body of a refusal, after a request that carried a secret.
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

/// The printed text is bounded, and shows no secret that the request carried.
fn check_line(line: &str) {
    assert!(line.len() < 64 * 1024, "{} bytes", line.len());
    assert!(!line.contains(PLANTED), "{line}");
}

/// `Retry-After` and `Date`, each from half of the bytes.
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

/// When a token expires: the body of a login's response, and the server's clock in the first eight bytes.
pub fn token_lifetime(data: &[u8]) {
    let Some((date, body)) = data.split_first_chunk::<8>() else {
        return;
    };
    let date = u64::from_le_bytes(*date);
    let response = TokenResponse {
        operation: "operation",
        token: Secret::new(String::from_utf8_lossy(body)),
        times: TokenTimes::of_body(body),
        details: None,
        stored: date % 2 == 0,
        shared_as: None,
        age: Duration::ZERO,
        server_date: (date != 0).then(|| Duration::from_secs(date)),
        sent: NOW,
        arrived: NOW,
    };
    if let Ok(lifetime) = response.lifetime(LONGEST) {
        assert!(!lifetime.length.is_zero() && lifetime.length <= LONGEST);
    }
}

/// A success of each operation. The first byte chooses the operation.
pub fn responses(data: &[u8]) {
    let Some((&choice, body)) = data.split_first() else {
        return;
    };
    let operation = OPERATIONS[usize::from(choice) % OPERATIONS.len()];
    if let Err(problem) = coerce::read(operation, body) {
        let text = format!("{problem:?}");
        assert!(text.len() < 1024 && !text.contains(PLANTED), "{text}");
    }
}

/// A saved session. What is read is written out again, and judged at any time.
pub fn saved_session(data: &[u8]) {
    let Ok(text) = str::from_utf8(data) else { return };
    match text.parse::<SavedSession>() {
        Ok(saved) => {
            let written = saved.to_secret();
            let again = written.expose().parse::<SavedSession>();
            assert!(again.is_ok_and(|again| again.generation() == saved.generation()));
            let _ = (saved.expires_at(), saved.profile_uuid(), format!("{saved:?}"));
            crate::session::judge(&saved, NOW);
        }
        Err(error) => check_line(&error.to_string()),
    }
}

/// A path as a caller writes it. The URL to send is the requested one, below the base URL.
pub fn paths(data: &[u8]) {
    const BASE: &str = "https://api.example.com/front";
    let (Ok(path), Ok(base)) = (str::from_utf8(data), BaseUrl::parse(BASE, false)) else {
        return;
    };
    if let Ok(url) = base.join(path) {
        assert_eq!(url.as_str(), format!("{BASE}{path}"));
    }
}

/// A URL that is signed with a tracker key. Only the key's own pair of the query changes.
pub fn signed_urls(data: &[u8]) {
    let (Ok(url), Ok(key)) = (str::from_utf8(data), TrackerKey::new(PLANTED)) else {
        return;
    };
    match key.sign(url) {
        Ok(signed) => {
            let pairs = signed.query().unwrap_or_default().split('&');
            assert_eq!(pairs.filter(|pair| pair.starts_with("token=")).count(), 1);
        }
        Err(error) => check_line(&error.to_string()),
    }
}

/// The public key in PEM, and a token with its signature: split at the first zero byte.
pub fn verification(data: &[u8]) {
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let (pem, token) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
    if let Ok(verifier) = crate::verify::Verifier::from_pem(pem) {
        let _ = verifier.verify_now(token);
    }
    if let Ok(verifier) = crate::verify::Verifier::from_pem(TEST_KEY) {
        assert!(verifier.verify_now(token).is_err(), "nobody has the private key");
    }
}

/// A document of settings that is not changed. Every byte of its values is written back.
pub fn settings(data: &[u8]) {
    let Ok(document) = serde_json::from_slice::<RawObject>(data) else {
        return;
    };
    let text = |document: &RawObject| serde_json::to_string(document).unwrap_or_default();
    if let Ok(written) = rewritten(&document, |_: &mut ProfileSettings| {}) {
        assert_eq!(text(&written), text(&document));
    }
    if let Ok(written) = rewritten(&document, |_: &mut IpPolicy| {}) {
        assert_eq!(text(&written), text(&document));
    }
}
