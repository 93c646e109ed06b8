//! Firmware with locks, in QEMU, on real servers: blocking over a UART on a Cortex-M3 and on RISC-V, and
//! async over TCP/IP on a Cortex-M3. `.ci/firmware` builds it, fetches QEMU, and runs these tests.

#[path = "firmware/bridge.rs"]
mod bridge;
#[path = "firmware/elf.rs"]
mod elf;
#[path = "firmware/faults.rs"]
mod faults;
#[path = "processes/holder.rs"]
mod holder;
#[path = "firmware/image.rs"]
mod image;
#[path = "firmware/machine.rs"]
mod machine;
#[allow(dead_code, reason = "only one of them takes part here")]
#[path = "foreign_clients/party.rs"]
mod party;
#[allow(dead_code, reason = "only one of them takes part here")]
#[path = "foreign_clients/program.rs"]
mod program;
#[path = "firmware/view.rs"]
mod view;

use core::net::SocketAddr;
use core::time::Duration;
use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::Instant;

use redlatch_testkit::server::{Kind, Server, Value};
use rustix::process::Signal;

use machine::{Firmware, Running};
use view::{View, redis_cli};

/// How late a line may reach the test on a busy machine.
const LATE: Duration = Duration::from_millis(60);
/// The server is another process, with a clock of whole milliseconds.
const GRAIN: Duration = Duration::from_millis(2);

/// Runs this for each firmware at once, each on a server of its own.
fn each(firmwares: &[Firmware], test: fn(Firmware, &Server)) {
    thread::scope(|scope| {
        for &firmware in firmwares {
            scope.spawn(move || {
                let server = Server::start(Kind::Redis7).unwrap_or_else(|error| panic!("{error}"));
                test(firmware, &server);
            });
        }
    });
}

fn start(firmware: Firmware, server: &Server, orders: &str) -> Running {
    firmware.start(server.address(), orders)
}

/// The number of milliseconds after `name=` in a line.
#[track_caller]
fn millis(event: &str, name: &str) -> Duration {
    let value = event.split_once(name).and_then(|(_, value)| value.strip_prefix('='));
    let value = value.and_then(|value| value.parse().ok());
    Duration::from_millis(value.unwrap_or_else(|| panic!("no {name} in {event}")))
}

/// Waits until the firmware says that it has the lock, and asserts that the server says so too, for as
/// long as the firmware believes it. Returns the token.
#[track_caller]
fn expect_acquired(running: &Running, view: &mut View, key: &str) -> String {
    let line = running.holder.expect("acquired");
    believed(&line, view, key)
}

#[track_caller]
fn believed(line: &holder::Line, view: &mut View, key: &str) -> String {
    let validity = millis(&line.event, "validity");
    let Some((token, left)) = view.token(key) else {
        panic!("{key}: it believes to have the lock and has not: {line:?}");
    };
    // The line came later than it was written, and the answer later than that.
    let believed = validity.saturating_sub(line.at.elapsed() + LATE);
    assert!(left + GRAIN >= believed, "{key}: {left:?} are left, {believed:?} are believed");
    token
}

#[test]
#[ignore = "run by .ci/firmware"]
fn a_lock_is_taken_extended_and_given_back() {
    each(&Firmware::ALL, |firmware, server| {
        let mut view = View::of(server);
        let running = start(firmware, server, "valve:7 3000 1500 --extend");
        let token = expect_acquired(&running, &mut view, "valve:7");
        assert_eq!(redis_cli(server, &["GET", "valve:7"]), token);
        let left = redis_cli(server, &["PTTL", "valve:7"]);
        assert!((1..=3000).contains(&left.parse().unwrap_or(0)), "{left}");
        let line = running.holder.expect("extended");
        assert_eq!(believed(&line, &mut view, "valve:7"), token, "{firmware:?}");
        running.holder.expect("released");
        assert_eq!(redis_cli(server, &["EXISTS", "valve:7"]), "0");
        running.expect_end(0);
    });
}

#[test]
#[ignore = "run by .ci/firmware"]
fn a_lock_of_somebody_else_is_refused_and_unharmed() {
    each(&Firmware::ALL, |firmware, server| {
        let mut view = View::of(server);
        view.ask(&["SET", "k", "foreign", "PX", "60000"]);
        for orders in ["k 3000 100", "k 3000 100 --wait 300"] {
            let running = start(firmware, server, orders);
            running.holder.expect("denied");
            running.expect_end(1);
        }
        assert_eq!(view.ask(&["GET", "k"]).text(), "foreign", "{firmware:?}");
    });
}

#[test]
#[ignore = "run by .ci/firmware"]
fn whoever_waits_takes_the_lock_when_it_is_given_back() {
    each(&Firmware::ALL, |firmware, server| {
        let mut view = View::of(server);
        view.ask(&["SET", "k", "foreign", "PX", "60000"]);
        let running = start(firmware, server, "k 3000 300 --wait 25000");
        wait_until_it_waits(&mut view);
        view.ask(&["DEL", "k"]);
        expect_acquired(&running, &mut view, "k");
        running.holder.expect("released");
        running.expect_end(0);
        assert_eq!(view.ask(&["EXISTS", "k"]), Value::Integer(0), "{firmware:?}");
    });
}

/// Waits until somebody has asked the server to be told of a change.
fn wait_until_it_waits(view: &mut View) {
    let deadline = Instant::now() + holder::PATIENCE;
    loop {
        let stats = view.ask(&["INFO", "commandstats"]).text();
        let calls = stats.lines().find_map(|line| line.strip_prefix("cmdstat_pttl:calls="));
        if calls.is_some() {
            return;
        }
        assert!(Instant::now() < deadline, "it never asks");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
#[ignore = "run by .ci/firmware"]
fn a_server_that_freezes_is_told_as_a_loss_before_the_lock_ends() {
    each(&Firmware::ALL, |firmware, server| {
        let mut view = View::of(server);
        let running = start(firmware, server, "k 3000 20000 --renew");
        let acquired = running.holder.expect("acquired");
        believed(&acquired, &mut view, "k");
        // Before the first renewal, which is due after a second.
        server.pause().expect("it freezes");
        let lost = running.holder.expect("lost reason=");
        let held = Duration::from_millis(lost.millis - acquired.millis);
        let validity = millis(&acquired.event, "validity");
        assert!(held <= validity + LATE, "{firmware:?}: held for {held:?} of {validity:?}");
        running.expect_end(4);
        server.resume().expect("it thaws");
    });
}

#[test]
#[ignore = "run by .ci/firmware"]
fn a_key_that_is_deleted_or_taken_is_told_as_a_loss() {
    each(&Firmware::ALL, |firmware, server| {
        let mut view = View::of(server);
        let troubles = [
            ("deleted", &["DEL", "k"] as &[&str]),
            ("stolen", &["SET", "k", "foreign", "PX", "60000"]),
        ];
        for (reason, trouble) in troubles {
            let running = start(firmware, server, "k 1500 20000 --renew");
            expect_acquired(&running, &mut view, "k");
            view.ask(trouble);
            running.holder.expect(&format!("lost reason={reason}"));
            running.expect_end(4);
        }
        assert_eq!(view.ask(&["GET", "k"]).text(), "foreign", "{firmware:?}");
    });
}

/// Accepts connections, reads, and never answers, until the test process ends.
fn silent() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            thread::spawn(move || while stream.read(&mut [0; 64]).is_ok_and(|count| count > 0) {});
        }
    });
    address
}

/// By when a firmware must have given up to connect, in milliseconds: its connect timeout is two seconds.
const CONNECT_MAX: u64 = 3500;

#[test]
#[ignore = "run by .ci/firmware"]
fn a_server_that_never_answers_is_an_error_in_time() {
    for firmware in Firmware::ALL {
        for orders in ["k 3000 100", "k 3000 100 --wait 4000"] {
            let running = firmware.start(silent(), orders);
            let line = running.holder.expect("error unavailable silent");
            assert!(line.millis < CONNECT_MAX, "{firmware:?}: {line:?}");
            running.expect_end(3);
        }
    }
}

#[test]
#[ignore = "run by .ci/firmware"]
fn a_port_where_nobody_listens_is_an_error_in_time() {
    let free = TcpListener::bind("127.0.0.1:0").and_then(|port| port.local_addr()).expect("a port");
    for firmware in Firmware::ALL {
        let running = firmware.start(free, "k 3000 100");
        let line = running.holder.expect("error unavailable");
        assert!(line.millis < CONNECT_MAX, "{firmware:?}: {line:?}");
        running.expect_end(3);
    }
}

#[test]
#[ignore = "run by .ci/firmware"]
fn wrong_orders_end_with_2() {
    for firmware in Firmware::ALL {
        for orders in ["k", "k 3000 100 --forever", "k soon 100"] {
            let running = firmware.start(silent(), orders);
            running.holder.expect("error usage");
            running.expect_end(2);
        }
    }
}

/// The whole emulator stands still, as a board does that sleeps or is held by a debugger, but for its clock.
#[test]
#[ignore = "run by .ci/firmware"]
fn a_board_that_slept_too_long_knows_that_the_lock_is_lost() {
    each(&Firmware::ALL, |firmware, server| {
        let running = start(firmware, server, "k 600 20000");
        let acquired = running.holder.expect("acquired");
        running.signal(Signal::STOP);
        thread::sleep(Duration::from_millis(900));
        running.signal(Signal::CONT);
        let lost = running.holder.expect("lost reason=expired");
        let slept = lost.millis - acquired.millis;
        assert!((850..2000).contains(&slept), "{firmware:?}: it slept 900 ms and saw {slept}");
        running.expect_end(4);
    });
}

/// Requirement 11: redis-py and the firmware exclude each other.
#[test]
#[ignore = "run by .ci/firmware"]
fn a_client_in_another_language_and_the_firmware_exclude_each_other() {
    each(&Firmware::ALL, |firmware, server| {
        let mut python = program::redis_py(&server.url());
        let long = Duration::from_secs(60);
        assert!(python.try_lock("k", long), "free");
        let refused = start(firmware, server, "k 3000 100");
        refused.holder.expect("denied");
        refused.expect_end(1);

        let waiting = start(firmware, server, "k 10000 1500 --wait 25000");
        wait_until_it_waits(&mut View::of(server));
        assert_eq!(python.release(), "released");
        expect_acquired(&waiting, &mut View::of(server), "k");
        assert!(!python.try_lock("k", long), "{firmware:?} holds it");
        python.wait_lock("k", long);
        waiting.holder.expect("released");
        waiting.expect_end(0);
        assert_eq!(python.release(), "released");
    });
}

/// Requirements 1 and 11: a program on this machine and the firmware exclude each other.
#[test]
#[ignore = "run by .ci/firmware"]
fn a_program_with_an_operating_system_and_the_firmware_exclude_each_other() {
    holder::build("std");
    each(&Firmware::ALL, |firmware, server| {
        let std = holder::build("std");
        let first = holder::Holder::start(&std, &[&server.url(), "k", "10000", "1000"]);
        let acquired = first.expect("acquired");
        let second = start(firmware, server, "k 10000 1000 --wait 25000");
        let third =
            holder::Holder::start(&std, &[&server.url(), "k", "10000", "0", "--wait", "25000"]);
        let mut turns = vec![(acquired.at, first.expect("released").at, "std")];
        let acquired = second.holder.expect("acquired");
        turns.push((acquired.at, second.holder.expect("released").at, firmware.name()));
        let acquired = third.expect("acquired");
        turns.push((acquired.at, third.expect("released").at, "std again"));
        turns.sort_by_key(|&(from, ..)| from);
        for pair in turns.windows(2) {
            let ((_, until, first), (from, _, second)) = (pair[0], pair[1]);
            let overlap = until.saturating_duration_since(from);
            assert!(overlap < LATE, "{first} and {second} held at once for {overlap:?}");
        }
        second.expect_end(0);
    });
}
