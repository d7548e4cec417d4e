//! A runtime without the drivers that sending needs.

use synerise_auth::clock::ManualClock;
use synerise_auth::{Error, ErrorKind};
use tokio::runtime::Builder;

use crate::support::{RawServer, Reply, key};

use super::builder;

fn error_in(runtime: &mut Builder) -> (Error, usize) {
    let server = RawServer::start(|_, number| Reply::login(number));
    let client = builder(&server.url(), &ManualClock::new()).build().unwrap();
    let session = client.workspace(key());
    let runtime = runtime.build().unwrap();
    let error = runtime.block_on(async { session.token().await }).unwrap_err();
    (error, server.seen().len())
}

#[test]
fn runtime_without_drivers_is_one_clear_error() {
    let mut without_time = Builder::new_current_thread();
    without_time.enable_io();
    let mut without_io = Builder::new_multi_thread();
    without_io.worker_threads(1).enable_time();
    let mut without_both = Builder::new_current_thread();
    for (runtime, driver) in [
        (&mut without_time, "time"),
        (&mut without_io, "IO"),
        (&mut without_both, "time"),
    ] {
        let (error, sent) = error_in(runtime);
        assert_eq!(error.kind(), ErrorKind::NoRuntime, "{error}");
        assert!(
            error.to_string().contains(&format!("no {driver} driver")),
            "{error}"
        );
        assert!(error.advice().contains("enable_all"), "{error}");
        assert_eq!(sent, 0);
    }
}
