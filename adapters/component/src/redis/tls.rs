//! The parameters `tls.*`.

use std::fs;

use redlatch_client::{ConfigError, Endpoint};

use crate::config::{ConfigParams, invalid};
use crate::error::Error;

const ENABLED: &str = "tls.enabled";
const CA: &str = "tls.ca";
const CERT: &str = "tls.cert";
const KEY: &str = "tls.key";

/// That connections are encrypted, whom to believe and who we are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tls(pub(crate) redlatch_client::Tls);

impl Tls {
    /// `None` when nothing asks for TLS. What is a file is read now.
    ///
    /// # Errors
    /// `INVALID_VALUE` for what cannot be read; `CONFIG_CONFLICT` for certificates of a connection
    /// that shall not be encrypted.
    pub(crate) fn from_config(config: &ConfigParams) -> Result<Option<Self>, Error> {
        let given = [CA, CERT, KEY].into_iter().find(|key| text(config, key).is_some());
        match (config.get_as_boolean(ENABLED)?, given) {
            (Some(false), Some(key)) => return Err(invalid::conflict(ENABLED, key)),
            (Some(false) | None, None) => return Ok(None),
            _ => {}
        }
        let mut tls = redlatch_client::Tls::new();
        if let Some(pem) = pem(config, CA)? {
            tls = tls.roots(&pem).map_err(|error| unreadable(CA, error))?;
        }
        match (pem(config, CERT)?, pem(config, KEY)?) {
            (None, None) => {}
            (Some(chain), Some(key)) => {
                tls = tls.identity(&chain, &key).map_err(|error| unreadable(CERT, error))?;
            }
            (None, Some(_)) => return Err(invalid::value(CERT, "given, because tls.key is")),
            (Some(_), None) => return Err(invalid::value(KEY, "given, because tls.cert is")),
        }
        Ok(Some(Self(tls)))
    }

    #[allow(clippy::unused_self, reason = "as the one that stands in where there is no TLS")]
    pub(crate) fn encrypt(&self, endpoint: Endpoint) -> Endpoint {
        endpoint.with_tls()
    }
}

fn text<'a>(config: &'a ConfigParams, key: &str) -> Option<&'a str> {
    config.get(key).map(str::trim).filter(|text| !text.is_empty())
}

/// PEM itself, or what is in the file of that name.
fn pem(config: &ConfigParams, key: &'static str) -> Result<Option<Vec<u8>>, Error> {
    match text(config, key) {
        None => Ok(None),
        Some(pem) if pem.starts_with("-----BEGIN") => Ok(Some(pem.as_bytes().to_vec())),
        Some(path) => fs::read(path).map(Some).map_err(|error| {
            invalid::value(key, "PEM, or a file that can be read: see the cause").with_cause(error)
        }),
    }
}

fn unreadable(key: &str, error: ConfigError) -> Error {
    invalid::value(key, "PEM that can be read: see the cause").with_cause(error)
}
