//! Reads, changes and writes back a document of settings.

use std::fmt;
use std::marker::PhantomData;

use serde_json::Value;

use crate::bindings::{Call, Client, RawObject, coerce};
use crate::error::{Error, Result};
use crate::foreign_json::without_mark;
use crate::observability::RESPONSE;
use crate::operation::{Operation, Shape};
use crate::session::Session;
use crate::session::authentication::{Authentication, Tokens};
use crate::session::kind::WorkspaceAdmin;
use crate::transport::BufferedResponse;

use super::change::{Change, changes};

pub(super) mod sealed {
    use super::{Call, Client, Fields, Operation, RawObject, Result};

    /// How one kind of settings is fetched, parsed, changed and sent.
    pub trait Document: Clone + Send {
        const READ: &'static Operation;
        const REPLACE: &'static Operation;

        fn fetch(raw: &Client) -> Call<'_, RawObject>;

        fn replace<'a>(raw: &'a Client, document: &'a RawObject) -> Call<'a, RawObject>;

        fn read(fields: &mut Fields<'_>) -> Result<Self>;

        /// Sets the fields that differ from `before`, and no others.
        fn write(&self, before: &Self, document: &mut RawObject) -> Result<()>;
    }
}

/// A document of settings: [`ProfileSettings`](super::ProfileSettings) or [`IpPolicy`](super::IpPolicy).
pub trait SettingsDocument: sealed::Document {}

/// The settings `D` of a workspace. A session of kind `K`, authenticated by `A`, reads and changes them.
pub struct Settings<'a, K, D, A = Tokens> {
    session: &'a Session<K, A>,
    document: PhantomData<fn() -> D>,
}

impl<'a, K, D, A> Settings<'a, K, D, A> {
    pub(super) fn new(session: &'a Session<K, A>) -> Self {
        Self {
            session,
            document: PhantomData,
        }
    }
}

impl<K: WorkspaceAdmin, D: SettingsDocument, A: Authentication> Settings<'_, K, D, A> {
    /// Fetches the current settings.
    ///
    /// Operations [`getProfileSettings`](crate::raw::Client::get_profile_settings) (`GET /sauth/settings/general`) or
    /// [`getIpPolicy`](crate::raw::Client::get_ip_policy) (`GET /uauth/settings/user-bp-ip-policy`).
    ///
    /// # Errors
    /// Fails like any [`Request`](crate::session::Request), and with
    /// [`ErrorKind::UnexpectedResponse`](crate::ErrorKind::UnexpectedResponse) when a field that decides something can't be read.
    pub async fn get(&self) -> Result<D> {
        self.read().await.map(|(_, settings)| settings)
    }

    /// Changes settings: fetches them, passes them to `change`, and writes all of them back, because the service resets
    /// every field that is not sent. A value that `change` leaves alone is sent back byte for byte, even if this version
    /// does not know it or can't read it. If nothing changed, nothing is written.
    ///
    /// Returns what changed, by comparing the fetched settings with the service's response. Someone else's change between
    /// the read and the write is overwritten: the service has no way to notice.
    ///
    /// Operations of [`get`](Self::get), then [`replaceProfileSettings`](crate::raw::Client::replace_profile_settings)
    /// (`POST /sauth/settings/general`) or [`replaceIpPolicy`](crate::raw::Client::replace_ip_policy)
    /// (`POST /uauth/settings/user-bp-ip-policy`).
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput), with nothing written, if a new value can't be
    /// sent, or if `change` changes a list with elements that this version can't read.
    ///
    /// ```no_run
    /// # async fn run(workspace: synerise_auth::WorkspaceSession) -> synerise_auth::Result<()> {
    /// use std::time::Duration;
    /// use synerise_auth::settings::Registration;
    ///
    /// let changes = workspace
    ///     .profile_settings()
    ///     .update(|settings| settings.registration = Registration::pin(6, Duration::from_secs(300)))
    ///     .await?;
    /// workspace.ip_policy().update(|policy| policy.addresses.push("192.0.2.17".into())).await?;
    /// # Ok(()) }
    /// ```
    pub async fn update(&self, change: impl FnOnce(&mut D)) -> Result<Vec<Change>> {
        let (document, before) = self.read().await?;
        let mut after = before.clone();
        change(&mut after);
        let mut wanted = document.clone();
        after.write(&before, &mut wanted)?;
        if wanted == document {
            return Ok(Vec::new());
        }
        let raw = self.session.raw();
        let response = D::replace(&raw, &wanted).response().await?;
        if response.body.trim_ascii().is_empty() {
            return Ok(changes(&document, &wanted));
        }
        let answered = parse(D::REPLACE, &response)?;
        // A response without any of the settings, such as a status, says nothing about them.
        let has_settings = answered.names().any(|name| wanted.get(name).is_some());
        Ok(changes(&document, if has_settings { &answered } else { &wanted }))
    }

    async fn read(&self) -> Result<(RawObject, D)> {
        let raw = self.session.raw();
        let response = D::fetch(&raw).response().await?;
        let document = parse(D::READ, &response)?;
        let settings = D::read(&mut Fields {
            operation: D::READ,
            status: response.status(),
            document: &document,
            unreadable: Vec::new(),
        })?;
        Ok((document, settings))
    }
}

/// Parses a document. It must be an object, because anything else can't be changed and written back.
fn parse(operation: &Operation, response: &BufferedResponse) -> Result<RawObject> {
    serde_json::from_slice(without_mark(&response.body)).map_err(|_| {
        let problem = "it is not a JSON object of settings";
        Error::unexpected_response(operation.id.into(), response.status(), problem)
    })
}

/// The fields of a document, read by type. An unreadable field is noted, with a warning, and looks like a missing one.
#[derive(Debug)]
pub struct Fields<'a> {
    operation: &'static Operation,
    status: u16,
    document: &'a RawObject,
    unreadable: Vec<&'static str>,
}

impl Fields<'_> {
    pub(super) fn text(&mut self, name: &'static str) -> Option<String> {
        match self.read(name, &Shape::Text) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        }
    }

    pub(super) fn flag(&mut self, name: &'static str) -> Option<bool> {
        self.read(name, &Shape::Boolean)?.as_bool()
    }

    /// A non-negative whole number within the range of its type.
    pub(super) fn number<N: TryFrom<u64>>(&mut self, name: &'static str) -> Option<N> {
        let number = self.read(name, &Shape::Integer)?;
        let number = number.as_u64().and_then(|number| number.try_into().ok());
        if number.is_none() {
            self.unreadable.push(name);
        }
        number
    }

    /// The elements of a list that are texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Vec<String> {
        let items = match self.document.value(name) {
            None | Some(Value::Null) => return Vec::new(),
            Some(Value::Array(items)) => items,
            Some(_) => {
                self.left_out(name, "is not a list");
                return Vec::new();
            }
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match item {
                Value::String(text) => texts.push(text),
                _ => self.left_out(name, "has an element that is not a text"),
            }
        }
        texts
    }

    /// A flag whose absence has a meaning. An unreadable one is an error.
    pub(super) fn deciding_flag(&mut self, name: &'static str) -> Result<Option<bool>> {
        let flag = self.flag(name);
        if self.unreadable.contains(&name) {
            let problem = format!("the field `{name}` is neither true nor false");
            return Err(Error::unexpected_response(
                self.operation.id.into(),
                self.status,
                problem,
            ));
        }
        Ok(flag)
    }

    /// The fields that exist and could not be read.
    pub(super) fn unreadable(&mut self) -> Vec<&'static str> {
        self.unreadable.dedup();
        std::mem::take(&mut self.unreadable)
    }

    fn read(&mut self, name: &'static str, shape: &Shape) -> Option<Value> {
        let value = self.document.value(name).filter(|value| !value.is_null())?;
        let value = coerce::field(self.operation, name, value, shape);
        if value.is_none() {
            self.unreadable.push(name);
        }
        value
    }

    fn left_out(&mut self, name: &'static str, problem: &'static str) {
        tracing::warn!(target: RESPONSE, operation = self.operation.id, field = name, "a setting {problem}");
        self.unreadable.push(name);
    }
}

impl<K, D, A: Authentication> fmt::Debug for Settings<'_, K, D, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Settings").field(self.session).finish()
    }
}

impl<K, D, A> Clone for Settings<'_, K, D, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K, D, A> Copy for Settings<'_, K, D, A> {}

/// A document that is read, changed and written, without a server.
#[cfg(any(test, fuzzing))]
pub(crate) fn rewritten<D: sealed::Document>(
    document: &RawObject,
    change: impl FnOnce(&mut D),
) -> Result<RawObject> {
    let before = D::read(&mut Fields {
        operation: D::READ,
        status: 200,
        document,
        unreadable: Vec::new(),
    })?;
    let mut after = before.clone();
    change(&mut after);
    let mut wanted = document.clone();
    after.write(&before, &mut wanted)?;
    Ok(wanted)
}

#[cfg(test)]
pub(super) mod tests {
    use super::sealed::Document;
    use super::{RawObject, Result, rewritten};

    /// A document that is read, changed and written, as its JSON text.
    pub(in crate::settings) fn changed<D: Document>(
        text: &str,
        change: impl FnOnce(&mut D),
    ) -> Result<String> {
        let document: RawObject = serde_json::from_str(text).unwrap();
        Ok(serde_json::to_string(&rewritten(&document, change)?).unwrap())
    }
}
