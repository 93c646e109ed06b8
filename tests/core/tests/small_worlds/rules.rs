//! What may happen in a small world.

use core::time::Duration;

use redlatch_core::{Delay, Drift, Renew, Retry, Settings, Ttl};

use super::server::Defect;

/// The longest step of time, in microseconds, unless a world has another. Everything happens at multiples of it,
/// except where clocks differ or a lock is renewed.
const UNIT: u64 = 10_000;

const REPLY_TIMEOUT: u64 = 20_000;

/// How fast a client's clock runs: so many of its microseconds for so many true ones.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(pub(crate) u64, pub(crate) u64);

impl Clock {
    pub(crate) const TRUE: Self = Self(1, 1);

    /// What the clock shows after a span of true time. Exact, or the world is badly chosen.
    pub(crate) fn local(self, span: u64) -> u64 {
        Self::exactly(span, self.0, self.1)
    }

    pub(crate) fn true_time(self, span: u64) -> u64 {
        Self::exactly(span, self.1, self.0)
    }

    fn exactly(span: u64, by: u64, part: u64) -> u64 {
        assert_eq!(span * by % part, 0, "a clock does not come out even");
        span * by / part
    }
}

/// What one owner may do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Owns {
    /// How often the lock is asked for.
    pub(crate) acquires: u8,
    pub(crate) extends: u8,
    pub(crate) releases: bool,
    pub(crate) abandons: bool,
}

/// Which faults may happen; one of them happens once, at any moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// A connection dies. What has not been executed never is, or arrives later than what the new one brings.
    pub(crate) reset: bool,
    /// A server starts again, with its data, without its connections and scripts.
    pub(crate) restart: bool,
    /// A server starts again without its data, which the lock does not promise to survive: of the invariants about
    /// keys only exclusion is checked then.
    pub(crate) amnesia: bool,
    /// A server forgets its scripts.
    pub(crate) flush: bool,
    /// A request is answered with an error, executed or not.
    pub(crate) refuse: bool,
    /// A client stands still, for as short or as long as it may be.
    pub(crate) pause: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Rules {
    pub(crate) name: &'static str,
    pub(crate) servers: usize,
    pub(crate) settings: Settings,
    pub(crate) clocks: [Clock; 2],
    pub(crate) owners: [Owns; 2],
    pub(crate) faults: Faults,
    /// How often time may pass although something on its way could arrive, a dead connection could be noticed,
    /// or a client that stands still could go on.
    pub(crate) delays: u8,
    /// How many replies may be on their way for a while, so that something else happens before they arrive; `None` is
    /// all.
    pub(crate) late_replies: Option<u8>,
    /// The longest step of time, in microseconds.
    pub(crate) unit: u64,
    /// Whether clients are also woken when they need not be.
    pub(crate) roused: bool,
    /// How long what a dead connection left behind can still be executed, in microseconds of the client's clock from
    /// when it noticed. A reply timeout is the bound that the lock's clean-up stands on.
    pub(crate) orphans_last: u64,
    pub(crate) defect: Defect,
}

impl Rules {
    /// Two owners who take the lock, keep it, give it back; no fault.
    pub(crate) fn new(name: &'static str, servers: usize) -> Self {
        let owner = Owns { acquires: 1, extends: 0, releases: true, abandons: false };
        Self {
            name,
            servers,
            settings: settings(50, 10),
            clocks: [Clock::TRUE; 2],
            owners: [owner; 2],
            faults: Faults::default(),
            delays: 3,
            late_replies: None,
            unit: UNIT,
            roused: false,
            orphans_last: REPLY_TIMEOUT,
            defect: Defect::None,
        }
    }

    pub(crate) fn faults(mut self, faults: Faults) -> Self {
        self.faults = faults;
        self
    }

    pub(crate) fn owners(mut self, owners: [Owns; 2]) -> Self {
        self.owners = owners;
        self
    }

    pub(crate) fn delays(mut self, delays: u8) -> Self {
        self.delays = delays;
        self
    }

    pub(crate) fn late_replies(mut self, replies: u8) -> Self {
        self.late_replies = Some(replies);
        self
    }

    pub(crate) fn all_late(mut self) -> Self {
        self.late_replies = None;
        self
    }

    /// No second attempt.
    pub(crate) fn once(mut self) -> Self {
        self.settings.retry = Retry::NONE;
        self
    }

    /// One more attempt, after as long as the machine waits by itself before it asks again.
    pub(crate) fn retrying(mut self) -> Self {
        self.settings.retry = ONE_RETRY;
        self
    }

    /// Attempts until a deadline, when somebody says that the key may be free or it has expired.
    pub(crate) fn waking(mut self) -> Self {
        self.settings.wake = true;
        self.settings.retry = UNTIL;
        self
    }

    pub(crate) fn renewing(mut self) -> Self {
        self.settings.renew = Some(Renew { divisor: 2, most: Some(Duration::from_millis(80)) });
        self
    }

    /// The first client's clock is as slow as the allowance bears.
    pub(crate) fn slow_clock(mut self) -> Self {
        self.settings = settings(50, 10);
        self.clocks[0] = Clock(4, 5);
        self
    }

    /// The first client's clock is as fast as the allowance bears.
    pub(crate) fn fast_clock(mut self) -> Self {
        self.settings = settings(40, 10);
        self.clocks[0] = Clock(5, 4);
        self
    }

    pub(crate) fn clocks(mut self, clocks: [Clock; 2]) -> Self {
        self.clocks = clocks;
        self
    }

    pub(crate) fn unit(mut self, micros: u64) -> Self {
        self.unit = micros;
        self
    }

    pub(crate) fn roused(mut self) -> Self {
        self.roused = true;
        self
    }

    pub(crate) fn orphans_last(mut self, micros: u64) -> Self {
        self.orphans_last = micros;
        self
    }

    pub(crate) fn spoiled(mut self, defect: Defect) -> Self {
        self.defect = defect;
        self
    }
}

const ONE_RETRY: Retry =
    Retry { delay: Delay::Fixed(Duration::from_millis(10)), retries: Some(1), deadline: None };

/// The policy alone would try again at the deadline only.
const UNTIL: Retry = Retry {
    delay: Delay::Fixed(Duration::from_secs(1)),
    retries: None,
    deadline: Some(Duration::from_millis(150)),
};

/// Spans in milliseconds, small and few so that states meet again: answers are waited for for 20, one retry after
/// 10, as long as the machine waits by itself before it asks again.
fn settings(ttl: u64, drift: u64) -> Settings {
    Settings {
        ttl: Ttl::from_millis(ttl).expect("a good ttl"),
        drift: Drift { parts_per_million: 0, constant: Duration::from_millis(drift) },
        reply_timeout: Duration::from_micros(REPLY_TIMEOUT),
        retry: ONE_RETRY,
        wake: false,
        renew: None,
    }
}
