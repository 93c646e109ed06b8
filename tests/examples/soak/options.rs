//! The command line.

use core::time::Duration;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// One day.
const LONGEST: u64 = 24 * 60;

/// Locks under load while servers, connections and workers fail, and everything is checked.
///
/// It starts its own servers: three that decide by majority and one for single locks.
///
/// Exit status: 0 pass, 1 a check failed, 2 void: too little happened to say.
#[derive(Debug, Parser)]
#[command(name = "soak", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    #[command(flatten)]
    pub(crate) run: Run,
}

/// The program starts itself again for its workers.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    #[command(hide = true)]
    Worker(Worker),
}

/// What a run is asked for.
#[derive(Clone, Debug, Args)]
pub(crate) struct Run {
    /// How long the faults go on
    #[arg(
        long,
        default_value_t = 3,
        value_parser = clap::value_parser!(u64).range(1..=LONGEST),
        value_name = "N"
    )]
    minutes: u64,
    /// Instead of minutes
    #[arg(long, hide = true)]
    seconds: Option<u64>,
    /// Repeats the plan of an earlier run
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Writes the report into this file as well
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Milliseconds between two faults; 0 is none
    #[arg(long, hide = true, default_value_t = 2000)]
    every: u64,
    /// Milliseconds that a lock lives
    #[arg(long, hide = true, default_value_t = 1000)]
    ttl: u64,
    /// Who works
    #[arg(long, hide = true, value_delimiter = ',', default_values_t = Runtime::ALL)]
    pub(crate) runtimes: Vec<Runtime>,
    /// Lets a worker cheat, to see that it is caught
    #[arg(long = "break", hide = true)]
    pub(crate) cheat: Option<Cheat>,
}

impl Run {
    pub(crate) fn length(&self) -> Duration {
        Duration::from_secs(self.seconds.unwrap_or(self.minutes.saturating_mul(60)))
    }

    /// Time between two faults. `None`: there are none.
    pub(crate) fn pace(&self) -> Option<Duration> {
        (self.every > 0).then(|| Duration::from_millis(self.every))
    }

    pub(crate) const fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl)
    }
}

/// What one worker process is told. The URLs come over its standard input: they hold a password.
#[derive(Clone, Debug, Args)]
pub(crate) struct Worker {
    #[arg(long)]
    pub(crate) runtime: Runtime,
    #[arg(long)]
    pub(crate) number: u64,
    #[arg(long)]
    pub(crate) seed: u64,
    #[arg(long)]
    ttl: u64,
    #[arg(long)]
    pub(crate) counters: PathBuf,
    #[arg(long = "break")]
    pub(crate) cheat: Option<Cheat>,
}

impl Worker {
    pub(crate) const fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl)
    }
}

/// What a worker process runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Runtime {
    Std,
    Tokio,
    Smol,
    AsyncStd,
    RedisPy,
}

impl Runtime {
    pub(crate) const ALL: [Self; 5] =
        [Self::Std, Self::Tokio, Self::Smol, Self::AsyncStd, Self::RedisPy];
}

/// What a worker does that a check must catch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Cheat {
    /// Believes in a lock that it was refused
    Exclusion,
    /// Writes without the lock
    Update,
    /// Leaves a key that expires
    Orphan,
    /// Leaves a key that does not expire in time
    Eternal,
    /// Deletes keys that others hold
    Delete,
    /// Uses more and more memory
    Memory,
    /// Opens more and more files
    Descriptors,
    /// Panics
    Panic,
    /// Says something on standard error
    Noise,
    /// Tells of an outcome that cannot be
    Unexpected,
    /// Ends before its time
    Death,
    /// Shows the password
    Secret,
    /// Tells the password to `tracing`
    Traced,
    /// Leaves out one class of faults
    Fault,
}

macro_rules! shown_as_written {
    ($($name:ty),*) => {$(
        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                let value = self.to_possible_value();
                f.write_str(value.as_ref().map_or("", |value| value.get_name()))
            }
        }
    )*};
}

shown_as_written!(Runtime, Cheat);
