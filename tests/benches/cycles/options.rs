//! What can be chosen.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Parser, value_parser};
use redlatch_testkit::server::Kind;

const SERVERS: [(&str, Kind); 5] = [
    ("redis6", Kind::Redis6),
    ("redis7", Kind::Redis7),
    ("redis8.2", Kind::Redis8),
    ("redis8.6", Kind::Redis8_6),
    ("valkey9.1", Kind::Valkey9),
];

/// Lock and unlock, by redlatch and its peers, on one real server.
#[derive(Parser)]
pub(crate) struct Options {
    /// Contenders by the beginnings of their names, as `redlatch` or `redis,`; without any, all
    names: Vec<String>,

    /// Which server is started
    #[arg(long, default_value = "redis7", value_parser = servers())]
    pub(crate) server: Kind,

    /// Speaks to it over a unix socket instead of TCP
    #[arg(long)]
    pub(crate) unix: bool,

    /// Tasks at once, a table for each; contenders of threads leave it at 16
    #[arg(long, value_delimiter = ',', default_value = "1,16,64,1000", value_parser = count())]
    pub(crate) tasks: Vec<usize>,

    /// Timed rounds of each contender, instead of what fits in 40 seconds for a table, 3 to 15
    #[arg(long, value_parser = count())]
    pub(crate) rounds: Option<usize>,

    /// Cycles in a round, instead of what the first contender does in 0.3 seconds
    #[arg(long, value_parser = count())]
    pub(crate) cycles: Option<usize>,

    /// Threads of each tokio runtime: with more than one, nothing is pinned
    #[arg(long, default_value = "1", value_parser = count())]
    pub(crate) workers: usize,

    /// What cargo says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

impl Options {
    pub(crate) fn includes(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|begin| name.starts_with(begin))
    }
}

fn servers() -> impl TypedValueParser<Value = Kind> {
    PossibleValuesParser::new(SERVERS.map(|(name, _)| name)).map(|chosen| {
        let found = SERVERS.into_iter().find(|(name, _)| *name == chosen);
        found.expect("only these are possible").1
    })
}

fn count() -> impl TypedValueParser<Value = usize> {
    value_parser!(u64).range(1..=100_000).map(|count| count as usize)
}
