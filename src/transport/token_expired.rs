//! Tells a token that has expired from one that is refused for good.

use serde_json::Value;

use crate::foreign_json;

/// The longest body that is looked at, in bytes. The one that says it is much shorter.
const LONGEST: usize = 16 * 1024;

/// Whether the body of a 401 says that the token has expired: `"error": "Token expired."`, as Synerise's own clients look
/// for it.
pub(super) fn says_token_expired(body: &[u8]) -> bool {
    if body.len() > LONGEST {
        return false;
    }
    let Some(Value::Object(fields)) = foreign_json::parse(body) else {
        return false;
    };
    let said = |text: &str| {
        text.trim()
            .trim_end_matches('.')
            .eq_ignore_ascii_case("token expired")
    };
    fields
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("error"))
        .any(|(_, value)| value.as_str().is_some_and(said))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_recognized_as_other_software_writes_it() {
        for body in [
            r#"{"status":401,"error":"Token expired."}"#,
            r#"{"error":"token expired"}"#,
            r#"{"Error":" TOKEN EXPIRED. "}"#,
            "\u{feff}{\"error\":\"Token expired.\"}",
        ] {
            assert!(says_token_expired(body.as_bytes()), "{body}");
        }
        for body in [
            r#"{"error":"Unauthorized","message":"The token is not valid"}"#,
            r#"{"error":"Token expired by policy"}"#,
            r#"{"error":{"text":"Token expired."}}"#,
            r#"["Token expired."]"#,
            "Token expired.",
            "",
        ] {
            assert!(!says_token_expired(body.as_bytes()), "{body}");
        }
    }
}
