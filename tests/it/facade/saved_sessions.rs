//! Sessions that outlive their process: saved as a value, and resumed by another client.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::{Value, json};
use synerise_auth::clock::ManualClock;
use synerise_auth::model::MfaMethod;
use synerise_auth::random::FixedRandom;
use synerise_auth::session::SavedSession;
use synerise_auth::store::MemoryStore;
use synerise_auth::{
    ApiKey, Client, Error, ErrorKind, Identity, ProfileSession, Region, Result, TokenProvider,
    UserLoginOutcome, Visitor,
};
use synerise_auth_emulator::Fault;

use crate::support::{CUSTOMER, DEVICE, PASSWORD, START, TestEnv, VISITOR, bounded, customer, secs};

const REFRESH: &str = "refreshProfileToken";

/// The same environment after a restart of the service, or on another replica.
fn another_process(env: &TestEnv) -> Client {
    env.client_builder().build().unwrap()
}

/// Out of a process, and into another one.
fn reread(saved: &SavedSession) -> SavedSession {
    saved.to_secret().expose().parse().unwrap()
}

fn resume(env: &TestEnv, client: &Client, saved: &SavedSession) -> Result<ProfileSession> {
    client.profile(env.profile_key()).resume(&reread(saved))
}

async fn saved_profile(env: &TestEnv) -> SavedSession {
    env.profile().await.unwrap().export().await.unwrap()
}

fn contents(saved: &SavedSession) -> Value {
    serde_json::from_str(saved.to_secret().expose()).unwrap()
}

fn changed(saved: &SavedSession, change: impl FnOnce(&mut Value)) -> Result<SavedSession> {
    let mut value = contents(saved);
    change(&mut value);
    value.to_string().parse()
}

#[track_caller]
fn assert_refused(error: &Error, says: &str) {
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains(says), "{error}");
    assert!(!error.to_string().contains("eyJ"), "{error}");
}

#[tokio::test]
async fn customer_stays_logged_in_after_a_restart() {
    let env = TestEnv::new().await;
    env.emulator.set_custom_id(CUSTOMER, "card-17");
    let login = env.client.profile(env.profile_key()).login(customer(PASSWORD));
    let profile = login.device_id(DEVICE).await.unwrap();
    let before = profile.token().await.unwrap();
    let saved = profile.export().await.unwrap();
    drop(profile);

    let resumed = resume(&env, &another_process(&env), &saved).unwrap();
    let token = resumed.token().await.unwrap();
    assert_eq!(token.expose(), before.expose());
    assert_eq!(
        (
            token.origin(),
            token.realm(),
            token.custom_id(),
            token.profile_id(),
            token.profile_uuid()
        ),
        (
            before.origin(),
            before.realm(),
            Some("card-17"),
            before.profile_id(),
            before.profile_uuid()
        )
    );
    assert_eq!(saved.device_id(), Some(DEVICE));
    assert_eq!(saved.profile_uuid(), before.profile_uuid());
    assert_eq!(saved.expires_at(), UNIX_EPOCH + START + secs(3600));
    resumed.get("/v4/clients").await.unwrap();
    assert_eq!(env.emulator.count("authenticateProfile"), 1);
}

#[tokio::test]
async fn saved_session_has_neither_key_nor_password() {
    let env = TestEnv::new().await;
    let login = env.client.profile(env.profile_key()).login(customer(PASSWORD));
    let saved = login.keep_credentials().await.unwrap().export().await.unwrap();
    let mut value = contents(&saved);
    value["token"] = json!("");
    let rest = value.to_string();
    assert!(!rest.contains(PASSWORD) && !rest.contains(&env.emulator.workspace().profile_api_key));
    let printed = format!("{saved:?} {saved:#?}");
    for hidden in ["eyJ", CUSTOMER, saved.profile_uuid().unwrap().as_str()] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}

#[tokio::test]
async fn resumed_session_is_refreshed_when_its_whole_lifetime_is_nearly_over() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    // Resumed for each request: what is left gets shorter, and the margin must not shrink with it.
    env.pass(secs(3200));
    let client = another_process(&env);
    resume(&env, &client, &saved).unwrap().token().await.unwrap();
    assert_eq!(env.emulator.count(REFRESH), 0);
    env.pass(secs(200));
    let profile = resume(&env, &client, &saved).unwrap();
    let mut events = profile.subscribe();
    assert_eq!(profile.token().await.unwrap().generation(), 1);
    bounded(events.next()).await.unwrap();
    let token = profile.token().await.unwrap();
    assert_eq!((env.emulator.count(REFRESH), token.generation()), (1, 2));
    assert_eq!(token.lifetime(), secs(3600));

    let saved = profile.export().await.unwrap();
    assert_eq!(saved.generation(), 2);
    assert_eq!(saved.expires_at(), UNIX_EPOCH + START + secs(3400 + 3600));
}

#[tokio::test]
async fn two_resumes_of_one_session_cause_one_refresh() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    env.pass(secs(3400));
    let client = another_process(&env);
    let first = resume(&env, &client, &saved).unwrap();
    let second = resume(&env, &client, &saved).unwrap();
    first.invalidate();
    let (one, two) = tokio::join!(first.token(), second.token());
    assert_eq!(one.unwrap().expose(), two.unwrap().expose());
    assert_eq!(env.emulator.count(REFRESH), 1);

    // The browser's old cookie: the session has its newer token already.
    let late = resume(&env, &client, &saved).unwrap();
    assert_eq!(late.token().await.unwrap().generation(), 2);
    assert_eq!(env.emulator.count(REFRESH), 1);
}

#[tokio::test]
async fn newer_value_replaces_the_token_of_a_live_session() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let (here, there) = (another_process(&env), another_process(&env));
    let old = resume(&env, &here, &saved).unwrap();
    let ahead = resume(&env, &there, &saved).unwrap();
    ahead.invalidate();
    let newer = ahead.export().await.unwrap();
    let new = resume(&env, &here, &newer).unwrap();
    assert_eq!(
        new.token().await.unwrap().expose(),
        ahead.token().await.unwrap().expose()
    );
    assert_eq!(old.token().await.unwrap().generation(), 2);
}

#[tokio::test]
async fn two_logins_are_two_sessions() {
    let env = TestEnv::new().await;
    let (one, two) = (env.profile().await.unwrap(), env.profile().await.unwrap());
    one.invalidate();
    assert_eq!(one.token().await.unwrap().generation(), 2);
    assert_eq!(two.token().await.unwrap().generation(), 1);
}

#[tokio::test]
async fn replicas_with_a_store_share_the_refresh() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let store = MemoryStore::default();
    let replica = || env.client_builder().store(store.clone()).build().unwrap();
    let (one, two) = (replica(), replica());
    env.pass(secs(3400));
    let mut generations = Vec::new();
    for client in [&one, &two] {
        let profile = resume(&env, client, &saved).unwrap();
        let mut events = profile.subscribe();
        profile.token().await.unwrap();
        bounded(events.next()).await.unwrap();
        generations.push(profile.export().await.unwrap().generation());
    }
    assert!(
        generations[0] > 1 && generations[0] == generations[1],
        "{generations:?}"
    );
    assert_eq!(env.emulator.count(REFRESH), 1);
}

#[tokio::test]
async fn old_value_finds_the_token_that_another_replica_has_refreshed() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let store = MemoryStore::default();
    let replica = || env.client_builder().store(store.clone()).build().unwrap();
    let one = replica();
    let newest = async || {
        env.pass(secs(3400));
        let profile = resume(&env, &one, &saved).unwrap();
        profile.token_valid_for(secs(600)).await.unwrap();
        profile.export().await.unwrap()
    };
    // Held by the requests of one customer, as long as they run.
    let _running = resume(&env, &one, &saved).unwrap();
    newest().await;
    let newest = newest().await;
    assert_eq!(env.emulator.count(REFRESH), 2);

    // The cookie's own token expired long ago. Neither its replica nor another one logs the customer out.
    let here = resume(&env, &one, &saved).unwrap();
    let there = resume(&env, &replica(), &saved).unwrap();
    for profile in [here, there] {
        profile.get("/v4/clients").await.unwrap();
        let found = profile.export().await.unwrap();
        assert_eq!(
            found.generation(),
            newest.generation(),
            "its number is the same everywhere"
        );
        assert_eq!(found.expires_at(), newest.expires_at());
    }
    assert_eq!(
        (
            env.emulator.count(REFRESH),
            env.emulator.count("authenticateProfile")
        ),
        (2, 1)
    );

    // Whoever refreshes next has the higher number, whichever value it began with.
    env.pass(secs(3400));
    let there = resume(&env, &replica(), &saved).unwrap();
    there.token_valid_for(secs(600)).await.unwrap();
    let next = there.export().await.unwrap();
    assert!(next.generation() > newest.generation() && next.expires_at() > newest.expires_at());
}

#[tokio::test]
async fn old_value_says_that_the_session_has_expired_when_the_store_has_nothing_newer() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let client = env
        .client_builder()
        .store(MemoryStore::default())
        .build()
        .unwrap();
    env.pass(secs(3600));
    let profile = resume(&env, &client, &saved).unwrap();
    let before = env.emulator.requests().len();
    for _ in 0..2 {
        let error = profile.get("/v4/clients").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::SessionExpired, "{error}");
        assert!(
            error.to_string().contains("let the customer log in again"),
            "{error}"
        );
    }
    assert_eq!(env.emulator.requests().len(), before, "nothing is sent");
}

#[tokio::test]
async fn value_that_expires_in_a_session_finds_what_another_replica_has_refreshed() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let store = MemoryStore::default();
    let replica = || env.client_builder().store(store.clone()).build().unwrap();
    let (one, two) = (replica(), replica());
    let here = resume(&env, &one, &saved).unwrap();
    let there = resume(&env, &two, &saved).unwrap();
    env.pass(secs(3400));
    here.token_valid_for(secs(600)).await.unwrap();
    env.pass(secs(200));
    let found = there.token().await.unwrap();
    assert_eq!(found.expose(), here.token().await.unwrap().expose());
    assert_eq!(env.emulator.count(REFRESH), 1);
}

#[tokio::test]
async fn old_value_finds_a_token_that_is_nearly_over_and_refreshes_it() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let store = MemoryStore::default();
    let replica = || env.client_builder().store(store.clone()).build().unwrap();
    let here = resume(&env, &replica(), &saved).unwrap();
    env.pass(secs(3400));
    here.token_valid_for(secs(600)).await.unwrap();
    env.pass(secs(3500));

    // While it can't be refreshed, it is still valid.
    env.emulator.faults().on(REFRESH).then(Fault::status(503));
    let there = resume(&env, &replica(), &saved).unwrap();
    let found = there.token().await.unwrap();
    assert_eq!(found.expose(), here.cached_token().unwrap().expose());
    drop(there);

    let there = resume(&env, &replica(), &saved).unwrap();
    let token = there.token().await.unwrap();
    assert_eq!(token.lifetime(), secs(3600));
    assert_eq!(env.statuses(REFRESH), [200, 503, 200]);
    env.pass(secs(200));
    assert_eq!(
        here.token().await.unwrap().expose(),
        token.expose(),
        "for all replicas"
    );
    assert_eq!(env.emulator.count(REFRESH), 3);

    // A token that the server refuses is not served.
    env.pass(secs(3200));
    env.emulator.revoke_tokens();
    let there = resume(&env, &replica(), &saved).unwrap();
    there.token().await.unwrap_err();
}

#[tokio::test]
async fn session_that_found_nothing_looks_again_when_it_is_resumed() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let store = MemoryStore::default();
    let replica = || env.client_builder().store(store.clone());
    // Its clock is so far ahead that the token has expired for it, and the store has nothing yet.
    let ahead = ManualClock::at(UNIX_EPOCH + START + secs(3700));
    let early = replica().clock(ahead).build().unwrap();
    let dead = resume(&env, &early, &saved).unwrap();
    dead.token().await.unwrap_err();
    env.pass(secs(3400));
    let on_time = resume(&env, &replica().build().unwrap(), &saved).unwrap();
    on_time.token_valid_for(secs(600)).await.unwrap();
    assert_eq!(dead.token().await.unwrap_err().kind(), ErrorKind::SessionExpired);
    resume(&env, &early, &saved).unwrap().token().await.unwrap();
    dead.token().await.expect("it is the same session");
    assert_eq!(env.emulator.count(REFRESH), 1);
}

#[tokio::test]
async fn newer_value_revives_the_handle_of_a_session_that_had_expired() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let (here, there) = (another_process(&env), another_process(&env));
    let held = resume(&env, &here, &saved).unwrap();
    let ahead = resume(&env, &there, &saved).unwrap();
    env.pass(secs(3400));
    ahead.token_valid_for(secs(600)).await.unwrap();
    env.pass(secs(200));
    assert_eq!(held.token().await.unwrap_err().kind(), ErrorKind::SessionExpired);
    let newer = ahead.export().await.unwrap();
    resume(&env, &here, &newer).unwrap().token().await.unwrap();
    held.token().await.expect("it is the same session");
}

#[tokio::test]
async fn old_value_goes_on_with_the_newer_token_of_its_own_client() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let client = another_process(&env);
    let held = resume(&env, &client, &saved).unwrap();
    env.pass(secs(3400));
    held.token_valid_for(secs(600)).await.unwrap();
    env.pass(secs(300));
    let late = resume(&env, &client, &saved).unwrap();
    assert_eq!(
        late.token().await.unwrap().expose(),
        held.token().await.unwrap().expose()
    );
    drop((held, late));
    let error = resume(&env, &client, &saved).unwrap_err();
    assert_eq!(
        error.kind(),
        ErrorKind::SessionExpired,
        "nobody has the newer one any more"
    );
}

#[tokio::test]
async fn logged_out_session_is_not_found_by_an_old_value() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let store = MemoryStore::default();
    let replica = || env.client_builder().store(store.clone()).build().unwrap();
    let profile = resume(&env, &replica(), &saved).unwrap();
    env.pass(secs(3400));
    profile.token_valid_for(secs(600)).await.unwrap();
    profile.log_out().await.unwrap();
    env.pass(secs(300));
    let late = resume(&env, &replica(), &saved).unwrap();
    assert_eq!(late.token().await.unwrap_err().kind(), ErrorKind::SessionExpired);
}

#[tokio::test]
async fn expired_session_says_so() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let visitor = env.visitor().export().await.unwrap();
    let user = env.user().await.unwrap().export().await.unwrap();
    env.pass(secs(3600));
    let client = another_process(&env);
    let error = resume(&env, &client, &saved).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
    assert!(
        error.to_string().contains("let the customer log in again"),
        "{error}"
    );
    let error = client.user().resume(&reread(&user)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
    let session = client.anonymous(env.profile_key(), VISITOR);
    let error = session.clone().resume(&reread(&visitor)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::SessionExpired);
    session.token().await.unwrap();
}

#[tokio::test]
async fn lifetime_is_judged_by_the_readers_clock() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let reader = |at: Duration| {
        let clock = ManualClock::at(UNIX_EPOCH + at);
        let builder = Client::builder().base_url(env.emulator.base_url()).clock(clock);
        builder.random(FixedRandom(0.0)).build().unwrap()
    };
    // A reader whose clock is a day behind believes in the whole lifetime, and in no more.
    let behind = resume(&env, &reader(START.saturating_sub(secs(86_400))), &saved).unwrap();
    assert!(behind.token().await.unwrap().lifetime() <= secs(3600));
    let ahead = resume(&env, &reader(START + secs(86_400)), &saved).unwrap_err();
    assert_eq!(ahead.kind(), ErrorKind::SessionExpired);
    // The token's own claims count as well.
    let longer = changed(&saved, |value| value["expires_at"] = json!(4_102_444_800_000_u64)).unwrap();
    let token = resume(&env, &env.client, &longer).unwrap().token().await.unwrap();
    assert_eq!(token.lifetime(), secs(3600));
}

#[tokio::test]
async fn session_of_another_key_server_or_kind_is_refused() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let visitor = env.visitor().export().await.unwrap();

    let other_key = ApiKey::new(env.emulator.add_profile_api_key(&[])).unwrap();
    let error = env.client.profile(other_key).resume(&saved).unwrap_err();
    assert_refused(&error, "saved session belongs to another API key");

    let elsewhere = Client::builder()
        .base_url("https://api.azu.synerise.com")
        .build()
        .unwrap();
    let error = resume(&env, &elsewhere, &saved).unwrap_err();
    assert_refused(&error, "saved session belongs to another region or base URL");

    let error = resume(&env, &env.client, &visitor).unwrap_err();
    assert_refused(&error, "saved session is of another kind of session");
    let error = env.visitor().resume(&saved).unwrap_err();
    assert_refused(&error, "saved session is of another kind of session");
    let error = env.client.user().resume(&saved).unwrap_err();
    assert_refused(&error, "saved session is of another kind of session");
}

#[tokio::test]
async fn session_of_another_visitor_or_device_is_refused() {
    let env = TestEnv::new().await;
    let saved = env.visitor().export().await.unwrap();
    let anonymous = |visitor| env.client.anonymous(env.profile_key(), visitor);
    let other = Visitor::new("00000000-0000-4000-8000-000000000002");
    let error = anonymous(other).resume(&saved).unwrap_err();
    assert_refused(&error, "saved session belongs to another UUID");
    let other = Visitor::new(VISITOR).with_device_id(DEVICE);
    let error = anonymous(other).resume(&saved).unwrap_err();
    assert_refused(&error, "saved session belongs to another device");
}

#[tokio::test]
async fn visitor_goes_on_without_a_login() {
    let env = TestEnv::new().await;
    let visitor = env.visitor();
    let saved = visitor.export().await.unwrap();
    let client = another_process(&env);
    let resumed = client
        .anonymous(env.profile_key(), VISITOR)
        .resume(&reread(&saved))
        .unwrap();
    assert_eq!(
        resumed.token().await.unwrap().expose(),
        visitor.token().await.unwrap().expose()
    );
    assert_eq!(env.emulator.count("authenticateAnonymously"), 1);
    resumed.invalidate();
    assert_eq!(resumed.token().await.unwrap().generation(), 2);
}

#[tokio::test]
async fn refused_token_of_a_resumed_session_is_replaced_once() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    let profile = resume(&env, &another_process(&env), &saved).unwrap();
    env.emulator
        .faults()
        .on("GET /v4/clients")
        .then(Fault::status(401));
    profile.get("/v4/clients").await.unwrap();
    assert_eq!(profile.status().generation, 2);
}

#[tokio::test]
async fn second_factor_may_reach_another_replica() {
    let env = TestEnv::new().await;
    env.emulator
        .add_user_with_email_codes("mail@example.com", PASSWORD);
    let login = env
        .client
        .user()
        .login("mail@example.com", PASSWORD)
        .device_id(DEVICE);
    let UserLoginOutcome::MfaRequired(challenge) = login.await.unwrap() else {
        panic!("the user has a second factor");
    };
    let saved = reread(&challenge.export().await.unwrap());
    drop(challenge);

    let challenge = another_process(&env).user().resume_challenge(&saved).unwrap();
    assert_eq!(challenge.methods(), [MfaMethod::Email]);
    let code = env.emulator.last_message("mail@example.com").unwrap().secret;
    let user = challenge.verify(MfaMethod::Email, code).await.unwrap();

    let saved = reread(&user.export().await.unwrap());
    let user = another_process(&env).user().resume(&saved).unwrap();
    assert_eq!(
        user.user_info().unwrap().name.as_deref(),
        Some("mail@example.com")
    );
    let guid = env.emulator.workspace().guid.clone();
    let inside = user.select_workspace(guid.as_str()).await.unwrap();
    let saved = reread(&inside.export().await.unwrap());
    let client = another_process(&env);
    let error = client.user().resume(&saved).unwrap_err();
    assert_refused(&error, "is of another kind of session");
    let inside = client.user().resume_in_workspace(&saved).unwrap();
    assert!(inside.user_info().unwrap().workspace_id.is_some());
    inside.current_workspace().await.unwrap().unwrap();
    // The device is trusted now, which shows that the second replica sent it.
    let again = env
        .client
        .user()
        .login("mail@example.com", PASSWORD)
        .device_id(DEVICE);
    assert!(matches!(again.await.unwrap(), UserLoginOutcome::Complete(_)));
}

#[tokio::test]
async fn nonsense_is_refused() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    for text in [
        "",
        "null",
        "[]",
        "{}",
        "eyJhbGciOiJSUzUxMiJ9.e30.x",
        r#"{"v":"1"}"#,
        r#"{"v":1}"#,
    ] {
        assert_refused(
            &text.parse::<SavedSession>().unwrap_err(),
            "saved session can't be read",
        );
    }
    assert!("x".repeat(100_000).parse::<SavedSession>().is_err());
    let newer = changed(&saved, |value| value["v"] = json!(2)).unwrap_err();
    assert_refused(&newer, "has the format 2 of another version");
    let changes: [(&str, Value); 8] = [
        ("token", json!("")),
        ("token", json!("Bearer not-a-real-token")),
        ("token", json!(17)),
        ("generation", json!(0)),
        ("generation", json!(u64::MAX)),
        ("issued_at", json!(u64::MAX)),
        ("expires_at", json!(-1)),
        // The token of one profile under the name of another.
        ("uuid", json!("00000000-0000-4000-8000-000000000009")),
    ];
    for (field, value) in changes {
        let error = changed(&saved, |saved| saved[field] = value).unwrap_err();
        assert_refused(&error, "saved session can't be read");
    }
    // Of a later release: what is not known does not log the customer out.
    let more = changed(&saved, |value| value["more"] = json!([1])).unwrap();
    resume(&env, &env.client, &more).unwrap();
}

#[tokio::test]
async fn identity_without_a_uuid_gets_that_of_the_response() {
    let env = TestEnv::new().await;
    env.emulator
        .add_third_party_token("GOOGLE", "token-1", "a@example.com");
    let logins = env.client.profile(env.profile_key());
    let profile = logins.login(Identity::google("token-1")).await.unwrap();
    let uuid = env.emulator.profile("a@example.com").unwrap().uuid;
    let saved = profile.export().await.unwrap();
    assert_eq!(saved.profile_uuid().unwrap().as_str(), uuid);
}

#[tokio::test]
async fn hosts_of_the_mobile_sdks_are_hosts_of_their_own() {
    let env = TestEnv::new().await;
    let saved = saved_profile(&env).await;
    for (region, twin) in [
        (Region::AzureEu, "https://api.snrapi.com"),
        (Region::AzureUs, "https://api.azu.snrapi.com"),
        (Region::Gcp, "https://api.geb.snrapi.com"),
    ] {
        let usual = env.client_builder().region(region).build().unwrap();
        let mobile = env.client_builder().base_url(twin).build().unwrap();
        assert_eq!(mobile.base_url(), twin);
        // A token stays with its host.
        let workspace = mobile.workspace(env.workspace_key());
        assert!(workspace.allows_url(&format!("{twin}/v4/clients")));
        assert!(!workspace.allows_url(&format!("{}/v4/clients", region.base_url())));
        let of_twin = changed(&saved, |value| value["base_url"] = json!(twin)).unwrap();
        resume(&env, &mobile, &of_twin).unwrap();
        let error = resume(&env, &usual, &of_twin).unwrap_err();
        assert_refused(&error, "saved session belongs to another region or base URL");
    }
}
