//! Public keys: parsed from PEM, checked when they are parsed, and used only for RS512.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rsa::PublicKey;
use aws_lc_rs::signature::{ParsedPublicKey, RSA_PKCS1_2048_8192_SHA512, RsaParameters};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::error::{Error, Result};
use crate::observability::VERIFY;

use super::signed_token::SignedToken;

/// Much larger than a few keys. It limits how much a broken server makes us read.
const LONGEST: usize = 64 * 1024;

/// For each signature that does not fit, each key costs one more attempt.
const MOST_KEYS: usize = 8;

const REMEDY: &str = "use the PEM that Synerise publishes at /v4/public.pem";

/// The keys that signatures are checked with: usually one, and two during a rotation.
pub(super) struct KeySet(Vec<RsaKey>);

struct RsaKey {
    key: ParsedPublicKey,
    /// The published form, to tell whether it is the same key.
    der: Vec<u8>,
}

impl KeySet {
    /// Parses every key of a PEM text. An unusable key is an error, because it was meant to be used.
    pub(super) fn read(pem: &[u8]) -> Result<Self> {
        let (keys, unusable) = read_blocks(pem)?;
        match unusable.into_iter().next() {
            Some(error) => Err(error),
            None => Self::of(keys),
        }
    }

    /// Parses the usable keys of a PEM text that a server publishes. Keys of another kind are skipped.
    pub(super) fn read_usable(pem: &[u8]) -> Result<Self> {
        let (keys, mut unusable) = read_blocks(pem)?;
        if keys.is_empty() && !unusable.is_empty() {
            return Err(unusable.swap_remove(0));
        }
        for error in unusable {
            tracing::warn!(target: VERIFY, "one of the published keys is left out: {error}");
        }
        Self::of(keys)
    }

    fn of(keys: Vec<RsaKey>) -> Result<Self> {
        match keys.len() {
            0 => Err(invalid("there is no public key in PEM")),
            1..=MOST_KEYS => Ok(Self(keys)),
            _ => Err(invalid("there are more than eight keys")),
        }
    }

    /// Whether one of the keys made the token's signature.
    pub(super) fn fits(&self, token: &SignedToken<'_>) -> bool {
        self.0
            .iter()
            .any(|key| key.key.verify_sig(token.message, &token.signature).is_ok())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

impl PartialEq for KeySet {
    fn eq(&self, other: &Self) -> bool {
        let ders = |set: &Self| set.0.iter().map(|key| key.der.clone()).collect::<Vec<_>>();
        ders(self) == ders(other)
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.len())
            .finish_non_exhaustive()
    }
}

/// The keys of a PEM text, and why others are unusable.
fn read_blocks(pem: &[u8]) -> Result<(Vec<RsaKey>, Vec<Error>)> {
    if pem.len() > LONGEST {
        return Err(invalid("the PEM is longer than 64 KiB"));
    }
    let text = str::from_utf8(pem).map_err(|_| invalid("the PEM is not text in UTF-8"))?;
    let (mut keys, mut unusable) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some((_, block)) = rest.split_once("-----BEGIN ") {
        let cut_short = || invalid("the PEM is cut short");
        let (label, block) = block.split_once("-----").ok_or_else(cut_short)?;
        let (body, after) = block
            .split_once(&format!("-----END {label}-----"))
            .ok_or_else(cut_short)?;
        match read_key(label, body) {
            Ok(key) => keys.push(key),
            Err(error) => unusable.push(error),
        }
        rest = after;
    }
    Ok((keys, unusable))
}

fn read_key(label: &str, body: &str) -> Result<RsaKey> {
    if label.ends_with("PRIVATE KEY") {
        return Err(Error::invalid_key(
            "it is a private key",
            "keep private keys away from here: give the public key, and replace the private one if it was shared",
        ));
    }
    // Both contain nothing but an RSA key, in X.509 or in PKCS #1. The label is not trusted to say which.
    if !["PUBLIC KEY", "RSA PUBLIC KEY"].contains(&label) {
        return Err(invalid("the PEM holds something else, such as a certificate"));
    }
    let body: String = body.split_ascii_whitespace().collect();
    let der = STANDARD
        .decode(body)
        .map_err(|_| invalid("the PEM is not base64"))?;
    let rsa = PublicKey::from_der(&der).map_err(|_| invalid("it is not an RSA key"))?;
    let (pkcs1, x509): (&[u8], PublicKeyX509Der<'_>) = (
        rsa.as_ref(),
        rsa.as_der().map_err(|_| invalid("it is not an RSA key"))?,
    );
    // An RSA-PSS key parses as well, but must not be used for another scheme. A key with trailing bytes must not be used
    // either.
    if der != x509.as_ref() && der != pkcs1 {
        return Err(invalid("it is not an RSA key for any scheme in DER"));
    }
    let bits = RsaParameters::public_modulus_len(pkcs1).map_err(|_| invalid("it is not an RSA key"))?;
    match bits {
        ..2048 => {
            return Err(invalid(format!(
                "it has {bits} bits, and fewer than 2048 are not safe"
            )));
        }
        2048..=8192 => {}
        _ => {
            return Err(invalid(format!(
                "it has {bits} bits, and more than 8192 are not supported"
            )));
        }
    }
    let key = ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA512, pkcs1)
        .map_err(|_| invalid("it is not an RSA key"))?;
    let der = pkcs1.to_vec();
    Ok(RsaKey { key, der })
}

fn invalid(problem: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid_key(problem, REMEDY)
}
