//! Who takes and releases in tasks.

use core::time::Duration;
use std::sync::Arc;

use fred::clients::Client as FredClient;
use fred::interfaces::{ClientLike, KeysInterface, LuaInterface};
use fred::types::config::{Config, TcpConfig};
use fred::types::{Builder, Expiration, SetOptions};
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Script};
use redlatch_futures::{Client, Runtime};
use redlatch_smol::Smol;
use redlatch_tokio::Tokio;
use rustis::client::Client as RustisClient;
use rustis::commands::{ScriptingCommands, SetCondition, SetExpiration, StringCommands};

use crate::token::Token;

pub(crate) const TTL: Duration = Duration::from_secs(30);
const TTL_MS: u64 = TTL.as_millis() as u64;

/// What the usual lock library releases with.
pub(crate) const RELEASE: &str = "if redis.call('GET',KEYS[1])==ARGV[1] then \
    return redis.call('DEL',KEYS[1]) else return 0 end";

/// Takes a key and releases it, and panics unless both were done.
pub(crate) trait Contender: Clone + Send + Sync + 'static {
    fn cycle(&mut self, key: &str) -> impl Future<Output = ()> + Send;
}

/// A client of redlatch, on any runtime.
pub(crate) struct Redlatch<R: Runtime>(Client<R>);

impl<R: Runtime> Clone for Redlatch<R> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

pub(crate) type OnTokio = Redlatch<Tokio>;

impl OnTokio {
    pub(crate) async fn connect(url: &str) -> Self {
        Self(redlatch_tokio::Client::connect(url).await.expect("connected"))
    }
}

pub(crate) async fn smol(url: &str) -> Redlatch<Smol> {
    Redlatch(redlatch_smol::Client::connect(url).await.expect("connected"))
}

impl<R: Runtime> Contender for Redlatch<R> {
    async fn cycle(&mut self, key: &str) {
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
    async fn cycle(&mut self, key: &str) {
        let lock = self.0.lock(key, TTL).await.expect("taken");
        self.0.unlock(&lock).await;
    }
}

/// Bare commands through the `redis` crate.
#[derive(Clone)]
pub(crate) struct Multiplexed {
    connection: MultiplexedConnection,
    script: Arc<Script>,
}

impl Multiplexed {
    pub(crate) async fn connect(url: &str) -> Self {
        let client = redis::Client::open(url).expect("a URL");
        let connection = client.get_multiplexed_async_connection().await.expect("connected");
        Self { connection, script: Arc::new(Script::new(RELEASE)) }
    }
}

impl Contender for Multiplexed {
    async fn cycle(&mut self, key: &str) {
        let token = Token::fresh();
        let taken = claim(key, &token).query_async::<bool>(&mut self.connection).await;
        assert!(taken.expect("claimed"));
        let mut release = self.script.prepare_invoke();
        release.key(key).arg(token.text());
        let deleted = release.invoke_async::<u8>(&mut self.connection).await;
        assert_eq!(deleted.expect("released"), 1);
    }
}

pub(crate) fn claim(key: &str, token: &Token) -> Cmd {
    let mut set = Cmd::new();
    set.arg("SET").arg(key).arg(token.text()).arg("NX").arg("PX").arg(TTL_MS);
    set
}

/// Bare commands through `fred`.
#[derive(Clone)]
pub(crate) struct Fred {
    client: FredClient,
    digest: fred::bytes_utils::Str,
}

impl Fred {
    pub(crate) async fn connect(url: &str) -> Self {
        let url = if url.starts_with("unix:") { format!("redis+{url}") } else { url.to_owned() };
        let mut builder = Builder::from_config(Config::from_url(&url).expect("a URL"));
        // The others turn Nagle's algorithm off unasked.
        builder.with_connection_config(|config| {
            config.tcp = TcpConfig { nodelay: Some(true), ..TcpConfig::default() };
        });
        let client = builder.build().expect("configured");
        client.init().await.expect("connected");
        let digest: String = client.script_load(RELEASE).await.expect("loaded");
        Self { client, digest: digest.into() }
    }
}

impl Contender for Fred {
    async fn cycle(&mut self, key: &str) {
        let (client, token) = (&self.client, Token::fresh());
        let expiration = Some(Expiration::PX(TTL_MS.cast_signed()));
        let set = client.set(key, token.text(), expiration, Some(SetOptions::NX), false);
        let taken: Option<String> = set.await.expect("claimed");
        assert_eq!(taken.as_deref(), Some("OK"));
        let release = client.evalsha(self.digest.clone(), key, token.text());
        let deleted: u8 = release.await.expect("released");
        assert_eq!(deleted, 1);
    }
}

/// Bare commands through `rustis`.
#[derive(Clone)]
pub(crate) struct Rustis {
    client: RustisClient,
    digest: Arc<str>,
}

impl Rustis {
    pub(crate) async fn connect(url: &str) -> Self {
        let client = RustisClient::connect(url).await.expect("connected");
        let digest: String = client.script_load(RELEASE).await.expect("loaded");
        Self { client, digest: digest.into() }
    }
}

impl Contender for Rustis {
    async fn cycle(&mut self, key: &str) {
        let (client, token) = (&self.client, Token::fresh());
        let expiration = SetExpiration::Px(TTL_MS);
        let set = client.set_with_options(key, token.text(), SetCondition::NX, expiration);
        assert!(set.await.expect("claimed"));
        let release = client.evalsha::<u8>(&*self.digest, key, token.text());
        assert_eq!(release.await.expect("released"), 1);
    }
}
