//! The servers that the demo runs on: models in this process, or those that are given.

use redlatch_testkit::model::{ModelServer, Settings};

use crate::act::Waiting;
use crate::options::Options;

/// What locks ask.
const COMMANDS: [&str; 9] = [
    "SET",
    "GET",
    "EVALSHA",
    "EVAL",
    "DELIFEQ",
    "DELEX",
    "PTTL",
    "CLIENT|TRACKING",
    "CLIENT|CACHING",
];

/// Servers, ready for clients.
pub(crate) struct Servers {
    urls: String,
    models: Vec<ModelServer>,
}

/// What stands above the picture.
pub(crate) struct Title {
    pub(crate) what: String,
    pub(crate) details: String,
}

impl Servers {
    /// Starts the models, unless servers are given.
    pub(crate) fn prepare(options: &Options) -> Result<Self, String> {
        if let Some(urls) = &options.server {
            return Ok(Self { urls: urls.clone(), models: Vec::new() });
        }
        let models = (0..options.models)
            .map(|seed| {
                ModelServer::with_settings(Settings { seed: seed.into(), ..Settings::default() })
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| format!("cannot start a model server: {error}"))?;
        let urls: Vec<_> = models.iter().map(ModelServer::url).collect();
        Ok(Self { urls: urls.join(","), models })
    }

    pub(crate) fn urls(&self) -> &str {
        &self.urls
    }

    /// Commands that the models were asked, from clients and not from inside scripts. `None` where
    /// there are no models.
    pub(crate) fn commands(&self) -> Option<u64> {
        let asked = |model: &ModelServer| {
            model.with(|server| COMMANDS.map(|name| server.command_count(name)).iter().sum::<u64>())
        };
        (!self.models.is_empty()).then(|| self.models.iter().map(asked).sum())
    }

    pub(crate) fn title(&self, options: &Options, waiting: Waiting) -> Title {
        let count = self.urls.split(',').count();
        let what = format!(
            "{} on one lock{}: {}",
            if options.workers == 1 {
                "1 worker".to_owned()
            } else {
                format!("{} workers take turns", options.workers)
            },
            if count > 1 {
                format!(", held by a majority of {count} servers")
            } else {
                String::new()
            },
            waiting.describe()
        );
        let servers = match self.models.len() {
            0 => addresses(&self.urls),
            1 => "a model server inside this process".to_owned(),
            models => format!("{models} model servers inside this process"),
        };
        let (key, ttl) = (options.key.escape_default(), options.ttl().as_millis());
        Title { what, details: format!("on {servers}, key {key}, ttl {ttl} ms") }
    }
}

/// The URLs without what may be secret: users, passwords and queries.
fn addresses(urls: &str) -> String {
    let address = |url: &str| {
        let bare = url.split_once("://").map_or(url, |(_, rest)| rest);
        let bare = bare.rsplit_once('@').map_or(bare, |(_, rest)| rest);
        bare.split_once('?').map_or(bare, |(rest, _)| rest).to_owned()
    };
    urls.split(',').map(address).collect::<Vec<_>>().join(", ")
}
