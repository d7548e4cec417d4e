//! Whoever waits for a flight is told what came of it, in every order of landing, waiting and giving up.

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
        assert_eq!(block_on(flight.wait()), Some(7), "one who comes late");
    });
}

#[test]
fn a_lost_pilot_lets_every_waiter_know() {
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
fn a_waiter_that_gives_up_takes_nothing_from_the_others() {
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
fn a_waiter_that_is_polled_by_another_task_is_woken_there() {
    check(|| {
        let (flight, leader) = SingleFlight::start();
        let mut waiting = Box::pin(flight.wait());
        // The first task that polls it hands it on: its waker must not be the one that is kept.
        let _ = waiting.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let waiter = thread::spawn(move || block_on(waiting));
        leader.complete(7);
        assert_eq!(waiter.join().unwrap(), Some(7));
    });
}
