//! Processes that share a store, in a world where everything that can happen is a choice: who is next, whether an answer
//! arrives, who crashes, who is paused. Each process runs the library's own `lease_protocol.rs`. Time is in ticks.

use std::time::Duration;

use crate::lease_protocol::{Action, Answer, Happened, LeaseProtocol, Limits, Step};

/// How long the store may take to answer.
const STORE: u64 = 1;
/// How long a login may take.
pub(crate) const LOGIN: u64 = 2;

/// What a world is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    pub(crate) processes: usize,
    pub(crate) lease: u64,
    pub(crate) wait: u64,
    /// Where the world ends.
    pub(crate) horizon: u64,
    /// How many faults there may be.
    pub(crate) faults: u8,
    /// How many times a token is refused, so that its process needs another one.
    pub(crate) refusals: u8,
    /// A guard that is left out, to see what it is for.
    pub(crate) without: Option<Guard>,
}

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
}

type Owner = (usize, u8);

/// When a login began and ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Login {
    began: u64,
    ended: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
struct Store {
    /// Its generation, and its login.
    token: Option<(u64, Login)>,
    lease: Option<(Owner, u64)>,
    latest: u64,
    changes: u8,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
struct Process {
    protocol: LeaseProtocol,
    doing: Doing,
    began: u64,
    since: u64,
    attempt: u8,
    has_lease: bool,
    /// The generation that it uses, or has used up.
    generation: u64,
    paused: bool,
    /// It was paused in this refresh, so nothing is promised about its time.
    was_paused: bool,
    /// It was paused in this login, so the login may have outlasted the lease.
    slept_in_login: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Doing {
    Asking { after: u64 },
    Answered(Answer),
    Waiting { until: u64, changes: Option<u8> },
    LoggingIn,
    Saving { generation: u64, login: Login },
    Idle,
    Dead,
}

/// A message that is still on its way, and that nobody waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Late {
    Take(Owner, u64),
    Release(Owner),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct World {
    now: u64,
    store: Store,
    processes: Vec<Process>,
    late: Vec<Late>,
    faults: u8,
    refusals: u8,
    /// The lease was lost at the store.
    lost_lease: bool,
    pub(crate) logins: u8,
}

/// Something that happens.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Choice {
    Tick,
    /// The store acts on a process's request.
    Store(usize),
    /// A process goes on.
    Process(usize),
    Deliver(usize),
    // Faults:
    Crash(usize),
    Pause(usize),
    Resume(usize),
    /// A process gives a request up, which the store never sees (false), or sees later (true).
    TimeOut(usize, bool),
    EmptyStore,
    Refuse(usize),
}

fn ticks(count: u64) -> Duration {
    Duration::from_secs(count)
}

impl World {
    pub(crate) fn new(rules: &Rules) -> Self {
        let mut world = Self {
            now: 0,
            store: Store::default(),
            processes: Vec::new(),
            late: Vec::new(),
            faults: rules.faults,
            refusals: rules.refusals,
            lost_lease: false,
            logins: 0,
        };
        for _ in 0..rules.processes {
            let (protocol, step) = LeaseProtocol::start(limits(rules), 0, ticks(0));
            let doing = match step.next {
                Action::Take { after } => Doing::Asking { after },
                _ => Doing::Idle,
            };
            world.processes.push(Process {
                protocol,
                doing,
                began: 0,
                since: 0,
                attempt: 0,
                has_lease: false,
                generation: 0,
                paused: false,
                was_paused: false,
                slept_in_login: false,
            });
        }
        world
    }

    /// All that can happen now.
    pub(crate) fn choices(&self, rules: &Rules) -> Vec<Choice> {
        let mut choices = Vec::new();
        let mut may_tick = self.now < rules.horizon;
        for (index, process) in self.processes.iter().enumerate() {
            if process.paused {
                choices.push(Choice::Resume(index));
                continue;
            }
            let waited = self.now - process.since;
            match process.doing {
                Doing::Asking { .. } | Doing::Saving { .. } => {
                    choices.push(Choice::Store(index));
                    may_tick &= waited < STORE;
                }
                Doing::Answered(_) => {
                    choices.push(Choice::Process(index));
                    may_tick &= waited < STORE;
                }
                Doing::Waiting { until, changes } => {
                    let is_over = self.now >= until;
                    if is_over || changes.is_some_and(|changes| changes != self.store.changes) {
                        choices.push(Choice::Process(index));
                    }
                    may_tick &= !is_over;
                }
                Doing::LoggingIn => {
                    choices.push(Choice::Process(index));
                    may_tick &= waited < LOGIN;
                }
                Doing::Idle if self.refusals > 0 => choices.push(Choice::Refuse(index)),
                Doing::Idle | Doing::Dead => continue,
            }
            if self.faults > 0 && process.doing != Doing::Idle {
                choices.extend([Choice::Crash(index), Choice::Pause(index)]);
                if matches!(
                    process.doing,
                    Doing::Asking { .. } | Doing::Answered(_) | Doing::Saving { .. }
                ) {
                    choices.extend([Choice::TimeOut(index, false), Choice::TimeOut(index, true)]);
                }
            }
        }
        choices.extend((0..self.late.len()).map(Choice::Deliver));
        if self.faults > 0 && (self.store.token.is_some() || self.store.lease.is_some()) {
            choices.push(Choice::EmptyStore);
        }
        if may_tick {
            choices.push(Choice::Tick);
        }
        choices
    }

    /// The world after a choice, or what is wrong with it.
    pub(crate) fn after(&self, choice: Choice, rules: &Rules) -> Result<Self, &'static str> {
        let mut next = self.clone();
        match choice {
            Choice::Tick => next.now += 1,
            Choice::Store(index) => next.store_acts(index, rules)?,
            Choice::Process(index) => next.process_acts(index, rules),
            Choice::Deliver(index) => match next.late.remove(index) {
                Late::Take(owner, after) => drop(next.take(owner, after, rules)),
                Late::Release(owner) => next.release(owner, rules),
            },
            Choice::Crash(index) => {
                next.faults -= 1;
                next.processes[index].doing = Doing::Dead;
            }
            Choice::Pause(index) => {
                next.faults -= 1;
                let process = &mut next.processes[index];
                (process.paused, process.was_paused, process.slept_in_login) = (true, true, true);
            }
            Choice::Resume(index) => next.processes[index].paused = false,
            Choice::TimeOut(index, arrives_late) => {
                next.faults -= 1;
                next.time_out(index, arrives_late, rules);
            }
            Choice::EmptyStore => {
                next.faults -= 1;
                next.lost_lease = true;
                (next.store.token, next.store.lease) = (None, None);
            }
            Choice::Refuse(index) => {
                next.refusals -= 1;
                next.start_again(index, rules);
            }
        }
        next.late.sort_unstable();
        next.check(rules)?;
        Ok(next)
    }

    fn owner(&self, index: usize) -> Owner {
        (index, self.processes[index].attempt)
    }

    fn store_acts(&mut self, index: usize, rules: &Rules) -> Result<(), &'static str> {
        match self.processes[index].doing {
            Doing::Asking { after } => {
                let answer = self.take(self.owner(index), after, rules);
                self.processes[index].doing = Doing::Answered(answer);
            }
            Doing::Saving { generation, login } => {
                self.save(index, generation, login, rules)?;
                self.step(index, Happened::Saved(true), rules);
            }
            _ => {}
        }
        Ok(())
    }

    fn take(&mut self, owner: Owner, after: u64, rules: &Rules) -> Answer {
        let store = &mut self.store;
        let stored = store.token.map_or(0, |(generation, _)| generation);
        if stored > after && rules.without != Some(Guard::Reread) {
            return Answer::Newer {
                generation: stored,
                usable: true,
            };
        }
        let seen = stored.max(after);
        if rules.without == Some(Guard::ClockedGeneration) {
            store.latest = seen + 1;
        } else {
            store.latest = store.latest.max(seen).max(self.now * 100) + 1;
        }
        let generation = store.latest;
        match store.lease {
            Some((other, ends)) if other != owner && ends > self.now => Answer::Held {
                remaining: ticks(ends - self.now),
                generation,
            },
            _ => {
                store.lease = Some((owner, self.now + rules.lease));
                Answer::Acquired { generation }
            }
        }
    }

    fn save(
        &mut self,
        index: usize,
        generation: u64,
        login: Login,
        rules: &Rules,
    ) -> Result<(), &'static str> {
        let owner = self.owner(index);
        let stored = self.store.token;
        if stored.is_none_or(|(kept, _)| kept < generation) || rules.without == Some(Guard::Generation) {
            if stored.is_some_and(|(kept, _)| kept > generation) {
                return Err("a generation went back");
            }
            // Two logins at about the same time may be saved in either order.
            let is_older = |kept: Login| login.ended + rules.lease < kept.began;
            if stored.is_some_and(|(_, kept)| is_older(kept)) {
                return Err("an older token replaced a later one");
            }
            self.store.token = Some((generation, login));
        }
        self.release(owner, rules);
        Ok(())
    }

    fn release(&mut self, owner: Owner, rules: &Rules) {
        let anybody = rules.without == Some(Guard::Owner);
        self.store
            .lease
            .take_if(|(holder, _)| *holder == owner || anybody);
        self.store.changes = self.store.changes.wrapping_add(1);
    }

    fn process_acts(&mut self, index: usize, rules: &Rules) {
        match self.processes[index].doing {
            Doing::Answered(answer) => {
                self.processes[index].has_lease = matches!(answer, Answer::Acquired { .. });
                self.step(index, Happened::Took(answer), rules);
            }
            Doing::Waiting { until, .. } => {
                let by_change = self.now < until;
                self.step(index, Happened::Woken { by_change }, rules);
            }
            Doing::LoggingIn => self.step(index, Happened::LoggedIn(true), rules),
            _ => {}
        }
    }

    fn time_out(&mut self, index: usize, arrives_late: bool, rules: &Rules) {
        let doing = self.processes[index].doing;
        if !matches!(doing, Doing::Saving { .. }) {
            self.processes[index].has_lease = false;
        }
        match doing {
            Doing::Asking { after } => {
                if arrives_late {
                    self.late.push(Late::Take(self.owner(index), after));
                }
                self.step(index, Happened::Took(Answer::Failed), rules);
            }
            Doing::Answered(_) => self.step(index, Happened::Took(Answer::Failed), rules),
            Doing::Saving { .. } => self.step(index, Happened::Saved(false), rules),
            _ => {}
        }
    }

    fn step(&mut self, index: usize, happened: Happened, rules: &Rules) {
        let process = &mut self.processes[index];
        let believes = rules.without == Some(Guard::Belief) && matches!(happened, Happened::Took(_));
        let now = if believes { process.since } else { self.now };
        let elapsed = ticks(now - process.began);
        let step = process.protocol.step(happened, elapsed, 1.0);
        self.act(index, step);
    }

    fn act(&mut self, index: usize, step: Step) {
        if step.release {
            self.late.push(Late::Release(self.owner(index)));
        }
        let process = &mut self.processes[index];
        let login = Login {
            began: process.since,
            ended: self.now,
        };
        process.since = self.now;
        process.doing = match step.next {
            Action::Take { after } => Doing::Asking { after },
            Action::Wait {
                duration,
                until_changed,
            } => Doing::Waiting {
                until: self.now + duration.as_secs().max(1),
                changes: until_changed.then_some(self.store.changes),
            },
            Action::LogIn => {
                self.logins += 1;
                process.slept_in_login = false;
                Doing::LoggingIn
            }
            Action::Save { generation } => {
                process.generation = process.generation.max(generation);
                Doing::Saving { generation, login }
            }
            Action::Use { generation } => {
                process.generation = generation;
                Doing::Idle
            }
            Action::Finish => Doing::Idle,
        };
    }

    fn start_again(&mut self, index: usize, rules: &Rules) {
        let process = &mut self.processes[index];
        let (protocol, step) = LeaseProtocol::start(limits(rules), process.generation, ticks(0));
        process.protocol = protocol;
        process.began = self.now;
        process.attempt += 1;
        process.has_lease = false;
        process.was_paused = false;
        self.act(index, step);
    }

    /// What must hold in every world.
    fn check(&self, rules: &Rules) -> Result<(), &'static str> {
        let in_lease = self.processes.iter().filter(|process| {
            matches!(process.doing, Doing::LoggingIn) && process.has_lease && !process.slept_in_login
        });
        if in_lease.count() > 1 && !self.lost_lease {
            return Err("two log in under the lease");
        }
        let bound = rules.wait + LOGIN + 8 * STORE;
        let is_late = |process: &Process| {
            let is_promised = !process.was_paused && !matches!(process.doing, Doing::Idle | Doing::Dead);
            is_promised && self.now - process.began > bound
        };
        if self.processes.iter().any(is_late) {
            return Err("a process waits for too long");
        }
        Ok(())
    }

    /// Whether every process has a token, or is dead.
    pub(crate) fn is_over(&self) -> bool {
        self.processes
            .iter()
            .all(|process| matches!(process.doing, Doing::Idle | Doing::Dead))
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
    Limits {
        lease: ticks(rules.lease),
        login: ticks(LOGIN),
        wait: ticks(rules.wait),
    }
}
