//! Clocks that jump and drift, and processes that stand still.

use core::time::Duration;
use std::path::Path;
use std::process::Command;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use redlatch_std::{Loss, Renew};
use redlatch_testkit::server::Server;
use rustix::process::{Pid, Signal, kill_process};

use super::holder::{self, Holder};
use super::preload::Preload;
use super::stand::{
    LONG, Stand, eventually, everywhere, held, on_every_kind, on_every_server, plain,
};

const HOUR: Duration = Duration::from_secs(3600);

/// The process stands still for longer than its ttl, somebody else takes the lock, and it goes on: it
/// knows that it is late before it does anything, and leaves the lock alone.
#[test]
fn f34_the_process_stands_still() {
    let hold = holder::build("std");
    on_every_server(plain, |stand| {
        let holder = Holder::start(&hold, &[&stand.url(), "key", "400", "20000", "--extend"]);
        holder.expect("acquired");
        let process = Pid::from_child(&holder.child);
        kill_process(process, Signal::STOP).expect("it runs");
        eventually("its ttl is over", || stand.is_free("key"));
        stand.ask(&["SET", "key", "theirs"]);
        kill_process(process, Signal::CONT).expect("it is there");
        let (mut lines, status, _) = holder.end();
        let last = lines.pop().expect("a line").event;
        assert!(last.starts_with("lost") && status == 4, "{last}, {status}");
        assert!(lines.iter().all(|line| line.event.starts_with("extended")), "{lines:?}");
        assert_eq!(stand.value("key").as_deref(), Some("theirs"));
    });
}

/// What the library shows to a process that asks for the time.
fn shown_time(preload: &Preload) -> Duration {
    let date = Command::new("date").arg("+%s").envs(preload.environment()).output();
    let said = String::from_utf8(date.expect("it runs").stdout).expect("a number");
    Duration::from_secs(said.trim().parse().expect("a number"))
}

/// The client's own wall clock jumps while it holds a lock: nothing comes of it. It neither believes
/// longer than its ttl nor gives up before.
#[test]
fn f35_the_wall_clock_of_the_client_jumps() {
    let hold = holder::build("std");
    on_every_server(plain, |stand| {
        let preload = Preload::build();
        let start = |arguments: &[&str]| {
            let environment = preload.environment().map(|(name, it)| format!("{name}={it}"));
            let environment = environment.iter().map(String::as_str);
            let program = hold.to_str().expect("text");
            let url = stand.url();
            let line = environment.chain([program, &url]).chain(arguments.iter().copied());
            Holder::start(Path::new("env"), &line.collect::<Vec<_>>())
        };
        let (renewed, believed) =
            (start(&["renewed", "900", "1500", "--extend"]), start(&["key", "900", "20000"]));
        let extended = renewed.expect("acquired");
        believed.expect("acquired");
        preload.forward(HOUR);
        let truth = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
        assert!(shown_time(&preload) > truth + HOUR / 2, "it does jump");
        renewed.expect("extended");
        preload.backward(HOUR);
        let (lines, status, _) = renewed.end();
        let last = lines.last().expect("a line");
        assert_eq!((&*last.event, status), ("released", 0));
        assert!(last.at.duration_since(extended.at) > Duration::from_secs(1));

        let (lines, status, _) = believed.end();
        assert_eq!((&*lines.last().expect("a line").event, status), ("lost reason=expired", 4));
        assert!(lines.last().expect("a line").millis < 20_000);
    });
}

/// Servers let keys expire by their wall clock. Set forward, it frees locks that are held: who renews
/// is told at the next renewal, and until then two are inside. No client can see that in time.
#[test]
fn f37_the_wall_clock_of_the_server_jumps_forward() {
    on_every_shifted_server(|stand, preload| {
        let [client, other] = [(); 2].map(|()| stand.client());
        let often = Renew { divisor: 1000, most: None };
        let renewed = held(&client.renewing(often), "renewed");
        let trusting = held(&client, "trusting");
        preload.forward(HOUR);
        assert_eq!(renewed.wait_lost(LONG), Some(Loss::Deleted));
        let second = held(&other, "trusting");
        assert!(trusting.is_valid() && second.is_valid(), "the hole is there");
        assert!(!trusting.release().expect("answered"), "it is told at the latest here");
        assert!(second.release().expect("answered"));
    });
}

/// Set back, it keeps locks longer than their ttl. A holder that lives stops to believe in time, and gives
/// the key back by itself when its lease is over. That of a holder that died is held until the clock has
/// caught up: nobody gets in.
#[test]
fn f37_the_wall_clock_of_the_server_jumps_backward() {
    const TTL: Duration = Duration::from_millis(500);
    on_every_shifted_server(|stand, preload| {
        let client = stand.client();
        let begun = Instant::now();
        let dead = client.lock("dead", TTL).expect("free").detach().expect("held");
        let guard = client.lock("key", LONG / 20).expect("free");
        preload.backward(HOUR);
        // A server looks at the clock now and then only.
        let left = |key| stand.ask(&["PTTL", key]).integer().expect("a number");
        eventually("it has jumped", || left("dead") > 3_000_000 && left("key") > 3_000_000);
        assert_eq!(guard.wait_lost(LONG), Some(Loss::Expired));
        eventually("it is given back", || stand.is_free("key"));
        assert_eq!(stand.deletions(), 1, "by us");

        assert!(begun.elapsed() > TTL);
        assert!(client.try_lock("dead", TTL).expect("asked").is_none(), "nobody gets in");
        assert!(client.release_detached(dead).expect("answered"), "but whoever knows the token");
    });
}

/// Runs a test on every server with a wall clock that can be set.
fn on_every_shifted_server(test: fn(&Stand, &Preload)) {
    on_every_kind(|kind, protocol| {
        let preload = Preload::build();
        let environment = preload.environment();
        let builder = environment
            .iter()
            .fold(Server::builder(kind), |builder, (name, value)| builder.environment(name, value));
        let server = builder.start().unwrap_or_else(|error| panic!("{error}"));
        test(&Stand::new(server, protocol), &preload);
    });
}

/// As long as we believe, the server has the key: whatever the clocks do within the allowance.
#[test]
fn f38_the_key_outlives_our_belief() {
    const TTL: Duration = Duration::from_millis(400);
    everywhere(|stand| {
        let client = stand.client();
        for _ in 0..3 {
            let begun = Instant::now();
            let guard = client.lock("key", TTL).expect("free");
            let drift = TTL / 100 + Duration::from_millis(2);
            assert!(guard.validity() + drift <= TTL);
            // Asked first, believed after: whatever takes its time in between makes this weaker, not wrong.
            let mut looks = 0;
            loop {
                let is_free = stand.is_free("key");
                if !guard.is_valid() {
                    break;
                }
                assert!(!is_free, "free after {:?}, and believed", begun.elapsed());
                looks += 1;
            }
            assert!(looks > 0 && begun.elapsed() >= TTL - drift * 2, "{:?}", begun.elapsed());
            drop(guard);
            eventually("it is given back, or its ttl is over", || stand.is_free("key"));
        }
    });
}
