//! One fault: what the emulator does instead of, or on top of, its genuine answer.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::clock::clamp;
use crate::tokens::TokenShape;

/// One way for an answer to go wrong.
///
/// A fault starts with what is answered (`none`, `status`, `json`, `html`, …) and can be refined: a delay, headers,
/// another `Date`.
///
/// ```
/// use std::time::Duration;
/// use synerise_auth_emulator::Fault;
///
/// let overloaded = Fault::status(503).retry_after(Duration::from_secs(2));
/// let late = Fault::none().delayed(Duration::from_secs(30));
/// # let _ = (overloaded, late);
/// ```
#[derive(Debug, Clone)]
#[must_use = "a fault does nothing until a script gets it"]
pub struct Fault {
    pub(crate) delay: Option<Duration>,
    pub(crate) reply: Reply,
    pub(crate) delivery: Delivery,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) date: DateHeader,
    pub(crate) token: Option<TokenShape>,
}

/// What is answered.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// What the emulator would say anyway.
    Normal,
    /// The service's error body for this status.
    ErrorStatus(StatusCode),
    Replacement {
        status: StatusCode,
        content_type: HeaderValue,
        body: Bytes,
    },
    Hang,
    Reset,
}

/// How the body travels.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Delivery {
    Whole,
    Truncated,
    ResetBeforeBody,
    ResetInBody,
    Slow(Duration),
    Oversized(u64),
}

#[derive(Debug, Clone)]
pub(crate) enum DateHeader {
    Clock,
    Missing,
    Value(HeaderValue),
}

impl Fault {
    fn of(reply: Reply, delivery: Delivery) -> Self {
        let (delay, headers, date, token) = (None, Vec::new(), DateHeader::Clock, None);
        Self {
            delay,
            reply,
            delivery,
            headers,
            date,
            token,
        }
    }

    /// No fault: the genuine answer. A step of a sequence, or the ground for refinements.
    pub fn none() -> Self {
        Self::of(Reply::Normal, Delivery::Whole)
    }

    /// The request is never answered; the connection stays open.
    pub fn hang() -> Self {
        Self::of(Reply::Hang, Delivery::Whole)
    }

    /// The connection is reset before a byte of the answer; the request has had no effect.
    pub fn reset() -> Self {
        Self::of(Reply::Reset, Delivery::Whole)
    }

    /// The request has its effect and its headers are answered, then the connection is reset.
    pub fn reset_before_body() -> Self {
        Self::of(Reply::Normal, Delivery::ResetBeforeBody)
    }

    /// The request has its effect, half of the body is answered, then the connection is reset.
    pub fn reset_in_body() -> Self {
        Self::of(Reply::Normal, Delivery::ResetInBody)
    }

    /// The body ends half-way to its `content-length`, and the connection is closed in good order.
    pub fn truncated_body() -> Self {
        Self::of(Reply::Normal, Delivery::Truncated)
    }

    /// The body comes a byte at a time, with this much of the emulator's time before each.
    pub fn slow_body(pause: Duration) -> Self {
        Self::of(Reply::Normal, Delivery::Slow(pause))
    }

    /// A status 200 with a JSON object of `bytes` bytes, in chunks, so that its length is not announced.
    pub fn oversized_body(bytes: u64) -> Self {
        Self::body(200, "application/json", Bytes::new()).delivered(Delivery::Oversized(bytes))
    }

    /// This status, with the error body that the service documents.
    ///
    /// # Panics
    /// If `status` is no HTTP status (100 to 999).
    #[track_caller]
    pub fn status(status: u16) -> Self {
        Self::of(Reply::ErrorStatus(status_code(status)), Delivery::Whole)
    }

    /// A status 200 with this JSON; [`with_status`](Self::with_status) for another status.
    pub fn json(body: &Value) -> Self {
        Self::body(200, "application/json", body.to_string())
    }

    /// A status 200 with well-formed JSON that has nothing to do with the operation.
    pub fn wrong_shape() -> Self {
        Self::json(&json!({ "unexpected": ["shape"], "expiration": "soon" }))
    }

    /// A status 200 with an HTML page, as a login portal in between would answer.
    pub fn html() -> Self {
        Self::body(
            200,
            "text/html; charset=utf-8",
            "<!DOCTYPE html><title>Sign in to the network</title>",
        )
    }

    /// Any status, content type and body.
    ///
    /// # Panics
    /// If `status` is no HTTP status (100 to 999), or `content_type` no header value.
    #[track_caller]
    pub fn body(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        let content_type = header_value(content_type);
        let reply = Reply::Replacement {
            status: status_code(status),
            content_type,
            body: body.into(),
        };
        Self::of(reply, Delivery::Whole)
    }

    /// The genuine answer, with a token that is odd in this way.
    pub fn token(shape: TokenShape) -> Self {
        Self {
            token: Some(shape),
            ..Self::none()
        }
    }

    /// Answers only when this much of the [emulator's time](crate::EmulatorClock) has passed: at once when a
    /// test advances the clock by it. The request takes effect after the delay.
    pub fn delayed(self, by: Duration) -> Self {
        Self {
            delay: Some(by),
            ..self
        }
    }

    /// The same fault with another status, where it sets the body.
    ///
    /// # Panics
    /// If `status` is no HTTP status (100 to 999).
    #[track_caller]
    pub fn with_status(mut self, status: u16) -> Self {
        let new = status_code(status);
        match &mut self.reply {
            Reply::Replacement { status, .. } | Reply::ErrorStatus(status) => *status = new,
            Reply::Normal | Reply::Hang | Reply::Reset => self.reply = Reply::ErrorStatus(new),
        }
        self
    }

    /// Adds `Retry-After` in whole seconds.
    pub fn retry_after(self, delay: Duration) -> Self {
        self.header("retry-after", &delay.as_secs().to_string())
    }

    /// Adds `Retry-After` as an HTTP date.
    pub fn retry_at(self, time: SystemTime) -> Self {
        self.header("retry-after", &httpdate::fmt_http_date(clamp(time)))
    }

    /// Adds a header, or sets it where the answer has it already.
    ///
    /// # Panics
    /// If `name` or `value` cannot stand in a header.
    #[track_caller]
    #[expect(
        clippy::panic,
        reason = "a test's typo must fail that test, not pass in silence"
    )]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let Ok(name) = HeaderName::try_from(name) else {
            panic!("{name:?} is no header name")
        };
        self.headers.push((name, header_value(value)));
        self
    }

    /// Sends this `Date` instead of the emulator's.
    pub fn date(self, time: SystemTime) -> Self {
        self.date_header(&httpdate::fmt_http_date(clamp(time)))
    }

    /// Sends this text as `Date`, be it a date or not.
    ///
    /// # Panics
    /// If `value` cannot stand in a header.
    #[track_caller]
    pub fn date_header(self, value: &str) -> Self {
        Self {
            date: DateHeader::Value(header_value(value)),
            ..self
        }
    }

    /// Sends no `Date` header.
    pub fn without_date(self) -> Self {
        Self {
            date: DateHeader::Missing,
            ..self
        }
    }

    fn delivered(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "a test's typo must fail that test, not pass in silence"
)]
pub(crate) fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or_else(|_| panic!("{status} is no HTTP status: take 100 to 999"))
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "a test's typo must fail that test, not pass in silence"
)]
pub(crate) fn header_value(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| panic!("{value:?} cannot stand in a header"))
}
