//! Shares Synerise tokens between processes, by a Redis or Valkey that you already run.
//!
//! A hundred processes that start together log in once, and each token is refreshed once, by one of them. When Redis is
//! slow, down, full or flushed, each process works as if it were alone, and shares again afterwards. A token is never
//! missing because of Redis.
//!
//! ```
//! use synerise_auth::{ApiKey, Client, Region};
//! use synerise_auth_redis::{EncryptionKey, RedisStore};
//!
//! let api_key = ApiKey::new("11111111-2222-3333-4444-555555555555")?; // ApiKey::from_env in a service
//! let store = RedisStore::connect("redis://redis.internal:6379", EncryptionKey::derive(&api_key))?;
//! let client = Client::builder().region(Region::AzureEu).store(store).build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! It works with Redis 6 or later and Valkey 7 or later: one server, a master that [Sentinel](RedisStoreBuilder) watches
//! (feature `sentinel`), or a cluster (feature `cluster`). The tests were run on Redis 6.2 and 7.0 and on Valkey 8.1.
//!
//! # What a user of Redis has to be allowed
//!
//! Give the service a user of its own:
//!
//! ```text
//! ACL SETUSER synerise on >password ~synerise-auth:* resetchannels &synerise-auth:* +eval +evalsha +get +set +del +pttl +time +publish
//! ```
//!
//! With another [prefix](RedisStoreBuilder::prefix), replace `synerise-auth` by it. A cluster also needs `+cluster|slots`,
//! and Sentinel needs `+role`. Without the channel or `+publish`, tokens are shared all the same. Without `+eval` and
//! `+evalsha`, they are not: each process logs in for itself.
//!
//! # What is in Redis
//!
//! | key | content | lives |
//! |---|---|---|
//! | `synerise-auth:{…}:token` | the token's generation, and the encrypted token | as long as the token |
//! | `synerise-auth:{…}:lease` | a random name of the process that logs in for all | 30 s to some minutes, mostly less than a second |
//!
//! What is in braces is a hash of the server's address, the kind of session and the API key. No key or name can be read from
//! it. The braces keep both keys in one slot of a cluster.
//!
//! Tokens are encrypted with XChaCha20-Poly1305. The key is a sub-key of the [`EncryptionKey`] for this one record, by
//! HKDF-SHA256. The cipher also authenticates the format's version, the record's name and its generation.
//!
//! | who can | can | can't |
//! |---|---|---|
//! | read Redis | count the sessions, see when they refresh and how long the tokens are; test whether an API key that it knows is used | read a token |
//! | write Redis | delete tokens, put back an older one until it expires, hold leases: each costs logins | make up a token, or move one to another session |
//! | read the API key | everything: it can get tokens without Redis | |
//!
//! # How a token is refreshed
//!
//! Each process serves its own copy of the token, and asks Redis only when a refresh is due. Two commands are enough:
//!
//! ```text
//!            ┌────────────── take (one script) ──────────────┐
//!            │                       │                       │
//!   a newer token is there    the lease is free      another has the lease
//!            │                       │                       │
//!         use it                  log in        serve the old token while it is
//!                                    │          valid, or wait with jitter; then
//!                                    │                  take again
//!                                    │
//!              save (one script): write the token unless there is
//!               a later one, give up the lease, tell the others
//! ```
//!
//! The generation of a token comes from Redis when the lease is taken: the largest of its clock in microseconds, the stored
//! generation and the process's own, each plus one. A process that slept until its lease ran out holds a smaller one than
//! its successor, so that its late token replaces nothing. This survives a flush, a failover and a clock that is set back.
//!
//! Redis decides nothing by a process's clock, and a process decides nothing by that of Redis: whether a token is still
//! valid follows from the token and the reader's own clock.
//!
//! # What each failure costs
//!
//! | failure | cost |
//! |---|---|
//! | Redis is down, refuses the user, or has too many connections | each process logs in for itself, as without this crate; a call fails at once until the next attempt, 0.25 s to 30 s later |
//! | Redis is slow, or answers nothing | each call takes the [time limit](RedisStoreBuilder::time_limit), 1 s; after two in a row the connection is replaced |
//! | a connection breaks | nothing: the command is sent again on a new one |
//! | Redis has become read-only | nothing where another server took over; else tokens are read, and each process logs in for itself |
//! | Redis is out of memory, or can't save | tokens are read, and each process logs in for itself |
//! | Redis is flushed, restarted, or evicts a key | at most one login more |
//! | a failover loses the latest writes | at most one login more |
//! | the server forgets its scripts | one more round trip |
//! | a process is killed while it logs in | one login more; the others wait no longer than the lease |
//! | a record is garbage, cut, moved, or encrypted with an unknown key | one login more, told once in the log |
//! | a record is a newer version's | it is left alone; each older process logs in for itself |
//!
//! # Limits
//!
//! | processes | what to look at |
//! |---|---|
//! | 1,000 | nothing: two commands for each process in each lifetime of a token |
//! | 10,000 | `maxclients` of Redis, 10,000 by default. A connection is closed after [60 s](RedisStoreBuilder::idle_limit) without use, and refreshes are spread; but a start of all at once needs as many connections |
//! | 100,000 | start them in waves, and raise `maxclients`; use a shorter [idle limit](RedisStoreBuilder::idle_limit) |
//!
//! # TLS
//!
//! With the feature `tls-rustls`, `rediss://` uses the certificates of the system. The program chooses the cryptography
//! once, before it connects: `rustls::crypto::aws_lc_rs::default_provider().install_default()`. Without a choice,
//! `connect` returns an error that says so.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod connection;
mod link;
mod names;
mod openers;
mod problem;
mod scripts;
mod seal;
mod store;
mod time;

pub use builder::RedisStoreBuilder;
pub use seal::EncryptionKey;
pub use store::RedisStore;
