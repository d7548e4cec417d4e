//! Which keys are taken, and how their text may look.

use synerise_auth::ErrorKind;
use synerise_auth::clock::ManualClock;
use synerise_auth::error::TokenProblem::Signature;
use synerise_auth::verify::Verifier;

use super::{OTHER_PEM, PEM, problem, token};
use crate::support::START;

macro_rules! key {
    ($name:literal) => {
        include_str!(concat!("../../data/verify/keys/", $name, ".pem"))
    };
}

#[track_caller]
fn assert_taken(pem: &str) {
    let verifier = Verifier::from_pem(pem).unwrap();
    let verifier = verifier.with_clock(ManualClock::at(std::time::UNIX_EPOCH + START));
    assert_eq!(problem(verifier.verify_now(token("valid"))), None, "{pem}");
    assert_eq!(
        problem(verifier.verify_now(token("one bit of the signature"))),
        Some(Signature)
    );
}

#[test]
fn a_key_is_read_in_every_form_that_pem_has() {
    for pem in [
        PEM.to_owned(),
        key!("pkcs1").to_owned(),
        PEM.replace('\n', "\r\n"),
        PEM.replace('\n', "\r"),
        format!("\u{feff}{PEM}"),
        PEM.replace('\n', ""),
        PEM.trim_end().to_owned(),
        format!("Public-Key: (4096 bit)\nsubject=nobody\n\n{PEM}\nlast rotated: never\n"),
        format!("{OTHER_PEM}{PEM}"),
        format!("{PEM}\n\n{OTHER_PEM}"),
        format!("{PEM}{PEM}{PEM}"),
    ] {
        assert_taken(&pem);
    }
}

#[test]
fn every_key_of_a_text_is_used() {
    let both = Verifier::from_pem(format!("{OTHER_PEM}{PEM}")).unwrap();
    let both = both.with_clock(ManualClock::at(std::time::UNIX_EPOCH + START));
    for name in ["valid", "another key"] {
        assert_eq!(problem(both.verify_now(token(name))), None, "{name}");
    }
    let other = Verifier::from_pem(OTHER_PEM)
        .unwrap()
        .with_clock(ManualClock::at(std::time::UNIX_EPOCH + START));
    assert_eq!(problem(other.verify_now(token("valid"))), Some(Signature));
    assert_eq!(problem(other.verify_now(token("another key"))), None);
}

#[test]
fn a_key_of_2048_bits_is_long_enough() {
    let verifier = Verifier::from_pem(key!("rsa-2048")).unwrap();
    let verifier = verifier.with_clock(ManualClock::at(std::time::UNIX_EPOCH + START));
    let token = include_str!("../../data/verify/rsa-2048.token");
    assert_eq!(problem(verifier.verify_now(token)), None);
}

#[test]
fn a_key_that_cannot_be_used_is_an_error_of_its_own() {
    let not_base64 = PEM.replace('M', "!");
    let half = &PEM[..PEM.len() / 2];
    let beside = format!("{PEM}{}", key!("ec"));
    let many = PEM.repeat(9);
    let long = format!("{PEM}{}", " ".repeat(1 << 20));
    let private = "-----BEGIN PRIVATE KEY-----\nbm90IGEga2V5\n-----END PRIVATE KEY-----\n";
    let inside = PEM.replacen('\n', "\nProc-Type: 4,ENCRYPTED\n", 1);
    for (pem, reason) in [
        (key!("rsa-1024"), "1024 bits"),
        (key!("rsa-2047"), "2047 bits"),
        (key!("rsa-pss"), "not an RSA key for any scheme"),
        (key!("trailing-byte"), "not an RSA key"),
        (key!("ec"), "not an RSA key"),
        (key!("ed25519"), "not an RSA key"),
        (key!("certificate"), "such as a certificate"),
        (private, "a private key"),
        (&beside, "not an RSA key"),
        (&inside, "not base64"),
        (&not_base64, "not base64"),
        (half, "cut short"),
        ("-----BEGIN PUBLIC KEY", "cut short"),
        (
            "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
            "not an RSA key",
        ),
        ("", "no public key in PEM"),
        ("<html>Sign in</html>", "no public key in PEM"),
        (&many, "more than eight"),
        (&long, "longer than 64 KiB"),
    ] {
        let error = Verifier::from_pem(pem).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey, "{error}");
        let text = error.to_string();
        assert!(
            text.starts_with("the public key can't be used: ") && text.contains(reason),
            "{text}"
        );
        assert!(!error.is_retryable() && !text.contains('\n'), "{text}");
    }
    let error = Verifier::from_pem(b"\xff\xfe").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidKey);
}

#[test]
fn any_cut_of_a_key_is_refused_without_a_panic() {
    for length in 0..PEM.trim_end().len() {
        let error = Verifier::from_pem(&PEM[..length]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidKey);
    }
}
