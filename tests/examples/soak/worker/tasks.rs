//! Lanes that are tasks, on the adapters of the async runtimes.

use core::future::{Future, poll_fn};
use core::pin::pin;
use core::task::Poll;
use core::time::Duration;
use std::sync::Arc;

use redlatch_futures::{Client, Error, Guard, Loss, Retry, Runtime};
use smol::channel;
use smol::future::or;

use super::diary::{kind, lost};
use super::lane::{RECONNECT, SHUTDOWN, SLICE, Shared};
use super::script::{Act, Ending, Hold, Script};
use super::stay::Stay;
use crate::clock;
use crate::keys::{Group, name};
use crate::line::Line;

/// Works until the end. Whether everything was given back.
pub(crate) async fn work<R: Runtime + Clone>(shared: Shared) -> Result<bool, String> {
    let shared = Arc::new(shared);
    let runtime = R::current().map_err(|error| error.to_string())?;
    let single = connect::<R>(&shared, Group::Single).await.map_err(|e| e.to_string())?;
    let quorum = connect::<R>(&shared, Group::Quorum).await.map_err(|e| e.to_string())?;
    shared.diary.tell(&[Line::Ready]);
    let (working, ended) = channel::bounded::<()>(1);
    for (number, group, script) in shared.lanes() {
        let client = if group == Group::Single { single.clone() } else { quorum.clone() };
        let renewing = client.renewing(shared.renew());
        let (shared, working) = (Arc::clone(&shared), working.clone());
        let lane = Lane { number, shared, client, renewing, runtime: runtime.clone() };
        runtime.spawn(async move {
            lane.run(script).await;
            drop(working);
        });
    }
    drop(working);
    // Nobody ever sends: it fails when the last lane is gone.
    let _ = ended.recv().await;
    Ok(single.shutdown(SHUTDOWN).await & quorum.shutdown(SHUTDOWN).await)
}

async fn connect<R: Runtime>(shared: &Shared, group: Group) -> Result<Client<R>, Error> {
    let builder = Client::<R>::builder()
        .servers(shared.url(group))
        .protocol(shared.protocol())
        .reply_timeout(shared.reply_timeout())
        .reconnect(RECONNECT.0, RECONNECT.1);
    match shared.restart_delay(group) {
        Some(delay) => builder.restart_delay(delay).connect().await,
        None => builder.connect().await,
    }
}

struct Lane<R> {
    number: u64,
    shared: Arc<Shared>,
    client: Client<R>,
    renewing: Client<R>,
    runtime: R,
}

impl<R: Runtime> Lane<R> {
    async fn run(&self, mut script: Script) {
        while !self.shared.orders.are_stop() {
            let act = script.next();
            let got = match act.cancel {
                Some(time) => self.cancelled(time, self.acquire(&act)).await,
                None => self.acquire(&act).await,
            };
            if let Some((guard, stay)) = got {
                self.hold(&act, guard, stay).await;
            }
            self.runtime.sleep(act.rest).await;
        }
    }

    /// Drops the future after this time, if it has not ended by then.
    async fn cancelled<T>(
        &self,
        time: Duration,
        work: impl Future<Output = Option<T>>,
    ) -> Option<T> {
        let cancel = async {
            self.runtime.sleep(time).await;
            self.shared.diary.tell(&[Line::Count("cancelled".to_owned())]);
            None
        };
        or(work, cancel).await
    }

    async fn acquire(&self, act: &Act) -> Option<(Guard, Stay<'_>)> {
        let client = if let Hold::Renewing(_) = act.hold { &self.renewing } else { &self.client };
        let (key, ttl) = (name(act.key), self.shared.worker.ttl());
        let asked = clock::now();
        let stay = |waited| Stay::begin(&self.shared, act.key, asked, waited);
        let failed = match client.try_lock(&*key, ttl).await {
            Ok(Some(guard)) => return Some((guard, stay(false))),
            Ok(None) => match act.patience {
                Some(patience) => match wait(client, &key, ttl, patience).await {
                    Ok(guard) => return Some((guard, stay(true))),
                    Err(error) => kind(&error),
                },
                None => "held",
            },
            Err(error) => kind(&error),
        };
        self.shared.diary.tell(&[Line::Count(failed.to_owned())]);
        None
    }

    async fn hold(&self, act: &Act, mut guard: Guard, mut stay: Stay<'_>) {
        stay.count("acquired");
        match act.hold {
            Hold::Once(time) => {
                self.update(time, &guard, &mut stay).await;
            }
            Hold::Renewing(time) => self.stay(time, &mut guard, &mut stay, false).await,
            Hold::Extending(time) => self.stay(time, &mut guard, &mut stay, true).await,
        }
        let loss = guard.loss();
        if let Some(loss) = loss {
            stay.count(lost(loss));
        }
        stay.leave(|| guard.validity(), guard.loss());
        let word = match act.ending {
            Ending::Forget if !self.shared.orders.are_quiet() => {
                core::mem::forget(guard);
                "forgotten"
            }
            Ending::Release => match guard.release().await {
                Ok(true) => "released",
                Ok(false) => "not-ours",
                Err(error) => kind(&error),
            },
            Ending::ReleaseAndGo => {
                poll_once(guard.release()).await;
                "release-dropped"
            }
            Ending::Drop | Ending::Forget => {
                drop(guard);
                "dropped"
            }
        };
        let deleted = matches!(loss, Some(Loss::Deleted | Loss::Stolen));
        stay.end(word, deleted || word == "not-ours");
    }

    /// Updates the counter again and again, until the time is over or the lock is lost.
    async fn stay(&self, time: Duration, guard: &mut Guard, stay: &mut Stay<'_>, extending: bool) {
        let begun = clock::now();
        let (third, mut extended) = (self.shared.worker.ttl() / 3, begun);
        while clock::since(begun) < time && !self.shared.orders.are_stop() {
            if !self.update(SLICE, guard, stay).await {
                return;
            }
            if extending && clock::since(extended) > third {
                extended = clock::now();
                let told = guard.extend().await;
                stay.count(told.map_or_else(|error| kind(&error), |_| "extended"));
            }
        }
    }

    async fn update(&self, time: Duration, guard: &Guard, stay: &mut Stay<'_>) -> bool {
        let Some(read) = stay.read() else { return false };
        self.runtime.sleep(time).await;
        stay.write(self.number, read, || guard.validity())
    }
}

async fn wait<R: Runtime>(
    client: &Client<R>,
    key: &str,
    ttl: Duration,
    patience: Retry,
) -> Result<Guard, Error> {
    client.lock_with(key, ttl, patience).await
}

async fn poll_once<F: Future>(work: F) {
    let mut work = pin!(work);
    poll_fn(|context| {
        let _ = work.as_mut().poll(context);
        Poll::Ready(())
    })
    .await;
}
