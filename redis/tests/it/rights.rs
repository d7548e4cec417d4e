//! The rights that a user of Redis needs, as the crate's page lists them.

use synerise_auth::store::TokenStore;
use synerise_auth_redis::RedisStore;

use crate::support::{Server, acquired, builder, request, store_key, token};

/// As the page has them.
pub(crate) const LEAST: &str = "~synerise-auth:* +eval +evalsha +get +set +del +pttl +time";

/// The rights but these.
fn without(missing: &[&str]) -> String {
    let rights = LEAST.split(' ').filter(|right| !missing.contains(right));
    rights.collect::<Vec<_>>().join(" ")
}

fn as_user(server: &Server, rights: &str) -> RedisStore {
    let () = server.command(&format!("ACL SETUSER store reset on >fake-password {rights}"));
    let url = server.url().replace("redis://", "redis://store:fake-password@");
    builder().connect(&url).unwrap()
}

#[tokio::test]
async fn least_rights_are_enough() {
    let server = Server::start();
    let store = as_user(&server, LEAST);
    let key = store_key().await;
    let mine = request(0);
    let generation = acquired(&store, &key, &mine).await;
    store
        .save(&key, token("fake", generation), Some(&mine.owner))
        .await
        .unwrap();
    assert!(store.load(&key).await.unwrap().is_some());
    store.release(&key, &mine.owner).await.unwrap();
    let page = include_str!("../../README.md");
    assert!(page.contains(LEAST), "the page lists other rights");
}

#[tokio::test]
async fn each_of_the_rights_is_needed() {
    let server = Server::start();
    for right in LEAST.split_whitespace() {
        let store = as_user(&server, &without(&[right]));
        let key = store_key().await;
        let mine = request(0);
        let take = store.take(&key, &mine).await;
        let held = store.take(&key, &request(0)).await;
        let save = store.save(&key, token("fake", 1), Some(&mine.owner)).await;
        let load = store.load(&key).await;
        assert!(
            take.is_err() || held.is_err() || save.is_err() || load.is_err(),
            "without {right}"
        );
    }
}

#[tokio::test]
async fn refusal_says_what_to_do_and_shows_no_password() {
    let server = Server::start();
    let key = store_key().await;
    let no_scripts = as_user(&server, &without(&["+eval", "+evalsha"]));
    let error = no_scripts.take(&key, &request(0)).await.unwrap_err().to_string();
    assert!(error.contains("rights"), "{error}");
    let other_prefix = as_user(&server, &LEAST.replace("~synerise-auth", "~shop"));
    let error = other_prefix.load(&key).await.unwrap_err().to_string();
    assert!(error.contains("rights"), "{error}");

    let wrong = server
        .url()
        .replace("redis://", "redis://store:fake-wrong-canary@");
    let store = builder().connect(&wrong).unwrap();
    let error = store.load(&key).await.unwrap_err().to_string();
    assert!(error.contains("refuses the user or the password"), "{error}");
    assert!(
        !format!("{error} {store:?}").contains("canary"),
        "{error} {store:?}"
    );
}

#[tokio::test]
async fn address_that_can_t_be_used_is_refused_without_quoting_it() {
    for url in [
        "",
        "canary",
        "http://canary",
        "redis://",
        "redis://u:canary@h:port",
        "rediss://u:canary@h",
    ] {
        let error = builder().connect(url).unwrap_err().to_string();
        assert!(
            !error.contains("canary") && error.contains("redis") && !error.contains("[redacted]"),
            "{url}: {error}"
        );
    }
}
