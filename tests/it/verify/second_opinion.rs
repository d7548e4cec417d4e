//! `jsonwebtoken` looks at the same tokens: whatever it refuses, we refuse; where it is more lenient is listed here.

use std::collections::BTreeSet;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};

use super::{PEM, tokens, verifier};

/// What it accepts and we don't. All of them are signed with the right key: it is what they say that we refuse.
#[rustfmt::skip]
const LENIENT: &[&str] = &[
    "crit", "crit is null", "crit with b64", "b64 false", "b64 false and crit", "zip", "enc", "typ of a refresh token",
    "rlm twice", "unknown claim twice",
    "iss in a list",
    // It knows no latest time.
    "exp in milliseconds",
    // It does not know `ctd`, and never looks at `iat`.
    "created in the future", "created in ten seconds", "ctd in seconds", "ctd in microseconds", "ctd is a word",
    "ctd is true", "ctd in a list", "iat in the future", "iat is a word",
    // These are checked by whoever reads the claims.
    "rlm in a list", "bpi is true", "bpi with a fraction", "clId is a word", "eml in a list", "apk in an object", "auth in a list",
];

/// What it refuses and we don't.
const STRICTER: &[&str] = &[
    "exp as text",
    "exp as text with a fraction",
    "deeply nested unknown claim",
];

#[test]
fn whatever_jsonwebtoken_refuses_is_refused() {
    let key = DecodingKey::from_rsa_pem(PEM.as_bytes()).unwrap();
    let mut validation = Validation::new(Algorithm::RS512);
    validation.set_issuer(&["Synerise"]);
    validation.set_audience(&["API"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    // It has no clock to inject: that a token has expired is judged by its times as written.
    validation.validate_exp = false;
    let ours = verifier();
    let (mut lenient, mut stricter) = (BTreeSet::new(), BTreeSet::new());
    for (name, token) in tokens() {
        if ["expired", "expires now", "exp is zero", "nbf in the future"].contains(&name.as_str()) {
            continue;
        }
        let theirs = decode::<serde_json::Value>(&token, &key, &validation).is_ok();
        match (ours.verify_now(&token).is_ok(), theirs) {
            (true, false) => stricter.insert(name),
            (false, true) => lenient.insert(name),
            (true, true) | (false, false) => true,
        };
    }
    let listed = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    assert_eq!(stricter, listed(STRICTER), "it refuses, and we accept");
    assert_eq!(lenient, listed(LENIENT), "it accepts, and we refuse");
}
