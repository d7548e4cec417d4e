//! The signals that stop the program.
//!
//! They need a handler: as PID 1 (the usual case in a container) a process ignores every signal that it does not handle.

use std::future::Future;
use std::io;

/// Installs the handlers for SIGTERM and SIGINT. The future is ready when one of the signals arrives.
#[cfg(unix)]
pub(crate) fn listen() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Installs the handler for Ctrl-C. The future is ready when it is pressed.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "the Unix version can fail")]
pub(crate) fn listen() -> io::Result<impl Future<Output = ()>> {
    let interrupt = tokio::signal::ctrl_c();
    Ok(async move {
        // Without a handler, the default action of the system stays, which ends the program.
        if interrupt.await.is_err() {
            std::future::pending().await
        }
    })
}
