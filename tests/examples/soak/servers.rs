//! The servers, each behind a proxy: three that decide by majority, and one for single locks.

use core::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use redlatch_testkit::proxy::Proxy;
use redlatch_testkit::server::{Kind, Server};

use crate::keys::PREFIX;

const QUORUM: [Kind; 3] = [Kind::Redis7, Kind::Redis8, Kind::Valkey9];
const SINGLE: Kind = Kind::Valkey9;

/// A script that runs for longer is busy, in milliseconds.
const BUSY_AFTER: &str = "20";

/// All of them.
pub(crate) struct Servers {
    /// The single one is the last.
    posts: Vec<Post>,
}

/// One server and the way to it.
pub(crate) struct Post {
    kind: Kind,
    /// Whether it may lose its data: a majority is left that knows.
    pub(crate) is_spare: bool,
    /// Whoever does something to it holds this meanwhile.
    server: Mutex<Server>,
    pub(crate) proxy: Proxy,
}

impl Servers {
    pub(crate) fn start(password: &str) -> Result<Self, String> {
        let spares = QUORUM.into_iter().map(|kind| Post::start(kind, true, password));
        let posts = spares.chain([Post::start(SINGLE, false, password)]);
        Ok(Self { posts: posts.collect::<Result<_, _>>()? })
    }

    /// URLs of the single server and of the group. Clients that believe a reply whatever was asked need
    /// a way without a proxy, which could spoil it.
    pub(crate) fn urls(&self, direct: bool) -> [String; 2] {
        let urls: Vec<_> = self.posts.iter().map(|post| post.url(direct)).collect();
        match urls.split_last() {
            Some((single, group)) => [single.clone(), group.join(",")],
            None => Default::default(),
        }
    }

    pub(crate) fn posts(&self) -> &[Post] {
        &self.posts
    }

    /// Keys of the soak that are left, on all servers.
    pub(crate) fn keys(&self) -> Result<Vec<String>, String> {
        let pattern = format!("{PREFIX}*");
        let mut left = Vec::new();
        for post in &self.posts {
            let keys = post.server().command(&["KEYS", &pattern]).map_err(|e| e.to_string())?;
            let names = keys.text();
            let names = names.lines().filter(|name| !name.is_empty());
            left.extend(names.map(|name| format!("{name} on {}", post.kind)));
        }
        Ok(left)
    }

    pub(crate) fn describe(&self) -> String {
        let kinds: Vec<_> = self.posts.iter().map(|post| post.kind.to_string()).collect();
        let (single, group) = kinds.split_last().map_or(("", &[][..]), |(s, g)| (s.as_str(), g));
        format!("majority of {}; single {single}", group.join(", "))
    }
}

impl Post {
    /// It writes every change before it answers, so that a kill loses nothing; it does not wait for the
    /// disk, because the machine goes on.
    fn start(kind: Kind, is_spare: bool, password: &str) -> Result<Self, String> {
        let arguments = ["--appendfsync", "no", "--lua-time-limit", BUSY_AFTER];
        let builder = Server::builder(kind).persistent().password(password).arguments(arguments);
        let server = builder.start().map_err(|error| error.to_string())?;
        let proxy = Proxy::start(server.address()).map_err(|error| format!("proxy: {error}"))?;
        Ok(Self { kind, is_spare, server: Mutex::new(server), proxy })
    }

    pub(crate) fn server(&self) -> MutexGuard<'_, Server> {
        self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `None`: something is being done to it.
    pub(crate) fn try_server(&self) -> Option<MutexGuard<'_, Server>> {
        self.server.try_lock().ok()
    }

    fn url(&self, direct: bool) -> String {
        let server = self.server();
        if direct {
            return server.url();
        }
        let (there, here) = (server.address().to_string(), self.proxy.address().to_string());
        server.url().replace(&there, &here)
    }
}

impl fmt::Display for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let role = if self.is_spare { "of the group" } else { "single" };
        write!(f, "{} ({role})", self.kind)
    }
}
