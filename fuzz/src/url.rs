//! Where servers are, as users write it: read and written again it is the same, and no secret shows.

use core::error::Error;
use core::fmt::Write;

use redlatch_client::{Address, ConfigError, Endpoint};
use redlatch_component::{
    ConfigParams, ConnectionParams, CredentialParams, RedisLock, blocking::RedisLock as Blocking,
};
use redlatch_core::Protocol;

use crate::choices::Choices;

/// Stands where a password may; then it is looked for wherever something is shown.
const SECRET: &str = "S3cr3tCanary";

/// Reads the input as a URL, as a list of them, and as configuration.
///
/// # Panics
/// A property does not hold.
pub fn url(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    check_url(&text);
    check_list(&text);
    check_config(&text);

    let mut choices = Choices::new(data);
    let shape = choices.byte();
    let rest = String::from_utf8_lossy(choices.take_all()).into_owned();
    check_secret(&with_secret(shape, &rest), usize::from(shape / 8));
    check_tcp(&rest, u16::from(shape) << 8 | u16::from(shape));
}

fn check_url(text: &str) {
    let endpoint = match text.parse::<Endpoint>() {
        Ok(endpoint) => endpoint,
        Err(error) => return check_mistake(error),
    };
    let shown = format!("{endpoint}");
    assert_eq!(shown, display(endpoint.address()));
    assert_eq!(format!("{endpoint:?}"), format!("Endpoint({shown})"));
    assert!(!endpoint.is_encrypted(), "TLS is off in this build");
    let login = endpoint.login(Protocol::Resp3, None);
    assert_eq!(login.username, endpoint.username());
    assert_eq!(login.password, endpoint.password().map(|password| password.expose()));
    assert_eq!(login.database, endpoint.database().unwrap_or(0));
    assert!(login.username.is_none() || login.password.is_some(), "a user has a password");

    let written = write_url(&endpoint);
    let again: Endpoint = written.parse().unwrap_or_else(|error| panic!("{written}: {error}"));
    assert_eq!(again.address(), endpoint.address(), "{written}");
    assert_eq!(again.username(), endpoint.username(), "{written}");
    assert_eq!(again.password().map(|it| it.expose()), login.password, "{written}");
    assert_eq!(again.database(), endpoint.database(), "{written}");
}

/// It speaks of the kind of mistake alone. So it is the same text for every input.
fn check_mistake(error: ConfigError) {
    let says = error.to_string();
    assert!((20..200).contains(&says.len()) && !says.contains('\n'));
    let of_urls = [
        ConfigError::Url,
        ConfigError::Scheme,
        ConfigError::Tls,
        ConfigError::NoHost,
        ConfigError::Host,
        ConfigError::Port,
        ConfigError::Database,
        ConfigError::NoPassword,
        ConfigError::SocketPath,
        ConfigError::Parameter,
        ConfigError::Fragment,
    ];
    assert!(of_urls.contains(&error), "{error:?} is no mistake of a URL");
}

fn display(address: &Address) -> String {
    match address {
        Address::Tcp { host, port } => {
            assert!(*port != 0 && !host.is_empty());
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        }
        Address::Unix(path) => {
            assert!(path.is_absolute());
            let shown = format!("unix:{}", path.to_string_lossy().escape_debug());
            assert!(!shown.contains(['\n', '\r', '\0']), "one line");
            shown
        }
        other => panic!("a new kind of address: {other:?}"),
    }
}

/// The shortest URL that means the same, with all that can be encoded encoded.
fn write_url(endpoint: &Endpoint) -> String {
    let user = encoded(endpoint.username().unwrap_or_default());
    let password = endpoint.password().map(|password| encoded(password.expose()));
    match endpoint.address() {
        Address::Unix(path) => {
            let mut url = format!("unix://{}", encoded_path(path));
            let mut mark = '?';
            let mut add = |name: &str, value: String| {
                write!(url, "{mark}{name}={value}").expect("room");
                mark = '&';
            };
            if let Some(database) = endpoint.database() {
                add("db", database.to_string());
            }
            if endpoint.username().is_some() {
                add("user", user);
            }
            if let Some(password) = password {
                add("password", password);
            }
            url
        }
        address => {
            let login = password.map(|password| format!("{user}:{password}@"));
            let database = endpoint.database().map(|database| format!("/{database}"));
            let (login, database) = (login.unwrap_or_default(), database.unwrap_or_default());
            format!("redis://{login}{}{database}", display(address))
        }
    }
}

fn encoded(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("%{byte:02x}")).collect()
}

fn encoded_path(path: &std::path::Path) -> String {
    let bytes = path.as_os_str().as_encoded_bytes();
    bytes.iter().map(|byte| if *byte == b'/' { "/".into() } else { encoded(&[*byte]) }).collect()
}

/// A list is its parts, and the first mistake is the mistake of the list.
fn check_list(text: &str) {
    let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
    let singly: Result<Vec<Endpoint>, ConfigError> = parts.map(str::parse).collect();
    let show = |list: Result<Vec<Endpoint>, ConfigError>| format!("{list:?}");
    assert_eq!(show(Endpoint::parse_list(text)), show(singly));
}

/// A host by itself: what is accepted is shown as it is, and means the same in a URL where it can stand there.
fn check_tcp(host: &str, port: u16) {
    match Endpoint::tcp(host, port) {
        Ok(endpoint) => {
            let shown = display(endpoint.address());
            assert_eq!(*endpoint.address(), Address::Tcp { host: host.to_owned(), port });
            assert!(!shown.contains(char::is_whitespace) && !shown.contains(char::is_control));
            if let Ok(same) = format!("redis://{shown}").parse::<Endpoint>() {
                assert_eq!(same.address(), endpoint.address());
            }
        }
        Err(error) => check_mistake(error),
    }
}

/// Parameters written as text are the same when they are read.
fn check_config(text: &str) {
    let config = ConfigParams::from_string(text);
    let parts = config.iter().map(|(key, value)| match value {
        Some(value) => format!("{key}={value}"),
        None => key.to_owned(),
    });
    let written = parts.collect::<Vec<_>>().join(";");
    assert!(ConfigParams::from_string(&written) == config, "{written:?}");
    assert_eq!(config.to_map().len(), config.len());

    let mut nested = ConfigParams::new();
    nested.add_section("a.b", &config);
    assert!(nested.get_section("a.b") == config, "a section is what was put into it");
    assert_eq!(nested.section_names().len(), usize::from(!config.is_empty()));
    assert!(config.override_with(&config) == config && config.with_defaults(&config) == config);

    use_config(&config, |_| {});
}

/// Everything that reads parameters reads these. What it says about them goes to `seen`.
fn use_config(config: &ConfigParams, mut seen: impl FnMut(&str)) {
    seen(&format!("{config:?}"));
    for outcome in [RedisLock::new().configure(config), Blocking::new().configure(config)] {
        if let Err(error) = outcome {
            see(&error, &mut seen);
        }
    }
    match ConnectionParams::many_from_config(config) {
        Ok(connections) => connections.iter().for_each(|connection| {
            seen(&format!("{connection:?}"));
            match connection.address() {
                Ok(Some(address)) => assert!(!display(&address).is_empty()),
                Ok(None) => {}
                Err(error) => see(&error, &mut seen),
            }
        }),
        Err(error) => see(&error, &mut seen),
    }
    match CredentialParams::many_from_config(config) {
        Ok(credentials) => credentials.iter().for_each(|credential| {
            seen(&format!("{credential:?}"));
            seen(&format!("{:?}", credential.password()));
            if let Err(error) = credential.username() {
                see(&error, &mut seen);
            }
        }),
        Err(error) => see(&error, &mut seen),
    }
}

/// An error and all of its causes.
fn see(error: &dyn Error, seen: &mut impl FnMut(&str)) {
    let mut cause = Some(error);
    while let Some(error) = cause {
        seen(&format!("{error} {error:?}"));
        cause = error.source();
    }
}

/// A secret in a place of secrets, and around it what the input says.
fn with_secret(shape: u8, rest: &str) -> String {
    let (head, tail) = rest.split_at(rest.floor_char_boundary(rest.len() / 2));
    match shape % 8 {
        0 => format!("redis://{head}:{SECRET}@{tail}"),
        1 => format!("redis://:{SECRET}@{rest}"),
        2 => format!("unix:///{head}?password={SECRET}&{tail}"),
        3 => format!("redis://{head}:{SECRET}{tail}"),
        4 => format!("{head}://u:{SECRET}@h/{tail}"),
        5 => format!("redis://u:{SECRET}%{rest}@h"),
        6 => format!("redis://u:{SECRET}@h:{rest}"),
        _ => format!("redis://u:{SECRET}@h/0#{rest}"),
    }
}

fn check_secret(url: &str, place: usize) {
    let mut hidden = |text: &str| assert!(!text.contains(SECRET), "shown: {text}");
    match url.parse::<Endpoint>() {
        // A password that ended up in the host is none: `redis://a@S3cr3tCanary` has no colon before the at.
        Ok(endpoint) if is_password(&endpoint) => hidden(&format!("{endpoint} {endpoint:?}")),
        Ok(_) => {}
        Err(error) => hidden(&format!("{error} {error:?}")),
    }
    if let Err(error) = Endpoint::parse_list(url) {
        hidden(&format!("{error} {error:?}"));
    }
    let credential = CredentialParams::from_username_and_password("user", SECRET);
    hidden(&format!("{credential:?} {:?}", credential.password()));

    let places = ["connection.uri", "uri", "credential.password", "connections.a.uri", "password"];
    let place = places[place % places.len()];
    let value = if place.ends_with("uri") { url } else { SECRET };
    let config = ConfigParams::from_tuples((place, value, "connection.port", "x"));
    use_config(&config, &mut hidden);
    // An address is shown, and what the input made the host of it is no secret.
    if url.parse::<Endpoint>().is_ok_and(|endpoint| is_password(&endpoint)) {
        use_config(&ConfigParams::from_tuples((place, value)), &mut hidden);
    }
}

fn is_password(endpoint: &Endpoint) -> bool {
    let password = endpoint.password().map(|password| password.expose()).unwrap_or_default();
    let shows = display(endpoint.address()).contains(SECRET);
    !shows && password.windows(SECRET.len()).any(|window| window == SECRET.as_bytes())
}
