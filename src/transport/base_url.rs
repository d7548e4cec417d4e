//! A base URL that requests with credentials may go to, and the URLs of paths below it.

use std::net::IpAddr;

use url::{Host, Url};

use crate::error::{Error, Result};

/// A base URL that requests with credentials may go to.
#[derive(Debug, Clone)]
pub(crate) struct BaseUrl {
    url: Url,
    text: String,
}

impl BaseUrl {
    /// Checks a base URL: HTTPS, or HTTP to this machine; no credentials, query or fragment inside.
    pub(crate) fn parse(text: &str, plaintext_allowed: bool) -> Result<Self> {
        let refuse = |problem: &'static str, remedy: &'static str| {
            Err(Error::invalid_input("base URL", problem, remedy))
        };
        let Ok(url) = Url::parse(text.trim_end_matches('/')) else {
            return refuse("is no absolute URL", "write it like https://api.synerise.com");
        };
        let Some(host) = url.host() else {
            return refuse("names no host", "write it like https://api.synerise.com");
        };
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "holds a user name or password",
                "leave it out: the API key authenticates",
            );
        }
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("holds a query or a fragment", "give the address only");
        }
        match url.scheme() {
            "https" => {}
            "http" if plaintext_allowed || is_loopback(&host) => {}
            "http" => {
                return refuse(
                    "is plain HTTP to another machine, where everybody on the way can read the key",
                    "use https://, or ClientBuilder::allow_plain_http_to_any_host in a closed network",
                );
            }
            _ => {
                return refuse(
                    "is neither https nor http",
                    "write it like https://api.synerise.com",
                );
            }
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        Ok(Self { url, text })
    }

    /// The URL without a slash at its end.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// The host's name, for traces.
    pub(crate) fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// Whether what is sent is unencrypted, which is accepted because it does not leave this machine.
    pub(crate) fn is_plaintext_loopback(&self) -> bool {
        self.url.scheme() == "http" && self.url.host().is_some_and(|host| is_loopback(&host))
    }

    /// The port, also where the URL leaves it to the scheme.
    pub(crate) fn port(&self) -> u16 {
        self.url.port_or_known_default().unwrap_or_default()
    }

    /// The URL of a path on this host.
    ///
    /// A path can't lead to another host, whatever is in it: a credential goes with it.
    pub(crate) fn join(&self, path: &str) -> Result<Url> {
        let refuse = |problem: &'static str| {
            Err(Error::invalid_input(
                "path",
                problem,
                "give a path on the session's own host, like /v4/clients",
            ))
        };
        if !path.starts_with('/') || path.starts_with("//") {
            return refuse("does not start with a single slash");
        }
        if path.bytes().any(|byte| byte.is_ascii_control() || byte == b'\\') {
            return refuse("holds a control character or a backslash");
        }
        match Url::parse(&format!("{}{path}", self.text)) {
            Ok(url) if url.origin() == self.url.origin() => Ok(url),
            _ => refuse("makes no URL on the session's own host"),
        }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost" || name.ends_with(".localhost"),
        Host::Ipv4(address) => IpAddr::from(*address).is_loopback(),
        Host::Ipv6(address) => IpAddr::from(*address).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for local in ["http://127.0.0.1:8080", "http://localhost/", "http://[::1]:1"] {
            assert!(BaseUrl::parse(local, false).is_ok(), "{local}");
        }
        for other in [
            "http://api.synerise.com",
            "http://127.0.0.1.example.com",
            "http://10.0.0.1",
        ] {
            assert!(BaseUrl::parse(other, false).is_err(), "{other}");
            assert!(BaseUrl::parse(other, true).is_ok(), "{other}");
        }
    }

    #[test]
    fn what_is_no_base_url_is_refused() {
        for wrong in [
            "",
            "api.synerise.com",
            "ftp://a.b",
            "https://",
            "https://u:p@a.b",
            "https://a.b?x=1",
            "https://a.b#c",
        ] {
            assert!(BaseUrl::parse(wrong, true).is_err(), "{wrong}");
        }
    }

    #[test]
    fn no_path_leads_to_another_host() {
        let base = BaseUrl::parse("https://api.synerise.com/front", false).unwrap();
        assert_eq!(
            base.join("/v4/clients?a=b").unwrap().as_str(),
            "https://api.synerise.com/front/v4/clients?a=b"
        );
        for path in [
            "v4",
            "@evil.example/x",
            "//evil.example",
            "https://evil.example",
            "/\\evil",
            "/a\nb",
            ".evil.example/",
        ] {
            assert!(base.join(path).is_err(), "{path}");
        }
    }
}
