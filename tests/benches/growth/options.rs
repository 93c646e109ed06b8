//! The command line.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use redlatch_testkit::server::Kind;

use crate::kind::kind;

/// What more locks and more waiters cost.
#[derive(Debug, Parser)]
#[command(name = "growth", max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    #[command(flatten)]
    pub(crate) run: Run,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The program starts itself again for every trial.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    #[command(hide = true)]
    Worker(Worker),
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    pub(crate) url: String,
    pub(crate) scene: Scene,
    pub(crate) count: usize,
    pub(crate) rest_millis: u64,
}

/// What there is much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scene {
    Held,
    OneKey,
    ManyKeys,
}

impl Scene {
    pub(crate) const fn title(self) -> &'static str {
        match self {
            Self::Held => "locks held and renewed",
            Self::OneKey => "waiters on one key",
            Self::ManyKeys => "waiters on a key each",
        }
    }
}

impl fmt::Display for Scene {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "held",
            Self::OneKey => "one-key",
            Self::ManyKeys => "many-keys",
        })
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// How many locks, or waiters
    #[arg(long, value_delimiter = ',', default_values_t = [1, 10, 100, 1_000, 10_000])]
    pub(crate) counts: Vec<usize>,
    /// Where to draw it
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// The server: redis-7.0, valkey-9.1 and so on
    #[arg(long, default_value = "redis-7.0", value_parser = kind)]
    pub(crate) server: Kind,
    /// Length of the rest
    #[arg(
        long,
        default_value_t = 3000,
        value_name = "MILLIS",
        value_parser = clap::value_parser!(u64).range(1..)
    )]
    pub(crate) rest: u64,
}

impl Run {
    pub(crate) const fn rest(&self) -> Duration {
        Duration::from_millis(self.rest)
    }
}
