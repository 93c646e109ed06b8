//! A client: a process with a clock, some locks for each key, and a link to each server.

use core::time::Duration;
use std::collections::VecDeque;

use redlatch_core::{
    Answer, Command, Connection, Delay, Detached, Dialect, Handshake, Instant, Lease, Limits, Lock,
    Login, Proof, Protocol, Refusal, Renew, Retry, Seat, Serial, Settings, Ticket, Token, Tracking,
    Ttl,
};

use crate::clock::Clock;
use crate::contest;
use crate::dice::Dice;
use crate::lines::{Line, Place};
use crate::network::ConnectionId;
use crate::parking::Parking;
use crate::plan::Plan;
use crate::waiting::Waiting;

/// The password of the servers that want one.
pub(crate) const PASSWORD: &str = "correct horse";

pub(crate) struct Client {
    pub(crate) clock: Clock,
    /// For the first keys first, then the second ones of each.
    pub(crate) slots: Vec<Slot>,
    /// One for each key.
    pub(crate) lines: Vec<Line>,
    pub(crate) links: Vec<Link>,
    /// It stands still until then.
    pub(crate) paused_until: u64,
    /// Until when something was in the way of what servers tell it.
    pub(crate) unrest_until: u64,
    /// The wake-up that counts; others are out of date.
    pub(crate) wake: u64,
    pub(crate) wake_at: u64,
    /// Turns at the same moment.
    pub(crate) turns: u32,
    pub(crate) turned_at: u64,
    pub(crate) protocol: Protocol,
    pub(crate) password: bool,
}

/// A lock, and what its owner wants and believes.
pub(crate) struct Slot {
    pub(crate) lock: Lock<Vec<u8>, Vec<Seat>>,
    /// The owner wants it; else only releases may go out.
    pub(crate) wants: bool,
    /// It was told that it holds it, and not that it lost it.
    pub(crate) holds: bool,
    pub(crate) believes: Option<Lease>,
    /// A lock that was let go without being given back, until it is adopted.
    pub(crate) detached: Option<Detached>,
    /// It was at rest after its last turn.
    pub(crate) settled: bool,
    /// The token of its last attempt.
    pub(crate) token: Option<Token>,
    pub(crate) waiting: Waiting,
    /// Where its owner stands in the line for its key.
    pub(crate) place: Place,
    /// It waits for its turn, or to begin at once.
    pub(crate) queued: bool,
    /// When its owner came, by the client's clock.
    pub(crate) joined: Instant,
}

/// The way to one server.
pub(crate) struct Link {
    pub(crate) stage: Stage,
    pub(crate) wire: Connection<Vec<u8>>,
    pub(crate) handshake: Handshake,
    pub(crate) routes: VecDeque<Route>,
    pub(crate) dialect: Dialect,
    pub(crate) proof: Proof,
    pub(crate) parking: Parking,
    pub(crate) tracking: Tracking,
    /// It speaks RESP3.
    pub(crate) can_push: bool,
    /// Moment until which the server has no vote.
    pub(crate) abstains_until: Instant,
    pub(crate) failures: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    Down { retry_at: Instant },
    Opening,
    Greeting(ConnectionId),
    Ready(ConnectionId),
}

/// Where the answer to a request goes.
pub(crate) enum Route {
    Lock {
        serial: Serial,
        slot: usize,
        ticket: Ticket,
    },
    /// It was sent in front of the question of a lock that waits.
    Tracking {
        serial: Serial,
    },
    /// A question whose answer is known: no reply may be taken for another.
    Probe {
        serial: Serial,
        text: [u8; 16],
    },
}

impl Client {
    pub(crate) fn new(plan: &Plan, dice: &mut Dice) -> Self {
        let drift = dice.around_zero(plan.drift);
        let offset = 1_000_000_000 + dice.below(1_000_000_000);
        Self {
            clock: Clock::new(drift, offset),
            slots: (0..plan.slots()).map(|slot| Slot::new(plan, slot, dice)).collect(),
            lines: (0..plan.keys).map(|_| Line::default()).collect(),
            links: (0..plan.servers).map(|_| Link::new(plan)).collect(),
            paused_until: 0,
            unrest_until: 0,
            wake: 0,
            wake_at: u64::MAX,
            turns: 0,
            turned_at: 0,
            protocol: if plan.resp2 { Protocol::Resp2 } else { Protocol::Resp3 },
            password: plan.password,
        }
    }

    pub(crate) fn login(&self) -> Login<'static> {
        let password = self.password.then_some(PASSWORD.as_bytes());
        Login { protocol: self.protocol, password, ..Login::NONE }
    }

    /// When it wants to look at its clock.
    pub(crate) fn poll_timeout(&self) -> Instant {
        let locks = self.slots.iter().map(|slot| slot.lock.poll_timeout());
        let lines = core::iter::once(self.poll_lines(self.lines.len()));
        locks
            .chain(lines)
            .chain(self.links.iter().map(Link::poll_timeout))
            .min()
            .unwrap_or(Instant::NEVER)
    }
}

impl Slot {
    fn new(plan: &Plan, slot: usize, dice: &mut Dice) -> Self {
        let ttl = Duration::from_micros(plan.ttl);
        let delay = Delay::Exponential { base: ttl / 30, cap: ttl / 3 };
        // Most of a crowd stand in line: they do not count their attempts.
        let crowd = plan.slots() > plan.keys && dice.chance(700);
        let retries = if crowd { None } else { dice.among(&[Some(0), Some(20), None]) };
        let deadline = dice.among(&[None, Some(4 * ttl)]);
        let renew = Renew { divisor: 3, most: dice.among(&[None, Some(5 * ttl)]) };
        let settings = Settings {
            retry: Retry { delay, retries, deadline },
            reply_timeout: Duration::from_micros(plan.reply_timeout),
            renew: dice.chance(500).then_some(renew),
            wake: dice.chance(850),
            ..Settings::new(Ttl::new(ttl).expect("a good ttl"))
        };
        let settings = contest::settings(plan, settings);
        let lock = Lock::new(
            name(slot % plan.keys),
            vec![Seat::default(); plan.servers],
            settings,
            dice.seed(),
        );
        Self {
            lock,
            wants: false,
            holds: false,
            believes: None,
            detached: None,
            settled: true,
            token: None,
            waiting: Waiting::NONE,
            place: Place::Outside,
            queued: false,
            joined: Instant::ZERO,
        }
    }

    /// Whether nothing of its owner's can be on a server.
    pub(crate) fn is_settled(&self) -> bool {
        self.lock.is_settled() && self.detached.is_none()
    }

    /// Takes the lock back that was let go, if there is one, to give it back.
    pub(crate) fn adopt(&mut self, now: Instant) {
        let detached = self.detached.take();
        self.detached = detached.and_then(|detached| self.lock.adopt(detached, now).err());
    }

    /// The owner does not think any more that it has the lock.
    pub(crate) const fn let_go(&mut self) {
        (self.wants, self.holds, self.believes) = (false, false, None);
    }
}

/// The name of a key. One is a command for a reader that loses its place.
pub(crate) fn name(key: usize) -> Vec<u8> {
    match key {
        0 => b"lock:{a}".to_vec(),
        2.. => format!("lock:{key}").into_bytes(),
        1 => b"b\r\n*1\r\n$8\r\nFLUSHALL\r\n".to_vec(),
    }
}

impl Link {
    fn new(plan: &Plan) -> Self {
        // Small ones: what does not fit has to be dealt with. `INFO server` fits.
        let wire = Connection::new(vec![0; 4096], vec![0; 2048], limits(), timeout(plan));
        Self {
            stage: Stage::Down { retry_at: Instant::ZERO },
            wire,
            handshake: Handshake::new(true),
            routes: VecDeque::new(),
            dialect: Dialect::SCRIPTS,
            proof: Proof::NEW,
            parking: Parking::default(),
            tracking: Tracking::new(Protocol::Resp2),
            can_push: false,
            abstains_until: Instant::ZERO,
            failures: 0,
        }
    }

    pub(crate) fn reset(&mut self, plan: &Plan) {
        self.wire.reset(limits(), timeout(plan));
        self.handshake = Handshake::new(true);
    }

    /// Queues a request of a lock.
    ///
    /// # Errors
    /// The answer, when it is not sent.
    pub(crate) fn submit(
        &mut self,
        slot: usize,
        ticket: Ticket,
        command: &Command<'_>,
        now: Instant,
    ) -> Result<(), Answer> {
        if !matches!(self.stage, Stage::Ready(_)) || ticket.is_stale(now) {
            return Err(Answer::Unreachable);
        }
        let is_vote = matches!(command, Command::Claim { .. } | Command::Read { .. });
        if is_vote && now < self.abstains_until {
            return Err(Answer::Refused(Refusal::Restarted));
        }
        match command {
            Command::Read { key } if self.park(slot, key, ticket, now) => return Ok(()),
            _ => {}
        }
        if let Command::Expiry { .. } = command {
            for before in self.tracking.before_expiry()? {
                let serial = self.wire.submit(before, now).map_err(|_| Answer::Unreachable)?;
                self.routes.push_back(Route::Tracking { serial });
            }
        }
        let (ticket, command) = ticket.say(*command, self.dialect);
        let serial = self.wire.submit(&command, now).map_err(|_| Answer::Unreachable)?;
        self.parking.fresh = None;
        match command {
            Command::Claim { token, .. } => self.parking.fresh = Some((serial, slot, *token)),
            Command::Read { key } | Command::Extend { key, .. } | Command::Release { key, .. } => {
                self.proof.mention(key);
            }
            _ => {}
        }
        self.routes.push_back(Route::Lock { serial, slot, ticket });
        Ok(())
    }

    /// Whether a request of this lock is not answered.
    pub(crate) fn asks_for(&self, slot: usize) -> bool {
        let asks = |route: &Route| matches!(route, Route::Lock { slot: of, .. } if *of == slot);
        self.routes.iter().any(asks)
    }

    pub(crate) const fn connection(&self) -> Option<ConnectionId> {
        match self.stage {
            Stage::Greeting(id) | Stage::Ready(id) => Some(id),
            Stage::Down { .. } | Stage::Opening => None,
        }
    }

    fn poll_timeout(&self) -> Instant {
        match self.stage {
            Stage::Down { retry_at } => retry_at,
            Stage::Opening => Instant::NEVER,
            _ => self.wire.poll_timeout().unwrap_or(Instant::NEVER),
        }
    }
}

const fn limits() -> Limits {
    Limits { in_flight: 32, ..Limits::HOSTED }
}

const fn timeout(plan: &Plan) -> Duration {
    Duration::from_micros(plan.reply_timeout)
}
