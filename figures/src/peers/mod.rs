//! The peers, as released, and the floor below which no cache can go.

pub mod aws;
pub mod floor;
pub mod google;
pub mod rw_lock;
