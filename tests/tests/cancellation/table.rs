//! The public futures.

use core::future::Future;
use core::pin::Pin;
use core::time::Duration;

use redlatch_core::{Loss, Renew};
use redlatch_futures::{Client, Delay, Error, Guard, Retry, Runtime};
use smol::future::{poll_once, zip};

use crate::async_faces::{LONG, sleep, urls};
use crate::moment::{Moment, run_until};
use crate::world::{World, patient};

/// A public future: it is prepared, dropped at the moment, and what must hold at once is asserted.
/// Says whether it was done before.
pub(crate) struct Case<R: Runtime> {
    pub(crate) name: &'static str,
    /// Whether it makes connections of its own.
    pub(crate) connects: bool,
    pub(crate) run: for<'a> fn(&'a World<R>, &'a str, Moment) -> Run<'a>,
}

type Run<'a> = Pin<Box<dyn Future<Output = bool> + 'a>>;

pub(crate) fn cases<R: Runtime>() -> Vec<Case<R>> {
    macro_rules! cases {
        ($($connects:literal $name:ident;)+) => {
            vec![$(Case {
                name: stringify!($name),
                connects: $connects,
                run: |world, key, moment| Box::pin($name(world, key, moment)),
            }),+]
        };
    }
    cases! {
        true connect;
        false try_lock;
        false try_lock_of_a_taken_lock;
        false lock;
        false lock_with_until_it_is_free;
        false lock_with_until_the_deadline;
        false lock_behind_a_holder;
        false lock_in_front_of_another;
        false extend;
        false lost;
        false run;
        false release;
        true shutdown;
    }
}

async fn connect<R: Runtime>(world: &World<R>, _: &str, moment: Moment) -> bool {
    world.trouble();
    let urls = urls(&world.servers);
    let connected = run_until(Client::<R>::connect(&urls), moment).await;
    if let Some(connected) = &connected {
        assert!(connected.is_ok() || !world.weather.is_harmless(), "{connected:?}");
    }
    connected.is_some()
}

async fn try_lock<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    world.trouble();
    let tried = run_until(world.client.try_lock(key, LONG), moment).await;
    if let Some(tried) = &tried {
        let got = matches!(tried, Ok(Some(guard)) if guard.is_valid());
        assert!(got || !world.weather.is_harmless(), "{tried:?}");
    }
    tried.is_some()
}

async fn try_lock_of_a_taken_lock<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    world.steal(key, LONG);
    world.trouble();
    let tried = run_until(world.client.try_lock(key, LONG), moment).await;
    if let Some(tried) = &tried {
        let denied = matches!(tried, Ok(None));
        assert!(denied || (tried.is_err() && !world.weather.is_harmless()), "{tried:?}");
    }
    world.give_back_stolen(key);
    tried.is_some()
}

async fn lock<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    world.trouble();
    let locked = run_until(world.client.lock(key, LONG), moment).await;
    assert!(locked.as_ref().is_none_or(Result::is_ok), "{locked:?}");
    locked.is_some()
}

async fn lock_with_until_it_is_free<R: Runtime>(
    world: &World<R>,
    key: &str,
    moment: Moment,
) -> bool {
    world.steal(key, Duration::from_millis(8));
    world.trouble();
    let locked = run_until(world.client.lock_with(key, LONG, patient()), moment).await;
    assert!(locked.as_ref().is_none_or(Result::is_ok), "{locked:?}");
    locked.is_some()
}

async fn lock_with_until_the_deadline<R: Runtime>(
    world: &World<R>,
    key: &str,
    moment: Moment,
) -> bool {
    world.steal(key, LONG);
    world.trouble();
    let retry = Retry {
        delay: Delay::Fixed(Duration::from_millis(3)),
        retries: None,
        deadline: Some(Duration::from_millis(15)),
    };
    let locked = run_until(world.client.lock_with(key, LONG, retry), moment).await;
    if let Some(locked) = &locked {
        let late = matches!(locked, Err(Error::TimedOut { .. }));
        assert!(late || (locked.is_err() && !world.weather.is_harmless()), "{locked:?}");
    }
    world.give_back_stolen(key);
    locked.is_some()
}

/// Whoever stands behind it in line gets the lock, whether it has had its own turn or gave up.
async fn lock_behind_a_holder<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    let holder = world.client.lock_with(key, LONG, patient()).await.expect("free");
    world.trouble();
    let turn = turn(world, key);
    let others = async {
        let mut next = Box::pin(world.client.lock_with(key, LONG, patient()));
        let early = poll_once(&mut next).await;
        assert!(early.is_none(), "the lock is taken: {early:?}");
        let _ = holder.release().await;
        drop(next.await.expect("its turn"));
    };
    zip(run_until(turn, moment), others).await.0.is_some()
}

/// It asks for the lock of a stranger, who gives it back.
async fn lock_in_front_of_another<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    world.steal(key, LONG);
    world.trouble();
    let turn = turn(world, key);
    let others = async {
        let mut next = Box::pin(world.client.lock_with(key, LONG, patient()));
        let early = poll_once(&mut next).await;
        assert!(early.is_none(), "the lock is taken: {early:?}");
        sleep(Duration::from_millis(3)).await;
        world.give_back_stolen(key);
        drop(next.await.expect("its turn"));
    };
    zip(run_until(turn, moment), others).await.0.is_some()
}

/// A lock that is taken and given back in turn.
async fn turn<R: Runtime>(world: &World<R>, key: &str) {
    let guard = world.client.lock_with(key, LONG, patient()).await.expect("its turn");
    let released = guard.release().await;
    assert!(released.is_ok() || !world.weather.is_harmless(), "{released:?}");
}

/// The lock stays held, and the holder never believes in more than the servers keep.
async fn extend<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    let mut guard = held(&world.client, key).await;
    world.trouble();
    let extended = run_until(guard.extend(), moment).await;
    if let Some(extended) = &extended {
        assert!(extended.is_ok() || !world.weather.is_harmless(), "{extended:?}");
    }
    let validity = guard.validity();
    assert!(guard.is_valid() && validity <= world.remaining(key), "{validity:?}");
    let again = guard.extend().await;
    assert!(again.is_ok() || !world.weather.is_harmless(), "{again:?}");
    match guard.release().await {
        Ok(ours) => assert!(ours),
        Err(error) => assert!(!world.weather.is_harmless(), "{error}"),
    }
    extended.is_some()
}

/// The lock is renewed every 10 ms, so its loss is soon found; who stops waiting disturbs nobody.
async fn lost<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    let renewing = world.client.renewing(Renew { divisor: 6_000, most: None });
    let guard = held(&renewing, key).await;
    world.delete(key);
    world.trouble();
    let lost = run_until(guard.lost(), moment).await;
    assert!(matches!(lost, None | Some(Ok(Loss::Deleted))), "{lost:?}");
    assert!(lost.is_none() || !guard.is_valid());
    lost.is_some()
}

/// The work is dropped, the lock is not.
async fn run<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    let guard = held(&world.client, key).await;
    world.trouble();
    let work = async {
        sleep(Duration::from_millis(2)).await;
        "done"
    };
    let done = run_until(guard.run(work), moment).await;
    assert!(matches!(done, None | Some(Ok("done"))), "{done:?}");
    assert!(guard.is_valid());
    done.is_some()
}

/// It is given back all the same.
async fn release<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    let guard = held(&world.client, key).await;
    world.trouble();
    let released = run_until(guard.release(), moment).await;
    match &released {
        Some(Ok(ours)) => assert!(ours),
        Some(Err(error)) => assert!(!world.weather.is_harmless(), "{error}"),
        None => {}
    }
    released.is_some()
}

/// What was dropped before is given back all the same, and the connections are closed.
async fn shutdown<R: Runtime>(world: &World<R>, key: &str, moment: Moment) -> bool {
    let client = world.connect().await;
    let guard = held(&client, key).await;
    world.trouble();
    drop(guard);
    let paid = run_until(client.shutdown(LONG), moment).await;
    assert!(paid != Some(false));
    paid.is_some()
}

async fn held<R: Runtime>(client: &Client<R>, key: &str) -> Guard {
    client.try_lock(key, LONG).await.expect("asked").expect("free")
}
