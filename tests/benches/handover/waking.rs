//! What it takes to wake a thread, whoever passes something on to it.

use core::time::Duration;
use std::sync::mpsc;
use std::thread;

use crate::Failed;
use crate::clock::now;
use crate::spread::{Spread, shown};

/// As long as a turn lasts.
const ASLEEP: Duration = Duration::from_millis(1);
const TIMES: usize = 300;

pub(crate) fn waking() -> Result<(), Failed> {
    let delays = delays()?;
    let [half, ninety] = [50, 90].map(|percent| shown(delays.percentile(percent), 0));
    println!(
        "Another thread, asleep for {ASLEEP:?}, runs {half} us after it is woken (p50), {ninety} us (p90).\n"
    );
    Ok(())
}

/// In microseconds.
fn delays() -> Result<Spread, Failed> {
    let (caller, calls) = mpsc::channel();
    let (sender, awake) = mpsc::channel();
    thread::spawn(move || {
        for at in calls {
            let delay = now().saturating_sub(at) as f64 / 1e3;
            if sender.send(delay).is_err() {
                return;
            }
        }
    });
    let mut delays = Vec::new();
    for _ in 0..TIMES {
        thread::sleep(ASLEEP);
        caller.send(now())?;
        delays.push(awake.recv()?);
    }
    Ok(Spread::new(delays))
}
