//! A stateful Synerise authentication server on loopback, for tests and demos.
//!
//! It serves every authentication operation of the vendored document, keeps state, and refuses what the service
//! would refuse: each request is checked against the document, each token for its kind, its expiry and its permissions.
//! What the public documentation leaves open is decided in [`Choices`].

mod access;
mod builder;
mod choices;
mod clock;
mod consumer;
mod delivery;
mod emulator;
mod errors;
mod faults;
mod gate;
mod log;
mod operations;
mod outbox;
mod pipeline;
mod routes;
mod schema;
mod seeding;
mod server;
mod signing;
mod state;
mod sync;
mod tokens;
mod visit;

pub use builder::EmulatorBuilder;
pub use choices::{Choices, UnmetCondition};
pub use clock::EmulatorClock;
pub use emulator::Emulator;
pub use faults::{Fault, FaultScript, Faults};
pub use gate::Gate;
pub use log::RecordedRequest;
pub use outbox::{Message, MessageKind};
pub use seeding::{KnownProfile, SeededUser, SeededWorkspace};
pub use tokens::TokenShape;
