//! Lock and unlock, through the std adapter and through the `redis` crate's blocking connection, on
//! one real server in one run. Rounds alternate, so that both see the same machine; the ratio of
//! each pair of rounds is what travels to other machines.
//!
//! `cargo bench -p redlatch-testkit --features peers --bench cycles [-- ROUNDS CYCLES]`
//!
//! Two contests: what redlatch sends (`SET`, `GET`, `EVALSHA`; the `GET` proves the claim), and what
//! the usual lock library sends (`SET`, `EVALSHA`).

use core::time::Duration;
use std::thread;
use std::time::Instant;

use redis::{Cmd, Connection, Script};
use redlatch_core::script::RELEASE;
use redlatch_std::Client;
use redlatch_testkit::server::{Kind, Server};

const TTL: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn core::error::Error>> {
    let mut numbers = std::env::args().skip(1).filter_map(|argument| argument.parse().ok());
    let rounds = numbers.next().unwrap_or(15);
    let cycles = numbers.next().unwrap_or(4_000);
    let server = Server::start(Kind::Redis7)?;
    let url = server.url();
    println!("{rounds} rounds of {cycles} cycles, {:?} on loopback\n", Kind::Redis7);
    for threads in [1, 8] {
        contest(&url, threads, rounds, cycles)?;
    }
    Ok(())
}

/// Cycles a second of each contender, round by round.
fn contest(
    url: &str,
    threads: usize,
    rounds: usize,
    cycles: usize,
) -> Result<(), Box<dyn core::error::Error>> {
    let client = Client::connect(url)?;
    let mut connections = (0..threads)
        .map(|_| redis::Client::open(url)?.get_connection())
        .collect::<Result<Vec<_>, _>>()?;
    let (mut ours, mut same, mut fewer) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds {
        let rates = [
            rate(threads, cycles, || (0..threads).map(|_| ClientCycle(&client)).collect()),
            rate(threads, cycles, || PeerCycle::each(&mut connections, true)),
            rate(threads, cycles, || PeerCycle::each(&mut connections, false)),
        ];
        // The first round warms up.
        if round > 0 {
            ours.push(rates[0]);
            same.push(rates[1]);
            fewer.push(rates[2]);
        }
    }
    println!("{threads} thread(s), cycles/s: median (least .. most)");
    println!("  redlatch-std, one connection          {}", spread(&ours, 0));
    println!("  redis {threads} connection(s), same commands  {}", spread(&same, 0));
    println!("  redis {threads} connection(s), without GET    {}", spread(&fewer, 0));
    println!("  ratio to the same commands            {}", spread(&ratios(&ours, &same), 2));
    println!("  ratio to those without GET            {}\n", spread(&ratios(&ours, &fewer), 2));
    Ok(())
}

trait Cycle: Send {
    fn run(&mut self, key: &str);
}

struct ClientCycle<'a>(&'a Client);

impl Cycle for ClientCycle<'_> {
    fn run(&mut self, key: &str) {
        let guard = self.0.try_lock(key, TTL).expect("asked").expect("free");
        assert!(guard.release().expect("released"), "ours until now");
    }
}

struct PeerCycle<'a> {
    connection: &'a mut Connection,
    script: Script,
    reads: bool,
    count: u64,
}

impl<'a> PeerCycle<'a> {
    fn each(connections: &'a mut [Connection], reads: bool) -> Vec<Self> {
        let cycle = |connection| Self {
            connection,
            script: Script::new(RELEASE.source()),
            reads,
            count: 0,
        };
        connections.iter_mut().map(cycle).collect()
    }
}

impl Cycle for PeerCycle<'_> {
    fn run(&mut self, key: &str) {
        self.count += 1;
        let token = format!("{:040x}", self.count);
        let mut set = Cmd::new();
        set.arg("SET").arg(key).arg(&token).arg("NX").arg("PX").arg(TTL.as_millis() as u64);
        if self.reads {
            let mut both = redis::pipe();
            both.add_command(set).cmd("GET").arg(key);
            let (taken, shown): (bool, String) = both.query(self.connection).expect("claimed");
            assert!(taken && shown == token);
        } else {
            assert!(set.query::<bool>(self.connection).expect("claimed"));
        }
        let mut release = self.script.prepare_invoke();
        release.key(key).arg(&token);
        let shown: String = release.invoke(self.connection).expect("released");
        assert_eq!(shown, token);
    }
}

fn rate<C: Cycle>(threads: usize, cycles: usize, contenders: impl FnOnce() -> Vec<C>) -> f64 {
    let contenders = contenders();
    let each = cycles / threads;
    let began = Instant::now();
    thread::scope(|scope| {
        for (number, mut contender) in contenders.into_iter().enumerate() {
            scope.spawn(move || {
                let key = format!("bench:{number}");
                (0..each).for_each(|_| contender.run(&key));
            });
        }
    });
    (each * threads) as f64 / began.elapsed().as_secs_f64()
}

fn ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    ours.iter().zip(theirs).map(|(ours, theirs)| ours / theirs).collect()
}

fn spread(values: &[f64], digits: usize) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (least, most) = (sorted[0], sorted[sorted.len() - 1]);
    let median = sorted[sorted.len() / 2];
    format!("{median:9.digits$} ({least:.digits$} .. {most:.digits$})")
}
