//! The command line.

use core::fmt;
use core::time::Duration;
use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use redlatch_testkit::server::Kind;

use crate::kind::kind;

/// Waiters hand a lock over; a foreign client gives it back; a holder dies; waiters sleep.
#[derive(Debug, Parser)]
#[command(name = "handover", max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    pub(crate) role: Option<Role>,
    #[command(flatten)]
    pub(crate) run: Run,
    /// What cargo adds.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The program starts itself again for its workers.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    #[command(hide = true)]
    Worker(Worker),
}

#[derive(Debug, Args)]
pub(crate) struct Worker {
    pub(crate) make: Make,
    pub(crate) url: String,
}

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Hand-overs between waiters
    Turns,
    /// Releases by other clients
    Released,
    /// Keys that expire
    Expired,
    /// What sleeping waiters cost
    Asleep,
}

/// Who contends. The first of those that are asked for is what the others are compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Make {
    RedlatchTokio,
    RedlatchStd,
    Rslock,
    RedisPy,
    NodeRedlock,
}

impl Make {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::RedlatchTokio => "redlatch-tokio",
            Self::RedlatchStd => "redlatch-std",
            Self::Rslock => "rslock",
            Self::RedisPy => "redis-py",
            Self::NodeRedlock => "node-redlock",
        }
    }
}

impl fmt::Display for Make {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Run {
    /// What to measure
    #[arg(long, value_delimiter = ',', default_values_t = Part::value_variants().to_vec())]
    pub(crate) parts: Vec<Part>,
    /// The server: redis-7.0, valkey-9.1 and so on
    #[arg(long, default_value = "redis-7.0", value_parser = kind)]
    pub(crate) server: Kind,
    /// Who contends
    #[arg(long, value_delimiter = ',', default_values_t = Make::value_variants().to_vec())]
    pub(crate) makes: Vec<Make>,
    /// Waiters on the key
    #[arg(long, value_delimiter = ',', default_values_t = [2, 16, 100], value_parser = some())]
    pub(crate) waiters: Vec<usize>,
    /// Processes that they are spread over
    #[arg(long, value_delimiter = ',', default_values_t = [1, 4], value_parser = some())]
    pub(crate) processes: Vec<usize>,
    /// Keep the server and all clients on one processor
    #[arg(long)]
    pub(crate) one_processor: bool,
    /// Where to draw the hand-overs
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Rounds of each, besides one that counts commands
    #[arg(long, default_value_t = 3)]
    pub(crate) rounds: usize,
    /// Length of a round
    #[arg(long, default_value_t = 700)]
    millis: u64,
    /// Releases by other clients, and keys that expire, of each kind
    #[arg(long, default_value_t = 40)]
    pub(crate) samples: usize,
}

fn some() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..=1_000)
}

impl Run {
    pub(crate) const fn length(&self) -> Duration {
        Duration::from_millis(self.millis)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Turns => "turns",
            Self::Released => "released",
            Self::Expired => "expired",
            Self::Asleep => "asleep",
        })
    }
}
