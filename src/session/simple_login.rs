//! Recognizes a customer by an identifier, without a password ("simple authentication").

use std::fmt;
use std::future::IntoFuture;
use std::sync::Arc;

use crate::api_key::ApiKeySource;
use crate::bindings::{conversions, types};
use crate::error::Result;
use crate::model::input::{custom_id, required, required_secret};
use crate::model::{Agreements, Attributes, LoginId, ProfileUuid, Sex};
use crate::operation;
use crate::secret::Secret;
use crate::transport::BoxFuture;

use super::kind::{Anonymous, Profile};
use super::login_response::profile_token_response;
use super::profile_login::ProfileLogins;
use super::profile_token::ProfileTokenSource;
use super::{Context, Session};

impl ProfileLogins {
    /// Recognizes a customer by an e-mail address or your own identifier, **without a password**, and creates the account if
    /// there is none. The login is sent when the returned value is awaited, with the visitor's token.
    ///
    /// Anybody who knows an identifier can log in as its owner. The workspace has to allow this for the API key. For a key
    /// with a salt, [`hash`](SimpleLoginRequest::hash) is needed as well. The key needs the permission
    /// `SAUTH_SIMPLE_AUTH_CREATE`.
    ///
    /// The visitor's session must use the same API key.
    ///
    /// Operation [`authenticateSimply`](crate::raw::Client::authenticate_simply) (`POST /sauth/v3/auth/login/client/simple-auth`, observed).
    ///
    /// ```no_run
    /// # async fn run(client: synerise_auth::Client, key: synerise_auth::ApiKey) -> synerise_auth::Result<()> {
    /// use synerise_auth::LoginId;
    ///
    /// let visitor = client.anonymous(key.clone(), "00000000-0000-4000-8000-000000000001");
    /// let login = client.profile(key).simple_login(&visitor, LoginId::email("a@b.example"));
    /// let profile = login.first_name("Jan").await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Awaiting the login returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the identifier is empty or the visitor belongs to
    /// another API key, and [`ErrorKind::Api`](crate::ErrorKind::Api) when the workspace does not allow it. Otherwise it fails like any
    /// [`Request`](crate::session::Request).
    #[doc(alias = "simple-auth")]
    pub fn simple_login(self, visitor: &Session<Anonymous>, id: LoginId) -> SimpleLoginRequest {
        SimpleLoginRequest {
            context: self.context,
            keys: self.keys,
            visitor: visitor.clone(),
            id,
            other_id: None,
            uuid: None,
            hash: None,
            agreements: Agreements::new(),
            attributes: Attributes::new(),
            texts: empty(),
        }
    }
}

/// A login without a password, under construction. Await it to send it.
///
/// A field that is not set is left out of the request.
#[must_use = "a login does nothing until it is awaited"]
pub struct SimpleLoginRequest {
    context: Arc<Context>,
    keys: ApiKeySource,
    visitor: Session<Anonymous>,
    id: LoginId,
    other_id: Option<LoginId>,
    uuid: Option<ProfileUuid>,
    hash: Option<Secret>,
    agreements: Agreements,
    attributes: Attributes,
    texts: types::SimpleAuthenticationRequest,
}

macro_rules! texts {
    ($($(#[$docs:meta])* $name:ident)+) => {
        $($(#[$docs])* pub fn $name(mut self, value: impl Into<String>) -> Self {
            self.texts.$name = Some(value.into());
            self
        })+
    };
}

impl SimpleLoginRequest {
    /// Sets the value of the header `X-Simple-Auth-Hash`, which a key with a salt needs. How it is made is not published.
    pub fn hash(mut self, hash: impl Into<Secret>) -> Self {
        self.hash = Some(hash.into());
        self
    }

    /// Sets a second identifier of the customer: your own one beside an e-mail address, or the other way round.
    pub fn also(mut self, id: LoginId) -> Self {
        self.other_id = Some(id);
        self
    }

    /// Sets the UUID of the profile.
    pub fn uuid(mut self, uuid: impl Into<ProfileUuid>) -> Self {
        self.uuid = Some(uuid.into());
        self
    }

    /// Sets the sex.
    pub fn sex(mut self, sex: impl Into<Sex>) -> Self {
        self.texts.sex = Some(sex.into());
        self
    }

    /// Sets the marketing agreements.
    pub fn agreements(mut self, agreements: Agreements) -> Self {
        self.agreements = agreements;
        self
    }

    /// Sets the attributes.
    pub fn attributes(mut self, attributes: Attributes) -> Self {
        self.attributes = attributes;
        self
    }

    /// Sets tags that group profiles.
    pub fn tags<T: Into<String>>(mut self, tags: impl IntoIterator<Item = T>) -> Self {
        self.texts.tags = tags.into_iter().map(Into::into).collect();
        self
    }

    texts! {
        /// Sets the first name.
        first_name
        /// Sets the last name.
        last_name
        /// Sets the name that is shown.
        display_name
        /// Sets the telephone number.
        phone
        /// Sets the date of birth.
        birth_date
        /// Sets the address of a picture.
        avatar_url
        /// Sets the company.
        company
        /// Sets the street and house number.
        address
        /// Sets the city.
        city
        /// Sets the province.
        province
        /// Sets the postal code.
        zip_code
        /// Sets the country's code.
        country_code
    }

    fn body(&self) -> Result<types::SimpleAuthenticationRequest> {
        let mut body = self.texts.clone();
        for id in [Some(&self.id), self.other_id.as_ref()].into_iter().flatten() {
            match id {
                LoginId::Email(email) => body.email = Some(required("e-mail address", email)?),
                LoginId::CustomId(id) => body.custom_id = Some(custom_id(id)?),
            }
        }
        body.uuid = self.uuid.as_ref().map(ProfileUuid::checked).transpose()?;
        body.agreements = conversions::agreements(self.agreements);
        body.attributes = conversions::attributes(self.attributes.clone());
        Ok(body)
    }
}

impl IntoFuture for SimpleLoginRequest {
    type Output = Result<Session<Profile>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let body = self.body()?;
            let hash = self.hash.as_ref();
            let hash = hash
                .map(|hash| required_secret("simple authentication hash", hash))
                .transpose()?;
            let raw = self.visitor.raw();
            let call = raw.authenticate_simply(hash.as_ref().map(Secret::expose), &body);
            let (answer, response) = call.read().await?;
            let operation = &operation::AUTHENTICATE_SIMPLY;
            let response = profile_token_response(operation, answer, &response);
            let source = ProfileTokenSource {
                transport: Arc::clone(&self.context.transport),
                config: Arc::clone(&self.context.config),
                keys: self.keys,
                session: self.context.new_session_id(response.text()),
                uuid: self.uuid.clone(),
                device_id: None,
                login_again: None,
            };
            let session = source.session(&self.context, response)?;
            // Without another UUID, the visitor's: the token of the request names it.
            let uuid = self.uuid.or_else(|| self.visitor.lifecycle().identity().uuid);
            let ids: Vec<_> = [&self.id].into_iter().chain(&self.other_id).collect();
            session.remember_owner(uuid.as_ref(), &ids);
            Ok(session)
        })
    }
}

impl fmt::Debug for SimpleLoginRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SimpleLoginRequest")
            .field("id", &self.id)
            .field("uuid", &self.uuid)
            .finish_non_exhaustive()
    }
}

/// Nothing is sent that the caller did not set.
fn empty() -> types::SimpleAuthenticationRequest {
    types::SimpleAuthenticationRequest {
        address: None,
        agreements: None,
        attributes: None,
        avatar_url: None,
        birth_date: None,
        city: None,
        company: None,
        country_code: None,
        custom_id: None,
        display_name: None,
        email: None,
        first_name: None,
        last_name: None,
        phone: None,
        province: None,
        sex: None,
        tags: Vec::new(),
        uuid: None,
        zip_code: None,
    }
}
