//! TROUBLESHOOTING.md is found by what is printed: each error is caused, printed, and looked for on the page.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::json;
use synerise_auth::account::PasswordChange;
use synerise_auth::chrono::NaiveDate;
use synerise_auth::client::RetryPolicy;
use synerise_auth::model::{Attributes, TrackerKey};
use synerise_auth::random::Random;
use synerise_auth::usage::UsageQuery;
use synerise_auth::{
    ApiKey, ApiKeySource, Client, Error, Identity, Region, Token, WorkspaceSession, reqwest,
};
use synerise_auth_emulator::Fault;

use crate::support::{KeyFile, TestEnv, bounded, customer, key, secs, spawn_get};

const PAGE: &str = include_str!("../../TROUBLESHOOTING.md");
const KINDS: &str = include_str!("../../src/error/kind.rs");

/// What the page's headings quote. A text with `…` in it is found by nobody, so it counts for nothing here.
fn quoted() -> Vec<&'static str> {
    let headings = PAGE.lines().filter_map(|line| line.strip_prefix("### "));
    headings
        .flat_map(|heading| heading.split('`').skip(1).step_by(2))
        .collect()
}

/// Fails with the errors whose text has no part that a heading quotes.
#[track_caller]
fn assert_found(errors: impl IntoIterator<Item = Error>) {
    let quoted = quoted();
    let printed = errors.into_iter().map(|error| error.to_string());
    let missing: Vec<String> = printed
        .filter(|text| {
            !quoted
                .iter()
                .any(|part| part.contains(' ') && text.contains(part))
        })
        .collect();
    assert!(
        missing.is_empty(),
        "TROUBLESHOOTING.md has no heading for {missing:#?}"
    );
}

fn refused_url(url: &str) -> Error {
    Client::builder().base_url(url).build().unwrap_err()
}

#[test]
fn refused_configuration_is_found() {
    let mut errors = Vec::new();
    for key in [
        "",
        "\"fake-key\"",
        "${SYNERISE_API_KEY}",
        "Bearer fake-key",
        "KEY=fake-key",
        "fake key",
        "fake-key,",
        "eyJhbGciOiJSUzUxMiJ9.e30.c2ln",
    ] {
        errors.push(ApiKey::new(key).unwrap_err());
        errors.push(TrackerKey::new(key).unwrap_err());
    }
    errors.push(ApiKey::from_env("SYNERISE_NO_SUCH_VARIABLE").unwrap_err());
    errors.push("mars".parse::<Region>().unwrap_err());
    for url in [
        "http://shop.example",
        "http://0.0.0.0",
        "shop.example",
        "https://",
        "ftp://shop.example",
        "https://me:secret@shop.example",
        "https://shop.example/?a=b",
        "https://shop.example\n",
        "https://shop.example//a",
        "https://sh\u{f6}p.example",
        "https://shop.example/a/../b",
    ] {
        errors.push(refused_url(url));
    }
    errors.push(Client::builder().app("a\nb").build().unwrap_err());
    let guid = "00000000-0000-4000-8000-000000000001";
    let client = |url: &str| {
        Client::builder()
            .base_url(url)
            .allow_plain_http_to_any_host()
            .build()
    };
    let plain = client("http://shop.example").unwrap();
    errors.push(plain.workspace_basic(guid, key()).unwrap_err());
    let secure = client("https://shop.example").unwrap();
    errors.push(secure.workspace_basic(format!("GUID={guid}"), key()).unwrap_err());
    errors.push(Identity::other("SYNERISE", "fake-token").unwrap_err());
    errors.push(Identity::other("UNKNOWN", "fake-token").unwrap_err());
    errors.push(Attributes::new().set("email", "x").unwrap_err());
    let day = |day| NaiveDate::from_ymd_opt(2025, 5, day).unwrap();
    errors.push(UsageQuery::days(day(2), day(1)).unwrap_err());
    let tracker = TrackerKey::new("fake-key").unwrap();
    for url in [
        "/relative",
        "https://me:secret@shop.example",
        "https://shop.example/a b",
    ] {
        errors.push(tracker.sign(url).unwrap_err());
    }
    assert_found(errors);
}

#[tokio::test]
async fn refused_request_is_found() {
    let session = WorkspaceSession::fixed(Token::for_tests("not-a-real-token", secs(60)));
    let mut errors = Vec::new();
    for path in [
        "v4/clients",
        "/v4/clients/../users",
        "/v4/clients#1",
        "/v4/clients?id",
        "/v4//clients",
        "/v4/cli\\ents",
        "/v4/%zz",
        "/v4/{id}",
        "/v4/{id",
    ] {
        errors.push(session.get(path).await.unwrap_err());
    }
    errors.push(session.get("/v4/{id}").path_param("id", "").await.unwrap_err());
    errors.push(session.get("/v4/{id}").path_param("id", "..").await.unwrap_err());
    errors.push(session.get("/v4").path_param("id", "1").await.unwrap_err());
    errors.push(session.get("/v4").header("host", "a").await.unwrap_err());
    errors.push(session.get("/v4").header("a", "b\nc").await.unwrap_err());
    let keys_that_are_no_text = BTreeMap::from([(vec![1], 2)]);
    errors.push(
        session
            .post("/v4")
            .json(&keys_that_are_no_text)
            .await
            .unwrap_err(),
    );
    errors.push(session.token_valid_for(secs(3600)).await.unwrap_err());
    assert_found(errors);
}

#[tokio::test]
async fn every_status_is_found() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    for status in [
        400, 401, 403, 404, 405, 406, 409, 413, 415, 421, 422, 423, 425, 429, 500, 502, 503, 504,
    ] {
        env.emulator
            .faults()
            .on("GET /v4/clients")
            .always(Fault::status(status));
        let error = session.get("/v4/clients").await.unwrap_err();
        let heading = format!("was refused with {status}");
        assert!(error.to_string().contains(&heading), "{error}");
        assert!(
            quoted().contains(&heading.as_str()),
            "TROUBLESHOOTING.md has no heading `{heading}`"
        );
        env.pass(secs(2));
    }
}

#[derive(Debug)]
struct Panics;

impl Random for Panics {
    fn fraction(&self) -> f64 {
        panic!("on purpose")
    }
}

/// One error of each kind that a session can cause.
async fn kinds_of_sessions() -> Vec<Error> {
    let env = TestEnv::new().await;
    let session = env.workspace();
    let code = |code: &str| Fault::json(&json!({ "errorCode": code, "message": "no" })).with_status(400);
    let mut errors = Vec::new();

    errors.push(session.get("no-slash").await.unwrap_err());
    env.emulator
        .faults()
        .on("GET /v4/clients")
        .then(Fault::status(500));
    errors.push(session.get("/v4/clients").await.unwrap_err());
    env.emulator.faults().on("GET /v4/clients").then(Fault::reset());
    errors.push(session.get("/v4/clients").await.unwrap_err());

    let gate = env.emulator.faults().on("GET /v4/clients").hold();
    let caller = spawn_get(&session);
    gate.wait_for(1).await;
    env.clock.advance(Duration::from_secs(60));
    errors.push(bounded(caller).await.unwrap().unwrap_err());
    gate.release();

    let profile = env.profile().await.unwrap();
    let change = PasswordChange::new("not-the-old-one", "Not-a-real-2");
    errors.push(profile.change_password(change).await.unwrap_err());
    for activation in ["SAU-302", "SAU-303", "SAU-601"] {
        env.emulator
            .faults()
            .on("authenticateProfile")
            .then(code(activation));
        let login = env
            .client
            .profile(env.profile_key())
            .login(customer("Not-a-real-1"));
        errors.push(login.await.unwrap_err());
    }

    let html = TestEnv::new().await;
    html.emulator.faults().on("workspaceLogin").then(Fault::html());
    errors.push(html.workspace().token().await.unwrap_err());

    let fixed = WorkspaceSession::fixed(Token::for_tests("not-a-real-token", secs(60)));
    fixed.invalidate();
    errors.push(fixed.token().await.unwrap_err());

    let panicking = TestEnv::with_client(|client| client.random(Panics)).await;
    errors.push(panicking.workspace().token().await.unwrap_err());

    let proxy = reqwest::Proxy::all("http://127.0.0.1:9").unwrap();
    let behind = Client::builder()
        .base_url("https://api.synerise.invalid")
        .http(move |http| http.proxy(proxy.clone()))
        .retry_policy(RetryPolicy::never())
        .build()
        .unwrap();
    errors.push(behind.workspace(key()).token().await.unwrap_err());
    errors.push(crate::wire::error_of_an_untrusted_server().await);

    let file = KeyFile::new("");
    let keyless = env.client.workspace(ApiKeySource::file(file.path()));
    errors.push(keyless.token().await.unwrap_err());

    #[cfg(feature = "blocking")]
    {
        let blocking = synerise_auth::blocking::Runtime::new().unwrap();
        errors.push(blocking.block_on(session.token()).unwrap_err());
    }

    #[cfg(feature = "verify")]
    {
        use synerise_auth::verify::Verifier;
        errors.push(Verifier::from_pem("not a key").unwrap_err());
        let verifier = Verifier::from_pem(env.emulator.public_key_pem()).unwrap();
        errors.push(verifier.verify_now("Bearer forged").unwrap_err());
    }
    errors
}

#[test]
fn every_kind_is_found() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut errors = runtime.block_on(kinds_of_sessions());
    let client = Client::builder().base_url("http://127.0.0.1:9").build().unwrap();
    let session = client.workspace(key());
    let mut token = std::pin::pin!(session.token());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match token.as_mut().poll(&mut context) {
        std::task::Poll::Ready(Err(error)) => errors.push(error),
        other => panic!("there is no runtime: {other:?}"),
    }

    let seen: BTreeSet<&str> = errors.iter().map(|error| error.kind().as_str()).collect();
    let known = KINDS
        .split("=> \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next());
    let verifying = ["invalid_token", "invalid_key"];
    let missing: Vec<&str> = known
        .filter(|kind| cfg!(feature = "verify") || !verifying.contains(kind))
        .filter(|kind| cfg!(feature = "blocking") || *kind != "would_block")
        .filter(|kind| !seen.contains(kind))
        .collect();
    assert!(
        missing.is_empty(),
        "no error of the kinds {missing:?} was looked for"
    );
    assert_found(errors);
}
