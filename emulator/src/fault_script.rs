//! Scripts: which faults the requests of an operation get, and in which order.

use std::collections::{HashMap, VecDeque};
use std::sync::Mutex;

use crate::fault::Fault;
use crate::gate::Gate;
use crate::operations;
use crate::sync::lock;

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
    /// The faults of one operation, by its id in the document (`workspaceLogin`), or of a path that is not in the document,
    /// by method and path (`GET /v4/clients`).
    ///
    /// # Panics
    /// If the document has no operation with that id.
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
        for script in std::mem::take(&mut *lock(&self.scripts)).into_values() {
            script.open();
        }
    }

    /// The gate and the fault of the next request of `operation`.
    pub(crate) fn next(&self, operation: &str) -> (Option<Gate>, Fault) {
        let mut scripts = lock(&self.scripts);
        let Some(script) = scripts.get_mut(operation) else {
            return (None, Fault::none());
        };
        let fault = script.steps.pop_front().or_else(|| script.always.clone());
        (script.gate.clone(), fault.unwrap_or_else(Fault::none))
    }
}

/// The faults of one operation. Each request takes one step; after the last step, all get the permanent fault, if any.
///
/// ```
/// use synerise_auth_emulator::{Emulator, Fault};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let emulator = Emulator::start().await?;
/// let login = emulator.faults().on("workspaceLogin");
/// login.then(Fault::status(503)).then(Fault::none()).always(Fault::status(401)); // 503, 200, 401, 401, ...
/// emulator.faults().on("workspaceLogin").clear(); // normal again
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct FaultScript<'a> {
    faults: &'a Faults,
    operation: String,
}

impl FaultScript<'_> {
    fn edit(self, change: impl FnOnce(&mut Script)) -> Self {
        change(
            lock(&self.faults.scripts)
                .entry(self.operation.clone())
                .or_default(),
        );
        self
    }

    /// Adds a step, for one request.
    #[expect(clippy::return_self_not_must_use, reason = "it acts at once")]
    pub fn then(self, fault: Fault) -> Self {
        self.edit(|script| script.steps.push_back(fault))
    }

    /// Sets the permanent fault: every request after the steps gets it, until [`clear`](Self::clear).
    #[expect(clippy::return_self_not_must_use, reason = "it acts at once")]
    pub fn always(self, fault: Fault) -> Self {
        self.edit(|script| script.always = Some(fault))
    }

    /// Removes the steps, the permanent fault and the gate. A closed gate is opened.
    #[expect(clippy::return_self_not_must_use, reason = "it acts at once")]
    pub fn clear(self) -> Self {
        self.edit(|script| std::mem::take(script).open())
    }

    /// Holds every request until the gate is released. A held request is counted but has no effect yet; its fault is the one
    /// that was next when it arrived.
    pub fn hold(self) -> Gate {
        let gate = Gate::closed();
        let placed = gate.clone();
        self.edit(|script| script.gate = Some(placed));
        gate
    }
}
