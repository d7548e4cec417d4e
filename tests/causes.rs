//! An error about what was given says what is wrong with it.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::collections::HashMap;

use synerise_auth::{ApiKey, Client, Error};

#[test]
fn settings_that_the_http_client_refuses_are_named_with_their_cause() {
    let error = Client::builder()
        .http(|http| http.user_agent("a\nb"))
        .build()
        .unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)), "{error}");
    assert!(error.to_string().contains("header value"), "{error}");
}

#[tokio::test]
async fn a_body_that_is_no_json_is_named_with_its_cause() {
    let client = Client::builder().base_url("http://127.0.0.1:1").build().unwrap();
    let workspace = client.workspace(ApiKey::new("fake-key").unwrap());
    let body = HashMap::from([((1, 2), 3)]);
    let error = workspace
        .post("/v4/clients")
        .json(&body)
        .send()
        .await
        .unwrap_err();
    assert!(matches!(error, Error::InvalidInput(_)), "{error}");
    assert!(error.to_string().contains("key must be a string"), "{error}");
}
