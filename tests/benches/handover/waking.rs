//! What it takes to wake a thread, whoever passes something on to it.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::sync::{Arc, mpsc};
use std::thread;

use crate::Failed;
use crate::clock::now;
use crate::spread::{Spread, shown};

/// As long as a turn lasts.
const ASLEEP: Duration = Duration::from_millis(1);
const TIMES: usize = 300;
/// Not the moment of a call.
const NOBODY: u64 = 0;

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
    let called = Arc::new(AtomicU64::new(NOBODY));
    let (sender, awake) = mpsc::channel();
    let sleeper = thread::spawn({
        let called = Arc::clone(&called);
        move || {
            for _ in 0..TIMES {
                let mut at = NOBODY;
                while at == NOBODY {
                    thread::park();
                    at = called.swap(NOBODY, Ordering::SeqCst);
                }
                let delay = now().saturating_sub(at);
                if sender.send(delay as f64 / 1e3).is_err() {
                    return;
                }
            }
        }
    });
    let mut delays = Vec::new();
    for _ in 0..TIMES {
        thread::sleep(ASLEEP);
        called.store(now(), Ordering::SeqCst);
        sleeper.thread().unpark();
        delays.push(awake.recv()?);
    }
    Ok(Spread::new(delays))
}
