//! The rules for stores hold for the stores here, and they find each bug of a store that breaks them.

use std::collections::BTreeSet;
use std::sync::Arc;

use synerise_auth::clock::ManualClock;
use synerise_auth::store::conformance::Suite;
use synerise_auth::store::{LeaseOwner, MemoryStore, Saved, StoreFuture, StoreKey, StoredToken, TokenStore};

use crate::support::broken_store::{BrokenStore, Bug};
use crate::support::file_store::FileStore;

mod memory_store {
    use super::*;

    fn suite() -> Suite {
        let clock = ManualClock::new();
        let passing = clock.clone();
        let open = move || {
            let store = MemoryStore::with_clock(clock.clone());
            async move { (store.clone(), store) }
        };
        Suite::new(open).with_passing_time(move |duration| passing.advance(duration))
    }

    synerise_auth::store_conformance_tests!(suite());
}

mod file_store {
    use super::*;

    fn suite() -> Suite {
        Suite::new(|| async {
            let folder = Arc::new(tempfile::tempdir().unwrap());
            (FileStore::new(&folder), FileStore::new(&folder))
        })
    }

    synerise_auth::store_conformance_tests!(suite());
}

/// The rules that a store with this bug breaks.
async fn broken_rules(bug: Bug) -> BTreeSet<&'static str> {
    let clock = ManualClock::new();
    let passing = clock.clone();
    let open = move || {
        let store = BrokenStore::new(bug, &clock);
        async move { (store.clone(), store) }
    };
    let suite = Suite::new(open).with_passing_time(move |duration| passing.advance(duration));
    let violations = suite.run_all().await;
    violations.iter().map(|violation| violation.rule().id()).collect()
}

#[tokio::test]
async fn every_bug_breaks_its_rules_and_no_other() {
    let bugs: &[(Bug, &[&str])] = &[
        (Bug::None, &[]),
        (
            Bug::InventsTokens,
            &["unknown_key_has_no_token", "keys_are_apart"],
        ),
        (
            Bug::ShiftsTimes,
            &[
                "saved_token_is_loaded",
                "handles_share_tokens",
                "later_generation_replaces",
                "earlier_generation_changes_nothing",
                "newer_token_comes_before_the_lease",
                "save_needs_no_lease",
                "sleeper_overwrites_nothing",
            ],
        ),
        (Bug::CutsLargeTokens, &["large_token_is_kept"]),
        (Bug::OneLeaseForAllKeys, &["keys_are_apart"]),
        (
            Bug::KeepsTheFirstToken,
            &["later_generation_replaces", "latest_of_many_saves_stays"],
        ),
        (
            Bug::ReplacesByTheSameGeneration,
            &["earlier_generation_changes_nothing"],
        ),
        (Bug::SavesWithoutALock, &["latest_of_many_saves_stays"]),
        (Bug::LeaseBeforeToken, &["newer_token_comes_before_the_lease"]),
        (
            Bug::ReturnsTheTokenThatWasNamed,
            &[
                "newer_token_comes_before_the_lease",
                "save_gives_the_lease_up",
                "outdated_save_gives_the_lease_up",
                "save_leaves_the_lease_of_others",
                "generation_is_later_than_all",
            ],
        ),
        (Bug::ChangedFails, &["changed_does_not_fail"]),
        (Bug::RemainingTooLong, &["lease_has_one_owner"]),
        (Bug::TakesWithoutALock, &["lease_goes_to_one_of_many"]),
        (Bug::OwnerHasToWait, &["owner_gets_its_lease_again"]),
        (
            Bug::LeaseNeverRunsOut,
            &["lease_runs_out", "sleeper_overwrites_nothing"],
        ),
        (
            Bug::ReleaseDoesNothing,
            &["released_lease_is_free", "generation_is_later_than_all"],
        ),
        (Bug::AnybodyReleases, &["release_is_for_the_owner"]),
        (Bug::ForeignReleaseFails, &["release_is_for_the_owner"]),
        (
            Bug::SaveKeepsTheLease,
            &[
                "save_gives_the_lease_up",
                "outdated_save_gives_the_lease_up",
                "generation_is_later_than_all",
            ],
        ),
        (
            Bug::OutdatedSaveKeepsTheLease,
            &["outdated_save_gives_the_lease_up"],
        ),
        (Bug::AnySaveFrees, &["save_leaves_the_lease_of_others"]),
        (
            Bug::SaveNeedsTheLease,
            &["save_needs_no_lease", "outdated_save_gives_the_lease_up"],
        ),
        (
            Bug::GenerationStartsOver,
            &[
                "generation_is_later_than_all",
                "held_comes_with_a_later_generation",
            ],
        ),
        (
            Bug::HeldWithTheOwnersGeneration,
            &["held_comes_with_a_later_generation"],
        ),
        (
            Bug::OwnersSaveAlwaysReplaces,
            &["sleeper_overwrites_nothing", "outdated_save_gives_the_lease_up"],
        ),
    ];
    let mut found = BTreeSet::new();
    for (bug, rules) in bugs {
        let broken = broken_rules(*bug).await;
        assert_eq!(broken, rules.iter().copied().collect(), "{bug:?}");
        found.extend(broken);
    }
    let all = Suite::new(|| async { (MemoryStore::new(), MemoryStore::new()) });
    let all: BTreeSet<_> = all
        .rules()
        .map(synerise_auth::store::conformance::Rule::id)
        .collect();
    assert_eq!(found, all, "each rule finds a bug");
}

/// Shares tokens, without a lease.
#[derive(Debug, Clone)]
struct WithoutLease(MemoryStore);

impl TokenStore for WithoutLease {
    fn load<'a>(&'a self, key: &'a StoreKey) -> StoreFuture<'a, Option<StoredToken>> {
        self.0.load(key)
    }

    fn save<'a>(
        &'a self,
        key: &'a StoreKey,
        token: StoredToken,
        owner: Option<&'a LeaseOwner>,
    ) -> StoreFuture<'a, Saved> {
        self.0.save(key, token, owner)
    }
}

#[tokio::test]
async fn store_without_a_lease_keeps_the_rules_of_one() {
    let suite = Suite::new(|| async {
        let store = WithoutLease(MemoryStore::new());
        (store.clone(), store)
    });
    assert!(!suite.run_all().await.is_empty(), "it has no leases");
    let violations = suite.without_leases().run_all().await;
    assert!(violations.is_empty(), "{violations:?}");
}

#[tokio::test]
async fn violation_names_the_rule_and_what_the_store_did() {
    let suite = Suite::new(|| async { (MemoryStore::new(), MemoryStore::new()) });
    let violation = suite.check("handles_share_tokens").await.unwrap_err();
    let text = violation.to_string();
    assert!(
        text.starts_with(
            "the store broke the rule `handles_share_tokens` (what one handle saved, the other loads): "
        ),
        "{text}"
    );
}
