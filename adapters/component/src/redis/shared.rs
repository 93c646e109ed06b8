//! The state of a lock on a server, for both faces.

use core::time::Duration;
use std::sync::{Arc, Mutex};

use redlatch_client::{Detached, os};
use redlatch_core::{Drift, Instant, Ttl};

use super::books::{Books, Taken};
use super::settings::Settings;
use super::wiring::Wiring;
use super::wrap;
use crate::error::Error;
use crate::sync::lock;

/// A lock that a client keeps.
pub(crate) trait Guard {
    fn detach(self) -> Option<Detached>;
}

impl Guard for redlatch_tokio::Guard {
    fn detach(self) -> Option<Detached> {
        Self::detach(self)
    }
}

impl Guard for redlatch_std::Guard {
    fn detach(self) -> Option<Detached> {
        Self::detach(self)
    }
}

/// What a face keeps: a client `C` while it is open, and locks `G`.
#[derive(Debug)]
pub(crate) struct Shared<C, G: Guard> {
    pub(crate) wiring: Arc<Wiring>,
    state: Mutex<State<C, G>>,
}

#[derive(Debug)]
struct State<C, G> {
    opened: Option<(C, Settings)>,
    /// How often it was closed: what was begun before is of no use after.
    closes: u64,
    books: Books<G>,
}

/// The open component, as one call sees it.
#[derive(Debug)]
pub(crate) struct Opened<C> {
    pub(crate) client: C,
    pub(crate) settings: Settings,
    closes: u64,
}

/// A component that is being closed.
#[derive(Debug)]
pub(crate) struct Closing<C> {
    pub(crate) client: C,
    pub(crate) release: bool,
}

impl<C: Clone, G: Guard> Shared<C, G> {
    pub(crate) fn new(wiring: Arc<Wiring>) -> Self {
        let state = State { opened: None, closes: 0, books: Books::default() };
        Self { wiring, state: Mutex::new(state) }
    }

    pub(crate) fn is_open(&self) -> bool {
        lock(&self.state).opened.is_some()
    }

    /// How often it was closed; [`Shared::install`] wants to know.
    pub(crate) fn closes(&self) -> u64 {
        lock(&self.state).closes
    }

    /// Opens with this client, unless it is open already, when the client is given back to be shut
    /// down.
    ///
    /// # Errors
    /// `NOT_OPENED` when it was closed since `closes`; the client comes with it.
    pub(crate) fn install(
        &self,
        client: C,
        settings: &Settings,
        closes: u64,
    ) -> Result<Option<C>, (C, Error)> {
        let mut state = lock(&self.state);
        if state.closes != closes {
            return Err((client, wrap::closed()));
        }
        if state.opened.is_some() {
            return Ok(Some(client));
        }
        state.opened = Some((client, settings.clone()));
        Ok(None)
    }

    /// # Errors
    /// `NOT_OPENED`.
    pub(crate) fn opened(&self) -> Result<Opened<C>, Error> {
        let state = lock(&self.state);
        let (client, settings) = state.opened.clone().ok_or_else(wrap::not_opened)?;
        Ok(Opened { client, settings, closes: state.closes })
    }

    /// Notes a lock that was just acquired.
    ///
    /// # Errors
    /// `NOT_OPENED` when the component was closed meanwhile: the lock is given back.
    pub(crate) fn enter(
        &self,
        opened: &Opened<C>,
        key: &str,
        ttl: Ttl,
        guard: G,
    ) -> Result<(), Error> {
        let now = os::now();
        let mut state = lock(&self.state);
        if state.closes != opened.closes || state.opened.is_none() {
            drop(state);
            drop(guard);
            return Err(wrap::closed());
        }
        let over = state.books.enter(key, expiry(ttl, now), Taken::Held(guard), now);
        drop(state);
        drop(over);
        Ok(())
    }

    /// Takes a lock out of the books, to release it.
    ///
    /// # Errors
    /// `NOT_OPENED`.
    pub(crate) fn take(&self, key: &str) -> Result<Option<(C, Taken<G>)>, Error> {
        let mut state = lock(&self.state);
        let (client, _) = state.opened.as_ref().ok_or_else(wrap::not_opened)?;
        let client = client.clone();
        Ok(state.books.take(key).map(|taken| (client, taken)))
    }

    /// Closes. Locks that are held stay so and can be released after the next open, or are dropped,
    /// which lets the client give them back before it ends. `None` when it was closed already.
    pub(crate) fn close(&self) -> Option<Closing<C>> {
        let mut state = lock(&self.state);
        // An opening that is under way ends as well.
        state.closes = state.closes.wrapping_add(1);
        let (client, settings) = state.opened.take()?;
        let held = state.books.take_held();
        drop(state);
        if settings.release_on_close {
            drop(held);
        } else {
            self.keep(held);
        }
        Some(Closing { client, release: settings.release_on_close })
    }
}

impl<C, G: Guard> Shared<C, G> {
    /// Guards write when they let go: not under the mutex.
    fn keep(&self, held: Vec<(Arc<str>, Instant, G)>) {
        for (key, until, guard) in held {
            let Some(detached) = guard.detach() else { continue };
            let now = os::now();
            let over = lock(&self.state).books.enter(&key, until, Taken::Detached(detached), now);
            drop(over);
        }
    }
}

/// Like a close: what is held stays held.
impl<C, G: Guard> Drop for Shared<C, G> {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        let releases = state.opened.as_ref().is_some_and(|(_, it)| it.release_on_close);
        let held = state.books.take_held();
        drop(state);
        if !releases {
            self.keep(held);
        }
    }
}

/// When a key has surely expired that was set before `now`.
fn expiry(ttl: Ttl, now: Instant) -> Instant {
    let after = |moment: Instant, span: Duration| moment.saturating_add(span);
    after(after(after(now, ttl.as_duration()), Drift::DEFAULT.of(ttl)), Settings::REPLY_TIMEOUT)
}

#[cfg(test)]
mod tests {
    use super::{Guard, Shared};
    use crate::config::ConfigParams;
    use crate::redis::settings::Settings;
    use core::sync::atomic::{AtomicU32, Ordering};
    use redlatch_client::Detached;
    use redlatch_core::Ttl;
    use std::sync::Arc;

    /// Counts guards that let go without giving back, and others that are dropped.
    #[derive(Debug, Default)]
    struct Counts {
        detached: AtomicU32,
        dropped: AtomicU32,
    }

    #[derive(Debug)]
    struct Fake(Arc<Counts>);

    impl Guard for Fake {
        fn detach(self) -> Option<Detached> {
            self.0.detached.fetch_add(1, Ordering::SeqCst);
            None
        }
    }

    impl Drop for Fake {
        fn drop(&mut self) {
            self.0.dropped.fetch_add(1, Ordering::SeqCst);
        }
    }

    impl Counts {
        /// Detached ones are dropped as well.
        fn get(&self) -> (u32, u32) {
            let detached = self.detached.load(Ordering::SeqCst);
            (detached, self.dropped.load(Ordering::SeqCst) - detached)
        }
    }

    fn ttl() -> Ttl {
        Ttl::from_millis(60_000).expect("a ttl")
    }

    fn settings(text: &str) -> Settings {
        Settings::from_config(&ConfigParams::from_string(text)).expect(text)
    }

    fn open(text: &str) -> Shared<&'static str, Fake> {
        let shared = Shared::new(Arc::default());
        assert_eq!(shared.install("first", &settings(text), 0).expect("not closed"), None);
        shared
    }

    #[test]
    fn the_second_client_is_superfluous() {
        let shared = open("");
        let second = shared.install("second", &settings(""), 0).expect("not closed");
        assert_eq!(second, Some("second"));
        assert_eq!(shared.opened().expect("open").client, "first");
    }

    #[test]
    fn what_was_opened_before_a_close_is_not_installed_after_it() {
        let shared = open("");
        let closes = shared.closes();
        assert!(shared.close().is_some() && shared.close().is_none());
        let (client, error) = shared.install("late", &settings(""), closes).expect_err("closed");
        assert_eq!((client, error.code()), ("late", "NOT_OPENED"));
        assert!(!shared.is_open());
    }

    #[test]
    fn what_was_acquired_before_a_close_is_given_back_after_it() {
        let (shared, counts) = (open(""), Arc::<Counts>::default());
        let opened = shared.opened().expect("open");
        assert!(shared.close().is_some());
        for reopened in [false, true] {
            if reopened {
                let closes = shared.closes();
                assert!(shared.install("next", &settings(""), closes).is_ok());
            }
            let guard = Fake(Arc::clone(&counts));
            let error = shared.enter(&opened, "key", ttl(), guard).expect_err("closed since");
            assert_eq!(error.code(), "NOT_OPENED");
        }
        assert_eq!(counts.get(), (0, 2));
    }

    #[test]
    fn closing_and_dropping_release_only_if_told_to() {
        for (text, expected) in
            [("options.release_on_close=no", (2, 0)), ("options.release_on_close=yes", (0, 2))]
        {
            for closes in [true, false] {
                let (shared, counts) = (open(text), Arc::<Counts>::default());
                let opened = shared.opened().expect("open");
                for key in ["a", "b"] {
                    let guard = Fake(Arc::clone(&counts));
                    shared.enter(&opened, key, ttl(), guard).expect("open");
                }
                assert_eq!(counts.get(), (0, 0));
                if closes {
                    assert_eq!(shared.close().expect("open").release, expected.0 == 0);
                }
                drop(shared);
                assert_eq!(counts.get(), expected, "{text} {closes}");
            }
        }
    }
}
