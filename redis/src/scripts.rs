//! The three scripts, and what their answers mean.
//!
//! A script is sent by its hash, and in full when the server does not know it: after a restart, a failover, or `SCRIPT
//! FLUSH`. `SCRIPT LOAD` is not used, because proxies and the rights of many users forbid it.

use std::time::Duration;

use redis::{Cmd, Script, Value};

use crate::connection::{Failure, Keeper};
use crate::names::Names;
use crate::problem;
use crate::seal::VERSION;

#[derive(Debug)]
pub(crate) struct Scripts {
    take: Text,
    keep: Text,
    release: Text,
}

#[derive(Debug)]
struct Text {
    code: &'static str,
    hash: String,
}

impl Text {
    fn new(code: &'static str) -> Self {
        let hash = Script::new(code).get_hash().to_owned();
        Self { code, hash }
    }

    async fn run(&self, keeper: &Keeper, keys: &[&str], arguments: &[&[u8]]) -> Result<Value, Failure> {
        match keeper
            .send(&command("EVALSHA", &self.hash, keys, arguments))
            .await
        {
            Err(Failure::Redis(error)) if problem::is_missing_script(&error) => {
                self.run_in_full(keeper, keys, arguments).await
            }
            outcome => outcome,
        }
    }

    async fn run_in_full(
        &self,
        keeper: &Keeper,
        keys: &[&str],
        arguments: &[&[u8]],
    ) -> Result<Value, Failure> {
        keeper.send(&command("EVAL", self.code, keys, arguments)).await
    }
}

fn command(name: &str, script: &str, keys: &[&str], arguments: &[&[u8]]) -> Cmd {
    let mut command = Cmd::new();
    command.arg(name).arg(script).arg(keys.len());
    command.arg(keys).arg(arguments);
    command
}

/// What `take` answers.
#[derive(Debug)]
pub(crate) enum Taken {
    /// There is a newer record.
    Record(Vec<u8>),
    /// The lease, with the generation to save with.
    Lease(u64),
    /// Somebody else has the lease for so long. The generation is for those who stop waiting.
    Held(Duration, u64),
    /// There is a record of a newer version of this crate.
    NewerVersion,
}

/// What `keep` answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Written,
    Outdated,
    NewerVersion,
}

/// The answer is not one of the script.
fn unexpected() -> Failure {
    Failure::because(problem::UNKNOWN_ANSWER)
}

impl Scripts {
    pub(crate) fn new() -> Self {
        Self {
            take: Text::new(include_str!("scripts/take.lua")),
            keep: Text::new(include_str!("scripts/keep.lua")),
            release: Text::new(include_str!("scripts/release.lua")),
        }
    }

    pub(crate) async fn take(
        &self,
        keeper: &Keeper,
        names: &Names,
        after: u64,
        owner: &str,
        ttl: Duration,
    ) -> Result<Taken, Failure> {
        let keys = [names.record.as_str(), names.lease.as_str()];
        let (after, longest, version) = (after.to_string(), ttl, VERSION.to_string());
        let ttl = millis(ttl);
        let arguments = [after.as_str(), owner, &ttl, &version].map(str::as_bytes);
        let answer = self.take.run(keeper, &keys, &arguments).await?;
        let Value::Array(parts) = answer else {
            return Err(unexpected());
        };
        match parts.as_slice() {
            [Value::BulkString(what), Value::BulkString(record)] if what == b"record" => {
                Ok(Taken::Record(record.clone()))
            }
            [Value::BulkString(what), Value::BulkString(fence)] if what == b"lease" => {
                Ok(Taken::Lease(number(fence)?))
            }
            [
                Value::BulkString(what),
                Value::Int(left),
                Value::BulkString(fence),
            ] if what == b"held" => {
                let left = u64::try_from(*left).unwrap_or_default();
                Ok(Taken::Held(
                    Duration::from_millis(left).min(longest),
                    number(fence)?,
                ))
            }
            [Value::BulkString(what)] if what == b"version" => Ok(Taken::NewerVersion),
            _ => Err(unexpected()),
        }
    }

    pub(crate) async fn keep(
        &self,
        keeper: &Keeper,
        names: &Names,
        generation: u64,
        owner: &str,
        life: Duration,
        record: &[u8],
    ) -> Result<Kept, Failure> {
        let keys = [names.record.as_str(), names.lease.as_str()];
        let (generation, life, version) = (generation.to_string(), millis(life), VERSION.to_string());
        let arguments = [
            generation.as_bytes(),
            owner.as_bytes(),
            life.as_bytes(),
            record,
            version.as_bytes(),
        ];
        match self.keep.run(keeper, &keys, &arguments).await? {
            Value::BulkString(what) if what == b"kept" => Ok(Kept::Written),
            Value::BulkString(what) if what == b"outdated" => Ok(Kept::Outdated),
            Value::BulkString(what) if what == b"version" => Ok(Kept::NewerVersion),
            _ => Err(unexpected()),
        }
    }

    pub(crate) async fn release(&self, keeper: &Keeper, names: &Names, owner: &str) -> Result<(), Failure> {
        // In full: when it follows a question without an answer, nobody may be left to send it a second time.
        let arguments = [owner.as_bytes()];
        self.release
            .run_in_full(keeper, &[names.lease.as_str()], &arguments)
            .await?;
        Ok(())
    }
}

fn number(digits: &[u8]) -> Result<u64, Failure> {
    let digits = std::str::from_utf8(digits).ok();
    digits
        .and_then(|digits| digits.parse().ok())
        .ok_or_else(unexpected)
}

/// Redis refuses 0.
fn millis(duration: Duration) -> String {
    duration.as_millis().max(1).to_string()
}
