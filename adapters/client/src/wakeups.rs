//! Whom to wake once no mutex is held.

use core::task::Waker;
use std::sync::Arc;

use crate::error::Error;
use crate::session::{Call, Session};
use crate::trace;

/// Whom to wake, and what to tell, once no mutex is held.
#[derive(Default)]
#[must_use]
pub(crate) struct Wakeups {
    sessions: Vec<(Arc<Session>, Call)>,
    wakers: Vec<Waker>,
    news: Option<News>,
}

/// What became of a connection.
pub(crate) enum News {
    Connected,
    /// There is none; whether that is new.
    NotConnected(Error, bool),
}

impl Wakeups {
    pub(crate) fn session(&mut self, session: Arc<Session>, call: Call) {
        if !matches!(call, Call::Nobody) {
            self.sessions.push((session, call));
        }
    }

    pub(crate) fn waker(&mut self, waker: Option<Waker>) {
        self.wakers.extend(waker);
    }

    pub(crate) fn news(&mut self, news: News) {
        self.news = Some(news);
    }

    /// Leaves its room for the next time.
    pub(crate) fn wake(&mut self, server: &str) {
        match self.news.take() {
            Some(News::Connected) => trace::connected(server),
            Some(News::NotConnected(error, new)) => trace::not_connected(server, &error, new),
            None => {}
        }
        match self.sessions.len() {
            1 => self.sessions.pop().into_iter().for_each(|(session, call)| session.call(call)),
            _ => self.sessions.drain(..).for_each(|(session, call)| session.call(call)),
        }
        self.wakers.drain(..).for_each(Waker::wake);
    }
}
