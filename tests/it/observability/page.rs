//! The page lists what is emitted, and nothing else.

use std::fs;
use std::path::Path;

use serde_json::json;
use synerise_auth::ApiKeySource;
use synerise_auth::observability::{HTTP, RESPONSE, SESSION, STORE, VERIFY};
use synerise_auth::store::{MemoryStore, StoreError, StoreFuture, StoreKey, StoredToken, TokenStore};
use synerise_auth_emulator::Fault;

use super::collect::{Collected, Seen};
use crate::support::{KeyFile, TestEnv, secs};

const PAGE: &str = include_str!("../../../src/observability/page.md");

/// The texts in backticks of a cell.
fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[derive(Debug)]
struct Row {
    target: String,
    level: String,
    text: String,
    fields: Vec<String>,
}

/// The rows of the table below this heading.
fn rows(heading: &str) -> Vec<Vec<String>> {
    let section = PAGE.split(heading).nth(1).unwrap();
    let section = section.split("\n# ").next().unwrap();
    section
        .lines()
        .filter(|line| line.starts_with("| `"))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

fn events() -> Vec<Row> {
    let mut same = Vec::new();
    rows("# Events")
        .into_iter()
        .map(|cells| {
            if !cells[3].starts_with("the same") {
                same = quoted(&cells[3]);
            }
            Row {
                target: quoted(&cells[0]).remove(0),
                level: cells[1].clone(),
                text: quoted(&cells[2]).remove(0),
                fields: same.clone(),
            }
        })
        .collect()
}

/// A store that does not work.
#[derive(Debug)]
struct Broken;

impl TokenStore for Broken {
    fn load<'a>(&'a self, _: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        Box::pin(async { Err(StoreError::new("out of order")) })
    }

    fn save<'a>(
        &'a self,
        _: &'a StoreKey,
        _: StoredToken,
        _: Option<&'a synerise_auth::store::LeaseOwner>,
    ) -> StoreFuture<'a, synerise_auth::store::Saved> {
        Box::pin(async { Err(StoreError::new("out of order")) })
    }
}

/// As much as can happen.
async fn let_it_all_happen(env: &TestEnv) {
    let session = env.workspace();
    session.token().await.unwrap();
    env.emulator.revoke_tokens();
    session.get("/v4/clients").await.unwrap();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(503));
    env.pass(secs(3700));
    session.token().await.unwrap_err();
    env.pass(secs(10));
    session.token().await.unwrap();
    session.refresh().await.unwrap();
    env.visitor().token().await.unwrap();

    let user = env.user().await.unwrap();
    env.pass(secs(7 * 24 * 3600));
    user.token().await.unwrap_err();

    let store = MemoryStore::default();
    for _ in 0..2 {
        let client = env.client_builder().store(store.clone()).build().unwrap();
        client.workspace(env.workspace_key()).token().await.unwrap();
    }
    let client = env.client_builder().store(Broken).build().unwrap();
    client.workspace(env.workspace_key()).token().await.unwrap();

    let file = KeyFile::new(&env.emulator.workspace().workspace_api_key);
    let session = env.client.workspace(ApiKeySource::file(file.path()));
    session.token().await.unwrap();
    file.write("");
    session.invalidate();
    session.token().await.unwrap();

    env.emulator
        .faults()
        .on("checkPermissions")
        .then(Fault::json(&json!({
            "businessProfileName": 7, "permissions": {}
        })));
    let _ = session.check_permissions(["A"]).await;
    #[cfg(feature = "verify")]
    {
        env.emulator.faults().on("getPublicKey").then(Fault::status(503));
        let token = session.token().await.unwrap();
        let _ = env.client.verifier().verify(token.expose()).await;
        env.pass(secs(60));
        let _ = env.client.verifier().verify(token.expose()).await;
    }
}

#[tokio::test]
async fn every_event_is_on_the_page_with_its_fields() {
    let env = TestEnv::new().await;
    let rows = events();
    let seen = Collected::start();
    let_it_all_happen(&env).await;
    let mut met = Vec::new();
    for event in seen.events() {
        let row = rows.iter().position(|row| {
            let same_place = row.target == event.target && row.level == event.level;
            same_place && event.message().starts_with(&row.text)
        });
        let row = row.unwrap_or_else(|| panic!("the page does not list {event:?}"));
        let unlisted: Vec<&String> = event
            .declared
            .iter()
            .filter(|field| *field != "message" && !rows[row].fields.contains(field))
            .collect();
        assert!(unlisted.is_empty(), "{unlisted:?} of {:?}", rows[row]);
        let missing: Vec<&String> = rows[row]
            .fields
            .iter()
            .filter(|field| !event.declared.contains(field))
            .collect();
        assert!(missing.is_empty(), "{missing:?} of {event:?}");
        met.push(row);
    }
    met.sort_unstable();
    met.dedup();
    assert!(met.len() >= 12, "{met:?} of {rows:#?}");
}

#[tokio::test]
async fn every_span_is_on_the_page_with_its_fields() {
    let env = TestEnv::new().await;
    let seen = Collected::start();
    let_it_all_happen(&env).await;
    let section = PAGE
        .split("# Spans")
        .nth(1)
        .unwrap()
        .split("\n# ")
        .next()
        .unwrap();
    for row in rows("# Spans") {
        let name = &quoted(&row[2])[0];
        let spans = seen.spans(name);
        assert!(!spans.is_empty(), "{name}");
        for span in spans {
            let Seen {
                target,
                level,
                declared,
                ..
            } = &span;
            assert_eq!((target, level), (&quoted(&row[0])[0], &row[1]), "{name}");
            assert_eq!(span.field("otel.kind"), Some(quoted(&row[3])[0].as_str()));
            let unlisted: Vec<&String> = declared
                .iter()
                .filter(|field| !section.contains(&format!("`{field}`")))
                .collect();
            assert!(unlisted.is_empty(), "{name}: {unlisted:?}");
        }
    }
}

/// What cannot be provoked here is at least in the sources.
#[test]
fn every_row_of_the_page_is_in_the_sources() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root];
    let mut sources = String::new();
    let mut without_target = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                let macros = ["trace!(", "debug!(", "info!(", "warn!(", "error!(", "_span!("];
                for call in macros.iter().flat_map(|name| text.split(name).skip(1)) {
                    if !call.trim_start().starts_with("target:") {
                        without_target.push(path.display().to_string());
                    }
                }
                sources.push_str(&text);
            }
        }
    }
    assert!(
        without_target.is_empty(),
        "an event without a target: {without_target:?}"
    );
    for row in events() {
        assert!(sources.contains(&row.text), "nothing says {:?}", row.text);
        assert!([SESSION, HTTP, STORE, RESPONSE, VERIFY].contains(&row.target.as_str()));
    }
}
