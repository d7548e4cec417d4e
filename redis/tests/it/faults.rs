//! Redis fails in every way: no call takes longer than its limit, and it works again by itself.

use std::time::Duration;

use synerise_auth::store::{Lease, Saved, StoreKey, TokenStore};
use synerise_auth_redis::RedisStore;

use crate::support::proxy::{Mode, Proxy};
use crate::support::{
    HASTY, SLACK, Server, acquired, builder, eventually, refreshed, request, store_key, timed, token,
};

fn hasty(url: &str) -> RedisStore {
    builder().time_limit(HASTY).connect(url).unwrap()
}

/// Every call fails, and none takes longer than it may.
async fn fails_in_time(store: &RedisStore, key: &StoreKey) -> String {
    let mine = request(0);
    let (taken, took) = timed(store.take(key, &mine)).await;
    let error = taken.unwrap_err().to_string();
    assert!(took < HASTY + SLACK, "take: {took:?}, {error}");
    let (released, took) = timed(store.release(key, &mine.owner)).await;
    assert!(released.is_err() && took < HASTY + SLACK, "release: {took:?}");
    let (saved, took) = timed(store.save(key, token("fake", 1), Some(&mine.owner))).await;
    assert!(saved.is_err() && took < HASTY + SLACK, "save: {took:?}");
    let (loaded, took) = timed(store.load(key)).await;
    assert!(loaded.is_err() && took < HASTY + SLACK, "load: {took:?}");
    error
}

/// With a key of its own: whoever asked before, and has no answer, may have the lease of another.
async fn works_again(store: &RedisStore) {
    let (key, mine) = (store_key().await, request(0));
    let works = eventually(async || matches!(store.take(&key, &mine).await, Ok(Lease::Acquired { .. })));
    assert!(works.await, "it does not come back");
}

#[tokio::test]
async fn server_that_is_down_comes_back() {
    let mut server = Server::start();
    let (store, key) = (hasty(&server.url()), store_key().await);
    server.kill();
    let error = fails_in_time(&store, &key).await;
    assert!(error.contains("nothing listens"), "{error}");
    server.restart();
    works_again(&store).await;
    server.kill();
    fails_in_time(&store, &key).await;
    server.restart();
    works_again(&store).await;
}

#[tokio::test]
async fn connection_that_was_cut_is_replaced_within_the_call() {
    let mut server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    acquired(&store, &key, &request(0)).await;
    for _ in 0..3 {
        let () = server.command("CLIENT KILL TYPE normal SKIPME yes");
        store.load(&key).await.unwrap();
    }
    server.restart();
    acquired(&store, &key, &request(0)).await;
}

#[tokio::test]
async fn black_hole_costs_the_limit_and_is_left() {
    let server = Server::start();
    let proxy = Proxy::before(server.port()).await;
    let (store, key) = (hasty(&proxy.url()), store_key().await);
    works_again(&store).await;
    proxy.set(Mode::BlackHole);
    fails_in_time(&store, &key).await;
    // By now the connection is known to be dead: callers do not wait for it again.
    let (failed, took) = timed(store.load(&key)).await;
    assert!(failed.is_err() && took < HASTY, "{took:?}");
    proxy.set(Mode::Pass);
    works_again(&store).await;
}

#[tokio::test]
async fn black_hole_from_the_start_costs_the_limit_once() {
    let server = Server::start();
    let proxy = Proxy::before(server.port()).await;
    proxy.set(Mode::BlackHole);
    let (store, key) = (hasty(&proxy.url()), store_key().await);
    let (failed, took) = timed(store.load(&key)).await;
    assert!(failed.is_err() && took < HASTY + SLACK, "{took:?}");
    for _ in 0..5 {
        let (failed, took) = timed(store.load(&key)).await;
        assert!(failed.is_err() && took < HASTY, "{took:?}");
    }
    proxy.set(Mode::Pass);
    works_again(&store).await;
}

#[tokio::test]
async fn answers_are_never_mixed_up() {
    let server = Server::start();
    let proxy = Proxy::before(server.port()).await;
    let (store, key) = (hasty(&proxy.url()), store_key().await);
    let mine = request(0);
    let generation = acquired(&store, &key, &mine).await;
    store.save(&key, token("fake", generation), None).await.unwrap();
    for mode in [Mode::CutAnswers, Mode::DropAnswers, Mode::CutAnswers] {
        proxy.set(mode);
        let _ = store.load(&key).await;
        let _ = store.take(&key, &request(generation)).await;
        proxy.set(Mode::Pass);
        let found = eventually(async || match store.load(&key).await {
            Ok(found) => found.unwrap().generation == generation,
            Err(_) => false,
        });
        assert!(found.await, "{mode:?}");
    }
}

#[tokio::test]
async fn lease_whose_answer_was_lost_is_given_up() {
    let server = Server::start();
    let proxy = Proxy::before(server.port()).await;
    let (store, key) = (hasty(&proxy.url()), store_key().await);
    works_again(&store).await;
    proxy.set(Mode::DropAnswers);
    let mine = request(0);
    store.take(&key, &mine).await.unwrap_err();
    proxy.set(Mode::Pass);
    // The server has given it, and the owner can have it, or give it up.
    let gone = eventually(async || store.release(&key, &mine.owner).await.is_ok());
    assert!(gone.await);
    acquired(&builder().connect(&server.url()).unwrap(), &key, &request(0)).await;
}

#[tokio::test]
async fn pause_of_all_clients_ends() {
    let server = Server::start();
    let (store, key) = (hasty(&server.url()), store_key().await);
    works_again(&store).await;
    let () = server.command("CLIENT PAUSE 1500 ALL");
    fails_in_time(&store, &key).await;
    works_again(&store).await;
}

#[tokio::test]
async fn demoted_master_is_left_and_read_from() {
    let master = Server::start();
    let mut server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    let generation = refreshed(&store, &key, 0).await;
    // It keeps its data, and its connections.
    let () = server.command("CONFIG SET min-replicas-to-write 0");
    let () = server.command(&format!("REPLICAOF 127.0.0.1 {}", master.port()));
    let error = store
        .save(&key, token("fake", generation + 1), None)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("read-only") || error.to_string().contains("master"),
        "{error}"
    );
    let () = server.command("REPLICAOF NO ONE");
    works_again(&store).await;
    server.kill();
}

#[tokio::test]
async fn out_of_memory_refuses_leases_but_not_reads() {
    let server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    let generation = refreshed(&store, &key, 0).await;
    let () = server.command("CONFIG SET maxmemory 1");
    assert!(matches!(
        store.take(&key, &request(0)).await.unwrap(),
        Lease::Newer(_)
    ));
    let error = store
        .take(&key, &request(generation))
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("out of memory"), "{error}");
    let error = store
        .save(&key, token("fake", generation + 1), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("out of memory"), "{error}");
    let () = server.command("CONFIG SET maxmemory 0");
    works_again(&store).await;
}

#[tokio::test]
async fn too_few_replicas_refuse_leases_but_not_reads() {
    let server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    let generation = refreshed(&store, &key, 0).await;
    let () = server.command("CONFIG SET min-replicas-to-write 1");
    assert!(matches!(
        store.take(&key, &request(0)).await.unwrap(),
        Lease::Newer(_)
    ));
    match store.take(&key, &request(generation)).await {
        Err(error) => assert!(error.to_string().contains("too few replicas"), "{error}"),
        // Redis 6 does not hold scripts to it.
        Ok(answer) => assert!(matches!(answer, Lease::Acquired { .. }), "{answer:?}"),
    }
}

#[tokio::test]
async fn scripts_that_the_server_forgot_are_sent_again() {
    let server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    for round in 0..3 {
        let () = server.command("SCRIPT FLUSH");
        let mine = request(round);
        let generation = acquired(&store, &key, &mine).await;
        let () = server.command("SCRIPT FLUSH");
        store
            .save(&key, token("fake", generation), Some(&mine.owner))
            .await
            .unwrap();
        let () = server.command("SCRIPT FLUSH");
        store.release(&key, &mine.owner).await.unwrap();
        let () = server.command("FLUSHDB");
    }
}

#[tokio::test]
async fn server_with_too_many_connections_is_one_that_is_down() {
    let server = Server::with(&["--maxclients", "1"]);
    let (one, other) = (hasty(&server.url()), hasty(&server.url()));
    let key = store_key().await;
    works_again(&one).await;
    fails_in_time(&other, &key).await;
    drop(one);
    works_again(&other).await;
}

#[tokio::test]
async fn unused_connection_is_closed() {
    let server = Server::start();
    let store = builder()
        .idle_limit(Duration::from_millis(100))
        .connect(&server.url())
        .unwrap();
    let key = store_key().await;
    store.load(&key).await.unwrap();
    let closed = eventually(async || {
        let clients: String = server.command("CLIENT LIST");
        clients.lines().count() == 1
    });
    assert!(closed.await, "only the test's own connection is left");
    store.load(&key).await.unwrap();
}

#[tokio::test]
async fn dropped_store_leaves_no_connection() {
    let server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    store.load(&key).await.unwrap();
    drop(store);
    let closed = eventually(async || {
        let clients: String = server.command("CLIENT LIST");
        clients.lines().count() == 1
    });
    assert!(closed.await);
}

#[test]
fn store_outlives_the_runtime_that_it_connected_in() {
    let server = Server::start();
    let store = builder().connect(&server.url()).unwrap();
    for round in 0..3 {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let key = store_key().await;
            acquired(&store, &key, &request(round)).await;
        });
    }
}

#[tokio::test]
async fn call_that_is_dropped_at_any_point_does_no_harm() {
    let server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    for microseconds in (0..3000).step_by(150) {
        let mine = request(0);
        let limit = Duration::from_micros(microseconds);
        let _ = tokio::time::timeout(limit, store.take(&key, &mine)).await;
        store.release(&key, &mine.owner).await.unwrap();
    }
    acquired(&store, &key, &request(0)).await;
}

/// The keys of everybody else are newer, and Redis has to forget some.
#[tokio::test]
async fn evicted_lease_and_token_cost_one_login_each() {
    let server = Server::start();
    let (store, key) = (builder().connect(&server.url()).unwrap(), store_key().await);
    let names = ["lease", "token"].map(|what| format!("synerise-auth:{{{}}}:{what}", key.as_str()));
    let () = server.command("CONFIG SET maxmemory-policy allkeys-lru");
    let evict = async |name: &str| {
        assert_eq!(server.command::<u64>(&format!("EXISTS {name}")), 1);
        let () = server.command("CONFIG SET maxmemory 4mb");
        let fill = b"for i = 1, 500 do redis.call('SET', ARGV[1] .. i, string.rep('x', 1000)) end";
        for round in 0..1000 {
            let round = round.to_string();
            server.run_command::<redis::Value>(&[b"EVAL", fill, b"0", round.as_bytes()]);
            if server.command::<u64>(&format!("EXISTS {name}")) == 0 {
                return;
            }
        }
        panic!("{name} is still there");
    };
    let first = request(0);
    let lost = acquired(&store, &key, &first).await;
    evict(&names[0]).await;
    let second = request(0);
    let generation = acquired(&store, &key, &second).await;
    assert!(generation > lost);
    let fresh = token("fake", generation);
    store.save(&key, fresh, Some(&second.owner)).await.unwrap();
    let late = store
        .save(&key, token("fake-late", lost), Some(&first.owner))
        .await;
    assert_eq!(late.unwrap(), Saved::Outdated);
    evict(&names[1]).await;
    assert!(store.load(&key).await.unwrap().is_none());
    assert!(acquired(&store, &key, &request(0)).await > generation);
}

/// The question reaches Redis after its caller has given up, and after the release.
#[tokio::test]
async fn question_that_arrives_late_leaves_a_lease_that_its_owner_can_have() {
    let server = Server::start();
    let proxy = Proxy::before(server.port()).await;
    let (store, key) = (hasty(&proxy.url()), store_key().await);
    works_again(&store).await;
    proxy.set(Mode::HoldRequests);
    let mine = request(0);
    store.take(&key, &mine).await.unwrap_err();
    store.release(&key, &mine.owner).await.unwrap_err();
    // By now, there is a new connection, which is not held up.
    proxy.set(Mode::Pass);
    assert!(eventually(async || store.release(&key, &mine.owner).await.is_ok()).await);
    let lease = format!("synerise-auth:{{{}}}:lease", key.as_str());
    let there = async || server.command::<u64>(&format!("EXISTS {lease}")) == 1;
    proxy.deliver_first();
    assert!(eventually(there).await, "the question has arrived");
    let other = builder().connect(&server.url()).unwrap();
    let held = other.take(&key, &request(0)).await.unwrap();
    assert!(matches!(held, Lease::Held { .. }), "{held:?}");
    let generation = acquired(&store, &key, &mine).await;
    let fresh = token("fake", generation);
    store.save(&key, fresh, Some(&mine.owner)).await.unwrap();
    let found = other.take(&key, &request(0)).await.unwrap();
    assert!(matches!(found, Lease::Newer(_)), "{found:?}");
}

/// On one connection, the release follows the question, however late both arrive.
#[tokio::test]
async fn question_and_release_that_arrive_late_leave_no_lease() {
    let server = Server::start();
    let (store, key) = (hasty(&server.url()), store_key().await);
    works_again(&store).await;
    let before = server.calls("evalsha");
    let () = server.command("CLIENT PAUSE 1500 ALL");
    let mine = request(0);
    store.take(&key, &mine).await.unwrap_err();
    store.release(&key, &mine.owner).await.unwrap_err();
    assert!(
        eventually(async || server.calls("evalsha") > before).await,
        "the question has arrived"
    );
    acquired(&builder().connect(&server.url()).unwrap(), &key, &request(0)).await;
}
