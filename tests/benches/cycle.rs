//! What one lock and unlock costs the client, counted: instructions in user mode by callgrind, and
//! allocations. Both are repeatable on a busy machine, where times are not.
//!
//! `RUSTFLAGS=--cfg=rustix_use_libc cargo bench -p redlatch-testkit --bench cycle [-- CYCLES]`
//!
//! It runs itself against a real server, each crew with few and with more cycles, and prints the
//! difference divided. The flag makes the clock one that valgrind knows. How answers fall into reads
//! depends on the machine, so the last digits differ from run to run.

#[path = "measure/callgrind.rs"]
mod callgrind;

use core::time::Duration;
use std::process::Command as Process;
use std::thread;

use allocation_counter::measure;
use redlatch_testkit::server::{Kind, Server};

type Failed = Box<dyn core::error::Error>;

const TTL: Duration = Duration::from_secs(30);
/// A program under valgrind is slow.
const REPLY_TIMEOUT: Duration = Duration::from_secs(20);
/// Until every buffer has its size.
const FIRST: u64 = 4_000;

/// Tasks of tokio's `current_thread`, or threads.
const CREWS: [(&str, u64); 5] =
    [("tokio", 1), ("tokio", 64), ("tokio", 1_000), ("std", 1), ("std", 16)];

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, url, adapter, tasks, cycles] = arguments.as_slice()
        && flag == "--work"
    {
        return run(url, adapter, tasks.parse()?, cycles.parse()?);
    }
    let more = arguments.get(1).and_then(|one| one.parse().ok()).unwrap_or(20_000);
    let server = Server::start(Kind::Redis7)?;
    println!("{:>12}  {:>11}  of a cycle by", "instructions", "allocations");
    for (adapter, tasks) in CREWS {
        let [few, many] = [FIRST, FIRST + more].map(|cycles| {
            let (tasks, cycles) = (tasks.to_string(), (cycles / tasks).to_string());
            Counts::of(&["--work", &server.url(), adapter, &tasks, &cycles])
        });
        let cycles = ((FIRST + more) / tasks * tasks - FIRST / tasks * tasks) as f64;
        let instructions = (many.instructions - few.instructions) as f64 / cycles;
        let allocations = (many.allocations - few.allocations) as f64 / cycles;
        println!("{instructions:12.0}  {allocations:11.2}  {tasks} on {adapter}");
    }
    Ok(())
}

struct Counts {
    instructions: u64,
    allocations: u64,
}

impl Counts {
    fn of(arguments: &[&str]) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let output = Process::new(program).args(arguments).output().expect("it runs");
        let counted = String::from_utf8_lossy(&output.stdout);
        let allocations = counted.trim().parse().unwrap_or_else(|_| panic!("{output:?}"));
        Self { instructions: callgrind::count(arguments), allocations }
    }
}

/// Prints the allocations of the threads that lock.
fn run(url: &str, adapter: &str, tasks: u64, cycles: u64) -> Result<(), Failed> {
    let allocations = match adapter {
        "tokio" => with_tokio(url, tasks, cycles)?,
        _ => with_threads(url, tasks, cycles)?,
    };
    println!("{allocations}");
    Ok(())
}

fn with_tokio(url: &str, tasks: u64, cycles: u64) -> Result<u64, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let builder = redlatch_tokio::Client::builder().servers(url).reply_timeout(REPLY_TIMEOUT);
    let client = runtime.block_on(builder.connect())?;
    let work = async {
        let tasks = (0..tasks).map(|task| {
            let client = client.clone();
            tokio::spawn(async move {
                let key = format!("cycle:{task}");
                for _ in 0..cycles {
                    let guard = client.lock(&key, TTL).await.expect("taken");
                    assert!(guard.release().await.expect("released"), "ours until now");
                }
            })
        });
        for task in tasks.collect::<Vec<_>>() {
            task.await.expect("no task panics");
        }
    };
    Ok(measure(|| runtime.block_on(work)).count_total)
}

fn with_threads(url: &str, threads: u64, cycles: u64) -> Result<u64, Failed> {
    let builder = redlatch_std::Client::builder().servers(url).reply_timeout(REPLY_TIMEOUT);
    let client = builder.connect()?;
    let work = |thread: u64| {
        let key = format!("cycle:{thread}");
        measure(|| {
            for _ in 0..cycles {
                let guard = client.lock(&key, TTL).expect("taken");
                assert!(guard.release().expect("released"), "ours until now");
            }
        })
        .count_total
    };
    Ok(thread::scope(|scope| {
        let work = &work;
        let threads: Vec<_> = (0..threads).map(|it| scope.spawn(move || work(it))).collect();
        threads.into_iter().map(|it| it.join().expect("no thread panics")).sum()
    }))
}
