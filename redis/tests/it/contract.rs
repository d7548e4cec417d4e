//! The contract of a store, on a real server.

use std::time::Duration;

use synerise_auth::store::{Lease, LeaseOwner, LeaseRequest, Saved, TokenStore};
use synerise_auth_redis::RedisStore;

use crate::support::{HOUR, LEASE, Server, acquired, builder, refreshed, request, store_key, token};

fn two_processes(server: &Server) -> (RedisStore, RedisStore) {
    let connect = || builder().connect(&server.url()).unwrap();
    (connect(), connect())
}

#[tokio::test]
async fn one_of_two_processes_gets_the_lease_and_the_other_its_token() {
    let server = Server::start();
    let (one, other) = two_processes(&server);
    let key = store_key().await;
    let first = request(0);
    let generation = acquired(&one, &key, &first).await;
    match other.take(&key, &request(0)).await.unwrap() {
        Lease::Held {
            remaining,
            generation: later,
        } => assert!(
            remaining <= LEASE && !remaining.is_zero() && later > generation,
            "{remaining:?}, {later}"
        ),
        other => panic!("{other:?}"),
    }
    let fresh = token("fake", generation);
    assert_eq!(
        one.save(&key, fresh.clone(), Some(&first.owner)).await.unwrap(),
        Saved::Kept
    );
    let Lease::Newer(found) = other.take(&key, &request(0)).await.unwrap() else {
        panic!("the token is there")
    };
    assert_eq!((&found.token, found.generation), (&fresh.token, generation));
    assert_eq!(found.lifetime(), HOUR);
    assert_eq!(other.load(&key).await.unwrap().unwrap().generation, generation);
}

#[tokio::test]
async fn lease_is_free_after_the_save_the_release_or_its_time() {
    let server = Server::start();
    let (one, other) = two_processes(&server);
    let key = store_key().await;
    let first = request(0);
    acquired(&one, &key, &first).await;
    one.release(&key, &first.owner).await.unwrap();
    let second = request(0);
    let generation = acquired(&other, &key, &second).await;
    other
        .save(&key, token("fake", generation), Some(&second.owner))
        .await
        .unwrap();
    let short = LeaseRequest::new(LeaseOwner::random(), generation, Duration::from_millis(50));
    acquired(&one, &key, &short).await;
    let last = request(generation);
    // It runs out by the server's clock.
    while let Lease::Held { .. } = other.take(&key, &last).await.unwrap() {}
}

#[tokio::test]
async fn nobody_gives_up_the_lease_of_another() {
    let server = Server::start();
    let (one, other) = two_processes(&server);
    let key = store_key().await;
    acquired(&one, &key, &request(0)).await;
    other.release(&key, &LeaseOwner::random()).await.unwrap();
    other
        .save(&key, token("fake", 5), Some(&LeaseOwner::random()))
        .await
        .unwrap();
    assert!(matches!(
        other.take(&key, &request(5)).await.unwrap(),
        Lease::Held { .. }
    ));
}

#[tokio::test]
async fn same_owner_gets_the_lease_again() {
    let server = Server::start();
    let (one, _) = two_processes(&server);
    let key = store_key().await;
    let mine = request(0);
    acquired(&one, &key, &mine).await;
    acquired(&one, &key, &mine).await;
}

#[tokio::test]
async fn process_that_slept_past_its_lease_replaces_nothing() {
    let server = Server::start();
    let (sleeper, other) = two_processes(&server);
    let key = store_key().await;
    let before = LeaseRequest::new(LeaseOwner::random(), 0, Duration::from_millis(1));
    let old = acquired(&sleeper, &key, &before).await;
    let after = request(0);
    let new = loop {
        match other.take(&key, &after).await.unwrap() {
            Lease::Acquired { generation } => break generation,
            Lease::Held { .. } => {}
            other => panic!("{other:?}"),
        }
    };
    assert!(new > old);
    other
        .save(&key, token("fake-new", new), Some(&after.owner))
        .await
        .unwrap();
    let late = sleeper
        .save(&key, token("fake-old", old), Some(&before.owner))
        .await;
    assert_eq!(late.unwrap(), Saved::Outdated);
    assert_eq!(
        other.load(&key).await.unwrap().unwrap().token.expose(),
        "fake-new"
    );
}

#[tokio::test]
async fn generation_does_not_start_again_after_a_flush() {
    let server = Server::start();
    let (one, _) = two_processes(&server);
    let key = store_key().await;
    let first = request(0);
    let before = acquired(&one, &key, &first).await;
    one.save(&key, token("fake", before), Some(&first.owner))
        .await
        .unwrap();
    let () = server.command("FLUSHALL");
    assert!(one.load(&key).await.unwrap().is_none());
    assert!(acquired(&one, &key, &request(0)).await > before);
    // Not even where the server's clock is behind: a replica that became the master.
    let ahead = 8_000_000_000_000_000;
    let () = server.command("FLUSHALL");
    assert!(acquired(&one, &key, &request(ahead)).await > ahead);
}

#[tokio::test]
async fn record_and_lease_end_by_themselves() {
    let server = Server::start();
    let (one, _) = two_processes(&server);
    let key = store_key().await;
    let mine = request(0);
    let generation = acquired(&one, &key, &mine).await;
    let name = |what| format!("synerise-auth:{{{}}}:{what}", key.as_str());
    let lease: u128 = server.command(&format!("PTTL {}", name("lease")));
    assert!((1..=LEASE.as_millis()).contains(&lease), "{lease}");
    one.save(&key, token("fake", generation), Some(&mine.owner))
        .await
        .unwrap();
    let record: u128 = server.command(&format!("PTTL {}", name("token")));
    assert!((1..=HOUR.as_millis()).contains(&record), "{record}");
    assert_eq!(server.command::<u64>("DBSIZE"), 1, "the lease is gone");
}

#[tokio::test]
async fn token_without_a_lifetime_is_gone_at_once() {
    let server = Server::start();
    let (one, _) = two_processes(&server);
    let key = store_key().await;
    let mut dead = token("fake", 1);
    dead.expires_at = dead.issued_at;
    one.save(&key, dead, None).await.unwrap();
    let gone = crate::support::eventually(async || one.load(&key).await.unwrap().is_none()).await;
    assert!(gone);
}

#[tokio::test]
async fn prefixes_and_databases_are_apart() {
    let server = Server::start();
    let key = store_key().await;
    let stores = [
        builder().prefix("one").connect(&server.url()).unwrap(),
        builder().prefix("two").connect(&server.url()).unwrap(),
        builder()
            .prefix("one")
            .connect(&format!("{}/1", server.url()))
            .unwrap(),
    ];
    for store in &stores {
        acquired(store, &key, &request(0)).await;
    }
}

#[tokio::test]
async fn each_answer_takes_one_round_trip_and_no_script_is_loaded() {
    let server = Server::start();
    let (one, _) = two_processes(&server);
    let key = store_key().await;
    for round in 0..3 {
        refreshed(&one, &key, round).await;
        let () = server.command("FLUSHDB");
    }
    assert_eq!(server.calls("eval"), 2, "each script once");
    assert_eq!(server.calls("evalsha"), 6);
    assert_eq!(server.calls("script|load"), 0);
}
