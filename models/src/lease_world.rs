//! Processes that share a store, in a world where everything that can happen is a choice: who is next, how late an answer is,
//! who crashes, who is paused, what the store loses. Each process runs the library's own `lease_protocol.rs`, and has a
//! clock of its own. Time is in ticks.

use std::hash::{DefaultHasher, Hash, Hasher};
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

    /// The same for worlds that differ in nothing but the order of their processes.
    pub(crate) fn fingerprint(&self) -> u64 {
        let mut of_all = 0_u64;
        for (index, process) in self.processes.iter().enumerate() {
            let mut hasher = DefaultHasher::new();
            process.hash(&mut hasher);
            if let Some(((_, attempt), ends)) = self.store.lease.filter(|((owner, _), _)| *owner == index) {
                (attempt, ends).hash(&mut hasher);
            }
            for late in self.late.iter().filter(|late| late.owner().0 == index) {
                match *late {
                    Late::Take((_, attempt), after) => (0, attempt, after).hash(&mut hasher),
                    Late::Save((_, attempt), generation, token) => {
                        (1, attempt, generation, token).hash(&mut hasher);
                    }
                    Late::Release((_, attempt)) => (2, attempt).hash(&mut hasher),
                }
            }
            of_all = of_all.wrapping_add(hasher.finish());
        }
        let mut hasher = DefaultHasher::new();
        let Store { token, latest, .. } = self.store;
        (of_all, self.now, token, latest).hash(&mut hasher);
        (
            self.faults,
            self.refusals,
            self.lost_lease,
            self.has_acted,
            self.logins,
        )
            .hash(&mut hasher);
        hasher.finish()
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
            let shown = process.clock.shows(waited);
            match process.doing {
                Doing::Asking { .. } | Doing::Saving { .. } | Doing::Offering { .. } => {
                    choices.push(Choice::Store(index));
                    if shown < ticks(STORE) {
                        if matches!(process.doing, Doing::Asking { .. }) {
                            choices.push(Choice::StoreSlowly(index));
                        }
                    } else {
                        may_tick = false;
                    }
                }
                Doing::Answered(_) => {}
                Doing::Waiting { until, told_after } => {
                    let is_over = self.now >= until;
                    if is_over || told_after.is_some_and(|after| self.has_changed(after)) {
                        choices.push(Choice::Process(index));
                    }
                    may_tick &= !is_over;
                }
                Doing::LoggingIn => {
                    let is_over = shown >= ticks(LOGIN);
                    if waited > 0 && !self.has_acted || is_over {
                        choices.push(Choice::Process(index));
                    }
                    may_tick &= !is_over;
                }
                Doing::Failed => choices.push(Choice::Process(index)),
                Doing::Idle => {
                    if self.refusals > 0 {
                        choices.push(Choice::Refuse(index));
                    }
                    if process.unshared {
                        choices.push(Choice::Offer(index));
                    }
                }
                Doing::Dead => continue,
            }
            if self.faults == 0 || matches!(process.doing, Doing::Idle | Doing::Failed) {
                continue;
            }
            choices.extend([Choice::Crash(index), Choice::Pause(index)]);
            if process.is_waiting_for_the_store() {
                choices.extend([Choice::TimeOut(index, false), Choice::TimeOut(index, true)]);
                choices.push(Choice::LoseAnswer(index));
            }
            if process.doing == Doing::LoggingIn {
                choices.push(Choice::FailLogin(index));
            }
        }
        choices.extend((0..self.late.len()).map(Choice::Deliver));
        if self.faults > 0 {
            let (token, lease) = (self.store.token.is_some(), self.store.lease.is_some());
            choices.extend((token && lease).then_some(Choice::EmptyStore));
            choices.extend(token.then_some(Choice::Evict(true)));
            choices.extend(lease.then_some(Choice::Evict(false)));
        }
        if may_tick {
            choices.push(Choice::Tick);
        }
        choices
    }

    fn has_changed(&self, after: u64) -> bool {
        self.store.lease.is_none() || self.store.token.is_some_and(|(generation, _)| generation > after)
    }

    /// The world after a choice, or what is wrong with it.
    pub(crate) fn after(&self, choice: Choice, rules: &Rules) -> Result<Self, &'static str> {
        let mut next = self.clone();
        match choice {
            Choice::Tick => next.tick(rules)?,
            Choice::Store(index) => next.store_acts(index, false, rules)?,
            Choice::StoreSlowly(index) => next.store_acts(index, true, rules)?,
            Choice::Process(index) => next.process_acts(index, rules)?,
            Choice::Offer(index) => next.offer(index, rules),
            Choice::Deliver(index) => next.deliver(index, rules)?,
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
                next.time_out(index, arrives_late, rules)?;
            }
            Choice::LoseAnswer(index) => {
                next.faults -= 1;
                let request = next.request(index);
                next.time_out(index, false, rules)?;
                if let Some(request) = request {
                    next.receive(request, rules)?;
                }
            }
            Choice::FailLogin(index) => {
                next.faults -= 1;
                next.step(index, Happened::LoggedIn(false), rules)?;
            }
            Choice::EmptyStore => {
                next.faults -= 1;
                next.lost_lease = true;
                (next.store.token, next.store.lease) = (None, None);
            }
            Choice::Evict(token) => {
                next.faults -= 1;
                if token {
                    next.store.token = None;
                } else {
                    next.lost_lease = true;
                    next.store.lease = None;
                }
            }
            Choice::Refuse(index) => {
                next.refusals -= 1;
                next.processes[index].token = None;
                next.start_again(index, rules)?;
            }
        }
        next.check(rules)?;
        next.forget(rules);
        Ok(next)
    }

    /// Drops what makes no difference any more, so that worlds which go on alike are one.
    fn forget(&mut self, rules: &Rules) {
        // A release without a lease, and without a question before it, does nothing.
        let holder = self.store.lease.map(|(owner, _)| owner);
        let asking: Vec<Owner> = self
            .late
            .iter()
            .filter(|late| matches!(late, Late::Take(..)))
            .map(Late::owner)
            .collect();
        self.late.retain(|late| match late {
            Late::Release(owner) => holder == Some(*owner) || asking.contains(owner),
            _ => true,
        });
        self.late.sort_unstable();
        self.late.dedup();
        if !self.had_no_faults(rules) {
            self.logins = 0;
        }
        for (index, process) in self.processes.iter_mut().enumerate() {
            if !matches!(process.doing, Doing::Idle | Doing::Dead) {
                continue;
            }
            process.protocol = LeaseProtocol::start(limits(rules), 0, Duration::ZERO).0;
            (process.began, process.since) = (0, 0);
            (process.has_lease, process.was_paused, process.slept_in_login) = (false, false, false);
            process.candidate = None;
            let is_known = holder.is_some_and(|(owner, _)| owner == index)
                || self.late.iter().any(|late| late.owner().0 == index);
            if !is_known && !process.unshared {
                process.attempt = 0;
            }
            if process.doing == Doing::Dead {
                (process.generation, process.token, process.unshared) = (0, None, false);
            }
        }
    }

    fn tick(&mut self, rules: &Rules) -> Result<(), &'static str> {
        self.now += 1;
        self.has_acted = false;
        for index in 0..self.processes.len() {
            let process = &self.processes[index];
            if let (Doing::Answered(answer), false) = (process.doing, process.paused) {
                self.step(index, Happened::Took(answer), rules)?;
            }
        }
        Ok(())
    }

    fn owner(&self, index: usize) -> Owner {
        (index, self.processes[index].attempt)
    }

    /// The request that a process waits for.
    fn request(&self, index: usize) -> Option<Late> {
        let (owner, process) = (self.owner(index), &self.processes[index]);
        match process.doing {
            Doing::Asking { after } => Some(Late::Take(owner, after)),
            Doing::Saving { generation } | Doing::Offering { generation } => {
                process.token.map(|token| Late::Save(owner, generation, token))
            }
            _ => None,
        }
    }

    fn store_acts(&mut self, index: usize, slowly: bool, rules: &Rules) -> Result<(), &'static str> {
        self.has_acted = true;
        let owner = self.owner(index);
        match self.processes[index].doing {
            Doing::Asking { after } => {
                let answer = self.take(owner, after, rules);
                if slowly {
                    self.processes[index].doing = Doing::Answered(answer);
                    Ok(())
                } else {
                    self.step(index, Happened::Took(answer), rules)
                }
            }
            Doing::Saving { generation } => {
                self.save_of(index, generation, rules)?;
                self.processes[index].unshared = false;
                self.step(index, Happened::Saved(true), rules)
            }
            Doing::Offering { generation } => {
                self.save_of(index, generation, rules)?;
                let process = &mut self.processes[index];
                (process.doing, process.unshared) = (Doing::Idle, false);
                process.generation = process.generation.max(generation);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn save_of(&mut self, index: usize, generation: u64, rules: &Rules) -> Result<(), &'static str> {
        match self.processes[index].token {
            Some(token) => self.save(self.owner(index), generation, token, rules),
            None => Ok(()),
        }
    }

    fn take(&mut self, owner: Owner, after: u64, rules: &Rules) -> Answer {
        let stored = self.store.token.map_or(0, |(generation, _)| generation);
        let is_newer = match rules.without {
            Some(Guard::Reread) => false,
            Some(Guard::After) => stored > 0,
            _ => stored > after,
        };
        if let Some((_, token)) = self.store.token.filter(|_| is_newer) {
            let process = &mut self.processes[owner.0];
            // A session does not take the token that it has.
            let usable = process.takes(&token, self.now, rules.life) && process.token != Some(token);
            process.candidate = usable.then_some(token);
            return Answer::Newer {
                generation: stored,
                usable,
            };
        }
        let store = &mut self.store;
        let seen = stored.max(after);
        store.latest = match rules.without {
            Some(Guard::ClockedGeneration) => seen + 1,
            _ => store.latest.max(seen).max(self.now * 100) + 1,
        };
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
        owner: Owner,
        generation: u64,
        token: Token,
        rules: &Rules,
    ) -> Result<(), &'static str> {
        let stored = self.store.token;
        if stored.is_none_or(|(kept, _)| kept < generation) || rules.without == Some(Guard::Generation) {
            if stored.is_some_and(|(kept, _)| kept > generation) {
                return Err("a generation went back");
            }
            // Two logins at about the same time may be saved in either order.
            let is_older = |kept: Token| token.ended + rules.lease < kept.began;
            if stored.is_some_and(|(_, kept)| is_older(kept)) {
                return Err("an older token replaced a later one");
            }
            self.store.token = Some((generation, token));
        }
        self.release(owner, rules);
        Ok(())
    }

    fn release(&mut self, owner: Owner, rules: &Rules) {
        let anybody = rules.without == Some(Guard::Owner);
        self.store
            .lease
            .take_if(|(holder, _)| *holder == owner || anybody);
    }

    fn deliver(&mut self, index: usize, rules: &Rules) -> Result<(), &'static str> {
        self.has_acted = true;
        let late = self.late.remove(index);
        self.receive(late, rules)
    }

    /// The store acts on a message that nobody waits for.
    fn receive(&mut self, message: Late, rules: &Rules) -> Result<(), &'static str> {
        match message {
            Late::Take(owner, after) => {
                let candidate = self.processes[owner.0].candidate;
                self.take(owner, after, rules);
                self.processes[owner.0].candidate = candidate;
            }
            Late::Save(owner, generation, token) => self.save(owner, generation, token, rules)?,
            Late::Release(owner) => self.release(owner, rules),
        }
        Ok(())
    }

    fn process_acts(&mut self, index: usize, rules: &Rules) -> Result<(), &'static str> {
        match self.processes[index].doing {
            Doing::Waiting { until, .. } => {
                let by_change = self.now < until;
                self.step(index, Happened::Woken { by_change }, rules)
            }
            Doing::LoggingIn => self.step(index, Happened::LoggedIn(true), rules),
            Doing::Failed => self.start_again(index, rules),
            _ => Ok(()),
        }
    }

    /// A token that was got alone: another's is left in place, and its own is saved under the lease alone.
    fn offer(&mut self, index: usize, rules: &Rules) {
        self.has_acted = true;
        let (owner, generation) = (self.owner(index), self.processes[index].generation);
        let answer = self.take(owner, generation, rules);
        let process = &mut self.processes[index];
        process.since = self.now;
        match answer {
            Answer::Acquired { generation } => process.doing = Doing::Offering { generation },
            Answer::Held { generation, .. } if rules.without == Some(Guard::OfferUnderLease) => {
                process.doing = Doing::Offering { generation };
            }
            _ => process.unshared = false,
        }
    }

    fn time_out(&mut self, index: usize, arrives_late: bool, rules: &Rules) -> Result<(), &'static str> {
        if arrives_late {
            self.late.extend(self.request(index));
        }
        let process = &mut self.processes[index];
        match process.doing {
            Doing::Asking { .. } => {
                process.has_lease = false;
                self.step(index, Happened::Took(Answer::Failed), rules)
            }
            Doing::Saving { .. } => {
                process.unshared = true;
                self.step(index, Happened::Saved(false), rules)
            }
            Doing::Offering { .. } => {
                process.doing = Doing::Idle;
                self.late.push(Late::Release(self.owner(index)));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn step(&mut self, index: usize, happened: Happened, rules: &Rules) -> Result<(), &'static str> {
        let process = &mut self.processes[index];
        let mut happened = happened;
        match happened {
            Happened::Took(answer) => {
                process.has_lease = matches!(answer, Answer::Acquired { .. });
                if answer == Answer::Failed && rules.without == Some(Guard::Alone) {
                    // What the protocol takes for a mistake: it ends.
                    happened = Happened::Saved(false);
                }
            }
            Happened::LoggedIn(true) => {
                let saved_until = process.clock.wall(self.now) + rules.life.cast_signed();
                process.token = Some(Token {
                    began: process.since,
                    ended: self.now,
                    saved_until,
                });
                process.unshared = true;
            }
            _ => {}
        }
        let believes = rules.without == Some(Guard::Belief) && matches!(happened, Happened::Took(_));
        let now = if believes { process.since } else { self.now };
        let elapsed = process.clock.shows(now - process.began);
        let step = process.protocol.step(happened, elapsed, 1.0);
        self.act(index, step, happened)
    }

    fn act(&mut self, index: usize, step: Step, happened: Happened) -> Result<(), &'static str> {
        if step.release {
            self.late.push(Late::Release(self.owner(index)));
        }
        let process = &mut self.processes[index];
        process.since = self.now;
        process.doing = match step.next {
            Action::Take { after } => Doing::Asking { after },
            Action::Wait {
                duration,
                until_changed,
            } => Doing::Waiting {
                until: self.now + process.clock.ticks_of(duration).max(1),
                told_after: until_changed.then_some(process.generation),
            },
            Action::LogIn => {
                self.logins += 1;
                process.slept_in_login = false;
                Doing::LoggingIn
            }
            Action::Save { generation } => {
                process.generation = process.generation.max(generation);
                Doing::Saving { generation }
            }
            Action::Use { generation } => {
                if generation <= process.generation {
                    return Err("a process went back to a token that it could not use");
                }
                process.generation = generation;
                process.unshared = false;
                process.token = process.candidate.take();
                Doing::Idle
            }
            Action::Finish if happened == Happened::LoggedIn(false) => Doing::Failed,
            Action::Finish => Doing::Idle,
        };
        if process.doing == Doing::Idle && process.token.is_none() {
            return Err("a process has no token");
        }
        Ok(())
    }

    fn start_again(&mut self, index: usize, rules: &Rules) -> Result<(), &'static str> {
        let process = &mut self.processes[index];
        let (protocol, step) = LeaseProtocol::start(limits(rules), process.generation, Duration::ZERO);
        process.protocol = protocol;
        process.began = self.now;
        process.attempt += 1;
        process.has_lease = false;
        process.was_paused = false;
        process.candidate = None;
        self.act(index, step, Happened::Woken { by_change: false })
    }

    /// What must hold in every world.
    fn check(&self, rules: &Rules) -> Result<(), &'static str> {
        let logging_in = || {
            self.processes
                .iter()
                .filter(|process| process.doing == Doing::LoggingIn)
        };
        if self.had_no_faults(rules) && logging_in().count() > 1 {
            return Err("two log in although the store is well");
        }
        let in_lease = logging_in().filter(|process| process.has_lease && !process.slept_in_login);
        if in_lease.count() > 1 && !self.lost_lease {
            return Err("two log in under the lease");
        }
        let bound = rules.wait + LOGIN + 8 * STORE;
        let is_late = |process: &Process| {
            let is_promised = !process.was_paused
                && !matches!(
                    process.doing,
                    Doing::Idle | Doing::Dead | Doing::Failed | Doing::Offering { .. }
                );
            is_promised && process.clock.shows(self.now - process.began) > ticks(bound)
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
