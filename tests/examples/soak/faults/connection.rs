//! What happens on the way to a server.

use core::time::Duration;

use redlatch_testkit::proxy::{Behaviour, Counters, End, Strike};
use redlatch_testkit::server::Server;

use super::{Blow, Struck, told};
use crate::plan::Class;

/// Whether the proxy counts more of this than before.
fn more(blow: &Blow<'_>, before: &Counters, what: fn(&Counters) -> u64) -> bool {
    what(&blow.post.proxy.counters()) > what(before)
}

pub(super) fn reset(blow: &Blow<'_>, _: &mut Server) -> Struck {
    let before = blow.post.proxy.counters();
    told(blow.post.proxy.reset())?;
    Ok(more(blow, &before, |counters| counters.reset))
}

/// Carries in this manner for a while. Seen when there was a connection, or one came.
fn behave(blow: &Blow<'_>, behaviour: Behaviour, least: u64, most: u64) -> Struck {
    let before = blow.post.proxy.counters();
    told(blow.post.proxy.set(behaviour))?;
    blow.pass(least, most);
    told(blow.post.proxy.set(Behaviour::CARRY))?;
    Ok(before.open > 0 || more(blow, &before, |counters| counters.accepted))
}

/// What was on its way arrives when the cable is in again.
pub(super) fn half_open(blow: &Blow<'_>, _: &mut Server) -> Struck {
    behave(blow, Behaviour::HALF_OPEN, 100, 2000)
}

pub(super) fn delay(blow: &Blow<'_>, _: &mut Server) -> Struck {
    let late = blow.striker.time(blow.fault, 10, 800);
    let other = Duration::from_millis(blow.fault.target % 20);
    let (up, down) = if blow.fault.target % 4 < 2 { (late, other) } else { (other, late) };
    behave(blow, Behaviour::late(up, down), 500, 1500)
}

pub(super) fn drip(blow: &Blow<'_>, _: &mut Server) -> Struck {
    let pace = Duration::from_micros(100 + blow.fault.target % 5000);
    behave(blow, Behaviour::drip(pace), 300, 1000)
}

/// Several replies that are not what they were.
pub(super) fn spoil(blow: &Blow<'_>, _: &mut Server) -> Struck {
    const TIMES: u64 = 4;
    let before = blow.post.proxy.counters();
    for time in 0..TIMES {
        told(blow.post.proxy.strike(spoiled(blow, time)))?;
        blow.pass(50, 150);
    }
    Ok(more(blow, &before, |counters| counters.struck))
}

fn spoiled(blow: &Blow<'_>, time: u64) -> Strike {
    const GARBAGE: [&[u8]; 4] = [b"\0\xff\r\n", b"-ERR \r\n", b"+OK\r\n", b":1\r\n"];
    const ENDS: [End; 3] = [End::Close, End::Reset, End::Silence];
    let pick = |of: usize| (blow.fault.target.wrapping_add(time) % of as u64) as usize;
    match blow.fault.class {
        Class::Duplicate => Strike::Duplicate,
        Class::Garbage => {
            Strike::Garbage { at: pick(2) * pick(7), bytes: GARBAGE[pick(4)].to_vec() }
        }
        _ => Strike::Cut { bytes: pick(5), end: ENDS[pick(3)] },
    }
}

pub(super) fn reorder(blow: &Blow<'_>, _: &mut Server) -> Struck {
    let proxy = &blow.post.proxy;
    told(proxy.hold())?;
    blow.pass(50, 150);
    let held = proxy.counters().held;
    told(proxy.forsake())?;
    blow.pass(50, 1000);
    told(proxy.let_go()).map(|()| held > 0)
}
