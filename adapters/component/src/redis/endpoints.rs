//! From parameters to servers: address, login, database and encryption from wherever they are.

use redlatch_client::{Endpoint, Secret};

use super::settings::{DB_NUM, Settings};
use crate::auth::CredentialParams;
use crate::config::invalid;
use crate::connect::ConnectionParams;
use crate::error::Error;

/// The server of a connection. What the URI leaves open is filled by the credential and the options.
///
/// # Errors
/// `CONFIG_CONFLICT` when they say different things; `INVALID_VALUE` for what is malformed.
pub(crate) fn endpoint(
    connection: &ConnectionParams,
    credential: Option<&CredentialParams>,
    settings: &Settings,
) -> Result<Endpoint, Error> {
    let (endpoint, is_uri) = addressed(connection)?;
    let endpoint = named(endpoint, connection, settings)?;
    let endpoint = match credential {
        Some(credential) => logged_in(endpoint, connection, credential)?,
        None => endpoint,
    };
    match &settings.tls {
        Some(_) if is_uri && !endpoint.is_encrypted() => {
            Err(invalid::conflict(&connection.key("uri"), "tls.enabled"))
        }
        Some(tls) => Ok(tls.encrypt(endpoint)),
        None => Ok(endpoint),
    }
}

fn addressed(connection: &ConnectionParams) -> Result<(Endpoint, bool), Error> {
    if let Some(endpoint) = connection.endpoint()? {
        return Ok((endpoint, true));
    }
    let (host, port) = (connection.host()?.unwrap_or_default(), connection.port()?);
    let port = port.unwrap_or(ConnectionParams::DEFAULT_PORT);
    let endpoint = Endpoint::tcp(host, port).map_err(|error| {
        invalid::value(&connection.key("host"), "a host: see the cause").with_cause(error)
    })?;
    Ok((endpoint, false))
}

fn named(
    endpoint: Endpoint,
    connection: &ConnectionParams,
    settings: &Settings,
) -> Result<Endpoint, Error> {
    match (endpoint.database(), settings.db_num) {
        (Some(one), Some(two)) if one != two => {
            Err(invalid::conflict(&connection.key("uri"), DB_NUM))
        }
        (None, Some(database)) => Ok(endpoint.with_database(database)),
        _ => Ok(endpoint),
    }
}

fn logged_in(
    endpoint: Endpoint,
    connection: &ConnectionParams,
    credential: &CredentialParams,
) -> Result<Endpoint, Error> {
    let (username, password) = (credential.username()?, credential.password()?);
    let differs = |one: Option<&[u8]>, two: Option<&[u8]>| matches!((one, two), (Some(one), Some(two)) if one != two);
    let conflict = |name| invalid::conflict(&connection.key("uri"), &credential.key(name));
    if differs(endpoint.username(), username.map(str::as_bytes)) {
        return Err(conflict("username"));
    }
    let own = endpoint.password().map(Secret::expose);
    if differs(own, password.as_ref().map(Secret::expose)) {
        return Err(conflict("password"));
    }
    let own = own.map(|password| Secret::new(password.to_vec()));
    match (username, own.or(password)) {
        // The URI has the user already.
        (None, Some(password)) if endpoint.username().is_some() => {
            let username = String::from_utf8_lossy(endpoint.username().unwrap_or_default());
            let username = username.into_owned();
            Ok(endpoint.with_login(Some(&username), password))
        }
        (username, Some(password)) => Ok(endpoint.with_login(username, password)),
        (_, None) => Ok(endpoint),
    }
}
