//! Turns failures on the wire into errors, and decides what they mean for another attempt.

use http::header::{CONTENT_ENCODING, LOCATION, TRANSFER_ENCODING};
use http::{HeaderMap, StatusCode};

use crate::error::{ApiError, Error, Redactor, error_chain};
use crate::operation::Forbidden;

use super::authenticator::Credential;
use super::body::BodyError;
use super::footprint::is_affordable;
use super::request_info::RequestInfo;
use super::response::BufferedResponse;
use super::retry_after::retry_after;
use super::send::Transport;

/// What it takes to look for secrets in a body, in bytes, whatever its length.
const REDACTION: usize = 4 * 1024 * 1024;

/// What was sent, as far as it is known, because servers and proxies quote it.
#[derive(Clone, Copy)]
pub(super) struct Sent<'a> {
    pub(super) credential: Option<&'a Credential>,
    /// The same request for another attempt. There is none if the body is a stream.
    pub(super) request: Option<&'a reqwest::Request>,
}

impl Sent<'_> {
    fn redactor(self) -> Redactor {
        let mut redactor = self.request.map(Redactor::for_request).unwrap_or_default();
        if let Some(credential) = self.credential {
            credential.add_to(&mut redactor);
        }
        redactor
    }

    fn is_basic(self) -> bool {
        matches!(self.credential, Some(Credential::Basic(_)))
    }
}

/// How much is read of a refusal that can't be parsed. An error's text is much shorter.
const LONGEST_TEXT: usize = 64 * 1024;

/// The text of h2 for a stream that the server reset with `REFUSED_STREAM`. By RFC 9113 (8.7), this guarantees that the
/// server did not process the request. A `GOAWAY` does not say so about the requests that it answers with silence.
const REFUSED_STREAM: &str = "stream error received: refused stream before processing any application logic";

/// How one attempt failed.
pub(super) struct Failure {
    pub(super) error: Error,
    pub(super) delivery: Delivery,
    /// Another attempt would fail in the same way.
    pub(super) permanent: bool,
}

/// What is known about a request that got no response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivery {
    /// It was not sent.
    Unsent,
    /// It was sent, and the server says that it did not process it.
    Unprocessed,
    /// It may have been carried out.
    Unknown,
}

impl Failure {
    /// The request may have been carried out.
    pub(super) fn sent(error: Error) -> Self {
        Self {
            error,
            delivery: Delivery::Unknown,
            permanent: false,
        }
    }

    pub(super) fn permanent(error: Error) -> Self {
        Self {
            error,
            delivery: Delivery::Unknown,
            permanent: true,
        }
    }

    fn unsent(error: Error, permanent: bool) -> Self {
        Self {
            error,
            delivery: Delivery::Unsent,
            permanent,
        }
    }
}

impl Transport {
    /// No response: there was no connection, or it broke.
    pub(super) fn no_response(&self, info: &RequestInfo, sent: Sent<'_>, error: reqwest::Error) -> Failure {
        let (connect, timeout) = (error.is_connect(), error.is_timeout());
        let unbuilt = error.is_builder();
        let problem = error_chain(&error.without_url(), &sent.redactor());
        let label = info.label.clone();
        if unbuilt {
            return Failure::unsent(Error::connection(label, &self.host(), problem), true);
        }
        if !connect {
            if problem.contains("message head is too large") {
                let problem = "the response's head has more than 100 headers, or is too long, or \
                               announces an impossible length"
                    .to_owned();
                return Failure::permanent(Error::connection(label, &self.host(), problem));
            }
            let delivery = if problem.contains(REFUSED_STREAM) {
                Delivery::Unprocessed
            } else {
                Delivery::Unknown
            };
            return Failure {
                delivery,
                ..Failure::sent(Error::connection(label, &self.host(), problem))
            };
        }
        // A client of the caller's own has a limit that is not known here.
        if timeout && !self.pools.is_own_client() {
            let what = format!("connecting to {}", self.host());
            return Failure::unsent(Error::timeout(label, what, self.limits.connect), false);
        }
        if let Some((_, tunnel)) = problem.split_once("tunnel error: ") {
            let refused = tunnel.contains("authorization required") || tunnel.contains("unsuccessful");
            let problem = match tunnel {
                text if text.contains("authorization required") => {
                    "it asks for a user name and a password (407)".to_owned()
                }
                text if text.contains("unsuccessful") => {
                    format!("it refuses to connect to {}", self.host())
                }
                text => text.to_owned(),
            };
            return Failure::unsent(Error::proxy(label, problem, refused), refused);
        }
        if is_certificate_problem(&problem) {
            return Failure::unsent(Error::certificate(label, &self.host(), problem), true);
        }
        Failure::unsent(Error::connection(label, &self.host(), problem), false)
    }

    /// The caller's own HTTP client followed a redirect.
    pub(super) fn redirected(
        info: &RequestInfo,
        sent: Sent<'_>,
        status: StatusCode,
        url: &url::Url,
    ) -> Failure {
        let host = sent.redactor().clean(url.host_str().unwrap_or_default());
        Failure::permanent(Error::unusable_response(
            info.label.clone(),
            status.as_u16(),
            format!(
                "the HTTP client followed a redirect to {host}, and may have sent the request's body there"
            ),
            "build the client for ClientBuilder::http_client with redirect::Policy::none()",
        ))
    }

    /// The body of a success can't be read completely.
    pub(super) fn unread(
        &self,
        info: &RequestInfo,
        sent: Sent<'_>,
        status: StatusCode,
        error: BodyError,
    ) -> Failure {
        match error {
            BodyError::TooLarge => Failure::permanent(Error::unusable_response(
                info.label.clone(),
                status.as_u16(),
                format!("it is larger than {} bytes", self.limits.body),
                "ask for less at a time, or allow more by ClientBuilder::max_response_bytes",
            )),
            BodyError::Broken(error) => {
                let problem = error_chain(&error.without_url(), &sent.redactor());
                Failure::sent(Error::connection(info.label.clone(), &self.host(), problem))
            }
        }
    }

    /// A response that is not a success.
    pub(super) fn refusal(&self, info: &RequestInfo, sent: Sent<'_>, response: &BufferedResponse) -> Error {
        let status = response.status();
        match response.status {
            StatusCode::SWITCHING_PROTOCOLS => Error::unusable_response(
                info.label.clone(),
                status,
                "it switches to another protocol, which was not asked for",
                "check the server or proxy that the base URL leads to: it does not answer HTTP as it should",
            ),
            StatusCode::NOT_MODIFIED => Error::unusable_response(
                info.label.clone(),
                status,
                "it says that nothing has changed, and has no body",
                "leave out conditional headers such as If-None-Match, and check the caches on the way",
            ),
            other if other.is_redirection() || other.is_informational() => {
                let redactor = sent.redactor();
                let target = response.headers.get(LOCATION);
                let target = target.and_then(|value| value.to_str().ok());
                let host = target
                    .and_then(|target| url::Url::parse(target).ok())
                    .and_then(|url| url.host_str().map(|host| redactor.clean(host)));
                let problem = match host {
                    Some(host) => format!("it redirects to {host}, where no credential is sent"),
                    None => "it is a redirect, which is not followed with a credential".to_owned(),
                };
                Error::unusable_response(
                    info.label.clone(),
                    status,
                    problem,
                    "use the address that it leads to as the base URL, if it is Synerise's",
                )
            }
            StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                let problem = "it asks for a user name and a password (407)".to_owned();
                Error::proxy(info.label.clone(), problem, true)
            }
            _ => self.api_error(info, sent, response),
        }
    }

    /// The error that the server describes in the body.
    pub(super) fn api_error(&self, info: &RequestInfo, sent: Sent<'_>, response: &BufferedResponse) -> Error {
        let status = response.status();
        let wait = retry_after(&response.headers, self.clock.now().wall);
        let limit = self.limits.body;
        let memory = limit.saturating_mul(2).saturating_sub(REDACTION).max(limit);
        // A compressed body can't be read.
        let body: &[u8] = match encoding(&response.headers) {
            Some(_) => &[],
            None if is_affordable(&response.body, memory) => &response.body,
            // Not parsed: its beginning is shown as a text.
            None => response.body.get(..LONGEST_TEXT).unwrap_or(&response.body),
        };
        ApiError::read(info.label.clone(), status, wait, body, &sent.redactor())
            .with_hint(info.hint(status, sent.is_basic()))
            .with_forbidden(
                info.operation
                    .map_or(Forbidden::Consumer, |operation| operation.forbidden),
            )
            .into()
    }

    /// A success whose body is compressed although that was not requested.
    pub(super) fn compressed(info: &RequestInfo, response: &BufferedResponse) -> Option<Error> {
        let encoding = encoding(&response.headers).filter(|_| !response.body.is_empty())?;
        Some(Error::unusable_response(
            info.label.clone(),
            response.status(),
            format!("its body is compressed ({encoding}), which was not asked for"),
            "switch compression off at the proxy or server that adds it, or switch on reqwest's feature for it",
        ))
    }

    pub(super) fn host(&self) -> String {
        format!("{}:{}", self.base.host(), self.base.port())
    }
}

/// The compression of a body, as one of these names and not in the server's words, which can quote anything.
fn encoding(headers: &HeaderMap) -> Option<&'static str> {
    const KNOWN: [(&str, &str); 7] = [
        ("gzip", "gzip"),
        ("x-gzip", "gzip"),
        ("br", "br"),
        ("deflate", "deflate"),
        ("zstd", "zstd"),
        ("compress", "compress"),
        ("x-compress", "compress"),
    ];
    // Some servers name a charset here.
    const NONE: [&str; 6] = ["", "identity", "chunked", "none", "utf-8", "utf8"];
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let values = values.chain(headers.get_all(TRANSFER_ENCODING));
    let names = values.flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    names.map(<[u8]>::trim_ascii).find_map(|name| {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        match KNOWN.into_iter().find(|(known, _)| is(known)) {
            Some((_, known)) => Some(known),
            None if NONE.into_iter().any(is) => None,
            None => Some("in another way"),
        }
    })
}

/// Whether the server's certificate prevented the connection, by the error texts of rustls, OpenSSL, macOS and Windows.
fn is_certificate_problem(problem: &str) -> bool {
    const WORDS: [&str; 5] = [
        "invalid peer certificate",
        "certificate verify failed",
        "certificate was not trusted",
        "certificate chain",
        "SEC_E_UNTRUSTED_ROOT",
    ];
    WORDS.iter().any(|words| problem.contains(words))
}
