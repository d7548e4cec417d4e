//! Builds the HTTP client from the user's settings, and from settings that always hold.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Error, Redactor, Result, error_chain};

use super::base_url::BaseUrl;

/// Changes the HTTP client's settings. It is called for each pool of connections.
pub(crate) type HttpSettings = Arc<dyn Fn(reqwest::ClientBuilder) -> reqwest::ClientBuilder + Send + Sync>;

/// How often an HTTP/2 connection that waits for a response is pinged.
const PING_INTERVAL: Duration = Duration::from_secs(5);

/// How long the answer to a ping may take.
const PING_TIMEOUT: Duration = Duration::from_secs(3);

/// The variables that name a proxy.
const PROXY_VARIABLES: [&str; 6] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// What a client is built from, each time a new connection pool is needed.
pub(crate) struct HttpConfig {
    pub(crate) user_agent: String,
    pub(crate) connect_timeout: Duration,
    pub(crate) settings: Vec<HttpSettings>,
    #[cfg(any(feature = "rustls", feature = "native-tls"))]
    pub(crate) plaintext: bool,
    pub(crate) plaintext_loopback: bool,
}

impl HttpConfig {
    pub(crate) fn new(
        base: &BaseUrl,
        user_agent: String,
        connect_timeout: Duration,
        settings: Vec<HttpSettings>,
    ) -> Result<Self> {
        let config = Self {
            user_agent,
            connect_timeout,
            settings,
            #[cfg(any(feature = "rustls", feature = "native-tls"))]
            plaintext: base.as_str().starts_with("http://"),
            plaintext_loopback: base.is_plaintext_loopback(),
        };
        if !config.plaintext_loopback {
            check_proxies()?;
        }
        Ok(config)
    }

    pub(crate) fn build(&self) -> Result<reqwest::Client> {
        let built = self.builder().build();
        // A machine without any CA certificates can still talk to a server without TLS.
        #[cfg(any(feature = "rustls", feature = "native-tls"))]
        let built = match built {
            Err(_) if self.plaintext => self.builder().tls_certs_only([]).build(),
            built => built,
        };
        built.map_err(|error| refusal(&error))
    }

    fn builder(&self) -> reqwest::ClientBuilder {
        let mut http = reqwest::Client::builder()
            .user_agent(self.user_agent.as_str())
            .http2_keep_alive_interval(PING_INTERVAL)
            .http2_keep_alive_timeout(PING_TIMEOUT);
        if self.plaintext_loopback {
            // A proxy from the environment would get the key unencrypted. A proxy that the user sets is applied after this.
            http = http.no_proxy();
        }
        for settings in &self.settings {
            http = settings(http);
        }
        http.redirect(reqwest::redirect::Policy::none())
            // By default, the HTTP client itself sends a request again when an HTTP/2 server says that it did not process
            // it.
            .retry(reqwest::retry::never())
            .connect_timeout(self.connect_timeout)
    }
}

fn refusal(error: &reqwest::Error) -> Error {
    let problem = error_chain(error, &Redactor::default());
    if problem.contains("No CA certificates") {
        return Error::invalid_input(
            "HTTP client",
            "can't verify servers: this machine has no CA certificates",
            "install ca-certificates, or give add_root_certificate to ClientBuilder::http",
        );
    }
    Error::invalid_input(
        "HTTP client",
        format!("can't be built: {problem}"),
        "check the settings given to ClientBuilder::http, and that a TLS feature is on",
    )
}

/// A proxy that can't be parsed would be ignored, and the requests would bypass it.
fn check_proxies() -> Result<()> {
    // In a CGI program, a request's header could set the variable, so it is not used there.
    if std::env::var_os("REQUEST_METHOD").is_some() {
        return Ok(());
    }
    for variable in PROXY_VARIABLES {
        let Some(value) = std::env::var_os(variable) else {
            continue;
        };
        if value.is_empty() {
            continue;
        }
        let problem = match value.to_str() {
            None => Some("is not UTF-8"),
            Some(value) => unusable(value),
        };
        if let Some(problem) = problem {
            return Err(Error::invalid_input(
                format!("proxy in the environment variable {variable}"),
                problem,
                "write it like http://proxy.example:3128, or unset it",
            ));
        }
    }
    Ok(())
}

/// Why the HTTP client would ignore a proxy, by its own rules. The value is not quoted, because it can contain a password.
fn unusable(value: &str) -> Option<&'static str> {
    let Ok(uri) = value.parse::<http::Uri>() else {
        return Some("is not a valid URL");
    };
    if uri
        .authority()
        .is_none_or(|authority| authority.host().is_empty())
    {
        return Some("names no host");
    }
    match uri.scheme_str() {
        None | Some("http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") => None,
        Some(_) => Some("has a scheme that is not supported"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_that_would_be_ignored_are_told_from_others() {
        for usable in [
            "http://127.0.0.1:3128",
            "https://user:p%40ss@proxy.example",
            "proxy.example:3128",
            "proxy",
            "socks5h://proxy:1080",
        ] {
            assert_eq!(unusable(usable), None, "{usable}");
        }
        for unusable_value in [
            "http://",
            "ftp://proxy.example",
            "http://a b",
            "://proxy",
            "http://[::1",
        ] {
            assert!(unusable(unusable_value).is_some(), "{unusable_value}");
        }
    }
}
