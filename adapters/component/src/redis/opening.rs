//! Which server to try with how much time, when to pause, and which error counts.

use core::time::Duration;

use redlatch_client::Error as DriverError;
use redlatch_core::{Class, Instant};

use super::settings::Settings;
use super::wrap;
use crate::error::Error;

/// Longest time for one attempt to connect.
const ATTEMPT_MAX: Duration = Duration::from_secs(2);
/// The driver takes no less.
const ATTEMPT_MIN: Duration = Duration::from_millis(1);

/// The opening of a component: rounds over all connections, a pause apart, until one is there, the
/// rounds or the time are over, or nothing can help.
#[derive(Debug)]
pub(crate) struct Opening {
    targets: usize,
    next: usize,
    rounds_left: u32,
    pause: Duration,
    deadline: Instant,
    attempts: u32,
    failure: Option<DriverError>,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Connect to this one, within this time.
    Connect { target: usize, time: Duration },
    /// Do nothing until then.
    Pause(Instant),
    /// Give up.
    Fail(Error),
}

impl Opening {
    pub(crate) fn new(settings: &Settings, targets: usize, now: Instant) -> Self {
        Self {
            targets,
            next: 0,
            rounds_left: settings.lock.retries,
            pause: settings.lock.retry_timeout,
            deadline: now.saturating_add(settings.timeout),
            attempts: 0,
            failure: None,
        }
    }

    pub(crate) fn step(&mut self, now: Instant) -> Step {
        let left = self.deadline.saturating_since(now);
        match self.failure.take_if(|error| left.is_zero() || is_final(error)) {
            Some(error) => return self.fail(&error),
            None if self.next < self.targets => {}
            None => return self.round(now),
        }
        let target = self.next;
        self.next = self.next.saturating_add(1);
        self.attempts = self.attempts.saturating_add(1);
        Step::Connect { target, time: left.clamp(ATTEMPT_MIN, ATTEMPT_MAX) }
    }

    /// The last attempt failed.
    pub(crate) fn failed(&mut self, error: DriverError) {
        self.failure = Some(error);
    }

    /// All were tried.
    fn round(&mut self, now: Instant) -> Step {
        let due = now.saturating_add(self.pause);
        if self.rounds_left > 0 && due < self.deadline {
            self.rounds_left = self.rounds_left.saturating_sub(1);
            self.next = 0;
            return Step::Pause(due);
        }
        let failure = self.failure.take().unwrap_or(DriverError::Closed);
        self.fail(&failure)
    }

    fn fail(&self, error: &DriverError) -> Step {
        let error = wrap::not_connected(error);
        Step::Fail(error.with_detail("attempts", self.attempts.to_string()))
    }
}

/// Whether no repetition can help.
fn is_final(error: &DriverError) -> bool {
    match error {
        DriverError::Refused { notice, .. } => notice.refusal().class() == Class::Permanent,
        DriverError::Config(_)
        | DriverError::Random
        | DriverError::Closed
        | DriverError::Exhausted(_)
        | DriverError::NoRuntime => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Opening, Step};
    use crate::config::ConfigParams;
    use crate::redis::settings::Settings;
    use core::time::Duration;
    use redlatch_client::{Error as DriverError, Notice};
    use redlatch_core::{Instant, Refusal};

    const fn at(millis: u64) -> Instant {
        Instant::from_micros(millis * 1000)
    }

    fn silent() -> DriverError {
        DriverError::Silent { server: "h:1".into(), after: Duration::from_secs(1) }
    }

    /// What is done when every attempt takes `cost` and fails with `error`.
    fn run(text: &str, targets: usize, cost: u64, error: &DriverError) -> Vec<String> {
        let settings = Settings::from_config(&ConfigParams::from_string(text)).expect(text);
        let (mut now, mut done) = (1000, Vec::new());
        let mut opening = Opening::new(&settings, targets, at(now));
        loop {
            match opening.step(at(now)) {
                Step::Connect { target, time } => {
                    done.push(format!("{target} at {} for {}", now - 1000, time.as_millis()));
                    now += cost;
                    opening.failed(error.clone());
                }
                Step::Pause(until) => now = until.as_micros() / 1000,
                Step::Fail(error) => {
                    let (code, tried) = (error.code(), error.detail("attempts").expect("told"));
                    done.push(format!("{code} {tried} at {}", now - 1000));
                    return done;
                }
            }
        }
    }

    #[test]
    fn by_default_three_retries_100_ms_apart() {
        let expected =
            ["0 at 0 for 2000", "0 at 110 for 2000", "0 at 220 for 2000", "0 at 330 for 2000"];
        let done = run("", 1, 10, &silent());
        assert_eq!(done[..4], expected);
        assert_eq!(done[4..], ["CONNECT_FAILED 4 at 340"]);
    }

    #[test]
    fn all_connections_are_tried_in_order_in_every_round() {
        let done = run("options.retries=1;options.retry_timeout=7", 2, 1, &silent());
        let expected = [
            "0 at 0 for 2000",
            "1 at 1 for 2000",
            "0 at 9 for 2000",
            "1 at 10 for 2000",
            "CONNECT_FAILED 4 at 11",
        ];
        assert_eq!(done, expected);
        assert_eq!(
            run("options.retries=0", 1, 1, &silent()),
            ["0 at 0 for 2000", "CONNECT_FAILED 1 at 1"]
        );
    }

    #[test]
    fn the_timeout_ends_it() {
        let done = run("options.timeout=2500;options.retries=99", 1, 1000, &silent());
        let expected = [
            "0 at 0 for 2000",
            "0 at 1100 for 1400",
            "0 at 2200 for 300",
            "CONNECT_FAILED 3 at 3200",
        ];
        assert_eq!(done, expected);
        let done = run("options.timeout=50", 3, 60, &silent());
        assert_eq!(done, ["0 at 0 for 50", "CONNECT_FAILED 1 at 60"]);
        let done = run("options.timeout=500;options.retry_timeout=1000", 1, 10, &silent());
        assert_eq!(done, ["0 at 0 for 500", "CONNECT_FAILED 1 at 10"], "no pause for nothing");
    }

    #[test]
    fn what_no_repetition_can_change_ends_it_at_once() {
        let refused = |refusal: Refusal| DriverError::Refused {
            server: "h:1".into(),
            notice: Notice::from(refusal),
        };
        for refusal in [Refusal::WrongPassword, Refusal::NoAuth] {
            let done = run("", 3, 1, &refused(refusal));
            assert_eq!(done, ["0 at 0 for 2000", "CONNECT_FAILED 1 at 1"]);
        }
        assert_eq!(run("", 1, 1, &refused(Refusal::Loading)).len(), 5);
        let done = run("", 3, 1, &DriverError::NoRuntime);
        assert_eq!(done, ["0 at 0 for 2000", "NO_RUNTIME 1 at 1"]);
    }
}
