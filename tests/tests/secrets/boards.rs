//! Clients for microcontrollers, with the password in their memory.

use core::time::Duration;

use redlatch_embassy::{EmbassyTime, share};
use redlatch_embedded::{Client, Fixed, Login, Options, Polled};
use redlatch_testkit::board::{Dialled, Entropy, Socket, block_on, micros};
use redlatch_testkit::server::{Kind, Server};

use super::exhibits::{Exhibits, PASSWORD};

const TTL: Duration = Duration::from_secs(30);

fn server(kind: Kind, password: &str) -> Server {
    let server = Server::builder(kind).password(password).start();
    server.unwrap_or_else(|error| panic!("{error}"))
}

const LOGIN: Login<'static> = Login { password: Some(PASSWORD.as_bytes()), ..Login::NONE };

#[test]
fn a_blocking_board_shows_no_secret() {
    let mut exhibits = Exhibits::open();
    for kind in Kind::ALL {
        for right in [true, false] {
            let server = server(kind, if right { PASSWORD } else { "another" });
            let socket = Socket::connect(server.address()).expect("it listens");
            let memory = Fixed::<1, 2, 256, 24>::new([&LOGIN]);
            exhibits.debug("memory", &LOGIN);
            let streams = [Polled::new(socket)];
            let client = Client::new(memory, streams, micros, Entropy, &Options::DEFAULT);
            let client = client.expect("randomness");
            exhibits.debug("a client", &client);
            match client.try_lock(b"key", TTL) {
                Ok(guard) => {
                    let guard = guard.expect("free");
                    assert!(right);
                    exhibits.debug("a guard", &guard);
                    assert!(guard.release().expect("answered"));
                }
                Err(error) => {
                    assert!(!right, "{error}");
                    exhibits.error("an error", &error);
                }
            }
            exhibits.debug("a client", &client);
            exhibits.debug("a fault", &client.fault());
        }
    }
    exhibits.close();
}

#[test]
fn an_async_board_shows_no_secret() {
    let mut exhibits = Exhibits::open();
    for kind in Kind::ALL {
        for right in [true, false] {
            let server = server(kind, if right { PASSWORD } else { "another" });
            let memory = Fixed::<1, 2, 256, 24>::new([&LOGIN]);
            let shared = share(memory, EmbassyTime, &mut Entropy, &Options::DEFAULT);
            let mut shared = shared.expect("randomness");
            let socket = Dialled::new(server.address());
            let (client, mut runner) = shared.split([socket], Entropy);
            exhibits.debug("a client", &client);
            block_on(runner.run_while(TTL, async {
                match client.try_lock(b"key", TTL).await {
                    Ok(guard) => {
                        let guard = guard.expect("free");
                        assert!(right);
                        exhibits.debug("a guard", &guard);
                        assert!(guard.release().await.expect("answered"));
                    }
                    Err(error) => {
                        assert!(!right, "{error}");
                        exhibits.error("an error", &error);
                    }
                }
                exhibits.debug("a client", &client);
            }));
        }
    }
    exhibits.close();
}
