//! One fault: what the emulator does instead of its normal response, or in addition to it.

use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::clock::clamp;
use crate::tokens::TokenShape;

/// One way in which a response goes wrong.
///
/// Start with the response (`none`, `status`, `json`, `html`, …), then refine it with a delay, headers or another `Date`.
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
#[must_use = "a fault does nothing until it is added to a script"]
pub struct Fault {
    pub(crate) delay: Option<Duration>,
    pub(crate) reply: Reply,
    pub(crate) delivery: Delivery,
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    pub(crate) date: DateHeader,
    pub(crate) token: Option<TokenShape>,
}

/// What is sent as the response.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// The normal response.
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

/// How the body is sent.
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

    /// Returns the normal response, as a step of a sequence or as a base for refinements.
    pub fn none() -> Self {
        Self::of(Reply::Normal, Delivery::Whole)
    }

    /// Sends no response, and keeps the connection open.
    pub fn hang() -> Self {
        Self::of(Reply::Hang, Delivery::Whole)
    }

    /// Resets the connection before the first byte of the response. The request has no effect.
    pub fn reset() -> Self {
        Self::of(Reply::Reset, Delivery::Whole)
    }

    /// Sends the response headers, then resets the connection. The request takes effect.
    pub fn reset_before_body() -> Self {
        Self::of(Reply::Normal, Delivery::ResetBeforeBody)
    }

    /// Sends half of the body, then resets the connection. The request takes effect.
    pub fn reset_in_body() -> Self {
        Self::of(Reply::Normal, Delivery::ResetInBody)
    }

    /// Ends the body after half of its `content-length`, and closes the connection normally.
    pub fn truncated_body() -> Self {
        Self::of(Reply::Normal, Delivery::Truncated)
    }

    /// The body is sent one byte at a time, with a pause by the emulator's clock before each.
    pub fn slow_body(pause: Duration) -> Self {
        Self::of(Reply::Normal, Delivery::Slow(pause))
    }

    /// Sends status 200 with a JSON object of `bytes` bytes, in chunks, without a `content-length`.
    pub fn oversized_body(bytes: u64) -> Self {
        Self::body(200, "application/json", Bytes::new()).delivered(Delivery::Oversized(bytes))
    }

    /// Sends this status, with the error body that the service documents.
    ///
    /// # Panics
    /// If `status` is not a valid HTTP status (100 to 999).
    #[track_caller]
    pub fn status(status: u16) -> Self {
        Self::of(Reply::ErrorStatus(status_code(status)), Delivery::Whole)
    }

    /// Sends status 200 with this JSON. Use [`with_status`](Self::with_status) for another status.
    pub fn json(body: &Value) -> Self {
        Self::body(200, "application/json", body.to_string())
    }

    /// Sends status 200 with well-formed JSON that has nothing to do with the operation.
    pub fn wrong_shape() -> Self {
        Self::json(&json!({ "unexpected": ["shape"], "expiration": "soon" }))
    }

    /// Sends status 200 with an HTML page, as the login portal of a network would.
    pub fn html() -> Self {
        Self::body(
            200,
            "text/html; charset=utf-8",
            "<!DOCTYPE html><title>Sign in to the network</title>",
        )
    }

    /// Sends any status, content type and body.
    ///
    /// # Panics
    /// If `status` is not a valid HTTP status (100 to 999), or `content_type` is not a valid header value.
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

    /// Sends the normal response, with a token of this shape.
    pub fn token(shape: TokenShape) -> Self {
        Self {
            token: Some(shape),
            ..Self::none()
        }
    }

    /// Responds when this much time has passed on the [emulator's clock](crate::EmulatorClock): at once when a test advances
    /// the clock by it. The request takes effect after the delay.
    pub fn delayed(self, by: Duration) -> Self {
        Self {
            delay: Some(by),
            ..self
        }
    }

    /// Changes the status of the fault. Without its own body, it sends the documented error body.
    ///
    /// # Panics
    /// If `status` is not a valid HTTP status (100 to 999).
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

    /// Adds `Retry-After` as an HTTP date, limited to the years 1970 to 9999.
    pub fn retry_at(self, time: SystemTime) -> Self {
        self.header("retry-after", &httpdate::fmt_http_date(clamp(time)))
    }

    /// Adds a header, or replaces it if the response already has it.
    ///
    /// # Panics
    /// If `name` or `value` is not valid in a header.
    #[track_caller]
    #[expect(clippy::panic, reason = "a typing error in a test must fail that test")]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let Ok(name) = HeaderName::try_from(name) else {
            panic!("{name:?} is not a valid header name")
        };
        self.headers.push((name, header_value(value)));
        self
    }

    /// Sends this `Date` instead of the emulator's, limited to the years 1970 to 9999; see [`date_header`](Self::date_header)
    /// for any other.
    pub fn date(self, time: SystemTime) -> Self {
        self.date_header(&httpdate::fmt_http_date(clamp(time)))
    }

    /// Sends this text as `Date`, whether or not it is a date.
    ///
    /// # Panics
    /// If `value` is not a valid header value.
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
#[expect(clippy::panic, reason = "a typing error in a test must fail that test")]
pub(crate) fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status)
        .unwrap_or_else(|_| panic!("{status} is not a valid HTTP status (100 to 999)"))
}

#[track_caller]
#[expect(clippy::panic, reason = "a typing error in a test must fail that test")]
pub(crate) fn header_value(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| panic!("{value:?} is not a valid header value"))
}
