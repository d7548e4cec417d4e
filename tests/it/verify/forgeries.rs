//! Every token of `tests/data/verify/tokens.json` is accepted, or refused for the right reason.
//!
//! The rows follow RFC 8725 and its revision (draft-ietf-oauth-rfc8725bis, work in progress).

use std::collections::BTreeSet;

use synerise_auth::error::TokenProblem::{
    self, Audience, Expired, Issuer, Malformed, NotYetValid, Realm, Signature, Unsupported,
};

use super::{PEM, problem, token, tokens, verifier};

#[rustfmt::skip]
const VERDICTS: &[(Option<TokenProblem>, &[&str])] = &[
    (None, &[
        "valid", "valid for half a century", "anonymous", "the least", "typ JWT", "typ application/at+jwt",
        "audience in a list", "claims that are null", "ids as text", "custom id as a number", "unknown claims",
        "exp as text", "exp with a fraction", "exp as text with a fraction", "expires in ten seconds", "ctd with a fraction",
        "no rlm",
        // What the header says of keys is not looked at.
        "key named by kid", "kid with sql", "key brought along", "key by url", "certificate brought along", "b64 true",
        "deeply nested unknown claim",
        // Unpacked only when somebody asks.
        "authorities not packed", "authorities bomb", "authorities cut short", "authorities of another type",
        "authorities not UTF-8", "authorities at the limit", "authorities beyond the limit",
    ]),
    (Some(Unsupported), &[
        "none", "None", "NONE", "noNE", "empty alg", "none with the signature", "no alg", "alg is null", "alg is a list",
        "alg in lower case", "alg with a space", "HS512 by the PEM", "HS512 by the PEM without line end", "HS512 by the DER",
        "RS256", "RS384", "PS512", "RS256's name", "PS512's name", "ES512's name",
        "five parts", "five parts around a signed one", "payload packed",
        "crit", "crit with b64", "crit is null", "b64 false", "b64 false and crit", "zip", "enc",
        "typ of a refresh token", "typ not a text",
    ]),
    (Some(Signature), &[
        "HS512 by the PEM that says RS512", "PS512 that says RS512", "SHA-256 that says RS512", "another key", "changed header",
        "changed payload", "one bit of the payload", "one bit of the signature", "no signature", "signature one byte short",
        "signature with a zero in front", "signature of zeros", "signature of ones",
    ]),
    (Some(Malformed), &[
        "padded", "bits to spare", "standard alphabet", "space inside", "line end inside", "one part", "two parts",
        "four parts", "empty", "dots", "JSON serialization", "header not JSON", "header a list", "payload not JSON",
        "payload a list", "payload with more behind", "payload not UTF-8", "unknown claim not UTF-8",
        "alg twice", "alg twice, none first", "exp twice", "exp twice, expired first", "exp twice, once escaped", "rlm twice",
        "unknown claim twice",
        "no exp", "exp is null", "exp is a word", "exp is empty", "exp with a sign", "exp as text with an exponent", "exp is true",
        "exp in a list", "exp in an object", "exp is negative", "exp is 1e300", "exp in milliseconds", "exp beyond 64 bits",
        "ctd in seconds", "ctd in microseconds", "ctd is a word", "ctd is true", "ctd in a list", "iat is a word",
        "nbf is an object",
        "no iss", "iss is null", "iss in a list", "iss is a number", "iss is an object",
        "no aud", "aud is null", "aud in a list with a number", "aud is a number", "aud is an object",
        "rlm in a list", "sub is an object", "bpi is true", "bpi with a fraction", "clId is a word", "eml in a list",
        "apk in an object", "auth in a list",
        // The word that hides its `sub` cuts a name in two.
        "sample of the documentation",
    ]),
    (Some(Expired), &["expired", "expires now", "exp is zero"]),
    (Some(NotYetValid), &[
        "created in the future", "created in ten seconds", "iat in the future", "nbf in the future",
    ]),
    (Some(Issuer), &["iss is empty", "iss is another", "iss with more behind"]),
    (Some(Audience), &["aud is empty", "aud is another", "aud in an empty list", "aud in a list of others"]),
];

#[test]
fn every_token_is_judged_as_it_must_be() {
    let verifier = verifier();
    let mut left = tokens();
    let mut wrong = Vec::new();
    for (expected, names) in VERDICTS {
        for name in *names {
            let token = left
                .remove(*name)
                .unwrap_or_else(|| panic!("{name:?} is missing, or listed twice"));
            let found = problem(verifier.verify_now(&token));
            if found != *expected {
                wrong.push(format!("{name}: {found:?}, not {expected:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
    let unjudged: BTreeSet<_> = left.into_keys().collect();
    assert!(unjudged.is_empty(), "{unjudged:?}");
}

#[test]
fn the_error_says_what_is_wrong_and_quotes_nothing() {
    let verifier = verifier();
    for token in tokens().into_values() {
        let Err(error) = verifier.verify_now(&token) else {
            continue;
        };
        let text = format!("{error} {error:?}");
        assert!(
            text.starts_with("the token is not valid: ") && !text.contains('\n'),
            "{text}"
        );
        assert!(
            !error.is_retryable() && text.contains("refuse the caller"),
            "{text}"
        );
        for part in ["not-a-real", "jan@", "0123456789abcdef", "eyJ"] {
            assert!(!text.contains(part), "{text}");
        }
    }
}

#[test]
fn a_token_of_a_megabyte_is_refused_by_its_length() {
    let valid = token("valid");
    let (message, signature) = valid.rsplit_once('.').unwrap();
    let (header, payload) = message.split_once('.').unwrap();
    let megabyte = "A".repeat(1 << 20);
    for long in [
        format!("{header}{megabyte}.{payload}.{signature}"),
        format!("{header}.{payload}{megabyte}.{signature}"),
        format!("{header}.{payload}.{signature}{megabyte}"),
        megabyte.clone(),
        ".".repeat(1 << 20),
    ] {
        let error = verifier().verify_now(&long).unwrap_err();
        assert!(error.to_string().contains("longer than 64 KiB"), "{error}");
    }
}

#[test]
fn an_authorization_header_is_read_as_it_comes() {
    let verifier = verifier();
    let valid = token("valid");
    for accepted in [
        valid.clone(),
        format!("Bearer {valid}"),
        format!("bearer {valid}"),
        format!("BEARER   {valid}"),
        format!(" Bearer {valid}\r\n"),
    ] {
        assert_eq!(problem(verifier.verify_now(&accepted)), None, "{accepted:?}");
    }
    for refused in [
        format!("Bearer{valid}"),
        format!("Basic {valid}"),
        format!("Bearer Bearer {valid}"),
        format!("Bearer: {valid}"),
        format!("Bearer {valid}, Bearer {valid}"),
        "Bearer".into(),
        "Bearer ".into(),
        "B\u{e9}arer x".into(),
    ] {
        let problem = problem(verifier.verify_now(&refused));
        assert!(problem.is_some(), "{refused:?}");
    }
    let header = http::HeaderValue::try_from(format!("Bearer {valid}")).unwrap();
    assert_eq!(problem(verifier.verify_now(header)), None);
}

#[test]
fn any_cut_of_a_token_and_any_bytes_are_refused_without_a_panic() {
    let verifier = verifier();
    let valid = token("valid");
    for length in 0..valid.len() {
        assert!(problem(verifier.verify_now(&valid[..length])).is_some());
    }
    for byte in 0..=u8::MAX {
        for count in [1, 2, 3, 4, 7, 300] {
            assert!(problem(verifier.verify_now(vec![byte; count])).is_some());
            let mut token = vec![byte; count];
            token.push(b'.');
            token.extend(valid.as_bytes());
            assert!(problem(verifier.verify_now(token)).is_some());
        }
    }
    assert!(problem(verifier.verify_now(PEM)).is_some());
}

#[test]
fn any_other_byte_anywhere_makes_it_another_token() {
    let verifier = verifier();
    let valid = token("valid").into_bytes();
    for position in 0..valid.len() {
        for byte in [
            b'A',
            b'w',
            b'_',
            b'.',
            b' ',
            valid[position] ^ 1,
            valid[position] ^ 0x80,
        ] {
            let mut changed = valid.clone();
            changed[position] = byte;
            if changed == valid {
                continue;
            }
            assert!(problem(verifier.verify_now(changed)).is_some(), "byte {position}");
        }
    }
}

#[test]
fn the_audience_is_the_one_that_was_set() {
    let others = verifier().with_audience("WEB");
    assert_eq!(problem(others.verify_now(token("valid"))), Some(Audience));
    assert_eq!(problem(others.verify_now(token("aud in a list of others"))), None);

    let any = verifier().with_any_audience();
    for accepted in ["valid", "no aud", "aud is another", "aud is a number"] {
        assert_eq!(problem(any.verify_now(token(accepted))), None, "{accepted}");
    }
    assert_eq!(problem(any.verify_now(token("another key"))), Some(Signature));
}

#[test]
fn only_the_realms_that_were_named_are_let_in() {
    let customers = verifier().with_realms(["client"]);
    assert_eq!(problem(customers.verify_now(token("valid"))), None);
    assert_eq!(problem(customers.verify_now(token("anonymous"))), Some(Realm));
    assert_eq!(problem(customers.verify_now(token("no rlm"))), Some(Malformed));
    let both = verifier().with_realms(["client", "anonymous_client"]);
    assert_eq!(problem(both.verify_now(token("anonymous"))), None);
    let nobody = verifier().with_realms([""; 0]);
    assert_eq!(problem(nobody.verify_now(token("valid"))), Some(Realm));
}
