//! What the server and the operating system tell.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io;

use redlatch_testkit::server::Inspector;
use rustix::time::{ClockId, clock_gettime};

/// Calls of each command since the start of the server.
pub(crate) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(crate) fn of(inspector: &mut Inspector) -> io::Result<Self> {
        let text = inspector.command(&["INFO", "commandstats"])?.text();
        Ok(Self(text.lines().filter_map(calls).collect()))
    }

    /// As text: each command with its calls a cycle. What a script calls is among them.
    pub(crate) fn since(&self, before: &Self, cycles: usize) -> String {
        let each = self.0.iter().filter_map(|(name, &calls)| {
            let calls = calls - before.0.get(name).copied().unwrap_or(0);
            let rate = calls as f64 / cycles as f64;
            // Greetings, and our own look, are not of the cycles.
            (rate > 0.005).then(|| format!("{name} {rate:.2}"))
        });
        each.collect::<Vec<_>>().join(", ")
    }
}

/// `cmdstat_NAME:calls=N,..`
fn calls(line: &str) -> Option<(String, u64)> {
    let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
    let (calls, _) = rest.split_once(',')?;
    Some((name.to_owned(), calls.parse().ok()?))
}

/// Of all threads of this process, in user and system mode.
pub(crate) fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// Keeps this thread on one processor and the server on the same or another. Whether that was done.
#[cfg(target_os = "linux")]
pub(crate) fn pin(server: Option<u32>, together: bool) -> bool {
    use rustix::process::Pid;
    use rustix::thread::{CpuSet, sched_setaffinity};

    let server = server.and_then(|pid| Pid::from_raw(pid.cast_signed()));
    let on = |processor| {
        let mut set = CpuSet::new();
        set.set(processor);
        set
    };
    let theirs = on(usize::from(!together));
    server.is_some()
        && sched_setaffinity(None, &on(0)).is_ok()
        && sched_setaffinity(server, &theirs).is_ok()
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn pin(_: Option<u32>, _: bool) -> bool {
    false
}
