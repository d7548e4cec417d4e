//! Real processes that share tokens.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use synerise_auth_emulator::Emulator;

/// What a process on a busy machine may take for anything.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Member {
    process: Child,
    input: Option<ChildStdin>,
    lines: Receiver<String>,
}

/// What a process saw.
#[derive(Debug)]
pub(crate) struct Summary {
    pub(crate) errors: u64,
    pub(crate) expired: u64,
    pub(crate) first: Duration,
    pub(crate) worst: Duration,
    pub(crate) tokens: Vec<String>,
    /// The first error.
    pub(crate) error: Option<String>,
}

/// Starts processes that are ready to begin.
pub(crate) fn members(count: usize, emulator: &Emulator, settings: &[(&str, &str)]) -> Vec<Member> {
    let members: Vec<Member> = (0..count).map(|_| Member::start(emulator, settings)).collect();
    for member in &members {
        member.expect("ready");
    }
    members
}

/// Lets them all begin at once.
pub(crate) fn begin(members: &mut [Member]) {
    for member in members {
        member.begin();
    }
}

/// Ends them, and collects what they saw.
pub(crate) fn end(members: Vec<Member>) -> Vec<Summary> {
    let mut members = members;
    for member in &mut members {
        member.input = None;
    }
    members.iter_mut().map(Member::summary).collect()
}

/// All tokens that any of them saw.
pub(crate) fn tokens(summaries: &[Summary]) -> BTreeSet<&str> {
    summaries
        .iter()
        .flat_map(|summary| &summary.tokens)
        .map(String::as_str)
        .collect()
}

/// No process had an error or used a token after its time.
pub(crate) fn assert_well(summaries: &[Summary]) {
    for summary in summaries {
        assert_eq!(
            (summary.errors, summary.expired, &summary.error),
            (0, 0, &None),
            "{summary:?}"
        );
    }
}

impl Member {
    fn start(emulator: &Emulator, settings: &[(&str, &str)]) -> Self {
        let mut command = Command::new(program());
        command
            .env("FLEET_BASE_URL", emulator.base_url())
            .env("FLEET_API_KEY", &emulator.workspace().workspace_api_key)
            .envs(
                settings
                    .iter()
                    .map(|(name, value)| (format!("FLEET_{name}"), value)),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let input = process.stdin.take();
        Self {
            process,
            input,
            lines,
        }
    }

    pub(crate) fn begin(&mut self) {
        writeln!(self.input.as_mut().unwrap(), "begin").unwrap();
    }

    /// Waits for a line that begins so.
    pub(crate) fn expect(&self, beginning: &str) -> String {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the process goes on");
            if line.starts_with(beginning) {
                return line;
            }
        }
    }

    /// As SIGKILL, SIGSTOP and SIGCONT do.
    pub(crate) fn signal(&self, signal: &str) {
        let id = self.process.id().to_string();
        let status = Command::new("kill").args([&format!("-{signal}"), &id]).status();
        assert!(status.unwrap().success());
    }

    fn summary(&mut self) -> Summary {
        let mut error = None;
        let line = loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("the process goes on");
            if line.starts_with("asked=") {
                break line;
            }
            if line.starts_with("error") {
                error.get_or_insert(line);
            }
        };
        let field = |name: &str| {
            let value = line.split(' ').find_map(|field| field.strip_prefix(name));
            value.unwrap().to_owned()
        };
        let number = |name: &str| field(name).parse::<u64>().unwrap();
        Summary {
            errors: number("errors="),
            expired: number("expired="),
            first: Duration::from_millis(number("first_ms=")),
            worst: Duration::from_millis(number("worst_ms=")),
            tokens: field("tokens=").split(',').map(str::to_owned).collect(),
            error,
        }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// `cargo test` builds it beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let program = folder
        .join("examples")
        .join(format!("fleet_member{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.exists(),
        "no fleet_member: build it by `cargo build --package synerise-auth-redis --examples`"
    );
    program
}
