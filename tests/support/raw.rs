//! Servers of which a test decides every byte: over HTTP/1, and over HTTP/2 without TLS.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A request as far as the raw server reads it.
#[derive(Debug, Clone)]
pub(crate) struct RawRequest {
    /// The number of the connection that it came by, from 0.
    pub(crate) connection: usize,
    /// The request line and the headers.
    pub(crate) head: String,
}

impl RawRequest {
    pub(crate) fn is_login(&self) -> bool {
        self.head.contains("/login/")
    }
}

/// What the raw server does with a request.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// Sends the bytes and waits for the next request.
    Send(Vec<u8>),
    /// Sends the bytes and closes the connection.
    SendAndClose(Vec<u8>),
    /// Sends the bytes and then nothing more, with the connection open.
    SendAndHang(Vec<u8>),
}

impl Reply {
    pub(crate) fn text(head: &str, body: &str) -> Self {
        let length = body.len();
        Self::Send(format!("HTTP/1.1 {head}\r\ncontent-length: {length}\r\n\r\n{body}").into_bytes())
    }

    pub(crate) fn json(body: &str) -> Self {
        Self::text("200 OK\r\ncontent-type: application/json", body)
    }

    /// A login's response with a new token each time.
    pub(crate) fn login(number: usize) -> Self {
        Self::json(&format!(r#"{{"token":"fake-token-{number}"}}"#))
    }
}

/// Runs a server on a thread and runtime of its own, so that it answers whatever the test's runtimes do.
pub(crate) fn on_own_thread<F: Future<Output = ()> + 'static>(
    serve: impl FnOnce(TcpListener) -> F + Send + 'static,
) -> SocketAddr {
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async move {
            serve(TcpListener::from_std(listener).unwrap()).await;
        });
    });
    address
}

/// A server over HTTP/1 of which a test decides every byte.
pub(crate) struct RawServer {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<RawRequest>>>,
}

impl RawServer {
    pub(crate) fn start(reply: impl Fn(&RawRequest, usize) -> Reply + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<RawRequest>>> = Arc::default();
        let record = Arc::clone(&seen);
        let reply = Arc::new(reply);
        let address = on_own_thread(move |listener| async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, record) = (Arc::clone(&reply), Arc::clone(&record));
                tokio::task::spawn_local(async move { serve(stream, connection, &*reply, &record).await });
                connection += 1;
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn seen(&self) -> Vec<RawRequest> {
        self.seen.lock().unwrap().clone()
    }

    /// How many requests had this in their head.
    pub(crate) fn count(&self, part: &str) -> usize {
        self.seen()
            .iter()
            .filter(|request| request.head.contains(part))
            .count()
    }
}

async fn serve(
    mut stream: TcpStream,
    connection: usize,
    reply: &impl Fn(&RawRequest, usize) -> Reply,
    seen: &Mutex<Vec<RawRequest>>,
) {
    let mut buffer = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut buffer).await.unwrap_or_default() == 0 {
                return;
            }
        };
        let head = String::from_utf8_lossy(&buffer[..end]).into_owned();
        let length = head
            .lines()
            .find_map(|line| {
                line.to_ascii_lowercase()
                    .strip_prefix("content-length: ")?
                    .parse()
                    .ok()
            })
            .unwrap_or(0);
        while buffer.len() < end + length {
            if stream.read_buf(&mut buffer).await.unwrap_or_default() == 0 {
                return;
            }
        }
        buffer.drain(..end + length);
        let request = RawRequest { connection, head };
        let number = {
            let mut seen = seen.lock().unwrap();
            seen.push(request.clone());
            seen.len()
        };
        match reply(&request, number) {
            Reply::Send(bytes) => {
                if stream.write_all(&bytes).await.is_err() {
                    return;
                }
            }
            Reply::SendAndClose(bytes) => {
                let _ = stream.write_all(&bytes).await;
                return;
            }
            Reply::SendAndHang(bytes) => {
                let _ = stream.write_all(&bytes).await;
                std::future::pending::<()>().await;
            }
        }
    }
}

/// What the HTTP/2 server does with a request.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Http2Reply {
    /// 200 with this JSON.
    Json(&'static str),
    /// `RST_STREAM` with `REFUSED_STREAM`: "I did not look at it".
    RefuseStream,
    /// `GOAWAY` for the whole connection.
    GoAway,
    /// Nothing, and the connection does not read or write any more.
    Swallow,
}

/// A server over HTTP/2 without TLS.
pub(crate) struct Http2Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<(usize, String)>>>,
}

impl Http2Server {
    /// `reply` is given the connection's number, the path, and how many requests came before.
    pub(crate) fn start(reply: impl Fn(usize, &str, usize) -> Http2Reply + Send + Sync + 'static) -> Self {
        let seen: Arc<Mutex<Vec<(usize, String)>>> = Arc::default();
        let record = Arc::clone(&seen);
        let reply = Arc::new(reply);
        let address = on_own_thread(move |listener| async move {
            let mut connection = 0;
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, record) = (Arc::clone(&reply), Arc::clone(&record));
                tokio::task::spawn_local(async move {
                    serve_http2(stream, connection, &*reply, &record).await;
                });
                connection += 1;
            }
        });
        Self { address, seen }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests there were to a path with this in it.
    pub(crate) fn count(&self, part: &str) -> usize {
        let seen = self.seen.lock().unwrap();
        seen.iter().filter(|(_, path)| path.contains(part)).count()
    }

    /// The connections that the requests to such a path came by.
    pub(crate) fn connections(&self, part: &str) -> Vec<usize> {
        let seen = self.seen.lock().unwrap();
        let matching = seen.iter().filter(|(_, path)| path.contains(part));
        matching.map(|(connection, _)| *connection).collect()
    }
}

async fn serve_http2(
    stream: TcpStream,
    number: usize,
    reply: &impl Fn(usize, &str, usize) -> Http2Reply,
    seen: &Mutex<Vec<(usize, String)>>,
) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let path = request.uri().path().to_owned();
        let before = {
            let mut seen = seen.lock().unwrap();
            seen.push((number, path.clone()));
            seen.len() - 1
        };
        match reply(number, &path, before) {
            Http2Reply::Json(body) => {
                let response = http::Response::builder()
                    .header("content-type", "application/json")
                    .body(())
                    .unwrap();
                let mut stream = respond.send_response(response, false).unwrap();
                stream.send_data(body.into(), true).unwrap();
            }
            Http2Reply::RefuseStream => respond.send_reset(h2::Reason::REFUSED_STREAM),
            Http2Reply::GoAway => {
                connection.abrupt_shutdown(h2::Reason::NO_ERROR);
                while let Some(Ok(_)) = connection.accept().await {}
                return;
            }
            Http2Reply::Swallow => {
                // Held, but never polled again: no response, and no answer to a ping.
                let _held = (respond, request);
                std::future::pending::<()>().await;
            }
        }
    }
}
