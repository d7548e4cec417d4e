//! Building and starting an emulator.

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

/// How long a token lives where nothing else is said (documented for profile tokens).
const DEFAULT_LIFETIME: Duration = Duration::from_secs(3600);

/// How an emulator is to be; [`Emulator::builder`] makes one.
#[derive(Debug, Clone)]
#[must_use = "an emulator starts with `start`"]
pub struct EmulatorBuilder {
    address: SocketAddr,
    clock_at: Option<SystemTime>,
    lifetime: Duration,
    workspace_lifetime: Option<Duration>,
    profile_lifetime: Option<Duration>,
    user_lifetime: Option<Duration>,
    profile_settings: Option<Value>,
    assumptions: Assumptions,
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
            assumptions: Assumptions::default(),
        }
    }

    /// How long tokens live, of every kind for which nothing else is said. Whole seconds count, at least one.
    /// Default: an hour.
    pub fn token_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// How long workspace tokens live.
    pub fn workspace_token_lifetime(self, lifetime: Duration) -> Self {
        Self {
            workspace_lifetime: Some(lifetime),
            ..self
        }
    }

    /// How long profile tokens live, anonymous ones included: the setting `tokenLifetimeInSeconds` of every
    /// workspace, and what it goes back to when it is not sent.
    pub fn profile_token_lifetime(self, lifetime: Duration) -> Self {
        Self {
            profile_lifetime: Some(lifetime),
            ..self
        }
    }

    /// How long user tokens live.
    pub fn user_token_lifetime(self, lifetime: Duration) -> Self {
        Self {
            user_lifetime: Some(lifetime),
            ..self
        }
    }

    /// Starts the emulator's clock at this time, standing still; a test moves it. Without it the clock starts at
    /// the machine's time and runs.
    pub fn clock_at(self, time: SystemTime) -> Self {
        Self {
            clock_at: Some(time),
            ..self
        }
    }

    /// The port. Default: 0, one that the system picks.
    pub fn port(mut self, port: u16) -> Self {
        self.address.set_port(port);
        self
    }

    /// The address to listen on. Default: 127.0.0.1. On any other address whoever reaches the machine reaches the
    /// emulator, which guards nothing.
    pub fn address(mut self, address: IpAddr) -> Self {
        self.address.set_ip(address);
        self
    }

    /// The settings that the seeded workspace starts with, as `POST /sauth/settings/general` takes them.
    pub fn profile_settings(self, settings: Value) -> Self {
        Self {
            profile_settings: Some(settings),
            ..self
        }
    }

    /// What the emulator does where the documentation is silent.
    pub fn assumptions(self, assumptions: Assumptions) -> Self {
        Self { assumptions, ..self }
    }

    /// Starts the emulator, on a thread of its own. It stops when it is dropped.
    ///
    /// # Errors
    /// If the port cannot be had, or the thread not be started; and [`io::ErrorKind::InvalidInput`] if the settings
    /// or the assumptions are not valid.
    pub async fn start(self) -> io::Result<Emulator> {
        let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
        check_server_side_login_path(&self.assumptions.server_side_login_path).map_err(invalid)?;
        let kind = |own: Option<Duration>| own.unwrap_or(self.lifetime).max(Duration::from_secs(1));
        let lifetimes = Lifetimes {
            workspace: kind(self.workspace_lifetime),
            profile: kind(self.profile_lifetime),
            user: kind(self.user_lifetime),
        };
        let clock = Arc::new(
            self.clock_at
                .map_or_else(EmulatorClock::running, EmulatorClock::standing_at),
        );
        let mut state = State::new(lifetimes);
        let fixtures = Fixtures::create(&mut state, &self.assumptions, clock.now());
        let document = Document::embedded().map_err(invalid)?;
        if let Some(sent) = &self.profile_settings {
            state.workspaces[0].settings =
                initial_settings(sent, &document, lifetimes, &self.assumptions).map_err(invalid)?;
        }
        let shared = Arc::new(Shared {
            clock,
            state: Mutex::new(state),
            assumptions: self.assumptions,
            document,
            faults: Faults::default(),
            log: RequestLog::default(),
            violations: Mutex::new(Vec::new()),
            stubs: Mutex::default(),
        });
        let server = Server::start(self.address, Arc::clone(&shared)).await?;
        Ok(Emulator::new(server, shared, fixtures))
    }
}

/// The settings that the seeded workspace starts with, judged as if they had been sent.
fn initial_settings(
    sent: &Value,
    document: &Document,
    lifetimes: Lifetimes,
    assumptions: &Assumptions,
) -> Result<Map<String, Value>, String> {
    let none = HashMap::new();
    document
        .check_request("replaceProfileSettings", &none, &none, Some(sent))
        .map_err(|error| {
            let problem = error.fields.first();
            problem.map_or(error.message, |problem| {
                format!("settings: {} {}", problem.field, problem.message)
            })
        })?;
    let settings = merged_with_defaults(default_settings(lifetimes.profile, assumptions), sent);
    check_settings(&settings, assumptions)
        .map_err(|(field, message)| format!("settings: {field} {message}"))?;
    Ok(settings)
}
