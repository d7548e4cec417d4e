//! Real processes with one Redis, as they are deployed: started together, killed, stopped, and with a Redis that fails.
//!
//! `SYNERISE_TEST_FLEET` sets how many there are; `cargo xtask figures --only fleet` measures a hundred.

use std::env;
use std::time::Duration;

use synerise_auth_emulator::Emulator;

use crate::support::fleet::{assert_well, begin, end, members, tokens};
use crate::support::{Server, eventually};

const LOGIN: &str = "workspaceLogin";
const SHORT_LIFE: Duration = Duration::from_secs(5);
/// A store's limit that a busy machine keeps.
const PATIENT: (&str, &str) = ("STORE_LIMIT_MS", "5000");

fn size() -> usize {
    env::var("SYNERISE_TEST_FLEET").map_or(8, |size| size.parse().unwrap())
}

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

/// Waits until so many logins were made.
async fn logins(emulator: &Emulator, count: u64) {
    assert!(
        eventually(async || emulator.count(LOGIN) >= count).await,
        "{} logins",
        emulator.count(LOGIN)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cold_processes_log_in_once() {
    let emulator = Emulator::start().await.unwrap();
    let given = env::var("SYNERISE_TEST_REDIS_URL").ok();
    let server = given.is_none().then(Server::start);
    let url = given.or_else(|| server.as_ref().map(Server::url)).unwrap();
    let mut fleet = members(size(), &emulator, &[("REDIS_URL", &url), PATIENT]);
    begin(&mut fleet);
    for member in &fleet {
        member.expect("first");
    }
    let seen = end(fleet);
    assert_well(&seen);
    assert_eq!(tokens(&seen).len(), 1, "all have the same");
    let longest = seen.iter().map(|summary| summary.first).max().unwrap();
    assert!(
        longest < Duration::from_secs(7),
        "nobody gave up waiting: {longest:?}"
    );
    assert_eq!(emulator.count(LOGIN), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_lifetime_costs_one_login() {
    let emulator = Emulator::builder()
        .token_lifetime(SHORT_LIFE)
        .start()
        .await
        .unwrap();
    let server = Server::start();
    let mut fleet = members(size(), &emulator, &[("REDIS_URL", &server.url()), PATIENT]);
    begin(&mut fleet);
    logins(&emulator, 4).await;
    pass(Duration::from_millis(300)).await;
    let seen = end(fleet);
    assert_well(&seen);
    let tokens = tokens(&seen);
    assert_eq!(
        tokens.len() as u64,
        emulator.count(LOGIN),
        "no token was for one alone"
    );
    // The last one may have just come.
    let alone = tokens.iter().filter(|token| {
        let users = seen
            .iter()
            .filter(|summary| summary.tokens.iter().any(|used| used == *token));
        users.count() < 2
    });
    assert!(
        alone.count() <= 1,
        "tokens that one process used alone: {seen:#?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_holder_costs_one_login() {
    let (emulator, server) = (Emulator::start().await.unwrap(), Server::start());
    let settings = [
        ("REDIS_URL", &*server.url()),
        ("STORE_LIMIT_MS", "1000"),
        ("LOGIN_LIMIT_MS", "3000"),
    ];
    let gate = emulator.faults().on(LOGIN).hold();
    let mut holder = members(1, &emulator, &settings);
    begin(&mut holder);
    gate.wait_for(1).await;
    let mut others = members(size(), &emulator, &settings);
    begin(&mut others);
    pass(Duration::from_millis(500)).await;
    holder[0].signal("KILL");
    gate.release();
    for member in &others {
        member.expect("first");
    }
    let seen = end(others);
    assert_well(&seen);
    assert_eq!(
        emulator.count(LOGIN),
        2,
        "the killed one's, and one more: {seen:#?}"
    );
    // The lease lasts as long as a login may, and twice the store's limit as the session has it.
    let lease = Duration::from_secs(3 + 4);
    let longest = seen.iter().map(|summary| summary.worst).max().unwrap();
    assert!(longest < lease + Duration::from_secs(3), "{longest:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn holder_that_is_stopped_past_its_lease_replaces_nothing() {
    let (emulator, server) = (Emulator::start().await.unwrap(), Server::start());
    let settings = [("REDIS_URL", &*server.url()), ("LOGIN_LIMIT_MS", "30000")];
    let gate = emulator.faults().on(LOGIN).hold();
    let mut holder = members(1, &emulator, &settings);
    begin(&mut holder);
    gate.wait_for(1).await;
    holder[0].signal("STOP");
    gate.release();
    // The time of its lease passes.
    let leases: Vec<String> = server.command("KEYS *:lease");
    let ended: bool = server.command(&format!("PEXPIRE {} 1", leases[0]));
    assert!(ended, "it has the lease");
    let mut others = members(size(), &emulator, &settings);
    begin(&mut others);
    for member in &others {
        member.expect("first");
    }
    let record = || -> Vec<u8> {
        let keys: Vec<String> = server.command("KEYS *:token");
        server.command(&format!("GET {}", keys[0]))
    };
    let before = record();
    holder[0].signal("CONT");
    holder[0].expect("first");
    pass(Duration::from_secs(1)).await;
    assert_eq!(record(), before, "the older token replaced nothing");
    let (seen, resumed) = (end(others), end(holder));
    assert_well(&seen);
    assert_well(&resumed);
    assert_eq!(emulator.count(LOGIN), 2, "its own, and one for the others");
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_outlive_redis() {
    let emulator = Emulator::builder()
        .token_lifetime(SHORT_LIFE)
        .start()
        .await
        .unwrap();
    let mut server = Server::start();
    let settings = [("REDIS_URL", &*server.url()), ("STORE_LIMIT_MS", "300")];
    let mut fleet = members(size(), &emulator, &settings);
    begin(&mut fleet);
    for member in &fleet {
        member.expect("first");
    }
    pass(Duration::from_secs(1)).await;
    let () = server.command("FLUSHALL");
    pass(SHORT_LIFE).await;
    let () = server.command("CLIENT PAUSE 2000 ALL");
    pass(SHORT_LIFE).await;
    server.kill();
    pass(SHORT_LIFE).await;
    server.restart();
    pass(SHORT_LIFE).await;
    assert_well(&end(fleet));
    assert_eq!(emulator.violations(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_without_redis_start_all_the_same() {
    let (emulator, mut server) = (Emulator::start().await.unwrap(), Server::start());
    server.kill();
    let mut fleet = members(size(), &emulator, &[("REDIS_URL", &server.url())]);
    begin(&mut fleet);
    for member in &fleet {
        member.expect("first");
    }
    assert_well(&end(fleet));
    assert_eq!(emulator.count(LOGIN), size() as u64, "each for itself");
}
