//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use synerise_auth_emulator::{Emulator, EmulatorBuilder, Stub};

use crate::input;

/// A stateful Synerise authentication server for tests and demos.
///
/// The first line on stdout is a JSON object: `base_url`, `workspace_guid`, `workspace_api_key`, `basic_api_key` (the
/// password to the GUID in Basic authentication), `profile_api_key`, `tracker_key`, and `user` (`username`, `password`,
/// `totp_secret`). SIGTERM and SIGINT stop the program.
#[derive(Debug, Parser)]
#[command(version)]
pub(crate) struct Arguments {
    /// The port to listen on; 0 picks a free one
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// The address to listen on. Any address other than loopback opens the emulator to the network
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,

    /// Lifetime of tokens, for instance 60s or 1h
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    token_lifetime: Option<Duration>,

    /// Lifetime of profile tokens, if it differs
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    profile_token_lifetime: Option<Duration>,

    /// Lifetime of user tokens, if it differs
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    user_token_lifetime: Option<Duration>,

    /// A JSON file with the initial settings of the workspace, as POST /sauth/settings/general takes them
    #[arg(long, value_name = "FILE")]
    settings: Option<PathBuf>,

    /// An endpoint outside of the emulated API, for callers with a valid token. May be repeated
    ///
    /// A segment of PATH in braces, such as {id}, stands for any segment. BODY is sent as it is, or read from a
    /// file with @FILE; an empty BODY sends no body.
    #[arg(
        long,
        value_names = ["METHOD", "PATH", "STATUS", "BODY"],
        num_args = 4,
        allow_hyphen_values = true
    )]
    stub: Vec<String>,
}

impl Arguments {
    /// The emulator that the arguments describe.
    pub(crate) fn builder(&self) -> Result<EmulatorBuilder, String> {
        let mut builder = Emulator::builder().port(self.port).address(self.address);
        if let Some(lifetime) = self.token_lifetime {
            builder = builder.token_lifetime(lifetime);
        }
        if let Some(lifetime) = self.profile_token_lifetime {
            builder = builder.profile_token_lifetime(lifetime);
        }
        if let Some(lifetime) = self.user_token_lifetime {
            builder = builder.user_token_lifetime(lifetime);
        }
        if let Some(file) = &self.settings {
            builder = builder.profile_settings(input::read_json(file)?);
        }
        for stub in self.stub.chunks_exact(4) {
            builder = builder.stub(&stub[0], &stub[1], stub_of(&stub[2], &stub[3])?);
        }
        Ok(builder)
    }
}

fn stub_of(status: &str, body: &str) -> Result<Stub, String> {
    let code = status.parse().ok().filter(|code| (200..=999).contains(code));
    let code = code.ok_or_else(|| format!("--stub: {status:?} is not a valid HTTP status (200 to 999)"))?;
    if body.is_empty() {
        return Ok(Stub::empty(code));
    }
    let (content_type, body) = input::stub_body(body)?;
    Ok(Stub::body(code, content_type, body))
}
