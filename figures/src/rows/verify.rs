//! `verify`: checking a token that came in, over the same check by `jsonwebtoken`.

use std::collections::BTreeMap;
use std::hint::black_box;

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;
use synerise_auth::verify::Verifier;

use crate::Result;
use crate::report::{Row, progress};
use crate::stopwatch::{Summary, thread_time};

use super::Effort;

/// How many tokens are one turn.
const TURN: u32 = 40;

const BY_HAND: &str = "jsonwebtoken by hand";

/// Of 4096 bits; it signed the tokens of the library's tests.
const PEM: &str = include_str!("../../../emulator/keys/test-only-1.public.pem");
const TOKENS: &str = include_str!("../../../tests/data/verify/tokens.json");

/// What a service would read by hand: the claims that [`Verifier`] gives, and those that `Validation` asks for.
#[derive(Deserialize)]
#[expect(dead_code, reason = "they are read, as a service would")]
struct Claims {
    sub: Option<String>,
    rlm: Option<String>,
    bpi: Option<i64>,
    #[serde(rename = "clId")]
    cl_id: Option<i64>,
    uuid: Option<String>,
    #[serde(rename = "customId")]
    custom_id: Option<String>,
    origin: Option<String>,
    eml: Option<String>,
    apk: Option<String>,
    auth: Option<String>,
    exp: u64,
    ctd: Option<u64>,
}

pub(super) fn measure(effort: Effort) -> Result<Vec<Row>> {
    progress("verify");
    let mut tokens: BTreeMap<String, String> = serde_json::from_str(TOKENS)?;
    let token = tokens
        .remove("valid for half a century")
        .ok_or("the token is missing")?;

    let verifier = Verifier::from_pem(PEM)?;
    let key = DecodingKey::from_rsa_pem(PEM.as_bytes())?;
    let mut validation = Validation::new(Algorithm::RS512);
    validation.set_issuer(&["Synerise"]);
    validation.set_audience(&["API"]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);

    let ours = || -> Result {
        black_box(verifier.verify_now(black_box(&token))?);
        Ok(())
    };
    let by_hand = || -> Result {
        black_box(decode::<Claims>(black_box(&token), &key, &validation)?);
        Ok(())
    };
    let (mut our_times, mut hand_times, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..effort.of(300, 60) {
        let times = [time(ours)?, time(by_hand)?];
        // The first round warms up.
        if round > 0 {
            our_times.push(times[0]);
            hand_times.push(times[1]);
            ratios.push(times[0] / times[1]);
        }
    }
    let ratio = Summary::of(ratios).ok_or("nothing was measured")?;
    let median = |times| Summary::of(times).map_or(f64::NAN, |summary: Summary| summary.median);
    let (ours, by_hand) = (median(our_times), median(hand_times));
    let what = "verifying a token of RS512, 4096 bits";
    Ok(vec![
        Row::new("verify", format!("{what}: time"), "µs")
            .ours(ours * 1_000_000.0)
            .peer(BY_HAND, by_hand * 1_000_000.0)
            .ratio(ratio)
            .target("≤ 1.0×", ratio.median <= 1.0),
        Row::new("verify", format!("{what}: on one core"), "tokens/s")
            .ours(ours.recip().round())
            .peer(BY_HAND, by_hand.recip().round()),
    ])
}

/// The processor seconds of one token.
fn time(verify: impl Fn() -> Result) -> Result<f64> {
    let start = thread_time();
    for _ in 0..TURN {
        verify()?;
    }
    Ok(thread_time().saturating_sub(start).as_secs_f64() / f64::from(TURN))
}
