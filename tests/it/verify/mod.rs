//! Tokens that come in: the tokens and keys of `tests/data/verify`, and the published key over HTTP.

mod forgeries;
mod keys;
mod published;
mod second_opinion;
mod times;

use std::collections::BTreeMap;

use synerise_auth::ErrorKind;
use synerise_auth::clock::ManualClock;
use synerise_auth::error::TokenProblem;
use synerise_auth::verify::{VerifiedClaims, Verifier};

use crate::support::START;

/// The public half of the key that signed the tokens.
const PEM: &str = include_str!("../../../emulator/keys/test-only-1.public.pem");
/// Another one, that is published as well.
const OTHER_PEM: &str = include_str!("../../../emulator/keys/test-only-2.public.pem");

/// The tokens by what they are; `make.py` beside them makes them.
fn tokens() -> BTreeMap<String, String> {
    serde_json::from_str(include_str!("../../data/verify/tokens.json")).unwrap()
}

fn token(name: &str) -> String {
    tokens()
        .remove(name)
        .unwrap_or_else(|| panic!("no token {name:?}: run make.py"))
}

/// With the right key, at the time when the tokens were made, and no leeway.
fn verifier() -> Verifier {
    Verifier::from_pem(PEM)
        .unwrap()
        .with_clock(ManualClock::at(std::time::UNIX_EPOCH + START))
        .with_leeway(std::time::Duration::ZERO)
}

/// What is wrong with the token; `None` if nothing is.
fn problem(verified: synerise_auth::Result<VerifiedClaims>) -> Option<TokenProblem> {
    match verified.map_err(|error| error.kind()) {
        Ok(_) => None,
        Err(ErrorKind::InvalidToken(problem)) => Some(problem),
        Err(kind) => panic!("{kind}"),
    }
}
