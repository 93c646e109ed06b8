//! What waiters cost while somebody else has the lock.

use core::time::Duration;
use std::thread;

use redlatch_testkit::server::Server;

use crate::Failed;
use crate::released::expect_ok;
use crate::sleeper::Sleeper;
use crate::usage::processor_time;

/// Until all sleep.
const SETTLED: Duration = Duration::from_secs(1);
const WATCHED: Duration = Duration::from_secs(3);
const KEY: &str = "asleep";

pub(crate) fn asleep(server: &Server) -> Result<(), Failed> {
    println!("Waiters of redlatch-tokio while somebody else has the lock, over {WATCHED:?}");
    println!("  {:24}{:>14}{:>12}", "", "commands/s", "cpu ms/s");
    let mut holder = server.inspect()?;
    for waiters in [1, 100] {
        let sleeper = Sleeper::connect(&server.url())?;
        expect_ok(&holder.command(&["SET", KEY, "foreign", "NX", "PX", "60000"])?)?;
        let tasks: Vec<_> = (0..waiters).map(|_| sleeper.wait_for_nothing(KEY)).collect();
        thread::sleep(SETTLED);
        let (sent, used) = (sleeper.client.commands_sent(), processor_time());
        thread::sleep(WATCHED);
        let (sent, used) = (sleeper.client.commands_sent() - sent, processor_time() - used);
        if tasks.iter().any(|task| task.is_finished()) {
            return Err("a waiter did not wait".into());
        }
        tasks.iter().for_each(|task| task.abort());
        holder.command(&["DEL", KEY])?;
        let each = |amount: f64| amount / WATCHED.as_secs_f64();
        let (sent, used) = (each(sent as f64), each(used.as_secs_f64() * 1e3));
        println!("  {:24}{sent:14.1}{used:12.2}", format!("{waiters} waiter(s)"));
    }
    println!();
    Ok(())
}
