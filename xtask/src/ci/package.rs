//! The published crates, built from what is packed and nothing else.

use std::path::{Path, PathBuf};
use std::{env, fs, process};

use serde::Deserialize;

use crate::command::{Failed, Result, cargo, output, program, run, target};

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

/// Packs the published crates, and builds each where nothing of the repository is around it.
pub(super) fn package() -> Result {
    let published = published()?;
    let mut pack = cargo(["package", "--quiet", "--locked", "--no-verify", "--allow-dirty"]);
    for package in &published {
        pack.args(["--package", &package.name]);
    }
    run(&mut pack)?;
    let away = Away::new()?;
    for package in &published {
        let folder = format!("{}-{}", package.name, package.version);
        let archive = target().join("package").join(format!("{folder}.crate"));
        run(program("tar").arg("-xzf").arg(archive).arg("-C").arg(&away.0))?;
        build(&away.0.join(folder))?;
    }
    Ok(())
}

/// Builds a packed crate with the repository's target folder and profile, so that what the tests have built of its
/// dependencies is not built again.
fn build(packed: &Path) -> Result {
    let mut build = cargo(["build", "--quiet", "--locked"]);
    build.args(["--config", "profile.dev.debug='line-tables-only'"]);
    build.args(["--config", "profile.dev.package.'*'.debug=false"]);
    run(build.current_dir(packed).arg("--target-dir").arg(target()))
}

/// A folder outside of the repository, removed when done.
struct Away(PathBuf);

impl Away {
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
