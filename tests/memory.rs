//! Memory: reading a response takes no more than twice the limit for its body, whatever the server sends, and a session that
//! was dropped leaves none behind.
//!
//! A binary of its own, because the memory of the whole process is counted.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test may")]

use std::fmt;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use peak_alloc::PeakAlloc;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use synerise_auth::client::RetryPolicy;
use synerise_auth::raw::types;
use synerise_auth::{ApiKey, Client, Session, kind::Workspace};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// A smaller limit would be less than what it takes to look for secrets in an error's text, which is the same for any limit.
const LIMIT: usize = 4 * 1024 * 1024;

/// For the HTTP client's buffers, which are of the same size for any limit.
const BESIDES: usize = 1024 * 1024;

/// What the server sends: to logins, or to everything else.
#[derive(Default)]
struct Sent {
    bytes: Arc<Vec<u8>>,
    to_logins: bool,
}

type Current = Arc<Mutex<Sent>>;

/// Sends prepared bytes, so that the server itself takes no memory while a response is read.
fn serve(current: &Current) -> SocketAddr {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let current = Arc::clone(current);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let current = Arc::clone(&current);
            std::thread::spawn(move || answer(stream, &current));
        }
    });
    address
}

fn answer(mut stream: TcpStream, current: &Current) {
    let login = br#"{"token":"fake-token"}"#;
    let mut request = [0; 16 * 1024];
    // A request of these tests comes in one piece, or its body in a second one, which is left unread.
    let Ok(length @ 1..) = stream.read(&mut request) else {
        return;
    };
    let is_login = request[..length].windows(7).any(|part| part == b"/login/");
    let answer = {
        let sent = current.lock().unwrap();
        (sent.to_logins == is_login).then(|| Arc::clone(&sent.bytes))
    };
    let _ = match answer {
        Some(bytes) => stream.write_all(&bytes),
        None => write!(
            stream,
            "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
            login.len()
        )
        .and_then(|()| stream.write_all(login)),
    };
    // Closing with unread bytes would reset the connection, and the answer could be lost.
    let _ = stream.shutdown(std::net::Shutdown::Write);
    while matches!(stream.read(&mut request), Ok(1..)) {}
}

/// About `size` bytes of one kind.
fn bodies() -> impl Strategy<Value = Vec<u8>> {
    let sizes = prop_oneof![1 => 0..2000_usize, 2 => 2000..LIMIT / 4, 2 => LIMIT / 4..LIMIT, 1 => LIMIT..LIMIT + 100_000];
    let list =
        |item: &str, size: usize| format!("[{}null]", format!("{item},").repeat(size / (item.len() + 1)));
    let map = |item: &str, size: usize| {
        let entries = (0..size / (item.len() + 10)).map(|number| format!("\"{number:06}\":{item},"));
        format!("{{{}\"end\":null}}", entries.collect::<String>())
    };
    let text = |part: &str, size: usize| part.repeat(size / part.len());
    (sizes, 0..18).prop_map(move |(size, kind)| match kind {
        0 => list("0", size).into_bytes(),
        1 => list("{}", size).into_bytes(),
        2 => list("[]", size).into_bytes(),
        3 => list(r#"{"id":1}"#, size).into_bytes(),
        4 => list(r#""ab""#, size).into_bytes(),
        5 => map("0", size).into_bytes(),
        6 => map(r#""true""#, size).into_bytes(),
        7 => map("[[]]", size).into_bytes(),
        8 => format!(r#"{{"error":{}}}"#, list("0", size)).into_bytes(),
        9 => format!(r#"{{"errors":{}}}"#, list(r#"{"field":"a"}"#, size)).into_bytes(),
        10 => format!(
            r#"{{"message":{}}}"#,
            serde_json::Value::from(list("0", size / 2))
        )
        .into_bytes(),
        11 => format!(r#"{{"message":"[0{}]"}}"#, text("\\u002c0", size)).into_bytes(),
        12 => format!(r#"{{"message":{{"a":"{}"}}}}"#, text("\\u0001", size)).into_bytes(),
        13 => format!(r#"{{"token":"{}","expiration":true}}"#, text("x", size)).into_bytes(),
        14 => format!(
            r#"{{"{}":1,"selected":"{}"}}"#,
            text("n", size / 2),
            text("v", size / 2)
        )
        .into_bytes(),
        15 => text("[", size).into_bytes(),
        16 => vec![0xff; size],
        _ => text("<p>, : [ {", size).into_bytes(),
    })
}

/// A response, which is printed by its beginning.
#[derive(Clone)]
struct Prepared(Vec<u8>);

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let beginning = String::from_utf8_lossy(&self.0[..self.0.len().min(200)]);
        write!(f, "{} bytes: {beginning}", self.0.len())
    }
}

fn responses() -> impl Strategy<Value = Prepared> {
    let status =
        prop_oneof![4 => Just(200), 1 => Just(400), 1 => Just(401), 1 => Just(503), 1 => 200..600_u16];
    let framing = 0..3;
    (
        status,
        framing,
        bodies(),
        any::<proptest::sample::Index>(),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(status, framing, body, cut, is_cut)| {
            let mut bytes = format!("HTTP/1.1 {status} X\r\nconnection: close\r\n").into_bytes();
            match framing {
                0 => bytes.extend(format!("content-length: {}\r\n\r\n", body.len()).bytes()),
                1 => {
                    bytes.extend(b"transfer-encoding: chunked\r\n\r\n");
                    for chunk in body.chunks(10_000) {
                        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
                        bytes.extend(chunk);
                        bytes.extend(b"\r\n");
                    }
                    bytes.extend(b"0\r\n\r\n");
                }
                // Until the connection is closed.
                _ => bytes.extend(b"\r\n"),
            }
            if framing != 1 {
                bytes.extend(body);
            }
            if is_cut {
                bytes.truncate(cut.index(bytes.len()).max(20));
            }
            Prepared(bytes)
        })
}

/// The most memory that a call took, in addition to what was in use before.
async fn peak<T>(call: impl Future<Output = synerise_auth::Result<T>>) -> usize {
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    drop(call.await);
    MEMORY.peak_usage().saturating_sub(before)
}

fn registration() -> types::RegistrationRequest {
    serde_json::from_value(serde_json::json!({ "email": "a@b.example", "password": "fake", "uuid": "u" }))
        .unwrap()
}

/// The peak of each call, by its response's shape.
async fn peaks(
    client: &Client,
    session: &Session<Workspace>,
    current: &Current,
) -> Vec<(&'static str, usize)> {
    let raw = session.raw();
    let permissions = vec!["A".to_owned()];
    let mut peaks = vec![
        ("any", peak(async { session.get("/v4/clients").await }).await),
        (
            "a list of objects",
            peak(async { raw.list_workspaces().await }).await,
        ),
        (
            "an object",
            peak(async { raw.get_current_workspace().await }).await,
        ),
        (
            "a kept object",
            peak(async { raw.get_profile_settings().await }).await,
        ),
        (
            "a map",
            peak(async { raw.check_permissions(&permissions).await }).await,
        ),
        (
            "nothing",
            peak(async { raw.register_profile(&registration()).await }).await,
        ),
    ];
    current.lock().unwrap().to_logins = true;
    let login = client.workspace(ApiKey::new("another-fake-key").unwrap());
    peaks.push(("a token", peak(login.token()).await));
    current.lock().unwrap().to_logins = false;
    client.forget(ApiKey::new("another-fake-key").unwrap());
    peaks
}

/// Counted alone: both tests count the memory of the whole process.
static ALONE: Mutex<()> = Mutex::new(());

#[test]
fn dropped_sessions_leave_nothing_behind() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let address = serve(&Current::default());
    let builder = Client::builder().base_url(format!("http://{address}"));
    let client = builder.build().unwrap();
    let visitors = |count: usize| {
        let key = ApiKey::new("fake-key").unwrap();
        (0..count).map(move |number| (key.clone(), format!("u-{number}")))
    };
    let visit = |client: &Client| {
        let sessions: Vec<_> = visitors(10_000)
            .map(|(key, uuid)| client.anonymous(key, uuid))
            .collect();
        let with_token = sessions.iter().step_by(200);
        with_token.for_each(|session| drop(runtime.block_on(session.token()).unwrap()));
    };
    visit(&client);
    let before = MEMORY.current_usage();
    for _ in 0..3 {
        visit(&client);
    }
    let more = MEMORY.current_usage().saturating_sub(before);
    assert!(more < 64 * 1024, "{more} bytes are left");
}

#[test]
fn reading_a_response_takes_no_more_memory_than_twice_its_limit() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let current = Current::default();
    let address = serve(&current);
    let client = Client::builder()
        .base_url(format!("http://{address}"))
        .max_response_bytes(LIMIT)
        .attempt_timeout(Duration::from_secs(20))
        .retry_policy(RetryPolicy::never())
        .build()
        .unwrap();
    let session = client.workspace(ApiKey::new("fake-key").unwrap());
    runtime.block_on(session.token()).unwrap();
    let config = Config {
        cases: 32,
        failure_persistence: None,
        max_shrink_iters: 20,
        ..Config::default()
    };
    let mut runner = TestRunner::new(config);
    let outcome = runner.run(&responses(), |response| {
        #[allow(clippy::cast_precision_loss, reason = "for a message")]
        let times = |peak: usize| peak as f64 / LIMIT as f64;
        current.lock().unwrap().bytes = Arc::new(response.0);
        let peaks = runtime.block_on(peaks(&client, &session, &current));
        for (what, peak) in peaks {
            prop_assert!(
                peak <= 2 * LIMIT + BESIDES,
                "{what} took {:.2} times the limit",
                times(peak)
            );
        }
        Ok(())
    });
    if let Err(problem) = outcome {
        panic!("{problem}");
    }
}
