//! Coverage-guided fuzzing of everything that reads foreign bytes: `cargo xtask fuzz`.
//!
//! What a target feeds is in the library's `src/fuzzing.rs`, which only a build with `--cfg fuzzing` has. Each program in
//! `src/bin/` runs one of them under libFuzzer. Inputs to start from are in `seeds/`.

/// A program that runs one target.
#[macro_export]
macro_rules! fuzz {
    ($target:ident) => {
        #[cfg(fuzzing)]
        libfuzzer_sys::fuzz_target!(|data: &[u8]| synerise_auth::fuzzing::$target(data));

        /// Built without `--cfg fuzzing`, as `cargo check --workspace` does.
        #[cfg(not(fuzzing))]
        fn main() {
            eprintln!("run it by `cargo xtask fuzz`");
            std::process::exit(2);
        }
    };
}
