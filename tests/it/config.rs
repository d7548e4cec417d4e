//! Settings from a service's configuration and from the environment.

use std::collections::HashMap;
use std::ffi::OsString;

use serde::Deserialize;
use serde_json::{Value, json};
use synerise_auth::{Client, Config, ErrorKind, Result};

use crate::support::{KeyFile, TestEnv};

/// Reads a configuration from these variables.
fn from_variables(variables: &[(&str, &str)]) -> Result<Config> {
    let variables: HashMap<&str, OsString> = variables
        .iter()
        .map(|(name, value)| (*name, OsString::from(value)))
        .collect();
    Config::from_variables(|name| variables.get(name).cloned())
}

fn base_url(config: &Config) -> String {
    let client = Client::builder().config(config).build().unwrap();
    client.base_url().trim_end_matches('/').to_owned()
}

#[tokio::test]
async fn a_service_configures_everything_in_its_environment() {
    let env = TestEnv::new().await;
    let key = &env.emulator.workspace().workspace_api_key;
    let config = from_variables(&[
        ("SYNERISE_BASE_URL", env.emulator.base_url()),
        ("SYNERISE_API_KEY", key),
        ("SYNERISE_APP", "shop/1.0"),
        ("SYNERISE_CONNECT_TIMEOUT", "2s"),
        ("SYNERISE_ATTEMPT_TIMEOUT", "5s"),
        ("SYNERISE_CALL_TIMEOUT", "1m 30s"),
        ("SYNERISE_REFRESH_MARGIN", "2m"),
        ("SYNERISE_REFRESH_TIMEOUT", "500ms"),
        ("SYNERISE_MAX_ATTEMPTS", "2"),
    ])
    .unwrap();
    let debug = format!("{config:?}");
    for setting in ["2s", "5s", "90s", "120s", "500ms", "shop/1.0", "Some(2)"] {
        assert!(debug.contains(setting), "{debug}");
    }
    assert!(!debug.contains(key), "{debug}");
    let client = Client::builder().config(&config).build().unwrap();
    let workspace = client.workspace(config.api_key().unwrap());
    workspace.token().await.unwrap();
    assert_eq!(env.logins(), 1);
}

#[test]
fn a_region_stands_for_its_address() {
    for variables in [
        &[("SYNERISE_REGION", "GCP")] as &[_],
        &[("SYNERISE_REGION", "gcp"), ("SYNERISE_BASE_URL", "")],
        &[
            ("SYNERISE_REGION", "gcp"),
            ("SYNERISE_BASE_URL", "https://api.geb.synerise.com/"),
        ],
    ] {
        let config = from_variables(variables).unwrap();
        assert_eq!(base_url(&config), "https://api.geb.synerise.com");
    }
    assert_eq!(base_url(&Config::default()), "https://api.synerise.com");
    // What is set in code afterwards counts.
    let config = from_variables(&[("SYNERISE_REGION", "gcp")]).unwrap();
    let client = Client::builder()
        .config(&config)
        .base_url("https://gateway.example");
    assert!(
        client
            .build()
            .unwrap()
            .base_url()
            .starts_with("https://gateway.example")
    );
}

#[test]
fn errors_name_the_variable_and_never_its_value() {
    let key = ("SYNERISE_API_KEY", "fake-canary");
    let file = ("SYNERISE_API_KEY_FILE", "fake-canary");
    for (variables, expected) in [
        (&[("SYNERISE_REGION", "fake-canary")] as &[_], "SYNERISE_REGION"),
        (
            &[
                ("SYNERISE_REGION", "gcp"),
                ("SYNERISE_BASE_URL", "https://fake-canary"),
            ],
            "SYNERISE_BASE_URL",
        ),
        (
            &[("SYNERISE_CALL_TIMEOUT", "fake-canary")],
            "SYNERISE_CALL_TIMEOUT",
        ),
        (&[("SYNERISE_CONNECT_TIMEOUT", "20")], "SYNERISE_CONNECT_TIMEOUT"),
        (&[("SYNERISE_ATTEMPT_TIMEOUT", "0s")], "SYNERISE_ATTEMPT_TIMEOUT"),
        (&[("SYNERISE_REFRESH_MARGIN", "-1s")], "SYNERISE_REFRESH_MARGIN"),
        (&[("SYNERISE_REFRESH_TIMEOUT", "x")], "SYNERISE_REFRESH_TIMEOUT"),
        (&[("SYNERISE_MAX_ATTEMPTS", "0")], "SYNERISE_MAX_ATTEMPTS"),
        (&[("SYNERISE_API_KEY", "fake canary")], "SYNERISE_API_KEY"),
        (&[key, file], "SYNERISE_API_KEY_FILE"),
        (&[file], "SYNERISE_API_KEY_FILE"),
    ] {
        let error = from_variables(variables).unwrap_err();
        let line = error.to_string();
        assert!(line.contains(expected), "{line}");
        assert!(!line.contains("canary") && !line.contains('\n'), "{line}");
    }
    let error = from_variables(&[]).unwrap().api_key().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_refused() {
    use std::os::unix::ffi::OsStringExt;

    let error = Config::from_variables(|name| {
        (name == "SYNERISE_REGION").then(|| OsString::from_vec(vec![b'x', 0xff]))
    });
    let line = error.unwrap_err().to_string();
    assert!(
        line.contains("SYNERISE_REGION is not set, or is not UTF-8"),
        "{line}"
    );
}

/// A service's own configuration, in which that of the client stands.
#[derive(Debug, Deserialize)]
struct Settings {
    synerise: Config,
}

fn settings(synerise: &Value) -> serde_json::Result<Settings> {
    serde_json::from_value(json!({ "synerise": synerise }))
}

#[tokio::test]
async fn it_stands_in_the_services_own_configuration() {
    let env = TestEnv::new().await;
    let file = KeyFile::new(&env.emulator.workspace().workspace_api_key);
    let config = settings(&json!({
        "base_url": env.emulator.base_url(),
        "api_key_file": file.path(),
        "call_timeout": "20s",
        "max_attempts": 1,
    }))
    .unwrap()
    .synerise;
    let client = Client::builder().config(&config).build().unwrap();
    // The same configuration, the same session.
    for _ in 0..2 {
        client.workspace(config.api_key().unwrap()).token().await.unwrap();
    }
    assert_eq!(env.logins(), 1);
}

#[test]
fn a_wrong_configuration_is_refused_without_its_secrets() {
    for (wrong, expected) in [
        (json!({ "api_key_file": 471_108_815 }), "is not one"),
        (json!({ "base_url": 471_108_815 }), "is not one"),
        (
            json!({ "region": "gcp", "base_url": "https://canary" }),
            "base URL is set",
        ),
        (json!({ "region": "canary" }), "region is not one"),
        (json!({ "call_timeout": 20 }), "is not one"),
        (json!({ "call_timeout": "canary" }), "with its unit"),
        (json!({ "refresh_margin": "20" }), "with its unit"),
        (json!({ "call_timout": "20s" }), "unknown field `call_timout`"),
    ] {
        let error = settings(&wrong).unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(
            !error.contains("canary") && !error.contains("471108815"),
            "{error}"
        );
    }
}

/// An error of the format would quote the line, and with it the key.
#[test]
fn a_wrong_key_in_a_file_is_an_error_of_its_own() {
    for (wrong, expected) in [
        ("api_key = \"fake canary\"", "API key contains white space"),
        (
            "api_key = 471108815",
            "api_key in the configuration is not a string",
        ),
        ("api_key = -4711088.15", "is not a string"),
        ("api_key = true", "is not a string"),
        ("api_key = [\"canary\", [1]]", "is not a string"),
        ("api_key = { canary = { a = 1 } }", "is not a string"),
        (
            "api_key = \"fake-canary\"\napi_key_file = \"/canary\"",
            "api_key is set, and so is api_key_file",
        ),
    ] {
        let settings: Settings = toml::from_str(&format!("[synerise]\n{wrong}\nmax_attempts = 2")).unwrap();
        assert!(settings.synerise.has_api_key(), "{wrong}");
        let error = settings.synerise.api_key().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        for text in [error.to_string(), format!("{settings:?}")] {
            assert!(!text.contains("canary") && !text.contains("4711088"), "{text}");
        }
        assert!(error.to_string().contains(expected), "{error}");
    }
    assert!(!Config::default().has_api_key());
}

#[cfg(feature = "schemars")]
#[test]
fn its_schema_shows_no_key() {
    let schema = serde_json::to_value(schemars::schema_for!(Config)).unwrap();
    let properties = &schema["properties"];
    let key = &properties["api_key"].to_string();
    assert!(
        schema.to_string().contains(r#""format":"password""#)
            && schema.to_string().contains(r#""writeOnly":true"#),
        "{key}"
    );
    assert_eq!(schema["additionalProperties"], json!(false));
    for field in [
        "region",
        "base_url",
        "api_key_file",
        "connect_timeout",
        "max_attempts",
    ] {
        assert!(properties[field].is_object(), "{field}: {schema}");
    }
    assert!(schema["required"].is_null(), "{schema}");
}
