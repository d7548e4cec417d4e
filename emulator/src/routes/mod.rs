//! The handlers of the operations. Each is a function of one checked request and the state.

pub(crate) mod activation;
pub(crate) mod contact;
pub(crate) mod endings;
pub(crate) mod keys;
pub(crate) mod login;
pub(crate) mod passwords;
pub(crate) mod profiles;
pub(crate) mod registration;
pub(crate) mod settings;
pub(crate) mod usage;
pub(crate) mod users;
pub(crate) mod workspaces;
