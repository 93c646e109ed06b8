//! What the parent says.

use core::sync::atomic::{AtomicBool, Ordering};
use std::io::{self, BufRead, BufReader};
use std::process;
use std::sync::Arc;
use std::thread;

/// What the parent has said until now.
#[derive(Clone)]
pub(crate) struct Orders {
    /// URLs of the single server, and of the group.
    pub(crate) urls: [String; 2],
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    quiet: AtomicBool,
    stop: AtomicBool,
}

impl Orders {
    /// Waits for the URLs, and listens from then on.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut lines = BufReader::new(io::stdin()).lines();
        let first = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
        let (single, quorum) = first.split_once(' ').ok_or(io::ErrorKind::InvalidData)?;
        let urls = [single.to_owned(), quorum.to_owned()];
        let state = Arc::<State>::default();
        let orders = Self { urls, state: Arc::clone(&state) };
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                match line.as_str() {
                    "quiet" => state.quiet.store(true, Ordering::Relaxed),
                    _ => state.stop.store(true, Ordering::Relaxed),
                }
            }
            // The parent is gone.
            process::exit(1);
        });
        Ok(orders)
    }

    /// Password and address of the single server.
    pub(crate) fn single(&self) -> (&str, &str) {
        let rest = self.urls[0].split_once("://:").and_then(|(_, rest)| rest.split_once('@'));
        rest.unwrap_or_default()
    }

    /// From now on nothing may be left behind.
    pub(crate) fn are_quiet(&self) -> bool {
        self.state.quiet.load(Ordering::Relaxed)
    }

    pub(crate) fn are_stop(&self) -> bool {
        self.state.stop.load(Ordering::Relaxed)
    }
}
