//! The manual: how to bring locks to a board, what they take, and what to look out for.
//!
//! What is said here holds for `redlatch-embassy` as well, where nothing else is said.
//!
//! # To a board in ten steps
//!
//! 1. **See whether a lock is what you want.** A lock keeps two devices from doing the same at the same
//!    time, most of the time. A device that stops between looking at [`Guard::validity`] and acting on it
//!    can act too late. Where that would do damage, what is acted upon must refuse it by itself.
//! 2. **Find a way to Redis.** A UART to a bridge that connects to the server's port (a gateway, a
//!    modem, `socat TCP:server:6379 /dev/ttyUSB0,raw,echo=0,b115200`), or TCP/IP on the board. The bridge
//!    must connect again by itself when the server closes.
//! 3. **Make the stream.** Does your driver say when it can be read and written ([`ReadReady`],
//!    [`WriteReady`])? Wrap it in [`Polled`]. Can it only block, with a time-out? In [`Timed`]. Can it be
//!    opened and closed, as a socket of a network chip can? Implement [`Stream`], five methods. With
//!    embassy: `Halves` for a UART that is split, `Tcp` for embassy-net.
//! 4. **Make the clock**: see [which clock](#which-clock).
//! 5. **Make the generator**: see [which generator](#which-generator).
//! 6. **Choose the sizes**: see [how large](#how-large).
//! 7. **Put the memory into a `static`**: [`Fixed::new`] is `const`, so it is never on the stack. With
//!    the crate `static_cell` and `type Memory = Fixed<'static, 1, 2, 256, 24>`, that is
//!    `static MEMORY: ConstStaticCell<Memory> = ConstStaticCell::new(Memory::new([&Login::NONE]))`, and
//!    `MEMORY.take()` for [`Client::new`]. A `let mut memory` in `main`, borrowed, does as well.
//! 8. **Choose times**: [`Options::reply_timeout`] for the line, the ttl for the work, and
//!    [`Options::drift`] for the oscillator. A ttl of less than ten reply timeouts leaves little.
//! 9. **Call [`Client::connect`]** once at the start: it tells what is wrong, in words that name who is to
//!    blame. Then take the lock.
//! 10. **Call [`Client::poll`] in the main loop**, or [`Client::wait`] where there is nothing else to do;
//!     with embassy, `Runner::run` in a task, or `run_while` around the application. Locks are renewed and
//!     given back only there. Look at [`Guard::loss`] before each step of the work that needs the lock.
//!
//! Then pull the cable, stop the server (`kill -STOP`), and let another client take the key, and see that
//! the board does what you want. Three firmwares that do all this in an emulator, against real servers,
//! are in `tests/firmware` of the repository.
//!
//! # How large
//!
//! A request must fit the buffer of a connection whole; the longest is 230 bytes, the key, and one byte
//! for each digit of the ttl in milliseconds beyond five. So **256 bytes carry keys of 24 bytes**. A key that does
//! not fit is [`Error::KeyTooLong`] before anything is sent. Answers may be longer than the buffer: they
//! are skipped and the connection stays in step. Of a greeting that does not fit, some 150 bytes without
//! modules, role and restarts of the server stay unknown: a replica is then noticed when it refuses.
//! [`Options::restart_delay`] wants an `INFO` of about 1 KiB in the buffer.
//!
//! **Two places a lock**: a lock that was dropped keeps its place until its release is confirmed or its
//! keys have expired. With one place, the next lock on a bad line is [`Error::TooManyLocks`] meanwhile.
//!
//! Three requests are in flight on one connection at most, two of them claims. Locks beyond that wait 10 ms
//! for their turn.
//!
//! Bytes on a 32-bit processor, printed by `.ci/firmware`:
//!
//! | memory | bytes |
//! | --- | --- |
//! | `Fixed<1, 1, 256, 16>`: one lock on one server | 1 544 |
//! | `Fixed<1, 1, 256, 32>` | 1 560 |
//! | `Fixed<1, 2, 256, 32>`: two places | 2 136 |
//! | `Fixed<5, 1, 256, 32>`: one lock on five servers | 6 232 |
//! | [`Client`], its memory being elsewhere | 48 |
//! | one more server, 256 bytes each way | 984 and 184 a place |
//! | one more place, one server, key of 32 bytes | 576 |
//! | stack at its deepest, blocking, the test firmware's frames included | 2 440 |
//! | `Connection` alone, without its 512 bytes of buffers | 248 |
//! | `Lock` alone, one server | 520 |
//!
//! | firmware, `opt-level = "s"`, LTO | text | data | bss | stack |
//! | --- | --- | --- | --- | --- |
//! | Cortex-M3, UART, blocking, two places | 41.4 KB | 2 144 | 276 | 2 440 |
//! | RISC-V, UART, blocking, two places | 50.1 KB | 2 144 | 272 | 2 376 |
//! | Cortex-M3, TCP/IP, embassy-net, two places | 71.4 KB | 2 144 | 4 648 | 7 120 |
//!
//! Of the text of the first, 25.6 KB are the core, `redlatch-bare` and this crate, 1.6 KB copying and
//! dividing from the compiler's library, the rest the test's own: orders, journal, start-up. With
//! `opt-level = "z"` it is 2.2 KB less, and the stack no more. Of the core, the
//! largest parts are the state machine of the lock (5.3 KB), RESP with its limits (4.5 KB), the
//! connection and its buffers (1.4 KB), the handshake (1.5 KB), and time (2.1 KB): a 32-bit processor
//! needs two registers and a carry for every moment in microseconds.
//!
//! # Which clock
//!
//! * **It must go on while the board sleeps.** The server counts the ttl whatever the board does. SysTick
//!   and most timers stop in deep sleep; a real-time counter or a low-power timer goes on. A clock that
//!   stood still makes a lock look held that is not.
//! * **It must not be a count of ticks that can be missed.** An interrupt that comes late, or two that
//!   come as one, make the clock slow, and the lock is believed too long. Read a counter that runs by
//!   itself, and use an interrupt only to extend it beyond its width.
//! * **64 bits of microseconds.** A counter of 32 bits wraps after 71 minutes: count its wraps. Read the
//!   two halves so that no wrap comes between: high, low, high again.
//! * **Its speed is part of the promise.** A crystal is good for 0.01 %, a ceramic resonator for 0.5 %, an
//!   RC oscillator inside the chip for 1 to 3 % and more over temperature. The default [`Drift`] takes 1 %
//!   and 2 ms off every ttl, enough for 0.4 % on each side. For an RC oscillator set
//!   `parts_per_million` to 60 000.
//! * With embassy, [`EmbassyTime`](https://docs.embassy.dev/embassy-time/) is as good as its time driver:
//!   take one that counts in sleep.
//!
//! # Which generator
//!
//! The token is what proves that a lock is yours: whoever can guess it can release the lock, and two
//! boards that draw the same token both believe in it. Use the generator of the hardware
//! (TRNG, RNG), or a cryptographic one ([`rand_core::TryCryptoRng`]) that was seeded by it or in the
//! factory, with a seed of its own for each board, and that never begins from the same seed twice.
//!
//! An address, a serial number, the time since the start, or noise of an open input are no seeds: boards
//! that are switched on together agree on most of it.
//!
//! What no working generator does is refused, with [`Error::Random`] and before anything is sent: an
//! error of the generator, twenty equal bytes (not clocked, not enabled, stuck), and a token that was
//! drawn before for the same lock (it repeats itself). That catches a broken generator, not a weak one.
//!
//! ```
//! use rand_core::{TryCryptoRng, TryRng};
//!
//! /// A generator of the hardware that speaks another version of the traits, or none.
//! struct Trng<F>(F);
//!
//! impl<F: FnMut() -> u32> TryRng for Trng<F> {
//!     type Error = core::convert::Infallible;
//!
//!     fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
//!         Ok((self.0)())
//!     }
//!
//!     fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
//!         Ok(u64::from((self.0)()) << 32 | u64::from((self.0)()))
//!     }
//!
//!     fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
//!         for chunk in bytes.chunks_mut(4) {
//!             chunk.copy_from_slice(&(self.0)().to_le_bytes()[..chunk.len()]);
//!         }
//!         Ok(())
//!     }
//! }
//!
//! impl<F: FnMut() -> u32> TryCryptoRng for Trng<F> {}
//! # let _ = Trng(|| 4).try_next_u64();
//! ```
//!
//! # A line that loses bytes
//!
//! A UART has no beginning and no end, and RESP has no checksum. What is done about it:
//!
//! * Nothing is sent before the line was silent for [`Polled::with_quiet`], so answers to what an earlier
//!   start of the board has asked are not read as answers to this one.
//! * An answer that cannot belong to its request, or one that nobody asked for, ends the connection. Then
//!   all that was asked is in doubt: it is read back, or given back.
//! * A lock is believed only when the server has shown the board's own token, which is new for every
//!   attempt: no old or shifted answer can show it.
//! * Lost or added bytes mostly make the server close the connection with a protocol error. If it waits for
//!   bytes that never come, it is given up after the connect timeout, and greeted again.
//!
//! What remains: **a digit that changes inside a ttl is not noticed by anybody.** A key that then lives
//! shorter than the lease is believed too long. A byte that is lost, or one that is added, cannot do that,
//! because every argument carries its length; a bit that flips can, and so can both in one ttl. Where the
//! line flips bits, put something over it that checks (a modem's error correction, PPP or SLIP under
//! TCP/IP), or do not rely on the lock.
//!
//! # What a blocking client does not do
//!
//! Nothing happens between two calls. A lock that is renewed is lost if the main loop does not come round
//! within two thirds of its ttl; a lock that was dropped stays until the next call. A guard that is
//! dropped sends its release at once if the stream takes it, so most often nothing stays behind.
//!
//! [`ReadReady`]: embedded_io::ReadReady
//! [`WriteReady`]: embedded_io::WriteReady
//! [`Client`]: crate::Client
//! [`Client::new`]: crate::Client::new
//! [`Client::connect`]: crate::Client::connect
//! [`Client::poll`]: crate::Client::poll
//! [`Client::wait`]: crate::Client::wait
//! [`Drift`]: crate::Drift
//! [`Error::KeyTooLong`]: crate::Error::KeyTooLong
//! [`Error::Random`]: crate::Error::Random
//! [`Error::TooManyLocks`]: crate::Error::TooManyLocks
//! [`Fixed::new`]: crate::Fixed::new
//! [`Guard::loss`]: crate::Guard::loss
//! [`Guard::validity`]: crate::Guard::validity
//! [`Options::drift`]: crate::Options::drift
//! [`Options::reply_timeout`]: crate::Options::reply_timeout
//! [`Options::restart_delay`]: crate::Options::restart_delay
//! [`Polled`]: crate::Polled
//! [`Polled::with_quiet`]: crate::Polled::with_quiet
//! [`Stream`]: crate::Stream
//! [`Timed`]: crate::Timed
