//! Where whoever has released waits until somebody else has the lock.

use tokio::sync::watch::Sender;

#[derive(Default)]
pub(super) struct Gate(Sender<State>);

#[derive(Default)]
struct State {
    /// When the last holder that was heard of had the lock.
    latest: u64,
    ended: bool,
}

impl Gate {
    pub(super) fn next(&self, at: u64) {
        self.0.send_modify(|state| state.latest = state.latest.max(at));
    }

    pub(super) fn end(&self) {
        self.0.send_modify(|state| state.ended = true);
    }

    pub(super) fn is_ended(&self) -> bool {
        self.0.borrow().ended
    }

    /// Waits for a later turn than this, or for the end. Whether it was the end.
    pub(super) async fn later_than(&self, took: u64) -> bool {
        let mut watching = self.0.subscribe();
        let reached = watching.wait_for(|state| state.ended || state.latest > took).await;
        reached.map_or(true, |state| state.ended)
    }
}
