//! One lock from its taking to its end.

use core::time::Duration;

use redlatch_bare::{Error, Instant, Loss, Retry};

use crate::client::{Client, Guard};
use crate::journal::{Ending, Journal};
use crate::orders::Orders;

/// Between two rounds, and between two looks whether the lock is lost.
const PAUSE: Duration = Duration::from_millis(10);

/// Does what is ordered. Keys that are still owed afterwards are the adapter's business.
pub async fn run<C: Client>(client: &C, orders: &Orders<'_>, journal: &Journal) -> Ending {
    // A network takes its time; a lock that is wanted at once does not wait for it.
    if let Err(error) = client.connect().await {
        return journal.failed(&error);
    }
    loop {
        let ending = round(client, orders, journal).await;
        if orders.again.is_none_or(|again| again <= journal.elapsed()) {
            return ending;
        }
        client.wait(PAUSE).await;
    }
}

async fn round<C: Client>(client: &C, orders: &Orders<'_>, journal: &Journal) -> Ending {
    let retry = orders.wait.map_or(Retry::NONE, Retry::until);
    let guard = match client.lock(orders.key, orders.ttl, retry).await {
        Ok(guard) => guard,
        Err(error) => return journal.failed(&error),
    };
    journal.acquired(guard.validity());
    match hold(client, guard, orders, journal).await {
        Ok(true) => journal.released(),
        // It ran out on the server while the release was on its way.
        Ok(false) => journal.lost(Loss::Expired),
        Err(error) => journal.failed(&error),
    }
}

/// Holds it for as long as ordered, and gives it back.
async fn hold<C: Client>(
    client: &C,
    mut guard: C::Guard<'_>,
    orders: &Orders<'_>,
    journal: &Journal,
) -> Result<bool, Error> {
    let until = journal.now().saturating_add(orders.hold);
    let next = |now: Instant| orders.extend.map(|interval| now.saturating_add(interval));
    let mut extend_at = next(journal.now());
    loop {
        let now = journal.now();
        if let Some(loss) = guard.loss() {
            return Err(Error::Lost(loss));
        }
        if until <= now {
            return guard.release().await;
        }
        if extend_at.is_some_and(|due| due <= now) {
            journal.extended(guard.extend().await?);
            extend_at = next(now);
        }
        client.wait(PAUSE.min(until.saturating_since(now))).await;
    }
}
