//! Checks that a [`TokenStore`] keeps its contract (feature `conformance`).
//!
//! Each rule has an id and a sentence. A suite opens your store anew for each rule, as *two handles onto one place*: two
//! connections to one server, for example, because a lease is about two clients. The rules use random keys, and delete
//! nothing else.
//!
//! One test for each rule:
//!
//! ```no_run
//! # mod tests {
//! use synerise_auth::store::MemoryStore;
//! use synerise_auth::store::conformance::Suite;
//!
//! synerise_auth::store_conformance_tests!(Suite::new(|| async {
//!     let store = MemoryStore::new();
//!     (store.clone(), store)
//! }));
//! # }
//! ```
//!
//! Or all of them in one call:
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! use synerise_auth::store::MemoryStore;
//! use synerise_auth::store::conformance::Suite;
//!
//! let suite = Suite::new(|| async {
//!     let store = MemoryStore::new();
//!     (store.clone(), store)
//! });
//! let violations = suite.run_all().await;
//! assert!(violations.is_empty(), "{violations:?}");
//! # }
//! ```
//!
//! A later version may add rules, also in a patch release.

use std::fmt;
use std::pin::Pin;
use std::time::Duration;

use crate::clock::{Clock, Sleep, SystemClock};
use crate::sync::Arc;

use super::TokenStore;

mod place;
mod rules;

use place::Place;
use rules::RULES;

type Opened = (Arc<dyn TokenStore>, Arc<dyn TokenStore>);
type Open = Box<dyn Fn() -> Pin<Box<dyn Future<Output = Opened> + Send>> + Send + Sync>;
type Pass = Arc<dyn Fn(Duration) -> Sleep + Send + Sync>;

/// The rules, applied to one kind of store.
pub struct Suite {
    open: Open,
    pass: Pass,
    has_leases: bool,
}

impl Suite {
    /// Creates a suite for the store that `open` opens: two handles onto one place.
    pub fn new<F, O, S>(open: F) -> Self
    where
        F: Fn() -> O + Send + Sync + 'static,
        O: Future<Output = (S, S)> + Send + 'static,
        S: TokenStore,
    {
        Self {
            open: Box::new(move || {
                let opening = open();
                Box::pin(async move {
                    let (one, other) = opening.await;
                    (
                        Arc::new(one) as Arc<dyn TokenStore>,
                        Arc::new(other) as Arc<dyn TokenStore>,
                    )
                })
            }),
            pass: Arc::new(|duration| SystemClock::default().sleep(duration)),
            has_leases: true,
        }
    }

    /// For a store that only shares tokens: it has no [`take`](TokenStore::take) of its own.
    #[must_use]
    pub fn without_leases(mut self) -> Self {
        self.has_leases = false;
        self
    }

    /// Lets time pass for the store in another way than by waiting. For stores with a test's clock.
    #[must_use]
    pub fn with_passing_time(mut self, pass: impl Fn(Duration) + Send + Sync + 'static) -> Self {
        self.pass = Arc::new(move |duration| {
            pass(duration);
            Box::pin(std::future::ready(()))
        });
        self
    }

    /// Returns the rules that apply.
    pub fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        let has_leases = self.has_leases;
        RULES.iter().filter(move |rule| match rule.applies {
            Applies::Always => true,
            Applies::WithLeases => has_leases,
            Applies::WithoutLeases => !has_leases,
        })
    }

    /// Checks one rule. A rule that does not apply to the store is kept.
    ///
    /// # Errors
    /// Returns what the store did instead.
    ///
    /// # Panics
    /// When there is no such rule.
    pub async fn check(&self, id: &str) -> Result<(), Violation> {
        assert!(RULES.iter().any(|rule| rule.id == id), "there is no rule {id:?}");
        match self.rules().find(|rule| rule.id == id) {
            Some(rule) => self.check_rule(rule).await,
            None => Ok(()),
        }
    }

    /// Checks all rules that apply, and returns those that are broken.
    pub async fn run_all(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for rule in self.rules() {
            violations.extend(self.check_rule(rule).await.err());
        }
        violations
    }

    async fn check_rule(&self, rule: &'static Rule) -> Result<(), Violation> {
        let (one, other) = (self.open)().await;
        let place = Place::new(one, other, Arc::clone(&self.pass));
        (rule.check)(place)
            .await
            .map_err(|problem| Violation { rule, problem })
    }
}

impl fmt::Debug for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Suite")
            .field("has_leases", &self.has_leases)
            .finish_non_exhaustive()
    }
}

/// One rule of the contract.
#[derive(Debug)]
pub struct Rule {
    id: &'static str,
    sentence: &'static str,
    applies: Applies,
    check: fn(Place) -> place::Check,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Applies {
    Always,
    WithLeases,
    WithoutLeases,
}

impl Rule {
    /// Returns the rule's id, such as `lease_has_one_owner`.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// Returns what the rule demands, as a sentence.
    pub fn sentence(&self) -> &'static str {
        self.sentence
    }
}

/// A rule that a store broke.
#[derive(Debug)]
pub struct Violation {
    rule: &'static Rule,
    problem: String,
}

impl Violation {
    /// Returns the rule.
    pub fn rule(&self) -> &'static Rule {
        self.rule
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rule { id, sentence, .. } = self.rule;
        write!(
            f,
            "the store broke the rule `{id}` ({sentence}): {}",
            self.problem
        )
    }
}

impl std::error::Error for Violation {}
