//! One board: the engine, and an owner who wants the lock again and again.

use core::time::Duration;

use redlatch_bare::{
    Engine, Error, Fixed, Instant, LockId, Login, Options, Renew, Retry, Server, Want,
};
use redlatch_core::Random;
use redlatch_testkit::model;

use super::line::{Kind, Line};

pub(crate) const KEY: &[u8] = b"valve:7";
pub(crate) const REPLY_TIMEOUT: Duration = Duration::from_millis(50);
/// What a call may take beyond its own bound, because time passes in steps.
const SLACK: u64 = 20_000;

/// What the owner waits for, and until when it must have come.
enum Waits {
    ToAct { at: u64 },
    ForLock { lock: LockId, by: u64 },
    ForExtension { lock: LockId, by: u64 },
    ForRelease { lock: LockId, by: u64 },
    Holding { lock: LockId, until: u64 },
}

/// How the owner fared.
#[derive(Debug, Default)]
pub(crate) struct Fared {
    pub(crate) acquired: u64,
    pub(crate) refused: u64,
    pub(crate) unreachable: u64,
    pub(crate) extended: u64,
    pub(crate) released: u64,
    pub(crate) dropped: u64,
    pub(crate) unconfirmed: u64,
    pub(crate) lost: u64,
    pub(crate) misheard: u64,
}

pub(crate) struct Board<const N: usize> {
    pub(crate) engine: Engine<'static, Fixed<'static, N, 2, 256, 32>>,
    pub(crate) lines: [Line; N],
    waits: Waits,
    random: Random,
    pub(crate) fared: Fared,
}

/// A board, for any number of servers.
pub(crate) trait AnyBoard {
    fn turn(&mut self, servers: &mut [model::Server], now: u64) -> Result<(), String>;
    fn next(&self) -> u64;
    fn believes(&self, now: u64) -> bool;
    fn lines(&mut self) -> &mut [Line];
    fn fared(&self) -> &Fared;
    fn retire(&mut self, now: u64);
    fn is_settled(&self) -> bool;
    fn faults(&self) -> String;
}

impl<const N: usize> Board<N> {
    pub(crate) fn new(lines: [Line; N], seed: u64) -> Self {
        let mut random = Random::new(seed);
        let renew = random.next_u64().is_multiple_of(2).then(Renew::default);
        let options = Options {
            reply_timeout: REPLY_TIMEOUT,
            connect_timeout: Duration::from_millis(200),
            renew,
            ..Options::default()
        };
        let memory = Fixed::new([&Login::NONE; N]);
        // For ever: a board of a test is never switched off.
        let options = Box::leak(Box::new(options));
        let engine = Engine::new(memory, options, random.next_u64());
        let waits = Waits::ToAct { at: 0 };
        Self { engine, lines, waits, random, fared: Fared::default() }
    }

    fn act(&mut self, now: u64) -> Result<(), String> {
        let moment = Instant::from_micros(now);
        let waits = core::mem::replace(&mut self.waits, Waits::ToAct { at: now });
        self.waits = match waits {
            Waits::ToAct { at } if at <= now => self.begin(now)?,
            Waits::ForLock { lock, by } => match self.engine.poll_acquired(&lock) {
                Some(Ok(())) => {
                    self.fared.acquired += 1;
                    Waits::Holding { lock, until: now + self.random.next_u64() % 150_000 }
                }
                Some(Err(error)) => {
                    self.note(error)?;
                    self.engine.abandon(&lock, moment);
                    self.pause(now)
                }
                None if by < now => return Err("an attempt has no end".into()),
                None => Waits::ForLock { lock, by },
            },
            Waits::Holding { lock, until } if until <= now || self.engine.loss(&lock).is_some() => {
                self.end(lock, now)
            }
            Waits::ForExtension { lock, by } => match self.engine.poll_extended(&lock) {
                Some(Ok(())) => {
                    self.fared.extended += 1;
                    Waits::Holding { lock, until: now + self.random.next_u64() % 150_000 }
                }
                Some(Err(Error::Lost(_))) => self.end(lock, now),
                Some(Err(Error::NotExtended(_))) => Waits::Holding { lock, until: now },
                Some(Err(other)) => return Err(format!("an extension says {other}")),
                None if by < now => return Err("an extension has no end".into()),
                None => Waits::ForExtension { lock, by },
            },
            Waits::ForRelease { lock, by } => match self.engine.poll_released(&lock) {
                Some(released) => {
                    self.fared.released += u64::from(released == Ok(true));
                    self.fared.unconfirmed += u64::from(released.is_err());
                    self.engine.abandon(&lock, moment);
                    self.pause(now)
                }
                None if by < now => return Err("a release has no end".into()),
                None => Waits::ForRelease { lock, by },
            },
            waits => waits,
        };
        Ok(())
    }

    fn begin(&mut self, now: u64) -> Result<Waits, String> {
        let patience = Duration::from_millis(self.random.next_u64() % 300);
        let retry = if self.random.next_u64().is_multiple_of(3) {
            Retry::NONE
        } else {
            Retry::until(patience)
        };
        let ttl = Duration::from_millis(80 + self.random.next_u64() % 400);
        let moment = Instant::from_micros(now);
        match self.engine.acquire(KEY, ttl, retry, moment) {
            Ok(lock) => {
                let patience = retry.deadline.unwrap_or_default() + 3 * REPLY_TIMEOUT;
                Ok(Waits::ForLock { lock, by: now + micros(patience) + SLACK })
            }
            Err(Error::TooManyLocks) => Ok(self.pause(now)),
            Err(other) => Err(format!("an acquisition says {other}")),
        }
    }

    fn end(&mut self, lock: LockId, now: u64) -> Waits {
        let moment = Instant::from_micros(now);
        let by = now + micros(REPLY_TIMEOUT) + SLACK;
        if self.engine.loss(&lock).is_some() {
            self.fared.lost += 1;
            self.engine.abandon(&lock, moment);
            return self.pause(now);
        }
        match self.random.next_u64() % 4 {
            0 => {
                self.engine.extend(&lock, moment);
                Waits::ForExtension { lock, by }
            }
            1 => {
                self.fared.dropped += 1;
                self.engine.abandon(&lock, moment);
                self.pause(now)
            }
            _ => {
                self.engine.release(&lock, moment);
                Waits::ForRelease { lock, by }
            }
        }
    }

    fn note(&mut self, error: Error) -> Result<(), String> {
        match error {
            Error::TimedOut(_) => self.fared.refused += 1,
            Error::Unavailable { .. } => self.fared.unreachable += 1,
            // A request that lost a byte may be another one, which the server refuses.
            Error::Refused(_) if self.is_serial() => self.fared.misheard += 1,
            other => return Err(format!("an attempt says {other}")),
        }
        Ok(())
    }

    fn is_serial(&self) -> bool {
        self.lines.iter().any(|line| line.kind == Kind::Serial)
    }

    fn pause(&mut self, now: u64) -> Waits {
        Waits::ToAct { at: now + self.random.next_u64() % 60_000 }
    }

    fn lock(&self) -> Option<&LockId> {
        match &self.waits {
            Waits::ToAct { .. } => None,
            Waits::ForLock { lock, .. }
            | Waits::ForExtension { lock, .. }
            | Waits::ForRelease { lock, .. }
            | Waits::Holding { lock, .. } => Some(lock),
        }
    }

    fn move_bytes(&mut self, servers: &mut [model::Server], now: u64) {
        let moment = Instant::from_micros(now);
        for (at, (line, server)) in self.lines.iter_mut().zip(servers).enumerate() {
            while let Some(want) = self.engine.poll_stream(at, moment) {
                match want {
                    Want::Open => {
                        line.open(server, now);
                        let quiet = Duration::from_millis(5);
                        self.engine.opened(at, quiet, moment);
                    }
                    Want::Close => line.close(),
                }
            }
            line.serve(server, now, &mut self.random);
            while let Some(count) = line.read(self.engine.io(at).space, now) {
                self.engine.received(at, count, moment);
                if count == 0 {
                    break;
                }
            }
        }
        let random = &mut self.random;
        self.engine.step(moment, &mut |token| {
            let words: Vec<u8> = (0..3).flat_map(|_| random.next_u64().to_le_bytes()).collect();
            token.copy_from_slice(&words[..20]);
            true
        });
        for (at, line) in self.lines.iter_mut().enumerate() {
            let pending = self.engine.io(at).pending;
            if !pending.is_empty() {
                line.send(pending, now, &mut self.random);
                let count = pending.len();
                self.engine.wrote(at, count);
            }
        }
    }
}

impl<const N: usize> AnyBoard for Board<N> {
    fn turn(&mut self, servers: &mut [model::Server], now: u64) -> Result<(), String> {
        self.move_bytes(servers, now);
        self.act(now)
    }

    fn next(&self) -> u64 {
        let owner = match self.waits {
            Waits::ToAct { at } => at,
            Waits::Holding { until, .. } => until,
            Waits::ForLock { by, .. }
            | Waits::ForExtension { by, .. }
            | Waits::ForRelease { by, .. } => by + 1,
        };
        // While there is no connection nobody reads: what arrives is lost, as in a serial port.
        let reads = |server: &Server<'_, _>| server.is_connected() || server.is_awaited();
        let lines = self.lines.iter().zip(self.engine.servers());
        let lines = lines.map(|(line, server)| line.next(reads(server))).min();
        let lines = lines.unwrap_or(u64::MAX);
        owner.min(lines).min(self.engine.poll_timeout().as_micros())
    }

    fn believes(&self, now: u64) -> bool {
        let moment = Instant::from_micros(now);
        self.lock().is_some_and(|lock| !self.engine.validity(lock, moment).is_zero())
    }

    fn lines(&mut self) -> &mut [Line] {
        &mut self.lines
    }

    fn fared(&self) -> &Fared {
        &self.fared
    }

    fn retire(&mut self, now: u64) {
        let waits = core::mem::replace(&mut self.waits, Waits::ToAct { at: u64::MAX });
        if let Waits::ForLock { lock, .. }
        | Waits::ForExtension { lock, .. }
        | Waits::ForRelease { lock, .. }
        | Waits::Holding { lock, .. } = waits
        {
            self.engine.abandon(&lock, Instant::from_micros(now));
        }
    }

    fn is_settled(&self) -> bool {
        self.engine.is_settled() && self.engine.is_connected()
    }

    fn faults(&self) -> String {
        format!("{:?}, settled {}", self.engine.servers(), self.engine.is_settled())
    }
}

fn micros(span: Duration) -> u64 {
    u64::try_from(span.as_micros()).expect("a short time")
}
