//! Firmware at a serial line that loses, adds and changes bytes, and whose other end is cut off: it never
//! hangs, and never believes to have a lock that the server has given to nobody or to somebody else.

use core::time::Duration;
use std::collections::BTreeMap;
use std::env;
use std::thread;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use redlatch_core::Random;
use redlatch_testkit::server::Server;

use super::bridge::Line;
use super::machine::{Firmware, Running};
use super::view::View;
use super::{LATE, believed, each};

/// How long each firmware takes and gives back, on the firmware's clock.
const TIME: Duration = Duration::from_secs(8);
/// Longer than any single call of the adapter takes: the settling at the end, a release and a pause.
const SLACK: Duration = Duration::from_secs(10);

/// The seed of this run, or the one that is to be run again.
fn seed() -> u64 {
    let given = env::var("REDLATCH_SEED").ok().and_then(|seed| seed.parse().ok());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_micros() as u64);
    given.unwrap_or(now)
}

#[test]
#[ignore = "run by .ci/firmware"]
fn a_faulty_line_neither_hangs_the_firmware_nor_makes_it_believe_in_a_lock() {
    each(&Firmware::UART, |firmware, server| {
        let seed = seed();
        println!("{}: run it again with REDLATCH_SEED={seed}", firmware.name());
        let mut random = Random::new(seed);
        let mut checked = 0;
        for (name, line) in [
            ("drops", Line { drops: 400, ..Line::sound() }),
            ("inserts", Line { inserts: 400, ..Line::sound() }),
            ("flips", Line { flips: 400, ..Line::sound() }),
            ("cuts", Line { cuts: 600, ..Line::sound() }),
            ("all", Line { drops: 1600, inserts: 1600, flips: 1600, cuts: 2400, ..Line::sound() }),
        ] {
            let line = Line { seed: random.next_u64(), ..line };
            let millis = TIME.as_millis();
            let orders = format!("k 2000 150 --extend --wait 1000 --again {millis}");
            let running = firmware.start_on(server.address(), line, &orders);
            let told = watch(running, server);
            println!("{}, {name}: {told:?}", firmware.name());
            checked += told.checked;
        }
        // One kind of fault alone may spoil a ttl, so that nobody gets the lock for long.
        assert!(checked > 0, "{firmware:?} never has a lock");
    });
}

/// What a firmware has said.
#[derive(Debug, Default)]
struct Told {
    acquired: u32,
    checked: u32,
    released: u32,
    lost: u32,
    denied: u32,
    errors: BTreeMap<String, u32>,
}

/// Looks after each word of the firmware whether it is true, until it ends by itself.
fn watch(running: Running, server: &Server) -> Told {
    let begun = Instant::now();
    let mut view = View::of(server);
    let mut told = Told::default();
    loop {
        let line = running.holder.line();
        assert!(begun.elapsed() < TIME + SLACK, "it does not end: {line:?}");
        let what = line.event.split([' ', '=']).next().unwrap_or_default();
        match what {
            "acquired" => {
                told.acquired += 1;
                // A test that comes too late would look at what the firmware has given back meanwhile.
                if line.at.elapsed() < LATE {
                    believed(&line, &mut view, "k");
                    told.checked += 1;
                }
            }
            "extended" => {}
            "released" => told.released += 1,
            "lost" => told.lost += 1,
            "denied" => told.denied += 1,
            "error" => *told.errors.entry(line.event).or_default() += 1,
            "stack" => break,
            _ => panic!("it says {line:?}"),
        }
    }
    let (_, status, complaints) = running.holder.end();
    assert!([0, 1, 3, 4].contains(&status), "status {status}: {complaints}");
    told
}

/// The line is silent in both directions for a while, as when somebody pulls the plug and puts it back.
#[test]
#[ignore = "run by .ci/firmware"]
fn a_server_that_wakes_up_again_is_found_again() {
    each(&Firmware::ALL, |firmware, server| {
        let mut view = View::of(server);
        let running = super::start(firmware, server, "k 1000 20000 --renew --again 6000");
        super::expect_acquired(&running, &mut view, "k");
        server.pause().expect("it freezes");
        running.holder.expect("lost reason=");
        thread::sleep(Duration::from_millis(1500));
        server.resume().expect("it thaws");
        loop {
            let line = running.holder.line();
            if line.event.starts_with("acquired") {
                believed(&line, &mut view, "k");
                break;
            }
            let failed = ["error", "denied"].iter().any(|word| line.event.starts_with(word));
            assert!(failed, "{firmware:?}: {line:?}");
        }
        view.ask(&["DEL", "k"]);
        running.holder.expect("lost reason=deleted");
    });
}
