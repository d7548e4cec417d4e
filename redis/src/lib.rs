#![doc = include_str!("../README.md")]
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
