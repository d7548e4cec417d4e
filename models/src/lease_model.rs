//! The refresh lease, in every order of events for two and three processes, and in random orders for more.
//!
//! Worlds that differ in the order of their processes alone are visited once.

use std::collections::HashSet;

use crate::lease_world::{Choice, Clock, Guard, LOGIN, RIGHT, Rules, World};

/// A lease that is longer than a login with the store's answers before and after it.
const LEASE: u64 = LOGIN + 3;

/// Clocks that are wrong by less than a token's life, and differ in speed by less than the lease is longer than a login.
const SKEWED: [Clock; 3] = [
    Clock { ahead: 6, speed: 100 },
    Clock { ahead: -9, speed: 95 },
    Clock { ahead: 0, speed: 105 },
];

/// With a lease that such clocks need.
const WITH_SKEW: Rules = Rules {
    clocks: &SKEWED,
    lease: LEASE + 2,
    wait: 2 * (LEASE + 2),
    ..RULES
};

const RULES: Rules = Rules {
    processes: 2,
    clocks: &[RIGHT],
    lease: LEASE,
    wait: 2 * LEASE,
    life: 100,
    shares: true,
    horizon: 6,
    faults: 0,
    refusals: 0,
    without: None,
};

/// What went wrong, and what led there.
#[derive(Debug)]
struct Counterexample {
    problem: &'static str,
    #[allow(dead_code, reason = "for whoever reads a failure")]
    trace: Vec<Choice>,
}

/// Visits every world that `rules` allow, the nearest first. Returns how many there are.
fn explore(rules: &Rules) -> Result<usize, Counterexample> {
    let mut seen = HashSet::new();
    let mut worlds = vec![(World::new(rules), None)];
    seen.insert(worlds[0].0.fingerprint());
    // Each world's predecessor, and the choice that led from it here.
    let mut origins: Vec<Option<(usize, Choice)>> = Vec::new();
    let mut index = 0;
    while index < worlds.len() {
        // A visited world is replaced by a small one: only its origin is needed any more.
        let (world, origin) = std::mem::replace(
            &mut worlds[index],
            (
                World::new(&Rules {
                    processes: 0,
                    ..*rules
                }),
                None,
            ),
        );
        origins.push(origin);
        let choices = world.choices(rules);
        if choices.is_empty() && !world.is_over() && !world.is_at_the_horizon(rules) {
            let trace = trace_to(index, None, &origins);
            return Err(Counterexample {
                problem: "nothing can happen any more",
                trace,
            });
        }
        for choice in choices {
            let judged = world
                .after(choice, rules)
                .and_then(|next| judge(&next, rules).map(|()| next));
            match judged {
                Ok(next) => {
                    if seen.insert(next.fingerprint()) {
                        worlds.push((next, Some((index, choice))));
                    }
                }
                Err(problem) => {
                    let trace = trace_to(index, Some(choice), &origins);
                    return Err(Counterexample { problem, trace });
                }
            }
        }
        index += 1;
    }
    Ok(index)
}

/// The choices that led to a world, and one more.
fn trace_to(index: usize, last: Option<Choice>, origins: &[Option<(usize, Choice)>]) -> Vec<Choice> {
    let mut trace = Vec::from_iter(last);
    let mut at = index;
    while let Some((before, choice)) = origins[at] {
        trace.push(choice);
        at = before;
    }
    trace.reverse();
    trace
}

/// Without faults, one login is enough for each token that is needed.
fn judge(world: &World, rules: &Rules) -> Result<(), &'static str> {
    if rules.shares && world.had_no_faults(rules) && world.logins > 1 + world.refused(rules) {
        return Err("more logins than tokens");
    }
    Ok(())
}

/// Visits every world, and says how many there are.
#[track_caller]
fn all_hold(rules: &Rules) {
    let worlds = explore(rules).unwrap_or_else(|found| panic!("{found:#?}"));

    assert!(worlds > 1_000, "{worlds} worlds");
}

#[test]
fn two_processes_with_every_pair_of_faults() {
    all_hold(&Rules {
        faults: 2,
        horizon: 2,
        ..RULES
    });
}

#[test]
fn two_processes_with_every_fault() {
    all_hold(&Rules {
        faults: 1,
        horizon: 5,
        ..RULES
    });
    all_hold(&Rules {
        faults: 1,
        refusals: 1,
        horizon: 3,
        ..RULES
    });
}

#[test]
fn two_processes_with_refused_tokens_and_no_faults() {
    all_hold(&Rules {
        refusals: 2,
        horizon: 10,
        ..RULES
    });
    all_hold(&Rules {
        refusals: 2,
        horizon: 10,
        ..WITH_SKEW
    });
}

#[test]
fn two_processes_with_wrong_clocks_and_every_fault() {
    all_hold(&Rules {
        faults: 1,
        horizon: 5,
        ..WITH_SKEW
    });
}

/// Neither takes the other's tokens: each has them for expired. Nothing else goes wrong.
#[test]
fn two_processes_whose_clocks_differ_by_more_than_a_life() {
    const FAR: [Clock; 2] = [
        Clock {
            ahead: 200,
            speed: 100,
        },
        Clock {
            ahead: -200,
            speed: 100,
        },
    ];
    let rules = Rules {
        faults: 1,
        horizon: 4,
        clocks: &FAR,
        ..RULES
    };
    let found = explore(&rules).expect_err("a login for each");
    assert_eq!(found.problem, "more logins than tokens");
    all_hold(&Rules {
        shares: false,
        ..rules
    });
}

#[test]
fn three_processes() {
    // Until each has its token.
    all_hold(&Rules {
        processes: 3,
        horizon: 12,
        ..RULES
    });
    all_hold(&Rules {
        processes: 3,
        faults: 1,
        horizon: 2,
        ..RULES
    });
}

#[test]
fn who_does_not_wait_for_a_whole_login_logs_in_beside_its_owner() {
    let found = explore(&Rules { wait: 1, ..RULES }).expect_err("a second login");
    assert_eq!(found.problem, "two log in although the store is well");
}

/// Marsaglia's xorshift: the same orders in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 16).unwrap_or_default() % bound
    }

    fn small(&mut self, bound: usize) -> u8 {
        u8::try_from(self.below(bound)).unwrap_or_default()
    }
}

/// Random orders of random lengths. Returns in how many of them everybody had a token in the end.
fn wander(rules: &Rules, runs: u32, steps: u32) -> Result<u32, Counterexample> {
    let mut ended = 0;
    for seed in 1..=u64::from(runs) {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let rules = Rules {
            processes: 2 + random.below(rules.processes - 1),
            faults: random.small(usize::from(rules.faults) + 1),
            refusals: random.small(usize::from(rules.refusals) + 1),
            ..*rules
        };
        let (mut world, mut trace) = (World::new(&rules), Vec::new());
        for _ in 0..steps {
            let choices = world.choices(&rules);
            if choices.is_empty() {
                break;
            }
            let choice = choices[random.below(choices.len())];
            trace.push(choice);
            let next = world.after(choice, &rules);
            match next.and_then(|next| judge(&next, &rules).map(|()| next)) {
                Ok(next) => world = next,
                Err(problem) => return Err(Counterexample { problem, trace }),
            }
        }
        ended += u32::from(world.is_over());
    }
    Ok(ended)
}

const MANY: Rules = Rules {
    processes: 20,
    faults: 6,
    refusals: 8,
    horizon: 200,
    ..RULES
};

#[test]
fn many_processes_in_random_orders_with_many_faults() {
    let ended = wander(&MANY, 5_000, 400).unwrap_or_else(|found| panic!("{found:#?}"));
    assert!(ended > 2_500, "{ended} runs in which everybody has a token");
}

#[test]
fn many_processes_with_wrong_clocks_over_many_lifetimes() {
    let rules = Rules {
        processes: 20,
        refusals: 100,
        faults: 30,
        horizon: 100_000,
        ..WITH_SKEW
    };
    let ended = wander(&rules, 300, 20_000).unwrap_or_else(|found| panic!("{found:#?}"));
    assert!(ended > 200, "{ended} runs in which everybody has a token");
}

/// Each guard is there for a reason: without it, there is a counterexample.
#[test]
fn every_guard_is_needed() {
    const SLOW: [Clock; 2] = [Clock { ahead: 0, speed: 60 }, RIGHT];
    let few = Rules {
        processes: 4,
        faults: 3,
        refusals: 3,
        horizon: 60,
        ..MANY
    };
    let cases = [
        (Guard::Owner, "two log in under the lease"),
        (Guard::Reread, "more logins than tokens"),
        (Guard::Generation, "a generation went back"),
        (Guard::Belief, "two log in under the lease"),
        (Guard::Alone, "a process has no token"),
        (
            Guard::After,
            "a process went back to a token that it could not use",
        ),
    ];
    for (guard, problem) in cases {
        let without = Rules {
            without: Some(guard),
            ..few
        };
        let found = wander(&without, 100_000, 400).expect_err(&format!("without {guard:?}"));
        assert_eq!(found.problem, problem, "{guard:?}: {found:#?}");
    }
    // A lease that nobody gives up for long.
    let long_lease = Rules {
        lease: 60,
        horizon: 40,
        faults: 1,
        ..RULES
    };
    let endless = Rules {
        without: Some(Guard::Deadline),
        ..long_lease
    };
    let found = wander(&endless, 1_000, 400).expect_err("without a limit for the wait");
    assert_eq!(found.problem, "a process waits for too long", "{found:#?}");
    let short_lease = Rules {
        lease: LOGIN - 1,
        ..RULES
    };
    let found = explore(&short_lease).expect_err("with a lease shorter than a login");
    assert_eq!(
        found.problem, "two log in although the store is well",
        "{found:#?}"
    );
    let slow = Rules {
        clocks: &SLOW,
        ..RULES
    };
    let found = explore(&slow).expect_err("with a clock that is much slower than the store's");
    assert_eq!(
        found.problem, "two log in although the store is well",
        "{found:#?}"
    );
}

/// A process sleeps before its save, and the store is emptied meanwhile. If generations started over, the sleeper's would be
/// the later one.
#[test]
fn generations_do_not_start_over_when_the_store_is_emptied() {
    use Choice::{EmptyStore, Pause, Process, Refuse, Resume, Store, Tick};

    let up_to_the_save = [Store(0), Tick, Process(0)];
    let mut choices = Vec::from(up_to_the_save);
    choices.extend([Store(0), Store(1)]);
    choices.push(Refuse(0));
    choices.extend(up_to_the_save);
    choices.extend([Store(0), Refuse(0)]);
    choices.extend(up_to_the_save);
    choices.extend([Pause(0), EmptyStore]);
    choices.extend([Tick; 6]);
    choices.extend([
        Refuse(1),
        Store(1),
        Tick,
        Process(1),
        Store(1),
        Resume(0),
        Store(0),
    ]);
    let play = |without| {
        let rules = Rules {
            faults: 2,
            refusals: 3,
            without,
            ..RULES
        };
        choices
            .iter()
            .try_fold(World::new(&rules), |world, choice| world.after(*choice, &rules))
    };
    assert!(play(None).is_ok());
    let found = play(Some(Guard::ClockedGeneration));
    assert_eq!(found.err(), Some("an older token replaced a later one"));
}

/// A process got a token while the store did not answer, and offers it while another one logs in.
#[test]
fn token_that_was_got_alone_replaces_none_that_is_on_its_way() {
    use Choice::{Offer, Pause, Process, Resume, Store, Tick, TimeOut};

    let mut choices = vec![Pause(1), TimeOut(0, false), Tick, Process(0)];
    choices.extend([Tick; 8]);
    // The first answer is too late to be believed.
    choices.extend([
        Resume(1),
        Store(1),
        Store(1),
        Offer(0),
        Tick,
        Process(1),
        Store(1),
    ]);
    let play = |without| {
        let rules = Rules {
            faults: 2,
            without,
            ..RULES
        };
        let world = choices
            .iter()
            .try_fold(World::new(&rules), |world, choice| world.after(*choice, &rules))?;
        world.after(Store(0), &rules)
    };
    assert!(play(None).is_ok());
    let found = play(Some(Guard::OfferUnderLease));
    assert_eq!(found.err(), Some("an older token replaced a later one"));
}
