//! Requirement 10: every public future, dropped at each of its polls, on every asynchronous adapter.
//!
//! A test is a sweep: one server or three, one weather, and each future of the table is dropped
//! before its first poll, after its first, its second and so on until it is done, in every
//! [`Manner`]. After each drop the lock must be free again, or held where it was held before, and
//! the next lock must work. At the end no connection was lost and no key was left to its ttl.

mod async_faces;
#[path = "cancellation/moment.rs"]
mod moment;
#[path = "cancellation/table.rs"]
mod table;
#[path = "cancellation/world.rs"]
mod world;

use std::thread;

use async_faces::{Face, on_every_face};
use moment::{Manner, Moment, POLLS_MAX};
use redlatch_futures::Runtime;
use table::{Case, cases};
use world::{Weather, World};

on_every_face! {
    on_one_server;
    on_three_servers;
    while_replies_are_late;
    while_the_connection_dies_with_the_first_request;
    while_the_connection_dies_with_the_second_request;
    while_the_first_request_is_lost;
}

fn on_one_server<F: Face>() {
    sweep::<F>(1, Weather::Calm);
}

fn on_three_servers<F: Face>() {
    sweep::<F>(3, Weather::Calm);
}

fn while_replies_are_late<F: Face>() {
    sweep::<F>(1, Weather::Late);
}

fn while_the_connection_dies_with_the_first_request<F: Face>() {
    sweep::<F>(1, Weather::Dying { after: 0 });
}

fn while_the_connection_dies_with_the_second_request<F: Face>() {
    sweep::<F>(1, Weather::Dying { after: 1 });
}

fn while_the_first_request_is_lost<F: Face>() {
    sweep::<F>(1, Weather::Deaf);
}

/// Each manner has a world of its own, and all run at once: most of it is waiting.
fn sweep<F: Face>(servers: usize, weather: Weather) {
    thread::scope(|scope| {
        for manner in Manner::ALL {
            scope.spawn(move || {
                F::start().block_on(async {
                    let world = World::<F::Runtime>::new(servers, weather).await;
                    for case in cases() {
                        sweep_case(&world, &case, manner).await;
                    }
                    world.end().await;
                });
            });
        }
    });
}

async fn sweep_case<R: Runtime>(world: &World<R>, case: &Case<R>, manner: Manner) {
    let connections = world.connections();
    for polls in 0.. {
        assert!(polls < POLLS_MAX, "{} is never done", case.name);
        let key = format!("{}:{manner:?}:{polls}", case.name);
        let done = (case.run)(world, &key, Moment { polls, manner }).await;
        world.expect_in_order(&key).await;
        if done {
            break;
        }
    }
    let stays = world.weather.is_harmless() && !case.connects;
    assert!(!stays || world.connections() == connections, "{} lost a connection", case.name);
}
