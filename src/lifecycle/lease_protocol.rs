//! How a session gets its next token from a store that it shares with other clients: takes a newer one, logs in for all
//! under the lease, waits for the login of another, or goes on alone.
//!
//! It does no I/O: its inputs are events and the time, and its outputs say what to do next. It knows no tokens, no stores
//! and no runtimes, so `models/` and the simulation run this very file.

use std::time::Duration;

/// The time limits of one refresh.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Limits {
    /// How long the lease lasts. Longer than a login may take: otherwise, it can run out during the login.
    pub(crate) lease: Duration,
    /// How long a login may take, with all its attempts.
    pub(crate) login: Duration,
    /// How long to wait for another client's login.
    pub(crate) wait: Duration,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Happened {
    /// The store answered, or didn't.
    Took(Answer),
    /// The wait has ended.
    Woken {
        /// Because the store said that something has changed.
        by_change: bool,
    },
    /// The login succeeded, or failed.
    LoggedIn(bool),
    /// The store answered to the save, or didn't.
    Saved(bool),
}

/// The store's answer to the question for a token or the lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    /// A token later than the one that was named. Not usable: it is not a token, or it has expired.
    Newer { generation: u64, usable: bool },
    /// The lease, and the generation to save with.
    Acquired { generation: u64 },
    /// Another client has the lease.
    Held { remaining: Duration, generation: u64 },
    /// There is no lease.
    Unavailable { generation: u64 },
    /// An error, or no answer in time. The lease may be ours all the same.
    Failed,
}

/// What to do next. Every action but the last two has a [`Happened`] as its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Ask the store for a token later than this, or the lease.
    Take { after: u64 },
    /// Wait for another client's login.
    Wait {
        duration: Duration,
        /// Whether a change in the store ends the wait.
        until_changed: bool,
    },
    /// Log in.
    LogIn,
    /// Save the new token.
    Save { generation: u64 },
    /// The end: use the stored token.
    Use { generation: u64 },
    /// The end: the login's result counts.
    Finish,
}

/// The next action, and whether to give up the lease before, without waiting for the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Step {
    pub(crate) release: bool,
    pub(crate) next: Action,
}

impl From<Action> for Step {
    fn from(next: Action) -> Self {
        Self { release: false, next }
    }
}

/// The state of one refresh.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct LeaseProtocol {
    limits: Limits,
    phase: Phase,
    /// The generation that is used up.
    after: u64,
    /// When waiting ends.
    deadline: Option<Duration>,
    /// When the store was last asked. Belief in a lease begins before it is asked for.
    asked: Duration,
    /// How often it was asked.
    questions: u32,
    waits: u32,
    /// Whether the last wait ended early, because of a change.
    woken_early: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Phase {
    Asking {
        /// By an answer before: the lease was about to run out.
        leased: bool,
    },
    Waiting,
    LoggingIn {
        leased: bool,
        /// The generation to save with. `None`: the store did not say, and is not asked again.
        generation: Option<u64>,
    },
    Saving {
        leased: bool,
    },
    Ended,
}

/// The first wait. Most logins take less.
const FIRST_WAIT: Duration = Duration::from_millis(100);
/// The longest wait. A hundred thousand clients that wait ask a store fifty thousand times a second.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// No wait is shorter, whatever the store says.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
/// How often the store is asked again at once: because its token is of no use, or because a lease is about to run out.
const QUESTIONS_AT_ONCE: u32 = 4;

impl LeaseProtocol {
    /// A refresh that asks the store first. `after` is the generation that the session can't use any more.
    pub(crate) fn start(limits: Limits, after: u64, now: Duration) -> (Self, Step) {
        let mut protocol = Self {
            limits,
            phase: Phase::Asking { leased: false },
            after,
            deadline: None,
            asked: now,
            questions: 0,
            waits: 0,
            woken_early: false,
        };
        let step = protocol.ask(false, now);
        (protocol, step)
    }

    /// What to do now. `now` counts from any start, and never goes back. `fraction` is the jitter's.
    pub(crate) fn step(&mut self, happened: Happened, now: Duration, fraction: f64) -> Step {
        match (self.phase, happened) {
            (Phase::Asking { leased }, Happened::Took(answer)) => self.took(answer, leased, now, fraction),
            (Phase::Waiting, Happened::Woken { by_change }) => {
                self.woken_early = by_change;
                self.questions = 0;
                self.ask(false, now)
            }
            (Phase::LoggingIn { leased, generation }, Happened::LoggedIn(succeeded)) => {
                match generation.filter(|_| succeeded) {
                    Some(generation) => {
                        self.phase = Phase::Saving { leased };
                        Action::Save { generation }.into()
                    }
                    None => self.end(leased, Action::Finish),
                }
            }
            (Phase::Saving { leased }, Happened::Saved(saved)) => self.end(leased && !saved, Action::Finish),
            // Not the result of the last action.
            _ => self.end(true, Action::Finish),
        }
    }

    fn took(&mut self, answer: Answer, leased: bool, now: Duration, fraction: f64) -> Step {
        match answer {
            Answer::Newer {
                generation,
                usable: true,
            } => self.end(leased, Action::Use { generation }),
            Answer::Newer {
                generation,
                usable: false,
            } => {
                self.after = self.after.max(generation);
                if self.questions < QUESTIONS_AT_ONCE {
                    self.ask(leased, now)
                } else {
                    self.log_in(leased, None)
                }
            }
            Answer::Acquired { generation } => {
                if self.is_stale(now) {
                    self.ask(true, now)
                } else {
                    self.log_in(true, Some(generation))
                }
            }
            Answer::Held {
                remaining,
                generation,
            } => {
                // Not all of those that wait stop at the same time: one that logs in alone saves its token for the rest.
                let deadline = *self.deadline.get_or_insert_with(|| {
                    now.saturating_add(share(self.limits.wait, 0.75 + 0.25 * fraction))
                });
                if now >= deadline {
                    return if self.is_stale(now) {
                        self.ask(false, now)
                    } else {
                        self.log_in(false, Some(generation))
                    };
                }
                self.phase = Phase::Waiting;
                let until_changed = !self.woken_early;
                let duration = self
                    .next_wait(remaining, fraction)
                    .min(deadline.saturating_sub(now))
                    .max(SHORTEST_WAIT);
                Action::Wait {
                    duration,
                    until_changed,
                }
                .into()
            }
            Answer::Unavailable { generation } => self.log_in(false, Some(generation)),
            Answer::Failed => Step {
                // A request that seems to have failed may still be on its way.
                release: true,
                ..self.log_in(false, None)
            },
        }
    }

    /// Whether the answer took so long that a login could outlast the lease that began with the question, as it does when the
    /// computer was suspended. The generation may be out of date then, too.
    fn is_stale(&self, now: Duration) -> bool {
        let believed_until = self.asked.saturating_add(self.limits.lease);
        let runs_out = now.saturating_add(self.limits.login) >= believed_until;
        runs_out && self.questions < QUESTIONS_AT_ONCE
    }

    /// Longer each time, but not past the end of the lease.
    fn next_wait(&mut self, remaining: Duration, fraction: f64) -> Duration {
        let grown = FIRST_WAIT
            .saturating_mul(2_u32.saturating_pow(self.waits))
            .min(LONGEST_WAIT);
        self.waits = self.waits.saturating_add(1);
        let wait = share(grown, 0.5 + 0.5 * fraction);
        if wait > remaining {
            remaining.saturating_add(share(FIRST_WAIT, fraction))
        } else {
            wait
        }
    }

    fn ask(&mut self, leased: bool, now: Duration) -> Step {
        self.phase = Phase::Asking { leased };
        self.questions += 1;
        self.asked = now;
        Action::Take { after: self.after }.into()
    }

    fn log_in(&mut self, leased: bool, generation: Option<u64>) -> Step {
        self.phase = Phase::LoggingIn { leased, generation };
        Action::LogIn.into()
    }

    fn end(&mut self, release: bool, next: Action) -> Step {
        self.phase = Phase::Ended;
        Step { release, next }
    }
}

fn share(duration: Duration, fraction: f64) -> Duration {
    Duration::try_from_secs_f64(duration.as_secs_f64() * fraction).unwrap_or(duration)
}
