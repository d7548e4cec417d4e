//! Blocking calls: where they work, and where they are an error instead of a deadlock.

use std::future::Future;
use std::thread;

use synerise_auth::blocking;
use synerise_auth::kind::Workspace;
use synerise_auth::{ErrorKind, Result, Session, UserLoginOutcome, reqwest};
use synerise_auth_emulator::Fault;
use tokio::runtime::{Builder, Runtime};
use tokio::task::{LocalSet, block_in_place, coop, spawn_blocking};

use crate::support::{CLIENTS, PASSWORD, TestEnv, USER, customer, secs, spawn_get};

/// A server, in a runtime that no test blocks.
struct Server {
    env: TestEnv,
    runtime: Runtime,
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

impl Server {
    fn start() -> Self {
        let runtime = multi_thread();
        let env = runtime.block_on(TestEnv::new());
        Self { env, runtime }
    }
}

fn clients(blocking: &blocking::Runtime, session: &Session<Workspace>) -> Result<u16> {
    let response = blocking.block_on(session.get("/v4/clients"))?;
    Ok(response.status())
}

#[test]
fn every_kind_of_call_can_be_waited_for() {
    let Server {
        env,
        runtime: _server,
    } = Server::start();
    let blocking = blocking::Runtime::new().unwrap();
    let workspace = env.workspace();
    assert_eq!(blocking.block_on(workspace.token()).unwrap().generation(), 1);
    assert_eq!(workspace.cached_token().unwrap().generation(), 1);
    assert_eq!(clients(&blocking, &workspace).unwrap(), 200);

    let logins = env.client.profile(env.profile_key());
    let profile = blocking
        .block_on(logins.clone().login(customer(PASSWORD)))
        .unwrap();
    assert!(blocking.block_on(profile.token()).is_ok());
    let outcome = blocking.block_on(env.client.user().login(USER, PASSWORD));
    assert!(matches!(outcome.unwrap(), UserLoginOutcome::Complete(_)));

    let error = blocking
        .block_on(logins.login(customer("Not-the-password-1")))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Api);
}

#[test]
fn threads_share_one_login_and_a_dropped_runtime_is_replaced() {
    let Server {
        env,
        runtime: _server,
    } = Server::start();
    let session = env.workspace();
    let first = blocking::Runtime::new().unwrap();
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(clients(&first, &session).unwrap(), 200));
        }
    });
    assert_eq!((env.logins(), env.calls()), (1, 20));
    drop(first);
    env.emulator.revoke_tokens();
    let second = blocking::Runtime::new().unwrap();
    assert_eq!(clients(&second, &session).unwrap(), 200);
    assert_eq!(env.logins(), 2);
}

#[test]
fn refresh_runs_between_the_calls() {
    let Server { env, runtime: server } = Server::start();
    let blocking = blocking::Runtime::new().unwrap();
    let session = env.workspace();
    blocking.block_on(session.token()).unwrap();
    env.pass(secs(3400));
    let gate = env.emulator.faults().on("workspaceLogin").hold();
    assert_eq!(
        blocking.block_on(session.token()).unwrap().generation(),
        1,
        "stale, and valid"
    );
    server.block_on(async {
        gate.wait_for(1).await;
        let mut events = session.subscribe();
        gate.release();
        events.next().await.unwrap();
    });
    assert_eq!(session.cached_token().unwrap().generation(), 2);

    let mut events = session.subscribe();
    let _guard = blocking.block_on(async { session.keep_alive() }).unwrap();
    server.block_on(env.clock.sleepers(1));
    env.pass(secs(3400));
    server.block_on(events.next()).unwrap();
    assert_eq!(session.cached_token().unwrap().generation(), 3);
}

/// Whether blocking calls are refused in `future`, and nothing is sent.
async fn is_refused(blocking: &blocking::Runtime, session: &Session<Workspace>) {
    for _ in 0..3 {
        let error = blocking.block_on(session.token()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(coop::has_budget_remaining(), "the task goes on as before");
    }
    tokio::task::yield_now().await;
    assert_eq!(
        clients(blocking, session).unwrap_err().kind(),
        ErrorKind::WouldBlock
    );
}

#[test]
fn async_code_gets_an_error_and_nothing_is_sent() {
    let Server { env, runtime: server } = Server::start();
    let blocking = blocking::Runtime::new().unwrap();
    let session = env.workspace();
    for runtime in [current_thread(), multi_thread()] {
        runtime.block_on(is_refused(&blocking, &session));
        let (blocking, session) = (blocking.clone(), session.clone());
        runtime.block_on(async move {
            let task = tokio::spawn(async move { is_refused(&blocking, &session).await });
            task.await.unwrap();
        });
    }
    current_thread().block_on(LocalSet::new().run_until(is_refused(&blocking, &session)));
    let nested = blocking.block_on(async { blocking.block_on(session.token()) });
    assert_eq!(nested.unwrap_err().kind(), ErrorKind::WouldBlock);
    assert_eq!(env.logins(), 0);
    // What it should do instead.
    server.block_on(session.token()).unwrap();
}

/// Tokio answers by a panic there, which is caught.
#[test]
fn async_code_without_a_budget_gets_the_same_error() {
    let Server {
        env,
        runtime: _server,
    } = Server::start();
    let blocking = blocking::Runtime::new().unwrap();
    let session = env.workspace();
    let refused = async { blocking.block_on(session.token()).unwrap_err().kind() };
    let kind = current_thread().block_on(coop::unconstrained(refused));
    assert_eq!((kind, env.logins()), (ErrorKind::WouldBlock, 0));
}

#[test]
fn threads_for_blocking_work_may_block() {
    let Server {
        env,
        runtime: _server,
    } = Server::start();
    let blocking = blocking::Runtime::new().unwrap();
    let session = env.workspace();
    for runtime in [current_thread(), multi_thread()] {
        let (blocking, session) = (blocking.clone(), session.clone());
        let status = runtime.block_on(async move {
            assert!(tokio::runtime::Handle::try_current().is_ok());
            spawn_blocking(move || clients(&blocking, &session))
                .await
                .unwrap()
        });
        assert_eq!(status.unwrap(), 200);
    }
    let inside = || block_in_place(|| clients(&blocking, &session));
    assert_eq!(multi_thread().block_on(async { inside() }).unwrap(), 200);
    // A guard says which runtime is meant, and runs nothing.
    let other = current_thread();
    let guard = other.enter();
    assert_eq!(clients(&blocking, &session).unwrap(), 200);
    drop(guard);
    assert_eq!((env.logins(), env.calls()), (1, 4));
}

/// A caller's runtime that stands still: the connections that it opened are not used.
#[test]
fn connections_of_a_runtime_that_stands_still_are_not_waited_for() {
    let Server {
        env,
        runtime: _server,
    } = Server::start();
    let session = env.workspace();
    let stands_still = current_thread();
    stands_still
        .block_on(async { session.get("/v4/clients").await })
        .unwrap();
    let blocking = blocking::Runtime::new().unwrap();
    assert_eq!(clients(&blocking, &session).unwrap(), 200);
}

#[test]
fn client_of_the_callers_own_is_refused() {
    let runtime = multi_thread();
    let own = |client: synerise_auth::ClientBuilder| client.http_client(reqwest::Client::new());
    let env = runtime.block_on(TestEnv::with_client(own));
    let session = env.workspace();
    let blocking = blocking::Runtime::new().unwrap();
    let error = blocking.block_on(session.token()).unwrap_err();
    assert_eq!((error.kind(), env.logins()), (ErrorKind::InvalidInput, 0));
    assert!(error.to_string().contains("http_client"), "{error}");
}

fn assert_runs_to_the_end(work: impl Future<Output = ()>) {
    current_thread().block_on(work);
}

#[test]
fn dropping_waits_for_nothing() {
    let Server { env, runtime: server } = Server::start();
    let session = env.workspace();
    env.emulator.faults().on(CLIENTS).always(Fault::hang());
    let blocking = blocking::Runtime::new().unwrap();
    blocking.block_on(session.token()).unwrap();
    let call = blocking.block_on(async { Ok(spawn_get(&session)) }).unwrap();
    server.block_on(env.emulator.wait_for_count(CLIENTS, 1));
    // In async code, where dropping a runtime of Tokio panics.
    assert_runs_to_the_end(async move { drop(blocking) });
    assert!(server.block_on(call).unwrap_err().is_cancelled());
}
