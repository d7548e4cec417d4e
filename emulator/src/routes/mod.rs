//! The handlers, a file per part of the service. Each is a function of the state and one checked request.

pub(crate) mod activation;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod profiles;
pub(crate) mod registration;
pub(crate) mod settings;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod workspaces;
