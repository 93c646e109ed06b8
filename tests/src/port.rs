//! Ports for the servers of the tests.

use core::net::{Ipv4Addr, SocketAddr};
use core::sync::atomic::{AtomicU32, Ordering};
use core::time::Duration;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::time::Instant;

use crate::pause::breathe;

/// Free for everybody, and not handed out by the system.
const PORTS: core::ops::Range<u16> = 12_000..32_000;

/// A port of the loopback address. Nobody else is given it while this lives, also while nothing
/// listens there: else a test whose server has crashed would meet the server of another test.
#[derive(Debug)]
pub struct Port {
    number: u16,
    /// Locked. The lock ends with the process, however it ends.
    _claim: File,
}

impl Port {
    /// Claims a port where nobody listens.
    ///
    /// # Errors
    /// All are taken, or the folder for temporary files cannot be written.
    pub fn claim() -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let folder = std::env::temp_dir().join("redlatch-ports");
        fs::create_dir_all(&folder)?;
        // Processes of one test run have neighbouring numbers: keep them apart.
        let first = std::process::id().wrapping_mul(97);
        for _ in PORTS {
            let at = first.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS.len() as u32;
            let number = PORTS.start + u16::try_from(at).unwrap_or(0);
            let claim = File::create(folder.join(number.to_string()))?;
            if claim.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok()
            {
                return Ok(Self { number, _claim: claim });
            }
        }
        Err(ErrorKind::AddrInUse.into())
    }

    /// Its number.
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.number
    }
}

/// How long a process that is being started may take until it executes its program.
const COPIES: Duration = Duration::from_secs(5);

/// Listens at the address of a [`Port`]. A listener that was closed there a moment ago may still be open: a
/// process that another thread is starting has a copy of it until it executes its program.
///
/// # Errors
/// It is taken for longer than that.
pub(crate) fn listen(address: SocketAddr) -> io::Result<mio::net::TcpListener> {
    let deadline = Instant::now() + COPIES;
    loop {
        match mio::net::TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && Instant::now() < deadline => {
                breathe();
            }
            bound => return bound,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Port, listen};
    use core::net::{Ipv4Addr, SocketAddr};
    use core::time::Duration;
    use std::collections::HashSet;
    use std::net::TcpListener;
    use std::thread;

    #[test]
    fn a_port_is_given_to_one_at_a_time() {
        let ports: Vec<_> = (0..200).map(|_| Port::claim().expect("a port")).collect();
        let numbers: HashSet<_> = ports.iter().map(Port::number).collect();
        assert_eq!(numbers.len(), ports.len());
    }
    #[test]
    fn who_listens_waits_for_a_copy_of_a_closed_listener() {
        let port = Port::claim().expect("a port");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port.number()));
        let copy = TcpListener::bind(address).expect("it is free");
        thread::scope(|scope| {
            let listening = scope.spawn(|| listen(address));
            thread::sleep(Duration::from_millis(20));
            assert!(!listening.is_finished(), "the port is taken");
            drop(copy);
            listening.join().expect("no panic").expect("it is free again");
        });
    }
}
