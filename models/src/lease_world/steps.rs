//! The world after a choice, and what must hold in it.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::{Choice, Doing, LOGIN, Late, Process, Rules, STORE, Store, World, ticks};
use crate::lease_protocol::Happened;

impl World {
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

    pub(super) fn tick(&mut self, rules: &Rules) -> Result<(), &'static str> {
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

    /// What must hold in every world.
    pub(super) fn check(&self, rules: &Rules) -> Result<(), &'static str> {
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
}
