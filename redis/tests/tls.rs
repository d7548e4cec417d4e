//! TLS on a real server, in a program of its own: the cryptography is chosen for the whole process.

#![cfg(feature = "tls-rustls")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    dead_code,
    reason = "a test may, and uses its share of what the tests share"
)]
#![allow(
    clippy::disallowed_methods,
    reason = "the server's clock can't be injected: these tests run on the system's"
)]

use std::fs;
use std::sync::Once;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use redis::TlsCertificates;
use synerise_auth::store::TokenStore;
use synerise_auth_redis::RedisStore;

#[path = "it/support/mod.rs"]
mod support;

use support::{HASTY, PATIENT, SLACK, Server, acquired, builder, request, store_key, timed, token};

fn choose_cryptography() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        rustls::crypto::aws_lc_rs::default_provider()
            .install_default()
            .unwrap();
    });
}

/// An authority that no system knows.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// A server with a certificate for this host.
    fn server(&self, host: &str) -> Option<Server> {
        let server = Server::with_tls(|folder| {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(vec![host.to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &self.0).unwrap();
            fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
            fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
        });
        if server.is_none() {
            eprintln!("TLS is not tested: this server was built without it");
        }
        server
    }

    /// A store that trusts this authority alone.
    fn store(&self, server: &Server) -> RedisStore {
        let certificates = TlsCertificates {
            client_tls: None,
            root_cert: Some(self.0.pem().into_bytes()),
        };
        let client = redis::Client::build_with_tls(secure(server), certificates).unwrap();
        let connect = move || {
            let client = client.clone();
            async move { client.get_multiplexed_async_connection().await }
        };
        builder().connect_with_redis_1(connect).unwrap()
    }
}

fn secure(server: &Server) -> String {
    server.url().replace("redis://127.0.0.1", "rediss://localhost")
}

async fn error(store: &RedisStore) -> String {
    let key = store_key().await;
    let (loaded, took) = timed(store.load(&key)).await;
    assert!(took < PATIENT, "{took:?}");
    loaded.unwrap_err().to_string()
}

#[test]
fn program_without_a_choice_of_cryptography_is_told_so() {
    // In a process of its own: the others may have chosen already.
    if std::env::var_os("SYNERISE_TEST_NO_CHOICE").is_none() {
        let name = "program_without_a_choice_of_cryptography_is_told_so";
        let status = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name])
            .env("SYNERISE_TEST_NO_CHOICE", "1")
            .status();
        assert!(status.unwrap().success());
        return;
    }
    let refused = builder()
        .connect("rediss://localhost:6379")
        .unwrap_err()
        .to_string();
    assert!(refused.contains("install_default()"), "{refused}");
    choose_cryptography();
    builder().connect("rediss://localhost:6379").unwrap();
}

#[tokio::test]
async fn tokens_are_shared_over_tls() {
    choose_cryptography();
    let authority = Authority::new();
    let Some(server) = authority.server("localhost") else {
        return;
    };
    let (store, key, mine) = (authority.store(&server), store_key().await, request(0));
    let generation = acquired(&store, &key, &mine).await;
    let fresh = token("fake", generation);
    store.save(&key, fresh, Some(&mine.owner)).await.unwrap();
    let other = authority.store(&server);
    assert_eq!(other.load(&key).await.unwrap().unwrap().generation, generation);
}

#[tokio::test]
async fn certificate_that_is_not_trusted_is_named() {
    choose_cryptography();
    let authority = Authority::new();
    let Some(server) = authority.server("localhost") else {
        return;
    };
    let strangers = [
        builder().connect(&secure(&server)).unwrap(),
        Authority::new().store(&server),
    ];
    for store in strangers {
        let error = error(&store).await;
        assert!(error.contains("the certificate of Redis"), "{error}");
    }
}

#[tokio::test]
async fn certificate_of_another_host_is_named() {
    choose_cryptography();
    let authority = Authority::new();
    let Some(server) = authority.server("other.example") else {
        return;
    };
    let error = error(&authority.store(&server)).await;
    assert!(error.contains("the certificate of Redis"), "{error}");
}

#[tokio::test]
async fn tls_on_one_side_alone_costs_the_time_limit() {
    choose_cryptography();
    let authority = Authority::new();
    let plain = Server::start();
    let store = builder().time_limit(HASTY).connect(&secure(&plain)).unwrap();
    fails_in_time(&store).await;
    let Some(server) = authority.server("localhost") else {
        return;
    };
    fails_in_time(&builder().time_limit(HASTY).connect(&server.url()).unwrap()).await;
}

/// A server that does not understand what it is sent may wait for more of it.
async fn fails_in_time(store: &RedisStore) {
    let key = store_key().await;
    let (loaded, took) = timed(store.load(&key)).await;
    assert!(took < HASTY + SLACK, "{took:?}");
    let error = loaded.unwrap_err().to_string();
    let words = [
        "does not speak TLS",
        "is for TLS",
        "use rediss://",
        "did not answer in time",
    ];
    assert!(words.iter().any(|words| error.contains(words)), "{error}");
}
