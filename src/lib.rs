#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod account;
mod client;
pub mod clock;
mod error;
mod identity;
mod lifecycle;
mod open_enum;
mod operation;
mod profile_data;
pub mod random;
pub mod raw;
mod region;
mod reply;
mod retry;
mod secret;
mod session;
mod shape;
mod store;
mod token;
mod tracker;
mod transport;
mod usage;
mod user_info;

pub use account::{
    AccountDevice, Change, IpPolicy, IpPolicyAccess, NewAccount, Pin, ProfileSettings, Registration,
    SettingsAccess,
};
pub use client::{Client, ClientBuilder};
pub use error::{
    ActivationMethod, ApiError, Error, FieldError, InvalidInput, Result, SessionExpired, Timeout,
    UnexpectedResponse, Unreachable,
};
pub use identity::{Identity, LoginId, ProfileUuid, Visitor};
pub use lifecycle::{Event, Events, KeepAlive, RenewalPolicy, Status, TokenState};
pub use open_enum::{
    AccessRestriction, ConditionalLoginStatus, ConsumerType, ExternalProviderType, IdentityProvider,
    MfaMethod, PinConfirmationType, RegistrationType, TokenOrigin,
};
pub use profile_data::{Agreements, Attributes};
pub use region::Region;
pub use retry::RetryPolicy;
pub use secret::{ApiKey, Secret};
pub use session::{
    Anonymous, Conditional, ConditionalLogin, Customer, Direct, Kind, LoginUser, MfaChallenge,
    PermissionCheck, PortalUser, Profile, ProfileAccess, ProfileLogin, Request, Response, ServerSide,
    Session, User, UserAccess, UserLogin, Workspace, WorkspaceAdmin, WorkspaceUser,
};
pub use store::{MemoryStore, Saved, StoreError, StoreFuture, StoreKey, StoredToken, TokenStore};
pub use token::{Claims, Token};
pub use tracker::TrackerKey;
pub use usage::{DailyUsage, NewDataPoints, RetentionDataPoints, UsageQuery};
pub use user_info::{UserInfo, WorkspaceAccess, WorkspaceDetails, WorkspaceSummary};

// The types of other crates that stand in signatures here.
pub use {chrono, reqwest, serde_json, url, uuid};
