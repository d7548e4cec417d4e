//! The rules.

use std::task::Poll;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::store::{Lease, LeaseOwner, Saved, StoredToken};

use super::place::{Check, Handle, LONG, Outcome, Place, SHORT, later, random_key, same, token};
use super::{Applies, Rule};

/// Declares the rules, and the macro that makes a test of each.
macro_rules! rules {
    ($dollar:tt $($(#[$applies:ident])? $id:ident: $sentence:literal => $check:ident;)*) => {
        pub(super) static RULES: &[Rule] = &[$(
            Rule {
                id: stringify!($id),
                sentence: $sentence,
                applies: rules!(@applies $($applies)?),
                check: |place| -> Check { Box::pin(async move { $check(&place).await }) },
            },
        )*];

        /// Makes a test of each rule of [`store::conformance`](crate::store::conformance), from an expression that creates
        /// a [`Suite`](crate::store::conformance::Suite).
        ///
        /// The tests are functions with `#[tokio::test]`, so your crate needs `tokio` with the features `macros` and `rt`.
        #[macro_export]
        #[cfg_attr(docsrs, doc(cfg(feature = "conformance")))]
        macro_rules! store_conformance_tests {
            ($dollar suite:expr) => {
                $(
                    #[tokio::test]
                    async fn $id() -> ::std::result::Result<(), $dollar crate::store::conformance::Violation> {
                        $dollar suite.check(stringify!($id)).await
                    }
                )*
            };
        }
    };
    (@applies) => { Applies::Always };
    (@applies leases) => { Applies::WithLeases };
    (@applies no_leases) => { Applies::WithoutLeases };
}

rules! { $
    unknown_key_has_no_token: "load finds nothing for a key that was never saved" => unknown_key;
    saved_token_is_loaded: "load returns what save kept, with its generation and times" => saved_token;
    large_token_is_kept: "a token of 16 KiB is kept as it is" => large_token;
    handles_share_tokens: "what one handle saved, the other loads" => handles_share;
    keys_are_apart: "a key's token and lease are its own" => keys_apart;
    later_generation_replaces: "save replaces a token by one of a later generation" => later_replaces;
    earlier_generation_changes_nothing: "save answers Outdated to the same or an earlier generation, and keeps the token" => earlier_changes_nothing;
    latest_of_many_saves_stays: "of many saves at the same time, the latest generation stays" => many_saves;
    newer_token_comes_before_the_lease: "take returns a token later than the one named, and gives nobody the lease" => newer_first;
    changed_does_not_fail: "changed completes or waits, but returns no error" => changed_no_error;
    #[no_leases]
    generation_without_a_lease_is_later: "without a lease, take returns a generation later than the stored one and the one named" => no_lease;
    #[leases]
    lease_has_one_owner: "while one has the lease, another is told how long at most" => one_owner;
    #[leases]
    lease_goes_to_one_of_many: "of many that ask at the same time, one gets the lease" => one_of_many;
    #[leases]
    owner_gets_its_lease_again: "an owner that asks again gets its lease again, for the whole time" => owner_again;
    #[leases]
    lease_runs_out: "a lease that is not given up is free when its time has run out" => runs_out;
    #[leases]
    released_lease_is_free: "release frees the lease" => released;
    #[leases]
    release_is_for_the_owner: "release by somebody else changes nothing, and is not an error" => foreign_release;
    #[leases]
    save_gives_the_lease_up: "save frees its owner's lease" => save_frees;
    #[leases]
    outdated_save_gives_the_lease_up: "save frees its owner's lease also when the token is outdated" => outdated_save_frees;
    #[leases]
    save_leaves_the_lease_of_others: "save without an owner, or by another one, does not free the lease" => save_leaves;
    #[leases]
    save_needs_no_lease: "save keeps a later token, whoever has the lease" => save_without;
    #[leases]
    generation_is_later_than_all: "take returns a generation later than the stored one, than the one named, and than any before" => generations_grow;
    #[leases]
    held_comes_with_a_later_generation: "who has to wait is told a generation later than the owner's" => held_generation;
    #[leases]
    sleeper_overwrites_nothing: "who slept until its lease had run out does not replace a later token" => sleeper;
}

async fn unknown_key(place: &Place) -> Outcome {
    same("load", &place.one.load(&place.key).await?, &None)
}

async fn saved_token(place: &Place) -> Outcome {
    let saved = token("first", 7);
    same(
        "save",
        &place.one.save(&place.key, saved.clone(), None).await?,
        &Saved::Kept,
    )?;
    same("load", &place.one.load(&place.key).await?, &Some(saved))
}

async fn large_token(place: &Place) -> Outcome {
    let saved = token(&"x".repeat(16 * 1024), 1);
    place.one.save(&place.key, saved.clone(), None).await?;
    let loaded = place.one.load(&place.key).await?;
    let text = |token: &StoredToken| token.token.expose().to_owned();
    let is_same = loaded.as_ref().map(text) == Some(text(&saved));
    same("whether the text came back", &is_same, &true)
}

async fn handles_share(place: &Place) -> Outcome {
    let saved = token("shared", 1);
    place.one.save(&place.key, saved.clone(), None).await?;
    same(
        "load by the other handle",
        &place.other.load(&place.key).await?,
        &Some(saved),
    )
}

async fn keys_apart(place: &Place) -> Outcome {
    let other_key = random_key();
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    place.one.save(&place.key, token("mine", 3), None).await?;
    place.one.take(&place.key, &first, 3).await?;
    same("load of another key", &place.one.load(&other_key).await?, &None)?;
    match place.one.take(&other_key, &second, 0).await? {
        Lease::Acquired { .. } | Lease::Unavailable { .. } => Ok(()),
        Lease::Held { .. } => Err("another key's lease is not free".to_owned()),
        Lease::Newer(_) => Err("another key has a token".to_owned()),
    }
}

async fn later_replaces(place: &Place) -> Outcome {
    place.one.save(&place.key, token("old", 1), None).await?;
    let new = token("new", 5);
    same(
        "save",
        &place.other.save(&place.key, new.clone(), None).await?,
        &Saved::Kept,
    )?;
    same("load", &place.one.load(&place.key).await?, &Some(new))
}

async fn earlier_changes_nothing(place: &Place) -> Outcome {
    let kept = token("kept", 5);
    place.one.save(&place.key, kept.clone(), None).await?;
    for generation in [5, 4, 1] {
        let saved = place
            .other
            .save(&place.key, token("late", generation), None)
            .await?;
        same("save", &saved, &Saved::Outdated)?;
    }
    same("load", &place.one.load(&place.key).await?, &Some(kept))
}

async fn many_saves(place: &Place) -> Outcome {
    const COUNT: u64 = 16;
    let mut saves = JoinSet::new();
    // The latest is neither the first nor the last.
    for generation in (COUNT / 2..=COUNT).chain(1..COUNT / 2) {
        let (handle, key) = (either(place, generation), place.key.clone());
        saves.spawn(async move { handle.save(&key, token("raced", generation), None).await });
    }
    while let Some(saved) = saves.join_next().await {
        saved.map_err(|_| "save panicked".to_owned())??;
    }
    let stored = place.one.load(&place.key).await?;
    let generation = stored.map(|stored| stored.generation);
    same("the generation", &generation, &Some(COUNT))
}

async fn newer_first(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    let stored = token("newer", 9);
    place.one.save(&place.key, stored.clone(), None).await?;
    for after in [0, 8] {
        let answer = place.other.take(&place.key, &first, after).await?;
        if answer != Lease::Newer(stored.clone()) {
            return Err(format!(
                "take did not return the token of generation 9 after {after}"
            ));
        }
    }
    match place.one.take(&place.key, &second, 9).await? {
        Lease::Held { .. } => Err("the lease went to somebody who got a token".to_owned()),
        Lease::Newer(_) => Err("take returned the token that was named as used up".to_owned()),
        Lease::Acquired { .. } | Lease::Unavailable { .. } => Ok(()),
    }
}

async fn changed_no_error(place: &Place) -> Outcome {
    place.one.take(&place.key, &LeaseOwner::random(), 0).await?;
    let mut changed = place.other.changed(&place.key, 0);
    for generation in 1..=2 {
        let polled = std::future::poll_fn(|context| Poll::Ready(changed.as_mut().poll(context))).await;
        match polled {
            Poll::Ready(Ok(())) => changed = place.other.changed(&place.key, 0),
            Poll::Ready(Err(error)) => return Err(format!("changed failed: {error}")),
            Poll::Pending => {}
        }
        place
            .one
            .save(&place.key, token("change", generation), None)
            .await?;
        place.pass(Duration::from_millis(20)).await;
    }
    Ok(())
}

async fn no_lease(place: &Place) -> Outcome {
    let owner = LeaseOwner::random();
    place.one.save(&place.key, token("stored", 4), None).await?;
    for after in [4, 40] {
        match place.one.take(&place.key, &owner, after).await? {
            Lease::Unavailable { generation } => later("take", generation, after)?,
            other => return Err(format!("there are no leases, and take answered {other:?}")),
        }
    }
    Ok(())
}

async fn one_owner(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    place.one.acquire(&place.key, &first, 0).await?;
    for handle in [&place.one, &place.other] {
        let (remaining, _) = handle.held(&place.key, &second, 0).await?;
        if remaining.is_zero() || remaining > LONG {
            return Err(format!("{remaining:?} remain of a new lease of {LONG:?}"));
        }
    }
    Ok(())
}

async fn one_of_many(place: &Place) -> Outcome {
    let mut questions = JoinSet::new();
    for number in 0..16 {
        let (handle, key) = (either(place, number), place.key.clone());
        questions.spawn(async move { handle.take(&key, &LeaseOwner::random(), 0).await });
    }
    let mut acquired = 0;
    while let Some(answer) = questions.join_next().await {
        let answer = answer.map_err(|_| "take panicked".to_owned())??;
        acquired += u32::from(matches!(answer, Lease::Acquired { .. }));
    }
    same("the number of owners", &acquired, &1)
}

async fn owner_again(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    place.one.acquire_for(&place.key, &first, 0, SHORT).await?;
    place.other.acquire(&place.key, &first, 0).await?;
    place.outlast_a_short_lease().await;
    place.one.held(&place.key, &second, 0).await.map(drop)
}

async fn runs_out(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    place.one.acquire_for(&place.key, &first, 0, SHORT).await?;
    place.outlast_a_short_lease().await;
    place.other.acquire(&place.key, &second, 0).await.map(drop)
}

async fn released(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    place.one.acquire(&place.key, &first, 0).await?;
    place.one.release(&place.key, &first).await?;
    place.other.acquire(&place.key, &second, 0).await.map(drop)
}

async fn foreign_release(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    place.other.release(&place.key, &second).await?;
    place.one.acquire(&place.key, &first, 0).await?;
    place.other.release(&place.key, &second).await?;
    place.other.held(&place.key, &second, 0).await.map(drop)
}

async fn save_frees(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    let generation = place.one.acquire(&place.key, &first, 0).await?;
    let saved = place
        .one
        .save(&place.key, token("new", generation), Some(&first))
        .await?;
    same("save", &saved, &Saved::Kept)?;
    place
        .other
        .acquire(&place.key, &second, generation)
        .await
        .map(drop)
}

async fn outdated_save_frees(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    let generation = place.one.acquire(&place.key, &first, 0).await?;
    let later = generation.saturating_add(1_000_000);
    place.one.save(&place.key, token("later", later), None).await?;
    let saved = place
        .one
        .save(&place.key, token("late", generation), Some(&first))
        .await?;
    same("save", &saved, &Saved::Outdated)?;
    place.other.acquire(&place.key, &second, later).await.map(drop)
}

async fn save_leaves(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    let generation = place.one.acquire(&place.key, &first, 0).await?;
    place
        .other
        .save(&place.key, token("alone", generation), None)
        .await?;
    place.other.held(&place.key, &second, generation).await?;
    let next = generation.saturating_add(1);
    place
        .other
        .save(&place.key, token("foreign", next), Some(&second))
        .await?;
    place.other.held(&place.key, &second, next).await.map(drop)
}

async fn save_without(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    place.one.acquire(&place.key, &first, 0).await?;
    let (_, generation) = place.other.held(&place.key, &second, 0).await?;
    let alone = token("alone", generation);
    let saved = place.other.save(&place.key, alone.clone(), None).await?;
    same("save", &saved, &Saved::Kept)?;
    same("load", &place.one.load(&place.key).await?, &Some(alone))
}

async fn generations_grow(place: &Place) -> Outcome {
    let mut last = 0;
    // Nobody saves: a generation that was given out is never given out again.
    for handle in [&place.one, &place.other, &place.one] {
        let owner = LeaseOwner::random();
        let generation = handle.acquire(&place.key, &owner, 0).await?;
        later("after one that was not saved", generation, last)?;
        handle.release(&place.key, &owner).await?;
        last = generation;
    }
    let owner = LeaseOwner::random();
    let named = last.saturating_add(1_000_000_000);
    let generation = place.one.acquire(&place.key, &owner, named).await?;
    later("after the one that was named", generation, named)?;
    let stored = generation.saturating_add(1_000_000_000);
    place
        .one
        .save(&place.key, token("stored", stored), Some(&owner))
        .await?;
    let generation = place
        .other
        .acquire(&place.key, &LeaseOwner::random(), stored)
        .await?;
    later("after the stored one", generation, stored)
}

async fn held_generation(place: &Place) -> Outcome {
    let (first, second) = (LeaseOwner::random(), LeaseOwner::random());
    let owners = place.one.acquire(&place.key, &first, 0).await?;
    // A store's clock may count in milliseconds.
    place.pass(Duration::from_millis(5)).await;
    let (_, generation) = place.other.held(&place.key, &second, 0).await?;
    later("take", generation, owners)
}

async fn sleeper(place: &Place) -> Outcome {
    let (asleep, awake) = (LeaseOwner::random(), LeaseOwner::random());
    let early = place.one.acquire_for(&place.key, &asleep, 0, SHORT).await?;
    place.outlast_a_short_lease().await;
    let late = place.other.acquire(&place.key, &awake, 0).await?;
    let newest = token("newest", late);
    place.other.save(&place.key, newest.clone(), Some(&awake)).await?;
    let saved = place
        .one
        .save(&place.key, token("old", early), Some(&asleep))
        .await?;
    same("save", &saved, &Saved::Outdated)?;
    same("load", &place.one.load(&place.key).await?, &Some(newest))
}

fn either(place: &Place, number: u64) -> Handle {
    if number.is_multiple_of(2) {
        place.one.clone()
    } else {
        place.other.clone()
    }
}
