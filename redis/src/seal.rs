//! Encryption of the tokens in Redis.
//!
//! A record is `generation:envelope`, and an envelope is the format's version, the key's id, a nonce, and what
//! XChaCha20-Poly1305 makes of the token and its times. The key is a sub-key of the user's for this one record. The cipher
//! also authenticates the version, the key's id, the record's name and its generation. So a record can't be given another
//! generation, or be moved to another session.

use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hkdf::Hkdf;
use sha2::Sha256;
use synerise_auth::store::StoredToken;
use synerise_auth::{ApiKey, Secret};
use zeroize::Zeroizing;

use crate::connection::Failure;

/// The version of the format that this crate writes. Scripts compare it too.
pub(crate) const VERSION: u8 = 1;
const NONCE: usize = 24;
const HEADER: usize = 2 + NONCE;

/// Generations above are exact neither in Lua nor, soon after, in a 64-bit float.
const LARGEST_GENERATION: u64 = 9_007_199_254_740_000;

/// The key that encrypts tokens in Redis. All processes that share tokens need the same.
///
/// It is never sent, stored or printed.
///
/// ```
/// use synerise_auth::ApiKey;
/// use synerise_auth_redis::EncryptionKey;
///
/// // Nothing else to distribute: who has the API key can get a token anyway.
/// let derived = EncryptionKey::derive(&ApiKey::new("11111111-2222-3333-4444-555555555555")?);
/// // Or 32 random bytes, from where you keep your secrets.
/// let own = EncryptionKey::new([7; 32]);
/// # Ok::<(), synerise_auth::Error>(())
/// ```
#[derive(Clone)]
pub struct EncryptionKey {
    key: Zeroizing<[u8; 32]>,
    /// Says which of several keys to try first. It is not a secret.
    id: u8,
}

impl EncryptionKey {
    /// Uses 32 random bytes as the key. They must be random: a password is not enough.
    pub fn new(key: [u8; 32]) -> Self {
        let key = Zeroizing::new(key);
        let id = sub_key(&*key, b"key id", "")[0];
        Self { key, id }
    }

    /// Derives the key from an API key with HKDF-SHA256, so that there is no other secret to distribute.
    ///
    /// Whoever has the API key can decrypt the tokens, and could get tokens without them. When you replace the API key,
    /// pass the key that is derived from the old one to
    /// [`older_key`](crate::RedisStoreBuilder::older_key) until no process uses it any more.
    pub fn derive(api_key: &ApiKey) -> Self {
        Self::new(*sub_key(api_key.expose().as_bytes(), b"from an API key", ""))
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EncryptionKey([redacted])")
    }
}

fn sub_key(key: &[u8], purpose: &[u8], record: &str) -> Zeroizing<[u8; 32]> {
    let mut derived = Zeroizing::new([0; 32]);
    let info = [b"synerise-auth-redis 1 ", purpose, b" ", record.as_bytes()];
    // It fails for outputs of more than 255 blocks, and this is one.
    let _ = Hkdf::<Sha256>::new(None, key).expand_multi_info(&info, &mut *derived);
    derived
}

/// The keys of a store: the first encrypts, and each decrypts.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) newest: EncryptionKey,
    pub(crate) older: Vec<EncryptionKey>,
}

/// Why a record counts as missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unreadable {
    NotARecord,
    NewerVersion,
    /// Another key's, moved here from another session, or changed.
    NotOurs,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotARecord => "it was not written by this crate",
            Self::NewerVersion => "it was written by a newer version of this crate",
            Self::NotOurs => "it was encrypted with another key, or changed since",
        })
    }
}

impl Keys {
    /// The record of a token, ready to be stored under `name`.
    pub(crate) fn seal(&self, name: &str, token: &StoredToken) -> Result<Vec<u8>, Failure> {
        let mut nonce = [0; NONCE];
        getrandom::fill(&mut nonce)
            .map_err(|_| Failure::because("the system has no random numbers for the encryption"))?;
        let key = &self.newest;
        let text = Zeroizing::new(
            [
                &millis(token.issued_at).to_be_bytes()[..],
                &millis(token.expires_at).to_be_bytes(),
                token.token.expose().as_bytes(),
            ]
            .concat(),
        );
        let sealed = key
            .cipher(name)
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &text,
                    aad: &associated(VERSION, key.id, name, token.generation),
                },
            )
            .map_err(|_| Failure::because("the token is too long to be encrypted"))?;
        let generation = format!("{}:", token.generation);
        Ok([generation.as_bytes(), &[VERSION, key.id], &nonce, &sealed].concat())
    }

    /// The token of a record that was stored under `name`.
    pub(crate) fn open(&self, name: &str, record: &[u8]) -> Result<StoredToken, Unreadable> {
        let (generation, envelope) = split(record).ok_or(Unreadable::NotARecord)?;
        let (header, sealed) = envelope.split_at_checked(HEADER).ok_or(Unreadable::NotARecord)?;
        let (&[version, id], nonce) = header.split_first_chunk().ok_or(Unreadable::NotARecord)?;
        let nonce: [u8; NONCE] = nonce.try_into().map_err(|_| Unreadable::NotARecord)?;
        match version {
            0 => return Err(Unreadable::NotARecord),
            VERSION => {}
            _ => return Err(Unreadable::NewerVersion),
        }
        let associated = associated(version, id, name, generation);
        let text = std::iter::once(&self.newest)
            .chain(&self.older)
            .filter(|key| key.id == id)
            .find_map(|key| {
                let payload = Payload {
                    msg: sealed,
                    aad: &associated,
                };
                key.cipher(name).decrypt(&XNonce::from(nonce), payload).ok()
            })
            .map(Zeroizing::new)
            .ok_or(Unreadable::NotOurs)?;
        let (issued_at, rest) = text.split_first_chunk().ok_or(Unreadable::NotOurs)?;
        let (expires_at, token) = rest.split_first_chunk().ok_or(Unreadable::NotOurs)?;
        let token = std::str::from_utf8(token).map_err(|_| Unreadable::NotOurs)?;
        let time = |millis: &[u8; 8]| {
            UNIX_EPOCH
                .checked_add(Duration::from_millis(u64::from_be_bytes(*millis)))
                .ok_or(Unreadable::NotOurs)
        };
        Ok(StoredToken::new(
            Secret::new(token),
            generation,
            time(issued_at)?,
            time(expires_at)?,
        ))
    }
}

impl EncryptionKey {
    fn cipher(&self, name: &str) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*sub_key(&*self.key, b"record", name)).into())
    }
}

fn associated(version: u8, id: u8, name: &str, generation: u64) -> Vec<u8> {
    [&[version, id][..], &generation.to_be_bytes(), name.as_bytes()].concat()
}

/// The generation of a record, as the scripts read it too, and its envelope.
pub(crate) fn split(record: &[u8]) -> Option<(u64, &[u8])> {
    let colon = record.iter().take(17).position(|byte| *byte == b':')?;
    let (digits, rest) = record.split_at_checked(colon)?;
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let generation = std::str::from_utf8(digits).ok().filter(|_| is_number)?;
    let generation = generation.parse().ok()?;
    (generation <= LARGEST_GENERATION).then_some((generation, rest.get(1..)?))
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &str = "synerise-auth:{1}:token";

    fn keys(newest: u8, older: &[u8]) -> Keys {
        let key = |byte| EncryptionKey::new([byte; 32]);
        Keys {
            newest: key(newest),
            older: older.iter().copied().map(key).collect(),
        }
    }

    fn token(generation: u64) -> StoredToken {
        let issued = UNIX_EPOCH + Duration::from_millis(1_767_225_600_123);
        StoredToken::new("canary", generation, issued, issued + Duration::from_secs(3600))
    }

    #[test]
    fn record_is_read_back_and_shows_no_token() {
        let record = keys(1, &[]).seal(NAME, &token(7)).unwrap();
        assert!(!record.windows(6).any(|window| window == b"canary"));
        assert_eq!(keys(1, &[]).open(NAME, &record).unwrap(), token(7));
        let again = keys(1, &[]).seal(NAME, &token(7)).unwrap();
        assert_ne!(record, again, "a nonce is used once");
    }

    #[test]
    fn keys_can_be_rotated_in_either_order() {
        let (old, new) = (keys(1, &[2]), keys(2, &[1]));
        for (writer, reader) in [(&old, &new), (&new, &old)] {
            let record = writer.seal(NAME, &token(7)).unwrap();
            assert_eq!(reader.open(NAME, &record).unwrap(), token(7));
        }
        let record = new.seal(NAME, &token(7)).unwrap();
        assert_eq!(keys(1, &[]).open(NAME, &record), Err(Unreadable::NotOurs));
    }

    #[test]
    fn record_is_bound_to_its_name_and_its_generation() {
        let keys = keys(1, &[]);
        let record = keys.seal(NAME, &token(7)).unwrap();
        assert_eq!(
            keys.open("synerise-auth:{2}:token", &record),
            Err(Unreadable::NotOurs)
        );
        let mut later = record.clone();
        later[0] = b'8';
        assert_eq!(keys.open(NAME, &later), Err(Unreadable::NotOurs));
    }

    #[test]
    fn no_changed_or_cut_record_is_read() {
        let keys = keys(1, &[]);
        let record = keys.seal(NAME, &token(7)).unwrap();
        for index in 0..record.len() {
            let mut changed = record.clone();
            changed[index] ^= 1;
            assert!(keys.open(NAME, &changed).is_err(), "byte {index}");
            assert!(keys.open(NAME, &record[..index]).is_err(), "cut at {index}");
        }
        for garbage in [
            &b""[..],
            b":",
            b"7",
            b"7:",
            b"x:abc",
            b"-7:abc",
            b"99999999999999999:abc",
            b"9999999999999999:\x01",
        ] {
            assert_eq!(
                keys.open(NAME, garbage),
                Err(Unreadable::NotARecord),
                "{garbage:?}"
            );
        }
    }

    #[test]
    fn record_of_another_version_says_so() {
        let keys = keys(1, &[]);
        let mut record = keys.seal(NAME, &token(7)).unwrap();
        record[2] = VERSION + 1;
        assert_eq!(keys.open(NAME, &record), Err(Unreadable::NewerVersion));
    }

    #[test]
    fn key_is_not_printed() {
        assert_eq!(format!("{:?}", keys(1, &[2]).newest), "EncryptionKey([redacted])");
    }
}
