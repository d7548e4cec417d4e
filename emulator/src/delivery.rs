//! How a response body is sent: whole, or damaged by a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body_util::channel::{Channel, SendError, Sender};

use crate::clock::EmulatorClock;
use crate::fault::Delivery;

/// When it is set, the connection ends with a reset instead of an orderly close.
#[derive(Debug, Clone, Default)]
pub(crate) struct ResetSwitch(Arc<AtomicBool>);

impl ResetSwitch {
    pub(crate) fn set(&self) {
        self.0.store(true, Ordering::Release);
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// Marks a response that is not sent: the connection is reset instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResetConnection;

impl ResetConnection {
    pub(crate) fn response(switch: &ResetSwitch) -> Response {
        switch.set();
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(Self);
        response
    }
}

/// Ends a body before its announced length. hyper then closes the connection.
#[derive(Debug)]
struct BodyAborted;

impl std::fmt::Display for BodyAborted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a scripted fault ended the body early")
    }
}

impl std::error::Error for BodyAborted {}

/// The body, and the length to announce if it does not follow from the body.
pub(crate) fn body_with_delivery(
    body: Bytes,
    delivery: Delivery,
    switch: ResetSwitch,
    clock: &EmulatorClock,
) -> (Body, Option<usize>) {
    if matches!(delivery, Delivery::Whole) {
        return (Body::from(body), None);
    }
    let (sender, channel) = Channel::<Bytes, BodyAborted>::new(1);
    let length = (!matches!(delivery, Delivery::Oversized(_))).then_some(body.len());
    tokio::spawn(send_body(sender, body, delivery, switch, clock.clone()));
    (Body::new(channel), length)
}

async fn send_body(
    mut sender: Sender<Bytes, BodyAborted>,
    body: Bytes,
    delivery: Delivery,
    switch: ResetSwitch,
    clock: EmulatorClock,
) {
    match delivery {
        Delivery::Whole => _ = sender.send_data(body).await,
        Delivery::Slow(pause) => _ = send_slowly(&mut sender, &body, pause, &clock).await,
        Delivery::Oversized(bytes) => _ = send_oversized(&mut sender, bytes).await,
        Delivery::Truncated => {
            let _ = sender.send_data(body.slice(..body.len() / 2)).await;
            let_connection_flush().await;
            sender.abort(BodyAborted);
        }
        Delivery::ResetInBody => {
            let _ = sender.send_data(body.slice(..body.len() / 2)).await;
            let_connection_flush().await;
            switch.set();
            sender.abort(BodyAborted);
        }
        Delivery::ResetBeforeBody => {
            let_connection_flush().await;
            switch.set();
            sender.abort(BodyAborted);
        }
    }
}

/// Lets the task of the connection write what it has. It runs on the same thread, and flushes when it finds no more.
async fn let_connection_flush() {
    for _ in 0..16 {
        tokio::task::yield_now().await;
    }
}

async fn send_slowly(
    sender: &mut Sender<Bytes, BodyAborted>,
    body: &Bytes,
    pause: Duration,
    clock: &EmulatorClock,
) -> Result<(), SendError> {
    // Each byte is due relative to the first, so that a large step of the clock releases every byte due by then.
    let mut due = Some(clock.now());
    for at in 0..body.len() {
        due = due.and_then(|due| due.checked_add(pause));
        if let Some(due) = due {
            clock.wait_until(due).await;
        }
        sender.send_data(body.slice(at..=at)).await?;
    }
    Ok(())
}

/// Sends a JSON object that would be valid, except for its length.
async fn send_oversized(sender: &mut Sender<Bytes, BodyAborted>, bytes: u64) -> Result<(), SendError> {
    const START: &[u8] = br#"{"token":""#;
    const END: &[u8] = br#""}"#;
    const CHUNK: &[u8] = &[b'a'; 1 << 16];
    sender.send_data(Bytes::from_static(START)).await?;
    let mut left = bytes.saturating_sub((START.len() + END.len()) as u64);
    while left > 0 {
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(CHUNK.len());
        sender.send_data(Bytes::from_static(&CHUNK[..length])).await?;
        left -= length as u64;
    }
    sender.send_data(Bytes::from_static(END)).await
}
