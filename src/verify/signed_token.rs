//! A received signed token: its parts, and its header.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::error::{Error, Result, TokenProblem};

use super::json::members;

/// More than any request header may hold. Longer input is not decoded.
const LONGEST: usize = 64 * 1024;

const SCHEME: &[u8] = b"Bearer";

/// The parts of a token in JWS compact serialization. Nothing is verified yet.
pub(super) struct SignedToken<'a> {
    /// The signed text: the header and the payload as they were sent.
    pub(super) message: &'a [u8],
    pub(super) signature: Vec<u8>,
    pub(super) payload: Zeroizing<Vec<u8>>,
}

impl<'a> SignedToken<'a> {
    /// Splits a token into its parts, with or without `Bearer` in front.
    pub(super) fn read(bearer: &'a [u8]) -> Result<Self> {
        let token = without_scheme(bearer);
        if token.len() > LONGEST {
            return Err(malformed("it is longer than 64 KiB"));
        }
        let mut parts = token.split(|byte| *byte == b'.');
        let (Some(header), Some(payload), Some(signature)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("it does not have three parts"));
        };
        match parts.count() {
            0 => {}
            2 => {
                return Err(unsupported(
                    "it is encrypted, or has the five parts of an encrypted token",
                ));
            }
            _ => return Err(malformed("it does not have three parts")),
        }
        check_header(&decode(header, "its header is not base64url")?)?;
        Ok(Self {
            message: &token[..header.len() + 1 + payload.len()],
            payload: Zeroizing::new(decode(payload, "its payload is not base64url")?),
            signature: decode(signature, "its signature is not base64url")?,
        })
    }
}

/// The token in the value of an `Authorization` header. A value without a scheme is already a token.
fn without_scheme(bearer: &[u8]) -> &[u8] {
    let bearer = bearer.trim_ascii();
    match bearer.split_at_checked(SCHEME.len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case(SCHEME) && token.starts_with(b" ") => {
            token.trim_ascii_start()
        }
        _ => bearer,
    }
}

/// Strict: no padding, no other alphabet, no spare bits. Each token has only one text.
fn decode(part: &[u8], problem: &'static str) -> Result<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| malformed(problem))
}

/// The header decides nothing: it must state what is done anyway. A key that it names or includes is ignored.
fn check_header(header: &[u8]) -> Result<()> {
    let Some([algorithm, kind, critical, encoded, compression, encryption]) =
        members(header, ["alg", "typ", "crit", "b64", "zip", "enc"])
    else {
        return Err(malformed("its header is not a JSON object with unique names"));
    };
    if algorithm != Some(Value::from("RS512")) {
        return Err(unsupported("its algorithm is not RS512"));
    }
    if critical.is_some() {
        return Err(unsupported(
            "its header has extensions that must be understood (`crit`)",
        ));
    }
    if encoded.is_some_and(|encoded| encoded != Value::Bool(true)) {
        return Err(unsupported("its payload is not base64url (`b64`)"));
    }
    if compression.is_some() || encryption.is_some() {
        return Err(unsupported("its header is that of an encrypted token"));
    }
    if kind.is_some_and(|kind| !kind.as_str().is_some_and(is_access_token)) {
        return Err(unsupported("it is another type of token (`typ`)"));
    }
    Ok(())
}

/// The allowed values of `typ`, by RFC 7519 and RFC 9068. Synerise writes none.
fn is_access_token(kind: &str) -> bool {
    const PREFIX: &str = "application/";
    let kind = match kind.split_at_checked(PREFIX.len()) {
        Some((prefix, kind)) if prefix.eq_ignore_ascii_case(PREFIX) => kind,
        _ => kind,
    };
    ["JWT", "at+jwt"]
        .iter()
        .any(|known| kind.eq_ignore_ascii_case(known))
}

pub(super) fn malformed(reason: impl Into<std::borrow::Cow<'static, str>>) -> Error {
    Error::invalid_token(TokenProblem::Malformed, reason)
}

fn unsupported(reason: &'static str) -> Error {
    Error::invalid_token(TokenProblem::Unsupported, reason)
}
