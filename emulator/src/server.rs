//! The server: a thread with a runtime of its own.
//!
//! Its own, so that it outlives the runtime of the test that started it (a session may be built in one runtime and
//! used in another), answers while a test blocks its thread, and is not stopped by paused time.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::thread::JoinHandle;

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

use crate::delivery::{ResetConnection, ResetSwitch};
use crate::operations::OPERATIONS;
use crate::pipeline::{Shared, Target, serve};

/// A running server. Dropped, it closes every connection and frees its port.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) async fn start(address: SocketAddr, shared: Arc<Shared>) -> io::Result<Self> {
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        let (ready, is_ready) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("synerise-auth-emulator".to_owned())
            .spawn(move || {
                let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
                    Ok(runtime) => runtime,
                    Err(error) => return drop(ready.send(Err(error))),
                };
                runtime.block_on(async {
                    match TcpListener::from_std(listener) {
                        Ok(listener) => {
                            // The starter may have given up; then `stopped` ends the loop at once.
                            let _ = ready.send(Ok(()));
                            accept(listener, router(&shared), stopped).await;
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
        // Waited for, so that the port is free and nothing is answered once the drop is over.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn router(shared: &Arc<Shared>) -> Router {
    let to = |target: Target| {
        async move |State(shared): State<Arc<Shared>>,
                    parameters: Result<RawPathParams, RawPathParamsRejection>,
                    request: Request| {
            // What cannot be decoded is missing, which the document's check refuses.
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
        router = router.route(path, on(filter, to(Target::Operation(operation))));
    }
    router
        .fallback(to(Target::Elsewhere))
        .method_not_allowed_fallback(to(Target::OtherMethod))
        .with_state(Arc::clone(shared))
}

async fn accept(listener: TcpListener, router: Router, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // Dropping the sender is the signal.
            _ = &mut stopped => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => _ = connections.spawn(serve_connection(stream, router.clone())),
                // Out of file descriptors, or the client is gone already: others may do better.
                Err(_) => tokio::task::yield_now().await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn serve_connection(stream: TcpStream, router: Router) {
    // Small answers in several writes are slow otherwise; without it they are only slow.
    let _ = stream.set_nodelay(true);
    let switch = ResetSwitch::default();
    let connection = Connection {
        stream,
        switch: switch.clone(),
    };
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(switch.clone());
        let answer = router.call(request);
        async move {
            let Ok(response) = answer.await;
            if response.extensions().get::<ResetConnection>().is_some() {
                return Err(io::Error::from(io::ErrorKind::ConnectionReset));
            }
            Ok(response)
        }
    });
    // By hand rather than by `axum::serve`, for this setting: the date is the emulator's, or none.
    let mut server = http1::Builder::new();
    server.auto_date_header(false);
    // An error is a client that went away or a scripted fault; either way the connection is over.
    let _ = server.serve_connection(TokioIo::new(connection), service).await;
}

/// A connection that can be made to end with a reset.
struct Connection {
    stream: TcpStream,
    switch: ResetSwitch,
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.switch.is_set() {
            // With nothing to linger for, closing resets. Should it fail, the client sees a close instead.
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
