//! The published key over HTTP: fetched once, shared, fetched again for a rotation, kept through an outage.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use synerise_auth::ErrorKind;
use synerise_auth::error::TokenProblem::{self, Signature, Unsupported};
use synerise_auth::verify::{REFETCH_FLOOR, VerifiedClaims, Verifier};
use synerise_auth_emulator::{Fault, TokenShape};
use tokio::task::JoinSet;

use super::{OTHER_PEM, PEM, problem, token};
use crate::support::{TestEnv, bounded, millis, secs};

const FETCH: &str = "getPublicKey";

fn fetches(env: &TestEnv) -> u64 {
    env.emulator.count(FETCH)
}

/// So many callers at the same time, each with a verifier of its own.
async fn verify_at_once(
    env: &TestEnv,
    token: &str,
    count: usize,
) -> Vec<synerise_auth::Result<VerifiedClaims>> {
    let mut callers = JoinSet::new();
    for _ in 0..count {
        let (verifier, token) = (env.client.clone().verifier(), token.to_owned());
        callers.spawn(async move { verifier.verify(&token).await });
    }
    bounded(callers.join_all()).await
}

/// What is wrong with each of them, which must be the same.
#[track_caller]
fn all(results: Vec<synerise_auth::Result<VerifiedClaims>>) -> Option<TokenProblem> {
    let mut problems: Vec<_> = results.into_iter().map(problem).collect();
    problems.dedup();
    assert_eq!(problems.len(), 1, "{problems:?}");
    problems[0]
}

#[tokio::test]
async fn key_is_fetched_once_for_all_callers() {
    let env = TestEnv::new().await;
    let gate = env.emulator.faults().on(FETCH).hold();
    let valid = token("valid");
    let callers = verify_at_once(&env, &valid, 200);
    let (results, ()) = tokio::join!(callers, async {
        bounded(gate.wait_for(1)).await;
        gate.release();
    });
    assert_eq!(all(results), None);
    for _ in 0..3 {
        assert_eq!(all(verify_at_once(&env, &valid, 10).await), None);
        env.pass(secs(600));
    }
    assert_eq!(fetches(&env), 1);
    assert!(
        env.emulator.requests()[0]
            .header_values("authorization")
            .is_empty()
    );
}

#[tokio::test]
async fn tokens_of_each_consumer_are_verified() {
    let env = TestEnv::new().await;
    let verifier = env.client.verifier();
    let workspace = env.workspace().token().await.unwrap();
    let visitor = env.visitor().token().await.unwrap();
    let profile = env.profile().await.unwrap().token().await.unwrap();
    let user = env.user_in_workspace().await.unwrap().token().await.unwrap();
    for token in [&workspace, &visitor, &profile, &user] {
        let claims = verifier.verify(token.header()).await.unwrap();
        let unverified = token.claims().unwrap();
        assert_eq!(Some(claims.expires_at), unverified.expires_at());
        assert_eq!(claims.created_at, unverified.created_at());
        assert_eq!(
            (claims.realm.as_ref(), claims.workspace_id),
            (unverified.realm.as_ref(), unverified.workspace_id)
        );
        assert_eq!(
            (claims.email.as_ref(), claims.api_key.as_ref()),
            (unverified.email.as_ref(), unverified.api_key.as_ref())
        );
        claims.authorities().unwrap();
    }
    let visitors = env.client.verifier().with_realms(["anonymous_client"]);
    visitors.verify(visitor.expose()).await.unwrap();
    assert_eq!(
        problem(visitors.verify(workspace.expose()).await),
        Some(TokenProblem::Realm)
    );
    assert_eq!(fetches(&env), 1);
}

#[tokio::test]
async fn encrypted_token_is_refused_and_costs_no_request() {
    let env = TestEnv::new().await;
    let login = env.emulator.faults().on("authenticateAnonymously");
    login.then(Fault::token(TokenShape::Undecodable));
    let encrypted = env.visitor().token().await.unwrap();
    let refused = env.client.verifier().verify(encrypted.expose()).await;
    assert_eq!(problem(refused), Some(Unsupported));
    assert_eq!(fetches(&env), 0);
}

#[tokio::test]
async fn rotation_is_seen_by_one_request() {
    let env = TestEnv::new().await;
    let old = token("valid for half a century");
    let new = token("another key");
    assert_eq!(all(verify_at_once(&env, &old, 1).await), None);
    env.emulator.rotate_signing_key();
    assert_eq!(
        all(verify_at_once(&env, &new, 20).await),
        Some(Signature),
        "too early"
    );
    assert_eq!(
        all(verify_at_once(&env, &old, 1).await),
        None,
        "not known to be withdrawn"
    );
    assert_eq!(fetches(&env), 1);

    env.pass(REFETCH_FLOOR);
    assert_eq!(all(verify_at_once(&env, &new, 200).await), None);
    assert_eq!(
        all(verify_at_once(&env, &old, 200).await),
        Some(Signature),
        "withdrawn"
    );
    assert_eq!(fetches(&env), 2);

    env.pass(REFETCH_FLOOR);
    env.emulator.rotate_signing_key();
    assert_eq!(
        all(verify_at_once(&env, &old, 200).await),
        None,
        "it is published again"
    );
    assert_eq!(fetches(&env), 3);
}

#[tokio::test]
async fn two_published_keys_are_both_used() {
    let env = TestEnv::new().await;
    let both = format!("{OTHER_PEM}{PEM}");
    let script = env.emulator.faults().on(FETCH);
    script.then(Fault::body(200, "application/x-pem-file", both));
    for name in ["valid", "another key"] {
        assert_eq!(all(verify_at_once(&env, &token(name), 10).await), None, "{name}");
    }
    assert_eq!(fetches(&env), 1);
}

#[tokio::test]
async fn forged_tokens_cause_one_request_in_each_floor() {
    let env = TestEnv::new().await;
    env.client.verifier().warm_up().await.unwrap();
    let forged = token("one bit of the signature");
    for round in 1..4 {
        env.pass(REFETCH_FLOOR.saturating_sub(millis(1)));
        assert_eq!(all(verify_at_once(&env, &forged, 50).await), Some(Signature));
        assert_eq!(fetches(&env), round, "before the floor");
        env.pass(millis(1));
        assert_eq!(all(verify_at_once(&env, &forged, 500).await), Some(Signature));
        assert_eq!(fetches(&env), round + 1);
        assert_eq!(all(verify_at_once(&env, &token("valid"), 1).await), None);
    }
}

#[tokio::test]
async fn junk_causes_no_request() {
    let env = TestEnv::new().await;
    let verifier = env.client.verifier();
    for name in [
        "none",
        "HS512 by the PEM",
        "expired",
        "created in the future",
        "iss is another",
        "aud is another",
        "five parts",
        "empty",
        "exp twice",
    ] {
        assert!(problem(verifier.verify(token(name)).await).is_some(), "{name}");
    }
    assert_eq!(fetches(&env), 0);
}

#[tokio::test]
async fn known_keys_are_used_through_an_outage() {
    let env = TestEnv::new().await;
    let valid = token("valid for half a century");
    assert_eq!(all(verify_at_once(&env, &valid, 1).await), None);
    env.emulator.faults().on(FETCH).always(Fault::status(503));
    for outage in 1..4 {
        env.pass(secs(2 * 3600));
        assert_eq!(all(verify_at_once(&env, &valid, 100).await), None);
        // A rotation can't be told from a forgery: this is not the caller's fault.
        let mut forged = valid.clone().into_bytes();
        let last = forged.len() - 3;
        forged[last] = if forged[last] == b'A' { b'B' } else { b'A' };
        let forged = String::from_utf8(forged).unwrap();
        let mut refused = verify_at_once(&env, &forged, 100).await;
        refused.extend(verify_at_once(&env, &forged, 1).await);
        for result in refused {
            let error = result.unwrap_err();
            assert_eq!((error.kind(), error.status()), (ErrorKind::Api, Some(503)));
            assert!(error.is_retryable());
        }
        assert_eq!(fetches(&env), 1 + outage);
    }
    env.emulator.faults().clear();
    env.pass(REFETCH_FLOOR);
    assert_eq!(all(verify_at_once(&env, &valid, 100).await), None);
}

#[tokio::test]
async fn no_caller_waits_longer_than_ten_seconds() {
    let env = TestEnv::with_client(|client| client.attempt_timeout(secs(60)).call_timeout(secs(90))).await;
    let valid = token("valid");
    assert_eq!(all(verify_at_once(&env, &valid, 1).await), None);
    let gate = env.emulator.faults().on(FETCH).hold();
    env.pass(REFETCH_FLOOR);
    let forged = token("one bit of the signature");
    let callers = verify_at_once(&env, &forged, 10);
    let (results, ()) = tokio::join!(callers, async {
        bounded(gate.wait_for(1)).await;
        assert_eq!(problem(env.client.verifier().verify(&valid).await), None);
        env.pass(secs(10));
    });
    for result in results {
        let error = result.unwrap_err();
        assert_eq!(
            (error.kind(), error.operation()),
            (ErrorKind::Timeout, Some(FETCH))
        );
    }
    assert_eq!(fetches(&env), 2);
}

#[tokio::test]
async fn without_any_key_one_request_a_second_is_sent() {
    let env = TestEnv::new().await;
    env.emulator.faults().on(FETCH).always(Fault::status(503));
    let valid = token("valid");
    for second in 1..4 {
        for _ in 0..2 {
            for result in verify_at_once(&env, &valid, 100).await {
                assert_eq!(result.unwrap_err().status(), Some(503));
            }
        }
        assert_eq!(fetches(&env), second);
        env.pass(secs(1));
    }
    env.emulator.faults().clear();
    assert_eq!(all(verify_at_once(&env, &valid, 100).await), None);
    assert_eq!(fetches(&env), 4);
}

#[tokio::test]
async fn what_is_not_a_key_is_not_used() {
    let env = TestEnv::new().await;
    let pem = |text: &str| Fault::body(200, "application/x-pem-file", text.to_owned());
    let weak = include_str!("../../data/verify/keys/rsa-1024.pem");
    let weak_token = include_str!("../../data/verify/rsa-1024.token");
    let ec = include_str!("../../data/verify/keys/ec.pem");
    let script = env.emulator.faults().on(FETCH);
    script
        .then(Fault::html())
        .then(pem(weak))
        .then(pem(ec))
        .then(pem(&PEM[..100]))
        .then(pem(&format!("{ec}{weak}{PEM}")));
    let verifier = env.client.verifier();
    for expected in [
        ErrorKind::UnexpectedResponse,
        ErrorKind::InvalidKey,
        ErrorKind::InvalidKey,
        ErrorKind::InvalidKey,
    ] {
        let error = verifier.verify(weak_token).await.unwrap_err();
        assert_eq!(error.kind(), expected, "{error}");
        env.pass(secs(1));
    }
    // One that can be used is used, whatever is beside it.
    assert_eq!(problem(verifier.verify(token("valid")).await), None);
    assert_eq!(problem(verifier.verify(weak_token).await), Some(Signature));

    // And it stays in use when the next answer has none.
    env.emulator.faults().on(FETCH).always(Fault::html());
    env.pass(REFETCH_FLOOR);
    let error = verifier.verify(weak_token).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert_eq!(problem(verifier.verify(token("valid")).await), None);
}

#[tokio::test]
async fn keys_of_an_hour_are_fetched_again_behind_the_callers() {
    let env = TestEnv::new().await;
    let verifier = env.client.verifier();
    let old = token("valid for half a century");
    verifier.verify(&old).await.unwrap();
    env.emulator.rotate_signing_key();
    env.pass(secs(3599));
    verifier.verify(&old).await.unwrap();
    let gate = env.emulator.faults().on(FETCH).hold();
    env.pass(secs(1));
    for _ in 0..100 {
        bounded(verifier.verify(&old)).await.unwrap();
    }
    bounded(gate.wait_for(1)).await;
    gate.release();
    // Nobody needs a token of the new key for the old one to be trusted no more.
    bounded(async {
        while verifier.verify_now(&old).is_ok() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert_eq!(fetches(&env), 2);
}

#[tokio::test]
async fn verify_now_takes_the_key_that_is_there() {
    let env = TestEnv::new().await;
    let verifier = env.client.verifier();
    let error = verifier.verify_now(token("valid")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
    assert!(
        error.to_string().ends_with("await Verifier::warm_up before"),
        "{error}"
    );
    verifier.warm_up().await.unwrap();
    verifier.warm_up().await.unwrap();
    assert_eq!(problem(verifier.verify_now(token("valid"))), None);
    env.emulator.rotate_signing_key();
    env.pass(REFETCH_FLOOR);
    assert_eq!(
        problem(verifier.verify_now(token("another key"))),
        Some(Signature)
    );
    assert_eq!(fetches(&env), 1);
}

/// Polls once, outside of any runtime.
fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn without_a_runtime_only_a_fetch_is_impossible() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let env = runtime.block_on(TestEnv::new());
    let verifier = env.client.verifier();
    let Poll::Ready(Err(error)) = poll_once(verifier.verify(token("valid"))) else {
        panic!("it waits for a request that nobody can send");
    };
    assert_eq!(error.kind(), ErrorKind::NoRuntime);
    runtime.block_on(verifier.warm_up()).unwrap();
    env.pass(secs(1800));
    assert!(matches!(
        poll_once(verifier.verify(token("valid"))),
        Poll::Ready(Ok(_))
    ));

    let offline = Verifier::from_pem(PEM).unwrap().with_clock(env.clock.clone());
    assert!(matches!(
        poll_once(offline.verify(token("valid"))),
        Poll::Ready(Ok(_))
    ));
}

#[tokio::test]
async fn caller_that_gives_up_costs_nobody_a_request() {
    let env = TestEnv::new().await;
    let gate = env.emulator.faults().on(FETCH).hold();
    for _ in 0..20 {
        let verifier = env.client.verifier();
        let caller = tokio::spawn(async move { verifier.verify(token("valid")).await });
        bounded(gate.wait_for(1)).await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
    }
    gate.release();
    assert_eq!(all(verify_at_once(&env, &token("valid"), 10).await), None);
    assert_eq!(fetches(&env), 1);
}

#[tokio::test]
async fn fetch_of_a_runtime_that_was_shut_down_is_made_again() {
    let env = TestEnv::new().await;
    let gate = env.emulator.faults().on(FETCH).hold();
    let other = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let verifier = env.client.verifier();
    other.spawn(async move { verifier.warm_up().await });
    bounded(gate.wait_for(1)).await;
    let waiting = tokio::spawn({
        let verifier = env.client.verifier();
        async move { verifier.verify(token("valid")).await }
    });
    // It joins the fetch that the other runtime has begun.
    tokio::task::yield_now().await;
    other.shutdown_background();
    gate.release();
    assert_eq!(problem(bounded(waiting).await.unwrap()), None);
}
