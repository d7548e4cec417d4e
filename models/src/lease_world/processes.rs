//! What a process does next, and what it does with an answer.

use std::time::Duration;

use super::{Doing, Guard, Late, Rules, Token, World, limits};
use crate::lease_protocol::{Action, Answer, Happened, LeaseProtocol, Step};

impl World {
    pub(super) fn process_acts(&mut self, index: usize, rules: &Rules) -> Result<(), &'static str> {
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
    pub(super) fn offer(&mut self, index: usize, rules: &Rules) {
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

    pub(super) fn time_out(
        &mut self,
        index: usize,
        arrives_late: bool,
        rules: &Rules,
    ) -> Result<(), &'static str> {
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

    pub(super) fn step(
        &mut self,
        index: usize,
        happened: Happened,
        rules: &Rules,
    ) -> Result<(), &'static str> {
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

    pub(super) fn act(&mut self, index: usize, step: Step, happened: Happened) -> Result<(), &'static str> {
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

    pub(super) fn start_again(&mut self, index: usize, rules: &Rules) -> Result<(), &'static str> {
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
}
