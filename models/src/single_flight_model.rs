//! Every waiter is told the result, in every order of completing, waiting and giving up.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use loom::future::block_on;
use loom::thread;

use crate::check;
use crate::single_flight::SingleFlight;
use crate::sync::Arc;

#[test]
fn every_waiter_gets_the_result() {
    check(|| {
        let (flight, leader) = SingleFlight::start();
        let waiters = [(); 2].map(|()| {
            let flight = Arc::clone(&flight);
            thread::spawn(move || block_on(flight.wait()))
        });
        leader.complete(7);
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), Some(7));
        }
        assert!(!flight.is_pending());
        assert_eq!(block_on(flight.wait()), Some(7), "a late waiter");
    });
}

#[test]
fn lost_leader_is_told_to_every_waiter() {
    check(|| {
        let (flight, leader) = SingleFlight::<u8>::start();
        let waiters = [(); 2].map(|()| {
            let flight = Arc::clone(&flight);
            thread::spawn(move || block_on(flight.wait()))
        });
        drop(leader);
        for waiter in waiters {
            assert_eq!(waiter.join().unwrap(), None);
        }
        assert!(!flight.is_pending());
    });
}

#[test]
fn waiter_that_gives_up_does_not_affect_the_others() {
    check(|| {
        let (flight, leader) = SingleFlight::start();
        let patient = {
            let flight = Arc::clone(&flight);
            thread::spawn(move || block_on(flight.wait()))
        };
        let impatient = {
            let flight = Arc::clone(&flight);
            thread::spawn(move || {
                let mut waiting = pin!(flight.wait());
                let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            })
        };
        leader.complete(7);
        impatient.join().unwrap();
        assert_eq!(patient.join().unwrap(), Some(7));
    });
}

#[test]
fn waiter_is_woken_in_the_task_that_polled_it_last() {
    check(|| {
        let (flight, leader) = SingleFlight::start();
        let mut waiting = Box::pin(flight.wait());
        // The first task hands it on after a poll: the first task's waker must not be kept.
        let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let waiter = thread::spawn(move || block_on(waiting));
        leader.complete(7);
        assert_eq!(waiter.join().unwrap(), Some(7));
    });
}
