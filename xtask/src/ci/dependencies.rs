//! What may be depended on: licences, bans, nothing unused, nothing that needs a newer Rust than is promised.

use crate::command::{Failed, Result, all, cargo, output, run};

use super::{package, tools};

/// By `deny.toml`. Advisories are left out: their database comes from the network, and a gate must give the same
/// answer for the same commit.
pub(super) fn licences_and_bans() -> Result {
    let deny = |selection: &[&str], checks: &[&str]| {
        let mut deny = tools::cargo_deny()?;
        run(deny
            .args(["--workspace", "--locked"])
            .args(selection)
            .arg("check")
            .args(checks))
    };
    // Two versions of one crate are a cost to those who use what is published, and to nobody else.
    let internal = package::internal()?;
    let published: Vec<&str> = internal
        .iter()
        .flat_map(|package| ["--exclude", package.name.as_str()])
        .collect();
    all([deny(&[], &["licenses", "sources"]), deny(&published, &["bans"])])
}

pub(super) fn unused() -> Result {
    run(tools::cargo_machete()?.args(["--with-metadata"]))
}

/// Whether the dependencies of the published crates are content with the Rust that those promise.
///
/// It proves less than a build with that compiler would. Clippy's `incompatible_msrv`, which the lints hold, covers the
/// crates' own code.
pub(super) fn minimum_rust() -> Result {
    let packages = package::metadata(&["--all-features"])?.packages;
    let mut problems = Vec::new();
    for published in package::published()? {
        let promised = parse(published.rust_version.as_deref())
            .ok_or_else(|| Failed::new(format!("{} promises no rust-version", published.name)))?;
        let tree = output(
            cargo([
                "tree",
                "--quiet",
                "--locked",
                "--all-features",
                "--edges=normal,build",
            ])
            .args(["--prefix=none", "--format={p}", "--package", &published.name]),
        )?;
        for package in &packages {
            let listed = format!("{} v{}", package.name, package.version);
            let used = tree
                .lines()
                .any(|line| line == listed || line.starts_with(&format!("{listed} ")));
            if used && parse(package.rust_version.as_deref()).is_some_and(|needed| needed > promised) {
                let needed = package.rust_version.as_deref().unwrap_or_default();
                problems.push(format!(
                    "{} needs {listed}, which needs Rust {needed}",
                    published.name
                ));
            }
        }
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(Failed::new(problems.join("; ")))
    }
}

fn parse(version: Option<&str>) -> Option<(u32, u32)> {
    let mut parts = version?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next().unwrap_or(Ok(0)).ok()?))
}
