//! Times as servers write them: fractions, text, other units, and dates that contradict each other.

use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use synerise_auth::lifecycle::RefreshPolicy;
use synerise_auth::store::{LeaseOwner, Saved, StoreFuture, StoreKey, StoredToken, TokenStore};
use synerise_auth::{ErrorKind, Identity};
use synerise_auth_emulator::Fault;
use tokio::sync::Notify;

use crate::support::{START, TestEnv, bounded, claims_token, millis, secs, spawn_token};

/// The lifetime of a token with these claims, as a login's response at the start.
async fn lifetime(claims: Value, fault: impl FnOnce(Fault) -> Fault) -> Duration {
    let env = TestEnv::new().await;
    let answer = Fault::json(&json!({ "token": claims_token(&claims) }));
    env.emulator.faults().on("workspaceLogin").then(fault(answer));
    let token = env.workspace().token().await;
    token
        .unwrap_or_else(|error| panic!("{claims}: {error}"))
        .lifetime()
}

fn start() -> u64 {
    START.as_secs()
}

#[tokio::test]
async fn claims_may_be_fractions_text_or_milliseconds() {
    let (end, created) = (start() + 60, start() * 1000);
    for exp in [
        json!(end),
        json!(format!("{end}")),
        json!(format!(" {end}.9 ")),
        serde_json::from_str(&format!("{end}.9")).unwrap(),
        json!(end * 1000),
        json!(format!("{}", end * 1000)),
    ] {
        assert_eq!(
            lifetime(json!({ "exp": exp, "ctd": created }), |fault| fault).await,
            secs(60),
            "{exp}"
        );
        assert_eq!(
            lifetime(json!({ "exp": exp }), |fault| fault).await,
            secs(60),
            "{exp}, and no ctd"
        );
        let undated = lifetime(json!({ "exp": exp, "ctd": created }), Fault::without_date).await;
        assert_eq!(undated, secs(60), "{exp}, and no date");
    }
    for ctd in [
        json!(start()),
        json!(format!("{created}")),
        json!(0),
        json!("soon"),
    ] {
        let claims = json!({ "exp": end, "ctd": ctd });
        assert_eq!(lifetime(claims.clone(), |fault| fault).await, secs(60), "{ctd}");
        assert_eq!(
            lifetime(claims, Fault::without_date).await,
            secs(60),
            "{ctd}, and no date"
        );
    }
}

#[tokio::test]
async fn unreadable_expiry_gets_a_short_life() {
    for exp in [
        json!("soon"),
        json!(true),
        json!([1]),
        json!({}),
        json!(1e300),
        json!("NaN"),
    ] {
        let lifetime = lifetime(json!({ "exp": exp, "ctd": start() * 1000 }), |fault| fault).await;
        assert_eq!(lifetime, secs(60), "{exp}");
    }
}

/// The lifetime of a token whose signed claims are these bytes.
async fn lifetime_of_claims(claims: &[u8]) -> Duration {
    use base64::Engine;
    let encode = |bytes| base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(bytes);
    let token = format!(
        "{}.{}.c2ln",
        encode(br#"{"alg":"RS512"}"#.as_slice()),
        encode(claims)
    );
    let env = TestEnv::new().await;
    let answer = Fault::json(&json!({ "token": token }));
    env.emulator.faults().on("workspaceLogin").then(answer);
    env.workspace().token().await.unwrap().lifetime()
}

#[tokio::test]
async fn claims_that_can_not_be_parsed_get_a_short_life() {
    let (end, hour) = (start() + 60, start() + 3600);
    for claims in [
        format!(r#"{{"exp":{hour},"exp":{end}}}"#),
        r#"{"exp":1e999}"#.to_owned(),
        r#"{"exp":NaN}"#.to_owned(),
        format!(r#"{{"exp":{end},"sub":NaN}}"#),
        format!(r#"{{"exp":{end},"sub":"\ud83d"}}"#),
        format!("\u{feff}{{\"exp\":{end}}}"),
        format!(r#"{{"exp":{end},"ctd":"#),
        format!(r#"{{"exp":{}1{}}}"#, "[".repeat(200), "]".repeat(200)),
    ] {
        assert_eq!(lifetime_of_claims(claims.as_bytes()).await, secs(60), "{claims}");
    }
    assert_eq!(
        lifetime_of_claims(format!("{{\"exp\":{end},\"eml\":\"\u{e9}\"}}").as_bytes()).await,
        secs(60)
    );
    let latin = [format!("{{\"exp\":{end},\"eml\":\"").as_bytes(), b"\xe9\"}"].concat();
    assert_eq!(lifetime_of_claims(&latin).await, secs(60));
    // What does not look like claims is encrypted: its lifetime is the documented one.
    assert_eq!(lifetime_of_claims(b"\x8f\x01{").await, secs(3600));
}

#[tokio::test]
async fn microseconds_and_nanoseconds_are_recognized() {
    for factor in [1_000_000, 1_000_000_000] {
        let exp = (start() + 60) * factor;
        assert_eq!(
            lifetime(json!({ "exp": exp }), |fault| fault).await,
            secs(60),
            "{exp}"
        );
    }
}

#[tokio::test]
async fn profile_times_are_read_from_nearly_right_json() {
    let end = start() + 60;
    for body in [
        format!("\u{feff}{{\"token\":\"t\",\"expiration\":{end}}}"),
        format!(r#"{{"token":"t","Expiration":{end}}}"#),
        format!(r#"{{"token":"t","expiration":{end},"realm":"\ud83d"}}"#),
        format!(r#"{{"token":"t","expiration":"{end}","created":NaN}}"#),
        r#"{"token":"t","expiration":1e999}"#.to_owned(),
        r#"{"token":"t","expiration":-Infinity}"#.to_owned(),
    ] {
        let env = TestEnv::new().await;
        let answer = Fault::body(200, "application/json", body.clone());
        env.emulator.faults().on("authenticateProfile").then(answer);
        let login = env
            .client
            .profile(env.profile_key())
            .login(Identity::oauth("fake"));
        let token = login.await.unwrap().token().await.unwrap();
        assert_eq!(token.lifetime(), secs(60), "{body}");
    }
}

#[tokio::test]
async fn profile_times_may_be_fractions_or_text() {
    for (expiration, expected) in [
        (json!(format!("{}", start() + 90)), secs(90)),
        (json!(format!("{}.7", start() + 90)), secs(90)),
        (json!((start() + 90) * 1000), secs(90)),
        (json!("soon"), secs(60)),
    ] {
        let env = TestEnv::new().await;
        let body = json!({ "token": "opaque", "expiration": expiration, "created": start() * 1000 });
        env.emulator
            .faults()
            .on("authenticateProfile")
            .then(Fault::json(&body));
        let login = env
            .client
            .profile(env.profile_key())
            .login(Identity::oauth("fake"));
        let token = login.await.unwrap().token().await.unwrap();
        assert_eq!(token.lifetime(), expected, "{expiration}");
    }
}

#[tokio::test]
async fn contradicting_date_neither_locks_out_nor_extends() {
    let claims = json!({ "exp": start() + 60, "ctd": start() * 1000 });
    for ahead in [61, 120, 3600, 24 * 3600, 365 * 24 * 3600] {
        let date = UNIX_EPOCH + START + secs(ahead);
        let lifetime = lifetime(claims.clone(), |fault| fault.date(date)).await;
        assert_eq!(lifetime, secs(60), "{ahead} s ahead");
    }
    for ahead in [60, 3600, 365 * 24 * 3600] {
        let without_created = json!({ "exp": start() + 60 });
        let date = UNIX_EPOCH + START + secs(ahead);
        let bounded = lifetime(without_created, |fault| fault.date(date)).await;
        assert_eq!(bounded, secs(60), "{ahead} s ahead, and no ctd");
    }
    for behind in [60, 3600, START.as_secs()] {
        let date = UNIX_EPOCH + START.saturating_sub(secs(behind));
        let bounded = lifetime(claims.clone(), |fault| fault.date(date)).await;
        assert_eq!(bounded, secs(60), "{behind} s behind");
        let without_created = json!({ "exp": start() + 60 });
        let bounded = lifetime(without_created, |fault| fault.date(date)).await;
        assert_eq!(bounded, secs(60), "{behind} s behind, and no ctd");
    }
}

#[tokio::test]
async fn nothing_lives_longer_than_the_policy_believes() {
    let ten_years = secs(3660 * 24 * 3600);
    for exp in [u64::MAX, 253_402_300_799, start() + 100 * 366 * 24 * 3600] {
        let lifetime = lifetime(json!({ "exp": exp, "ctd": start() * 1000 }), |fault| fault).await;
        assert!(lifetime <= ten_years, "{exp}: {lifetime:?}");
    }
    let policy = RefreshPolicy::default().with_max_lifetime(secs(600));
    let env = TestEnv::with_client(|client| client.refresh_policy(policy)).await;
    let session = env.workspace();
    assert_eq!(session.token().await.unwrap().lifetime(), secs(600));
    env.pass(secs(600));
    assert_eq!(session.token().await.unwrap().generation(), 2);
}

#[tokio::test]
async fn token_that_expires_on_its_way_costs_one_login_and_a_backoff() {
    let env = TestEnv::with_lifetime(secs(1)).await;
    let undated = Fault::none().without_date();
    env.emulator.faults().on("workspaceLogin").always(undated);
    let session = env.workspace();
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    let caller = spawn_token(&session);
    gate.wait_for(1).await;
    env.clock.advance(millis(1300));
    gate.release();
    let error = caller.await.unwrap().unwrap_err();
    assert!(error.is_retryable(), "{error}");
    assert_eq!(
        (error.kind(), error.operation()),
        (ErrorKind::UnexpectedResponse, Some("workspaceLogin"))
    );
    for _ in 0..10 {
        session.token().await.unwrap_err();
    }
    assert_eq!(env.logins(), 1, "then the backoff");
    env.pass(secs(1));
    assert_eq!(session.token().await.unwrap().generation(), 1);
    assert_eq!(env.logins(), 2);
}

/// A store that hangs when a token is saved, and says so.
#[derive(Debug)]
struct HangsInSave(Arc<Notify>);

impl TokenStore for HangsInSave {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(std::future::ready(Ok(None)))
    }

    fn save<'a>(
        &'a self,
        _: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        self.0.notify_one();
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn token_that_expires_in_a_slow_store_costs_one_login() {
    let env = TestEnv::with_lifetime(secs(1)).await;
    let saving = Arc::new(Notify::new());
    let store = HangsInSave(Arc::clone(&saving));
    let client = env.client_builder().store(store).build().unwrap();
    let session = client.workspace(env.workspace_key());
    let caller = spawn_token(&session);
    bounded(saving.notified()).await;
    env.pass(secs(3));
    bounded(caller).await.unwrap().unwrap_err();
    session.token().await.unwrap_err();
    assert_eq!(env.logins(), 1);
}

#[tokio::test]
async fn scheme_and_blanks_around_a_token_are_trimmed() {
    for (before, after) in [
        ("Bearer ", ""),
        ("bearer  ", "\r\n"),
        (" ", " "),
        ("", "\n"),
        ("BEARER\t", ""),
    ] {
        let env = TestEnv::new().await;
        let token = env.workspace().token().await.unwrap();
        let answer = json!({ "token": format!("{before}{}{after}", token.expose()) });
        env.emulator
            .faults()
            .on("workspaceLogin")
            .then(Fault::json(&answer));
        let session = env
            .client_builder()
            .build()
            .unwrap()
            .workspace(env.workspace_key());
        session.get("/v4/clients").await.unwrap();
        assert_eq!(
            session.token().await.unwrap().expose(),
            token.expose(),
            "{answer}"
        );
        assert_eq!(env.logins(), 2);
    }
}

#[tokio::test]
async fn unusable_token_names_the_real_operation() {
    for token in ["", "Bearer ", "t k", "t\u{f6}k"] {
        let env = TestEnv::new().await;
        let answer = Fault::json(&json!({ "token": token }));
        for operation in ["authenticateAnonymously", "authenticateProfile", "userLogin"] {
            env.emulator.faults().on(operation).then(answer.clone());
        }
        let errors = [
            env.visitor().token().await.unwrap_err(),
            env.profile().await.unwrap_err(),
            env.user().await.unwrap_err(),
        ];
        let operations = errors
            .each_ref()
            .map(|error| error.operation().unwrap_or_default());
        assert_eq!(
            operations,
            ["authenticateAnonymously", "authenticateProfile", "userLogin"],
            "{token:?}: {errors:?}"
        );
    }
}
