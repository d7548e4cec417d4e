//! Decides by their names which fields, headers and query parameters hold a secret or personal data.
//!
//! The vendored document marks its own secrets. A caller's requests go to endpoints that the document does not describe, so
//! the name is all there is. A false match costs a word in an error's text. A missed one shows a secret.

use crate::foreign_json;
use crate::operation::SECRET_FIELDS;

/// Any name that contains one of these is a secret's, whatever stands before or after it.
const SECRET_WORDS: [&str; 21] = [
    "accesskey",
    "apikey",
    "assertion",
    "authhash",
    "authkey",
    "authorization",
    "bearer",
    "codeverifier",
    "cookie",
    "credential",
    "jwt",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "pwd",
    "secret",
    "sessionid",
    "signature",
    "token",
];

/// Names that are common in responses for other things. They are secrets only at the end of a longer name, or in a request.
const SECRET_NAMES_IN_REQUESTS: [&str; 6] = ["code", "key", "pass", "session", "sid", "auth"];

/// A name that ends with one of these is a secret's. These words are short, so other words contain them (`pinned`,
/// `errorCode`).
const SECRET_ENDINGS: [&str; 14] = [
    "accesscode",
    "activationcode",
    "authcode",
    "confirmationcode",
    "cvc",
    "cvv",
    "mfacode",
    "otp",
    "otpcode",
    "pin",
    "pincode",
    "smscode",
    "verificationcode",
    "xauth",
];

/// Endings of names that only describe a secret, such as `token_type`.
const DESCRIPTIONS: [&str; 9] = [
    "count",
    "endpoint",
    "expires",
    "expiresin",
    "lifetime",
    "policy",
    "type",
    "uri",
    "url",
];

const PERSONAL_WORDS: [&str; 6] = ["email", "msisdn", "mobile", "phone", "username", "customid"];

const PERSONAL_NAMES: [&str; 9] = [
    "login",
    "userlogin",
    "mail",
    "firstname",
    "lastname",
    "surname",
    "fullname",
    "displayname",
    "birthdate",
];

/// Whether a field, a header or a query parameter of a request holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let plain = plain(name);
    SECRET_NAMES_IN_REQUESTS.contains(&plain.as_str()) || is_secret(&plain)
}

/// Whether a field of a response holds a secret. In a response, `code` is the code of an error.
pub(super) fn is_secret_in_response(name: &str) -> bool {
    is_secret(&plain(name))
}

/// Whether a field of a request holds personal data.
pub(super) fn is_personal_name(name: &str) -> bool {
    let plain = plain(name);
    PERSONAL_NAMES.contains(&plain.as_str()) || PERSONAL_WORDS.iter().any(|word| plain.contains(word))
}

fn is_secret(plain: &str) -> bool {
    if SECRET_FIELDS
        .iter()
        .any(|field| field.eq_ignore_ascii_case(plain))
    {
        return true;
    }
    let described = DESCRIPTIONS.iter().any(|ending| plain.ends_with(ending));
    !described
        && (SECRET_WORDS.iter().any(|word| plain.contains(word))
            || SECRET_ENDINGS.iter().any(|ending| plain.ends_with(ending)))
}

/// `X-Api-Key`, `x_api_key` and `xApiKey` are one name.
fn plain(name: &str) -> String {
    foreign_json::plain(name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        for name in [
            "Cookie",
            "set-cookie",
            "X-API-Key",
            "proxy-authorization",
            "client_secret",
            "access_token",
            "refreshToken",
            "PIN",
            "code",
            "apikey",
            "user[password]",
            "X-Auth-Token",
            "otp",
            "client_assertion",
            "code_verifier",
            "pinCode",
            "private_key",
            "session_id",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "token_type",
            "expires_in",
            "errorCode",
            "countryCode",
            "zipCode",
            "shopping",
            "limit",
            "keyword",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        assert!(!is_secret_in_response("code") && is_secret_in_response("refresh_token"));
        assert!(is_personal_name("userEmail") && is_personal_name("login") && !is_personal_name("uuid"));
    }
}
