//! What this process uses.

use core::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Of all its threads, in user and system mode.
pub(crate) fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}
