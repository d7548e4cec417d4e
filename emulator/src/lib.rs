//! A stateful Synerise authentication server for tests and demos.
