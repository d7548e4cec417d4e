//! What a server announces is not believed before it has come.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::io::{Read, Write};
use std::net::TcpListener;

use synerise_auth::{Client, Error, RetryPolicy};

#[tokio::test]
async fn an_absurd_length_reserves_no_memory_whatever_the_limit_is() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let server = std::thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 4096]).unwrap();
        let head = format!(
            "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\nPEM",
            u64::MAX / 2 + 1
        );
        connection.write_all(head.as_bytes()).unwrap();
    });
    let client = Client::builder()
        .base_url(format!("http://{address}"))
        .retry(RetryPolicy::never())
        .max_response_bytes(usize::MAX)
        .build()
        .unwrap();
    let error = client.public_key().await.unwrap_err();
    assert!(matches!(error, Error::Unreachable(_)), "{error}");
    server.join().unwrap();
}
