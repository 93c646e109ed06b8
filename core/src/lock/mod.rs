//! The lock: one machine for one server and for a quorum of many.
//!
//! # States
//!
//! ```text
//!            acquire                    provide(token)
//!   Idle ----------------> NeedToken ------------------> Asking --+-- majority, time left --> Held
//!    ^                        ^                            |      |
//!    |                        +---- Pausing <-- try again -+------+-- failed
//!    |                     hint, or the key has expired:  |
//!    |                     at once, or it lets others      |
//!    |                     come first                      |
//!    +------- Denied --------------- no more tries --------+
//!
//!   Idle -- acquire_next, which holds back --> Pausing
//!
//!            extend            +-- majority, new lease ------------------> Held
//!   Held ----------> Extending +-- not in time, refused: old lease stands > Held
//!         renewal is due       |
//!                              +-- the keys are no longer ours -----------> Idle (Lost)
//!   Held, Extending -- the lease runs out ---------------------------------> Idle (Lost)
//!   Held, Extending -- release --> Releasing -- acknowledged, or silence --> Idle (Released)
//!   anything -- abandon --> Idle, without an event
//!   Held, Extending -- detach --> Idle, with a Detached;  Idle -- adopt it --> Releasing
//! ```
//!
//! # Invariants
//!
//! * A key of ours, or one that may be ours, is either part of the current attempt or a *debt*: a
//!   compare-and-delete that this machine repeats until it is acknowledged or the key has expired.
//!   Debts are paid in every state, also after the caller has lost interest. Only a lock that is
//!   detached is nobody's until a machine adopts it.
//! * Every attempt has a token of its own, so a late release of an old attempt cannot delete the key
//!   of a newer one.
//! * The lease counts from before the first request of the attempt was handed out.
//! * An answer counts only for the request whose ticket it carries.
//! * What is lost stays lost: only a new attempt leads back to `Held`.
//! * Who pauses and was refused is told by the servers when that changes, or knows when the keys expire:
//!   a change after the refusal is either in the answer to its question or told later.

mod alert;
mod debt;
mod detached;
mod event;
mod moment;
mod pause;
mod precedence;
mod renewal;
mod request;
mod seat;
mod speech;
mod transition;
mod upkeep;
mod vote;

pub use self::detached::Detached;
pub use self::event::{Event, Loss, Output, Phase, Released, Settings};
use self::pause::Pause;
use self::precedence::Precedence;
pub use self::request::Ticket;
use self::request::{Expects, Want};
pub use self::seat::Seat;
use self::upkeep::Upkeep;
use crate::answer::Answer;
use crate::command::Command;
use crate::defect::{Defect, has};
use crate::lease::Lease;
use crate::quorum::Tally;
use crate::random::Random;
use crate::retry::Attempts;
use crate::time::Instant;
use crate::token::{Token, WeakRandomness};
use crate::turns::Pass;

#[derive(Clone, Copy, Debug)]
enum State {
    Idle,
    NeedToken,
    Asking {
        since: Instant,
    },
    Pausing(Pause),
    Held {
        lease: Lease,
    },
    /// Quietly: nobody asked for it.
    Extending {
        lease: Lease,
        since: Instant,
        quiet: bool,
    },
    Releasing {
        since: Instant,
    },
}

/// A lock on one key, over as many servers as it has seats. See the [module](self) for its states
/// and the [crate] for the contract of the loop that drives it.
///
/// `K` is the key, any bytes. `S` holds one [`Seat`] for each configured server: an array, a slice,
/// a `Vec`.
#[derive(Debug)]
pub struct Lock<K, S> {
    key: K,
    seats: S,
    settings: Settings,
    random: Random,
    state: State,
    /// Token of the current or last attempt.
    token: Option<Token>,
    attempts: Attempts,
    upkeep: Upkeep,
    precedence: Precedence,
    /// A hint came while an attempt was under way.
    hinted: bool,
    event: Option<Event>,
    next_number: u32,
    now: Instant,
}

/// What the owner decides.
impl<K, S> Lock<K, S>
where
    K: AsRef<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    /// A lock that is not held. `seed` spreads retries: give every lock of every client its own.
    pub const fn new(key: K, seats: S, settings: Settings, seed: u64) -> Self {
        Self {
            key,
            seats,
            settings,
            random: Random::new(seed),
            state: State::Idle,
            token: None,
            attempts: Attempts::new(Instant::ZERO),
            upkeep: Upkeep::NONE,
            precedence: Precedence::NEW,
            hinted: false,
            event: None,
            next_number: 0,
            now: Instant::ZERO,
        }
    }

    /// Begins to take the lock. Ends with [`Event::Acquired`] or [`Event::Denied`]. Without effect
    /// unless the lock is idle.
    pub fn acquire(&mut self, now: Instant) {
        self.acquire_since(now, now);
    }

    /// As [`Lock::acquire`], for somebody who has waited since `begun`: the deadline of the retry policy
    /// counts from then. One attempt at least is made.
    pub fn acquire_since(&mut self, begun: Instant, now: Instant) {
        // If time has just ended a lock that was held, its owner hears of that first.
        let was_idle = matches!(self.state, State::Idle);
        self.tick(now);
        if was_idle {
            self.attempts = Attempts::new(begun);
            self.precedence = Precedence::NEW;
            self.hinted = false;
            self.event = None;
            self.state = State::NeedToken;
        }
    }

    /// As [`Lock::acquire_since`], for the next of those who wait in one client that has just had the lock:
    /// it lets those of other clients come first when the key becomes free, those who have waited longest,
    /// or even now, as [`Turns::pass`](crate::Turns::pass) says.
    pub fn acquire_next(&mut self, pass: Pass, begun: Instant, now: Instant) {
        let was_idle = matches!(self.state, State::Idle);
        self.acquire_since(begun, now);
        if was_idle {
            self.precedence = Precedence::MODEST;
            if pass == Pass::HoldBack {
                self.hold_back();
            }
        }
    }

    /// Gives the token that [`Output::NeedToken`] asks for. Without effect at any other time.
    ///
    /// # Errors
    /// [`WeakRandomness`] when the token was used before: the generator repeats itself. Draw
    /// another, or [`abandon`](Self::abandon).
    pub fn provide(&mut self, token: Token, now: Instant) -> Result<(), WeakRandomness> {
        self.tick(now);
        if let State::NeedToken = self.state {
            let owed = self.seats.as_ref().iter().any(|seat| seat.owes_token(token));
            if owed || self.token == Some(token) {
                return Err(WeakRandomness);
            }
            self.token = match self.token {
                Some(old) if has(Defect::TokenReused) => Some(old),
                _ => Some(token),
            };
            self.hinted = false;
            self.state = State::Asking { since: self.now };
            let eager = self.attempts.retried == 0 || self.precedence.is_hopeful();
            for seat in self.seats.as_mut() {
                seat.begin(self.now, eager);
            }
            self.advance();
        }
        Ok(())
    }

    /// Begins to extend the lock to a full ttl from now. Ends with [`Event::Extended`],
    /// [`Event::NotExtended`] or [`Event::Lost`]; at once with `NotExtended` unless the lock is
    /// held. While an extension is under way, it tells how that one ends.
    pub fn extend(&mut self, now: Instant) {
        self.tick(now);
        match self.state {
            State::Held { lease } => self.begin_extension(lease, false),
            State::Extending { lease, since, .. } => {
                self.state = State::Extending { lease, since, quiet: false };
            }
            _ => {
                let configured = self.seats.as_ref().len();
                self.event = self
                    .event
                    .or(Some(Event::NotExtended(Tally { configured, ..Tally::default() })));
            }
        }
    }

    /// Begins to give the lock back. Ends with [`Event::Released`]; at once when it is not held.
    /// An acquisition or extension under way is given up.
    pub fn release(&mut self, now: Instant) {
        self.tick(now);
        match self.state {
            State::Held { .. } | State::Extending { .. } => {
                self.event = None;
                self.give_up();
                self.state = State::Releasing { since: self.now };
                self.advance();
            }
            State::Releasing { .. } => {}
            _ => {
                self.abandon(now);
                self.event = Some(Event::Released(Released::NotHeld));
            }
        }
    }

    /// The owner has gone: whatever is held, or may be, is owed back. No event follows. Drive the
    /// machine on until it [is settled](Self::is_settled), or leave the rest to the ttl.
    pub fn abandon(&mut self, now: Instant) {
        self.tick(now);
        if !has(Defect::CancelKeeps) {
            self.give_up();
        }
        self.state = State::Idle;
        self.event = None;
    }

    /// Where the machine stands; for logs and tests.
    pub const fn phase(&self) -> Phase {
        match self.state {
            State::Idle => Phase::Idle,
            State::NeedToken => Phase::NeedToken,
            State::Asking { .. } => Phase::Asking,
            State::Pausing(_) => Phase::Pausing,
            State::Held { .. } => Phase::Held,
            State::Extending { .. } => Phase::Extending,
            State::Releasing { .. } => Phase::Releasing,
        }
    }

    /// The lease, while the lock is held.
    pub fn lease(&self) -> Option<Lease> {
        match self.state {
            State::Held { lease } | State::Extending { lease, .. } => Some(lease),
            _ => None,
        }
    }

    /// Whether an attempt has failed since it was asked for, or was not made for somebody else had the lock.
    pub const fn has_failed(&self) -> bool {
        self.attempts.retried > 0 || self.precedence.has_lost()
    }

    /// Whether the lock is idle and nothing is owed: only then may it be dropped without leaving a
    /// key to its ttl.
    pub fn is_settled(&self) -> bool {
        matches!(self.state, State::Idle) && !self.seats.as_ref().iter().any(Seat::owes)
    }

    /// Forgets everything: a lock that is not held, in the same storage, under the key that is given out
    /// to be changed. One that is not [settled](Self::is_settled) leaves its keys to their ttl.
    pub fn reset(&mut self, settings: &Settings, seed: u64) -> &mut K {
        self.seats.as_mut().fill(Seat::default());
        self.settings = *settings;
        self.random = Random::new(seed);
        self.state = State::Idle;
        self.token = None;
        self.upkeep = Upkeep::NONE;
        self.event = None;
        &mut self.key
    }

    /// The key.
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The settings.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }
}

/// What happens to the machine, and what it wants.
impl<K, S> Lock<K, S>
where
    K: AsRef<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    /// Takes the answer to the request that went out with `ticket`. Every request wants one answer,
    /// late as it may be: [`Answer::Unreachable`] if it could not be sent, [`Answer::Lost`] if its
    /// connection ended first.
    pub fn handle_answer(&mut self, ticket: Ticket, answer: Answer, now: Instant) {
        self.tick(now);
        let answer = if ticket.fits(answer) { answer } else { Answer::Unexpected };
        let moment = self.moment();
        if let Some(seat) = self.seats.as_mut().get_mut(ticket.server()) {
            seat.handle_answer(ticket.number, answer, self.token, moment);
        }
        self.advance();
    }

    /// Time has passed. Call it at the moment given by [`Output::Wait`], or at any other.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.tick(now);
        for seat in self.seats.as_mut() {
            seat.handle_timeout(self.now);
        }
        self.end_pause_in_time();
        if let State::Held { lease } = self.state {
            if self.upkeep.due() <= self.now {
                self.begin_extension(lease, true);
            }
        }
        self.advance();
    }

    /// The key may be free: a push said so, or a connection came back. A lock that pauses between two
    /// attempts tries at once or looks first whether the key is gone; it may let others come first for up
    /// to 50 ms, or 20 ms if it was often told in vain. The attempt does not count as a retry.
    pub fn hint(&mut self, now: Instant) {
        self.tick(now);
        match self.state {
            State::Pausing(_) if has(Defect::HintIgnored) => {}
            State::Pausing(_) if has(Defect::EarlyHintIgnored) && self.asks_for_alerts() => {}
            State::Pausing(pause) => self.wake(pause),
            State::Asking { .. } => self.hinted = true,
            _ => {}
        }
    }

    /// What to do next. Call it until it says [`Output::Wait`].
    pub fn poll_output(&mut self) -> Output<'_> {
        if let State::NeedToken = self.state {
            return Output::NeedToken;
        }
        if let Some((server, want)) = self.poll_seats() {
            return self.send(server, want);
        }
        if let Some(event) = self.event.take() {
            return Output::Event(event);
        }
        let next = self.poll_timeout();
        Output::Wait((next < Instant::NEVER).then_some(next))
    }

    fn poll_seats(&mut self) -> Option<(u16, Want)> {
        let (now, number) = (self.now, self.next_number);
        let mut seats = self.seats.as_mut().iter_mut().zip(0..);
        seats.find_map(|(seat, server)| seat.poll(now, number).map(|want| (server, want)))
    }

    fn send(&mut self, server: u16, want: Want) -> Output<'_> {
        let number = self.next_number;
        self.next_number = number.wrapping_add(1);
        let expires = match want {
            Want::Release(_) => Instant::NEVER,
            _ => self.phase_end(),
        };
        let key = self.key.as_ref();
        let token = match want {
            Want::Release(_) => {
                self.seats.as_ref().get(usize::from(server)).and_then(|seat| seat.owed(number))
            }
            _ => self.token.as_ref(),
        };
        let ttl = self.settings.ttl;
        let command = match (want, token) {
            (Want::Expiry, _) => Command::Expiry { key },
            (Want::Read, _) => Command::Read { key },
            (Want::Claim, Some(token)) => Command::Claim { key, token, ttl },
            (Want::Extend(form), Some(token)) => Command::Extend { key, token, ttl, form },
            (Want::Release(form), Some(token)) => Command::Release { key, token, form },
            (_, None) => return Output::Wait(None),
        };
        let ticket = Ticket { server, number, expects: Expects::of(&command), expires };
        Output::Send { ticket, command }
    }

    /// When [`Lock::handle_timeout`] or [`Lock::poll_output`] has something to do although no answer has
    /// come; a moment that has passed, if that is now.
    pub fn poll_timeout(&self) -> Instant {
        if matches!(self.state, State::NeedToken) || self.event.is_some() {
            return self.now;
        }
        let phase = match self.state {
            State::Pausing(pause) => pause.until,
            State::Held { lease } => lease.until().min(self.upkeep.due()),
            _ => self.phase_end(),
        };
        let seats = self.seats.as_ref().iter().map(Seat::poll_timeout);
        seats.min().unwrap_or(Instant::NEVER).min(phase)
    }

    /// When the current attempt, extension or release ends, whoever has not answered by then.
    fn phase_end(&self) -> Instant {
        let reply_timeout = self.settings.reply_timeout;
        match self.state {
            State::Asking { since } | State::Releasing { since } => {
                since.saturating_add(reply_timeout)
            }
            State::Extending { lease, since, .. } => {
                since.saturating_add(reply_timeout).min(lease.until())
            }
            _ => Instant::NEVER,
        }
    }
}
