//! Reading a source: over HTTPS or from a file, within limits of time and size.

use std::error::Error as _;
use std::io::Read;
use std::path::Path;
use std::time::Duration;

use reqwest::blocking::{Client, Response};
use reqwest::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use reqwest::{StatusCode, Url, redirect};

use super::failure::{Failure, Result, fail};

const MAX_REDIRECTS: usize = 5;

/// How long and how large a source may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) time: Duration,
    pub(crate) bytes: u64,
}

/// What a source answered.
#[derive(Debug)]
pub(crate) enum Fetched {
    New {
        bytes: Vec<u8>,
        etag: Option<String>,
    },
    /// The server says that the copy with this `ETag` is still current.
    Unchanged,
}

/// Reads a file, which must be a regular one: a device or a pipe has no end.
pub(crate) fn file(path: &Path, limits: Limits) -> Result<Vec<u8>> {
    let name = path.display();
    let wrong = |error: std::io::Error| Failure::failed(format!("{name}: {error}"));
    let about = std::fs::metadata(path).map_err(wrong)?;
    if !about.is_file() {
        fail!("{name}: not a file");
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(wrong)?;
    file.take(limits.bytes + 1)
        .read_to_end(&mut bytes)
        .map_err(wrong)?;
    if bytes.len() as u64 > limits.bytes {
        fail!("{name}: larger than {} bytes", limits.bytes);
    }
    Ok(bytes)
}

/// Checks that an address is one that may be fetched.
pub(crate) fn address(text: &str) -> Result<Url> {
    let url = Url::parse(text).map_err(|error| Failure::failed(format!("`{text}` is not a URL: {error}")))?;
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => fail!("{text}: refused, because plain HTTP is allowed to this machine only; use https://"),
        other => fail!("{text}: `{other}` is not a scheme that can be fetched; use https://"),
    }
    if !url.username().is_empty() || url.password().is_some() {
        fail!(
            "the address of {} holds a user name or password, which would end up in spec.lock",
            url.host_str().unwrap_or("a source")
        );
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Fetches an address. With an `ETag`, asks only for what is newer.
pub(crate) fn url(url: &Url, etag: Option<&str>, limits: Limits) -> Result<Fetched> {
    let response = send(url, etag, limits).map_err(|error| explain(url, &error, limits))?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_MODIFIED if etag.is_some() => return Ok(Fetched::Unchanged),
        StatusCode::NOT_FOUND => fail!("{url}: 404, there is no document here; has it moved?"),
        status if status.is_redirection() && status != StatusCode::NOT_MODIFIED => {
            fail!("{url}: it redirects ({status}) to nowhere that may be followed")
        }
        status => fail!("{url}: the server answered {status}"),
    }
    let media_type = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    if media_type.to_ascii_lowercase().contains("html") {
        fail!("{url}: the server sent an HTML page instead of the document (a login page?)");
    }
    let etag = response
        .headers()
        .get(ETAG)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let bytes = body(url, response, limits)?;
    Ok(Fetched::New { bytes, etag })
}

fn send(url: &Url, etag: Option<&str>, limits: Limits) -> reqwest::Result<Response> {
    let origin = url.clone();
    let redirects = redirect::Policy::custom(move |attempt| {
        let next = attempt.url();
        let same = next.host_str() == origin.host_str()
            && next.port_or_known_default() == origin.port_or_known_default()
            && next.scheme() == origin.scheme();
        if !same {
            let line = format!("it redirects to another host ({next}), which is not followed");
            attempt.error(line)
        } else if attempt.previous().len() > MAX_REDIRECTS {
            attempt.error(format!("it redirects more than {MAX_REDIRECTS} times"))
        } else {
            attempt.follow()
        }
    });
    let mut client = Client::builder()
        .user_agent("synerise-auth-xtask")
        .connect_timeout(limits.time)
        .redirect(redirects)
        .referer(false);
    if is_loopback(url) {
        client = client.no_proxy();
    }
    // The request's own limit is of the whole transfer; the blocking client's begins anew with every read.
    let mut request = client.build()?.get(url.clone()).timeout(limits.time);
    if let Some(etag) = etag {
        request = request.header(IF_NONE_MATCH, etag);
    }
    request.send()
}

fn body(url: &Url, mut response: Response, limits: Limits) -> Result<Vec<u8>> {
    let announced = response.content_length();
    if announced.is_some_and(|length| length > limits.bytes) {
        fail!("{url}: larger than {} bytes", limits.bytes);
    }
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 16 << 10];
    loop {
        let read = response.read(&mut chunk).map_err(|error| {
            let timed_out =
                error.kind() == std::io::ErrorKind::TimedOut || text_of(&error).contains("timed out");
            Failure::failed(if timed_out {
                format!("{url}: not complete within {} seconds", limits.time.as_secs_f32())
            } else {
                format!(
                    "{url}: the transfer broke off after {} bytes; the document is truncated",
                    bytes.len()
                )
            })
        })?;
        if read == 0 {
            return Ok(bytes);
        }
        bytes.extend_from_slice(&chunk[..read]);
        if bytes.len() as u64 > limits.bytes {
            fail!("{url}: larger than {} bytes", limits.bytes);
        }
    }
}

fn explain(url: &Url, error: &reqwest::Error, limits: Limits) -> Failure {
    let text = text_of(error);
    let host = url.host_str().unwrap_or_default();
    Failure::failed(if error.is_timeout() {
        format!("{url}: no answer within {} seconds", limits.time.as_secs_f32())
    } else if text.contains("dns error") || text.contains("failed to lookup") {
        format!("{url}: the host {host} cannot be found (DNS); is the network up, and the name right?")
    } else if error.is_redirect() {
        format!("{url}: {}", innermost(error))
    } else if error.is_connect() {
        format!("{url}: no connection to {host}: {}", innermost(error))
    } else {
        format!("{url}: {}", innermost(error))
    })
}

fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}

fn innermost(error: &reqwest::Error) -> String {
    let mut source = error.source();
    let mut text = error.to_string();
    while let Some(inner) = source {
        text = inner.to_string();
        source = inner.source();
    }
    text
}
