//! `cargo run --release -p synerise-auth-models --bin simulate-fleet`: writes how a fleet's work grows with its size.

use std::path::Path;

#[path = "../growth.rs"]
mod growth;
#[path = "../../../src/lifecycle/lease_protocol.rs"]
#[allow(dead_code, reason = "every simulated store has leases and answers")]
mod lease_protocol;
#[path = "../simulation.rs"]
mod simulation;

fn main() -> std::io::Result<()> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let (table, picture) = growth::table_and_picture();
    std::fs::write(docs.join("fleet-growth.csv"), table)?;
    std::fs::write(docs.join("pictures/fleet-growth.svg"), picture)
}

#[cfg(test)]
mod tests {
    #[test]
    fn table_and_picture_in_the_documentation_are_current() {
        let (table, picture) = super::growth::table_and_picture();
        let command = "run `cargo run --release -p synerise-auth-models --bin simulate-fleet`";
        assert_eq!(table, include_str!("../../../docs/fleet-growth.csv"), "{command}");
        assert_eq!(
            picture,
            include_str!("../../../docs/pictures/fleet-growth.svg"),
            "{command}"
        );
    }
}
