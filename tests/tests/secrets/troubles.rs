//! Servers that do not let us in, and what every adapter says then.

use core::any::Any;
use core::time::Duration;

use redlatch_futures::{Client, Error, Runtime};
use redlatch_testkit::model::{Fault, ModelServer, Rule};
use redlatch_testkit::proxy::{Behaviour, Proxy};
use redlatch_testkit::server::{Builder, Kind, Server};

use super::exhibits::{ENCODED, Exhibits, PASSWORD};
use crate::async_faces::{AsyncStd, Face, Smol, Tokio};

const TIMEOUT: Duration = Duration::from_millis(300);

/// A URL with the password, where nobody is let in.
pub(crate) struct Trouble {
    pub(crate) what: String,
    pub(crate) url: String,
    _servers: Vec<Box<dyn Any>>,
}

fn start(builder: Builder) -> Server {
    builder.start().unwrap_or_else(|error| panic!("{error}"))
}

fn of_servers(kind: Kind) -> Vec<Trouble> {
    let with = |what: &str, login: &str, server: Server| Trouble {
        what: format!("{kind}, {what}"),
        url: format!("redis://{login}@{}", server.address()),
        _servers: vec![Box::new(server)],
    };
    let plain = || Server::builder(kind);
    let without = |command: &str| plain().arguments(["--rename-command", command, ""]);
    let (ours, user) = (format!(":{ENCODED}"), format!("nobody:{ENCODED}"));
    let long = format!(":{ENCODED}{}", "y".repeat(200));
    let strange = || without("HELLO").arguments(["--rename-command", "AUTH", ""]);
    vec![
        with("a wrong password", &ours, start(plain().password("another"))),
        with("an unknown user", &user, start(plain())),
        with("no HELLO", &ours, start(without("HELLO").password("another"))),
        // They repeat the arguments of commands that they do not know, and cut them.
        with("no login", &ours, start(strange())),
        with("no login, a long password", &long, start(strange())),
        with("a replica", &ours, start(plain().arguments(["--replicaof", "127.0.0.1", "1"]))),
        with("no TLS", &ours, start(plain())).over_tls(),
    ]
}

impl Trouble {
    fn over_tls(mut self) -> Self {
        self.url = self.url.replace("redis://", "rediss://").replace("127.0.0.1", "localhost");
        self
    }
}

fn of_the_network() -> Vec<Trouble> {
    let target = ModelServer::start().expect("a port");
    let behind = |what: &str, behaviour| {
        let proxy = Proxy::start(target.addr().expect("a port")).expect("a port");
        proxy.set(behaviour).expect("carried out");
        let url = proxy.url().replace("//", &format!("//:{ENCODED}@"));
        Trouble { what: what.to_owned(), url, _servers: vec![Box::new(proxy)] }
    };
    let mut troubles = vec![
        behind("silence", Behaviour::HALF_OPEN),
        behind("a reset", Behaviour::REJECT),
        behind("nobody listens", Behaviour::REFUSE),
    ];
    for reply in [
        format!("-ERR what is {PASSWORD}\r\n"),
        format!("+{PASSWORD}\r\n"),
        format!("{PASSWORD}\r\n"),
        format!("-{PASSWORD}\r\n"),
        format!("-WRONGPASS {PASSWORD} is wrong\r\n"),
        format!("%1\r\n$5\r\nproto\r\n+{PASSWORD}\r\n"),
        format!("HTTP/1.1 400 {PASSWORD}\r\n\r\n"),
    ] {
        let model = ModelServer::start().expect("a port");
        let rude = Fault::Raw(reply.clone().into_bytes());
        model.with(|server| server.fail(Rule::next(rude).forever()));
        let url = model.url().replace("//", &format!("//:{ENCODED}@"));
        troubles.push(Trouble { what: format!("{reply:?}"), url, _servers: vec![Box::new(model)] });
    }
    let nowhere = [
        format!("redis://:{ENCODED}@no.such.host.invalid"),
        format!("rediss://:{ENCODED}@no.such.host.invalid"),
        format!("unix:///nowhere/socket?password={ENCODED}"),
    ];
    let nowhere = nowhere.map(|url| Trouble { what: url.clone(), url, _servers: Vec::new() });
    troubles.extend(nowhere);
    troubles
}

pub(crate) fn all() -> Vec<Trouble> {
    Kind::ALL.into_iter().flat_map(of_servers).chain(of_the_network()).collect()
}

fn std_error(url: &str) -> Error {
    let builder = redlatch_std::Client::builder().server(url).connect_timeout(TIMEOUT);
    builder.connect().map(drop).expect_err(url)
}

async fn error<R: Runtime>(url: &str) -> Error {
    let builder = Client::<R>::builder().server(url).connect_timeout(TIMEOUT);
    builder.connect().await.map(drop).expect_err(url)
}

fn error_on<F: Face>(url: &str) -> Error {
    F::start().block_on(error::<F::Runtime>(url))
}

/// Also as the message of a panic: `unwrap` shows what `Debug` does.
#[test]
fn who_is_not_let_in_says_no_secret() {
    let mut exhibits = Exhibits::open();
    for trouble in all() {
        let url = &*trouble.url;
        for (adapter, error) in [
            ("std", std_error(url)),
            ("tokio", error_on::<Tokio>(url)),
            ("smol", error_on::<Smol>(url)),
            ("async-std", error_on::<AsyncStd>(url)),
        ] {
            let what =
                format!("{adapter}, {}", trouble.what.replace(PASSWORD, "").replace(ENCODED, ""));
            exhibits.error(&what, &error);
            exhibits.unwrap(&what, error);
        }
    }
    assert!(exhibits.log().contains("not connected"), "the log tells it");
    exhibits.close();
}
