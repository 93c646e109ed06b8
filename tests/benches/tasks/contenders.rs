//! Who takes and releases.

use core::time::Duration;
use std::sync::Arc;

use fred::clients::Client as FredClient;
use fred::interfaces::{ClientLike, KeysInterface, LuaInterface};
use fred::types::config::{Config, TcpConfig};
use fred::types::{Builder, Expiration, SetOptions};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Script};
use redlatch_core::script::RELEASE;
use redlatch_tokio::Client;

const TTL: Duration = Duration::from_secs(30);

/// Takes a key and releases it, and panics unless both were done.
pub(crate) trait Contender: Clone + Send + Sync + 'static {
    /// `number` is different for every cycle of one key.
    fn cycle(&mut self, key: &str, number: u64) -> impl Future<Output = ()> + Send;
}

#[derive(Clone)]
pub(crate) struct Redlatch(Client);

impl Redlatch {
    pub(crate) async fn connect(url: &str) -> Self {
        Self(Client::connect(url).await.expect("connected"))
    }
}

impl Contender for Redlatch {
    async fn cycle(&mut self, key: &str, _: u64) {
        let guard = self.0.lock(key, TTL).await.expect("taken");
        assert!(guard.release().await.expect("released"), "ours until now");
    }
}

#[derive(Clone)]
pub(crate) struct Rslock(rslock::LockManager);

impl Rslock {
    pub(crate) async fn connect(url: &str) -> Self {
        Self(rslock::LockManager::new(vec![url]))
    }
}

impl Contender for Rslock {
    /// Its release tells nothing: that the server is empty afterwards is all that is seen.
    async fn cycle(&mut self, key: &str, _: u64) {
        let lock = self.0.lock(key, TTL).await.expect("taken");
        self.0.unlock(&lock).await;
    }
}

/// Bare commands through the `redis` crate.
#[derive(Clone)]
pub(crate) struct Multiplexed {
    connection: MultiplexedConnection,
    script: Arc<Script>,
    /// Reads the key back in the same write, as redlatch does to prove the claim.
    reads: bool,
}

impl Multiplexed {
    pub(crate) async fn connect(url: &str, reads: bool) -> Self {
        let client = redis::Client::open(url).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await.expect("connected");
        Self { connection, script: Arc::new(Script::new(RELEASE.source())), reads }
    }
}

impl Contender for Multiplexed {
    async fn cycle(&mut self, key: &str, number: u64) {
        let token = token(number);
        let mut set = Cmd::new();
        set.arg("SET").arg(key).arg(&token).arg("NX").arg("PX").arg(TTL.as_millis() as u64);
        if self.reads {
            let mut both = redis::pipe();
            both.add_command(set).cmd("GET").arg(key);
            let claimed = both.query_async(&mut self.connection).await;
            let (taken, shown): (bool, String) = claimed.expect("claimed");
            assert!(taken && shown == token);
        } else {
            let taken: bool = set.query_async(&mut self.connection).await.expect("claimed");
            assert!(taken);
        }
        let mut release = self.script.prepare_invoke();
        release.key(key).arg(&token);
        let shown: String = release.invoke_async(&mut self.connection).await.expect("released");
        assert_eq!(shown, token);
    }
}

/// Bare commands through `fred`.
#[derive(Clone)]
pub(crate) struct Fred {
    client: FredClient,
    digest: fred::bytes_utils::Str,
}

impl Fred {
    pub(crate) async fn connect(url: &str) -> Self {
        let mut builder = Builder::from_config(Config::from_url(url).expect("a URL"));
        // The others turn Nagle's algorithm off unasked.
        builder.with_connection_config(|config| {
            config.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
        });
        let client = builder.build().expect("configured");
        client.init().await.expect("connected");
        let digest: String = client.script_load(RELEASE.source()).await.expect("loaded");
        Self { client, digest: digest.into() }
    }
}

impl Contender for Fred {
    async fn cycle(&mut self, key: &str, number: u64) {
        let (client, token) = (&self.client, token(number));
        let expiration = Some(Expiration::PX(TTL.as_millis() as i64));
        let set = client.set(key, token.as_str(), expiration, Some(SetOptions::NX), false);
        let taken: Option<String> = set.await.expect("claimed");
        assert_eq!(taken.as_deref(), Some("OK"));
        let release = client.evalsha(self.digest.clone(), key, token.as_str());
        let shown: String = release.await.expect("released");
        assert_eq!(shown, token);
    }
}

/// Cheaper than drawing one, which a lock cannot spare itself.
fn token(number: u64) -> String {
    format!("{number:040x}")
}
