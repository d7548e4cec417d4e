#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod client;
pub mod clock;
mod error;
mod lifecycle;
mod open_enum;
mod operation;
pub mod random;
pub mod raw;
mod region;
mod retry;
mod secret;
mod session;
mod shape;
mod token;
mod transport;

pub use client::{Client, ClientBuilder};
pub use error::{
    ActivationMethod, ApiError, Error, FieldError, InvalidInput, Result, SessionExpired, Timeout,
    UnexpectedResponse, Unreachable,
};
pub use lifecycle::{Event, Events, KeepAlive, RenewalPolicy, Status, TokenState};
pub use open_enum::{
    AccessRestriction, ConditionalLoginStatus, ConsumerType, ExternalProviderType, IdentityProvider,
    MfaMethod, PinConfirmationType, RegistrationType, TokenOrigin,
};
pub use region::Region;
pub use retry::RetryPolicy;
pub use secret::{ApiKey, Secret};
pub use session::{Anonymous, Kind, Profile, Request, Response, Session, User, Workspace, WorkspaceUser};
pub use token::{Claims, Token};
