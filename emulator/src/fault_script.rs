//! Which faults the requests of an operation meet, and in which order.

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
        for script in std::mem::take(&mut *lock(&self.scripts)).into_values() {
            script.open();
        }
    }

    /// What the next request of `operation` meets: a gate to pass first, and a fault.
    pub(crate) fn next(&self, operation: &str) -> (Option<Gate>, Fault) {
        let mut scripts = lock(&self.scripts);
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
            lock(&self.faults.scripts)
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
