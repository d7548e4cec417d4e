//! Faults: what the emulator does instead of, or on top of, its genuine answer.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use crate::gate::Gate;
use crate::operations;
use crate::sync::hold;
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
    Genuine,
    /// The service's error body for this status.
    Refusal(StatusCode),
    Instead {
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
    Torn,
    ResetBeforeBody,
    ResetInBody,
    Drip(Duration),
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
        Self::of(Reply::Genuine, Delivery::Whole)
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
        Self::of(Reply::Genuine, Delivery::ResetBeforeBody)
    }

    /// The request has its effect, half of the body is answered, then the connection is reset.
    pub fn reset_in_body() -> Self {
        Self::of(Reply::Genuine, Delivery::ResetInBody)
    }

    /// The body ends half-way to its `content-length`, and the connection is closed in good order.
    pub fn torn_body() -> Self {
        Self::of(Reply::Genuine, Delivery::Torn)
    }

    /// The body comes a byte at a time, with this much of the emulator's time before each.
    pub fn drip(pause: Duration) -> Self {
        Self::of(Reply::Genuine, Delivery::Drip(pause))
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
        Self::of(Reply::Refusal(status_code(status)), Delivery::Whole)
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
        let reply = Reply::Instead {
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
            Reply::Instead { status, .. } | Reply::Refusal(status) => *status = new,
            Reply::Genuine | Reply::Hang | Reply::Reset => self.reply = Reply::Refusal(new),
        }
        self
    }

    /// Adds `Retry-After` in whole seconds.
    pub fn retry_after(self, delay: Duration) -> Self {
        self.header("retry-after", &delay.as_secs().to_string())
    }

    /// Adds `Retry-After` as an HTTP date.
    pub fn retry_at(self, time: SystemTime) -> Self {
        self.header("retry-after", &httpdate::fmt_http_date(time))
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
        self.date_header(&httpdate::fmt_http_date(time))
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
fn status_code(status: u16) -> StatusCode {
    StatusCode::from_u16(status).unwrap_or_else(|_| panic!("{status} is no HTTP status: take 100 to 999"))
}

#[track_caller]
#[expect(
    clippy::panic,
    reason = "a test's typo must fail that test, not pass in silence"
)]
fn header_value(value: &str) -> HeaderValue {
    HeaderValue::from_str(value).unwrap_or_else(|_| panic!("{value:?} cannot stand in a header"))
}

/// The faults of every operation; see [`Emulator::faults`](crate::Emulator::faults).
#[derive(Debug, Default)]
pub struct Faults {
    scripts: Mutex<HashMap<String, Script>>,
}

#[derive(Debug, Default)]
struct Script {
    steps: VecDeque<Fault>,
    always: Option<Fault>,
    gate: Option<Gate>,
}

impl Script {
    fn open(self) {
        if let Some(gate) = self.gate {
            gate.release();
        }
    }
}

impl Faults {
    /// The faults of one operation, by its id in the document (`workspaceLogin`), or of one path outside the
    /// document, by method and path (`GET /v4/clients`).
    ///
    /// # Panics
    /// If the document has no operation of that id.
    #[track_caller]
    pub fn on(&self, operation: &str) -> FaultScript<'_> {
        operations::assert_known(operation);
        FaultScript {
            faults: self,
            operation: operation.to_owned(),
        }
    }

    /// Clears every operation, and opens every gate.
    pub fn clear(&self) {
        for script in std::mem::take(&mut *hold(&self.scripts)).into_values() {
            script.open();
        }
    }

    /// What the next request of `operation` meets: a gate to pass first, and a fault.
    pub(crate) fn next(&self, operation: &str) -> (Option<Gate>, Fault) {
        let mut scripts = hold(&self.scripts);
        let Some(script) = scripts.get_mut(operation) else {
            return (None, Fault::none());
        };
        let fault = script.steps.pop_front().or_else(|| script.always.clone());
        (script.gate.clone(), fault.unwrap_or_else(Fault::none))
    }
}

/// The faults of one operation: first the steps, one a request; then what holds always; without one, none.
#[derive(Debug)]
pub struct FaultScript<'a> {
    faults: &'a Faults,
    operation: String,
}

impl FaultScript<'_> {
    fn edit(self, change: impl FnOnce(&mut Script)) -> Self {
        change(
            hold(&self.faults.scripts)
                .entry(self.operation.clone())
                .or_default(),
        );
        self
    }

    /// Adds a step: one request meets it.
    #[expect(clippy::return_self_not_must_use, reason = "it acts at once")]
    pub fn then(self, fault: Fault) -> Self {
        self.edit(|script| script.steps.push_back(fault))
    }

    /// Every request after the steps meets this, until [`clear`](Self::clear).
    #[expect(clippy::return_self_not_must_use, reason = "it acts at once")]
    pub fn always(self, fault: Fault) -> Self {
        self.edit(|script| script.always = Some(fault))
    }

    /// Forgets the steps, what holds always, and the gate (opened, if it was closed).
    #[expect(clippy::return_self_not_must_use, reason = "it acts at once")]
    pub fn clear(self) -> Self {
        self.edit(|script| std::mem::take(script).open())
    }

    /// Holds every request, counted but not yet in effect, until the gate is released. It then meets the fault
    /// that it drew on arrival.
    pub fn hold(self) -> Gate {
        let gate = Gate::closed();
        let placed = gate.clone();
        self.edit(|script| script.gate = Some(placed));
        gate
    }
}
