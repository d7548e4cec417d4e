//! `fleet`: real processes that share one Redis, beside as many without it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use std::{env, fs};

use crate::Result;
use crate::cache::Cache;
use crate::login_server::{Answer, LoginServer};
use crate::ours::Ours;
use crate::report::{Row, progress};

use super::{Effort, sibling};

const LOGIN_TIME: Duration = Duration::from_millis(200);
const LIFETIME: Duration = Duration::from_secs(10);
/// A login's limit, the store's, and the wait for others: longer than a busy machine needs.
const PATIENCE: [(&str, &str); 2] = [("FLEET_STORE_LIMIT_MS", "10000"), ("FLEET_MAX_WAIT_MS", "60000")];

pub(super) fn measure(effort: Effort) -> Result<Vec<Row>> {
    let size = effort.of(100, 20);
    let server = LoginServer::start()?;
    let mut rows = cold(&server, size)?;
    rows.extend(lifetimes(&server, size, effort.of(5, 2))?);
    rows.push(without_redis(&server, size)?);
    Ok(rows)
}

fn cold(server: &LoginServer, size: usize) -> Result<Vec<Row>> {
    progress("fleet: cold processes");
    server.answer(
        Ours::LOGIN,
        Answer {
            delay: LOGIN_TIME,
            ..Answer::default()
        },
    );
    let redis = Redis::start()?;
    let before = server.logins(Ours::LOGIN);
    let shared = Fleet::start(size, server, Some(&redis))?.first_tokens()?;
    let with = server.logins(Ours::LOGIN) - before;
    let alone = Fleet::start(size, server, None)?.first_tokens()?;
    let without = server.logins(Ours::LOGIN) - before - with;
    let login = LOGIN_TIME.as_secs_f64() * 1000.0;
    Ok(vec![
        Row::new(
            "fleet",
            format!("{size} processes that start together on one Redis: logins"),
            "logins",
        )
        .ours(with as f64)
        .peer("without the store", without as f64)
        .target("1", with == 1),
        Row::new("fleet", "their wait for the first token, 99th percentile", "ms")
            .ours(p99(&shared))
            .peer("without the store", p99(&alone))
            .note(format!(
                "a login takes {login} ms; two cores for {size} processes"
            )),
    ])
}

fn lifetimes(server: &LoginServer, size: usize, count: usize) -> Result<Vec<Row>> {
    progress("fleet: lifetimes");
    server.answer(
        Ours::LOGIN,
        Answer {
            delay: LOGIN_TIME,
            lifetime: LIFETIME,
            refused: false,
        },
    );
    let redis = Redis::start()?;
    let mut fleet = Fleet::start(size, server, Some(&redis))?;
    let before = server.logins(Ours::LOGIN);
    fleet.begin()?;
    wait_until(|| server.logins(Ours::LOGIN) > before)?;
    sleep(LIFETIME / 2);
    let start = redis.statistics()?;
    let first = server.logins(Ours::LOGIN);
    wait_until(|| server.logins(Ours::LOGIN) >= first + count as u64)?;
    // All have had the time to hear of it.
    sleep(LIFETIME / 2);
    let end = redis.statistics()?;
    let logins = server.logins(Ours::LOGIN) - before;
    let mut users = BTreeMap::<String, usize>::new();
    for summary in fleet.end()? {
        for token in summary.tokens {
            *users.entry(token).or_default() += 1;
        }
    }
    let shared = users.values().filter(|users| **users > size / 2).count();
    let each = |name: &str| (end.get(name) - start.get(name)) as f64 / (count * size) as f64;
    let commands = each("cmdstat_evalsha") + each("cmdstat_eval");
    let bytes = each("total_net_input_bytes") + each("total_net_output_bytes");
    let per_lifetime = logins as f64 / shared as f64;
    Ok(vec![
        Row::new(
            "fleet",
            format!("logins of {size} processes in each token lifetime, over {shared} of them"),
            "logins",
        )
        .ours(per_lifetime)
        .peer("without the store", size as f64)
        .target("1", logins == shared as u64),
        Row::new(
            "fleet",
            "commands to Redis of each process in each token lifetime",
            "commands",
        )
        .ours(commands)
        .note("one finds the new token in place, or waits for it: each wait is one more"),
        Row::new(
            "fleet",
            "bytes to and from Redis of each process in each token lifetime",
            "bytes",
        )
        .ours(bytes),
    ])
}

fn without_redis(server: &LoginServer, size: usize) -> Result<Row> {
    progress("fleet: Redis is down");
    server.answer(
        Ours::LOGIN,
        Answer {
            delay: LOGIN_TIME,
            ..Answer::default()
        },
    );
    let mut redis = Redis::start()?;
    redis.stop();
    let waits = Fleet::start(size, server, Some(&redis))?.first_tokens()?;
    Ok(Row::new(
        "fleet",
        format!("Redis is down: of {size} processes, those with a token"),
        "processes",
    )
    .ours(waits.len() as f64)
    .target(&format!("{size}"), waits.len() == size)
    .note(format!("the slowest after {:.0} ms", p99(&waits))))
}

fn p99(waits: &[Duration]) -> f64 {
    let mut waits = waits.to_vec();
    waits.sort();
    let index = (waits.len() * 99).div_ceil(100).saturating_sub(1);
    waits
        .get(index)
        .map_or(f64::NAN, |wait| wait.as_secs_f64() * 1000.0)
}

fn wait_until(mut reached: impl FnMut() -> bool) -> Result {
    let start = Instant::now();
    while !reached() {
        if start.elapsed() > Duration::from_mins(5) {
            return Err("the fleet makes no progress".into());
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// Processes of `redis/tests/programs/fleet_member.rs`.
struct Fleet(Vec<Member>);

struct Member {
    process: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

struct Summary {
    first: Option<Duration>,
    tokens: Vec<String>,
}

impl Fleet {
    fn start(size: usize, server: &LoginServer, redis: Option<&Redis>) -> Result<Self> {
        let program = sibling("examples")?.join(format!("fleet_member{}", env::consts::EXE_SUFFIX));
        let mut members = Vec::new();
        for _ in 0..size {
            let mut command = Command::new(&program);
            command
                .env("FLEET_BASE_URL", server.base_url())
                .env("FLEET_API_KEY", "fake-workspace-key")
                .envs(PATIENCE)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped());
            if let Some(redis) = redis {
                command.env("FLEET_REDIS_URL", format!("redis://127.0.0.1:{}", redis.port));
            }
            let mut process = command.spawn()?;
            let input = process.stdin.take();
            let output = process.stdout.take().ok_or("the process has no output")?;
            members.push(Member {
                process,
                input,
                output: BufReader::new(output),
            });
        }
        for member in &mut members {
            member.read_until("ready")?;
        }
        Ok(Self(members))
    }

    fn begin(&mut self) -> Result {
        for member in &mut self.0 {
            writeln!(member.input.as_mut().ok_or("the process has no input")?, "begin")?;
        }
        Ok(())
    }

    /// How long each waited for its first token. A process that got none is not among them.
    fn first_tokens(mut self) -> Result<Vec<Duration>> {
        self.begin()?;
        sleep(Duration::from_secs(5));
        Ok(self
            .end()?
            .into_iter()
            .filter_map(|summary| summary.first)
            .collect())
    }

    fn end(mut self) -> Result<Vec<Summary>> {
        for member in &mut self.0 {
            member.input = None;
        }
        self.0.iter_mut().map(Member::summary).collect()
    }
}

impl Member {
    fn read_until(&mut self, beginning: &str) -> Result<String> {
        let mut line = String::new();
        while self.output.read_line(&mut line)? > 0 {
            if line.starts_with(beginning) {
                return Ok(line);
            }
            line.clear();
        }
        Err("a process of the fleet ended early".into())
    }

    fn summary(&mut self) -> Result<Summary> {
        let line = self.read_until("asked=")?;
        let field = |name: &str| {
            line.split_whitespace()
                .find_map(|field| field.strip_prefix(name))
                .unwrap_or("")
        };
        let tokens: Vec<String> = field("tokens=").split(',').map(str::to_owned).collect();
        let first = Duration::from_millis(field("first_ms=").parse()?);
        let served = tokens.first().is_some_and(|token| !token.is_empty());
        Ok(Summary {
            first: served.then_some(first),
            tokens,
        })
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A server at a port that the system chose.
struct Redis {
    process: Child,
    port: u16,
    folder: PathBuf,
}

/// What the server counted.
struct Statistics(BTreeMap<String, u64>);

impl Redis {
    fn start() -> Result<Self> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let folder = env::temp_dir().join(format!("synerise-auth-figures-{port}"));
        fs::create_dir_all(&folder)?;
        let program = ["redis-server", "valkey-server"].into_iter().find(|program| {
            Command::new(program)
                .arg("--version")
                .stdout(Stdio::null())
                .status()
                .is_ok()
        });
        let process = Command::new(program.ok_or("neither redis-server nor valkey-server is installed")?)
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--port",
                &port.to_string(),
                "--dir",
            ])
            .arg(&folder)
            .stdout(Stdio::null())
            .spawn()?;
        let redis = Self {
            process,
            port,
            folder,
        };
        wait_until(|| redis.statistics().is_ok())?;
        Ok(redis)
    }

    fn stop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    fn statistics(&self) -> Result<Statistics> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(5)))?;
        stream.write_all(b"INFO everything\r\nQUIT\r\n")?;
        let mut text = String::new();
        stream.read_to_string(&mut text)?;
        let mut numbers = BTreeMap::new();
        for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
            let value = value.strip_prefix("calls=").unwrap_or(value);
            let digits = value.split(',').next().unwrap_or(value);
            if let Ok(number) = digits.trim().parse() {
                numbers.insert(name.to_owned(), number);
            }
        }
        Ok(Statistics(numbers))
    }
}

impl Statistics {
    fn get(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or_default()
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}
