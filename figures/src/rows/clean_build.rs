//! `clean_build`: the processor time of a clean build of a small service: on the crate, on reqwest and serde by hand, and on those
//! beside an empty crate with the same build dependencies, which is what generating at build time costs at least.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::report::{Row, progress};

use super::Effort;

/// What a service that is written by hand depends on; the versions are those of the repository's lock file.
const BY_HAND: &str = r#"
base64 = "0.23"
chrono = { version = "0.4", default-features = false, features = ["serde", "std"] }
reqwest = { version = "0.13", default-features = false, features = ["http2", "json", "query", "rustls"] }
serde = { version = "1", features = ["derive"] }
serde_json = "1"
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "sync", "time"] }
tracing = "0.1"
uuid = { version = "1", default-features = false, features = ["serde", "std"] }
"#;

const SERVICE_BY_HAND: &str = r#"
#[derive(serde::Deserialize)]
struct Login {
    token: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let http = reqwest::Client::new();
    let login = http.post("https://api.synerise.com/uauth/v2/auth/login/profile");
    let key = serde_json::json!({ "apiKey": std::env::var("SYNERISE_API_KEY")? });
    let login: Login = login.json(&key).send().await?.error_for_status()?.json().await?;
    let clients = http.get("https://api.synerise.com/v4/clients").bearer_auth(&login.token);
    tracing::info!("{} bytes", clients.send().await?.bytes().await?.len());
    Ok(())
}
"#;

const SERVICE: &str = r#"
use synerise_auth::{ApiKey, Client, Region};

#[tokio::main]
async fn main() -> synerise_auth::Result<()> {
    let client = Client::builder().region(Region::AzureEu).build()?;
    let workspace = client.workspace(ApiKey::from_env("SYNERISE_API_KEY")?);
    let clients = workspace.get("/v4/clients").await?;
    tracing::info!("{} bytes", clients.bytes().len());
    Ok(())
}
"#;

pub(super) fn measure(effort: Effort) -> Result<Vec<Row>> {
    let profiles: &[&str] = effort.of(&["debug", "release"], &["debug"]);
    profiles.iter().map(|profile| one(profile)).collect()
}

fn one(profile: &str) -> Result<Row> {
    let root = repository()?;
    let manifest = fs::read_to_string(root.join("Cargo.toml"))?;
    let build_dependencies = section(&manifest, "[build-dependencies]")?;
    let path = root.display().to_string();
    let ours = format!("{BY_HAND}synerise-auth = {{ path = {path:?} }}\n");
    let with_build = format!("{BY_HAND}\n[build-dependencies]\n{build_dependencies}");

    let by_hand = build(&root, profile, "by hand", BY_HAND, SERVICE_BY_HAND, false)?;
    let floor = build(&root, profile, "the floor", &with_build, SERVICE_BY_HAND, true)?;
    let ours = build(&root, profile, "ours", &ours, SERVICE, false)?;

    let over_floor = ours.seconds / floor.seconds;
    let mut row = Row::new(
        "clean_build",
        format!("processor time of a clean {profile} build of a small service"),
        "s",
    )
    .ours(ours.seconds)
    .peer("reqwest and serde by hand", by_hand.seconds)
    .peer("the floor", floor.seconds)
    .target("≤ 1.03× the floor", over_floor <= 1.03)
    .note(format!(
        "{:.2}× by hand, where the floor is {:.2}×; {} packages, {} by hand, {} the floor",
        ours.seconds / by_hand.seconds,
        floor.seconds / by_hand.seconds,
        ours.packages,
        by_hand.packages,
        floor.packages
    ));
    row.ratio = Some(over_floor);
    Ok(row)
}

/// What a build took.
struct Built {
    seconds: f64,
    packages: usize,
}

/// Builds a project with these dependencies in an empty target folder.
fn build(
    root: &Path,
    profile: &str,
    name: &str,
    dependencies: &str,
    main: &str,
    build_script: bool,
) -> Result<Built> {
    progress(&format!("clean_build: a {profile} build, {name}"));
    let project = tempdir(&format!("{profile}-{}", name.replace(' ', "-")))?;
    let manifest = format!(
        "[package]\nname = \"service\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]{dependencies}"
    );
    fs::create_dir_all(project.0.join("src"))?;
    fs::write(project.0.join("Cargo.toml"), manifest)?;
    fs::write(project.0.join("src/main.rs"), main)?;
    if build_script {
        fs::write(project.0.join("build.rs"), "fn main() {}\n")?;
    }
    fs::copy(root.join("Cargo.lock"), project.0.join("Cargo.lock"))?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(["build", "--quiet", "--offline"]);
    if profile == "release" {
        cargo.arg("--release");
    }
    cargo
        .current_dir(&project.0)
        .env("CARGO_TARGET_DIR", project.0.join("target"))
        .env_remove("RUSTC_WRAPPER")
        .env_remove("RUSTFLAGS")
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let before = time_of_children()?;
    let status = cargo.status()?;
    let seconds = time_of_children()? - before;
    if !status.success() {
        return Err(format!("the build of {name} failed: {status}").into());
    }
    let lock = fs::read_to_string(project.0.join("Cargo.lock"))?;
    Ok(Built {
        seconds,
        packages: lock.matches("[[package]]").count() - 1,
    })
}

/// The processor time of the children that have ended, and of theirs, in seconds: fields 16 and 17 of `proc_pid_stat(5)`.
fn time_of_children() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat").map_err(|error| format!("only on Linux: {error}"))?;
    let (_, fields) = stat.rsplit_once(") ").ok_or("/proc/self/stat can't be read")?;
    let ticks: u64 = fields
        .split(' ')
        .skip(13)
        .take(2)
        .map(str::parse::<u64>)
        .sum::<std::result::Result<_, _>>()?;
    #[expect(clippy::cast_precision_loss, reason = "a few hours at most")]
    let seconds = ticks as f64 / rustix::param::clock_ticks_per_second() as f64;
    Ok(seconds)
}

fn section<'a>(manifest: &'a str, heading: &str) -> Result<&'a str> {
    let after = manifest.split_once(heading).ok_or("Cargo.toml has changed")?.1;
    Ok(after.split("\n[").next().unwrap_or_default())
}

fn repository() -> Result<PathBuf> {
    let figures = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(figures.parent().ok_or("figures has no parent folder")?.to_owned())
}

/// A folder that is removed when done. Outside of the repository, whose configuration would count.
struct Folder(PathBuf);

fn tempdir(name: &str) -> Result<Folder> {
    let path = std::env::temp_dir().join(format!("synerise-auth-build-{}-{name}", std::process::id()));
    fs::create_dir_all(&path)?;
    Ok(Folder(path))
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
