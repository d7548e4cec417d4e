//! The project's commands: `cargo xtask <verb>`.

fn main() {}
