//! Tokens: their claims, their signature, their end.

use std::io::Read as _;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use reqwest::Method;
use serde_json::{Value, json};
use synerise_auth_emulator::{Assumptions, Emulator, Fault, TokenShape};

use crate::caller::{CURRENT, Caller, WORKSPACE_LOGIN, start_time};

fn verified(token: &str, pem: &str) -> Result<Value, jsonwebtoken::errors::Error> {
    let mut rules = Validation::new(Algorithm::RS512);
    rules.set_audience(&["API"]);
    rules.validate_exp = false;
    rules.required_spec_claims.clear();
    decode(token, &DecodingKey::from_rsa_pem(pem.as_bytes())?, &rules).map(|token| token.claims)
}

#[tokio::test]
async fn a_token_has_the_form_of_the_published_sample() {
    let caller = Caller::start().await;
    let key = caller.emulator.add_workspace_api_key(&["A", "B"]);
    let token = caller
        .post_openly(WORKSPACE_LOGIN, &json!({ "apiKey": key }))
        .await
        .token();
    let parts: Vec<_> = token
        .split('.')
        .map(|part| BASE64_URL_SAFE_NO_PAD.decode(part).unwrap())
        .collect();
    assert_eq!(parts[0], br#"{"alg":"RS512"}"#);
    assert_eq!(parts[2].len(), 512);

    let claims = verified(&token, &caller.get("/v4/public.pem", "").await.text).unwrap();
    assert_eq!(
        (&claims["iss"], &claims["aud"], &claims["apk"]),
        (&json!("Synerise"), &json!("API"), &json!(key))
    );
    assert_eq!(claims["ctd"], 1_767_225_600_500_u64, "milliseconds");
    assert_eq!(claims["exp"], 1_767_229_200_u64, "seconds");
    let packed = BASE64_STANDARD.decode(claims["auth"].as_str().unwrap()).unwrap();
    let mut authorities = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut authorities)
        .unwrap();
    assert_eq!(authorities, r#"["A","B"]"#);
}

#[tokio::test]
async fn an_anonymous_token_has_the_claims_of_the_published_sample() {
    let caller = Caller::start().await;
    let claims = verified(&caller.anonymous_token().await, caller.emulator.public_key_pem()).unwrap();
    assert_eq!(claims["rlm"], "anonymous_client");
    assert_eq!(
        claims["eml"],
        format!("{}@anonymous.invalid", crate::caller::UUID)
    );
    assert_eq!(claims["apk"], caller.emulator.workspace().profile_api_key);
    assert!(claims["clId"].is_u64() && claims["bpi"].is_u64() && claims["sub"].is_string());
}

#[tokio::test]
async fn each_kind_of_token_has_its_own_lifetime() {
    let seconds = Duration::from_secs;
    let builder = Emulator::builder()
        .clock_at(start_time())
        .token_lifetime(seconds(10))
        .profile_token_lifetime(seconds(20))
        .user_token_lifetime(seconds(1));
    let caller = Caller::with(builder).await;
    let lifetime = |token: &str| {
        let claims = verified(token, caller.emulator.public_key_pem()).unwrap();
        claims["exp"].as_u64().unwrap() - claims["ctd"].as_u64().unwrap() / 1000
    };
    assert_eq!(lifetime(&caller.workspace_token().await), 10);
    assert_eq!(lifetime(&caller.anonymous_token().await), 20);
    assert_eq!(lifetime(&caller.user_token().await), 1);
}

#[tokio::test]
async fn a_token_is_valid_until_it_expires_by_the_emulators_clock() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    caller.emulator.clock().advance(Duration::from_millis(3_599_499));
    assert_eq!(caller.get_status(CURRENT, &token).await, 200);
    caller.emulator.clock().advance(Duration::from_millis(1));
    assert_eq!(caller.get_status(CURRENT, &token).await, 401);
    caller.emulator.clock().set(start_time());
    assert_eq!(
        caller.get_status(CURRENT, &token).await,
        200,
        "valid again after the clock is set back"
    );
}

#[tokio::test]
async fn tampered_missing_and_malformed_tokens_are_refused() {
    let caller = Caller::start().await;
    let token = caller.workspace_token().await;
    let tampered = format!(
        "{}{}",
        &token[..token.len() - 1],
        if token.ends_with('A') { 'B' } else { 'A' }
    );
    assert_eq!(caller.get_status(CURRENT, &tampered).await, 401);
    assert_eq!(
        caller.send(caller.request(Method::GET, CURRENT)).await.status,
        401
    );
    for header in ["", "Bearer", "Basic Zm9vOmJhcg==", &token] {
        let request = caller
            .request(Method::GET, CURRENT)
            .header("authorization", header);
        assert_eq!(caller.send(request).await.status, 401, "{header}");
    }
}

#[tokio::test]
async fn an_expired_token_is_told_from_a_refused_one() {
    let caller = Caller::start().await;
    caller.emulator.stub("GET", "/v4/clients", json!([]));
    let revoked = caller.workspace_token().await;
    caller.emulator.revoke_token(&revoked);
    let (workspace, visitor) = (caller.workspace_token().await, caller.anonymous_token().await);
    caller.emulator.clock().advance(Duration::from_secs(3600));
    let refresh = json!({ "apiKey": caller.emulator.workspace().profile_api_key });
    for expired in [
        caller.get(CURRENT, &workspace).await,
        caller.get("/v4/clients", &workspace).await,
        caller
            .post("/sauth/v3/auth/refresh/client", &visitor, &refresh)
            .await,
    ] {
        assert_eq!(
            (expired.status, &expired.body["error"]),
            (401, &json!("Token expired."))
        );
    }
    for other in [&revoked, "garbage"] {
        let refused = caller.get(CURRENT, other).await;
        assert_eq!(
            (refused.status, &refused.body["error"]),
            (401, &json!("Unauthorized"))
        );
    }
}

#[tokio::test]
async fn an_expired_token_can_get_403() {
    let mut assumptions = Assumptions::default();
    assumptions.expired_token_status = 403;
    let caller = Caller::with(Emulator::builder().assumptions(assumptions)).await;
    assert_eq!(caller.get_status(CURRENT, "garbage").await, 403);
}

#[tokio::test]
async fn tokens_are_revoked_one_by_one_and_all_at_once() {
    let caller = Caller::start().await;
    let (one, other) = (caller.workspace_token().await, caller.workspace_token().await);
    assert_ne!(one, other, "even within one millisecond");
    assert!(caller.emulator.revoke_token(&one));
    assert!(!caller.emulator.revoke_token(&one));
    assert_eq!(caller.get_status(CURRENT, &one).await, 401);
    assert_eq!(caller.get_status(CURRENT, &other).await, 200);
    caller.emulator.revoke_tokens();
    assert_eq!(caller.get_status(CURRENT, &other).await, 401);
    assert_eq!(
        caller.get_status(CURRENT, &caller.workspace_token().await).await,
        200
    );
    assert_eq!(caller.emulator.tokens_issued(), 3);
}

#[tokio::test]
async fn a_rotated_key_signs_anew_and_retires_old_tokens() {
    let caller = Caller::start().await;
    let old = caller.workspace_token().await;
    let old_key = caller.emulator.public_key_pem();
    caller.emulator.rotate_signing_key();
    assert_eq!(caller.get_status(CURRENT, &old).await, 401);
    let new = caller.workspace_token().await;
    assert_eq!(caller.get_status(CURRENT, &new).await, 200);
    assert!(verified(&new, old_key).is_err());
    assert!(verified(&new, caller.emulator.public_key_pem()).is_ok());
}

#[tokio::test]
async fn a_fault_can_issue_unusual_tokens() {
    let caller = Caller::start().await;
    let odd = async |shape| {
        caller
            .emulator
            .faults()
            .on("workspaceLogin")
            .then(Fault::token(shape));
        caller.workspace_token().await
    };
    let claims = |token: &str| verified(token, caller.emulator.public_key_pem()).unwrap();
    let now = 1_767_225_600_u64;

    let brief = odd(TokenShape::Lifetime(Duration::from_secs(1))).await;
    assert_eq!(claims(&brief)["exp"], now + 1);
    let long = odd(TokenShape::Lifetime(Duration::from_secs(315_360_000))).await;
    assert_eq!(claims(&long)["exp"], now + 315_360_000);
    let endless = odd(TokenShape::WithoutExpiry).await;
    assert_eq!(claims(&endless).get("exp"), None);
    let expired = odd(TokenShape::Expired).await;
    assert_eq!(claims(&expired)["exp"], now - 3600);
    assert_eq!(caller.get_status(CURRENT, &expired).await, 401);
    let reversed = odd(TokenShape::ExpirationBeforeCreation).await;
    assert!(claims(&reversed)["exp"].as_u64().unwrap() < claims(&reversed)["ctd"].as_u64().unwrap() / 1000);
    let unreadable = odd(TokenShape::Undecodable).await;
    assert!(verified(&unreadable, caller.emulator.public_key_pem()).is_err());
    assert_eq!(caller.get_status(CURRENT, &unreadable).await, 200);

    assert_eq!(
        claims(&caller.workspace_token().await)["exp"],
        now + 3600,
        "after the last step"
    );
    caller
        .emulator
        .clock()
        .advance(Duration::from_secs(3600 * 24 * 365));
    assert_eq!(caller.get_status(CURRENT, &endless).await, 200);
    assert_eq!(caller.get_status(CURRENT, &long).await, 200);
    assert_eq!(caller.get_status(CURRENT, &unreadable).await, 401);
}
