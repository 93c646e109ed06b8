//! Time as a value: the machines read no clock, the caller hands in what its clock says.

use core::fmt;
use core::time::Duration;

/// A moment on the caller's monotonic clock, in microseconds since an arbitrary origin.
///
/// All moments given to one machine must come from the same clock. It must never step back, and
/// it should count the time the machine is suspended (`CLOCK_BOOTTIME` on Linux): a lease runs out
/// on the server while the holder sleeps. Arithmetic saturates; it never wraps and never panics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The origin of the clock.
    pub const ZERO: Self = Self(0);
    /// A moment that never comes.
    pub const NEVER: Self = Self(u64::MAX);

    /// The moment `micros` microseconds after the clock's origin.
    #[must_use]
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros)
    }

    /// Microseconds since the clock's origin.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero if `earlier` is in fact later.
    #[must_use]
    pub const fn saturating_since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` after this one, rounded down to a microsecond, at most [`Instant::NEVER`].
    #[must_use]
    // Arithmetic of 64 bits is long on small machines: one copy is enough there.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub fn saturating_add(self, span: Duration) -> Self {
        self.plus(micros(span))
    }

    /// The moment `micros` microseconds after this one, at most [`Instant::NEVER`].
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub(crate) const fn plus(self, micros: u64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}

/// A span in whole microseconds, rounded down. Saturates.
#[cfg_attr(target_pointer_width = "64", inline)]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) const fn micros(span: Duration) -> u64 {
    span.as_secs().saturating_mul(1_000_000).saturating_add(span.subsec_micros() as u64)
}

/// Time to live of a key: a whole number of milliseconds, never zero, as `SET … PX` takes it.
///
/// Source: the `PX` option on the [`SET`](https://redis.io/docs/latest/commands/set/) page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ttl(u64);

impl Ttl {
    /// The longest ttl accepted, in milliseconds: the largest integer that every client language
    /// can represent exactly. The server adds its own clock to it and must not overflow.
    pub const MAX_MILLIS: u64 = (1 << 53) - 1;

    /// A ttl of `span`, rounded down to whole milliseconds.
    ///
    /// # Errors
    /// [`InvalidTtl`] when that is zero or more than [`Ttl::MAX_MILLIS`]: the server would refuse
    /// it, or delete the key at once.
    pub fn new(span: Duration) -> Result<Self, InvalidTtl> {
        let millis = span.as_secs().saturating_mul(1000);
        Self::from_millis(millis.saturating_add(span.subsec_millis().into()))
    }

    /// A ttl of `millis` milliseconds.
    ///
    /// # Errors
    /// [`InvalidTtl`] when `millis` is zero or more than [`Ttl::MAX_MILLIS`].
    pub const fn from_millis(millis: u64) -> Result<Self, InvalidTtl> {
        if millis == 0 || millis > Self::MAX_MILLIS { Err(InvalidTtl) } else { Ok(Self(millis)) }
    }

    /// The ttl in milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The ttl in microseconds.
    pub(crate) const fn as_micros(self) -> u64 {
        // Never wraps: a ttl has at most 53 bits.
        self.0.wrapping_mul(1000)
    }

    /// The ttl as a span of time.
    #[must_use]
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

/// The caller asked for a ttl that no server accepts; see [`Ttl::new`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidTtl;

impl fmt::Display for InvalidTtl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a ttl must be at least 1 ms and less than 2^53 ms")
    }
}

impl core::error::Error for InvalidTtl {}
