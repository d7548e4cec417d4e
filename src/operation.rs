//! The table of operations that build.rs generates: what the document says of each operation beside its types.

use std::fmt;

pub use table::*;
pub(crate) use table::{RESERVED_ATTRIBUTES, SECRET_FIELDS};

mod table {
    #![allow(missing_docs, reason = "generated code")]

    use super::{Consumer, Evidence, Field, IfUnreadable, Operation, Security, Shape, Unauthorized};

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
    /// What it has to be authenticated with.
    pub security: Security,
    /// How well its facts are known.
    pub evidence: Evidence,
    /// Where its facts come from.
    pub source: &'static str,
    /// Who may call it.
    pub consumers: &'static [Consumer],
    /// Whether sending it twice does no more than sending it once.
    pub idempotent: bool,
    /// Whether it is never sent again once it may have left, whatever the answer.
    pub send_once: bool,
    /// What a 401 refuses.
    pub unauthorized: Unauthorized,
    pub(crate) response: Shape,
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} {})", self.id, self.method, self.path)
    }
}

/// What an operation has to be authenticated with.
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
    /// The consumer or what it sent, such as a wrong code. Another token would be refused as well, so a session keeps its own.
    Consumer,
}

/// How well an operation's facts are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evidence {
    /// Synerise states them.
    Stated,
    /// Synerise's own mobile apps do it so, without a promise; [`ClientBuilder::operation_path`](crate::ClientBuilder::operation_path)
    /// overrides the path.
    Observed,
    /// Something about them had to be concluded; [`ClientBuilder::operation_path`](crate::ClientBuilder::operation_path)
    /// overrides the path.
    Inferred,
}

/// Who may call an operation.
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
    /// A Unix time, in a unit that the field's name implies; it may have a fraction or be written as a text.
    UnixTime,
    Date,
    DateTime,
    Integer,
    Number,
    Boolean,
    List(&'static Shape),
    Map(&'static Shape),
    Object(&'static [Field]),
    /// An object that is kept as it comes, because it is changed and sent back; with its documented names.
    Kept(&'static [&'static str]),
}

impl Shape {
    /// Whether a secret is among its fields.
    pub(crate) fn holds_secret(&self) -> bool {
        match self {
            Self::Secret => true,
            Self::Object(fields) => fields.iter().any(|field| matches!(field.shape, Self::Secret)),
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

/// What becomes of a response whose field is there but can't be read (`x-if-unreadable` in the document).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IfUnreadable {
    /// The field is left out, with a warning: nothing is decided by its absence.
    LeaveOut,
    /// The response is refused, with an error that names the field: its absence would decide something.
    Refuse,
    /// A time is taken to be the earliest one, with a warning: whatever ends then, ends too early rather than too late.
    Earliest,
}
