//! What the command line orders.

use core::time::Duration;

/// What the command line orders.
#[derive(Clone, Copy, Debug)]
pub struct Orders<'a> {
    /// The key, without blanks.
    pub key: &'a str,
    /// The ttl of the key.
    pub ttl: Duration,
    /// How long to hold the lock.
    pub hold: Duration,
    /// How long to wait for it; `None` is a single attempt.
    pub wait: Option<Duration>,
    /// Extend it after each of these: a third of its ttl.
    pub extend: Option<Duration>,
    /// Let the client renew it.
    pub renew: bool,
    /// Begin anew until so much time has passed.
    pub again: Option<Duration>,
    /// The port of the server, for firmware with a network.
    pub port: Option<u16>,
}

impl<'a> Orders<'a> {
    /// Reads a command line; its first word is the name of the firmware. `None` where it is wrong.
    #[must_use]
    pub fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace().skip(1);
        let key = words.next()?;
        let ttl: u64 = words.next()?.parse().ok()?;
        let mut orders = Self {
            key,
            ttl: Duration::from_millis(ttl),
            hold: millis(words.next()?)?,
            wait: None,
            extend: None,
            renew: false,
            again: None,
            port: None,
        };
        while let Some(word) = words.next() {
            match word {
                "--extend" => orders.extend = Some(Duration::from_millis(ttl / 3)),
                "--renew" => orders.renew = true,
                "--wait" => orders.wait = Some(millis(words.next()?)?),
                "--again" => orders.again = Some(millis(words.next()?)?),
                "--port" => orders.port = Some(words.next()?.parse().ok()?),
                _ => return None,
            }
        }
        Some(orders)
    }
}

fn millis(word: &str) -> Option<Duration> {
    word.parse().ok().map(Duration::from_millis)
}
