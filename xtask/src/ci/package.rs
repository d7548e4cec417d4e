//! The published crates, built from what is packed and nothing else.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs, process};

use serde::Deserialize;

use crate::command::{Failed, Result, cargo, output, program, root, run, target};

/// What cargo says of the workspace.
#[derive(Debug, Deserialize)]
pub(super) struct Metadata {
    pub(super) packages: Vec<Package>,
    pub(super) workspace_members: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Package {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) rust_version: Option<String>,
    /// The registries that it may be published to; an empty list for none, nothing for any.
    publish: Option<Vec<String>>,
}

pub(super) fn metadata(arguments: &[&str]) -> Result<Metadata> {
    let json = output(cargo(["metadata", "--format-version=1", "--locked"]).args(arguments))?;
    serde_json::from_str(&json)
        .map_err(|error| Failed::new(format!("cargo's metadata can't be read: {error}")))
}

/// The members of the workspace that are published.
pub(super) fn published() -> Result<Vec<Package>> {
    let Metadata {
        packages,
        workspace_members,
    } = metadata(&["--no-deps"])?;
    let published = |package: &Package| package.publish.is_none() && workspace_members.contains(&package.id);
    Ok(packages.into_iter().filter(published).collect())
}

/// The members of the workspace that are used in this repository only.
pub(super) fn internal() -> Result<Vec<Package>> {
    let internal = |package: &Package| package.publish.as_ref().is_some_and(Vec::is_empty);
    Ok(metadata(&["--no-deps"])?
        .packages
        .into_iter()
        .filter(internal)
        .collect())
}

/// Packs the published crates, builds each where nothing of the repository is around it, and installs them all into an
/// empty project. Without the network: what a crate needs beyond its package and the lock file shows.
pub(super) fn package() -> Result {
    let published = published()?;
    let mut pack = cargo([
        "package",
        "--quiet",
        "--locked",
        "--offline",
        "--no-verify",
        "--allow-dirty",
    ]);
    for package in &published {
        pack.args(["--package", &package.name]);
    }
    run(&mut pack)?;
    let away = Away::new()?;
    for package in &published {
        let file = format!("{}.crate", Away::folder(package));
        let packed = target().join("package").join(&file);
        fs::copy(&packed, away.0.join(&file))
            .map_err(|error| Failed::new(format!("{}: {error}", packed.display())))?;
        // By its name alone: some programs called tar take `C:` for another machine.
        run(program("tar").args(["-xzf", &file]).current_dir(&away.0))?;
    }
    let patches: Vec<String> = published
        .iter()
        .map(|package| {
            let path = away.0.join(Away::folder(package)).display().to_string();
            format!("patch.crates-io.{}.path={path:?}", package.name)
        })
        .collect();
    for package in &published {
        let others = patches
            .iter()
            .filter(|patch| !patch.starts_with(&format!("patch.crates-io.{}.", package.name)));
        build(&away.0.join(Away::folder(package)), others)?;
    }
    install(&away, &published, &patches)
}

/// Builds a packed crate with the repository's target folder and profile, so that what the tests have built of its
/// dependencies is not built again.
fn build<'a>(packed: &Path, patches: impl Iterator<Item = &'a String>) -> Result {
    let mut build = cargo(["build", "--quiet", "--offline"]);
    with_own_profile(&mut build);
    for patch in patches {
        build.args(["--config", patch]);
    }
    run(build.current_dir(packed).arg("--target-dir").arg(target()))
}

/// A new project that depends on every packed crate, with the code of the front page as its program.
fn install(away: &Away, published: &[Package], patches: &[String]) -> Result {
    let project = away.0.join("project");
    let write = |path: &Path, text: &str| {
        let folder = path.parent().unwrap_or(path);
        fs::create_dir_all(folder)
            .and_then(|()| fs::write(path, text))
            .map_err(|error| Failed::new(format!("{}: {error}", path.display())))
    };
    let dependencies: Vec<String> = published
        .iter()
        .map(|package| format!("{} = \"{}\"\n", package.name, package.version))
        .collect();
    let manifest = format!(
        "[package]\nname = \"project\"\nedition = \"2024\"\n\n[dependencies]\n{}\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt-multi-thread\"] }}\n",
        dependencies.concat()
    );
    write(&project.join("Cargo.toml"), &manifest)?;
    write(&project.join("src").join("main.rs"), &first_code()?)?;
    // The versions that the repository has, which are on this machine.
    fs::copy(root().join("Cargo.lock"), project.join("Cargo.lock"))
        .map_err(|error| Failed::new(format!("Cargo.lock: {error}")))?;
    let mut check = cargo(["check", "--quiet", "--offline"]);
    with_own_profile(&mut check);
    for patch in patches {
        check.args(["--config", patch]);
    }
    run(check.current_dir(&project).arg("--target-dir").arg(target()))
}

/// The first program of the README.
fn first_code() -> Result<String> {
    let readme = fs::read_to_string(root().join("README.md"))
        .map_err(|error| Failed::new(format!("README.md: {error}")))?;
    readme
        .split("```rust,no_run\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .map(str::to_owned)
        .ok_or_else(|| Failed::new("README.md has no program"))
}

fn with_own_profile(command: &mut Command) {
    command.args(["--config", "profile.dev.debug='line-tables-only'"]);
    command.args(["--config", "profile.dev.package.'*'.debug=false"]);
}

/// A folder outside of the repository, removed when done.
struct Away(PathBuf);

impl Away {
    /// Where a package is unpacked, below this folder.
    fn folder(package: &Package) -> String {
        format!("{}-{}", package.name, package.version)
    }

    fn new() -> Result<Self> {
        let path = env::temp_dir().join(format!("synerise-auth-package-{}", process::id()));
        fs::create_dir_all(&path).map_err(|error| Failed::new(format!("{}: {error}", path.display())))?;
        Ok(Self(path))
    }
}

impl Drop for Away {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
