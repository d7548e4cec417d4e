//! Many live sessions at once, and what they take.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use synerise_auth::kind::Anonymous;
use synerise_auth::{ApiKey, Client, Session, Token};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Result;
use crate::login_server::LoginServer;
use crate::ours::FiguresClock;

/// What the sessions took.
#[derive(Debug, Serialize, Deserialize)]
pub struct Taken {
    /// How many sessions were live.
    pub sessions: usize,
    /// Bytes of the heap for each that has not logged in yet, and of its handle.
    pub bytes: f64,
    /// What the operating system gave for each.
    pub resident: Option<f64>,
    /// How many of them logged in then.
    pub logged_in: usize,
    /// Bytes for each of those, beside its token.
    pub bytes_logged_in: f64,
    /// Bytes of a token, with what the response said beside it.
    pub bytes_of_token: f64,
    /// Tasks beyond those of the client with a single idle session.
    pub tasks: usize,
    /// Timers alive.
    pub timers: i64,
}

/// How many logins are under way at the same time.
const LOGINS_AT_ONCE: usize = 32;

/// How long a connection stays open that nobody needs: its task isn't a session's.
const IDLE: Duration = Duration::from_millis(200);

/// Holds so many sessions of visitors, and logs some of them in. `heap` tells the bytes that are allocated now.
pub async fn take(
    server: &LoginServer,
    count: usize,
    logged_in: usize,
    heap: impl Fn() -> f64,
) -> Result<Taken> {
    let clock = FiguresClock::default();
    let client = Client::builder()
        .base_url(server.base_url())
        .clock(clock.clone())
        .http(|http| http.pool_idle_timeout(IDLE))
        .build()?;
    let key = ApiKey::new("fake-profile-key")?;
    let session =
        |number: usize| client.anonymous(key.clone(), format!("00000000-0000-4000-8000-{number:012}"));

    // What one session leaves behind is the client's: connections, their pool, names that were looked up.
    let first = session(count);
    first.token().await?;
    let tasks_before = tasks_when_idle(0).await;

    // The handles' place is reserved first: it belongs to who keeps them, but is counted.
    let (heap_before, resident_before) = (heap(), resident());
    let mut sessions: Vec<Session<Anonymous>> = Vec::with_capacity(count);
    sessions.extend((0..count).map(session));
    let bytes = (heap() - heap_before) / count as f64;
    let resident = resident()
        .zip(resident_before)
        .map(|(after, before)| (after - before) / count as f64);
    let tasks = tasks_when_idle(tasks_before).await.saturating_sub(tasks_before);
    let timers = clock.sleeps();

    // On their own, so that the share of the others in the registry doesn't blur what is counted.
    drop(sessions);
    let heap_before = heap();
    let mut sessions: Vec<Session<Anonymous>> = Vec::with_capacity(logged_in);
    sessions.extend((0..logged_in).map(session));
    let mut tokens = log_in(&sessions).await?;
    let idle_tasks = tasks_when_idle(tasks_before).await.saturating_sub(tasks_before);
    let idle_timers = clock.sleeps();
    tokens.shrink_to_fit();
    let all = heap() - heap_before;
    drop(sessions);
    let tokens_alone = heap() - heap_before;
    let handles = (tokens.capacity() * size_of::<Token>()) as f64;
    drop(tokens);
    drop(first);
    Ok(Taken {
        sessions: count,
        bytes,
        resident,
        logged_in,
        bytes_logged_in: (all - tokens_alone) / logged_in as f64,
        bytes_of_token: (tokens_alone - handles) / logged_in as f64,
        tasks: tasks.max(idle_tasks),
        timers: timers.max(idle_timers),
    })
}

async fn log_in(sessions: &[Session<Anonymous>]) -> Result<Vec<Token>> {
    let gate = Arc::new(Semaphore::new(LOGINS_AT_ONCE));
    let mut logins = JoinSet::new();
    let mut tokens = Vec::with_capacity(sessions.len());
    for session in sessions {
        let (session, permit) = (session.clone(), Arc::clone(&gate).acquire_owned().await?);
        logins.spawn(async move {
            let _permit = permit;
            session.token().await
        });
        while let Some(done) = logins.try_join_next() {
            tokens.push(done??);
        }
    }
    while let Some(done) = logins.join_next().await {
        tokens.push(done??);
    }
    Ok(tokens)
}

/// The tasks of this runtime, once the connections of the last logins are closed, or after a while.
async fn tasks_when_idle(expected: usize) -> usize {
    let start = Instant::now();
    let alive = || Handle::current().metrics().num_alive_tasks();
    sleep(3 * IDLE).await;
    while alive() > expected && start.elapsed() < Duration::from_secs(5) {
        sleep(IDLE).await;
    }
    alive()
}

/// The bytes of memory that this process has from the operating system; `None` where that can't be read.
fn resident() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse().ok()?;
    Some(kilobytes * 1024.0)
}
