//! A server of a test's own, on a port that the system chooses. It ends with the test, also with one that panics.

use std::env;
use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redis::FromRedisValue;

/// The last is the server under another name: in Debian's packages, it comes without a service that starts at once.
const PROGRAMS: [&str; 3] = ["redis-server", "valkey-server", "redis-check-rdb"];
/// Another program may take the port between the system's choice and the server's start.
/// A node of a cluster takes a second one, which is 10,000 higher, and does not always exist.
const ATTEMPTS: usize = 20;
const START_LIMIT: Duration = Duration::from_secs(20);

#[derive(Debug)]
pub(crate) struct Server {
    process: Option<Child>,
    port: u16,
    folder: PathBuf,
    settings: Vec<String>,
    waits_for_data: bool,
    has_tls: bool,
}

impl Server {
    /// A node of a cluster, which its owner has to join to others.
    pub(crate) fn node() -> Self {
        Self::with(&["--cluster-enabled", "yes", "--cluster-node-timeout", "1000"])
    }

    /// A Sentinel that watches this master.
    pub(crate) fn sentinel(name: &str, master: &Self) -> Self {
        let mut server = Self::new(&["--sentinel"]);
        let port = master.port;
        let watch = format!(
            "sentinel monitor {name} 127.0.0.1 {port} 1\nsentinel down-after-milliseconds {name} 1000\n"
        );
        fs::write(server.folder.join("sentinel.conf"), watch).unwrap();
        server.start_somewhere();
        server
    }

    pub(crate) fn start() -> Self {
        Self::with(&[])
    }

    /// With settings, as the server's command line takes them.
    pub(crate) fn with(settings: &[&str]) -> Self {
        let mut server = Self::new(settings);
        server.start_somewhere();
        server
    }

    /// With TLS at its port, by the files `cert.pem` and `key.pem` that `prepare` writes into its folder. `None` for a server
    /// that was built without TLS.
    #[allow(dead_code, reason = "the tests of TLS are a program of their own")]
    pub(crate) fn with_tls(prepare: impl FnOnce(&Path)) -> Option<Self> {
        let help = Command::new(program())
            .args(["--tls-port", "0", "--port", "x"])
            .output()
            .unwrap();
        let text = [help.stdout, help.stderr].concat();
        // It complains about the first setting that it does not like.
        if !String::from_utf8_lossy(&text).contains(">>> 'port") {
            return None;
        }
        let mut server = Self::new(&[]);
        prepare(&server.folder);
        let file = |name: &str| server.folder.join(name).display().to_string();
        server.settings = ["--tls-auth-clients", "no", "--tls-cert-file", &file("cert.pem")]
            .into_iter()
            .chain(["--tls-key-file", &file("key.pem")])
            .map(str::to_owned)
            .collect();
        server.has_tls = true;
        server.start_somewhere();
        Some(server)
    }

    fn new(settings: &[&str]) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("synerise-auth-redis-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self {
            process: None,
            port: 0,
            folder,
            settings: settings.iter().map(|setting| (*setting).to_owned()).collect(),
            waits_for_data: true,
            has_tls: false,
        }
    }

    fn start_somewhere(&mut self) {
        for _ in 0..ATTEMPTS {
            let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
            self.port = free.local_addr().unwrap().port();
            drop(free);
            if self.run() {
                return;
            }
        }
        panic!(
            "no server after {ATTEMPTS} attempts; its log is in {}",
            self.folder.display()
        );
    }

    /// Starts it again, at the same port, without its data.
    pub(crate) fn restart(&mut self) {
        self.kill();
        assert!(self.run(), "the server does not start again at its port");
    }

    /// As `restart`, but with other settings, and without waiting until it has read its data.
    pub(crate) fn restart_loading(&mut self, settings: &[&str]) {
        self.kill();
        self.settings = settings.iter().map(|setting| (*setting).to_owned()).collect();
        self.waits_for_data = false;
        assert!(self.run(), "the server does not start again at its port");
    }

    /// Asks it to end, as a system does that is shut down, and waits until it has.
    pub(crate) fn terminate(&mut self) {
        let mut process = self.process.take().unwrap();
        let status = Command::new("kill")
            .args(["-TERM", &process.id().to_string()])
            .status();
        assert!(status.unwrap().success());
        process.wait().unwrap();
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sends one command, as a user with all rights.
    pub(crate) fn run_command<T: FromRedisValue>(&self, words: &[&[u8]]) -> T {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        redis::Cmd::new().arg(words).query(&mut connection).unwrap()
    }

    pub(crate) fn command<T: FromRedisValue>(&self, line: &str) -> T {
        let words: Vec<&[u8]> = line.split_whitespace().map(str::as_bytes).collect();
        self.run_command(&words)
    }

    /// How often each command was called so far, from the server's own count.
    pub(crate) fn calls(&self, command: &str) -> u64 {
        let info: String = self.command("INFO commandstats");
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix(&format!("cmdstat_{command}:calls=")));
        line.and_then(|line| line.split(',').next())
            .map_or(0, |calls| calls.parse().unwrap())
    }

    fn run(&mut self) -> bool {
        let log = fs::File::create(self.folder.join("log")).unwrap();
        let mut command = Command::new(program());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::arg0(&mut command, "redis-server");
        // A Sentinel needs a file to write to; it comes first.
        let file = self.folder.join("sentinel.conf");
        command.args(file.is_file().then_some(&file));
        if self.has_tls {
            command.args(["--port", "0", "--tls-port"]);
        } else {
            command.arg("--port");
        }
        command
            .args([&self.port.to_string(), "--bind", "127.0.0.1", "--dir"])
            .arg(&self.folder)
            .args(["--save", "", "--appendonly", "no"])
            .args(&self.settings)
            .stdin(Stdio::null())
            .stderr(log.try_clone().unwrap())
            .stdout(log);
        let mut process = command.spawn().unwrap();
        let start = Instant::now();
        while start.elapsed() < START_LIMIT {
            if process.try_wait().unwrap().is_some() {
                return false;
            }
            if self.answers() {
                self.process = Some(process);
                return true;
            }
            thread::sleep(Duration::from_millis(10));
        }
        let _ = process.kill();
        let _ = process.wait();
        false
    }

    /// Any answer will do: it may ask for a password.
    fn answers(&self) -> bool {
        use std::io::{Read, Write};
        let Ok(mut stream) = std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)) else {
            return false;
        };
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        // A server that speaks TLS closes the connection at once.
        if self.has_tls {
            return true;
        }
        let mut answer = [0; 5];
        let answers = stream.write_all(b"PING\r\n").is_ok() && stream.read_exact(&mut answer).is_ok();
        answers && !(self.waits_for_data && &answer == b"-LOAD")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // A test that fails leaves the server's log.
        if !thread::panicking() {
            let _ = fs::remove_dir_all(&self.folder);
        }
    }
}

/// `SYNERISE_TEST_REDIS_SERVER` names another program, for tests of another version.
fn program() -> PathBuf {
    if let Some(program) = env::var_os("SYNERISE_TEST_REDIS_SERVER") {
        return program.into();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let mut places = PROGRAMS
        .iter()
        .flat_map(|program| env::split_paths(&path).map(move |folder| folder.join(program)));
    places.find(|place| place.is_file()).unwrap_or_else(|| {
        panic!("neither redis-server nor valkey-server is installed: install one, or run `cargo xtask test`, which tries to")
    })
}
