//! Threads and sockets of a client are gone when it is. Alone in this file: it counts what the whole
//! process has.
#![cfg(target_os = "linux")]

mod common;

use core::time::Duration;
use std::fs;
use std::net::TcpListener;

use common::{LONG, eventually, server, urls};
use redlatch_std::Client;

fn entries(folder: &str) -> usize {
    fs::read_dir(folder).expect("procfs").count()
}

/// Threads and open files of this process. Looking opens one file, always the same number.
fn resources() -> (usize, usize) {
    (entries("/proc/self/task"), entries("/proc/self/fd"))
}

#[test]
fn nothing_is_left_of_a_client() {
    let servers = [server(), server(), server()];
    let deaf = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("redis://{}", deaf.local_addr().expect("bound"));
    let before = resources();
    for round in 0..20 {
        let client = Client::connect(&urls(&servers)).expect("connected");
        let guard = client.lock(format!("key:{round}"), LONG).expect("free");
        let other = client.clone();
        servers[0].kill_connections();
        match round % 4 {
            0 => drop((client, other, guard)),
            1 => drop((guard, other, client)),
            2 => assert!(guard.release().is_ok() && client.shutdown(LONG)),
            _ => drop(client.shutdown(LONG)),
        }
        let impatient =
            Client::builder().server(&silent).connect_timeout(Duration::from_millis(20));
        assert!(impatient.connect().is_err());
    }
    eventually("threads and sockets are gone", || {
        let _waiting = (deaf.set_nonblocking(true), deaf.accept());
        resources() == before
    });
}
