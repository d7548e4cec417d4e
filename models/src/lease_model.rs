//! The refresh lease, in every order of events for two and three processes, and in random orders for more.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::lease_world::{Choice, Guard, LOGIN, Rules, World};

/// A lease that is longer than a login with the store's answers before and after it.
const LEASE: u64 = LOGIN + 3;

const RULES: Rules = Rules {
    processes: 2,
    lease: LEASE,
    wait: 2 * LEASE,
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
    seen.insert(fingerprint(&worlds[0].0));
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
        for choice in world.choices(rules) {
            let judged = world
                .after(choice, rules)
                .and_then(|next| judge(&next, rules).map(|()| next));
            match judged {
                Ok(next) => {
                    if seen.insert(fingerprint(&next)) {
                        worlds.push((next, Some((index, choice))));
                    }
                }
                Err(problem) => {
                    let mut trace = vec![choice];
                    let mut at = index;
                    while let Some((before, choice)) = origins[at] {
                        trace.push(choice);
                        at = before;
                    }
                    trace.reverse();
                    return Err(Counterexample { problem, trace });
                }
            }
        }
        index += 1;
    }
    Ok(index)
}

/// Without faults, one login is enough for each token that is needed.
fn judge(world: &World, rules: &Rules) -> Result<(), &'static str> {
    if world.had_no_faults(rules) && world.logins > 1 + world.refused(rules) {
        return Err("more logins than tokens");
    }
    Ok(())
}

fn fingerprint(world: &World) -> u64 {
    let mut hasher = DefaultHasher::new();
    world.hash(&mut hasher);
    hasher.finish()
}

#[test]
fn two_processes_with_every_pair_of_faults() {
    let rules = Rules {
        faults: 2,
        horizon: 4,
        ..RULES
    };
    explore(&rules).unwrap_or_else(|found| panic!("{found:#?}"));
}

#[test]
fn two_processes_with_every_fault_and_a_refused_token() {
    let rules = Rules { faults: 1, ..RULES };
    explore(&rules).unwrap_or_else(|found| panic!("{found:#?}"));
    let rules = Rules { refusals: 1, ..RULES };
    explore(&rules).unwrap_or_else(|found| panic!("{found:#?}"));
}

#[test]
fn three_processes() {
    let rules = Rules {
        processes: 3,
        horizon: 3,
        ..RULES
    };
    let worlds = explore(&rules).unwrap_or_else(|found| panic!("{found:#?}"));
    assert!(worlds > 1_000, "{worlds} worlds");
}

#[test]
fn who_does_not_wait_for_a_whole_login_logs_in_beside_its_owner() {
    let found = explore(&Rules { wait: 1, ..RULES }).expect_err("a second login");
    assert_eq!(found.problem, "more logins than tokens");
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
fn wander(rules: &Rules, runs: u32) -> Result<u32, Counterexample> {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut ended = 0;
    for _ in 0..runs {
        let rules = Rules {
            processes: 2 + random.below(rules.processes - 1),
            faults: random.small(usize::from(rules.faults) + 1),
            refusals: random.small(usize::from(rules.refusals) + 1),
            ..*rules
        };
        let (mut world, mut trace) = (World::new(&rules), Vec::new());
        for _ in 0..400 {
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
    let ended = wander(&MANY, 10_000).unwrap_or_else(|found| panic!("{found:#?}"));
    assert!(ended > 5_000, "{ended} runs in which everybody has a token");
}

/// Each guard is there for a reason: without it, there is a counterexample.
#[test]
fn every_guard_is_needed() {
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
    ];
    for (guard, problem) in cases {
        let without = Rules {
            without: Some(guard),
            ..few
        };
        let found = wander(&without, 100_000).expect_err(&format!("without {guard:?}"));
        assert_eq!(found.problem, problem, "{guard:?}: {found:#?}");
    }
    let short_lease = Rules {
        lease: LOGIN - 1,
        ..RULES
    };
    let found = explore(&short_lease).expect_err("with a lease shorter than a login");
    assert_eq!(found.problem, "two log in under the lease", "{found:#?}");
}

/// A process sleeps before its save, and the store is emptied meanwhile. If generations started over, the sleeper's would be
/// the later one.
#[test]
fn generations_do_not_start_over_when_the_store_is_emptied() {
    use Choice::{EmptyStore, Pause, Process, Refuse, Resume, Store, Tick};

    let up_to_the_save = [Store(0), Process(0), Process(0)];
    let mut choices = Vec::from(up_to_the_save);
    choices.extend([Store(0), Store(1), Process(1)]);
    choices.push(Refuse(0));
    choices.extend(up_to_the_save);
    choices.extend([Store(0), Refuse(0)]);
    choices.extend(up_to_the_save);
    choices.extend([Pause(0), EmptyStore]);
    choices.extend([Tick; 6]);
    choices.extend([
        Refuse(1),
        Store(1),
        Process(1),
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
