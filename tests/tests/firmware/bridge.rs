//! The converter between a serial line and TCP that stands between a UART and Redis, and what can happen
//! to bytes on such a line.
//!
//! A line has no connections: it stays as it is when the server closes one, and the converter dials again
//! when the firmware next sends. It goes on reading whatever happens, because QEMU stands still otherwise.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use redlatch_core::Random;

/// Longer than a dial on this machine takes.
const DIAL: Duration = Duration::from_secs(2);

/// How a line spoils bytes: each of these once in so many bytes on average, never where it is zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) seed: u64,
    pub(crate) drops: u64,
    pub(crate) inserts: u64,
    pub(crate) flips: u64,
    /// The connection to the server breaks.
    pub(crate) cuts: u64,
}

impl Line {
    /// A line that spoils nothing.
    pub(crate) const fn sound() -> Self {
        Self { seed: 0, drops: 0, inserts: 0, flips: 0, cuts: 0 }
    }
}

/// A converter. It ends when the value is dropped.
pub(crate) struct Bridge {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Bridge {
    /// Waits for the emulator on a loopback port.
    pub(crate) fn open(server: SocketAddr, line: Line) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&ended);
        thread::spawn(move || {
            let (emulator, _) = listener.accept().expect("the emulator");
            if !end.load(Ordering::Relaxed) {
                carry(emulator, server, line);
            }
        });
        Self { address, ended }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // Where no emulator ever came, the thread still waits for one.
        let _ = TcpStream::connect_timeout(&self.address, DIAL);
    }
}

/// Carries bytes both ways until the emulator has gone.
fn carry(mut emulator: TcpStream, server: SocketAddr, line: Line) {
    let _ = emulator.set_nodelay(true);
    let back = Arc::new(Mutex::new(emulator.try_clone().expect("a second handle")));
    let mut noise = Noise::new(line, line.seed);
    let mut connection: Option<TcpStream> = None;
    let mut dials = 0;
    let mut bytes = [0; 512];
    while let Ok(count @ 1..) = emulator.read(&mut bytes) {
        let Spoiled { bytes, cut } = noise.spoil(&bytes[..count]);
        if connection.as_ref().is_none_or(has_ended) {
            dials += 1;
            connection = dial(server, &back, Line { seed: line.seed.wrapping_add(dials), ..line });
        }
        let Some(stream) = &mut connection else { continue };
        if stream.write_all(&bytes).is_err() || cut {
            let _ = stream.shutdown(Shutdown::Both);
            connection = None;
        }
    }
    if let Some(stream) = connection {
        let _ = stream.shutdown(Shutdown::Both);
    }
}

/// Whether the server has closed it. What it still sends is read elsewhere.
fn has_ended(stream: &TcpStream) -> bool {
    let _ = stream.set_nonblocking(true);
    let ended = matches!(stream.peek(&mut [0]), Ok(0));
    let _ = stream.set_nonblocking(false);
    ended
}

/// Connects to the server, and carries what it says to the emulator. `None` where nobody listens.
fn dial(server: SocketAddr, back: &Arc<Mutex<TcpStream>>, line: Line) -> Option<TcpStream> {
    let stream = TcpStream::connect_timeout(&server, DIAL).ok()?;
    let _ = stream.set_nodelay(true);
    let mut replies = stream.try_clone().ok()?;
    let back = Arc::clone(back);
    let mut noise = Noise::new(line, !line.seed);
    thread::spawn(move || {
        let mut bytes = [0; 512];
        while let Ok(count @ 1..) = replies.read(&mut bytes) {
            let Spoiled { bytes, cut } = noise.spoil(&bytes[..count]);
            let mut emulator = back.lock().unwrap_or_else(PoisonError::into_inner);
            if emulator.write_all(&bytes).is_err() || cut {
                break;
            }
        }
        let _ = replies.shutdown(Shutdown::Both);
    });
    Some(stream)
}

/// What comes out at the other end of the line.
struct Spoiled {
    bytes: Vec<u8>,
    cut: bool,
}

/// What a line does to bytes.
struct Noise {
    line: Line,
    random: Random,
}

impl Noise {
    fn new(line: Line, seed: u64) -> Self {
        Self { line, random: Random::new(seed) }
    }

    fn spoil(&mut self, bytes: &[u8]) -> Spoiled {
        let mut out = Vec::with_capacity(bytes.len());
        let Line { drops, inserts, flips, cuts, .. } = self.line;
        for byte in bytes {
            if self.happens(inserts) {
                out.push(self.random.next_u64() as u8);
            }
            if self.happens(cuts) {
                return Spoiled { bytes: out, cut: true };
            }
            if !self.happens(drops) {
                let flip = if self.happens(flips) { 1 << (self.random.next_u64() % 8) } else { 0 };
                out.push(byte ^ flip);
            }
        }
        Spoiled { bytes: out, cut: false }
    }

    fn happens(&mut self, once_in: u64) -> bool {
        once_in > 0 && self.random.next_u64().is_multiple_of(once_in)
    }
}
