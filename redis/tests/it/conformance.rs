//! The library's rules for stores, on a real server.
//!
//! With `SYNERISE_TEST_REDIS_URL`, on that one: each rule uses keys of its own.

use std::env;

use synerise_auth::store::conformance::Suite;

use crate::support::{Server, builder};

#[tokio::test]
async fn every_rule_of_the_library_is_kept() {
    let given = env::var("SYNERISE_TEST_REDIS_URL").ok();
    let server = given.is_none().then(Server::start);
    let url = given.or_else(|| server.as_ref().map(Server::url)).unwrap();
    let suite = Suite::new(move || {
        let prefix = format!("synerise-auth-test-{}", std::process::id());
        let connect = || builder().prefix(&prefix).connect(&url).unwrap();
        let both = (connect(), connect());
        async move { both }
    });
    let violations = suite.run_all().await;
    assert!(violations.is_empty(), "{violations:#?}");
}
