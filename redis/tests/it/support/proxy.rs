//! A proxy in front of a server, which loses or breaks what passes.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// What happens to what passes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Pass,
    /// Connections are accepted, and nothing more happens.
    BlackHole,
    /// Requests arrive, answers don't.
    DropAnswers,
    /// The first bytes of an answer arrive, and then the connection is reset.
    CutAnswers,
}

pub(crate) struct Proxy {
    address: SocketAddr,
    mode: watch::Sender<Mode>,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, modes) = watch::channel(Mode::Pass);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, port, modes.clone()));
            }
        });
        Self { address, mode, task }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, port: u16, modes: watch::Receiver<Mode>) {
    let Ok(mut server) = TcpStream::connect(("127.0.0.1", port)).await else {
        return;
    };
    let (mut up, mut down) = ([0; 4096], [0; 4096]);
    loop {
        let (request, count) = tokio::select! {
            read = client.read(&mut up) => (true, read),
            read = server.read(&mut down) => (false, read),
        };
        let Ok(count @ 1..) = count else { return };
        let mode = *modes.borrow();
        let sent = match (mode, request) {
            (Mode::BlackHole, _) | (Mode::DropAnswers, false) => Ok(()),
            (Mode::CutAnswers, false) => {
                let _ = client.write_all(&down[..count.min(2)]).await;
                return;
            }
            (_, true) => server.write_all(&up[..count]).await,
            (_, false) => client.write_all(&down[..count]).await,
        };
        if sent.is_err() {
            return;
        }
    }
}
