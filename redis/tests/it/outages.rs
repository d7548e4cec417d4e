//! Whatever is wrong with Redis: a process goes on alone within its time limit, says so once, and shares its token when Redis
//! is well again.

use std::cell::RefCell;
use std::fs;
use std::time::Duration;

use synerise_auth::client::RetryPolicy;
use synerise_auth::lifecycle::Event;
use synerise_auth::store::StorePolicy;
use synerise_auth::{ApiKey, Client, WorkspaceSession};
use synerise_auth_emulator::Emulator;

use crate::rights::LEAST;
use crate::support::log::Log;
use crate::support::proxy::{Mode, Proxy};
use crate::support::{HASTY, SLACK, Server, builder, eventually, timed};

/// A store that still fails is left alone for ever longer.
const PATIENCE: Duration = Duration::from_secs(60);

/// A session, as in a process of its own.
fn process(emulator: &Emulator, url: &str) -> WorkspaceSession {
    let store = builder().time_limit(HASTY).connect(url).unwrap();
    let client = Client::builder()
        .base_url(emulator.base_url())
        .retry_policy(RetryPolicy::never())
        .store_policy(StorePolicy::default().with_timeout(2 * HASTY))
        .store(store)
        .build()
        .unwrap();
    client.workspace(ApiKey::new(&emulator.workspace().workspace_api_key).unwrap())
}

/// A process that starts while Redis is broken, and one that starts when it no longer is.
async fn goes_on_alone(url: &str, words: &str, begin: impl AsyncFnOnce(), end: impl AsyncFnOnce()) {
    let log = Log::collect();
    let emulator = Emulator::start().await.unwrap();
    begin().await;
    let alone = process(&emulator, url);
    let mut events = alone.subscribe();
    let (token, took) = timed(alone.token()).await;
    let token = token.unwrap();
    assert!(took < HASTY + SLACK, "{took:?}");
    alone.invalidate();
    let (again, took) = timed(alone.token()).await;
    assert_ne!(again.unwrap().expose(), token.expose());
    assert!(took < SLACK, "the store is left alone: {took:?}");
    assert_eq!(emulator.count("workspaceLogin"), 2);
    assert_eq!(
        log.text().matches("the token store is not used for now").count(),
        1
    );
    assert!(log.text().contains(words), "{}", log.text());
    end().await;
    let recovered = async {
        while let Some(event) = events.next().await {
            if matches!(event, Event::StoreRecovered) {
                return;
            }
        }
        panic!("the session has ended")
    };
    let recovered = tokio::time::timeout(PATIENCE, recovered).await;
    assert!(recovered.is_ok(), "it does not come back: {}", log.text());
    let other = process(&emulator, url);
    let shared = other.token().await.unwrap();
    assert_eq!(shared.expose(), alone.token().await.unwrap().expose());
    assert_eq!(
        emulator.count("workspaceLogin"),
        2,
        "the token of the outage is shared"
    );
    assert_eq!(log.text().matches("the token store answers again").count(), 1);
}

#[tokio::test]
async fn killed_server() {
    let server = RefCell::new(Server::start());
    let url = server.borrow().url();
    let begin = async || server.borrow_mut().kill();
    let end = async || server.borrow_mut().restart();
    goes_on_alone(&url, "nothing listens", begin, end).await;
}

#[tokio::test]
async fn terminated_server() {
    let server = RefCell::new(Server::start());
    let url = server.borrow().url();
    let begin = async || server.borrow_mut().terminate();
    let end = async || server.borrow_mut().restart();
    goes_on_alone(&url, "nothing listens", begin, end).await;
}

#[tokio::test]
async fn server_that_accepts_connections_and_hangs() {
    let server = Server::start();
    let proxy = Proxy::before(server.port()).await;
    let begin = async || proxy.set(Mode::BlackHole);
    let end = async || proxy.set(Mode::Pass);
    goes_on_alone(&proxy.url(), "did not answer in time", begin, end).await;
}

#[tokio::test]
async fn paused_server() {
    let server = Server::start();
    let begin = async || server.command("CLIENT PAUSE 60000 ALL");
    let end = async || server.command("CLIENT UNPAUSE");
    goes_on_alone(&server.url(), "in time", begin, end).await;
}

#[tokio::test]
async fn full_server() {
    let server = Server::start();
    let begin = async || server.command("CONFIG SET maxmemory 1");
    let end = async || server.command("CONFIG SET maxmemory 0");
    goes_on_alone(&server.url(), "out of memory", begin, end).await;
}

#[tokio::test]
async fn server_whose_disk_is_full() {
    let server = Server::start();
    let file = server.folder().join("dump.rdb");
    let saves = async || {
        let started = eventually(async || {
            let mut connection = redis::Client::open(server.url())
                .unwrap()
                .get_connection()
                .unwrap();
            redis::cmd("BGSAVE").query::<String>(&mut connection).is_ok()
        });
        assert!(started.await);
        let state = || -> String { server.command("INFO persistence") };
        assert!(eventually(async || state().contains("rdb_bgsave_in_progress:0")).await);
        state().contains("rdb_last_bgsave_status:ok")
    };
    let begin = async || {
        // It is told to save now and then, and where the file should be, there is a folder.
        fs::create_dir(&file).unwrap();
        let () = server.run_command(&[b"CONFIG", b"SET", b"save", b"3600 1000000"]);
        assert!(!saves().await);
    };
    let end = async || {
        fs::remove_dir(&file).unwrap();
        assert!(saves().await);
    };
    goes_on_alone(&server.url(), "save its data to disk", begin, end).await;
}

fn is_redis_6(server: &Server) -> bool {
    server
        .command::<String>("INFO server")
        .contains("redis_version:6.")
}

#[tokio::test]
async fn server_that_reads_its_data() {
    let server = RefCell::new(Server::start());
    let url = server.borrow().url();
    if is_redis_6(&server.borrow()) {
        return eprintln!("not tested on Redis 6, which can't be made slow while it reads its data");
    }
    let begin = async || {
        let mut server = server.borrow_mut();
        let fill = b"for i = 1, 2000 do redis.call('SET', 'filler:' .. i, string.rep('x', 100)) end";
        server.run_command::<redis::Value>(&[b"EVAL", fill, b"0"]);
        let () = server.command("SAVE");
        // For each key, in microseconds: 4 s for all.
        let slowly = [
            "--key-load-delay",
            "2000",
            "--loading-process-events-interval-bytes",
            "1024",
        ];
        server.restart_loading(&slowly);
    };
    goes_on_alone(&url, "still reading its data", begin, async || {}).await;
}

#[tokio::test]
async fn replica() {
    let (master, server) = (Server::start(), Server::start());
    let begin = async || {
        let () = server.command(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
        let follows = eventually(async || {
            server
                .command::<String>("INFO replication")
                .contains("master_link_status:up")
        });
        assert!(follows.await);
    };
    let end = async || server.command("REPLICAOF NO ONE");
    goes_on_alone(&server.url(), "Redis is read-only", begin, end).await;
}

#[tokio::test]
async fn server_with_too_few_replicas() {
    let server = Server::start();
    if is_redis_6(&server) {
        return eprintln!("not tested on Redis 6, which lets scripts write all the same");
    }
    let begin = async || server.command("CONFIG SET min-replicas-to-write 1");
    let end = async || server.command("CONFIG SET min-replicas-to-write 0");
    goes_on_alone(&server.url(), "too few replicas", begin, end).await;
}

#[tokio::test]
async fn server_with_as_many_connections_as_it_allows() {
    let server = Server::with(&["--maxclients", "2"]);
    let others = RefCell::new(Vec::new());
    let begin = async || {
        let client = redis::Client::open(server.url()).unwrap();
        let full = eventually(async || {
            others.borrow_mut().extend(client.get_connection());
            others.borrow().len() == 2
        });
        assert!(full.await);
    };
    let end = async || others.borrow_mut().clear();
    goes_on_alone(&server.url(), "maxclients", begin, end).await;
}

/// A user of Redis whose password or rights change.
async fn user_that_may_not(rights: &str, words: &str) {
    let server = Server::start();
    let url = server.url().replace("redis://", "redis://store:fake-password@");
    let begin = async || server.command(&format!("ACL SETUSER store reset on {rights}"));
    let end = async || server.command(&format!("ACL SETUSER store reset on >fake-password {LEAST}"));
    goes_on_alone(&url, words, begin, end).await;
}

#[tokio::test]
async fn user_without_scripts() {
    let rights = ">fake-password ~synerise-auth:* +get +set +del +pttl +time";
    user_that_may_not(rights, "see the rights that the crate's page lists").await;
}

#[tokio::test]
async fn user_with_another_password() {
    let rights = ">fake-other-password ~synerise-auth:* +@all";
    user_that_may_not(rights, "refuses the user or the password").await;
}

#[tokio::test]
async fn wrong_password_is_not_tried_in_a_storm() {
    let server = Server::start();
    let () = server.command("ACL SETUSER store reset on >fake-password +@all");
    let url = server.url().replace("redis://", "redis://store:fake-wrong@");
    let emulator = Emulator::start().await.unwrap();
    let before = server.calls("auth") + server.calls("hello");
    let session = process(&emulator, &url);
    for _ in 0..200 {
        session.token().await.unwrap();
        session.invalidate();
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let tried = server.calls("auth") + server.calls("hello") - before;
    assert!((1..=3).contains(&tried), "{tried} attempts");
}
