//! What all lanes of a process share.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;

use redlatch_core::{Protocol, Renew};

use super::diary::Diary;
use super::orders::Orders;
use super::script::Script;
use crate::counters::Counters;
use crate::keys::Group;
use crate::options::{Runtime, Worker};

/// Lanes of one process on one group, those that hold for long included.
const LANES: u64 = 6;
/// Those of them that hold for long.
const LONG: u64 = 1;

/// What connects again soon sees more faults.
pub(crate) const RECONNECT: (Duration, Duration) =
    (Duration::from_millis(5), Duration::from_millis(100));
/// What is owed at the end must be paid by then.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(10);
/// How often who holds for long looks whether it shall stop.
pub(crate) const SLICE: Duration = Duration::from_millis(20);

/// What all lanes of a process share.
pub(crate) struct Shared {
    pub(crate) worker: Worker,
    pub(crate) diary: Diary,
    pub(crate) orders: Orders,
    pub(crate) counters: Counters,
    ids: AtomicU64,
}

impl Shared {
    pub(crate) fn new(worker: Worker, diary: Diary, orders: Orders) -> io::Result<Self> {
        let counters = Counters::open(&worker.counters)?;
        Ok(Self { worker, diary, orders, counters, ids: AtomicU64::new(1) })
    }

    /// Number, group and turns of each lane.
    pub(crate) fn lanes(&self) -> Vec<(u64, Group, Script)> {
        let groups =
            Group::BOTH.into_iter().flat_map(|group| (0..LANES).map(move |at| (group, at)));
        groups
            .enumerate()
            .map(|(lane, (group, at))| {
                let lane = lane as u64;
                let seed = self.worker.seed ^ (self.worker.number << 32) ^ (lane << 16);
                (lane, group, Script::new(seed, group, at < LONG, self.worker.ttl()))
            })
            .collect()
    }

    pub(crate) fn url(&self, group: Group) -> &str {
        &self.orders.urls[usize::from(group == Group::Quorum)]
    }

    /// Servers of the group come back without their data: who was started more recently than a lock
    /// lives has no vote. The single server keeps its data.
    pub(crate) fn restart_delay(&self, group: Group) -> Option<Duration> {
        (group == Group::Quorum).then(|| self.worker.ttl())
    }

    /// Small against the ttl, so that a silent server is given up soon.
    pub(crate) fn reply_timeout(&self) -> Duration {
        self.worker.ttl() / 5
    }

    /// Both protocols have their worker.
    pub(crate) fn protocol(&self) -> Protocol {
        match self.worker.runtime {
            Runtime::Std | Runtime::Smol => Protocol::Resp2,
            _ => Protocol::default(),
        }
    }

    /// A forgotten guard stops renewing then.
    pub(crate) fn renew(&self) -> Renew {
        Renew { divisor: 3, most: Some(self.worker.ttl() * 4) }
    }

    /// Who writes has this time left.
    pub(crate) fn margin(&self) -> Duration {
        self.worker.ttl() / 5
    }

    /// A number for one write that no other has.
    pub(crate) fn id(&self, lane: u64) -> u64 {
        let count = self.ids.fetch_add(1, Ordering::Relaxed);
        ((self.worker.number + 1) << 56) | (lane << 48) | count
    }
}
