//! One process of a fleet, for tests and measurements. It asks for a token all the time, and prints what it saw.
//!
//! It prints `ready` when it could begin, begins with the first line of its standard input, and ends with its end. Its
//! last line is its summary: `asked=… errors=… expired=… first_ms=… worst_ms=… tokens=…`.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a program of the tests"
)]

use std::collections::hash_map::DefaultHasher;
use std::env;
use std::hash::{Hash, Hasher};
use std::io::{self, Read};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use synerise_auth::client::RetryPolicy;
use synerise_auth::lifecycle::RefreshPolicy;
use synerise_auth::store::StorePolicy;
use synerise_auth::{ApiKey, Client};
use synerise_auth_redis::{EncryptionKey, RedisStore};

const BETWEEN_CALLS: Duration = Duration::from_millis(20);

fn main() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(run());
}

fn setting(name: &str) -> Option<String> {
    env::var(format!("FLEET_{name}")).ok()
}

fn millis(name: &str) -> Option<Duration> {
    setting(name).map(|millis| Duration::from_millis(millis.parse().unwrap()))
}

async fn run() {
    let key = ApiKey::new(setting("API_KEY").unwrap()).unwrap();
    let mut client = Client::builder()
        .base_url(setting("BASE_URL").unwrap())
        .retry_policy(RetryPolicy::never());
    if let Some(url) = setting("REDIS_URL") {
        let mut store = RedisStore::builder(EncryptionKey::derive(&key));
        let mut policy = StorePolicy::default();
        if let Some(limit) = millis("STORE_LIMIT_MS") {
            store = store.time_limit(limit);
            policy = policy.with_timeout(limit * 2);
        }
        if let Some(wait) = millis("MAX_WAIT_MS") {
            policy = policy.with_max_wait(wait);
        }
        client = client.store(store.connect(&url).unwrap()).store_policy(policy);
    }
    if let Some(limit) = millis("LOGIN_LIMIT_MS") {
        client = client.refresh_policy(RefreshPolicy::default().with_timeout(limit));
    }
    let workspace = client.build().unwrap().workspace(key);
    println!("ready");
    let mut line = String::new();
    io::stdin().read_line(&mut line).unwrap();
    // Whoever started this process ends it by closing the pipe, also by dying.
    let ended = tokio::task::spawn_blocking(|| {
        let _ = io::stdin().read(&mut [0; 1]);
    });
    let mut seen = Seen::default();
    while !ended.is_finished() {
        let asked = Instant::now();
        let answer = workspace.token().await;
        seen.add(&answer, asked.elapsed());
        tokio::time::sleep(BETWEEN_CALLS).await;
    }
    println!("{}", seen.summary());
}

#[derive(Default)]
struct Seen {
    asked: u64,
    errors: u64,
    expired: u64,
    first: Option<Duration>,
    worst: Duration,
    tokens: Vec<String>,
}

impl Seen {
    fn add(&mut self, answer: &synerise_auth::Result<synerise_auth::Token>, took: Duration) {
        self.asked += 1;
        self.worst = self.worst.max(took);
        let token = match answer {
            Ok(token) => token,
            Err(error) => {
                self.errors += 1;
                return println!("error {error}");
            }
        };
        if self.first.is_none() {
            self.first = Some(took);
            println!("first {}", took.as_millis());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let ends = token.claims().and_then(|claims| claims.expires_at());
        let ends = ends.map_or(u64::MAX, |ends| {
            ends.duration_since(UNIX_EPOCH).unwrap().as_secs()
        });
        self.expired += u64::from(now.as_secs() > ends);
        let mut hasher = DefaultHasher::new();
        token.expose().hash(&mut hasher);
        let name = format!("{:016x}", hasher.finish());
        if self.tokens.last() != Some(&name) {
            self.tokens.push(name);
        }
    }

    fn summary(&self) -> String {
        let Self {
            asked,
            errors,
            expired,
            first,
            worst,
            tokens,
        } = self;
        let first = first.map_or(0, |first| first.as_millis());
        let (worst, tokens) = (worst.as_millis(), tokens.join(","));
        format!(
            "asked={asked} errors={errors} expired={expired} first_ms={first} worst_ms={worst} tokens={tokens}"
        )
    }
}
