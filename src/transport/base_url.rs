//! A base URL that is safe for requests with credentials, and the URLs of paths below it.

use url::{Host, Url};

use crate::error::{Error, Result};
use crate::exact_url::{self, Inexact};

/// A base URL that is safe for requests with credentials.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl {
    url: Url,
    text: String,
}

impl BaseUrl {
    /// Checks a base URL: HTTPS, or HTTP to this machine, without credentials, query and fragment.
    pub(crate) fn parse(text: &str, plaintext_allowed: bool) -> Result<Self> {
        const EXAMPLE: &str = "write it like https://api.synerise.com";
        let refuse = |problem: &'static str, remedy: &'static str| {
            Err(Error::invalid_input("base URL", problem, remedy))
        };
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return refuse("contains white space or a control character", "leave it out");
        }
        let url = match exact_url::parse(text) {
            Ok(url) => url,
            Err(Inexact::NotAbsolute) => return refuse("is not an absolute URL", EXAMPLE),
            Err(Inexact::NoHost) => return refuse("has no host", EXAMPLE),
            Err(Inexact::UserInfo) => {
                return refuse(
                    "contains a user name or password",
                    "leave it out: the API key authenticates",
                );
            }
            Err(Inexact::Host) => {
                return refuse(
                    "has a host or port that the URL parser would change",
                    "write the host in ASCII (a name with other letters in its `xn--` form) and the port as a number",
                );
            }
            Err(Inexact::Path) => {
                return refuse(
                    "has a path that the URL parser would change",
                    "leave out `.` and `..`, and percent-encode everything that is not ASCII",
                );
            }
        };
        let Some(host) = url.host() else {
            return refuse("has no host", EXAMPLE);
        };
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("contains a query or a fragment", "give the address only");
        }
        if url.path().contains("//") {
            return refuse("contains an empty path segment (`//`)", "leave it out");
        }
        if !exact_url::has_valid_escapes(text) {
            return refuse(
                "contains a `%` without two hexadecimal digits after it",
                "write `%25` for the character itself",
            );
        }
        if url.port() == Some(0) {
            return refuse(
                "has the port 0, which nothing can be reached at",
                "give the server's port",
            );
        }
        match url.scheme() {
            "https" => {}
            "http" if plaintext_allowed || is_loopback(&host) => {}
            "http" if is_unspecified(&host) => {
                return refuse(
                    "is the address that servers listen on, not one to call",
                    "use http://127.0.0.1 to call a server on this machine",
                );
            }
            "http" => {
                return refuse(
                    "is plain HTTP to another machine, where everybody on the way can read the key",
                    "use https://, or ClientBuilder::allow_plain_http_to_any_host in a closed network",
                );
            }
            _ => return refuse("is neither https nor http", EXAMPLE),
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    /// The URL itself.
    pub(crate) fn url(&self) -> &Url {
        &self.url
    }

    /// The URL without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The host's name, for traces.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether traffic is unencrypted. This is accepted because it does not leave this machine.
    pub(crate) fn is_plaintext_loopback(&self) -> bool {
        self.url.scheme() == "http" && self.url.host().is_some_and(|host| is_loopback(&host))
    }

    /// Whether nobody on the way can read what is sent: by HTTPS, or because it does not leave this machine.
    pub(crate) fn is_confidential(&self) -> bool {
        self.url.scheme() == "https" || self.is_plaintext_loopback()
    }

    /// The port, even if the URL leaves it to the scheme.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// Whether a URL that somebody else wrote is this one or below it, and is written as it is sent.
    pub(crate) fn covers(&self, text: &str) -> bool {
        let Ok(url) = exact_url::parse(text) else {
            return false;
        };
        let below = url.path().strip_prefix(self.url.path().trim_end_matches('/'));
        url.scheme() == self.url.scheme()
            && url.host() == self.url.host()
            && url.port_or_known_default() == self.url.port_or_known_default()
            && below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// The URL of a path below this one. It is sent exactly as written.
    ///
    /// A path that the URL parser would change leads to a different place, and a credential goes with it. So nothing is
    /// sent.
    pub(crate) fn join(&self, path: &str) -> Result<Url> {
        const VALUES: &str = "give a path like /v4/clients, and put values into it with Request::path_param";
        let refuse = |problem: &'static str| Err(Error::invalid_input("path", problem, VALUES));
        if path.starts_with("http://") || path.starts_with("https://") {
            return Err(Error::invalid_input(
                "path",
                "is a whole URL",
                "leave its scheme and host out: they are those of the client's region or base URL",
            ));
        }
        if !path.starts_with('/') || path.starts_with("//") {
            return refuse("does not start with a single slash");
        }
        if path.bytes().any(|byte| byte.is_ascii_control() || byte == b'\\') {
            return refuse("contains a control character or a backslash");
        }
        if path.contains('#') {
            return refuse("contains a `#`, and what follows it would not be sent");
        }
        let (path_only, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        if path_only.contains("//") {
            return refuse("contains an empty segment (`//`)");
        }
        if query.is_some_and(|query| !is_query(query)) {
            return refuse("contains a `?` that begins no query of `name=value` pairs");
        }
        if !exact_url::has_valid_escapes(path) {
            return refuse("contains a `%` without two hexadecimal digits after it");
        }
        let whole = format!("{}{path}", self.text);
        match Url::parse(&whole) {
            Ok(url) if url.as_str() == whole && url.origin() == self.url.origin() => Ok(url),
            _ => refuse("is not written the way it would be sent"),
        }
    }
}

/// Whether a text is a query, rather than the end of an id with a question mark in it.
fn is_query(text: &str) -> bool {
    text.split('&')
        .all(|pair| pair.find('=').is_some_and(|equals| equals > 0))
}

/// Whether a host is this machine, without a DNS lookup. `x.localhost` is not: a resolver may ask the DNS for it.
fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.strip_suffix('.').unwrap_or(name) == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => {
            address.is_loopback()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|address| address.is_loopback())
        }
    }
}

fn is_unspecified(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(_) => false,
        Host::Ipv4(address) => address.is_unspecified(),
        Host::Ipv6(address) => {
            address.is_unspecified()
                || address
                    .to_ipv4_mapped()
                    .is_some_and(|address| address.is_unspecified())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for local in [
            "http://127.0.0.1:8080",
            "http://localhost/",
            "http://LOCALHOST.:80",
            "http://[::1]:1",
            "http://[::ffff:127.0.0.1]",
            "http://127.1",
            "http://0x7f000001",
            "http://2130706433/x",
        ] {
            assert!(BaseUrl::parse(local, false).is_ok(), "{local}");
        }
        for other in [
            "http://api.synerise.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
            "http://x.localhost",
            "http://localhost.example.com",
            "http://localhost..",
            "http://0.0.0.0:8080",
            "http://0",
            "http://[::]",
            "http://[::ffff:10.0.0.1]",
            "http://[::127.0.0.1]",
        ] {
            assert!(BaseUrl::parse(other, false).is_err(), "{other}");
        }
    }

    #[test]
    fn unusable_base_url_is_refused() {
        for wrong in [
            "",
            "api.synerise.com",
            "ftp://a.b",
            "https://",
            "https://u:p@a.b",
            "https://a.b?x=1",
            "https://a.b?",
            "https://a.b#c",
            "https://a.b/x/../y",
            "https://a.b/x/%2e%2e/y",
            "https://a.b/x//y",
            "https://a.b//",
            "https://a.b\\x",
            "https://a.b/x\ty",
            "https://a.b\n",
            " https://a.b",
            "https://b\u{fc}cher.example",
            "https://a.b/\u{fc}",
            "https://a.b/100%",
            "https://a.b/%zz",
            "https://a.b:0",
            "http://127.0.0.1:0/",
        ] {
            assert!(BaseUrl::parse(wrong, true).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn token_goes_to_the_base_url_and_below() {
        let root = BaseUrl::parse("https://api.synerise.com", false).unwrap();
        for own in [
            "https://api.synerise.com",
            "https://api.synerise.com/",
            "https://API.Synerise.com:443/v4/clients?a=b",
            "https://api.synerise.com?a=b",
        ] {
            assert!(root.covers(own), "{own}");
        }
        for other in [
            "/v4/clients",
            "api.synerise.com",
            "http://api.synerise.com/v4",
            "https://api.synerise.com:8443/v4",
            "https://api.synerise.com.evil.example/v4",
            "https://evil.example/api.synerise.com",
            "https://api.synerise.com@evil.example/",
            "https://user@api.synerise.com/",
            "https://evil.api.synerise.com/",
            "https://api.synerise.com./",
            "https://api.synerise.com\\@evil.example/",
            "https://api.synerise.com/a b",
        ] {
            assert!(!root.covers(other), "{other}");
        }
        let front = BaseUrl::parse("https://gateway.example/front/", false).unwrap();
        for own in [
            "https://gateway.example/front",
            "https://gateway.example/front/",
            "https://gateway.example/front/v4",
        ] {
            assert!(front.covers(own), "{own}");
        }
        for other in [
            "https://gateway.example/",
            "https://gateway.example/other",
            "https://gateway.example/frontal",
            "https://gateway.example/Front/v4",
            "https://gateway.example/front/../other",
            "https://gateway.example/front/%2e%2E/other",
            "https://gateway.example/front\\..\\other",
        ] {
            assert!(!front.covers(other), "{other}");
        }
        let loopback = BaseUrl::parse("http://127.0.0.1:8080", false).unwrap();
        assert!(loopback.covers("http://127.0.0.1:8080/v4"));
        assert!(!loopback.covers("http://127.0.0.1:8081/v4") && !loopback.covers("http://localhost:8080/v4"));
    }

    #[test]
    fn no_path_leads_to_another_place() {
        for base in ["https://api.synerise.com", "https://api.synerise.com/front/"] {
            let base = BaseUrl::parse(base, false).unwrap();
            let joined = base.join("/v4/clients?a=b%E9&c=").unwrap();
            assert_eq!(joined.as_str(), format!("{}/v4/clients?a=b%E9&c=", base.as_str()));
            for path in [
                "",
                "v4",
                "@evil.example/x",
                "//evil.example",
                "https://evil.example",
                "/\\evil",
                "/a\nb",
                "/a\tb",
                ".evil.example/",
                "/v4/clients/a#b",
                "/v4/clients/a?b",
                "/v4/clients/?=b",
                "/v4/clients/a b",
                "/v4/clients/\u{17c}",
                "/v4/clients/..",
                "/v4/clients/./a",
                "/v4/clients/../a",
                "/v4/clients/%2e%2E/a",
                "/v4/clients/.%2e",
                "/v4/clients/%2e",
                "/v4/clients//events",
                "/v4/clients/100%",
                "/v4/clients/{id}",
                "/v4/clients/a\"b",
                "/v4/clients/a\u{202e}b",
                "/v4/clients?q=a b",
            ] {
                assert!(base.join(path).is_err(), "{path:?}");
            }
        }
    }
}
