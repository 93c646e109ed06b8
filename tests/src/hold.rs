//! The contract of the `hold-*` examples: one program in every adapter that takes a lock, holds it,
//! and says what happens.
//!
//! ```text
//! hold-std URL[,URL...] KEY TTL_MS HOLD_MS [--wait MS] [--extend]
//! ```
//!
//! One line on standard output for each event, written at once, with the milliseconds since the
//! start in front:
//!
//! ```text
//! 12 acquired validity=2970     the lock is ours, for so many milliseconds
//! 1013 extended validity=2969   --extend: the ttl counts anew
//! 2513 released                 exit 0
//! 3 denied                      exit 1: somebody else has it (and had it for all of --wait)
//! 2970 lost reason=expired      exit 4: reasons are expired, deleted, stolen
//! 5 error ...                   exit 3: what went wrong, in one line
//! 0 error ...                   exit 2: likewise, and an argument is to blame
//! ```
//!
//! Wrong usage is told on standard error, exit 2. The arguments, the lines and the schedule are
//! here, and so is the whole program of the asynchronous adapters, so that an example holds only what
//! differs: its runtime.

mod asynchronous;

use core::fmt::Display;
use core::time::Duration;
use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Instant;

use redlatch_client::Error;
use redlatch_core::Loss;

pub use asynchronous::hold;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    /// One URL, or several separated by commas.
    pub urls: String,
    /// The key, any bytes.
    pub key: Vec<u8>,
    /// The ttl of the key, at least 1 ms.
    pub ttl: Duration,
    /// How long to hold the lock.
    pub hold: Duration,
    /// How long to wait for the lock; `None` is a single attempt.
    pub wait: Option<Duration>,
    /// Whether to extend the lock at each third of its ttl.
    pub extend: bool,
}

impl Arguments {
    /// Reads the arguments of this process. A wrong one is told on standard error, with the usage.
    ///
    /// # Errors
    /// The exit status for wrong usage, 2.
    pub fn from_command_line(program: &str) -> Result<Self, ExitCode> {
        Self::parse(env::args_os().skip(1)).map_err(|wrong| {
            let usage = "URL[,URL...] KEY TTL_MS HOLD_MS [--wait MS] [--extend]";
            let _ = writeln!(io::stderr(), "{program}: {wrong}\nusage: {program} {usage}");
            ExitCode::from(Ending::USAGE)
        })
    }

    /// Reads the arguments that follow the name of the program.
    ///
    /// # Errors
    /// A sentence that says what is wrong. It never repeats a URL, which may hold a password.
    pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut arguments = arguments.into_iter();
        let (mut wait, mut extend, mut rest) = (None, false, Vec::new());
        while let Some(argument) = arguments.next() {
            match argument.to_str() {
                Some("--wait") => wait = Some(millis("--wait", arguments.next())?),
                Some("--extend") => extend = true,
                Some(flag) if flag.starts_with("--") => {
                    return Err("unknown option; there are --wait and --extend".into());
                }
                _ => rest.push(argument),
            }
        }
        let count = rest.len();
        let [urls, key, ttl, hold] = <[OsString; 4]>::try_from(rest)
            .map_err(|_| format!("4 arguments are needed besides the options, not {count}"))?;
        let ttl = millis("TTL_MS", Some(ttl))?;
        if ttl.is_zero() {
            return Err(
                "TTL_MS must be at least 1: a lock without a ttl could stay for ever".into()
            );
        }
        Ok(Self {
            urls: urls.into_string().map_err(|_| "the URL is not UTF-8")?,
            key: key.into_encoded_bytes(),
            ttl,
            hold: millis("HOLD_MS", Some(hold))?,
            wait,
            extend,
        })
    }
}

fn millis(name: &str, value: Option<OsString>) -> Result<Duration, String> {
    value
        .and_then(|value| value.to_str()?.parse().ok())
        .map(Duration::from_millis)
        .ok_or_else(|| format!("{name} must be a number of milliseconds"))
}

/// When a holder extends and when it lets go. It decides; the example does it and waits.
#[derive(Clone, Copy, Debug)]
pub struct Schedule {
    hold: Duration,
    /// Time between two extensions.
    interval: Option<Duration>,
    /// When the next extension is due, counted from the acquisition.
    extend_at: Option<Duration>,
}

/// What a holder does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Hold on for so long.
    Sleep(Duration),
    /// Extend the lock.
    Extend,
    /// The work is done.
    Release,
    /// The validity is over before the work is done.
    Expired,
}

impl Schedule {
    /// The schedule of a lock that has just been acquired.
    #[must_use]
    pub fn new(arguments: &Arguments) -> Self {
        let interval = arguments.extend.then_some(arguments.ttl / 3);
        Self { hold: arguments.hold, interval, extend_at: interval }
    }

    /// What to do when the lock has been held for `held`, and is valid for another `validity`.
    pub fn step(&mut self, held: Duration, validity: Duration) -> Step {
        let left = self.hold.saturating_sub(held);
        if left.is_zero() && !validity.is_zero() {
            return Step::Release;
        }
        if validity.is_zero() {
            return Step::Expired;
        }
        match self.extend_at.map(|due| due.saturating_sub(held)) {
            Some(Duration::ZERO) => {
                self.extend_at = self.interval.map(|interval| held.saturating_add(interval));
                Step::Extend
            }
            Some(due) => Step::Sleep(left.min(validity).min(due)),
            None => Step::Sleep(left.min(validity)),
        }
    }
}

/// How a run ended: the last line has been written, this is the exit status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Ending(u8);

impl Ending {
    const RELEASED: u8 = 0;
    const DENIED: u8 = 1;
    const USAGE: u8 = 2;
    const ERROR: u8 = 3;
    const LOST: u8 = 4;
}

impl From<Ending> for ExitCode {
    fn from(ending: Ending) -> Self {
        Self::from(ending.0)
    }
}

/// Writes the events, one line each. A reader that has gone away changes nothing: the lock is
/// released all the same.
#[derive(Debug)]
pub struct Journal<W = io::Stdout> {
    begun: Instant,
    to: W,
}

impl Journal {
    /// A journal on standard output. Time counts from here.
    #[must_use]
    pub fn begin() -> Self {
        Self::to(io::stdout())
    }
}

impl<W: Write> Journal<W> {
    /// A journal on anything that can be written. Time counts from here.
    pub fn to(to: W) -> Self {
        Self { begun: Instant::now(), to }
    }

    /// The lock is held.
    pub fn acquired(&mut self, validity: Duration) {
        self.line(format_args!("acquired validity={}", validity.as_millis()));
    }

    /// The lock is held for longer.
    pub fn extended(&mut self, validity: Duration) {
        self.line(format_args!("extended validity={}", validity.as_millis()));
    }

    /// The lock was given back while it was ours.
    pub fn released(&mut self) -> Ending {
        self.end("released", Ending::RELEASED)
    }

    /// Somebody else has the lock.
    pub fn denied(&mut self) -> Ending {
        self.end("denied", Ending::DENIED)
    }

    /// The lock was lost while it was held.
    pub fn lost(&mut self, loss: Loss) -> Ending {
        let reason = match loss {
            Loss::Expired => "expired",
            Loss::Deleted => "deleted",
            Loss::ServerRestarted => "server-restarted",
            Loss::Stolen => "stolen",
            Loss::Unreachable => "unreachable",
            Loss::Refused => "refused",
            Loss::Capped => "capped",
            _ => "unknown",
        };
        self.end(format_args!("lost reason={reason}"), Ending::LOST)
    }

    /// The client failed.
    pub fn failed(&mut self, error: &Error) -> Ending {
        match error {
            Error::Lost(loss) => self.lost(*loss),
            Error::Config(_) => self.misused(error),
            _ => self.error(error),
        }
    }

    /// Something went wrong.
    pub fn error(&mut self, error: &impl Display) -> Ending {
        self.end(format_args!("error {error}"), Ending::ERROR)
    }

    /// An argument is wrong in a way that only the client could tell.
    pub fn misused(&mut self, error: &impl Display) -> Ending {
        self.end(format_args!("error {error}"), Ending::USAGE)
    }

    fn end(&mut self, what: impl Display, status: u8) -> Ending {
        self.line(what);
        Ending(status)
    }

    /// One event stays one line, whatever it says.
    fn line(&mut self, what: impl Display) {
        let text: String = what
            .to_string()
            .chars()
            .map(|sign| if sign.is_control() { ' ' } else { sign })
            .collect();
        let _ = writeln!(self.to, "{} {text}", self.begun.elapsed().as_millis());
        let _ = self.to.flush();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn options_may_stand_anywhere() {
        let expected = Arguments {
            urls: "redis://a,redis://b".into(),
            key: b"k".to_vec(),
            ttl: ms(3000),
            hold: ms(0),
            wait: Some(ms(70)),
            extend: true,
        };
        for line in [
            "redis://a,redis://b k 3000 0 --wait 70 --extend",
            "--extend redis://a,redis://b --wait 70 k 3000 0",
        ] {
            assert_eq!(parse(line).as_ref(), Ok(&expected), "{line}");
        }
    }

    #[test]
    fn wrong_usage_is_told_and_no_url_is_repeated() {
        for (line, part) in [
            ("", "4 arguments"),
            ("redis://:hunter2@h k 1000", "not 3"),
            ("redis://:hunter2@h k 1000 10 x", "not 5"),
            ("redis://:hunter2@h k 0 10", "TTL_MS must be at least 1"),
            ("redis://:hunter2@h k -5 10", "TTL_MS must be a number"),
            ("redis://:hunter2@h k 5s 10", "TTL_MS must be a number"),
            ("redis://:hunter2@h k 18446744073709551616 10", "TTL_MS must be a number"),
            ("redis://:hunter2@h k 1000 ten", "HOLD_MS must be a number"),
            ("redis://:hunter2@h k 1000 10 --wait", "--wait must be a number"),
            ("redis://:hunter2@h k 1000 10 --hunter2", "unknown option"),
        ] {
            let wrong = parse(line).expect_err(line);
            assert!(wrong.contains(part), "{line}: {wrong}");
            assert!(!wrong.contains("hunter2"), "{line}: {wrong}");
        }
    }

    #[test]
    fn the_schedule_extends_at_each_third_and_ends_with_the_work_or_the_validity() {
        let arguments = |line: &str| parse(line).expect("right usage");
        let mut plain = Schedule::new(&arguments("u k 3000 1000"));
        assert_eq!(plain.step(ms(0), ms(2968)), Step::Sleep(ms(1000)));
        assert_eq!(plain.step(ms(400), ms(500)), Step::Sleep(ms(500)));
        assert_eq!(plain.step(ms(1000), ms(1)), Step::Release);
        assert_eq!(plain.step(ms(999), ms(0)), Step::Expired);
        assert_eq!(plain.step(ms(1000), ms(0)), Step::Expired);

        let mut extending = Schedule::new(&arguments("u k 3000 5000 --extend"));
        assert_eq!(extending.step(ms(0), ms(2968)), Step::Sleep(ms(1000)));
        assert_eq!(extending.step(ms(1001), ms(1967)), Step::Extend);
        assert_eq!(extending.step(ms(1001), ms(2968)), Step::Sleep(ms(1000)));
        assert_eq!(extending.step(ms(4900), ms(2000)), Step::Extend);
        assert_eq!(extending.step(ms(4900), ms(2000)), Step::Sleep(ms(100)));
        assert_eq!(extending.step(ms(5000), ms(1900)), Step::Release);
    }

    #[test]
    fn every_event_is_one_line_and_one_exit_status() {
        let mut out = Vec::new();
        let mut journal = Journal::to(&mut out);
        journal.acquired(ms(2970));
        journal.extended(Duration::from_micros(2_969_900));
        let endings = [
            (journal.released(), 0),
            (journal.denied(), 1),
            (journal.misused(&"a ttl of 1 ms leaves no validity"), 2),
            (journal.error(&"two\r\nlines\x1b[2J"), 3),
            (journal.lost(Loss::Expired), 4),
            (journal.lost(Loss::Stolen), 4),
        ];
        assert!(endings.iter().all(|(ending, status)| ending.0 == *status));
        let text = String::from_utf8(out).expect("text");
        let lines: Vec<_> = text
            .lines()
            .map(|line| line.split_once(' ').expect("a time"))
            .inspect(|(time, _)| assert!(time.parse::<u64>().is_ok(), "{time}"))
            .map(|(_, what)| what)
            .collect();
        assert_eq!(
            lines,
            [
                "acquired validity=2970",
                "extended validity=2969",
                "released",
                "denied",
                "error a ttl of 1 ms leaves no validity",
                "error two  lines [2J",
                "lost reason=expired",
                "lost reason=stolen",
            ]
        );
    }
}
