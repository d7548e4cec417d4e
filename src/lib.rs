//! Synerise authentication.
