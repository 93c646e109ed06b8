//! A lock that is held and has no machine.

use core::fmt;

use super::moment::Moment;
use super::seat::Seat;
use super::{Lock, State};
use crate::time::Instant;
use crate::token::Token;

/// A lock that was taken and whose machine let it go: what it takes to give it back later, by
/// another machine, over other connections.
///
/// Whoever has it can release the lock, so it cannot be cloned, and `Debug` shows no token.
pub struct Detached {
    token: Token,
    until: Instant,
}

impl Detached {
    /// When the keys have surely expired, by the clock of the machine that let it go. There is
    /// nothing to release from then on. Counts on a driver that gives up silent connections in time: a
    /// request of a process that stood still for longer may come later, and its key is left to its ttl.
    #[must_use]
    pub const fn expiry(&self) -> Instant {
        self.until
    }

    /// Whether the keys have surely expired.
    #[must_use]
    pub fn is_over(&self, now: Instant) -> bool {
        now >= self.until
    }
}

impl fmt::Debug for Detached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Detached").field("until", &self.until).finish_non_exhaustive()
    }
}

/// Locks that outlive their machine.
impl<K, S> Lock<K, S>
where
    K: AsRef<[u8]>,
    S: AsRef<[Seat]> + AsMut<[Seat]>,
{
    /// Lets go of the lock without giving it back: the machine is idle then, and owes nothing for it.
    /// No event follows, and answers that are still out count for nothing. `None` unless the lock is
    /// held.
    pub fn detach(&mut self, now: Instant) -> Option<Detached> {
        self.tick(now);
        let (State::Held { .. } | State::Extending { .. }, Some(token)) = (self.state, self.token)
        else {
            return None;
        };
        self.seats.as_mut().iter_mut().for_each(Seat::leave);
        self.state = State::Idle;
        self.event = None;
        // A claim or an extension may still be on its way.
        Some(Detached { token, until: self.moment().expiry })
    }

    /// Begins to give back what another machine has detached, on the same key and the same servers.
    /// Ends with [`Event::Released`](crate::Event::Released).
    ///
    /// # Errors
    /// The detached lock itself, unless this machine is idle.
    pub fn adopt(&mut self, detached: Detached, now: Instant) -> Result<(), Detached> {
        // As in `acquire`.
        let was_idle = matches!(self.state, State::Idle);
        self.tick(now);
        if !was_idle {
            return Err(detached);
        }
        let Detached { token, until } = detached;
        let moment = Moment { expiry: until, ..self.moment() };
        self.token = Some(token);
        for seat in self.seats.as_mut() {
            seat.adopt(token, moment);
        }
        self.event = None;
        self.state = State::Releasing { since: self.now };
        self.advance();
        Ok(())
    }
}
