//! The signing keys, signatures, and the encoding of claims.

use std::io::Write as _;

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use aws_lc_rs::signature::{RSA_PKCS1_SHA512, RsaKeyPair};
use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use serde_json::Value;

const KEYS: [(&[u8], &str); 2] = [
    (
        include_bytes!("../keys/test-only-1.der"),
        include_str!("../keys/test-only-1.public.pem"),
    ),
    (
        include_bytes!("../keys/test-only-2.der"),
        include_str!("../keys/test-only-2.public.pem"),
    ),
];

/// The current signing key. Rotation alternates between two published test keys.
#[derive(Debug)]
pub(crate) struct SigningKeys {
    pair: RsaKeyPair,
    generation: u64,
}

impl SigningKeys {
    pub(crate) fn embedded() -> Self {
        Self {
            pair: load(0),
            generation: 0,
        }
    }

    /// How many times the key was rotated.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    pub(crate) fn rotate(&mut self) {
        self.generation += 1;
        self.pair = load(self.generation);
    }

    pub(crate) fn public_pem(&self) -> &'static str {
        KEYS[index(self.generation)].1
    }

    /// A JWT with the header of the published sample, which has neither `kid` nor `typ`.
    pub(crate) fn sign(&self, claims: &Value) -> String {
        let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RS512"}"#);
        let payload = BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
        let message = format!("{header}.{payload}");
        let mut signature = vec![0; self.pair.public_modulus_len()];
        #[expect(
            clippy::expect_used,
            reason = "the buffer is as long as the modulus, and the key was checked on load"
        )]
        self.pair
            .sign(
                &RSA_PKCS1_SHA512,
                &SystemRandom::new(),
                message.as_bytes(),
                &mut signature,
            )
            .expect("an RSA key signs");
        format!("{message}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}

fn index(generation: u64) -> usize {
    usize::from(generation % 2 == 1)
}

#[expect(
    clippy::expect_used,
    reason = "the keys are compiled in, and every test loads both"
)]
fn load(generation: u64) -> RsaKeyPair {
    RsaKeyPair::from_pkcs8(KEYS[index(generation)].0).expect("the embedded key is a PKCS #8 RSA key")
}

/// Random text in the form of an encrypted token (JWE compact serialization).
pub(crate) fn fake_encrypted_token() -> String {
    let header = BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM"}"#);
    let part = |length: usize| {
        let mut bytes = vec![0; length];
        // If this fails, the token is all zeros, and still unreadable.
        let _ = SystemRandom::new().fill(&mut bytes);
        BASE64_URL_SAFE_NO_PAD.encode(bytes)
    };
    format!("{header}.{}.{}.{}.{}", part(512), part(12), part(300), part(16))
}

/// The `auth` claim: base64 of gzip of a JSON array.
pub(crate) fn encode_authorities(authorities: &[String]) -> String {
    let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    #[expect(clippy::expect_used, reason = "writing to memory does not fail")]
    let bytes = packer
        .write_all(Value::from(authorities.to_vec()).to_string().as_bytes())
        .and_then(|()| packer.finish())
        .expect("writing to memory succeeds");
    BASE64_STANDARD.encode(bytes)
}
