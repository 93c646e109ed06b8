//! A holder is gone, its key expires, and a waiter of redlatch takes over.

use core::time::Duration;

use redlatch_std::{Client, Retry};
use redlatch_testkit::server::{Inspector, Server, Value};

use crate::Failed;
use crate::clock::now;
use crate::options::Run;
use crate::released::expect_ok;
use crate::sleeper::Sleeper;
use crate::spread::{Spread, shown};

const TTL: Duration = Duration::from_millis(200);
/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(60);
const OTHERS: i64 = 100_000;
/// They stay for longer than this runs.
const FILL: &str = "for i = 1, ARGV[1] do redis.call('SET', 'other:' .. i, 'x', 'PX', 3600000 + i) end \
                    return redis.call('DBSIZE')";

/// Waits for this lock, and gives it back at once. Tells when it had it.
type Take<'a> = &'a dyn Fn(&str) -> Result<u64, Failed>;

pub(crate) fn expired(run: &Run, server: &Server) -> Result<(), Failed> {
    let mut inspector = server.inspect()?;
    let hz = inspector.command(&["CONFIG", "GET", "hz"])?.text().replace('\n', " ");
    println!(
        "Expired, from the end of the ttl until a sleeping waiter of redlatch has it, in ms; {hz}"
    );
    println!("  {:32}{:>8}{:>10}{:>10}{:>10}", "", "times", "p50", "p90", "most");
    let sleeper = Sleeper::connect(&server.url())?;
    let client = Client::builder().server(&server.url()).connect()?;
    let makes: [(&str, Take<'_>); 2] =
        [("tokio", &|key| sleeper.join(sleeper.wait(key))), ("threads", &|key| take(&client, key))];
    for (make, take) in makes {
        row(&format!("{make}, the only key"), &delays(take, &mut inspector, run.samples)?);
    }
    let filled = inspector.command(&["EVAL", FILL, "0", &OTHERS.to_string()])?;
    if filled.integer() < Some(OTHERS) {
        return Err(format!("the server does not take the other keys: {filled:?}").into());
    }
    for (make, take) in makes {
        let delays = delays(take, &mut inspector, run.samples)?;
        row(&format!("{make}, 100 000 others with ttl"), &delays);
    }
    inspector.command(&["FLUSHALL"])?;
    println!();
    Ok(())
}

fn take(client: &Client, key: &str) -> Result<u64, Failed> {
    let guard = client.lock_with(key, PATIENCE, Retry::until(PATIENCE))?;
    let taken = now();
    guard.release()?;
    Ok(taken)
}

fn row(name: &str, delays: &Spread) {
    let [half, ninety] = [50, 90].map(|percent| shown(delays.percentile(percent), 1));
    let (count, most) = (delays.count(), shown(delays.most(), 1));
    println!("  {name:32}{count:8}{half:>10}{ninety:>10}{most:>10}");
}

fn delays(take: Take<'_>, holder: &mut Inspector, samples: usize) -> Result<Spread, Failed> {
    let ttl = TTL.as_millis().to_string();
    let mut delays = Vec::new();
    for number in 0..samples {
        let key = format!("expired:{number}");
        let due = now() + TTL.as_nanos() as u64;
        let set: Value = holder.command(&["SET", &key, "gone", "NX", "PX", &ttl])?;
        expect_ok(&set)?;
        let taken = take(&key)?;
        // The server counts whole milliseconds of its own clock.
        delays.push((taken as f64 - due as f64) / 1e6);
    }
    Ok(Spread::new(delays))
}
