//! What happens to processes.

use rustix::process::{Pid, Signal, kill_process};

use redlatch_testkit::server::{Data, Server};

use super::{Blow, Striker, Struck, told};
use crate::plan::{Class, Fault};

const RESTARTS: usize = 3;

/// From a tenth of a ttl to three.
const STOPPED: (u64, u64) = (100, 3000);

pub(super) fn stop_worker(striker: &Striker<'_>, fault: Fault) -> (String, Struck) {
    let count = striker.workers.len().max(1) as u64;
    let at = (fault.target % count) as usize;
    (format!("worker {at}"), stop(striker, fault, striker.workers[at]))
}

fn stop(striker: &Striker<'_>, fault: Fault, pid: u32) -> Struck {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or("no process")?;
    told(kill_process(pid, Signal::STOP))?;
    striker.over.wait(striker.time(fault, STOPPED.0, STOPPED.1));
    told(kill_process(pid, Signal::CONT)).map(|()| true)
}

pub(super) fn stop_server(blow: &Blow<'_>, server: &mut Server) -> Struck {
    told(server.pause())?;
    blow.pass(STOPPED.0, STOPPED.1);
    told(server.resume()).map(|()| true)
}

pub(super) fn kill(blow: &Blow<'_>, server: &mut Server) -> Struck {
    let data = if blow.fault.class == Class::KillAndLose { Data::Lose } else { Data::Keep };
    told(server.kill9())?;
    blow.pass(0, 500);
    let mut failed = String::new();
    for _ in 0..RESTARTS {
        match server.restart(data) {
            Ok(()) => return Ok(true),
            Err(error) => failed = error.to_string(),
        }
    }
    Err(failed)
}
