//! The table of operations that build.rs generates: what the document says about each operation besides its types.

use std::fmt;

pub use table::*;
pub(crate) use table::{RESERVED_ATTRIBUTES, SECRET_FIELDS};

mod table {
    #![allow(missing_docs, non_upper_case_globals, reason = "generated code")]

    use super::{
        Consumer, Evidence, Field, Forbidden, IfUnreadable, Operation, Security, Shape, Unauthorized,
    };

    include!(concat!(env!("OUT_DIR"), "/operations.rs"));
}

/// One operation of the vendored document.
#[non_exhaustive]
pub struct Operation {
    /// The operation's id in the document.
    pub id: &'static str,
    /// The name of its method in [`bindings::Client`](crate::bindings::Client).
    pub name: &'static str,
    /// The HTTP method.
    pub method: &'static str,
    /// The path, with its parameters in braces.
    pub path: &'static str,
    /// The authentication that it requires.
    pub security: Security,
    /// Whether it accepts Basic authentication in place of a bearer token, and how well that is known. `None` if nothing says
    /// that it does.
    pub basic: Option<Evidence>,
    /// How well its facts are known.
    pub evidence: Evidence,
    /// Where its facts come from.
    pub source: &'static str,
    /// The consumers that may call it.
    pub consumers: &'static [Consumer],
    /// Whether sending it twice has the same effect as sending it once.
    pub idempotent: bool,
    /// Whether it is never sent again once it may have been sent, whatever the response.
    pub send_once: bool,
    /// What a 401 refuses.
    pub unauthorized: Unauthorized,
    /// The permission that the caller's API key needs, where Synerise names it.
    pub permission: Option<&'static str>,
    /// What a 403 refuses.
    pub forbidden: Forbidden,
    pub(crate) response: Shape,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.id, self.method, self.path)
    }
}

/// The authentication that an operation requires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Security {
    /// Nothing.
    None,
    /// A bearer token, or nothing.
    OptionalBearer,
    /// A bearer token.
    Bearer,
}

/// What a 401 of an operation refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unauthorized {
    /// The token. A session discards it, and gets another one if it can.
    Token,
    /// The consumer or the request, such as a wrong code. Another token would be refused as well, so a session keeps its
    /// own.
    Consumer,
    /// The credentials in the request, or the token: the response does not say which. The request is not sent again, because
    /// wrong credentials would count twice. A session discards a token that is older than a minute, so that a revoked one
    /// does not stay, and wrong credentials don't cost a refresh each. If the response says that the token has expired, it
    /// counts as [`Token`](Self::Token).
    Credentials,
}

/// What a 403 of an operation refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Forbidden {
    /// The consumer, or the consumer's API key: it lacks a permission.
    Consumer,
    /// The old password, which has to confirm the call.
    OldPassword,
    /// The password or the identity provider's token, which has to confirm the call.
    PasswordOrToken,
    /// The token that was sent to the customer, which has to confirm the call.
    SentToken,
}

/// How well an operation's facts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// Synerise states them.
    Stated,
    /// They were observed in Synerise's own mobile apps, without a promise.
    /// [`ClientBuilder::operation_path`](crate::ClientBuilder::operation_path) overrides the path.
    Observed,
    /// Some of them were inferred. [`ClientBuilder::operation_path`](crate::ClientBuilder::operation_path) overrides the
    /// path.
    Inferred,
}

/// A consumer that may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Consumer {
    /// Somebody who has not logged in yet.
    Nobody,
    /// A backend, by its workspace API key.
    Workspace,
    /// A recognized customer.
    Profile,
    /// A customer who is not known yet.
    Anonymous,
    /// An operator of the portal, before a workspace is selected.
    User,
    /// An operator of the portal inside of a workspace.
    WorkspaceUser,
    /// An organization.
    Organization,
}

/// The shape of a JSON value, as the document gives it.
#[derive(Debug)]
pub(crate) enum Shape {
    /// No body is documented.
    Nothing,
    Any,
    Text,
    /// A text that is never converted from anything else.
    Secret,
    /// A Unix time. The field's name implies its unit. It may have a fraction or be written as a text.
    UnixTime,
    Date,
    DateTime,
    Integer,
    Number,
    Boolean,
    List(&'static Shape),
    Map(&'static Shape),
    Object(&'static [Field]),
    /// An object that is kept unchanged, because it is edited and sent back, with its documented names.
    Kept(&'static [&'static str]),
    /// The shape of a schema that has a name, and may contain itself.
    Named(&'static Shape),
}

/// How deep a shape is looked into: one with a name may contain itself.
const DEPTH: u32 = 8;

impl Shape {
    /// The shape itself, if this is only a name for one.
    pub(crate) fn resolved(&self) -> &Self {
        match self {
            Self::Named(shape) => shape.resolved(),
            shape => shape,
        }
    }

    /// Whether it is an object, or has objects in it.
    pub(crate) fn holds_object(&self) -> bool {
        match self.resolved() {
            Self::Object(_) => true,
            Self::List(inner) | Self::Map(inner) => inner.holds_object(),
            _ => false,
        }
    }

    /// Whether the absence of one of its fields decides something.
    pub(crate) fn holds_decision(&self) -> bool {
        self.holds_decision_above(DEPTH)
    }

    fn holds_decision_above(&self, depth: u32) -> bool {
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        match self.resolved() {
            Self::List(inner) | Self::Map(inner) => inner.holds_decision_above(depth),
            Self::Object(fields) => fields.iter().any(|field| {
                field.if_unreadable == IfUnreadable::Refuse || field.shape.holds_decision_above(depth)
            }),
            _ => false,
        }
    }

    /// Whether one of its fields is a secret.
    pub(crate) fn holds_secret(&self) -> bool {
        match self.resolved() {
            Self::Secret => true,
            Self::Object(fields) => fields
                .iter()
                .any(|field| matches!(field.shape.resolved(), Self::Secret)),
            _ => false,
        }
    }
}

/// A field of an object.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) required: bool,
    pub(crate) if_unreadable: IfUnreadable,
    pub(crate) shape: Shape,
}

/// What happens to a response with an unreadable field (`x-if-unreadable` in the document).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfUnreadable {
    /// The field is left out, with a warning: its absence decides nothing.
    LeaveOut,
    /// The response is refused, with an error that names the field: its absence would decide something.
    Refuse,
    /// The time is taken to be the earliest one, with a warning. Whatever ends then, ends too early rather than too late.
    Earliest,
}
