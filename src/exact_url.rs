//! URLs exactly as they were written. The URL parser repairs its input (`..`, backslashes, tabs, letters outside ASCII), so
//! the request would differ from what the caller wrote. Such a text is refused here.

use url::{Host, Position, Url};

/// The reason why a text is not used as a URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Inexact {
    NotAbsolute,
    NoHost,
    UserInfo,
    /// The parser would change the host or the port.
    Host,
    /// The parser would change the path, the query or the fragment.
    Path,
}

/// Parses an absolute URL that is written the way it is sent. Only differences without a meaning are accepted: the letter
/// case of scheme and host, a default port, a missing `/` after the host, and another notation of the same IP address.
pub(crate) fn parse(text: &str) -> Result<Url, Inexact> {
    let url = Url::parse(text).map_err(|_| Inexact::NotAbsolute)?;
    let (scheme, rest) = text.split_once("://").ok_or(Inexact::NotAbsolute)?;
    if !scheme.eq_ignore_ascii_case(url.scheme()) {
        return Err(Inexact::NotAbsolute);
    }
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') || !url.username().is_empty() || url.password().is_some() {
        return Err(Inexact::UserInfo);
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(Inexact::NoHost);
    }
    if !is_same_authority(authority, &url) {
        return Err(Inexact::Host);
    }
    let sent = &url[Position::BeforePath..];
    if tail != sent && (tail.starts_with('/') || Some(tail) != sent.strip_prefix('/')) {
        return Err(Inexact::Path);
    }
    Ok(url)
}

fn is_same_authority(text: &str, url: &Url) -> bool {
    // The colons inside an IPv6 address are before its bracket.
    let colon = text.rfind(':').filter(|colon| !text[*colon..].contains(']'));
    let (host, port) = match colon {
        Some(colon) => (&text[..colon], Some(&text[colon + 1..])),
        None => (text, None),
    };
    let same_host = match url.host() {
        Some(Host::Domain(name)) => host.eq_ignore_ascii_case(name),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => host
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit() || b"xX.:[]".contains(&byte)),
        None => false,
    };
    let same_port = match port {
        None => url.port().is_none(),
        Some(port) => port.parse().ok() == url.port_or_known_default(),
    };
    same_host && same_port
}

/// Encodes a text as a part of a path or of a query's value: everything but letters, digits and `-._~` is percent-encoded.
pub(crate) fn encoded(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String can't fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Whether every `%` begins an escape with two hexadecimal digits.
pub(crate) fn has_valid_escapes(text: &str) -> bool {
    text.split('%').skip(1).all(|rest| {
        rest.as_bytes()
            .get(..2)
            .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn url_is_taken_only_as_it_is_sent() {
        for exact in [
            "https://a.example",
            "https://a.example/",
            "HTTPS://A.Example:443/x?y=caf%E9&z#f",
            "https://a.example?x=1",
            "http://127.1:80/",
            "http://[::ffff:127.0.0.1]:8080/x",
            "http://0x7f000001",
        ] {
            assert!(parse(exact).is_ok(), "{exact}");
        }
        for (text, problem) in [
            ("", Inexact::NotAbsolute),
            ("a.example", Inexact::NotAbsolute),
            ("https:a.example", Inexact::NotAbsolute),
            (" https://a.example", Inexact::NotAbsolute),
            ("https:\\\\a.example", Inexact::NotAbsolute),
            ("https://u@a.example", Inexact::UserInfo),
            ("https://@a.example", Inexact::UserInfo),
            ("https://\u{e4}.example", Inexact::Host),
            ("https://a\u{ad}.example", Inexact::Host),
            ("https://a%2eexample", Inexact::Host),
            ("https://a.example:", Inexact::Host),
            ("https://a.example\\x", Inexact::Host),
            ("https://\u{ff11}27.0.0.1", Inexact::Host),
            ("https://a.example/x/../y", Inexact::Path),
            ("https://a.example/x/%2E%2e/y", Inexact::Path),
            ("https://a.example/x\\y", Inexact::Path),
            ("https://a.example/x\ty", Inexact::Path),
            ("https://a.example/\u{e4}", Inexact::Path),
            ("https://a.example/x?q=a b", Inexact::Path),
            ("https://a.example/x ", Inexact::Path),
        ] {
            assert_eq!(parse(text), Err(problem), "{text:?}");
        }
    }

    #[test]
    fn encoded_text_is_one_part_of_a_path() {
        assert_eq!(encoded("a/b?c#d%\u{e4} ~."), "a%2Fb%3Fc%23d%25%C3%A4%20~.");
        assert!(has_valid_escapes("/a%2Fb") && !has_valid_escapes("/100%") && !has_valid_escapes("/%2x"));
    }
}
