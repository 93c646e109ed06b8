//! What the server and the operating system tell, and where they let us run.

use core::time::Duration;
use std::collections::BTreeMap;
use std::io;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeVal;
use redlatch_testkit::server::Inspector;

use crate::processor::keep;

/// Calls of each command since the start of the server.
pub(crate) struct Calls(BTreeMap<String, u64>);

impl Calls {
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

/// Processor time of the server since its start, by its own account.
pub(crate) fn server_time(inspector: &mut Inspector) -> io::Result<Duration> {
    let text = inspector.command(&["INFO", "cpu"])?.text();
    let of = |name: &str| -> Option<f64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line?.strip_prefix(':')?.trim().parse().ok()
    };
    let all = of("used_cpu_user").zip(of("used_cpu_sys"));
    let (user, system) = all.ok_or_else(|| io::Error::other("a server without INFO cpu"))?;
    Ok(Duration::from_secs_f64(user + system))
}

/// Processor time of all threads of this process.
#[derive(Clone, Copy, Default)]
pub(crate) struct Processor {
    pub(crate) user: Duration,
    pub(crate) system: Duration,
}

impl Processor {
    pub(crate) fn used() -> io::Result<Self> {
        let usage = getrusage(UsageWho::RUSAGE_SELF)?;
        Ok(Self { user: duration(usage.user_time()), system: duration(usage.system_time()) })
    }

    pub(crate) fn since(self, before: Self) -> Self {
        // The kernel estimates the parts, and may take a little back.
        Self {
            user: self.user.saturating_sub(before.user),
            system: self.system.saturating_sub(before.system),
        }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self { user: self.user + other.user, system: self.system + other.system }
    }
}

fn duration(time: TimeVal) -> Duration {
    Duration::new(time.tv_sec().unsigned_abs(), time.tv_usec() as u32 * 1_000)
}

/// Which processors this process and the server keep to.
pub(crate) struct Pins {
    /// Nothing is pinned without.
    server: Option<u32>,
}

impl Pins {
    pub(crate) fn none() -> Self {
        Self { server: None }
    }

    /// Keeps this thread, and those that it starts later, on one processor.
    pub(crate) fn set(server: Option<u32>) -> Self {
        Self { server: server.filter(|_| keep(None, 0)) }
    }

    /// Puts the server on our processor or on another one. Says what came of it.
    pub(crate) fn place(&self, together: bool) -> &'static str {
        match (self.server, together) {
            (Some(server), true) if keep(Some(server), 0) => "one processor for both",
            (Some(server), false) if keep(Some(server), 1) => "server on a processor of its own",
            _ => "not pinned",
        }
    }
}
