//! Loop 1 without its I/O: keeping one server connected.

use core::task::Waker;
use core::time::Duration;
use std::io;
use std::sync::Arc;

use redlatch_core::{Backoff, Delay, Instant, Random, Retry};

use crate::endpoint::Endpoint;
use crate::engine::Engine;
use crate::error::{Cause, Error};
use crate::greeter::{Greeted, Greeter};
use crate::link::Link;
use crate::options::{Options, Reconnect};
use crate::os;
use crate::progress::Progress;
use crate::secret::Secret;
use crate::wakeups::Wakeups;
use crate::wire::{Outlet, Wire};

/// Keeps one server connected; one for each server, in a thread or a task of its own.
///
/// The loop: [`begin`](Self::begin); connect to the [endpoint](Self::endpoint) and greet with the
/// [`greeter`](Self::greeter) until the deadline; [`opened`](Self::opened); read, and, if there is
/// no [`Outlet`], write, until the connection ends; close the stream; wait for
/// [`poll_pause`](Self::poll_pause); again.
///
/// Dropping it ends the connection: everybody who waits for an answer learns that it is lost.
pub struct Keeper {
    engine: Arc<Engine>,
    server: usize,
    random: Random,
    backoff: Backoff,
    began: Instant,
    /// When to connect again, once that is decided.
    due: Option<Instant>,
    /// Empty; its room is used again.
    wakeups: Wakeups,
}

impl Keeper {
    /// One for each server of the client, in the order of [`Options::endpoints`].
    #[must_use]
    pub fn all(engine: &Arc<Engine>) -> Vec<Self> {
        (0..engine.links.len()).map(|server| Self::new(engine, server)).collect()
    }

    fn new(engine: &Arc<Engine>, server: usize) -> Self {
        Self {
            engine: Arc::clone(engine),
            server,
            random: Random::new(os::seed()),
            backoff: reconnecting(engine.options()),
            began: os::now(),
            due: None,
            wakeups: Wakeups::default(),
        }
    }

    /// How the client behaves.
    #[must_use]
    pub fn options(&self) -> &Options {
        self.engine.options()
    }

    /// The server.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.engine.options().endpoints[self.server]
    }

    /// Begins an attempt to connect. Gives its deadline; `None` when the client closes.
    #[must_use]
    pub fn begin(&mut self) -> Option<Instant> {
        if self.link().is_closing() {
            return None;
        }
        self.began = os::now();
        self.due = None;
        Some(self.deadline())
    }

    /// Waits until the client closes: an attempt to connect may end then.
    pub fn poll_closing(&self, waker: &Waker) -> Progress<()> {
        self.link().poll_closing(Instant::NEVER, waker)
    }

    /// For the stream that was opened.
    ///
    /// # Errors
    /// The host is none that TLS could verify.
    pub fn greeter(&self) -> Result<Greeter<'_>, Error> {
        let (options, tls) = (self.engine.options(), self.engine.tls());
        Greeter::new(options, tls, self.endpoint(), &self.link().server, self.deadline())
    }

    /// No stream was opened.
    pub fn failed(&self, cause: Cause) {
        let server = Arc::clone(&self.link().server);
        self.refused(Error::Connect { server, cause });
    }

    /// The stream was opened and the greeting failed.
    pub fn refused(&self, error: Error) {
        self.link().fail(error);
    }

    /// Publishes the connection. With an outlet, whoever has something to write writes it there;
    /// without one, the keeper is woken to do it.
    pub fn opened(&self, greeted: Greeted, outlet: Option<Box<dyn Outlet>>) {
        let options = self.engine.options();
        let delay = options.restart_delay.map(|longest| greeted.greeting.abstains_for(longest));
        let abstains_until = delay.map_or(Instant::ZERO, |delay| abstention(delay, os::now()));
        let server = Arc::clone(&self.link().server);
        let wire = Wire::new(server, greeted, outlet, abstains_until, options.reply_timeout);
        self.link().open(wire, || self.engine.lines.asking());
    }

    /// Lends what waits to be written to `take`, which says how many bytes of its beginning it has
    /// taken; they count as written. While it takes all, it may be given more. It is called under a
    /// mutex and must not wait or call back. Wakes when there is more. Done when the connection has
    /// ended.
    pub fn poll_outgoing(&self, waker: &Waker, take: impl FnMut(&[u8]) -> usize) -> Progress<()> {
        self.link().poll_outgoing(waker, take)
    }

    /// Takes bytes that were read; none are the end of the stream. Wakes who got an answer. False
    /// when the connection has ended, whoever ended it.
    #[must_use]
    pub fn received(&mut self, bytes: &[u8]) -> bool {
        let endpoint = &self.engine.options().endpoints[self.server];
        let password = endpoint.password().map(Secret::expose);
        self.engine.links[self.server].receive(
            bytes,
            password,
            &self.engine.lines,
            &mut self.wakeups,
        )
    }

    /// Whether answers are to come on this connection.
    #[must_use]
    pub fn is_awaiting(&self) -> bool {
        self.link().is_awaiting()
    }

    /// A read or a write failed: the connection has ended.
    pub fn broken(&self, error: io::Error) {
        self.link().break_off(error);
    }

    /// Waits before the next attempt, or until the client closes.
    pub fn poll_pause(&mut self, waker: &Waker) -> Progress<()> {
        let due = match self.due {
            Some(due) => due,
            None => self.decide_due(),
        };
        self.link().poll_closing(due, waker)
    }

    fn decide_due(&mut self) -> Instant {
        let (now, cap) = (os::now(), self.engine.options().reconnect.cap);
        // A connection that was of use, or held for a while, starts the count again.
        if self.link().take_served() || now.saturating_since(self.began) > cap {
            self.backoff = reconnecting(self.engine.options());
        }
        let due = self.backoff.next(now, &mut self.random).unwrap_or(Instant::ZERO);
        let due = self.link().retry_at(due, cap);
        self.due = Some(due);
        due
    }

    fn deadline(&self) -> Instant {
        self.began.saturating_add(self.engine.options().connect_timeout)
    }

    fn link(&self) -> &Link {
        &self.engine.links[self.server]
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.link().forsake();
    }
}

/// Until when a server has no vote. Whoever asks may have looked at the clock before it was connected:
/// a server that need not abstain does not do so for that moment either.
fn abstention(delay: Duration, now: Instant) -> Instant {
    if delay.is_zero() { Instant::ZERO } else { now.saturating_add(delay) }
}

fn reconnecting(options: &Options) -> Backoff {
    let Reconnect { base, cap } = options.reconnect;
    let delay = Delay::Exponential { base, cap };
    Backoff::new(Retry { delay, retries: None, deadline: None }, os::now())
}

#[cfg(test)]
mod tests {
    use super::abstention;
    use core::time::Duration;
    use redlatch_core::Instant;

    #[test]
    fn who_need_not_abstain_votes_also_for_those_who_asked_before_it_was_connected() {
        let now = Instant::from_micros(9);
        assert_eq!(abstention(Duration::ZERO, now), Instant::ZERO);
        assert_eq!(abstention(Duration::from_micros(1), now), Instant::from_micros(10));
    }
}
