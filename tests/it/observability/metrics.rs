//! The metrics that a recorder gets, and the dashboard that shows them.

use std::collections::BTreeSet;

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use serde_json::Value;
use synerise_auth::ApiKeySource;
use synerise_auth::observability::metrics::{
    ALL, DURATION_BUCKETS, LOGINS, MetricKind, REFRESH_FAILURES, REFRESHES, REJECTED_TOKENS,
    REQUEST_DURATION, STORE_CALLS, TOKEN_EXPIRES_AT, describe,
};
use synerise_auth::store::MemoryStore;
use synerise_auth_emulator::Fault;

use super::collect::Collected;
use crate::support::{START, TestEnv, secs};

/// Records on this thread, on which the tests' runtimes run.
struct Recorder {
    handle: PrometheusHandle,
    _guard: metrics::LocalRecorderGuard<'static>,
}

impl Recorder {
    fn install() -> Self {
        let recorder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Prefix("synerise_auth_".into()), &DURATION_BUCKETS)
            .unwrap()
            .build_recorder();
        let handle = recorder.handle();
        // A test's recorder lives as long as its process.
        let recorder: &'static _ = Box::leak(Box::new(recorder));
        let guard = metrics::set_default_local_recorder(recorder);
        describe();
        Self {
            handle,
            _guard: guard,
        }
    }

    /// The values of a metric, with the labels of each.
    fn lines(&self, name: &str) -> Vec<String> {
        let text = self.handle.render();
        let begins = |line: &&str| {
            line.strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(['{', ' ']))
        };
        text.lines()
            .filter(begins)
            .map(|line| line[name.len()..].to_owned())
            .collect()
    }
}

#[tokio::test]
async fn each_request_is_one_point() {
    let env = TestEnv::new().await;
    let session = env.workspace();
    session.token().await.unwrap();
    let recorder = Recorder::install();
    session.get("/v4/clients").await.unwrap();
    let counts = recorder.lines(&format!("{REQUEST_DURATION}_count"));
    assert_eq!(
        counts,
        [r#"{operation="other",method="GET",status="200",error_type=""} 1"#]
    );
    // A histogram, not a summary.
    assert_eq!(
        recorder.lines(&format!("{REQUEST_DURATION}_bucket")).len(),
        DURATION_BUCKETS.len() + 1
    );
    env.emulator
        .faults()
        .on("checkPermissions")
        .then(Fault::status(403))
        .then(Fault::reset());
    session.check_permissions(["A"]).await.unwrap_err();
    session.check_permissions(["A"]).await.unwrap_err();
    let counts = recorder.lines(&format!("{REQUEST_DURATION}_count"));
    for expected in [
        r#"{operation="checkPermissions",method="POST",status="403",error_type="status"} 1"#,
        r#"{operation="checkPermissions",method="POST",status="",error_type="connection"} 1"#,
    ] {
        assert!(counts.iter().any(|line| line == expected), "{counts:#?}");
    }
}

#[tokio::test]
async fn logins_refreshes_and_failures_are_counted() {
    let env = TestEnv::new().await;
    let recorder = Recorder::install();
    let session = env.workspace();
    session.token().await.unwrap();
    let key = env.workspace_key().fingerprint();
    let expires = |at: u64| format!(r#"{{session_kind="workspace",session_key="{key}"}} {at}"#);
    assert_eq!(
        recorder.lines(TOKEN_EXPIRES_AT),
        [expires(START.as_secs() + 3600)]
    );

    env.emulator.revoke_tokens();
    session.get("/v4/clients").await.unwrap();
    env.emulator
        .faults()
        .on("workspaceLogin")
        .then(Fault::status(503));
    env.pass(secs(3700));
    session.token().await.unwrap_err();
    env.pass(secs(2));
    session.token().await.unwrap();
    assert_eq!(recorder.lines(LOGINS), [r#"{session_kind="workspace"} 3"#]);
    let mut refreshes = recorder.lines(REFRESHES);
    refreshes.sort_unstable();
    assert_eq!(
        refreshes,
        [
            r#"{session_kind="workspace",cause="expired"} 1"#,
            r#"{session_kind="workspace",cause="first"} 1"#,
            r#"{session_kind="workspace",cause="invalidated"} 1"#,
        ]
    );
    assert_eq!(
        recorder.lines(REFRESH_FAILURES),
        [r#"{session_kind="workspace",error_type="api"} 1"#]
    );
    assert_eq!(
        recorder.lines(REJECTED_TOKENS),
        [r#"{session_kind="workspace"} 1"#]
    );
    assert_eq!(
        recorder.lines(TOKEN_EXPIRES_AT),
        [expires(START.as_secs() + 3702 + 3600)]
    );
}

/// A forgotten session's token must not look like one that expires.
#[tokio::test]
async fn a_forgotten_session_leaves_no_expiry_behind() {
    let env = TestEnv::new().await;
    let recorder = Recorder::install();
    let key = ApiKeySource::from(env.workspace_key());
    env.client.workspace(&key).token().await.unwrap();
    assert!(env.client.forget(&key));
    let lines = recorder.lines(TOKEN_EXPIRES_AT);
    assert!(lines.len() == 1 && lines[0].ends_with(" 0"), "{lines:?}");
}

#[tokio::test]
async fn a_store_is_counted_by_how_it_answers() {
    let env = TestEnv::new().await;
    let store = MemoryStore::default();
    let recorder = Recorder::install();
    for _ in 0..2 {
        let client = env.client_builder().store(store.clone()).build().unwrap();
        client.workspace(env.workspace_key()).token().await.unwrap();
    }
    let lines = recorder.lines(STORE_CALLS);
    for expected in [
        r#"{method="take",outcome="miss"} 1"#,
        r#"{method="take",outcome="hit"} 1"#,
        r#"{method="save",outcome="done"} 1"#,
    ] {
        assert!(lines.iter().any(|line| line == expected), "{lines:#?}");
    }
    assert_eq!(recorder.lines(LOGINS), [r#"{session_kind="workspace"} 1"#]);
}

/// Everything on: one request is one call span and one point, and nothing shows a secret or an address.
#[tokio::test]
async fn a_request_with_everything_on_is_one_span_and_one_point() {
    let env = TestEnv::new().await;
    env.emulator
        .stub("GET", "/v4/clients/{id}", serde_json::json!({ "data": [] }));
    let recorder = Recorder::install();
    let seen = Collected::start();
    let session = env.workspace();
    let token = session.token().await.unwrap();
    let request = session
        .get("/v4/clients/{id}")
        .path_param("id", "jan@example.com");
    request.await.unwrap();
    let calls = seen.spans("synerise.call");
    let of_request = calls
        .iter()
        .filter(|call| call.field("url.template") == Some("/v4/clients/{id}"));
    assert_eq!(of_request.count(), 1);
    let counts = recorder.lines(&format!("{REQUEST_DURATION}_count"));
    let of_request = counts.iter().filter(|line| line.contains(r#"operation="other""#));
    assert_eq!(
        of_request.collect::<Vec<_>>(),
        [r#"{operation="other",method="GET",status="200",error_type=""} 1"#]
    );
    let shown = format!("{:?}{}", seen.everything(), recorder.handle.render());
    for secret in [
        token.expose(),
        &env.emulator.workspace().workspace_api_key,
        "jan",
        "example.com",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

#[test]
fn the_list_of_metrics_is_the_pages() {
    let page = include_str!("../../../src/observability/page.md");
    let listed: Vec<String> = page
        .lines()
        .filter(|line| line.starts_with("| `synerise_auth_"))
        .map(str::to_owned)
        .collect();
    let known: Vec<String> = ALL
        .iter()
        .map(|metric| {
            let kind = match metric.kind {
                MetricKind::Counter => "counter",
                MetricKind::Gauge => "gauge",
                MetricKind::Histogram => "histogram",
                other => panic!("{other:?}"),
            };
            format!(
                "| `{}` | {kind} | `{}` |",
                metric.name,
                metric.labels.join("`, `")
            )
        })
        .collect();
    assert_eq!(listed, known);
    for metric in ALL {
        let unit = if metric.kind == MetricKind::Counter {
            "_total"
        } else {
            "_seconds"
        };
        assert!(metric.name.ends_with(unit), "{}", metric.name);
    }
}

/// The texts of all fields with this name, at any depth.
fn texts<'a>(value: &'a Value, name: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                match value.as_str() {
                    Some(text) if key == name => found.push(text),
                    _ => texts(value, name, found),
                }
            }
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, name, found)),
        _ => {}
    }
}

#[test]
fn the_dashboard_asks_only_for_what_is_emitted() {
    let dashboard: Value = serde_json::from_str(include_str!("../../../docs/grafana.json")).unwrap();
    assert_eq!(dashboard["id"], Value::Null);
    assert_eq!(dashboard["uid"], "synerise-auth");
    assert!(dashboard["schemaVersion"].is_u64());
    assert_eq!(dashboard["templating"]["list"][0]["type"], "datasource");
    let mut sources = Vec::new();
    texts(&dashboard, "uid", &mut sources);
    assert!(
        sources
            .iter()
            .all(|uid| ["synerise-auth", "${datasource}"].contains(uid)),
        "{sources:?}"
    );
    let mut queries = Vec::new();
    texts(&dashboard, "expr", &mut queries);
    let mut used = BTreeSet::new();
    for query in queries {
        let mut labels: BTreeSet<&str> = BTreeSet::from(["le", "instance", "job"]);
        for word in words(query).filter(|word| word.starts_with("synerise_auth_")) {
            let metric = ALL.iter().find(|metric| {
                let suffixes: &[&str] = match metric.kind {
                    MetricKind::Histogram => &["_bucket", "_count", "_sum"],
                    _ => &[""],
                };
                suffixes
                    .iter()
                    .any(|suffix| word == format!("{}{suffix}", metric.name))
            });
            let metric = metric.unwrap_or_else(|| panic!("{word} is not emitted: {query}"));
            labels.extend(metric.labels);
            used.insert(metric.name);
        }
        for label in labels_in(query) {
            assert!(
                labels.contains(label.as_str()),
                "{label} is not a label here: {query}"
            );
        }
    }
    let all: BTreeSet<&str> = ALL.iter().map(|metric| metric.name).collect();
    assert_eq!(used, all, "the dashboard shows every metric");
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
}

/// The labels that a query selects or groups by.
fn labels_in(query: &str) -> Vec<String> {
    let selected = query.split('{').skip(1).filter_map(|rest| rest.split('}').next());
    let selected = selected.flat_map(|list| list.split(','));
    let selected = selected.filter_map(|part| part.split(['=', '!']).next());
    let grouped = query
        .split("by (")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    let grouped = grouped.flat_map(|list| list.split(','));
    selected
        .chain(grouped)
        .map(|label| label.trim().to_owned())
        .collect()
}
