//! What the store does with a request, early or late.

use std::time::Duration;

use super::{Doing, Guard, Late, Owner, Rules, Token, World, limits, ticks};
use crate::lease_protocol::{Answer, Happened, LeaseProtocol};

impl World {
    pub(super) fn owner(&self, index: usize) -> Owner {
        (index, self.processes[index].attempt)
    }

    /// The request that a process waits for.
    pub(super) fn request(&self, index: usize) -> Option<Late> {
        let (owner, process) = (self.owner(index), &self.processes[index]);
        match process.doing {
            Doing::Asking { after } => Some(Late::Take(owner, after)),
            Doing::Saving { generation } | Doing::Offering { generation } => {
                process.token.map(|token| Late::Save(owner, generation, token))
            }
            _ => None,
        }
    }

    pub(super) fn store_acts(
        &mut self,
        index: usize,
        slowly: bool,
        rules: &Rules,
    ) -> Result<(), &'static str> {
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

    pub(super) fn save_of(
        &mut self,
        index: usize,
        generation: u64,
        rules: &Rules,
    ) -> Result<(), &'static str> {
        match self.processes[index].token {
            Some(token) => self.save(self.owner(index), generation, token, rules),
            None => Ok(()),
        }
    }

    pub(super) fn take(&mut self, owner: Owner, after: u64, rules: &Rules) -> Answer {
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

    pub(super) fn save(
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

    pub(super) fn release(&mut self, owner: Owner, rules: &Rules) {
        let anybody = rules.without == Some(Guard::Owner);
        self.store
            .lease
            .take_if(|(holder, _)| *holder == owner || anybody);
    }

    pub(super) fn deliver(&mut self, index: usize, rules: &Rules) -> Result<(), &'static str> {
        self.has_acted = true;
        let late = self.late.remove(index);
        self.receive(late, rules)
    }

    /// The store acts on a message that nobody waits for.
    pub(super) fn receive(&mut self, message: Late, rules: &Rules) -> Result<(), &'static str> {
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

    /// Drops what makes no difference any more, so that worlds which go on alike are one.
    pub(super) fn forget(&mut self, rules: &Rules) {
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
}
