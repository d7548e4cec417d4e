//! What is in Redis is encrypted, and what should not be there counts as missing.

use synerise_auth::store::{Lease, Saved, StoreKey, TokenStore};
use synerise_auth_redis::{EncryptionKey, RedisStore};

use crate::support::log::Log;
use crate::support::{PATIENT, Server, acquired, builder, request, store_key, token};

const CANARY: &str = "fake-canary-token";

fn name(key: &StoreKey, what: &str) -> String {
    format!("synerise-auth:{{{}}}:{what}", key.as_str())
}

/// Logs in for all, as a session would.
async fn log_in(store: &RedisStore, key: &StoreKey, after: u64) -> u64 {
    let mine = request(after);
    let generation = acquired(store, key, &mine).await;
    let saved = store
        .save(key, token(CANARY, generation), Some(&mine.owner))
        .await;
    assert_eq!(saved.unwrap(), Saved::Kept);
    generation
}

fn with_keys(server: &Server, newest: u8, older: &[u8]) -> RedisStore {
    let builder = RedisStore::builder(EncryptionKey::new([newest; 32])).time_limit(PATIENT);
    let builder = older.iter().fold(builder, |builder, older| {
        builder.older_key(EncryptionKey::new([*older; 32]))
    });
    builder.connect(&server.url()).unwrap()
}

#[tokio::test]
async fn nothing_in_redis_shows_a_token() {
    let server = Server::start();
    let store = builder().connect(&server.url()).unwrap();
    let key = store_key().await;
    log_in(&store, &key, 0).await;
    let record: Vec<u8> = server.command(&format!("GET {}", name(&key, "token")));
    assert!(!record.windows(6).any(|window| window == b"canary"));
    assert_eq!(store.load(&key).await.unwrap().unwrap().token.expose(), CANARY);
}

#[tokio::test]
async fn garbage_counts_as_missing_and_is_replaced() {
    let server = Server::start();
    let log = Log::collect();
    let store = builder().connect(&server.url()).unwrap();
    let garbage: [&[&[u8]]; 6] = [
        &[b"SET", b"", b"hello"],
        &[b"SET", b"", b""],
        &[b"SET", b"", b"5:\x01\x02too short"],
        &[b"SET", b"", b"99999999999999999999:\x01"],
        &[b"HSET", b"", b"g", b"7"],
        &[b"SADD", b"", b"x"],
    ];
    for words in garbage {
        let key = store_key().await;
        let record = name(&key, "token");
        let mut words = words.to_vec();
        words[1] = record.as_bytes();
        server.run_command::<redis::Value>(&words);
        assert!(store.load(&key).await.unwrap().is_none(), "{words:?}");
        let generation = log_in(&store, &key, 0).await;
        assert_eq!(
            store.load(&key).await.unwrap().unwrap().generation,
            generation,
            "{words:?}"
        );
    }
    let log = log.text();
    assert!(
        log.contains("counts as missing: it was not written by this crate"),
        "{log}"
    );
    assert!(!log.contains(CANARY), "{log}");
}

#[tokio::test]
async fn lease_that_is_none_is_taken() {
    let server = Server::start();
    let store = builder().connect(&server.url()).unwrap();
    for command in ["SET", "SADD"] {
        let key = store_key().await;
        // One that never ends, and one of another type.
        server.command::<redis::Value>(&format!("{command} {} x", name(&key, "lease")));
        log_in(&store, &key, 0).await;
    }
}

#[tokio::test]
async fn record_of_another_session_or_generation_counts_as_missing() {
    let server = Server::start();
    let store = builder().connect(&server.url()).unwrap();
    let (mine, other) = (store_key().await, store_key().await);
    let generation = log_in(&store, &other, 0).await;
    let () = server.command(&format!(
        "RENAME {} {}",
        name(&other, "token"),
        name(&mine, "token")
    ));
    assert!(store.load(&mine).await.unwrap().is_none());
    let later = log_in(&store, &mine, 0).await;
    assert!(later > generation, "generations never go back");
    // The same record with a generation that is not its own.
    let record: Vec<u8> = server.command(&format!("GET {}", name(&mine, "token")));
    let envelope = record.splitn(2, |byte| *byte == b':').nth(1).unwrap();
    let forged = [(later + 1).to_string().as_bytes(), b":", envelope].concat();
    let () = server.run_command(&[b"SET", name(&mine, "token").as_bytes(), &forged]);
    assert!(store.load(&mine).await.unwrap().is_none());
    log_in(&store, &mine, later).await;
}

#[tokio::test]
async fn record_of_a_newer_version_is_left_alone() {
    let server = Server::start();
    let log = Log::collect();
    let store = builder().connect(&server.url()).unwrap();
    let key = store_key().await;
    let newer = b"5:\x02whatever it means";
    let () = server.run_command(&[b"SET", name(&key, "token").as_bytes(), newer, b"PX", b"60000"]);
    assert!(store.load(&key).await.unwrap().is_none());
    for _ in 0..3 {
        // Nobody waits for another: the token of each would be kept by none.
        let mine = request(0);
        let Lease::Unavailable { generation } = store.take(&key, &mine).await.unwrap() else {
            panic!("a lease would make the others wait for nothing")
        };
        let saved = store
            .save(&key, token(CANARY, generation), Some(&mine.owner))
            .await;
        assert_eq!(saved.unwrap(), Saved::Outdated);
    }
    let record: Vec<u8> = server.command(&format!("GET {}", name(&key, "token")));
    assert_eq!(record, newer);
    assert_eq!(
        log.text().matches("newer version of this crate").count(),
        1,
        "told once"
    );
}

#[tokio::test]
async fn key_is_rotated_without_a_login() {
    let server = Server::start();
    let key = store_key().await;
    let stages = [
        with_keys(&server, 1, &[]),
        with_keys(&server, 1, &[2]),
        with_keys(&server, 2, &[1]),
        with_keys(&server, 2, &[]),
    ];
    let mut generation = log_in(&stages[0], &key, 0).await;
    for next in stages.windows(2) {
        // Both stages of a rolling update read what either wrote.
        for store in next {
            assert_eq!(store.load(&key).await.unwrap().unwrap().generation, generation);
        }
        generation = log_in(&next[1], &key, generation).await;
        for store in next {
            let found = store.load(&key).await.unwrap();
            assert_eq!(found.unwrap().generation, generation);
        }
    }
}

#[tokio::test]
async fn process_with_another_key_logs_in_and_says_why() {
    let server = Server::start();
    let log = Log::collect();
    let key = store_key().await;
    let generation = log_in(&with_keys(&server, 1, &[]), &key, 0).await;
    let stranger = with_keys(&server, 2, &[]);
    assert!(stranger.load(&key).await.unwrap().is_none());
    assert!(
        log_in(&stranger, &key, 0).await > generation,
        "generations never go back"
    );
    assert_eq!(
        log.text().matches("encrypted with another key").count(),
        1,
        "told once"
    );
}
