//! A proxy in front of a server, which loses or breaks what passes.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

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
    /// Requests are kept for `deliver_first`, and nothing is answered.
    HoldRequests,
}

type Held = Arc<Mutex<Vec<Vec<u8>>>>;

pub(crate) struct Proxy {
    address: SocketAddr,
    port: u16,
    mode: watch::Sender<Mode>,
    held: Held,
    task: JoinHandle<()>,
}

impl Proxy {
    pub(crate) async fn before(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (mode, modes) = watch::channel(Mode::Pass);
        let held = Held::default();
        let requests = Arc::clone(&held);
        let task = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(pass(client, port, modes.clone(), Arc::clone(&requests)));
            }
        });
        Self {
            address,
            port,
            mode,
            held,
            task,
        }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://{}", self.address)
    }

    pub(crate) fn set(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// Lets the first request that was held arrive, and no other.
    pub(crate) fn deliver_first(&self) {
        use std::io::{Read, Write};
        let request = self.held.lock().unwrap().remove(0);
        let mut server = std::net::TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        server.write_all(&request).unwrap();
        let _ = server.read(&mut [0; 64]).unwrap();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass(mut client: TcpStream, port: u16, modes: watch::Receiver<Mode>, held: Held) {
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
            (Mode::HoldRequests, true) => {
                held.lock().unwrap().push(up[..count].to_vec());
                Ok(())
            }
            (Mode::HoldRequests | Mode::DropAnswers, false) | (Mode::BlackHole, _) => Ok(()),
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
