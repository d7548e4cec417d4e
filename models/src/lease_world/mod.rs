//! Processes that share a store, in a world where everything that can happen is a choice: who is next, how late an answer is,
//! who crashes, who is paused, what the store loses. Each process runs the library's own `lease_protocol.rs`, and has a
//! clock of its own. Time is in ticks.

mod choices;
mod processes;
mod steps;
mod store;

use std::hash::Hash;
use std::time::Duration;

use crate::lease_protocol::{Action, Answer, LeaseProtocol, Limits};

/// How long the store may take to answer.
const STORE: u64 = 1;
/// How long a login may take.
pub(crate) const LOGIN: u64 = 2;

/// What a world is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) processes: usize,
    /// The clock of each process; the first ones again if there are more processes.
    pub(crate) clocks: &'static [Clock],
    pub(crate) lease: u64,
    pub(crate) wait: u64,
    /// How long a token is valid.
    pub(crate) life: u64,
    /// Whether the clocks are right enough for one login to serve all.
    pub(crate) shares: bool,
    /// Where the world ends.
    pub(crate) horizon: u64,
    /// How many faults there may be.
    pub(crate) faults: u8,
    /// How many times a token is refused, so that its process needs another one.
    pub(crate) refusals: u8,
    /// A guard that is left out, to see what it is for.
    pub(crate) without: Option<Guard>,
}

/// A process's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Clock {
    /// How far its wall clock is ahead of Synerise's, in ticks. The store's clock is yet another one: nothing compares it.
    pub(crate) ahead: i64,
    /// How fast it goes, in percent of the store's.
    pub(crate) speed: u64,
}

/// A clock that is right.
pub(crate) const RIGHT: Clock = Clock { ahead: 0, speed: 100 };

/// What keeps the protocol right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// A lease is given up by its owner alone.
    Owner,
    /// Who asks for the lease gets a newer token instead.
    Reread,
    /// An earlier generation does not replace a later one.
    Generation,
    /// Generations come from a clock, and don't start over when the store is emptied.
    ClockedGeneration,
    /// Belief in a lease begins before it is asked for.
    Belief,
    /// Who gets no answer logs in alone.
    Alone,
    /// Who waits does so for a limited time.
    Deadline,
    /// Only a later generation than the process's own is newer.
    After,
    /// A token that was got alone is offered under the lease.
    OfferUnderLease,
}

type Owner = (usize, u8);

/// A token: when its login began and ended, and when it expires by the clock of who saved it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Token {
    began: u64,
    ended: u64,
    saved_until: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Store {
    token: Option<(u64, Token)>,
    lease: Option<(Owner, u64)>,
    latest: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Process {
    clock: Clock,
    protocol: LeaseProtocol,
    doing: Doing,
    began: u64,
    since: u64,
    attempt: u8,
    has_lease: bool,
    /// The generation that it uses, or has used up.
    generation: u64,
    token: Option<Token>,
    /// The store does not know its token.
    unshared: bool,
    /// The token of an answer that may be used.
    candidate: Option<Token>,
    paused: bool,
    /// It was paused in this refresh, so nothing is promised about its time.
    was_paused: bool,
    /// It was paused in this login, so the login may have outlasted the lease.
    slept_in_login: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Doing {
    Asking {
        after: u64,
    },
    /// The answer arrives with the next tick.
    Answered(Answer),
    Waiting {
        until: u64,
        /// A token later than this ends the wait, and so does the end of the lease.
        told_after: Option<u64>,
    },
    LoggingIn,
    Saving {
        generation: u64,
    },
    /// It has the lease, to offer a token that it got alone.
    Offering {
        generation: u64,
    },
    /// The login failed; it tries again.
    Failed,
    Idle,
    Dead,
}

/// A message that is still on its way, and that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Late {
    Take(Owner, u64),
    Save(Owner, u64, Token),
    Release(Owner),
}

impl PartialOrd for Token {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Token {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.ended, self.began).cmp(&(other.ended, other.began))
    }
}

impl Late {
    fn owner(&self) -> Owner {
        match *self {
            Self::Take(owner, _) | Self::Save(owner, ..) | Self::Release(owner) => owner,
        }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    now: u64,
    store: Store,
    processes: Vec<Process>,
    late: Vec<Late>,
    faults: u8,
    refusals: u8,
    /// The lease was lost at the store.
    lost_lease: bool,
    /// In this tick, the store has acted. What a process does by itself comes before that: it would make no difference after.
    has_acted: bool,
    pub(crate) logins: u8,
}

/// Something that happens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice {
    Tick,
    /// The store acts on a process's request, and the answer arrives.
    Store(usize),
    /// The same, but the answer arrives with the next tick.
    StoreSlowly(usize),
    /// A process goes on.
    Process(usize),
    /// A process that has an unshared token offers it.
    Offer(usize),
    Deliver(usize),
    // Faults:
    Crash(usize),
    Pause(usize),
    Resume(usize),
    /// A process gives a request up, which the store never sees (false), or sees later (true).
    TimeOut(usize, bool),
    /// The store acts, and the answer is lost.
    LoseAnswer(usize),
    FailLogin(usize),
    EmptyStore,
    /// The store forgets the lease, or the token (true).
    Evict(bool),
    Refuse(usize),
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl Clock {
    /// How much of a time goes by on this clock.
    fn shows(self, time: u64) -> Duration {
        Duration::from_millis(time * 10 * self.speed)
    }

    /// In how many ticks so much has gone by on this clock.
    fn ticks_of(self, duration: Duration) -> u64 {
        u64::try_from(duration.as_millis().div_ceil(u128::from(10 * self.speed))).unwrap_or(u64::MAX)
    }

    fn wall(self, now: u64) -> i64 {
        now.cast_signed() + self.ahead
    }
}

impl Process {
    fn is_waiting_for_the_store(&self) -> bool {
        matches!(
            self.doing,
            Doing::Asking { .. } | Doing::Saving { .. } | Doing::Offering { .. }
        )
    }

    /// Whether a stored token can be used, as `SavedToken::left` judges it: by the reader's clock, the length of its life, and
    /// the time that Synerise wrote into it.
    fn takes(&self, token: &Token, now: u64, life: u64) -> bool {
        let wall = self.clock.wall(now);
        let claimed = (token.ended + life).cast_signed() - wall;
        let left = (token.saved_until - wall).min(life.cast_signed()).min(claimed);
        left > 1
    }
}

impl World {
    pub(crate) fn new(rules: &Rules) -> Self {
        let mut world = Self {
            now: 0,
            store: Store::default(),
            processes: Vec::with_capacity(rules.processes),
            late: Vec::new(),
            faults: rules.faults,
            refusals: rules.refusals,
            lost_lease: false,
            has_acted: false,
            logins: 0,
        };
        for clock in rules.clocks.iter().cycle().take(rules.processes) {
            let (protocol, step) = LeaseProtocol::start(limits(rules), 0, Duration::ZERO);
            let doing = match step.next {
                Action::Take { after } => Doing::Asking { after },
                _ => Doing::Idle,
            };
            world.processes.push(Process {
                clock: *clock,
                protocol,
                doing,
                began: 0,
                since: 0,
                attempt: 0,
                has_lease: false,
                generation: 0,
                token: None,
                unshared: false,
                candidate: None,
                paused: false,
                was_paused: false,
                slept_in_login: false,
            });
        }
        world
    }

    /// Whether every process has a token, or is dead.
    pub(crate) fn is_over(&self) -> bool {
        self.processes
            .iter()
            .all(|process| matches!(process.doing, Doing::Idle | Doing::Dead))
    }

    /// Whether time ends here, so that what is under way is not judged.
    pub(crate) fn is_at_the_horizon(&self, rules: &Rules) -> bool {
        self.now >= rules.horizon
    }

    /// Whether nothing went wrong on the way here.
    pub(crate) fn had_no_faults(&self, rules: &Rules) -> bool {
        self.faults == rules.faults
    }

    pub(crate) fn refused(&self, rules: &Rules) -> u8 {
        rules.refusals - self.refusals
    }
}

fn limits(rules: &Rules) -> Limits {
    let wait = match rules.without {
        Some(Guard::Deadline) => 100 * rules.wait,
        _ => rules.wait,
    };
    Limits {
        lease: ticks(rules.lease),
        login: ticks(LOGIN),
        wait: ticks(wait),
    }
}
