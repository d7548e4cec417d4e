//! Settings from a service's own configuration, or from the environment.
//!
//! ```
//! use serde::Deserialize;
//! use synerise_auth::{Client, Config};
//!
//! #[derive(Deserialize)]
//! struct Settings {
//!     port: u16,
//!     synerise: Config,
//! }
//!
//! let settings: Settings = serde_json::from_str(
//!     r#"{ "port": 8080, "synerise": { "region": "azure-eu", "api_key_file": "/run/secrets/synerise", "call_timeout": "20s" } }"#,
//! ).unwrap();
//! let client = Client::builder().config(&settings.synerise).build()?;
//! # Ok::<(), synerise_auth::Error>(())
//! ```

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::api_key::{ApiKey, ApiKeySource, Variables};
use crate::error::{Error, Result};
use crate::region::Region;

mod fields;

use fields::{Fields, Key};

/// The variable of the API key. The file is named by the same with `_FILE` at its end.
const API_KEY: &str = "SYNERISE_API_KEY";

/// The settings of a client, for a service's own configuration. Everything is optional.
///
/// | field | variable | |
/// |---|---|---|
/// | `region` | `SYNERISE_REGION` | `azure-eu` (the default), `azure-us` or `gcp` |
/// | `base_url` | `SYNERISE_BASE_URL` | another address, instead of a region |
/// | `api_key` | `SYNERISE_API_KEY` | the key itself |
/// | `api_key_file` | `SYNERISE_API_KEY_FILE` | a file with the key, which is read before each login |
/// | `app` | `SYNERISE_APP` | your application's name and version, for the `User-Agent` |
/// | `connect_timeout` | `SYNERISE_CONNECT_TIMEOUT` | see [`ClientBuilder::connect_timeout`](crate::ClientBuilder::connect_timeout) |
/// | `attempt_timeout` | `SYNERISE_ATTEMPT_TIMEOUT` | see [`ClientBuilder::attempt_timeout`](crate::ClientBuilder::attempt_timeout) |
/// | `call_timeout` | `SYNERISE_CALL_TIMEOUT` | see [`ClientBuilder::call_timeout`](crate::ClientBuilder::call_timeout) |
/// | `refresh_margin` | `SYNERISE_REFRESH_MARGIN` | see [`RefreshPolicy::with_margin`](crate::lifecycle::RefreshPolicy::with_margin) |
/// | `refresh_timeout` | `SYNERISE_REFRESH_TIMEOUT` | see [`RefreshPolicy::with_timeout`](crate::lifecycle::RefreshPolicy::with_timeout) |
/// | `max_attempts` | `SYNERISE_MAX_ATTEMPTS` | see [`RetryPolicy::with_max_attempts`](crate::client::RetryPolicy::with_max_attempts) |
///
/// Durations are written with their units: `500ms`, `20s`, `1m 30s`. Unknown fields are refused, and so are a region and a base URL
/// that contradict each other. There is no `Serialize`, so the key is never written by accident. With the feature `schemars` there is
/// a JSON schema.
///
/// What is wrong with a key is an error of [`api_key`](Self::api_key), and not of the deserialization: a format's own errors may quote
/// the line. The `Debug` of `toml::de::Error` even contains the whole file, whatever the mistake. So print the `Display` of such errors,
/// or keep the key in a file of its own and name it by `api_key_file`.
#[derive(Clone, Default)]
pub struct Config {
    address: Option<String>,
    /// With the error that its use returns.
    api_key: Option<Result<ApiKeySource>>,
    pub(crate) app: Option<String>,
    pub(crate) connect_timeout: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) call_timeout: Option<Duration>,
    pub(crate) refresh_margin: Option<Duration>,
    pub(crate) refresh_timeout: Option<Duration>,
    pub(crate) max_attempts: Option<u32>,
}

impl Config {
    /// Reads the settings from the environment's variables. An empty variable counts as not set.
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when a variable can't be read, or two contradict each
    /// other; fails like [`ApiKey::from_file`] when the key's file can't be read. Errors name the variable, never its value.
    pub fn from_env() -> Result<Self> {
        Self::read(Variables::of_the_process())
    }

    /// Reads the same settings from variables that `lookup` returns by their names. For tests, and for variables that come from
    /// elsewhere.
    ///
    /// ```
    /// use synerise_auth::Config;
    ///
    /// let config = Config::from_variables(|name| (name == "SYNERISE_REGION").then(|| "gcp".into()))?;
    /// assert_eq!(config.base_url(), Some("https://api.geb.synerise.com"));
    /// # Ok::<(), synerise_auth::Error>(())
    /// ```
    ///
    /// # Errors
    /// Fails like [`from_env`](Self::from_env).
    pub fn from_variables(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self> {
        Self::read(Variables::new(&lookup))
    }

    fn read(variables: Variables<'_>) -> Result<Self> {
        let named = |name: &'static str| move |error: Error| in_variable(&error, name);
        let duration = |name: &'static str| match variables.get(name)? {
            Some(text) => fields::duration(&text).map(Some).map_err(named(name)),
            None => Ok(None),
        };
        let region = match variables.get("SYNERISE_REGION")? {
            Some(name) => Some(name.parse::<Region>().map_err(named("SYNERISE_REGION"))?),
            None => None,
        };
        let base_url = variables.get("SYNERISE_BASE_URL")?;
        let has_key = variables.get(API_KEY)?.is_some() || variables.get("SYNERISE_API_KEY_FILE")?.is_some();
        Ok(Self {
            address: address(region, base_url.map(|url| url.as_str().to_owned()))
                .map_err(|error| error.in_input("environment variable SYNERISE_BASE_URL"))?,
            api_key: has_key
                .then(|| ApiKeySource::from_variables(API_KEY, variables))
                .transpose()?
                .map(Ok),
            app: variables.get("SYNERISE_APP")?.map(|app| app.as_str().to_owned()),
            connect_timeout: duration("SYNERISE_CONNECT_TIMEOUT")?,
            attempt_timeout: duration("SYNERISE_ATTEMPT_TIMEOUT")?,
            call_timeout: duration("SYNERISE_CALL_TIMEOUT")?,
            refresh_margin: duration("SYNERISE_REFRESH_MARGIN")?,
            refresh_timeout: duration("SYNERISE_REFRESH_TIMEOUT")?,
            max_attempts: match variables.get("SYNERISE_MAX_ATTEMPTS")? {
                Some(text) => Some(fields::attempts(&text).map_err(named("SYNERISE_MAX_ATTEMPTS"))?),
                None => None,
            },
        })
    }

    /// Returns the base URL, of the region or as it was given. `None` when neither was.
    pub fn base_url(&self) -> Option<&str> {
        self.address.as_deref()
    }

    /// Returns where the API key comes from. All clones of the configuration lead to the same session.
    ///
    /// ```no_run
    /// # fn run(client: synerise_auth::Client, config: synerise_auth::Config) -> synerise_auth::Result<()> {
    /// let workspace = client.workspace(config.api_key()?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// Returns [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) when the configuration has none, or what it has can't be
    /// a key.
    pub fn api_key(&self) -> Result<ApiKeySource> {
        self.api_key.clone().unwrap_or_else(|| {
            Err(Error::invalid_input(
                "API key",
                "is not in the configuration",
                "set api_key or api_key_file (SYNERISE_API_KEY or SYNERISE_API_KEY_FILE in the environment)",
            ))
        })
    }

    /// Returns whether the configuration has an API key, or something in its place.
    ///
    /// With a configuration of two layers, it says whose key counts:
    ///
    /// ```
    /// # fn run(file: &synerise_auth::Config) -> synerise_auth::Result<()> {
    /// use synerise_auth::{Client, Config};
    ///
    /// let environment = Config::from_env()?;
    /// // What the environment sets replaces what is in the file.
    /// let client = Client::builder().config(file).config(&environment).build()?;
    /// let layer = if environment.has_api_key() { &environment } else { file };
    /// let workspace = client.workspace(layer.api_key()?);
    /// # Ok(()) }
    /// ```
    pub fn has_api_key(&self) -> bool {
        self.api_key.is_some()
    }
}

fn in_variable(error: &Error, name: &str) -> Error {
    error.clone().in_input(&format!("environment variable {name}"))
}

/// The address that a region and a base URL lead to.
fn address(region: Option<Region>, base_url: Option<String>) -> Result<Option<String>> {
    match (region, base_url) {
        (Some(region), Some(url)) if url.trim_end_matches('/') != region.base_url() => {
            Err(Error::invalid_input(
                "base URL",
                "is set, and so is a region with another address",
                "set one of them",
            ))
        }
        (_, Some(url)) => Ok(Some(url)),
        (region, None) => Ok(region.map(|region| region.base_url().to_owned())),
    }
}

impl TryFrom<Fields> for Config {
    type Error = Error;

    fn try_from(fields: Fields) -> Result<Self> {
        let api_key = match (fields.api_key, fields.api_key_file) {
            (Some(_), Some(_)) => Some(Err(Error::invalid_input(
                "api_key",
                "is set, and so is api_key_file",
                "set one of them, so that it is clear which key counts",
            ))),
            (Some(Key(Some(key))), None) => Some(ApiKey::try_from(key).map(ApiKeySource::from)),
            (Some(Key(None)), None) => Some(Err(Error::invalid_input(
                "api_key",
                "in the configuration is not a string",
                "put it in quotes",
            ))),
            (None, Some(path)) => Some(Ok(ApiKeySource::file(PathBuf::from(path.0)))),
            (None, None) => None,
        };
        Ok(Self {
            address: address(fields.region, fields.base_url.map(|url| url.0))?,
            api_key,
            app: fields.app,
            connect_timeout: fields.connect_timeout.map(|time| time.0),
            attempt_timeout: fields.attempt_timeout.map(|time| time.0),
            call_timeout: fields.call_timeout.map(|time| time.0),
            refresh_margin: fields.refresh_margin.map(|time| time.0),
            refresh_timeout: fields.refresh_timeout.map(|time| time.0),
            max_attempts: fields.max_attempts,
        })
    }
}

impl<'de> Deserialize<'de> for Config {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fields = Fields::deserialize(deserializer)?;
        Self::try_from(fields).map_err(serde::de::Error::custom)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for Config {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SyneriseConfig".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Fields::json_schema(generator)
    }
}

/// Without the base URL, which may have a password in it by mistake.
impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config")
            .field("api_key", &self.api_key)
            .field("app", &self.app)
            .field("connect_timeout", &self.connect_timeout)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("call_timeout", &self.call_timeout)
            .field("refresh_margin", &self.refresh_margin)
            .field("refresh_timeout", &self.refresh_timeout)
            .field("max_attempts", &self.max_attempts)
            .finish_non_exhaustive()
    }
}
