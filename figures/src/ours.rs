//! This library's sessions, as the figures use them.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderValue;
use synerise_auth::clock::{Clock, Reading, Sleep, SystemClock};
use synerise_auth::kind::Workspace;
use synerise_auth::{ApiKey, Client, ClientBuilder, Session, Token};

use crate::Result;
use crate::cache::Cache;
use crate::login_server::LoginServer;

/// A workspace's session.
#[derive(Debug)]
pub struct Ours {
    session: Session<Workspace>,
}

impl Ours {
    /// A cold session, of a client that is built otherwise.
    pub fn of(client: ClientBuilder) -> Result<Self> {
        let session = client.build()?.workspace(ApiKey::new("fake-workspace-key")?);
        Ok(Self { session })
    }

    /// The session.
    pub fn session(&self) -> &Session<Workspace> {
        &self.session
    }
}

impl Cache for Ours {
    const NAME: &'static str = "synerise-auth";
    const LOGIN: &'static str = "/uauth/v2/auth/login/profile";
    type Ready = Token;

    fn cold(server: &LoginServer) -> Result<Self> {
        Self::of(Client::builder().base_url(server.base_url()))
    }

    async fn read(&self) -> Result<Token> {
        Ok(self.session.token().await?)
    }

    fn header(ready: &Token) -> Option<&HeaderValue> {
        Some(ready.header())
    }
}

/// The machine's clock, which can be moved on, and which knows how many sleeps are under way.
#[derive(Debug, Clone, Default)]
pub struct FiguresClock(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    system: SystemClock,
    ahead: AtomicU64,
    sleeps: AtomicI64,
}

impl FiguresClock {
    /// Moves it on.
    pub fn advance(&self, seconds: u64) {
        self.0.ahead.fetch_add(seconds, Ordering::SeqCst);
    }

    /// How many sleeps are under way: each is a timer.
    pub fn sleeps(&self) -> i64 {
        self.0.sleeps.load(Ordering::SeqCst)
    }
}

impl Clock for FiguresClock {
    fn now(&self) -> Reading {
        let now = self.0.system.now();
        let ahead = Duration::from_secs(self.0.ahead.load(Ordering::SeqCst));
        Reading::new(now.monotonic() + ahead, now.wall() + ahead)
    }

    fn sleep(&self, duration: Duration) -> Sleep {
        let sleep = self.0.system.sleep(duration);
        self.0.sleeps.fetch_add(1, Ordering::SeqCst);
        let counted = Counted(Arc::clone(&self.0));
        Box::pin(async move {
            sleep.await;
            drop(counted);
        })
    }
}

struct Counted(Arc<Inner>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.sleeps.fetch_sub(1, Ordering::SeqCst);
    }
}
