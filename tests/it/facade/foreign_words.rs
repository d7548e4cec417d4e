//! Foreign words in errors are bounded, on one line, and show neither a secret nor personal data.

use std::io::{Read, Write};
use std::net::TcpListener;

use serde_json::json;
use synerise_auth::account::{AccountDevice, NewAccount};
use synerise_auth::client::RetryPolicy;
use synerise_auth::model::Attributes;
use synerise_auth::{Client, Error, ErrorKind, Identity, LoginId};

use crate::support::{Answer, Capture, KEY, key};

const ADDRESS: &str = "jan.planted@shop.example";
const PHONE: &str = "+48 600 700 800";

#[track_caller]
fn assert_clean(error: &Error, secrets: &[&str]) {
    let printed = format!("{error}\n{error:?}\n{error:#?}\n{:?}", error.api());
    for secret in secrets {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
    let line = error.to_string();
    assert!(
        line.len() < 1500 && !line.contains('\n'),
        "{} bytes: {line}",
        line.len()
    );
}

/// An HTTP/2 frame.
fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, 0, 0, 0, 0, 0], payload].concat()
}

#[tokio::test]
async fn debug_data_of_http2_shows_no_secret() {
    let escaped = KEY.replace('-', "%2d").to_uppercase();
    for said in [
        format!("no {KEY}"),
        format!("no {escaped}"),
        format!("{KEY} ").repeat(400),
    ] {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let last_stream_and_error = [0, 0, 0, 0, 0, 0, 0, 0xb];
        let goaway = frame(7, &[&last_stream_and_error[..], said.as_bytes()].concat());
        let server = std::thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let _ = connection.read(&mut [0; 4096]).unwrap();
            connection.write_all(&[frame(4, &[]), goaway].concat()).unwrap();
            let _ = connection.read(&mut [0; 4096]);
        });
        let client = Client::builder()
            .base_url(format!("http://{address}"))
            .retry_policy(RetryPolicy::never())
            .http(reqwest::ClientBuilder::http2_prior_knowledge)
            .build()
            .unwrap();
        let error = client.workspace(key()).token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Connection, "{error}");
        assert_clean(&error, &[KEY, &escaped, "1c586ac4"]);
        assert!(std::error::Error::source(&error).is_none());
        server.join().unwrap();
    }
}

#[tokio::test]
async fn host_of_a_redirect_is_bounded_and_redacted() {
    for location in [
        format!("https://{KEY}.example/"),
        format!("https://{}.example/", KEY.to_uppercase()),
        format!("https://{}/", "a.".repeat(6_000)),
        format!("https://other.example/?{KEY}"),
    ] {
        let server =
            Capture::start(move |_| Answer::json(json!({})).status(307).header("location", &location)).await;
        let error = server.workspace().token().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert_clean(&error, &[KEY, &KEY.to_uppercase()]);
    }
}

#[tokio::test]
async fn refusal_does_not_repeat_what_the_caller_sent() {
    let server = Capture::start(|request| {
        if request.target.contains("/login/profile") {
            return Answer::json(json!({ "token": "fake-token" }));
        }
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let values = |name: &str| request.values(name).join(" ");
        let said = format!(
            "{} {} {} {}",
            request.target,
            body,
            values("cookie"),
            values("x-api-key")
        );
        Answer::json(json!({ "wrong": { "request": said, "again": json!({ "was": said }).to_string() } }))
            .status(400)
    })
    .await;
    let workspace = server.workspace();
    let error = workspace
        .post("/v4/clients")
        .query(&[("access_token", "planted-query")])
        .header("cookie", "session=planted-cookie")
        .header("x-api-key", "planted-header")
        .json(&json!({ "client_secret": "planted/sécret", "pin": 471_108, "code": "planted-code", "email": ADDRESS, "phone": PHONE }))
        .await
        .unwrap_err();
    assert_eq!(error.status(), Some(400));
    assert_clean(&error, &["planted", "471108", ADDRESS, "600 700", "600+700"]);
}

#[test]
fn debug_shows_no_personal_data() {
    let identity = Identity::synerise(LoginId::email(ADDRESS), "fake-password", "u-1");
    let client = Client::builder().build().unwrap();
    let printed = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        LoginId::email(ADDRESS),
        LoginId::custom_id(ADDRESS),
        identity,
        NewAccount::new(ADDRESS, "fake-password", "u-1")
            .phone(PHONE)
            .first_name("Planted"),
        AccountDevice::new(ADDRESS, "u-1", "d-1"),
        client.user().login(ADDRESS, "fake-password"),
        client.profile(key()).login(identity.clone()),
        Attributes::new().set("nick", ADDRESS).unwrap(),
    );
    for personal in ["planted", "Planted", "600 700"] {
        assert!(!printed.contains(personal), "{printed}");
    }
}

#[tokio::test]
async fn json_that_does_not_fit_names_the_field_and_no_value() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Page {
        data: Vec<Item>,
    }
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only read")]
    struct Item {
        id: u32,
    }
    for (body, problem) in [
        (
            r#"{"data":[{"id":1},{"id":"planted"}]}"#,
            "its field `data[1].id` is not of the type asked for",
        ),
        (
            r#"{"data":[{"other":"planted"}]}"#,
            "its field `data[0]` has no field `id`",
        ),
        (r#"{"other":"planted"}"#, "its JSON has no field `data`"),
        (r#""planted""#, "its JSON is not of the type asked for"),
        (r#"{"data":[]} planted"#, "it is not the JSON that was asked for"),
    ] {
        let server = Capture::start(move |request| {
            if request.target.contains("/login") {
                Answer::json(json!({ "token": "fake-token" }))
            } else {
                Answer::new(200, "application/json", body)
            }
        })
        .await;
        let response = server.workspace().get("/v4/clients").await.unwrap();
        let error = response.json::<Page>().unwrap_err();
        assert!(error.to_string().contains(problem), "{error}");
        assert_clean(&error, &["planted"]);
    }
    // A byte order mark is not a part of it.
    let marked = "\u{feff}{\"data\":[]}";
    let server = Capture::start(move |request| {
        if request.target.contains("/login") {
            Answer::json(json!({ "token": "fake-token" }))
        } else {
            Answer::new(200, "application/json", marked)
        }
    })
    .await;
    server
        .workspace()
        .get("/v4/clients")
        .await
        .unwrap()
        .json::<Page>()
        .unwrap();
}
