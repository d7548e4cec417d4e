//! A gate that holds requests until a test lets them through.

use std::sync::Arc;

use tokio::sync::watch;

/// Holds every request of one operation until [`release`](Self::release), so that a test can tell, without sleeping, when
/// requests are in flight. Created by [`FaultScript::hold`](crate::FaultScript::hold).
///
/// ```
/// use synerise_auth_emulator::Emulator;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let emulator = Emulator::start().await?;
/// let gate = emulator.faults().on("getPublicKey").hold();
/// let url = format!("{}/v4/public.pem", emulator.base_url());
/// let request = tokio::spawn(reqwest::get(url));
/// gate.wait_for(1).await; // the request is in flight
/// assert!(!request.is_finished());
/// gate.release();
/// assert_eq!(request.await??.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
#[must_use = "requests stay held until the gate is released"]
pub struct Gate(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    arrived: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Gate {
    pub(crate) fn closed() -> Self {
        Self(Arc::new(Parts {
            arrived: watch::Sender::new(0),
            open: watch::Sender::new(false),
        }))
    }

    /// Waits until this many requests have arrived at the gate, including those cancelled since.
    pub async fn wait_for(&self, requests: usize) {
        // Closed only when the sender is dropped, and `self` holds it.
        let _ = self
            .0
            .arrived
            .subscribe()
            .wait_for(|arrived| *arrived >= requests)
            .await;
    }

    /// Returns how many requests have arrived at the gate.
    pub fn arrived(&self) -> usize {
        *self.0.arrived.borrow()
    }

    /// Opens the gate permanently: waiting requests continue, and later ones pass.
    pub fn release(&self) {
        self.0.open.send_replace(true);
    }

    pub(crate) async fn pass(&self) {
        self.0.arrived.send_modify(|arrived| *arrived += 1);
        // Closed only when the sender is dropped, and `self` holds it.
        let _ = self.0.open.subscribe().wait_for(|open| *open).await;
    }
}
