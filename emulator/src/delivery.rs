//! How a body travels: whole, or spoiled on the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::response::Response;
use http_body_util::channel::{Channel, Sender};

use crate::clock::EmulatorClock;
use crate::fault::Delivery;

/// Set, it makes the connection end with a reset instead of in good order.
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

/// Marks a response that is not to be sent: the connection ends instead.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResetConnection;

impl ResetConnection {
    pub(crate) fn response(switch: Option<&ResetSwitch>) -> Response {
        if let Some(switch) = switch {
            switch.set();
        }
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(Self);
        response
    }
}

/// Ends a body before its announced length; hyper then closes the connection.
#[derive(Debug)]
struct BodyAborted;

impl std::fmt::Display for BodyAborted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the body is broken off by a scripted fault")
    }
}

impl std::error::Error for BodyAborted {}

/// The body, and the length to announce where it does not follow from the body.
pub(crate) fn body_with_delivery(
    body: Bytes,
    delivery: Delivery,
    switch: ResetSwitch,
    clock: &Arc<EmulatorClock>,
) -> (Body, Option<usize>) {
    if matches!(delivery, Delivery::Whole) {
        return (Body::from(body), None);
    }
    let (sender, channel) = Channel::<Bytes, BodyAborted>::new(1);
    let length = (!matches!(delivery, Delivery::Oversized(_))).then_some(body.len());
    tokio::spawn(send_body(sender, body, delivery, switch, Arc::clone(clock)));
    (Body::new(channel), length)
}

async fn send_body(
    mut sender: Sender<Bytes, BodyAborted>,
    body: Bytes,
    delivery: Delivery,
    switch: ResetSwitch,
    clock: Arc<EmulatorClock>,
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

/// Lets the connection's task write what it has: it shares this task's thread, and flushes when it finds no more.
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
) -> Result<(), http_body_util::channel::SendError> {
    // Each by the time of the first, so that a clock that is moved far brings all that is due by then.
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

/// A JSON object that would parse, were it not for its length.
async fn send_oversized(
    sender: &mut Sender<Bytes, BodyAborted>,
    bytes: u64,
) -> Result<(), http_body_util::channel::SendError> {
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
