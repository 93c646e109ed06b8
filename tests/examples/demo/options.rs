//! The command line.

use core::time::Duration;
use std::env;
use std::io::{self, IsTerminal};

use clap::Parser;

use crate::act::Waiting;
use crate::adapter::Adapter;

/// Workers that fit on a screen and in one process.
const MOST_WORKERS: i64 = 99;
/// One day.
const LONGEST: u64 = 86_400;

/// Several workers take turns on one lock, and you watch: first they poll, then they are woken, then they
/// stand in line in one client.
///
/// Without a server, a model of a Redis server runs inside this process.
#[derive(Clone, Debug, Parser)]
#[command(name = "demo", version, max_term_width = 100)]
pub(crate) struct Options {
    /// Run on these servers: redis://[user:password@]host[:port][/db] or unix:///path, several
    /// separated by commas
    #[arg(long, env = "REDLATCH_URL", hide_env_values = true, value_name = "URL[,URL]")]
    pub(crate) server: Option<String>,
    /// Use so many model servers instead of one: the lock then needs a majority of them
    #[arg(
        long,
        default_value_t = 1,
        value_parser = clap::value_parser!(u8).range(1..=9),
        value_name = "N",
        conflicts_with = "server"
    )]
    pub(crate) models: u8,
    /// How many workers contend
    #[arg(
        long,
        default_value_t = 5,
        value_parser = clap::value_parser!(u16).range(1..=MOST_WORKERS),
        value_name = "N"
    )]
    pub(crate) workers: u16,
    /// How long to run, all ways of waiting together
    #[arg(
        long,
        default_value_t = 9,
        value_parser = clap::value_parser!(u64).range(1..=LONGEST),
        value_name = "S"
    )]
    seconds: u64,
    /// When the server frees a lock whose holder is gone
    #[arg(
        long,
        default_value_t = 2000,
        value_parser = clap::value_parser!(u64).range(10..=3_600_000),
        value_name = "MS"
    )]
    ttl: u64,
    /// How long a worker holds the lock, about
    #[arg(
        long,
        default_value_t = 150,
        value_parser = clap::value_parser!(u64).range(0..=3_600_000),
        value_name = "MS"
    )]
    hold: u64,
    /// The key to lock
    #[arg(long, default_value = "redlatch:demo")]
    pub(crate) key: String,
    /// Which client to use
    #[arg(long, value_enum, default_value_t = Adapter::Std)]
    pub(crate) adapter: Adapter,
    /// Show one way of waiting only
    #[arg(long, value_enum)]
    waiting: Option<Waiting>,
    /// Print lines instead of drawing
    #[arg(long)]
    plain: bool,
}

impl Options {
    /// The ways of waiting that are shown, one after the other.
    pub(crate) fn acts(&self) -> &[Waiting] {
        self.waiting.as_ref().map_or(Waiting::ALL, core::slice::from_ref)
    }

    /// Of each of them.
    pub(crate) fn length(&self) -> Duration {
        let acts = u32::try_from(self.acts().len()).unwrap_or(1);
        Duration::from_secs(self.seconds) / acts
    }

    pub(crate) const fn ttl(&self) -> Duration {
        Duration::from_millis(self.ttl)
    }

    pub(crate) const fn hold(&self) -> Duration {
        Duration::from_millis(self.hold)
    }

    /// Whether a picture can be drawn: on a terminal that knows how to move its cursor.
    pub(crate) fn draws(&self) -> bool {
        !self.plain
            && io::stdout().is_terminal()
            && env::var_os("TERM").is_some_and(|term| term != "dumb")
    }
}
