//! One worker: waits for the lock, holds it, rests, and begins again.

use core::time::Duration;

use redlatch_core::Random;

use crate::adapter::{Held, Locker};
use crate::options::Options;
use crate::stage::Stage;

/// Time before a worker whose client reported an error tries again.
const AFTER_ERROR: Duration = Duration::from_millis(200);

/// Works until the stage is over.
pub(crate) fn work(number: usize, locker: &dyn Locker, stage: &Stage, options: &Options) {
    let mut random = Random::new(stage.seed() ^ number as u64);
    while !stage.is_over() {
        stage.waits(number);
        match locker.lock(&options.key, options.ttl(), stage.left()) {
            Ok(Some(held)) => {
                stage.enters(number);
                let time = about(options.hold(), &mut random);
                let outcome = hold(number, held, stage, options, time);
                stage.released(number, outcome);
                stage.sleep(random.up_to(options.hold()));
            }
            Ok(None) => {}
            Err(error) => {
                stage.fails(number, error);
                stage.sleep(AFTER_ERROR);
            }
        }
    }
    stage.retires(number);
}

/// Stays inside for `time`, extending in between, and leaves before giving the lock back. Leaves at
/// once when it is lost.
fn hold(
    number: usize,
    mut held: Box<dyn Held>,
    stage: &Stage,
    options: &Options,
    time: Duration,
) -> Result<(), String> {
    let (begun, mut left) = (stage.now(), time);
    let mut kept = Ok(());
    while kept.is_ok() && !left.is_zero() && !stage.is_over() {
        let nap = left.min(options.ttl() / 3).min(held.validity());
        stage.sleep(nap);
        left = time.saturating_sub(stage.now().saturating_sub(begun));
        if held.validity().is_zero() {
            kept = Err("lost: the validity was over".to_owned());
        } else if !left.is_zero() && !stage.is_over() {
            kept = held.extend();
        }
    }
    stage.leaves(number);
    match held.release() {
        Ok(true) => kept,
        Ok(false) => kept.and(Err("lost before its release".to_owned())),
        Err(error) => kept.and(Err(error)),
    }
}

/// Half to one and a half of `time`.
fn about(time: Duration, random: &mut Random) -> Duration {
    time / 2 + random.up_to(time)
}
