//! The lifecycle against a model of the world: callers, a server, clocks and operators act in any order.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

use proptest::prelude::*;
use tokio::runtime;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::clock::ManualClock;
use crate::random::FixedRandom;
use crate::secret::Secret;
use crate::token::{Timestamp, TokenTimes, Validity};

use super::*;

/// Something that happens. Times are in milliseconds.
#[derive(Debug, Clone)]
enum Step {
    Call {
        need: u64,
    },
    Pass(u64),
    /// The computer is suspended: its monotonic clock stands still.
    Suspend(u64),
    /// The wall clock is set.
    SetWall(u64),
    /// The server answers the login under way, if there is one.
    Answer(Answer),
    /// A server refuses the token that is this many generations old.
    Refuse {
        age: u64,
    },
    Invalidate,
    /// The owner logs out.
    End,
    /// A waiting caller gives up.
    GiveUp(usize),
}

#[derive(Debug, Clone, Copy)]
enum Answer {
    /// A token that is valid for this many seconds.
    Token(u64),
    Transient,
    Permanent,
    Ended,
}

fn sample() -> impl Strategy<Value = u64> {
    prop_oneof![0..1_500_u64, 0..40_000_u64, 0..4_000_000_u64]
}

fn answer() -> impl Strategy<Value = Answer> {
    prop_oneof![
        6 => prop_oneof![0..3_u64, 1..7200_u64, Just(315_360_000)].prop_map(Answer::Token),
        2 => Just(Answer::Transient),
        2 => Just(Answer::Permanent),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => prop_oneof![3 => Just(0), 1 => sample()].prop_map(|need| Step::Call { need }),
        4 => sample().prop_map(Step::Pass),
        1 => sample().prop_map(Step::Suspend),
        1 => (0..4_000_000_000_000_u64).prop_map(Step::SetWall),
        8 => answer().prop_map(Step::Answer),
        2 => (0..3_u64).prop_map(|age| Step::Refuse { age }),
        1 => Just(Step::Invalidate),
        2 => any::<usize>().prop_map(Step::GiveUp),
    ]
}

/// A server whose answers the test gives, one login at a time.
#[derive(Default)]
struct Server {
    login: Arc<Mutex<Option<oneshot::Sender<Result<TokenResponse>>>>>,
    busy: Arc<AtomicBool>,
    not_refreshable: bool,
}

struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

impl TokenSource for Server {
    fn kind(&self) -> &'static str {
        "workspace"
    }

    fn fetch(&self, _: Option<Previous>) -> BoxFuture<'static, Result<TokenResponse>> {
        let others = self.busy.swap(true, Ordering::Relaxed);
        assert!(!others, "at most one refresh at a time");
        let busy = Busy(Arc::clone(&self.busy));
        let (sender, receiver) = oneshot::channel();
        *lock(&self.login) = Some(sender);
        Box::pin(async move {
            let _busy = busy;
            receiver.await.unwrap_or(Err(Error::refresh_aborted()))
        })
    }

    fn is_refreshable(&self) -> bool {
        !self.not_refreshable
    }
}

/// What is true of a token, whatever the local clocks show.
struct Truth {
    /// Time of the world, in milliseconds.
    end: u64,
    /// The wall clock was set since, or contradicts the response, so that nobody can tell.
    blurred: bool,
}

struct World {
    clock: ManualClock,
    lifecycle: Arc<Lifecycle>,
    login: Arc<Mutex<Option<oneshot::Sender<Result<TokenResponse>>>>>,
    /// The true time, in milliseconds since the Unix epoch.
    time: u64,
    tokens: HashMap<u64, Truth>,
    callers: Vec<(JoinHandle<Result<Token>>, u64)>,
    ended: bool,
    /// The owner logged out.
    over: bool,
}

impl World {
    const BEGIN: u64 = 1_767_225_600_000;

    fn new(not_refreshable: bool) -> Self {
        let clock = ManualClock::new();
        let config = LifecycleConfig {
            clock: Arc::new(clock.clone()),
            random: Arc::new(FixedRandom(0.5)),
            policy: RefreshPolicy::default(),
        };
        let server = Server {
            not_refreshable,
            ..Server::default()
        };
        Self {
            clock,
            login: Arc::clone(&server.login),
            lifecycle: Lifecycle::new(Arc::new(config), Box::new(server), None),
            time: Self::BEGIN,
            tokens: HashMap::new(),
            callers: Vec::new(),
            ended: false,
            over: false,
        }
    }

    /// Lets every task run until all of them wait.
    async fn settle(&mut self) {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let callers = std::mem::take(&mut self.callers);
        for (caller, need) in callers {
            if caller.is_finished() {
                match caller.await {
                    Ok(Ok(token)) => self.check_served(&token, need),
                    Ok(Err(_)) => {}
                    Err(error) => assert!(error.is_cancelled(), "a caller panicked: {error}"),
                }
            } else {
                self.callers.push((caller, need));
            }
        }
        let waiting = !self.callers.is_empty();
        assert!(
            !waiting || self.lifecycle.status().refreshing,
            "a caller waits, and no refresh runs"
        );
    }

    /// No token is served that has expired, or that is too short.
    fn check_served(&self, token: &Token, need: u64) {
        let now = self.clock.now();
        let need = Duration::from_millis(need);
        assert!(token.is_live(now), "a token that has expired by either clock");
        assert!(
            now.until(token.validity().expires_at) >= need,
            "a token too short"
        );
        let truth = &self.tokens[&token.generation()];
        assert!(
            truth.blurred || self.time < truth.end,
            "a token that has expired by its response"
        );
    }

    /// After the owner's end, no caller waits, none gets a token, and nothing is fetched.
    fn check_over(&self) {
        assert!(self.callers.is_empty(), "a caller waits for an ended session");
        assert!(self.lifecycle.fresh().is_none() && self.held().is_none());
        let status = self.lifecycle.status();
        assert_eq!(
            (status.state, status.refreshing),
            (TokenState::SessionEnded, false)
        );
        let state = self.lifecycle.lock();
        let now = self.clock.now();
        assert!(
            state.token.previous(now).is_none(),
            "no refresh sends the old token"
        );
        assert_eq!(state.token.time_to_refresh(now, 0), None);
    }

    /// The token that a caller must get at once, if any.
    fn servable(&self, need: u64) -> Option<u64> {
        let now = self.clock.now();
        let state = self.lifecycle.lock();
        state
            .token
            .token()
            .filter(|token| {
                token.is_live(now) && now.until(token.validity().expires_at) >= Duration::from_millis(need)
            })
            .map(Token::generation)
    }

    async fn call(&mut self, need: u64) {
        let servable = self.servable(need);
        let lifecycle = Arc::clone(&self.lifecycle);
        let caller = tokio::spawn(async move {
            match need {
                0 => lifecycle.token().await,
                need => lifecycle.token_valid_for(Duration::from_millis(need)).await,
            }
        });
        tokio::task::yield_now().await;
        if let Some(generation) = servable {
            assert!(
                caller.is_finished(),
                "a valid token is served whatever the refresh does"
            );
            let token = caller.await.unwrap().unwrap();
            assert_eq!(token.generation(), generation);
            self.check_served(&token, need);
        } else {
            self.callers.push((caller, need));
        }
        self.settle().await;
    }

    async fn pass(&mut self, time: u64) {
        self.time += time;
        self.clock.advance(Duration::from_millis(time));
        self.settle().await;
    }

    async fn answer(&mut self, answer: Answer) {
        let Some(login) = lock(&self.login).take() else {
            return;
        };
        let now = self.clock.now();
        let refusal = |problem: &'static str| Error::invalid_input("key", problem, "fix it");
        let result = match answer {
            Answer::Token(lifetime) => {
                let end = self.time / 1000 + lifetime;
                let generation = self.lifecycle.status().generation + 1;
                let truth = Truth {
                    end: end * 1000,
                    // The server's clock says that it has expired, and the local one that it has not. It is used briefly.
                    blurred: end * 1000 <= self.time && now.wall < Duration::from_secs(end),
                };
                self.tokens.insert(generation, truth);
                Ok(TokenResponse {
                    operation: "workspaceLogin",
                    token: Secret::new("opaque"),
                    times: TokenTimes {
                        expiration: Timestamp::Value(end),
                        created: Timestamp::Absent,
                    },
                    details: None,
                    stored: false,
                    shared_as: None,
                    age: Duration::ZERO,
                    server_date: Some(Duration::from_millis(self.time)),
                    sent: now,
                    arrived: now,
                })
            }
            Answer::Transient => Err(Error::refresh_aborted()),
            Answer::Permanent => Err(refusal("is refused")),
            Answer::Ended => Err(Error::session_expired("it ended", "log in again", None)),
        };
        // The refresh may have timed out in the meantime.
        let heard = login.send(result).is_ok();
        self.ended |= heard && matches!(answer, Answer::Ended);
        self.settle().await;
    }

    /// The generation of the token that the session has, live or not.
    fn held(&self) -> Option<u64> {
        self.lifecycle.lock().token.token().map(Token::generation)
    }

    async fn take(&mut self, step: Step) {
        let held = self.held();
        let may_drop = matches!(step, Step::Refuse { age: 0 } | Step::Invalidate | Step::End);
        self.happen(step).await;
        assert!(
            may_drop || self.held() >= held,
            "a token was lost that nobody refused"
        );
        if self.over {
            self.check_over();
        }
    }

    async fn happen(&mut self, step: Step) {
        match step {
            Step::Call { need } => self.call(need).await,
            Step::Pass(time) => self.pass(time).await,
            Step::Suspend(time) => {
                self.time += time;
                self.clock.suspend(Duration::from_millis(time));
                self.settle().await;
            }
            Step::SetWall(wall) => {
                self.clock.set_wall(UNIX_EPOCH + Duration::from_millis(wall));
                self.tokens.values_mut().for_each(|truth| truth.blurred = true);
                self.settle().await;
            }
            Step::Answer(answer) => self.answer(answer).await,
            Step::Refuse { age } => self.refuse(age),
            Step::Invalidate => {
                self.lifecycle.invalidate();
                assert!(self.lifecycle.fresh().is_none());
            }
            Step::End => {
                let mut events = self.lifecycle.subscribe();
                self.lifecycle.end(EndCause::LoggedOut);
                let told = matches!(events.try_next(), Some(Event::Ended { .. }));
                assert_eq!(told, !self.over, "subscribers are told once");
                self.over = true;
                self.settle().await;
            }
            Step::GiveUp(caller) => {
                if !self.callers.is_empty() {
                    let (caller, _) = self.callers.swap_remove(caller % self.callers.len());
                    caller.abort();
                }
                self.settle().await;
            }
        }
    }

    /// A 401 to the token that is `age` generations old.
    fn refuse(&self, age: u64) {
        let newest = self.lifecycle.status().generation;
        let Some(generation) = newest.checked_sub(age).filter(|generation| *generation > 0) else {
            return;
        };
        let now = self.clock.now();
        let validity = Validity {
            issued_at: now,
            refresh_at: now,
            expires_at: now,
        };
        let refused = Token::new("opaque", generation, validity, None).unwrap();
        let before = self.servable(0);
        self.lifecycle.reject(&refused, false);
        if age > 0 {
            assert_eq!(self.servable(0), before, "a late 401 drops nothing");
        }
    }

    /// The fault has passed: after the longest backoff, every caller gets a token.
    async fn recover(mut self) {
        while lock(&self.login).is_some() {
            self.answer(Answer::Token(3600)).await;
        }
        self.pass(300_000).await;
        self.call(0).await;
        if self.over {
            self.check_over();
            let error = self.lifecycle.token().await.unwrap_err();
            assert!(error.to_string().contains("logged out"), "{error}");
            return;
        }
        if self.ended {
            // A token that was valid when its session ended is served until it expires.
            self.pass(400_000_000_000).await;
            let answer = self.lifecycle.token().await;
            assert!(
                answer
                    .as_ref()
                    .is_err_and(|error| error.kind() == crate::ErrorKind::SessionExpired),
                "{answer:?}"
            );
            return;
        }
        if self.servable(0).is_none() {
            assert!(self.lifecycle.status().refreshing, "it tries again");
            self.answer(Answer::Token(3600)).await;
        }
        assert!(self.callers.is_empty(), "every waiting caller is served");
        assert!(self.servable(0).is_some());
    }
}

fn run(not_refreshable: bool, steps: Vec<Step>) {
    let runtime = runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let mut world = World::new(not_refreshable);
        for step in steps {
            world.take(step).await;
        }
        world.recover().await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_order_of_events_breaks_a_promise(steps in prop::collection::vec(step(), 1..60)) {
        run(false, steps);
    }

    #[test]
    fn session_that_can_end_keeps_its_promises(
        not_refreshable in any::<bool>(),
        steps in prop::collection::vec(
            prop_oneof![20 => step(), 1 => Just(Step::Answer(Answer::Ended))],
            1..60,
        ),
    ) {
        run(not_refreshable, steps);
    }

    #[test]
    fn session_that_its_owner_ended_stays_ended(
        not_refreshable in any::<bool>(),
        before in prop::collection::vec(step(), 0..30),
        after in prop::collection::vec(
            prop_oneof![20 => step(), 1 => Just(Step::End), 1 => Just(Step::Answer(Answer::Ended))],
            0..30,
        ),
    ) {
        run(not_refreshable, before.into_iter().chain([Step::End]).chain(after).collect());
    }
}
