//! Configures and starts an emulator.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use crate::assumptions::Assumptions;
use crate::clock::EmulatorClock;
use crate::document::Document;
use crate::emulator::Emulator;
use crate::fault_script::Faults;
use crate::fixtures::Fixtures;
use crate::log::RequestLog;
use crate::operations::check_server_side_login_path;
use crate::pipeline::Shared;
use crate::server::Server;
use crate::state::workspaces::{check_settings, default_settings, merged_with_defaults};
use crate::state::{Lifetimes, State};
use crate::stub::{Stub, Stubs};

/// The documented default for profile tokens, used for the others as well.
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

/// Configuration of an emulator, from [`Emulator::builder`].
#[derive(Debug, Clone)]
#[must_use = "the emulator starts with `start`"]
pub struct EmulatorBuilder {
    address: SocketAddr,
    clock_at: Option<SystemTime>,
    lifetime: Duration,
    workspace_lifetime: Option<Duration>,
    profile_lifetime: Option<Duration>,
    user_lifetime: Option<Duration>,
    profile_settings: Option<Value>,
    unknown_settings: bool,
    assumptions: Assumptions,
    stubs: Vec<(String, String, Stub)>,
}

impl EmulatorBuilder {
    pub(crate) fn new() -> Self {
        Self {
            address: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            clock_at: None,
            lifetime: DEFAULT_LIFETIME,
            workspace_lifetime: None,
            profile_lifetime: None,
            user_lifetime: None,
            profile_settings: None,
            unknown_settings: false,
            assumptions: Assumptions::default(),
            stubs: Vec::new(),
        }
    }

    /// Sets the lifetime of tokens, for every kind without its own lifetime, in whole seconds, at least one. Default: an
    /// hour.
    pub fn token_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Sets the lifetime of workspace tokens.
    pub fn workspace_token_lifetime(self, lifetime: Duration) -> Self {
        Self {
            workspace_lifetime: Some(lifetime),
            ..self
        }
    }

    /// Sets the lifetime of profile tokens, including anonymous ones. It is the setting `tokenLifetimeInSeconds` of every
    /// workspace, and the value to which that setting returns when it is not sent.
    pub fn profile_token_lifetime(self, lifetime: Duration) -> Self {
        Self {
            profile_lifetime: Some(lifetime),
            ..self
        }
    }

    /// Sets the lifetime of user tokens.
    pub fn user_token_lifetime(self, lifetime: Duration) -> Self {
        Self {
            user_lifetime: Some(lifetime),
            ..self
        }
    }

    /// Starts the emulator's clock at this time. It stands still until a test moves it. Without this, the clock starts at
    /// the machine's time and runs. Times outside of the years 1970 to 9999 become the nearest one inside.
    pub fn clock_at(self, time: SystemTime) -> Self {
        Self {
            clock_at: Some(time),
            ..self
        }
    }

    /// Sets the port. Default: 0, which picks a free one.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// Sets the address to listen on. Default: 127.0.0.1. On an address that is not loopback, everyone who can reach the
    /// machine can use the emulator: it protects nothing.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address.set_ip(address);
        self
    }

    /// Sets the initial settings of the workspace, as `POST /sauth/settings/general` takes them. An unknown name is
    /// refused, because it is most likely a typing error; see [`allow_unknown_settings`](Self::allow_unknown_settings).
    pub fn profile_settings(self, settings: Value) -> Self {
        Self {
            profile_settings: Some(settings),
            ..self
        }
    }

    /// Allows [`profile_settings`](Self::profile_settings) to contain names that the document does not know, for tests of
    /// settings that the service may add.
    pub fn allow_unknown_settings(self) -> Self {
        Self {
            unknown_settings: true,
            ..self
        }
    }

    /// Sets what the emulator assumes where the documentation is silent.
    pub fn assumptions(self, assumptions: Assumptions) -> Self {
        Self { assumptions, ..self }
    }

    /// Adds an endpoint outside of the document, as [`Emulator::stub`] does. [`start`](Self::start) fails if no request
    /// could reach it.
    pub fn stub(mut self, method: &str, path: &str, stub: impl Into<Stub>) -> Self {
        self.stubs.push((method.to_owned(), path.to_owned(), stub.into()));
        self
    }

    /// Starts the emulator on its own thread. It stops when it is dropped.
    ///
    /// # Errors
    /// If the address cannot be listened on (the message names it), or the thread cannot be started. With
    /// [`io::ErrorKind::InvalidInput`] if the settings, the assumptions or a stub are not valid.
    pub async fn start(self) -> io::Result<Emulator> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
        check_server_side_login_path(&self.assumptions.server_side_login_path).map_err(invalid)?;
        let kind = |own: Option<Duration>| own.unwrap_or(self.lifetime).max(Duration::from_secs(1));
        let lifetimes = Lifetimes {
            workspace: kind(self.workspace_lifetime),
            profile: kind(self.profile_lifetime),
            user: kind(self.user_lifetime),
        };
        let clock = self
            .clock_at
            .map_or_else(EmulatorClock::running, EmulatorClock::standing_at);
        let mut state = State::new(lifetimes);
        let fixtures = Fixtures::create(&mut state, &self.assumptions, clock.now());
        let mut stubs = Stubs::default();
        for (method, path, stub) in self.stubs {
            stubs
                .add(&method, &path, stub, &self.assumptions)
                .map_err(|message| invalid(format!("stub: {message}")))?;
        }
        let document = Document::embedded().map_err(invalid)?;
        if let Some(sent) = &self.profile_settings {
            let defaults = default_settings(lifetimes.profile, &self.assumptions);
            if !self.unknown_settings {
                check_names(sent, &defaults).map_err(invalid)?;
            }
            state.workspaces[0].settings =
                initial_settings(sent, document, defaults, &self.assumptions).map_err(invalid)?;
        }
        let shared = Arc::new(Shared {
            clock,
            state: Mutex::new(state),
            assumptions: self.assumptions,
            document,
            faults: Faults::default(),
            log: RequestLog::default(),
            violations: Mutex::new(Vec::new()),
            stubs: Mutex::new(stubs),
        });
        let server = Server::start(self.address, Arc::clone(&shared)).await?;
        Ok(Emulator::new(server, shared, fixtures))
    }
}

/// Refuses settings that are not among the defaults.
fn check_names(sent: &Value, defaults: &Map<String, Value>) -> Result<(), String> {
    let mut names = sent.as_object().into_iter().flat_map(Map::keys);
    match names.find(|name| !defaults.contains_key(*name)) {
        None => Ok(()),
        Some(unknown) => {
            let known: Vec<_> = defaults.keys().map(String::as_str).collect();
            let known = known.join(", ");
            Err(format!(
                "settings: {unknown:?} is not a known setting; the known ones are {known}"
            ))
        }
    }
}

/// The initial settings of the workspace, checked as if they had been sent.
fn initial_settings(
    sent: &Value,
    document: &Document,
    defaults: Map<String, Value>,
    assumptions: &Assumptions,
) -> Result<Map<String, Value>, String> {
    let none = HashMap::new();
    document
        .check_request("replaceProfileSettings", &none, &none, Some(sent))
        .map_err(|error| match error.fields.first() {
            Some(problem) => format!("settings: {} {}", problem.field, problem.message),
            None => error.message,
        })?;
    let settings = merged_with_defaults(defaults, sent);
    check_settings(&settings, assumptions)
        .map_err(|(field, message)| format!("settings: {field} {message}"))?;
    Ok(settings)
}
