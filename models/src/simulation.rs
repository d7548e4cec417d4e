//! A fleet on simulated time: processes start cold, log in, and refresh once. Each runs the library's own
//! `lease_protocol.rs`. The result is the same in each run.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

use crate::lease_protocol::{Action, Answer, Happened, LeaseProtocol, Limits, Step};

/// How the processes of a fleet learn of each other's tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sharing {
    /// They have no store.
    None,
    /// Who waits asks again.
    Asking,
    /// The store tells those who wait.
    Told,
}

/// One row of the table.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) logins: u64,
    pub(crate) commands: u64,
    pub(crate) bytes: u64,
    /// The most commands in one second.
    pub(crate) peak: u64,
    /// The longest wait of a cold start.
    pub(crate) longest_wait: Duration,
}

const LOGIN: u64 = 300_000;
const ROUND_TRIP: u64 = 1_000;
const SECOND: u64 = 1_000_000;
/// A sealed token with its key, and any other command, in bytes.
const RECORD: u64 = 2_048;
const COMMAND: u64 = 128;
/// The library's own: the refresh of a token of an hour is due 300 s before its end, or up to 75 s later.
const DUE: u64 = 3_300 * SECOND;
const SPREAD: f64 = 75.0;

struct Process {
    protocol: Option<LeaseProtocol>,
    began: u64,
    generation: u64,
    /// The number of the wait that it is in.
    waits: Option<u64>,
    waits_for_change: bool,
    has_token: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Start,
    Take(u64),
    Answer(Kind),
    Wake(u64),
    Told(u64),
    LoggedIn,
    Save(u64),
    Saved,
}

/// An answer whose order the queue can compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Newer(u64),
    Acquired(u64),
    Held(u64, u64),
}

pub(crate) struct Fleet {
    queue: BinaryHeap<Reverse<(u64, u64, usize, Event)>>,
    sequence: u64,
    processes: Vec<Process>,
    sharing: Sharing,
    stored: u64,
    latest: u64,
    lease: Option<(usize, u64)>,
    random: u64,
    second: (u64, u64),
    outcome: Outcome,
}

const fn limits(wait: u64) -> Limits {
    Limits {
        lease: Duration::from_secs(34),
        login: Duration::from_secs(30),
        wait: Duration::from_secs(wait),
    }
}

impl Fleet {
    /// One lifetime of a fleet of this size. Without jitter, all of its processes do the same at the same time.
    pub(crate) fn run(size: usize, sharing: Sharing, jitter: bool) -> Outcome {
        let mut fleet = Self {
            queue: BinaryHeap::new(),
            sequence: 0,
            processes: Vec::with_capacity(size),
            sharing,
            stored: 0,
            latest: 0,
            lease: None,
            random: 0x9e37_79b9_7f4a_7c15,
            second: (0, 0),
            outcome: Outcome::default(),
        };
        for index in 0..size {
            fleet.processes.push(Process {
                protocol: None,
                began: 0,
                generation: 0,
                waits: None,
                waits_for_change: false,
                has_token: false,
            });
            for (start, spread) in [(0, 1.0), (DUE, SPREAD)] {
                let fraction = if jitter { fleet.fraction() } else { 0.0 };
                let late = Duration::from_secs_f64(spread * fraction);
                fleet.at(start + microseconds(late), index, Event::Start);
            }
        }
        while let Some(Reverse((now, _, index, event))) = fleet.queue.pop() {
            fleet.happens(now, index, event);
        }
        fleet.outcome
    }

    fn at(&mut self, time: u64, index: usize, event: Event) {
        self.sequence += 1;
        self.queue.push(Reverse((time, self.sequence, index, event)));
    }

    fn fraction(&mut self) -> f64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        f64::from(u32::try_from(self.random >> 32).unwrap_or_default()) / f64::from(u32::MAX)
    }

    fn command(&mut self, now: u64, bytes: u64) {
        self.outcome.commands += 1;
        self.outcome.bytes += bytes;
        if self.second.0 != now / SECOND {
            self.second = (now / SECOND, 0);
        }
        self.second.1 += 1;
        self.outcome.peak = self.outcome.peak.max(self.second.1);
    }

    fn happens(&mut self, now: u64, index: usize, event: Event) {
        match event {
            Event::Start if self.sharing == Sharing::None => {
                self.outcome.logins += 1;
                self.outcome.longest_wait = Duration::from_micros(LOGIN);
            }
            Event::Start => {
                let process = &mut self.processes[index];
                process.began = now;
                let wait = if process.has_token { 34 } else { 10 };
                let (protocol, step) = LeaseProtocol::start(limits(wait), process.generation, Duration::ZERO);
                process.protocol = Some(protocol);
                self.act(now, index, step);
            }
            Event::Take(after) => {
                let answer = self.take(now, index, after);
                let bytes = if let Kind::Newer(_) = answer {
                    RECORD
                } else {
                    COMMAND
                };
                self.command(now, bytes);
                self.at(now + ROUND_TRIP / 2, index, Event::Answer(answer));
            }
            Event::Answer(kind) => {
                let answer = match kind {
                    Kind::Newer(generation) => Answer::Newer {
                        generation,
                        usable: true,
                    },
                    Kind::Acquired(generation) => Answer::Acquired { generation },
                    Kind::Held(remaining, generation) => Answer::Held {
                        remaining: Duration::from_micros(remaining),
                        generation,
                    },
                };
                self.step(now, index, Happened::Took(answer));
            }
            // A wait ends once: by its timer, or because the process was told.
            Event::Wake(wait) | Event::Told(wait) => {
                if self.processes[index]
                    .waits
                    .take_if(|current| *current == wait)
                    .is_some()
                {
                    let by_change = matches!(event, Event::Told(_));
                    self.step(now, index, Happened::Woken { by_change });
                }
            }
            Event::LoggedIn => self.step(now, index, Happened::LoggedIn(true)),
            Event::Save(generation) => {
                self.command(now, RECORD);
                self.stored = self.stored.max(generation);
                self.lease.take_if(|(owner, _)| *owner == index);
                self.at(now + ROUND_TRIP / 2, index, Event::Saved);
                if self.sharing == Sharing::Told {
                    for waiting in 0..self.processes.len() {
                        let process = &self.processes[waiting];
                        if let Some(wait) = process.waits.filter(|_| process.waits_for_change) {
                            self.outcome.bytes += COMMAND;
                            self.at(now + ROUND_TRIP / 2, waiting, Event::Told(wait));
                        }
                    }
                }
            }
            Event::Saved => self.step(now, index, Happened::Saved(true)),
        }
    }

    fn take(&mut self, now: u64, index: usize, after: u64) -> Kind {
        if self.stored > after {
            return Kind::Newer(self.stored);
        }
        self.latest = self.latest.max(self.stored).max(after).max(now) + 1;
        match self.lease {
            Some((owner, ends)) if owner != index && ends > now => Kind::Held(ends - now, self.latest),
            _ => {
                self.lease = Some((index, now + 34 * SECOND));
                Kind::Acquired(self.latest)
            }
        }
    }

    fn step(&mut self, now: u64, index: usize, happened: Happened) {
        let fraction = self.fraction();
        let process = &mut self.processes[index];
        let elapsed = Duration::from_micros(now - process.began);
        let Some(protocol) = process.protocol.as_mut() else {
            return;
        };
        let step = protocol.step(happened, elapsed, fraction);
        self.act(now, index, step);
    }

    fn act(&mut self, now: u64, index: usize, step: Step) {
        match step.next {
            Action::Take { after } => self.at(now + ROUND_TRIP / 2, index, Event::Take(after)),
            Action::Wait {
                duration,
                until_changed,
            } => {
                let process = &mut self.processes[index];
                process.waits = Some(self.sequence);
                process.waits_for_change = self.sharing == Sharing::Told && until_changed;
                let wake = Event::Wake(self.sequence);
                self.at(now + microseconds(duration), index, wake);
            }
            Action::LogIn => {
                self.outcome.logins += 1;
                self.at(now + LOGIN, index, Event::LoggedIn);
            }
            Action::Save { generation } => {
                self.processes[index].generation = generation;
                self.at(now + ROUND_TRIP / 2, index, Event::Save(generation));
            }
            Action::Use { generation } => {
                self.processes[index].generation = generation;
                self.end(now, index);
            }
            Action::Finish => self.end(now, index),
        }
    }

    fn end(&mut self, now: u64, index: usize) {
        let process = &mut self.processes[index];
        process.protocol = None;
        if !std::mem::replace(&mut process.has_token, true) {
            let waited = Duration::from_micros(now - process.began);
            self.outcome.longest_wait = self.outcome.longest_wait.max(waited);
        }
    }
}

fn microseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
