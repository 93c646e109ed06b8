//! What stands in for TLS where it is not built in: a type without a value.

use redlatch_client::Endpoint;

use crate::config::ConfigParams;
use crate::context::shown;
use crate::error::{Category, Error, code};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Tls {}

impl Tls {
    /// # Errors
    /// `INVALID_VALUE` when something asks for TLS.
    pub(crate) fn from_config(config: &ConfigParams) -> Result<Option<Self>, Error> {
        let enabled = config.get_as_boolean("tls.enabled")?;
        let is_set = |key: &str, text: Option<&str>| match key {
            "tls.enabled" => enabled == Some(true),
            _ => key.starts_with("tls.") && text.is_some_and(|text| !text.trim().is_empty()),
        };
        match config.iter().find(|(key, text)| is_set(key, *text)) {
            None => Ok(None),
            Some((key, _)) => Err(not_built_in(key)),
        }
    }

    pub(crate) const fn encrypt(&self, _endpoint: Endpoint) -> Endpoint {
        match *self {}
    }
}

fn not_built_in(key: &str) -> Error {
    let message = format!(
        "The parameter {} asks for TLS, which is not built in; turn the feature tls of \
         redlatch-component on",
        shown(key)
    );
    Error::new(Category::Misconfiguration, code::INVALID_VALUE, message).with_detail("key", key)
}
