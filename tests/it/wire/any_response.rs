//! Whatever a server sends, and wherever the connection is cut: a value or an error within the time limit, no secret in
//! what is printed, and the session recovers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use synerise_auth::client::RetryPolicy;
use synerise_auth::lifecycle::RefreshPolicy;
use synerise_auth::{ApiKey, Client, WorkspaceSession};

use crate::support::{RawServer, Reply, millis};

const KEY: &str = "fake-key-planted-in-requests";
const TOKEN: &str = "fake-token-planted-in-responses";

/// One way to answer: bytes, and what comes after them.
#[derive(Debug, Clone)]
struct Fault {
    bytes: Vec<u8>,
    after: u8,
}

impl Fault {
    fn reply(&self) -> Reply {
        match self.after {
            0 => Reply::Send(self.bytes.clone()),
            1 => Reply::SendAndClose(self.bytes.clone()),
            _ => Reply::SendAndHang(self.bytes.clone()),
        }
    }
}

/// `sent` is the secret that the request carried: a server can quote it.
fn bodies(sent: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let quoting =
        format!(r#"{{"message":"no {sent}","errorCode":"{sent}","errors":[{{"field":"{sent}"}}]}}"#);
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..200),
        Just(quoting.into_bytes()),
        Just(format!(r#"{{"token":"{TOKEN}"}}"#).into_bytes()),
        Just(r#"{"token":null}"#.into()),
        Just("\u{feff}[]".into()),
    ]
}

fn headers(sent: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let header = prop_oneof![
        Just(b"transfer-encoding: chunked".to_vec()),
        Just(b"content-encoding: gzip".to_vec()),
        Just(b"retry-after: 0.01".to_vec()),
        Just(b"retry-after: 99999999999".to_vec()),
        Just(format!("location: https://{sent}.example/{sent}").into_bytes()),
        Just(b"content-length: 18446744073709551616".to_vec()),
        Just(b"content-length: 5".to_vec()),
        Just(b"date: Thu, 01 Jan 1970 00:00:00 GMT".to_vec()),
        Just(b"connection: close".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..40),
    ];
    proptest::collection::vec(header, 0..4).prop_map(|lines| lines.join(&b"\r\n"[..]))
}

fn faults(sent: &'static str) -> impl Strategy<Value = Fault> {
    let status = prop_oneof![4 => 100_u16..1000, 1 => Just(200), 1 => Just(401)];
    let announced = any::<bool>();
    (
        status,
        headers(sent),
        bodies(sent),
        announced,
        any::<prop::sample::Index>(),
        any::<bool>(),
        0..3_u8,
    )
        .prop_map(|(status, headers, body, announced, cut, whole, after)| {
            let mut bytes = format!("HTTP/1.1 {status} x\r\n").into_bytes();
            if announced {
                bytes.extend(format!("content-length: {}\r\n", body.len()).bytes());
            }
            if !headers.is_empty() {
                bytes.extend(headers);
                bytes.extend(b"\r\n");
            }
            bytes.extend(b"\r\n");
            bytes.extend(body);
            if !whole {
                bytes.truncate(cut.index(bytes.len()));
            }
            Fault { bytes, after }
        })
}

/// What the server does just now: a fault for logins, one for calls, or none.
type Mood = Arc<Mutex<Option<(bool, Fault)>>>;

fn server(mood: &Mood) -> RawServer {
    let mood = Arc::clone(mood);
    RawServer::start(move |request, _| match &*mood.lock().unwrap() {
        Some((at_login, fault)) if *at_login == request.is_login() => fault.reply(),
        _ if request.is_login() => Reply::json(&format!(r#"{{"token":"{TOKEN}"}}"#)),
        _ => Reply::json("{}"),
    })
}

fn session(server: &RawServer) -> WorkspaceSession {
    let policy = RetryPolicy::default()
        .with_initial_backoff(millis(1))
        .with_max_backoff(millis(2))
        .with_max_retry_after(millis(20));
    let refresh = RefreshPolicy::default()
        .with_initial_backoff(millis(1))
        .with_max_backoff(millis(2))
        .with_refused_backoff(millis(2));
    let client = Client::builder()
        .base_url(server.url())
        .attempt_timeout(millis(60))
        .call_timeout(millis(300))
        .max_response_bytes(10_000)
        .retry_policy(policy)
        .refresh_policy(refresh)
        .build()
        .unwrap();
    client.workspace(ApiKey::new(KEY).unwrap())
}

fn assert_clean(text: &str) {
    for planted in [KEY, TOKEN] {
        assert!(!text.contains(planted), "{text}");
    }
    assert!(text.len() < 20_000 && !text.contains('\n'), "{text}");
}

#[allow(clippy::disallowed_methods, reason = "a bound in real time")]
async fn try_out(at_login: bool, fault: Fault) {
    let mood = Mood::default();
    let server = server(&mood);
    let session = session(&server);
    *mood.lock().unwrap() = Some((at_login, fault));
    let call = async { session.get("/v4/clients").await };
    let outcome = tokio::time::timeout(Duration::from_secs(5), call).await;
    match outcome.expect("the call ends within its time limit") {
        Ok(response) => assert_clean(&format!("{response:?}")),
        Err(error) => {
            assert_clean(&error.to_string());
            assert_clean(&format!("{error:?} {:?} {:?}", error.api(), session.status()));
        }
    }
    *mood.lock().unwrap() = None;
    // Ends the backoff after a failed login, as its user would who knows that the fault has ended.
    session.invalidate();
    let recovered = async {
        while let Err(error) = session.get("/v4/clients").await {
            assert_clean(&error.to_string());
            tokio::task::yield_now().await;
        }
    };
    let recovered = tokio::time::timeout(Duration::from_secs(20), recovered).await;
    recovered.expect("the session recovers when the fault has ended");
}

#[test]
fn any_response_is_a_value_or_a_clean_error_and_the_session_recovers() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    });
    let cases = any::<bool>().prop_flat_map(|at_login| {
        let sent = if at_login { KEY } else { TOKEN };
        (Just(at_login), faults(sent))
    });
    let outcome = runner.run(&cases, |(at_login, fault)| {
        runtime.block_on(try_out(at_login, fault));
        Ok(())
    });
    if let Err(problem) = outcome {
        panic!("{problem}");
    }
}
