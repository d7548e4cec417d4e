//! A cluster of three masters, and a master that a Sentinel replaces.

use synerise_auth::store::{Lease, Saved, StoreKey, TokenStore};
use synerise_auth_redis::RedisStore;

use crate::support::{
    HASTY, PATIENT, SLACK, Server, acquired, builder, eventually, request, store_key, timed, token,
};

const SLOTS: usize = 16384;

async fn cluster() -> Vec<Server> {
    let nodes: Vec<Server> = (0..3).map(|_| Server::node()).collect();
    for (index, node) in nodes.iter().enumerate() {
        let slots: Vec<String> = (index * SLOTS / 3..(index + 1) * SLOTS / 3)
            .map(|slot| slot.to_string())
            .collect();
        let () = node.command(&format!("CLUSTER ADDSLOTS {}", slots.join(" ")));
        let () = node.command(&format!("CLUSTER MEET 127.0.0.1 {}", nodes[0].port()));
    }
    let joined = eventually(async || {
        nodes.iter().all(|node| {
            let info: String = node.command("CLUSTER INFO");
            info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
        })
    });
    assert!(joined.await, "the nodes don't find each other");
    nodes
}

/// Logs in for all, and finds the token.
async fn shares(store: &RedisStore, key: &StoreKey, after: u64) -> u64 {
    let mine = request(after);
    let generation = acquired(store, key, &mine).await;
    assert!(matches!(
        store.take(key, &request(after)).await.unwrap(),
        Lease::Held { .. }
    ));
    let saved = store
        .save(key, token("fake", generation), Some(&mine.owner))
        .await;
    assert_eq!(saved.unwrap(), Saved::Kept);
    assert_eq!(store.load(key).await.unwrap().unwrap().generation, generation);
    generation
}

#[tokio::test]
async fn cluster_shares_tokens_of_every_slot() {
    let nodes = cluster().await;
    let store = builder().connect_cluster(&[&nodes[0].url()]).unwrap();
    for _ in 0..12 {
        shares(&store, &store_key().await, 0).await;
    }
    let used = nodes.iter().filter(|node| node.command::<u64>("DBSIZE") > 0);
    assert!(used.count() > 1, "the keys are spread");
}

#[tokio::test]
async fn cluster_without_a_master_fails_in_time_and_comes_back() {
    let mut nodes = cluster().await;
    let urls: Vec<String> = nodes.iter().map(Server::url).collect();
    let urls: Vec<&str> = urls.iter().map(String::as_str).collect();
    let store = builder().time_limit(HASTY).connect_cluster(&urls).unwrap();
    let key = store_key().await;
    assert!(eventually(async || store.load(&key).await.is_ok()).await);
    for node in &mut nodes {
        node.kill();
    }
    for _ in 0..6 {
        let mine = request(0);
        let (taken, took) = timed(store.take(&key, &mine)).await;
        assert!(taken.is_err() && took < HASTY + SLACK, "{took:?}");
    }
    for node in &mut nodes {
        node.restart();
    }
    assert!(
        eventually(async || store.load(&key).await.is_ok()).await,
        "it does not come back"
    );
}

#[tokio::test]
async fn store_follows_a_master_that_a_sentinel_replaces() {
    let master = Server::start();
    let replica = Server::with(&["--replicaof", "127.0.0.1", &master.port().to_string()]);
    let sentinel = Server::sentinel("mymaster", &master);
    let store = builder()
        .time_limit(PATIENT)
        .connect_sentinel(&[&sentinel.url()], "redis://mymaster")
        .unwrap();
    let key = store_key().await;
    let before = shares(&store, &key, 0).await;
    let knows =
        || sentinel.command::<redis::Value>("SENTINEL REPLICAS mymaster") != redis::Value::Array(Vec::new());
    assert!(
        eventually(async || knows()).await,
        "the Sentinel does not find the replica"
    );
    let asked = eventually(async || {
        let mut connection = redis::Client::open(sentinel.url())
            .unwrap()
            .get_connection()
            .unwrap();
        let command = redis::cmd("SENTINEL").arg("FAILOVER").arg("mymaster").clone();
        command.query::<redis::Value>(&mut connection).is_ok()
    });
    assert!(asked.await, "there is no replica that could follow");
    // Until the old master follows the new one, it takes writes, and will forget them.
    let is = |server: &Server, role: &str| server.command::<String>("INFO replication").contains(role);
    let replaced = eventually(async || is(&replica, "role:master") && is(&master, "role:slave"));
    assert!(replaced.await, "nobody was promoted");
    // The old master is alive, and its connection works.
    let later = eventually(async || {
        let mine = request(before);
        match store.take(&key, &mine).await {
            Ok(Lease::Acquired { generation }) => {
                assert!(generation > before);
                store
                    .save(&key, token("fake-new", generation), Some(&mine.owner))
                    .await
                    .is_ok()
            }
            _ => false,
        }
    });
    assert!(later.await, "the store does not follow");
    let kept = eventually(async || replica.command::<u64>("DBSIZE") == 1);
    assert!(kept.await, "on the new master");
}
