//! How the HTTP client is built.

use synerise_auth::client::RetryPolicy;
use synerise_auth::reqwest::header::{HeaderMap, HeaderValue};

use crate::support::{Answer, Capture, key};

#[tokio::test]
async fn http_settings_add_up() {
    let server = Capture::start(|_| Answer::json(serde_json::json!({ "token": "fake-token" }))).await;
    let mut first = HeaderMap::new();
    first.insert("x-first", HeaderValue::from_static("1"));
    let client = server
        .builder()
        .http(move |http| http.default_headers(first.clone()))
        .http(|http| http.user_agent("second/1"))
        .build()
        .unwrap();
    client.workspace(key()).token().await.unwrap();
    let seen = server.last();
    assert_eq!(seen.values("x-first"), ["1"]);
    assert_eq!(seen.values("user-agent"), ["second/1"]);
}

#[test]
fn retry_policies_are_compared_by_value() {
    assert_eq!(RetryPolicy::default().with_max_attempts(0), RetryPolicy::never());
    assert_ne!(RetryPolicy::default(), RetryPolicy::never());
}
