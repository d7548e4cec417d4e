//! The server: a thread with its own runtime.
//!
//! So it outlives the runtime of the test that started it (a session may be built in one runtime and used in another),
//! responds while a test blocks its thread, and does not stop when a test pauses Tokio's time.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::rejection::RawPathParamsRejection;
use axum::extract::{RawPathParams, Request, State};
use axum::routing::{MethodFilter, on};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::clock::sleep_real_time;
use crate::delivery::{ResetConnection, ResetSwitch};
use crate::operations::OPERATIONS;
use crate::pipeline::{Shared, Target, serve};

/// How long to wait before the next `accept` when the machine is out of resources.
const ACCEPT_BACKOFF: Duration = Duration::from_millis(50);

/// A running server. When it is dropped, it closes every connection and frees its port.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn start(address: SocketAddr, shared: Arc<Shared>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)
            .map_err(|error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}")))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("synerise-auth-emulator".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let message = format!("cannot start the server's runtime: {error}");
                        return drop(ready.send(Err(io::Error::new(error.kind(), message))));
                    }
                };
                runtime.block_on(async {
                    match TcpListener::from_std(listener) {
                        Ok(listener) => {
                            // If the starter was cancelled, `stopped` ends the loop at once.
                            let _ = ready.send(Ok(()));
                            accept_connections(listener, router(&shared), stopped).await;
                        }
                        Err(error) => drop(ready.send(Err(error))),
                    }
                });
            })?;
        is_ready
            .await
            .map_err(|_| io::Error::other("the emulator's thread ended before it was ready"))??;
        Ok(Self {
            address,
            stop: Some(stop),
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        // Wait, so that the port is free and no response is sent after the drop.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let serve_as = |target: Target| {
        async move |State(shared): State<Arc<Shared>>,
                    parameters: Result<RawPathParams, RawPathParamsRejection>,
                    request: Request| {
            // A parameter that cannot be decoded counts as missing, which the document check refuses.
            let parameters: HashMap<_, _> = parameters
                .iter()
                .flatten()
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect();
            serve(&shared, target, parameters, request).await
        }
    };
    let mut router = Router::new();
    for operation in &OPERATIONS {
        let path = operation.path_for(&shared.assumptions);
        #[expect(clippy::expect_used, reason = "the table has GET and POST")]
        let filter = MethodFilter::try_from(operation.method.clone()).expect("a standard method");
        router = router.route(path, on(filter, serve_as(Target::Operation(operation))));
    }
    router
        .fallback(serve_as(Target::UnknownPath))
        .method_not_allowed_fallback(serve_as(Target::UnknownMethod))
        .with_state(Arc::clone(shared))
}

async fn accept_connections(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            // Dropping the sender is the signal.
            _ = &mut stopped => return,
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, _)) => _ = connections.spawn(serve_connection(stream, router.clone())),
            Err(error) if concerns_one_connection(&error) => {}
            // Out of file descriptors or memory: the next attempt fails as well until a connection ends. Without a
            // pause, this loop would keep the processor busy.
            Err(_) => tokio::select! {
                _ = &mut stopped => return,
                Some(_) = connections.join_next() => {}
                () = sleep_real_time(ACCEPT_BACKOFF) => {}
            },
        }
    }
}

/// Whether the error is about the client that was to be accepted, so that the next may do better at once.
fn concerns_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionRefused
    )
}

async fn serve_connection(stream: TcpStream, router: Router) {
    // Small responses in several writes are slow without this. If it fails, they are only slow.
    let _ = stream.set_nodelay(true);
    let switch = ResetSwitch::default();
    let connection = Connection {
        stream,
        switch: switch.clone(),
    };
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(switch.clone());
        let response = router.call(request);
        async move {
            let Ok(response) = response.await;
            if response.extensions().get::<ResetConnection>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(response)
        }
    });
    // `axum::serve` does not have this setting: the date is the emulator's, or none.
    let mut server = http1::Builder::new();
    server.auto_date_header(false);
    // An error is a client that went away or a scripted fault. Either way the connection has ended.
    let _ = server.serve_connection(TokioIo::new(connection), service).await;
}

/// A connection that ends with a reset once its switch is set.
struct Connection {
    stream: TcpStream,
    switch: ResetSwitch,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.switch.is_set() {
            // Closing without lingering resets the connection. If this fails, the client sees a normal close.
            let _ = self.stream.set_zero_linger();
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
