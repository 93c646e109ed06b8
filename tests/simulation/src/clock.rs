//! Clocks that do not run at the same speed.

use redlatch_core::Instant;

/// Somebody's clock, against true time. Both count microseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    /// It runs this many parts per million too fast.
    drift: i64,
    offset: u64,
}

impl Clock {
    pub(crate) const fn new(drift: i64, offset: u64) -> Self {
        Self { drift, offset }
    }

    /// What it shows at a true moment.
    pub(crate) fn at(self, time: u64) -> u64 {
        let ran = i128::from(time) * i128::from(1_000_000 + self.drift) / 1_000_000;
        self.offset + u64::try_from(ran).unwrap_or_default()
    }

    pub(crate) fn instant(self, time: u64) -> Instant {
        Instant::from_micros(self.at(time))
    }

    /// The first true moment at which it shows at least this.
    pub(crate) fn when(self, shown: Instant) -> u64 {
        let ran = i128::from(shown.as_micros().saturating_sub(self.offset));
        let time = ran * 1_000_000 / i128::from(1_000_000 + self.drift);
        let mut time = u64::try_from(time).unwrap_or(u64::MAX);
        while time < u64::MAX && self.at(time) < shown.as_micros() {
            time += 1;
        }
        time
    }

    /// It has stood still for so long.
    pub(crate) const fn stood_still(&mut self, micros: u64) {
        self.offset = self.offset.saturating_sub(micros);
    }
}
