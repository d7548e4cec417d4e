//! What can happen next.

use super::{Choice, Doing, LOGIN, Rules, STORE, World, ticks};

impl World {
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

    pub(super) fn has_changed(&self, after: u64) -> bool {
        self.store.lease.is_none() || self.store.token.is_some_and(|(generation, _)| generation > after)
    }
}
