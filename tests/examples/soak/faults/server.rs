//! What a server is told to do.

use core::time::Duration;
use std::thread;

use redlatch_testkit::server::{Inspector, Server, Value};

use super::{Blow, Struck, told};

const OK: fn(&Value) -> bool = |value| matches!(value, Value::Simple(word) if word == "OK");
/// A script that was told to end takes a moment.
const KILLS: usize = 200;

pub(super) fn kill_clients(_: &Blow<'_>, server: &mut Server) -> Struck {
    let killed = told(server.command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]))?;
    Ok(killed.integer().is_some_and(|count| count > 0))
}

pub(super) fn pause_clients(blow: &Blow<'_>, server: &mut Server) -> Struck {
    let time = blow.striker.time(blow.fault, 100, 1500).as_millis().to_string();
    let mode = if blow.fault.target.is_multiple_of(2) { "WRITE" } else { "ALL" };
    let paused = told(server.command(&["CLIENT", "PAUSE", &time, mode]))?;
    blow.pass(100, 1500);
    Ok(OK(&paused))
}

pub(super) fn flush_scripts(_: &Blow<'_>, server: &mut Server) -> Struck {
    told(server.command(&["SCRIPT", "FLUSH"])).map(|flushed| OK(&flushed))
}

pub(super) fn busy_script(blow: &Blow<'_>, server: &mut Server) -> Struck {
    let (mut runner, mut killer) = (told(server.inspect())?, told(server.inspect())?);
    thread::scope(|scope| {
        scope.spawn(move || runner.command(&["EVAL", "while true do end", "0"]));
        blow.pass(100, 1000);
        let busy = told(killer.command(&["PING"]));
        end_script(&mut killer)?;
        Ok(matches!(busy?, Value::Error(text) if text.starts_with("BUSY")))
    })
}

/// Kills it as soon as it runs.
fn end_script(killer: &mut Inspector) -> Result<(), String> {
    for _ in 0..KILLS {
        if OK(&told(killer.command(&["SCRIPT", "KILL"]))?) {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(10));
    }
    Err("the script does not end".to_owned())
}

pub(super) fn out_of_memory(blow: &Blow<'_>, server: &mut Server) -> Struck {
    let mut plain = told(server.inspect())?;
    told(plain.command(&["CONFIG", "SET", "maxmemory", "1"]))?;
    let refused = told(plain.command(&["SET", "probe", "x", "PX", "1"]));
    blow.pass(100, 1000);
    told(plain.command(&["CONFIG", "SET", "maxmemory", "0"]))?;
    Ok(matches!(refused?, Value::Error(text) if text.starts_with("OOM")))
}
