//! How a lock is taken, as the input chooses: short times, so that they meet one another, and extremes.

use core::time::Duration;

use redlatch_core::{Delay, Drift, Renew, Retry, Settings, Ttl};

use crate::choices::Choices;

pub(super) fn settings(choices: &mut Choices<'_>) -> Settings {
    let ttl = choices.pick(&[50, 100, 1, 3, 300, 3000]);
    let timeout = choices.pick(&[10, 20, 0, 1, 50, 400]);
    let spans = [Duration::ZERO, Duration::from_millis(3), Duration::from_millis(40)];
    let base = choices.pick(&spans);
    let delay = if choices.bit() {
        Delay::Fixed(base)
    } else {
        Delay::Exponential { base, cap: choices.pick(&spans) }
    };
    let retry = Retry {
        delay,
        retries: choices.pick(&[Some(0), Some(3), None]),
        deadline: choices.pick(&[None, Some(Duration::from_millis(70)), Some(Duration::ZERO)]),
    };
    let renew = Renew {
        divisor: choices.pick(&[3, 0, 1, 10, u32::MAX]),
        most: choices.pick(&[None, Some(Duration::from_millis(200)), Some(Duration::ZERO)]),
    };
    Settings {
        drift: if choices.bit() {
            Drift::DEFAULT
        } else {
            Drift { constant: Duration::from_nanos(1), ..Drift::DEFAULT }
        },
        reply_timeout: Duration::from_millis(timeout),
        retry,
        wake: choices.bit(),
        renew: choices.bit().then_some(renew),
        ..Settings::new(Ttl::from_millis(ttl).expect("a good ttl"))
    }
}
