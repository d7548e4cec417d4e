//! One open connection, whatever it is made of, and what opens one.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use redis::aio::ConnectionLike;
use redis::{Cmd, RedisResult, Value};

pub(crate) type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A connection that many callers use at once. The client library's own types stay behind it.
pub(crate) trait Link: Send + Sync + 'static {
    fn send(&self, command: Cmd) -> BoxFuture<'static, RedisResult<Value>>;
}

impl<C> Link for C
where
    C: ConnectionLike + Clone + Send + Sync + 'static,
{
    fn send(&self, command: Cmd) -> BoxFuture<'static, RedisResult<Value>> {
        let mut connection = self.clone();
        Box::pin(async move {
            // A cluster's connection returns the server's errors as values.
            connection.req_packed_command(&command).await?.extract_error()
        })
    }
}

/// Opens connections: to an address, to whatever is the master now, or to a cluster.
pub(crate) trait Opener: fmt::Debug + Send + Sync + 'static {
    fn open(&self) -> BoxFuture<'static, RedisResult<Box<dyn Link>>>;
}
